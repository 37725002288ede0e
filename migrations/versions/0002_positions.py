"""Positions, their targets, and which orders belong to them"""

import sqlalchemy as sa
from alembic import op

from app.models import types

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "positions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("broker_id", sa.Integer(), nullable=False),
        sa.Column("symbol", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("quantity", types.ExactDecimal(), nullable=False),
        sa.Column("bought", types.ExactDecimal(), nullable=False),
        sa.Column("cost", types.ExactDecimal(), nullable=False),
        sa.Column("realised", types.ExactDecimal(), nullable=False),
        sa.Column("fees", types.ExactDecimal(), nullable=False),
        sa.Column("external", types.ExactDecimal(), nullable=False),
        sa.Column("stop_loss", types.ExactDecimal(), nullable=True),
        sa.Column("trailing_percent", types.ExactDecimal(), nullable=True),
        sa.Column("high", types.ExactDecimal(), nullable=True),
        sa.Column("close_quantity", types.ExactDecimal(), nullable=True),
        sa.Column("stop_failures", sa.Integer(), nullable=False),
        sa.Column("alarm", sa.Text(), nullable=True),
        sa.Column("opened_at", types.UtcDateTime(), nullable=False),
        sa.Column("closed_at", types.UtcDateTime(), nullable=True),
        sa.Column("closed_because", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["broker_id"], ["brokers.id"], name=op.f("fk_positions_broker_id_brokers"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_positions_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_positions")),
    )
    op.create_index("ix_positions_user_status", "positions", ["user_id", "status"])
    op.create_index(
        "uq_positions_open",
        "positions",
        ["broker_id", "symbol"],
        unique=True,
        sqlite_where=sa.text("status = 'OPEN'"),
        postgresql_where=sa.text("status = 'OPEN'"),
    )
    op.create_table(
        "position_targets",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("position_id", sa.Integer(), nullable=False),
        sa.Column("price", types.ExactDecimal(), nullable=False),
        sa.Column("share", types.ExactDecimal(), nullable=False),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["position_id"],
            ["positions.id"],
            name=op.f("fk_position_targets_position_id_positions"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_position_targets")),
    )
    op.create_index(op.f("ix_position_targets_position_id"), "position_targets", ["position_id"])
    with op.batch_alter_table("orders") as table:
        table.add_column(sa.Column("position_id", sa.Integer(), nullable=True))
        table.add_column(sa.Column("trailing_percent", types.ExactDecimal(), nullable=True))
        table.add_column(sa.Column("targets", sa.JSON(), nullable=True))
        table.create_foreign_key(
            op.f("fk_orders_position_id_positions"),
            "positions",
            ["position_id"],
            ["id"],
            ondelete="SET NULL",
        )
        table.create_index(op.f("ix_orders_position_id"), ["position_id"])
    with op.batch_alter_table("brokers") as table:
        table.add_column(
            sa.Column("naked_policy", sa.String(length=32), nullable=False, server_default="FLATTEN")
        )


def downgrade() -> None:
    with op.batch_alter_table("brokers") as table:
        table.drop_column("naked_policy")
    with op.batch_alter_table("orders") as table:
        table.drop_index(op.f("ix_orders_position_id"))
        table.drop_constraint(op.f("fk_orders_position_id_positions"), type_="foreignkey")
        table.drop_column("targets")
        table.drop_column("trailing_percent")
        table.drop_column("position_id")
    op.drop_table("position_targets")
    op.drop_table("positions")
