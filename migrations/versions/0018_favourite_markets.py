"""The markets a person wants at hand, and what an order that rests shall become"""

import sqlalchemy as sa
from alembic import op

from app.models import types

revision = "0018"
down_revision = "0017"

_WISHES = ("amend_quantity", "amend_price")


def upgrade() -> None:
    op.create_table(
        "favourite_markets",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("market_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["market_id"],
            ["markets.id"],
            name=op.f("fk_favourite_markets_market_id_markets"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_favourite_markets_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "market_id", name=op.f("pk_favourite_markets")),
    )
    for name in _WISHES:
        op.add_column("orders", sa.Column(name, types.ExactDecimal(), nullable=True))


def downgrade() -> None:
    for name in reversed(_WISHES):
        op.drop_column("orders", name)
    op.drop_table("favourite_markets")
