"""What a provider said last of each of its people, to know what it has emptied or renamed since.

Locks: `identities` gets a nullable column without a default: its lock is held for a moment, and nothing is rewritten.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0084"
down_revision = "0075"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("identities", sa.Column("said", JSONB(), nullable=True))


def downgrade() -> None:
    op.drop_column("identities", "said")
