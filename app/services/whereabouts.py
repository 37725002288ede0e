"""Looking for an order that nobody answered for, and what may be concluded when it is nowhere.

By its id, the exchange's own or ours, it is found as soon as it is visible. That it is not found proves nothing until
its request can no longer be executed and what was executed is visible; then every place is gone through in which the
exchange would tell of it. And once that long has passed that the exchange may have forgotten it, nothing proves
anything any more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import Enum, auto

from sqlalchemy import select, update

from app.domain.errors import OrderNotFound
from app.domain.orders import Fill, OrderReport, OrderType
from app.exchanges import Exchange, capabilities
from app.exchanges.base import Place
from app.exchanges.transport import READ_SECONDS
from app.extensions import db
from app.models import OrderRow, utc_now
from app.services.execution import SEND_WITHIN
from app.services.order_requests import named

#: How far the exchange's clock may be from ours where it dates an order.
_CLOCKS = timedelta(minutes=1)
#: By how much of itself a size may have been rounded on its way.
_ROUNDING = Decimal("0.01")


class Verdict(Enum):
    """What a search came to."""

    FOUND = auto()
    TAKEN = auto()
    """Another order goes by this client id."""
    UNKNOWN = auto()
    """It may still show."""
    ABSENT = auto()
    """It was never executed and never will be."""
    FORGOTTEN = auto()
    """It is not there, and had it been, the exchange might not tell of it any more."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A verdict, and the order itself where it was found."""

    verdict: Verdict
    report: OrderReport | None = None


#: A question for an order: what came of it, None when this place does not hold it.
Look = Callable[[Exchange, OrderRow], Finding | None]


def search(exchange: Exchange, order: OrderRow) -> Finding:
    """Look for an order in doubt.

    Once its absence counts, every place that does not hold it is remembered: a search that an allowance did not suffice
    for goes on where it ended. In the places' own order that is sound, because an order moves through them in it: what
    did not rest when that was asked can only have ended before.

    Raises:
        ExchangeError: a place could not be asked; nothing is known then.
    """
    asked_at = utc_now()  # what is executed while we look has to be visible, too, for its absence to count
    if asked_at < provable_from(order):
        return _by_id(exchange, order) or Finding(Verdict.UNKNOWN)
    for look in (_by_id, *_lists(exchange))[order.ruled_out :]:
        finding = look(exchange, order)
        if finding is not None:
            return finding
        _rule_out_one_more(order)
    return Finding(Verdict.FORGOTTEN if asked_at >= provable_until(order) else Verdict.ABSENT)


def in_lists(exchange: Exchange, order: OrderRow) -> Finding:
    """Look for an order that is not known by its id in every list that would tell of it: found, unknown or absent.

    Raises:
        ExchangeError: a list could not be read; nothing is known then.
    """
    for look in _lists(exchange):
        finding = look(exchange, order)
        if finding is not None:
            return finding
    return Finding(Verdict.ABSENT)


def provable_from(order: OrderRow) -> datetime:
    """From when on an order that is in no place was never executed.

    The claim's time to send, the exchange's own window for a request and its delay until what it executed is visible
    have all passed. The time for which an answer is waited for is added in favour of clocks that differ.
    """
    able = capabilities(order.broker.exchange)
    sent_by = _claimed_at(order) + SEND_WITHIN
    return sent_by + able.request_window + able.visibility_delay + timedelta(seconds=READ_SECONDS)


def provable_until(order: OrderRow) -> datetime:
    """Until when the exchange surely still tells of an order that was executed and has ended."""
    able = capabilities(order.broker.exchange)
    return _claimed_at(order) + max(able.client_id_lookup or timedelta(0), able.history_kept)


def look_up(exchange: Exchange, order: OrderRow) -> OrderReport | None:
    """An order by its id; None when the exchange knows none, or none by that id."""
    if order.exchange_order_id is None and capabilities(exchange.name).client_id_lookup is None:
        return None
    try:
        return exchange.get_order(order.symbol, **named(order))
    except OrderNotFound:
        return None


def _claimed_at(order: OrderRow) -> datetime:
    return order.picked_up_at or order.created_at


def _is_ours(order: OrderRow, report: OrderReport) -> bool:
    """Whether an order under our client id is the one we asked for; what the exchange does not tell does not count."""
    if report.symbol != order.symbol or report.side not in (None, order.side):
        return False
    if order.type is not OrderType.LIMIT or order.quantity is None or report.quantity is None:
        return True  # market orders may be sized otherwise by the exchange, and waiting ones become others
    return abs(report.quantity - order.quantity) <= order.quantity * _ROUNDING


