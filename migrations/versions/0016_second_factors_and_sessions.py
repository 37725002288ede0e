"""Sessions one by one, second factors, closed accounts, and what administrators decide for the server"""

import secrets

import sqlalchemy as sa
from alembic import op

from app.models import types

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.create_table(
        "login_sessions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("key_hash", sa.String(length=64), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("user_agent", sa.String(length=256), nullable=False),
        sa.Column("created_at", types.UtcDateTime(), nullable=False),
        sa.Column("seen_at", types.UtcDateTime(), nullable=False),
        _of_a_user("login_sessions"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login_sessions")),
        sa.UniqueConstraint("key_hash", name=op.f("uq_login_sessions_key_hash")),
    )
    op.create_index(op.f("ix_login_sessions_user_id"), "login_sessions", ["user_id"])
    op.create_table(
        "second_factors",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", types.UtcDateTime(), nullable=False),
        sa.Column("confirmed_at", types.UtcDateTime(), nullable=True),
        sa.Column("last_step", sa.BigInteger(), nullable=True),
        _of_a_user("second_factors"),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_second_factors")),
    )
    op.create_table(
        "recovery_codes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("used_at", types.UtcDateTime(), nullable=True),
        _of_a_user("recovery_codes"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery_codes")),
    )
    op.create_index(op.f("ix_recovery_codes_user_id"), "recovery_codes", ["user_id"])
    op.create_table(
        "server_settings",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.Column("changed_at", types.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_server_settings")),
    )
    with op.batch_alter_table("users") as users:
        users.add_column(sa.Column("closed_at", types.UtcDateTime(), nullable=True))
        users.drop_constraint(op.f("uq_users_session_key"), type_="unique")
        users.drop_column("session_key")


def downgrade() -> None:
    op.add_column("users", sa.Column("session_key", sa.String(length=43), nullable=True))
    people = sa.table("users", sa.column("id", sa.Integer()), sa.column("session_key", sa.String()))
    for user_id in op.get_bind().execute(sa.select(people.c.id)).scalars().all():
        key = secrets.token_urlsafe(32)
        op.execute(people.update().where(people.c.id == user_id).values(session_key=key))
    with op.batch_alter_table("users") as users:
        users.alter_column("session_key", existing_type=sa.String(length=43), nullable=False)
        users.create_unique_constraint(op.f("uq_users_session_key"), ["session_key"])
        users.drop_column("closed_at")
    op.drop_table("server_settings")
    op.drop_table("recovery_codes")
    op.drop_table("second_factors")
    op.drop_table("login_sessions")


def _of_a_user(table: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_user_id_users")
    return sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=name, ondelete="CASCADE")
