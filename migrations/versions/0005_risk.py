"""Risk limits, halts, and tokens of the API"""

import sqlalchemy as sa
from alembic import op

from app.models import types

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    _create_risk_limits()
    _create_halts()
    _create_api_tokens()


def downgrade() -> None:
    op.drop_table("api_tokens")
    op.drop_table("halts")
    op.drop_table("risk_limits")


def _create_risk_limits() -> None:
    op.create_table(
        "risk_limits",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("broker_id", sa.Integer(), nullable=True),
        sa.Column("max_order_value", types.ExactDecimal(), nullable=True),
        sa.Column("max_open_positions", sa.Integer(), nullable=True),
        sa.Column("max_symbol_exposure", types.ExactDecimal(), nullable=True),
        sa.Column("max_orders_per_minute", sa.Integer(), nullable=True),
        sa.Column("daily_loss_limit", types.ExactDecimal(), nullable=True),
        sa.Column("max_drawdown_percent", types.ExactDecimal(), nullable=True),
        sa.Column("cooldown_losses", sa.Integer(), nullable=True),
        sa.Column("cooldown_minutes", sa.Integer(), nullable=True),
        sa.Column("allowed_symbols", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("trading_hours", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("price_collar_percent", types.ExactDecimal(), nullable=True),
        sa.Column("peak_equity", types.ExactDecimal(), nullable=True),
        _reference("risk_limits", "user_id", "users", "CASCADE"),
        _reference("risk_limits", "broker_id", "brokers", "CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_risk_limits")),
        sa.UniqueConstraint("user_id", "broker_id", name=op.f("uq_risk_limits_user_id_broker_id")),
    )
    whole_account = sa.text("broker_id IS NULL")
    op.create_index(
        "uq_risk_limits_whole_account",
        "risk_limits",
        ["user_id"],
        unique=True,
        sqlite_where=whole_account,
        postgresql_where=whole_account,
    )


def _create_halts() -> None:
    op.create_table(
        "halts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("scope", sa.String(length=32), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("broker_id", sa.Integer(), nullable=True),
        sa.Column("cause", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("started_at", types.UtcDateTime(), nullable=False),
        sa.Column("started_by", sa.Integer(), nullable=True),
        sa.Column("ended_at", types.UtcDateTime(), nullable=True),
        sa.Column("ended_by", sa.Integer(), nullable=True),
        _reference("halts", "user_id", "users", "CASCADE"),
        _reference("halts", "broker_id", "brokers", "CASCADE"),
        _reference("halts", "started_by", "users", "SET NULL"),
        _reference("halts", "ended_by", "users", "SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_halts")),
    )
    in_force = sa.text("ended_at IS NULL")
    op.create_index("ix_halts_in_force", "halts", ["scope"], sqlite_where=in_force, postgresql_where=in_force)
    op.create_index("ix_halts_user_started", "halts", ["user_id", "started_at"])


def _create_api_tokens() -> None:
    op.create_table(
        "api_tokens",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("created_at", types.UtcDateTime(), nullable=False),
        sa.Column("expires_at", types.UtcDateTime(), nullable=False),
        sa.Column("last_used_at", types.UtcDateTime(), nullable=True),
        sa.Column("revoked_at", types.UtcDateTime(), nullable=True),
        _reference("api_tokens", "user_id", "users", "CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_tokens")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_api_tokens_token_hash")),
    )
    op.create_index(op.f("ix_api_tokens_user_id"), "api_tokens", ["user_id"])


def _reference(table: str, column: str, referred: str, ondelete: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_{column}_{referred}")
    return sa.ForeignKeyConstraint([column], [f"{referred}.id"], name=name, ondelete=ondelete)
