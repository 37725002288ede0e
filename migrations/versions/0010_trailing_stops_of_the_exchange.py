"""Whether an exchange turned down a trailing stop of its own"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.add_column(
        "positions", sa.Column("trailing_refused", sa.Boolean(), nullable=False, server_default=sa.false())
    )


def downgrade() -> None:
    op.drop_column("positions", "trailing_refused")
