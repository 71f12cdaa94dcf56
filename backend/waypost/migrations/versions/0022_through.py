"""Through whom a chain of deputies goes: nobody picks who decides what they may not decide themselves.

Locks: `approval_deputies` for a moment; the column has a constant default, and the table holds the rights in force only.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "approval_deputies", sa.Column("through_ids", ARRAY(sa.BigInteger()), server_default="{}", nullable=False)
    )
    op.execute(
        "UPDATE approval_deputies AS r SET through_ids = ARRAY(SELECT d.delegate_id FROM unnest(r.delegation_ids)"
        " WITH ORDINALITY AS link(id, n) JOIN approval_delegations AS d ON d.id = link.id"
        " WHERE n < cardinality(r.delegation_ids) ORDER BY n) WHERE cardinality(delegation_ids) > 1"
    )


def downgrade() -> None:
    op.drop_column("approval_deputies", "through_ids")
