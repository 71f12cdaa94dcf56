"""How approvers are found: a file for each kind, each with `find(session, rule, subject)`."""
