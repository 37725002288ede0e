"""The tables, one file an aggregate."""

from app.models.alert import Alert, Source
from app.models.broker import BalanceRow, Broker, EquityPoint
from app.models.ledger import LedgerEntry
from app.models.market import MarketRow
from app.models.order import FillRow, OrderEvent, OrderOrigin, OrderRole, OrderRow, new_client_order_id
from app.models.types import utc_now
from app.models.user import User

__all__ = [
    "Alert",
    "BalanceRow",
    "Broker",
    "EquityPoint",
    "FillRow",
    "LedgerEntry",
    "MarketRow",
    "OrderEvent",
    "OrderOrigin",
    "OrderRole",
    "OrderRow",
    "Source",
    "User",
    "new_client_order_id",
    "utc_now",
]
