"""E-mail addresses in the form we keep. Pure."""

from __future__ import annotations

from email_validator import EmailNotValidError, validate_email


def usable_email(said: str | None) -> str | None:
    """An address in the form we keep; None for what is none."""
    if not said or len(said) > 254:
        return None
    try:
        return validate_email(said, check_deliverability=False, test_environment=True).normalized
    except EmailNotValidError:
        return None
