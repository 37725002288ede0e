"""The money ledger, and the drift of balances from it"""

import sqlalchemy as sa
from alembic import op

from app.models import types

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "ledger_entries",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("broker_id", sa.Integer(), nullable=False),
        sa.Column("asset", sa.String(length=32), nullable=False),
        sa.Column("amount", types.ExactDecimal(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("order_id", sa.Integer(), nullable=True),
        sa.Column("fill_id", sa.Integer(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("at", types.UtcDateTime(), nullable=False),
        sa.Column("counted", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["broker_id"],
            ["brokers.id"],
            name=op.f("fk_ledger_entries_broker_id_brokers"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["order_id"], ["orders.id"], name=op.f("fk_ledger_entries_order_id_orders"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["fill_id"], ["fills.id"], name=op.f("fk_ledger_entries_fill_id_fills"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_entries")),
        sa.UniqueConstraint("fill_id", "asset", "kind", name=op.f("uq_ledger_entries_fill_id_asset_kind")),
    )
    with op.batch_alter_table("ledger_entries", schema=None) as batch_op:
        batch_op.create_index("ix_ledger_entries_broker_counted", ["broker_id", "counted"], unique=False)
        batch_op.create_index(batch_op.f("ix_ledger_entries_order_id"), ["order_id"], unique=False)
    op.add_column("balances", sa.Column("expected", types.ExactDecimal(), nullable=True))
    op.add_column("balances", sa.Column("drift", types.ExactDecimal(), nullable=True))
    op.add_column("balances", sa.Column("drift_since", types.UtcDateTime(), nullable=True))
    op.add_column("brokers", sa.Column("orders_seen_at", types.UtcDateTime(), nullable=True))
    op.add_column("brokers", sa.Column("ledger_opened_at", types.UtcDateTime(), nullable=True))
    op.add_column(
        "orders", sa.Column("fills_missing", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    with op.batch_alter_table("orders", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_orders_fills_missing"), ["fills_missing"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("orders", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_orders_fills_missing"))
    op.drop_column("orders", "fills_missing")
    op.drop_column("brokers", "ledger_opened_at")
    op.drop_column("brokers", "orders_seen_at")
    op.drop_column("balances", "drift_since")
    op.drop_column("balances", "drift")
    op.drop_column("balances", "expected")
    with op.batch_alter_table("ledger_entries", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_ledger_entries_order_id"))
        batch_op.drop_index("ix_ledger_entries_broker_counted")
    op.drop_table("ledger_entries")
