"""What this room keeps about people (`kernel/personal.py`)."""

from __future__ import annotations

from waypost.kernel.personal import Held, Then, Told

PERSONAL = (
    Held("notifications", "user_id", "Notices", Then.DELETED, shown=("kind", "title", "created_at", "read_at")),
    Held(
        "notification_deliveries",
        "user_id",
        "Messages sent to them",
        Then.BLANKED,
        "that something was sent stays; its words and address do not",
        shown=("channel", "kind", "recipient", "subject", "status", "sent_at", "created_at"),
        blanks={
            "recipient": "'erased-' || id",
            "subject": "''",
            "words": "'{}'",
            "headers": "'{}'",
            "provider_ref": "NULL",
            "last_error": "NULL",
            "status": "CASE WHEN status = 'PENDING' THEN 'FAILED' ELSE status END",
        },
    ),
    Held(
        "contact_points",
        "user_id",
        "Where they are reached",
        Then.DELETED,
        shown=("channel", "address", "label", "verified_at", "stopped_at", "created_at"),
    ),
    Held(
        "notification_preferences",
        "user_id",
        "How they want to be told",
        Then.DELETED,
        shown=("choices", "digests", "quiet_hours", "updated_at"),
    ),
    Held(
        "notification_template_versions", "author_id", "Words of notices they wrote", Then.KEPT, "who did it, by number"
    ),
    Held(
        "sms_reply_codes",
        "user_id",
        "Codes to answer by text message",
        Then.DELETED,
        "opens a decision: never given away",
    ),
    Held(
        "incoming_mails",
        "user_id",
        "Mails that came from them",
        Then.BLANKED,
        "what became of it stays; its sender, subject and copy do not",
        shown=("from_address", "subject", "received_at", "outcome"),
        blanks={
            "from_address": "'erased-' || id",
            "subject": "''",
            "raw_name": "NULL",
            "raw_key_id": "NULL",
            "raw_key": "NULL",
        },
    ),
    Held("mailboxes", "accept_as_user_id", "In whose name a mailbox takes strangers' mails", Then.KEPT, "a setting"),
)
TOLD = (
    Told("notifications", "title"),
    Told("notifications", "body"),
    Told("notification_deliveries", "subject"),
    Told("notification_deliveries", "words", is_json=True),
)
