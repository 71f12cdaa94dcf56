"""What this room keeps about people, and what the kernel's tables do (`kernel/personal.py`)."""

from __future__ import annotations

import waypost.access.importing.models
import waypost.access.models
import waypost.access.people_job_models
import waypost.access.privacy.models
import waypost.access.providers.ldap.models
import waypost.access.providers.models
import waypost.access.scim.models
import waypost.access.service_models
import waypost.access.session_models  # noqa: F401 - the tables named below are known wherever this is
from waypost.kernel.personal import Held, Then

_OPENS = "opens an account: never given away"
_TRACE = "who did it, by number"
PERSONAL = (
    Held("credentials", "user_id", "Password", Then.DELETED, _OPENS, shown=("changed_at",)),
    Held(
        "login_sessions",
        "user_id",
        "Sessions",
        Then.DELETED,
        shown=(
            *("created_at", "method", "last_seen_at", "renewed_at", "expires_at", "ended_at", "end_reason"),
            *("ip_address", "user_agent"),
        ),
    ),
    Held("one_time_links", "user_id", "Links to set a password", Then.DELETED, _OPENS),
    Held(
        "known_devices", "user_id", "Devices they signed in on", Then.DELETED, _OPENS, shown=("created_at", "used_at")
    ),
    Held("totp_secrets", "user_id", "Authenticator app", Then.DELETED, _OPENS, shown=("created_at", "confirmed_at")),
    Held("passkeys", "user_id", "Passkeys", Then.DELETED, _OPENS, shown=("name", "created_at", "used_at")),
    Held("passkey_challenges", "user_id", "Challenges for passkeys", Then.DELETED, _OPENS),
    Held("recovery_codes", "user_id", "Recovery codes", Then.DELETED, _OPENS, shown=("created_at", "used_at")),
    Held("sign_in_challenges", "user_id", "Sign-ins that wait", Then.DELETED, _OPENS),
    Held(
        "factor_resets",
        "user_id",
        "Lost second factors",
        Then.BLANKED,
        shown=("created_at", "settled_at"),
        blanks={"reason": "''"},
    ),
    Held("factor_resets", "asked_by_id", "Lost second factors of others, asked for", Then.KEPT, _TRACE),
    Held("user_roles", "user_id", "Roles", Then.DELETED, shown=("role_id",)),
    Held("user_roles", "granted_by_id", "Roles they gave", Then.KEPT, _TRACE),
    Held("role_changes", "user_id", "Changes of their roles that waited", Then.KEPT, _TRACE, shown=("created_at",)),
    Held("role_changes", "asked_by_id", "Changes of roles they asked for", Then.KEPT, _TRACE),
    Held("role_changes", "settled_by_id", "Changes of roles they settled", Then.KEPT, _TRACE),
    Held("people_jobs", "actor_id", "Changes of many people", Then.KEPT, _TRACE, shown=("id", "status", "created_at")),
    Held("people_imports", "actor_id", "Tables of people they brought", Then.KEPT, _TRACE, shown=("id", "filename")),
    Held(
        "people_import_rows",
        "user_id",
        "Rows of tables that spoke of them",
        Then.DELETED,
        shown=("job_id", "cells", "changes", "status"),
    ),
    Held("people_job_items", "user_id", "Changes of many people, of which they were one", Then.DELETED, _TRACE),
    Held(
        "identities",
        "user_id",
        "Accounts elsewhere",
        Then.DELETED,
        shown=("provider_id", "subject", "created_at", "used_at"),
    ),
    Held(
        "api_tokens",
        "user_id",
        "Access tokens",
        Then.DELETED,
        _OPENS,
        shown=("name", "permissions", "created_at", "expires_at", "used_at", "used_from", "revoked_at"),
    ),
    Held("sign_in_transactions", "person_id", "Sign-ins elsewhere that wait", Then.DELETED, _OPENS),
    Held("api_tokens", "made_by_id", "Access tokens made for others", Then.KEPT, _TRACE),
    Held(
        "scim_people",
        "user_id",
        "What a pushing system told",
        Then.DELETED,
        shown=("provider_id", "user_name", "display_name", "emails", "document", "created_at", "updated_at"),
    ),
    Held("scim_stops", "allowed_by_id", "Stopped changes they allowed", Then.KEPT, _TRACE),
    Held("scim_tokens", "created_by_id", "Tokens of pushing systems they made", Then.KEPT, _TRACE),
    Held("directory_runs", "asked_by_id", "Looks at a directory they asked for", Then.KEPT, _TRACE),
    Held("directory_runs", "settled_by_id", "Plans of a directory they settled", Then.KEPT, _TRACE),
    Held(
        "directory_run_people",
        "user_id",
        "What looks at a directory made of them",
        Then.DELETED,
        shown=("run_id", "action", "reason", "name", "changes", "note", "error"),
    ),
    Held(
        "directory_leavers", "user_id", "That a directory deactivated them", Then.DELETED, shown=("provider_id", "at")
    ),
    Held("service_accounts", "user_id", "The program it is the account of", Then.KEPT, "a program, and nobody"),
    Held(
        "service_accounts", "owner_id", "Programs they answer for", Then.KEPT, _TRACE, shown=("purpose", "created_at")
    ),
    Held(
        "oauth_clients",
        "user_id",
        "Programs that sign in for them",
        Then.DELETED,
        _OPENS,
        shown=("name", "permissions", "created_at", "used_at", "used_from", "revoked_at"),
    ),
    Held("idempotency_keys", "person_id", "Answers kept for a day", Then.DELETED, "gone after a day by itself"),
    Held(
        "events",
        "actor_id",
        "What they did",
        Then.KEPT,
        "the audit trail stays whole; addresses in it are erased there",
        shown=("id", "type", "object_type", "object_id", "channel", "at"),
    ),
    Held(
        "events",
        "object_id",
        "What was done about them",
        Then.KEPT,
        "the audit trail stays whole; personal values in it are erased there",
        shown=("id", "type", "data", "actor_id", "channel", "at"),
        only="object_type = 'user'",
    ),
    Held(
        "events",
        "on_behalf_of_id",
        "What was done for them",
        Then.KEPT,
        "the audit trail stays whole",
        shown=("id", "type", "at"),
    ),
    Held(
        "personal_exports",
        "user_id",
        "Copies of personal data",
        Then.BLANKED,
        shown=("created_at", "state", "expires_at"),
        blanks={"state": "'GONE'", "object_name": "NULL", "key_id": "NULL", "wrapped_key": "NULL", "next_at": "NULL"},
    ),
    Held("personal_exports", "asked_by_id", "Copies they asked for", Then.KEPT, _TRACE),
    Held("erasures", "user_id", "Erasure", Then.KEPT, "shows that it was done", shown=("created_at", "settled_at")),
    Held("erasures", "asked_by_id", "Erasures they asked for", Then.KEPT, _TRACE),
    Held("erasures", "done_by_id", "Erasures they did", Then.KEPT, _TRACE),
)
