"""Changing an order that rests, within what its exchange lets one change in place.

What an order shall become is a wish in its row. A worker looks at the order before it changes it, so that a wish whose
answer was lost can be carried out again: an order that stands as wished already is only written down.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import structlog
from sqlalchemy import or_, select
from sqlalchemy.orm import joinedload

from app import dispatch
from app.domain.audit import Action
from app.domain.errors import OrderDenied, OutcomeUnknown, SwitchyardError, TradingError, Violation
from app.domain.markets import Market
from app.domain.money import plain
from app.domain.orders import OrderReport, OrderRequest, OrderStatus, OrderType
from app.exchanges import Exchange, capabilities
from app.exchanges.base import AmendMode
from app.extensions import db, settings
from app.models import Broker, OrderRole, OrderRow
from app.services import audit, catalog, connections, events, execution, risk
from app.services.events import Topic
from app.services.failures import SURELY_NOT_EXECUTED

log = structlog.get_logger()

_WISHED = or_(OrderRow.amend_quantity.is_not(None), OrderRow.amend_price.is_not(None))

#: The orders somebody wants changed whose exchange has not answered yet, each with its exchange's name.
UNANSWERED = (
    select(OrderRow.id, Broker.exchange)
    .join(Broker, Broker.id == OrderRow.broker_id)
    .where(OrderRow.status.in_((OrderStatus.OPEN, OrderStatus.PARTIALLY_FILLED)), _WISHED)
)


class AmendRefused(SwitchyardError):
    """An order that cannot be changed so."""

    remedy = "Cancel the order and place another."


@dataclass(frozen=True, slots=True)
class Change:
    """What an order shall become: a whole quantity in base, a limit price in quote; None where it stays."""

    quantity: Decimal | None
    price: Decimal | None

    def __str__(self) -> str:
        parts = (("quantity", self.quantity), ("price", self.price))
        return ", ".join(f"{what} {plain(value)}" for what, value in parts if value is not None)


def may_change(order: OrderRow) -> AmendMode:
    """What can be changed of an order now.

    Only of a purchase or sale at a limit of which nothing has filled: what a new quantity counts in, once some has,
    differs between exchanges. Nor of one whose exits went to the exchange with it.
    """
    rests = order.status is OrderStatus.OPEN and not order.filled_quantity and not order.cancel_requested
    plain_limit = order.role is OrderRole.ENTRY and order.type is OrderType.LIMIT
    carries_exits = order.stop_loss is not None or order.take_profit is not None
    if not rests or not plain_limit or carries_exits or order.is_being_amended:
        return AmendMode.NONE
    return capabilities(order.broker.exchange).amend


def ask(order: OrderRow, wanted: Change) -> None:
    """Have a worker change an order to a quantity, a price, or both, rounded to the market's grid.

    Raises:
        AmendRefused: the order, or its exchange, allows no such change.
        OrderDenied: what it would become breaks a rule of the market or a limit of the risk gate.
    """
    db.session.refresh(order, ["status", "cancel_requested", "filled_quantity"], with_for_update=True)
    change = _allowed(order, wanted)
    order.amend_quantity, order.amend_price = change.quantity, change.price
    order.note(f"change asked for: {change}")
    audit.record(Action.ORDER_CHANGE_ASKED, f"order {order.id}", user_id=order.user_id)
    db.session.commit()
    dispatch.amend_order(order.id, order.broker.exchange)
    events.publish(order.user_id, Topic.ORDERS, order.id)


def carry_out(order_id: int) -> None:
    """Change an order on its exchange as wished, and book what the exchange says of it."""
    order = db.session.get_one(
        OrderRow, order_id, options=[joinedload(OrderRow.broker)], populate_existing=True
    )
    if not order.is_being_amended:
        return
    if not order.status.is_live or order.cancel_requested:
        _drop(order, "not changed: it does not rest any more")
        return
    if settings.dry_run:
        _drop(order, "not changed: dry run")
        return
    try:
        with connections.calling(order.broker) as exchange:
            report = execution.with_fills(exchange, order, _changed(exchange, order))
    except (*SURELY_NOT_EXECUTED, OutcomeUnknown) as error:
        log.warning("change_not_confirmed", order_id=order.id, error=error.message)  # the sweep asks again
        return
    except TradingError as error:
        _drop(order, f"not changed: {error.message}")
        return
    if _still_wished(order) and _stands_as_wished(order, report):
        order.quantity, order.price = order.amend_quantity or order.quantity, order.amend_price or order.price
        order.note("changed on the exchange")
    elif order.is_being_amended:
        order.note("not changed: the exchange left it as it was")
    order.amend_quantity = order.amend_price = None
    execution.book(order, report, "seen when it was changed")


def _allowed(order: OrderRow, wanted: Change) -> Change:
    """The change on the market's grid, with nothing in it that stays as it is."""
    mode, market = may_change(order), catalog.known(order.broker, order.symbol)
    if mode is AmendMode.NONE or market is None or order.quantity is None:
        raise AmendRefused("this order cannot be changed where it rests")
    quantity = None if wanted.quantity is None else market.quantize_quantity(wanted.quantity)
    price = None if wanted.price is None else market.quantize_price(wanted.price)
    change = Change(
        None if quantity == order.quantity else quantity,
        None if price == order.price else price,
    )
    if change == Change(None, None):
        raise AmendRefused("this leaves the order as it is", remedy="Write another quantity or price.")
    only_less = change.price is None and change.quantity is not None and change.quantity < order.quantity
    if mode is AmendMode.QUANTITY_DOWN and not only_less:
        raise AmendRefused("its exchange lets one only lower the quantity of an order that rests")
    if violations := _violations(order, change, market, only_less=only_less):
        raise OrderDenied(violations)
    return change


def _violations(order: OrderRow, change: Change, market: Market, *, only_less: bool) -> list[Violation]:
    """Every rule that the changed order would break; one that only becomes smaller meets no limit anew."""
    request = OrderRequest(
        symbol=order.symbol,
        side=order.side,
        type=order.type,
        quantity=order.quantity if change.quantity is None else change.quantity,
        price=order.price if change.price is None else change.price,
    )
    return [*market.check(request), *([] if only_less else risk.objections_to(order.broker, request))]


def _changed(exchange: Exchange, order: OrderRow) -> OrderReport:
    """What the exchange says of the order once it stands as wished, or at its end.

    It goes by our id throughout: some exchanges give a changed order another of theirs.
    """
    found = exchange.get_order(order.symbol, client_order_id=order.client_order_id)
    if found.status.is_final or _stands_as_wished(order, found):
        return found
    return exchange.amend_order(
        order.symbol,
        client_order_id=order.client_order_id,
        quantity=order.amend_quantity,
        price=order.amend_price,
    )


def _stands_as_wished(order: OrderRow, report: OrderReport) -> bool:
    return all(
        wished is None or wished == told
        for wished, told in ((order.amend_quantity, report.quantity), (order.amend_price, report.price))
    )


def _drop(order: OrderRow, why: str) -> None:
    """Say why an order is not changed after all; nobody tries it again. Nothing, if another worker has seen to it."""
    if not _still_wished(order):
        db.session.rollback()
        return
    order.amend_quantity = order.amend_price = None
    order.note(why)
    db.session.commit()
    events.publish(order.user_id, Topic.ORDERS, order.id)


def _still_wished(order: OrderRow) -> bool:
    """Whether nobody has carried the wish out meanwhile; the order's row is held until the transaction ends."""
    db.session.refresh(order, ["amend_quantity", "amend_price"], with_for_update=True)
    return order.is_being_amended
