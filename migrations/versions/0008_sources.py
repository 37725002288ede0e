"""What a source says and asks for, the further brokers it trades on, and the watch for alerts that do not come"""

import sqlalchemy as sa
from alembic import op

from app.models import types

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "source_routes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("broker_id", sa.Integer(), nullable=False),
        sa.Column("percent", types.ExactDecimal(), nullable=True),
        sa.Column("quote_quantity", types.ExactDecimal(), nullable=True),
        sa.Column("enabled", sa.Boolean(), nullable=False, server_default=sa.true()),
        sa.ForeignKeyConstraint(
            ["source_id"],
            ["sources.id"],
            name=op.f("fk_source_routes_source_id_sources"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["broker_id"],
            ["brokers.id"],
            name=op.f("fk_source_routes_broker_id_brokers"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_source_routes")),
        sa.UniqueConstraint("source_id", "broker_id", name=op.f("uq_source_routes_source_id_broker_id")),
    )
    with op.batch_alter_table("source_routes", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_source_routes_broker_id"), ["broker_id"], unique=False)
    op.add_column("sources", sa.Column("secret_hash", sa.String(length=64), nullable=True))
    op.add_column("sources", sa.Column("signing_secret", sa.LargeBinary(), nullable=True))
    op.add_column("sources", sa.Column("senders", sa.JSON(), nullable=True))
    op.add_column("sources", sa.Column("default_percent", types.ExactDecimal(), nullable=True))
    op.add_column("sources", sa.Column("default_quote_quantity", types.ExactDecimal(), nullable=True))
    op.add_column("sources", sa.Column("default_stop_loss", sa.String(length=80), nullable=True))
    op.add_column("sources", sa.Column("default_take_profit", sa.String(length=80), nullable=True))
    op.add_column("sources", sa.Column("default_trailing_percent", types.ExactDecimal(), nullable=True))
    op.add_column("sources", sa.Column("symbol_map", sa.JSON(), nullable=True))
    op.add_column(
        "sources", sa.Column("out_of_step", sa.String(length=32), nullable=False, server_default="SKIP")
    )
    op.add_column("sources", sa.Column("heartbeat_seconds", sa.Integer(), nullable=True))
    op.add_column("sources", sa.Column("heard_at", types.UtcDateTime(), nullable=True))
    op.add_column("sources", sa.Column("missed_at", types.UtcDateTime(), nullable=True))
    op.add_column("sources", sa.Column("numbered", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("sources", sa.Column("last_number", sa.BigInteger(), nullable=True))
    op.add_column("sources", sa.Column("counted_alert_id", sa.Integer(), nullable=True))
    with op.batch_alter_table("alerts", schema=None) as batch_op:
        batch_op.add_column(sa.Column("headers", sa.JSON(), nullable=True))
        batch_op.add_column(sa.Column("delivery_id", sa.Integer(), nullable=True))
        batch_op.create_foreign_key(
            batch_op.f("fk_alerts_delivery_id_alerts"), "alerts", ["delivery_id"], ["id"], ondelete="CASCADE"
        )
        batch_op.create_index(batch_op.f("ix_alerts_delivery_id"), ["delivery_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("alerts", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_alerts_delivery_id"))
        batch_op.drop_constraint(batch_op.f("fk_alerts_delivery_id_alerts"), type_="foreignkey")
        batch_op.drop_column("delivery_id")
        batch_op.drop_column("headers")
    op.drop_column("sources", "counted_alert_id")
    op.drop_column("sources", "last_number")
    op.drop_column("sources", "numbered")
    op.drop_column("sources", "missed_at")
    op.drop_column("sources", "heard_at")
    op.drop_column("sources", "heartbeat_seconds")
    op.drop_column("sources", "out_of_step")
    op.drop_column("sources", "symbol_map")
    op.drop_column("sources", "default_trailing_percent")
    op.drop_column("sources", "default_take_profit")
    op.drop_column("sources", "default_stop_loss")
    op.drop_column("sources", "default_quote_quantity")
    op.drop_column("sources", "default_percent")
    op.drop_column("sources", "senders")
    op.drop_column("sources", "signing_secret")
    op.drop_column("sources", "secret_hash")
    with op.batch_alter_table("source_routes", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_source_routes_broker_id"))
    op.drop_table("source_routes")
