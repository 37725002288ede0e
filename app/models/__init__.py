"""The tables, one file an aggregate."""

from app.models.alert import Alert, Confirmation
from app.models.audit import AuditEntry, AuditSeal
from app.models.broker import BalanceRow, Broker, FuturesBalance, NakedPolicy
from app.models.favourite import FavouriteMarket
from app.models.history import BalancePoint, EquityPoint
from app.models.ledger import LedgerEntry
from app.models.login import LoginSession, RecoveryCode, SecondFactor
from app.models.market import MarketRow
from app.models.notification import NotificationChannel
from app.models.order import FillRow, OrderEvent, OrderOrigin, OrderRole, OrderRow, new_client_order_id
from app.models.position import Position, PositionStatus, PositionTarget, TargetStatus
from app.models.risk import Halt, HaltCause, HaltScope, RiskLimits
from app.models.server import ServerSetting
from app.models.source import Source, SourceRoute
from app.models.token import ApiToken
from app.models.types import utc_now
from app.models.user import User

__all__ = [
    "Alert",
    "ApiToken",
    "AuditEntry",
    "AuditSeal",
    "BalancePoint",
    "BalanceRow",
    "Broker",
    "Confirmation",
    "EquityPoint",
    "FavouriteMarket",
    "FillRow",
    "FuturesBalance",
    "Halt",
    "HaltCause",
    "HaltScope",
    "LedgerEntry",
    "LoginSession",
    "MarketRow",
    "NakedPolicy",
    "NotificationChannel",
    "OrderEvent",
    "OrderOrigin",
    "OrderRole",
    "OrderRow",
    "Position",
    "PositionStatus",
    "PositionTarget",
    "RecoveryCode",
    "RiskLimits",
    "SecondFactor",
    "ServerSetting",
    "Source",
    "SourceRoute",
    "TargetStatus",
    "User",
    "new_client_order_id",
    "utc_now",
]
