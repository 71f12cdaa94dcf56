"""How approvers are found: a file for each kind, each with `find(session, asks)`.

`asks` are rules of that kind, each with the subject it is asked for; the answer holds one `(ids, why)` for each, and
costs the same few statements whether one subject is looked at or five hundred.
"""
