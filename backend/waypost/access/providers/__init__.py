"""Other houses that say who somebody is: identity providers and directories, and the people who come by them.

A kind of provider is a module with a `Kind` (`kinds.py`) and a line in `registry.py`; the settings screen, the list and
the rules by which people are found, linked, created and given roles (`people.py`) know none of them.
"""
