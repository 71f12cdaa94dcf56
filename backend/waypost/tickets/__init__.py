"""The request itself: lifecycle, comments, assignment, history, lists.

Tells `approvals` what is to be judged and hears back through the event log; right-hand rooms follow its events.
"""
