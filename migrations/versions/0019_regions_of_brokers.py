"""Which of an exchange's regional hosts a broker's account is on"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    op.add_column("brokers", sa.Column("region", sa.String(length=20), nullable=True))


def downgrade() -> None:
    op.drop_column("brokers", "region")
