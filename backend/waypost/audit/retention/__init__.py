"""How long entries of some kinds are kept: a policy, and the signed removal of what is older.

What tickets, approvals, people, roles and settings show is kept for ever. Of the rest (sign-ins, readings, messages, the
system's own notes) an event may go after years; its seal stays with the event's hash, so the chain holds, and a signed
record says which rows went.
"""