def _goes_by(report: OrderReport, order: OrderRow) -> bool:
    """Whether an order has our client id, or that and a suffix as legs have."""
    return (report.client_order_id or "").startswith(order.client_order_id)


def _is_nameless_twin(report: OrderReport, order: OrderRow) -> bool:
    """Whether an order that waits for a price is what we asked for, where the exchange lets such orders have no name.

    It has our terms, and nobody can have asked for them before us.
    """
    if report.client_order_id is not None or not order.type.has_trigger or order.type is not report.type:
        return False
    asked = (order.trigger_price, order.quantity)
    told = (report.trigger_price, report.quantity)
    return (
        report.side is order.side
        and report.created_at is not None
        and report.created_at >= order.created_at - _CLOCKS
        and all(a and b and abs(a - b) <= a * _ROUNDING for a, b in zip(asked, told, strict=True))
    )


def _by_id(exchange: Exchange, order: OrderRow) -> Finding | None:
    report = look_up(exchange, order)
    if report is None:
        return None
    return Finding(Verdict.FOUND if _is_ours(order, report) else Verdict.TAKEN, report)


def _rule_out_one_more(order: OrderRow) -> None:
    """Remember that one place more does not hold the order, as long as the attempt it was made in is the last."""
    same = (OrderRow.id == order.id, OrderRow.attempts == order.attempts)
    db.session.execute(update(OrderRow).where(*same).values(ruled_out=order.ruled_out + 1))
    db.session.commit()


# -- the lists: what each tells of an order that is not known by its id ---------------------------------------------


def _lists(exchange: Exchange) -> list[Look]:
    """The lists that would tell of an order, in the order in which it moves through them."""
    places = capabilities(exchange.name).look_up_places
    return [look for place, look in _LISTS.items() if place in places]


def _among_open(exchange: Exchange, order: OrderRow) -> Finding | None:
    return _traced(exchange, order, _alike(order, exchange.open_orders(order.symbol)))


def _in_history(exchange: Exchange, order: OrderRow) -> Finding | None:
    ended = exchange.order_history(order.symbol, since=order.created_at - _CLOCKS)
    return _traced(exchange, order, _alike(order, ended))


def _behind_fills(exchange: Exchange, order: OrderRow) -> Finding | None:
    fills = exchange.fills(order.symbol, since=order.created_at - _CLOCKS)
    return _traced(exchange, order, _strange(order, fills))


_LISTS: Mapping[Place, Look] = {
    Place.OPEN: _among_open,
    Place.HISTORY: _in_history,
    Place.FILLS: _behind_fills,
}


def _traced(exchange: Exchange, order: OrderRow, traces: Iterable[str]) -> Finding | None:
    """What the orders behind these exchange ids are: the one that is sought, what may be it, or another's."""
    for trace in traces:
        try:
            report = exchange.get_order(order.symbol, exchange_order_id=trace)
        except OrderNotFound:
            return Finding(Verdict.UNKNOWN)  # something was there, and may be it
        if report.client_order_id == order.client_order_id or _is_nameless_twin(report, order):
            return Finding(Verdict.FOUND, report)
        if _goes_by(report, order):
            return Finding(Verdict.UNKNOWN)  # a leg of it: it will show itself
    return None


def _alike(order: OrderRow, reports: Iterable[OrderReport]) -> Iterator[str]:
    """Orders by our name, and after them those without a name that have our terms and are nobody else's."""
    nameless = []
    for report in reports:
        if report.exchange_order_id is not None and _goes_by(report, order):
            yield report.exchange_order_id
        elif report.exchange_order_id is not None and _is_nameless_twin(report, order):
            nameless.append(report.exchange_order_id)
    yield from _nobodys(order, nameless)


def _strange(order: OrderRow, fills: Iterable[Fill]) -> list[str]:
    """The orders behind fills that may be ours and that are not booked: not every fill tells its client id."""
    booked = {fill.trade_id for fill in order.fills}
    ids = {
        fill.exchange_order_id
        for fill in fills
        if fill.exchange_order_id is not None
        and fill.trade_id not in booked
        and fill.side in (None, order.side)
        and fill.client_order_id in (None, order.client_order_id)
    }
    return _nobodys(order, ids)


def _nobodys(order: OrderRow, ids: Iterable[str]) -> list[str]:
    """Those of some orders that no other row of ours stands for."""
    wanted = set(ids)
    if not wanted:
        return []
    known = db.session.scalars(
        select(OrderRow.exchange_order_id).where(
            OrderRow.broker_id == order.broker_id,
            OrderRow.exchange_order_id.in_(wanted),
            OrderRow.id != order.id,
        )
    ).all()
    db.session.commit()  # the exchange is asked next
    return sorted(wanted.difference(known))
