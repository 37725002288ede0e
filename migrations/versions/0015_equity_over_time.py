"""What accounts held and were worth over time, thinned as it ages, and what backs their futures"""

import sqlalchemy as sa
from alembic import op

from app.models import types

revision = "0015"
down_revision = "0014"

#: How much of a time written out (2026-11-21 03:05) tells the stretches apart: days, hours, ten minutes.
_STRETCHES = (("DAY", 10), ("HOUR", 13), ("QUARTER", 15))


def upgrade() -> None:
    op.create_table(
        "balance_history",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("broker_id", sa.Integer(), nullable=False),
        sa.Column("asset", sa.String(length=32), nullable=False),
        sa.Column("at", types.UtcDateTime(), nullable=False),
        sa.Column("grain", sa.String(length=32), nullable=False),
        sa.Column("total", types.ExactDecimal(), nullable=False),
        sa.Column("usd", types.ExactDecimal(), nullable=True),
        sa.ForeignKeyConstraint(
            ["broker_id"],
            ["brokers.id"],
            name=op.f("fk_balance_history_broker_id_brokers"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_balance_history")),
    )
    with op.batch_alter_table("balance_history") as table:
        table.create_index("ix_balance_history_asset_at", ["broker_id", "asset", "at"])
        table.create_index("ix_balance_history_grain_at", ["broker_id", "grain", "at"])

    op.add_column("brokers", sa.Column("futures_synced_at", types.UtcDateTime(), nullable=True))
    op.create_table(
        "futures_balances",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("broker_id", sa.Integer(), nullable=False),
        sa.Column("asset", sa.String(length=32), nullable=False),
        *(sa.Column(name, types.ExactDecimal(), nullable=False) for name in ("free", "locked", "total")),
        sa.Column("usd_value", types.ExactDecimal(), nullable=True),
        sa.ForeignKeyConstraint(
            ["broker_id"],
            ["brokers.id"],
            name=op.f("fk_futures_balances_broker_id_brokers"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_futures_balances")),
        sa.UniqueConstraint("broker_id", "asset", name=op.f("uq_futures_balances_broker_id_asset")),
    )

    op.add_column("equity", sa.Column("unpriced", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("equity", sa.Column("grain", sa.String(length=32), nullable=True))
    _sort_what_is_kept()
    with op.batch_alter_table("equity") as table:
        table.alter_column("grain", existing_type=sa.String(length=32), nullable=False)


def _sort_what_is_kept() -> None:
    """The first point of each day stands for it, and so on; what is the first of nothing goes."""
    equity = sa.table(
        "equity",
        sa.column("id", sa.Integer),
        sa.column("broker_id", sa.Integer),
        sa.column("at", sa.DateTime),
        sa.column("grain", sa.String),
    )
    for grain, length in _STRETCHES:
        stretch = sa.func.substr(sa.cast(equity.c.at, sa.String), 1, length)
        first = sa.select(sa.func.min(equity.c.id)).group_by(equity.c.broker_id, stretch)
        op.execute(
            equity.update().where(equity.c.grain.is_(None), equity.c.id.in_(first)).values(grain=grain)
        )
    op.execute(equity.delete().where(equity.c.grain.is_(None)))


def downgrade() -> None:
    with op.batch_alter_table("equity") as table:
        table.drop_column("grain")
        table.drop_column("unpriced")
    op.drop_table("futures_balances")
    with op.batch_alter_table("brokers") as table:
        table.drop_column("futures_synced_at")
    op.drop_table("balance_history")
