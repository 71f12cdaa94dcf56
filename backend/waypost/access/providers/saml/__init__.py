"""SAML 2.0, our side of it: what an identity provider sends is judged here, and nothing of it is believed before that.

`guard` looks at the shape of a message before any cryptography runs on it, `verifying` finds out who wrote it and hands
on the one element that was signed, `decrypting` opens a sealed one, `reading` takes facts out of that element and holds
them against what was asked. These are pure, and run in a process of their own with a bound on its time (`bounded`).
"""
