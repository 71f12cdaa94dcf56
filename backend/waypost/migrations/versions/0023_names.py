"""Of the workflows in force no two have the same name.

Those that had the same name before go on: the oldest keeps its name to itself, the others have none of their own until
they are called otherwise.

Locks: a small table of configuration; the new column is empty, filling it and the index keep others from writing
workflows for a moment.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

INDEX = "uq_approval_definitions_name_in_force"


def upgrade() -> None:
    op.add_column("approval_definitions", sa.Column("name_in_force", sa.Text))
    connection = op.get_bind()
    taken: set[str] = set()
    active = sa.text("SELECT id, name FROM approval_definitions WHERE is_active ORDER BY id")
    for definition_id, name in connection.execute(active).all():
        key = " ".join(name.split()).casefold()
        if key not in taken:
            taken.add(key)
            keep = sa.text("UPDATE approval_definitions SET name_in_force = :key WHERE id = :id")
            connection.execute(keep, {"key": key, "id": definition_id})
    op.create_index(INDEX, "approval_definitions", ["name_in_force"], unique=True)


def downgrade() -> None:
    op.drop_index(INDEX, "approval_definitions")
    op.drop_column("approval_definitions", "name_in_force")
