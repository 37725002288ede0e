"""What an order says to its exchange: the request that places it, and the name it goes by."""

from __future__ import annotations

from app.domain.errors import OrderDenied
from app.domain.orders import Leg, OcoRequest, OrderRequest, OrderType
from app.exchanges import capabilities
from app.models import OrderRole, OrderRow


def of(order: OrderRow) -> OrderRequest:
    """The request of an order; protective legs go with it where the exchange attaches them to this type."""
    attached = _attaches_protection(order)
    return OrderRequest(
        symbol=order.symbol,
        side=order.side,
        type=order.type,
        quantity=order.quantity,
        quote_quantity=order.quote_quantity,
        price=order.price,
        trigger_price=order.trigger_price if order.type.has_trigger else None,
        time_in_force=order.time_in_force,
        post_only=order.post_only,
        client_order_id=order.client_order_id,
        trailing_percent=order.trailing_percent if order.type is OrderType.TRAILING_STOP else None,
        stop_loss=Leg(order.stop_loss) if attached and order.stop_loss is not None else None,
        take_profit=Leg(order.take_profit) if attached and order.take_profit is not None else None,
    )


def of_pair(order: OrderRow) -> OcoRequest:
    """The request of a protection that has both exits; its own client id names the stop."""
    if order.quantity is None or order.trigger_price is None or order.take_profit is None:
        raise OrderDenied.because("oco", "a pair of exits needs a quantity and both prices")
    return OcoRequest(
        symbol=order.symbol,
        side=order.side,
        quantity=order.quantity,
        stop_loss=Leg(order.trigger_price),
        take_profit=Leg(order.take_profit),
        client_order_id=order.client_order_id,
        trailing_percent=order.trailing_percent,
    )


def _attaches_protection(order: OrderRow) -> bool:
    """Whether the exchange itself guards this entry from the moment it is placed."""
    able = capabilities(order.broker.exchange)
    if order.role is not OrderRole.ENTRY:
        return False
    if order.stop_loss is not None and order.take_profit is not None:
        return order.type in able.attached_both
    if order.stop_loss is not None:
        return order.type in able.attached_stop_loss
    return order.take_profit is not None and order.type in able.attached_take_profit


def named(order: OrderRow) -> dict[str, str]:
    """How to name an order to its exchange: by the exchange's own id once it is known."""
    if order.exchange_order_id is not None:
        return {"exchange_order_id": order.exchange_order_id}
    return {"client_order_id": order.client_order_id}
