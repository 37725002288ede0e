"""Orders and requests as the control API shows them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from urllib.parse import parse_qsl

from app.domain.money import plain
from app.sandbox.engine.model import Order
from app.sandbox.http import Request

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECRET = re.compile(r"sign|secret|pass|key|token|authorization", re.IGNORECASE)


def order_view(order: Order, exchange_order_id: str) -> dict[str, object]:
    """One order, amounts as plain decimal text. ``received_at`` is true time, the rest the exchange's clock."""
    return {
        "api_key": order.api_key,
        "client_order_id": order.client_id,
        "exchange_order_id": exchange_order_id,
        "symbol": order.symbol,
        "side": order.side.value,
        "type": order.spec.type.value,
        "time_in_force": order.spec.time_in_force.value,
        "post_only": order.spec.post_only,
        "quantity": plain(order.quantity),
        "quote_quantity": _plain(order.spec.quote_quantity),
        "price": _plain(order.price),
        "trigger_price": _plain(order.trigger_price),
        "trailing_percent": _plain(order.spec.trailing_percent),
        "filled_quantity": plain(order.filled),
        "cost": plain(order.cost),
        "fees": {asset: plain(fee) for asset, fee in order.fees.items()},
        "state": order.state.value,
        "reason": order.reason.value if order.reason is not None else None,
        "group": order.group.id if order.group is not None else None,
        "received_at": _iso(order.received_at),
        "created_at": _iso(order.created_at),
        "updated_at": _iso(order.updated_at),
    }


def request_view(request: Request) -> dict[str, object]:
    """One request, its parameters with everything secret blacked out."""
    body = request.body.decode("latin-1")
    form = [] if body.startswith(("{", "[")) else parse_qsl(body, keep_blank_values=True)
    params = [*parse_qsl(request.query, keep_blank_values=True), *form]
    return {
        "method": request.method,
        "path": request.path,
        "params": {name: "***" if _SECRET.search(name) else value for name, value in params},
        "body": body if body.startswith(("{", "[")) else "",
        "received_at": _iso(request.received_at),
    }


def _plain(value: Decimal | None) -> str | None:
    return None if value is None else plain(value)


def _iso(microseconds: int) -> str:
    return (_EPOCH + timedelta(microseconds=microseconds)).isoformat(timespec="microseconds")
