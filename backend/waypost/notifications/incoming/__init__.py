"""Mail that comes in: mailboxes and what is read from them, what becomes of a mail, and what has to be looked at by hand.

A mail is kept whole, sealed, with a row of its own before it leaves its folder; only then is it decided what it is.
"""
