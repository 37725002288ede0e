"""When an order whose answer was lost was found"""

import sqlalchemy as sa
from alembic import op

from app.models import types

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("orders", sa.Column("found_at", types.UtcDateTime(), nullable=True))


def downgrade() -> None:
    op.drop_column("orders", "found_at")
