"""SCIM 2.0: an identity system pushes people and groups into Waypost (RFC 7643, RFC 7644).

`door` answers below `/scim/v2` to whoever shows a provider's token; the protocol is `scim2-server`'s, the rows are ours.
What the system says of somebody is kept as it said it (`document`) beside what we made of it.
"""
