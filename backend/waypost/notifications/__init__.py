"""Telling people what concerns them: in the app and by e-mail.

A consumer of the event log plans who is told (`planning`), keeps the notice and the mail; `sending` delivers mails.
"""
