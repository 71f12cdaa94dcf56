"""Directories over LDAP, Active Directory among them: signing in with their passwords, and following whom they list."""
