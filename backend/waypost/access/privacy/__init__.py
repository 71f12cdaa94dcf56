"""Personal data: what the product holds about somebody, given to them (GDPR 15, 20) or erased when they left (17).

What each room holds stands in that room's `personal.py`; `wiring.py` lists them, so that nobody here knows a ticket.
"""
