"""Which home a database belongs to."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table("installation", sa.Column("id", sa.String(32), primary_key=True))


def downgrade() -> None:
    op.drop_table("installation")
