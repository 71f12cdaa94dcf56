"""SAML: the pure core against everything an attacker may send, and the doors around it."""
