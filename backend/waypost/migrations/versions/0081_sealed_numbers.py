"""Phone numbers stand sealed: room for them where only a number fitted, and a small index of those that are still to be sealed.

The worker seals what stands in the open, batch by batch (`numbers.seal`): it has the installation's keys, a migration
need not.

Locks: `sms_reply_codes` and `sms_incoming` for a moment, to let longer texts in; nothing is written. The index of
`notification_deliveries` is made concurrently.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0081"
down_revision = "0078"
branch_labels = None
depends_on = None

_TABLES = ("sms_reply_codes", "sms_incoming")


def upgrade() -> None:
    for table in _TABLES:
        op.alter_column(table, "phone", type_=sa.String(100), existing_type=sa.String(20), existing_nullable=False)
    with op.get_context().autocommit_block():
        op.create_index(
            "ix_notification_deliveries_open",
            "notification_deliveries",
            ["id"],
            postgresql_where=sa.text("recipient LIKE '+%'"),
            postgresql_concurrently=True,
            if_not_exists=True,
        )


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.drop_index("ix_notification_deliveries_open", postgresql_concurrently=True)
    for table in _TABLES:  # what is sealed does not fit any more, and nobody could read it
        op.execute(f"DELETE FROM {table} WHERE phone LIKE '~%'")  # noqa: S608 - our own tables
        op.alter_column(table, "phone", type_=sa.String(20), existing_type=sa.String(100), existing_nullable=False)
