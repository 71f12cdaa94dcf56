"""Working calendars and service level policies, with what every installation begins with.

Locks: the tables are new; `users` and `departments` are locked for a moment against changes of their keys, for the
references. Where people are at work already the policy comes switched off: nobody's requests are suddenly late.
"""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from waypost.kernel.settings import get_settings

revision = "0095"
down_revision = "0076"
branch_labels = None
depends_on = None

WEEK = [[[480, 1080]]] * 5 + [[], []]  # Monday to Friday, 08:00 to 18:00


def _targets(unit: str, *amounts: int) -> dict[str, dict[str, object]]:
    priorities = ("CRITICAL", "HIGH", "MEDIUM", "LOW")
    days = "END_OF_DAY" if unit == "DAYS" else None
    return {
        p: {"amount": amount, "unit": unit, "days": days} for p, amount in zip(priorities, amounts, strict=True)
    }


POLICY: dict[str, object] = {
    "condition": None,
    "calendar_id": None,
    "targets": {
        "FIRST_RESPONSE": _targets("MINUTES", 30, 120, 480, 960),
        "NEXT_UPDATE": _targets("HOURS", 2, 8, 16, 32),
        "RESOLUTION": _targets("DAYS", 1, 2, 5, 10) | {"CRITICAL": {"amount": 4, "unit": "HOURS", "days": None}},
    },
    "own_time": [],
    "paused": ["PENDING_INFO"],
    "counts_approval": False,
    "reopening": "RESUME",
    "warnings": [75],
    "actions": [
        {"on": "WARNING", "do": "TELL_ASSIGNEE", "metrics": [], "percent": None, "user_id": None, "team_id": None},
        {"on": "BREACH", "do": "TELL_ASSIGNEE", "metrics": [], "percent": None, "user_id": None, "team_id": None},
        {"on": "BREACH", "do": "TELL_LEADS", "metrics": [], "percent": None, "user_id": None, "team_id": None},
    ],
}


def upgrade() -> None:
    op.create_table(
        "sla_calendars",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), primary_key=True),
        sa.Column("name", sa.String(100), nullable=False, unique=True),
        sa.Column("zone", sa.String(64), nullable=False),
        sa.Column("week", JSONB(), nullable=False),
        sa.Column("in_persons_zone", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("is_default", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
    )
    op.create_index(
        "uq_sla_calendars_default", "sla_calendars", ["is_default"], unique=True, postgresql_where=sa.text("is_default")
    )
    op.create_table(
        "sla_calendar_days",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), primary_key=True),
        sa.Column(
            "calendar_id", sa.BigInteger(), sa.ForeignKey("sla_calendars.id", ondelete="CASCADE"), nullable=False
        ),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("day", sa.Date(), nullable=True),
        sa.Column("month", sa.SmallInteger(), nullable=True),
        sa.Column("day_of_month", sa.SmallInteger(), nullable=True),
        sa.Column("hours", JSONB(none_as_null=True), nullable=True),
        sa.Column("name", sa.String(200), server_default="", nullable=False),
        sa.Column("source", sa.String(8), server_default="MANUAL", nullable=False),
        sa.Column("uid", sa.String(255), nullable=True),
        sa.CheckConstraint(
            "kind IN ('CLOSED', 'YEARLY', 'SPECIAL') AND (kind = 'YEARLY') = (day IS NULL)"
            " AND (kind = 'YEARLY') = (month IS NOT NULL AND day_of_month IS NOT NULL)"
            " AND (kind = 'SPECIAL') = (hours IS NOT NULL)",
            name="kind",
        ),
        sa.CheckConstraint("source IN ('MANUAL', 'ICAL')", name="source"),
    )
    op.create_index("uq_sla_calendar_days_day", "sla_calendar_days", ["calendar_id", "source", "day"], unique=True)
    op.create_index(
        "uq_sla_calendar_days_yearly",
        "sla_calendar_days",
        ["calendar_id", "source", "month", "day_of_month"],
        unique=True,
    )
    op.create_table(
        "sla_calendar_versions",
        sa.Column(
            "calendar_id",
            sa.BigInteger(),
            sa.ForeignKey("sla_calendars.id", ondelete="CASCADE"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column("version", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("document", JSONB(), nullable=False),
        sa.Column("changed_by_id", sa.BigInteger(), sa.ForeignKey("users.id"), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
    )
    op.create_table(
        "sla_working_calendars",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), primary_key=True),
        sa.Column("calendar_id", sa.BigInteger(), sa.ForeignKey("sla_calendars.id"), nullable=False),
        sa.Column("user_id", sa.BigInteger(), sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=True, unique=True),
        sa.Column(
            "department_id",
            sa.BigInteger(),
            sa.ForeignKey("departments.id", ondelete="CASCADE"),
            nullable=True,
            unique=True,
        ),
        sa.CheckConstraint("(user_id IS NULL) <> (department_id IS NULL)", name="whose"),
    )
    op.create_index("ix_sla_working_calendars_calendar", "sla_working_calendars", ["calendar_id"])
    op.create_table(
        "sla_policies",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), primary_key=True),
        sa.Column("name", sa.String(100), nullable=False, unique=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("is_active", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
    )
    op.create_index("ix_sla_policies_position", "sla_policies", ["position", "id"])
    op.create_table(
        "sla_policy_versions",
        sa.Column(
            "policy_id",
            sa.BigInteger(),
            sa.ForeignKey("sla_policies.id", ondelete="CASCADE"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column("version", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("document", JSONB(), nullable=False),
        sa.Column("field_kinds", JSONB(), server_default="{}", nullable=False),
        sa.Column("note", sa.String(500), server_default="", nullable=False),
        sa.Column("changed_by_id", sa.BigInteger(), sa.ForeignKey("users.id"), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
    )
    _begin()


def _begin() -> None:
    """The calendar and the policy an installation begins with, both in their first version."""
    zone = get_settings().company_zone
    name = "Working hours"
    document = {"name": name, "zone": zone, "week": WEEK, "in_persons_zone": False, "days": []}
    connection = op.get_bind()
    connection.execute(
        sa.text("""
            WITH made AS (
                INSERT INTO sla_calendars (name, zone, week, is_default)
                VALUES (:name, :zone, CAST(:week AS jsonb), true) RETURNING id
            )
            INSERT INTO sla_calendar_versions (calendar_id, version, document)
            SELECT id, 1, CAST(:document AS jsonb) FROM made
        """),
        {"name": name, "zone": zone, "week": json.dumps(WEEK), "document": json.dumps(document)},
    )
    connection.execute(
        sa.text("""
            WITH made AS (
                INSERT INTO sla_policies (name, position, is_active)
                SELECT :name, 1, NOT EXISTS (SELECT 1 FROM users) RETURNING id
            )
            INSERT INTO sla_policy_versions (policy_id, version, name, document)
            SELECT id, 1, :name, CAST(:document AS jsonb) FROM made
        """),
        {"name": "All requests", "document": json.dumps(POLICY)},
    )


def downgrade() -> None:
    for table in (
        "sla_policy_versions",
        "sla_policies",
        "sla_working_calendars",
        "sla_calendar_versions",
        "sla_calendar_days",
        "sla_calendars",
    ):
        op.drop_table(table)
