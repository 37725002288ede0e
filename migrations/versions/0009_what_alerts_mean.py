"""What alerts mean: their confirmation, what they replay, and the sales that they ask for"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    with op.batch_alter_table("alerts") as table:
        table.add_column(sa.Column("replayed_from_id", sa.Integer(), nullable=True))
        table.add_column(sa.Column("confirmation", sa.String(32), nullable=True))
        table.create_foreign_key(
            op.f("fk_alerts_replayed_from_id_alerts"),
            "alerts",
            ["replayed_from_id"],
            ["id"],
            ondelete="SET NULL",
        )
    with op.batch_alter_table("positions") as table:
        table.add_column(sa.Column("close_alert_id", sa.Integer(), nullable=True))
        table.create_foreign_key(
            op.f("fk_positions_close_alert_id_alerts"),
            "alerts",
            ["close_alert_id"],
            ["id"],
            ondelete="SET NULL",
        )


def downgrade() -> None:
    with op.batch_alter_table("positions") as table:
        table.drop_constraint(op.f("fk_positions_close_alert_id_alerts"), type_="foreignkey")
        table.drop_column("close_alert_id")
    with op.batch_alter_table("alerts") as table:
        table.drop_constraint(op.f("fk_alerts_replayed_from_id_alerts"), type_="foreignkey")
        table.drop_column("confirmation")
        table.drop_column("replayed_from_id")
