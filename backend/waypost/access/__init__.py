"""Who comes in, and the words of permission: passwords, tokens, sessions, roles, scopes, the Actor.

The mechanism only: what a scope means for a table is said by the room that owns the table, in its `policy.py`.
"""
