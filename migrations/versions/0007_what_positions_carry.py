"""What positions carry of orders that can change no more"""

import sqlalchemy as sa
from alembic import op

from app.models import types

revision = "0007"
down_revision = "0006"

_AMOUNTS = ("quantity", "bought", "cost", "realised", "fees")


def upgrade() -> None:
    with op.batch_alter_table("positions") as table:
        for amount in _AMOUNTS:
            table.add_column(
                sa.Column(f"carried_{amount}", types.ExactDecimal(), nullable=False, server_default="0")
            )
        table.add_column(sa.Column("carried_purchase_at", types.UtcDateTime(), nullable=True))
        table.add_column(sa.Column("carried_sale_at", types.UtcDateTime(), nullable=True))
    with op.batch_alter_table("orders") as table:
        table.add_column(sa.Column("carried", sa.Boolean(), nullable=False, server_default=sa.false()))
        table.drop_index(op.f("ix_orders_position_id"))
        table.create_index("ix_orders_position_carried", ["position_id", "carried"])


def downgrade() -> None:
    with op.batch_alter_table("orders") as table:
        table.drop_index("ix_orders_position_carried")
        table.create_index(op.f("ix_orders_position_id"), ["position_id"])
        table.drop_column("carried")
    with op.batch_alter_table("positions") as table:
        table.drop_column("carried_sale_at")
        table.drop_column("carried_purchase_at")
        for amount in reversed(_AMOUNTS):
            table.drop_column(f"carried_{amount}")
