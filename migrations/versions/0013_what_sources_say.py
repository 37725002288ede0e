"""What a source says of orders where an alert does not: their type, and every kind of size"""

import sqlalchemy as sa
from alembic import op

from app.models import types

revision = "0013"
down_revision = "0010"

_SIZES = ("default_quantity", "default_risk_percent", "default_equity_percent")


def upgrade() -> None:
    op.add_column(
        "sources",
        sa.Column("default_order_type", sa.String(length=32), nullable=False, server_default="MARKET"),
    )
    for name in _SIZES:
        op.add_column("sources", sa.Column(name, types.ExactDecimal(), nullable=True))


def downgrade() -> None:
    for name in reversed(_SIZES):
        op.drop_column("sources", name)
    op.drop_column("sources", "default_order_type")
