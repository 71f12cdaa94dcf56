"""Sending the trail on to other systems (a SIEM): destinations, what an entry looks like on its way, and the sender.

Rows go in the order of the chain, after they were sealed, each with its place and hash: at least once, never out of order.
A destination that is slow or away waits by itself; sealing, the other destinations and people do not.
"""
