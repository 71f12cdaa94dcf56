"""What this room keeps about people (`kernel/personal.py`)."""

from __future__ import annotations

from waypost.kernel.personal import Held, Then

_BLANK = {
    "username": "'former-' || id",
    "email": "'former-' || id || '@erased.invalid'",
    "first_name": "'Former'",
    "last_name": "'employee ' || id",
    "job_title": "''",
    "timezone": "'UTC'",
    "locale": "'en'",
    "preferences": "'{}'",
    "department_id": "NULL",
    "manager_id": "NULL",
    "erased_at": "now()",
    "updated_at": "now()",
    "version": "version + 1",
}
PERSONAL = (
    Held(
        "users",
        "id",
        "Profile",
        Then.BLANKED,
        "a pseudonym stands wherever they are shown",
        shown=(
            "id",
            "username",
            "email",
            "first_name",
            "last_name",
            "job_title",
            "department_id",
            "manager_id",
            "timezone",
            "locale",
            "preferences",
            "is_active",
            "created_at",
            "updated_at",
            "signed_in_at",
            "legal_hold",
        ),
        blanks=_BLANK,
    ),
    Held("users", "manager_id", "Whose manager they are", Then.BLANKED, shown=("id",), blanks={"manager_id": "NULL"}),
    Held(
        "departments",
        "head_id",
        "Departments they head",
        Then.BLANKED,
        shown=("id", "name"),
        blanks={"head_id": "NULL"},
    ),
    Held("team_members", "user_id", "Teams", Then.DELETED, shown=("team_id", "is_lead", "last_assigned_at")),
    Held(
        "absences", "user_id", "Absences", Then.DELETED, shown=("starts_at", "ends_at", "sealed_reason", "created_at")
    ),
    Held("absences", "created_by_id", "Absences they entered for others", Then.KEPT, "others' absences, by number"),
)
