"""Reading new orders, and placing them alone or together.

Source: https://docs.kraken.com/api/docs/rest-api/add-order
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import TypeVar

from app.domain.money import is_multiple
from app.sandbox.dialects.kraken import prices, render
from app.sandbox.dialects.kraken.call import Call
from app.sandbox.dialects.kraken.errors import KrakenError, invalid, refused
from app.sandbox.dialects.kraken.notation import Json
from app.sandbox.dialects.kraken.parameters import Parameters
from app.sandbox.engine.market import Market
from app.sandbox.engine.model import (
    TRIGGERED,
    Order,
    OrderSpec,
    OrderType,
    Refusal,
    Refused,
    Side,
    TimeInForce,
)

_SECOND = 1_000_000
_MONTH = 31 * 24 * 60 * 60 * _SECOND
_DEADLINES = (2 * _SECOND, 60 * _SECOND)
_LARGEST_USERREF = 2**31 - 1
_LEAST_SHOWN = 15
_BATCH = (2, 15)

_TYPES = {name: kind for kind, name in render.TYPE_NAMES.items()}
_CLOSING_TYPES = {name: kind for name, kind in _TYPES.items() if kind is not OrderType.MARKET}
_SIDES = {"buy": Side.BUY, "sell": Side.SELL}
_WITHOUT_PRICES = frozenset({OrderType.MARKET, OrderType.TRAILING_STOP})
_WITH_LIMIT = frozenset({OrderType.STOP_LIMIT, OrderType.TAKE_PROFIT_LIMIT})
_TIMES_IN_FORCE = {
    "GTC": TimeInForce.GTC,
    "GTD": TimeInForce.GTC,
    "IOC": TimeInForce.IOC,
    "FOK": TimeInForce.FOK,
}
_FLAGS = frozenset({"post", "fcib", "fciq", "viqc", "nompp"})
_SELF_TRADES = frozenset({"cancel-newest", "cancel-oldest", "cancel-both"})
_CLIENT_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z|[0-9a-f]{32}\Z|[ -~]{1,18}\Z", re.I)

T = TypeVar("T")


def add_order(call: Call) -> object:
    """POST /0/private/AddOrder"""
    market = call.market()
    check_deadline(call)
    spec = read_order(call, call.params, market)
    words = render.description(spec, market.instrument)
    if call.params.flag("validate"):
        return {"descr": words}
    call.rate.check_open(call.account, spec.symbol, 1)
    call.rate.trade(call.account, spec.symbol, Decimal(1), call.venue.now())
    return {"descr": words, "txid": [render.txid(submit(call, spec))]}


def add_order_batch(call: Call) -> object:
    """POST /0/private/AddOrderBatch: what is wrong in itself refuses all, what cannot be paid for only itself."""
    market = call.market()
    check_deadline(call)
    rows = call.params.rows("orders")
    if not _BATCH[0] <= len(rows) <= _BATCH[1]:
        raise invalid("orders")
    specs = [read_order(call, row, market) for row in rows]
    if call.params.flag("validate"):
        return {"orders": [{"descr": render.description(spec, market.instrument)} for spec in specs]}
    symbol = market.instrument.symbol
    call.rate.check_open(call.account, symbol, len(specs))
    call.rate.trade(call.account, symbol, 1 + Decimal(len(specs)) / 2, call.venue.now())
    return {"orders": [_batched(call, spec, market) for spec in specs]}


def _batched(call: Call, spec: OrderSpec, market: Market) -> Json:
    words = render.description(spec, market.instrument)
    try:
        return {"txid": render.txid(submit(call, spec)), "descr": words}
    except KrakenError as error:
        return {"error": error.text, "descr": words}


def submit(call: Call, spec: OrderSpec) -> Order:
    try:
        return call.venue.submit(call.account, spec)
    except Refused as refusal:
        raise refused(refusal.refusal) from None


def read_order(call: Call, params: Parameters, market: Market) -> OrderSpec:
    """One order's parameters as the engine wants them, checked against the rules of its type and pair.

    Raises:
        KrakenError: for whatever the real exchange would refuse before matching.
    """
    if not market.instrument.trading:
        raise refused(Refusal.MARKET_CLOSED)
    side = _choice(params, "type", _SIDES)
    kind = _choice(params, "ordertype", _TYPES)
    price, trigger = _prices(params, "price", "price2", side, kind, market, market.last)
    flags = _flags(params, side, kind)
    volume = params.amount("volume")
    if not volume:
        raise invalid("volume")
    time_in_force, expires_at = _duration(call, params, kind)
    _check_post_only(flags, kind, time_in_force)
    _check_extras(params, volume)
    by_quote = "viqc" in flags
    spec = OrderSpec(
        symbol=market.instrument.symbol,
        side=side,
        type=kind,
        quantity=None if by_quote else volume,
        quote_quantity=volume if by_quote else None,
        price=price,
        trigger_price=trigger,
        time_in_force=time_in_force,
        post_only="post" in flags,
        client_id=_client_id(params),
        echo=_echo(params, flags),
        expires_at=expires_at,
        trailing_percent=_trailing_percent(params, "price", kind),
        fee_in_quote="fcib" not in flags,
        close=_closing(params, side, market, price or market.last),
    )
    check_size(spec, market)
    return spec


def check_size(spec: OrderSpec, market: Market) -> None:
    """Hold an order against the pair's smallest volume and cost, and against its volume decimals."""
    instrument = market.instrument
    if spec.quantity is not None:
        if not is_multiple(spec.quantity, instrument.lot) or spec.quantity > instrument.max_quantity:
            raise invalid("volume")
        if spec.quantity < instrument.min_quantity:
            raise KrakenError("EOrder:Order minimum not met")
    cost = spec.quote_quantity
    if cost is None and spec.quantity is not None:
        touch = market.best(spec.side.opposite)
        at_market = market.last if touch is None else touch.price
        cost = spec.quantity * (spec.price or spec.trigger_price or at_market)
    if cost is None or cost < instrument.min_notional:
        raise KrakenError("EOrder:Cost minimum not met")


def _prices(
    params: Parameters,
    first: str,
    second: str,
    side: Side,
    kind: OrderType,
    market: Market,
    reference: Decimal,
) -> tuple[Decimal | None, Decimal | None]:
    """The limit and the trigger that a type of order takes from its two price parameters."""
    if kind in _WITHOUT_PRICES:
        return None, None
    price = prices.read(params.required(first), first, reference, side, kind, market.instrument)
    if kind is OrderType.LIMIT:
        return price, None
    if kind not in _WITH_LIMIT:
        return None, price
    limit = prices.read(params.required(second), second, price, side, OrderType.LIMIT, market.instrument)
    return limit, price


def _trailing_percent(params: Parameters, name: str, kind: OrderType) -> Decimal | None:
    return prices.read_distance(params.required(name), name) if kind is OrderType.TRAILING_STOP else None


def _closing(params: Parameters, side: Side, market: Market, reference: Decimal) -> OrderSpec | None:
    """The order that each fill brings forth, on the other side; there is one at most."""
    names = ("close[ordertype]", "close[price]", "close[price2]")
    if not any(name in params for name in names):
        return None
    kind, other = _choice(params, names[0], _CLOSING_TYPES), side.opposite
    price, trigger = _prices(params, names[1], names[2], other, kind, market, reference)
    return OrderSpec(
        market.instrument.symbol,
        other,
        kind,
        price=price,
        trigger_price=trigger,
        echo={"oflags": "fciq"},
        trailing_percent=_trailing_percent(params, names[1], kind),
    )


def _flags(params: Parameters, side: Side, kind: OrderType) -> frozenset[str]:
    flags = frozenset(params.words("oflags"))
    if flags - _FLAGS or {"fcib", "fciq"} <= flags:
        raise invalid("oflags")
    if "viqc" in flags and (side is not Side.BUY or kind is not OrderType.MARKET):
        raise invalid("viqc")
    return flags


def _check_post_only(flags: frozenset[str], kind: OrderType, time_in_force: TimeInForce) -> None:
    if "post" in flags and (kind is not OrderType.LIMIT or time_in_force is not TimeInForce.GTC):
        raise invalid("oflags")


def _duration(call: Call, params: Parameters, kind: OrderType) -> tuple[TimeInForce, int | None]:
    """How long an order may rest: its time in force, and when it lapses."""
    word = params.text("timeinforce") or "GTC"
    if word not in _TIMES_IN_FORCE or (_TIMES_IN_FORCE[word] is not TimeInForce.GTC and kind in TRIGGERED):
        raise invalid("timeinforce")
    expires_at = _moment(call, params, "expiretm")
    if word == "GTD" and expires_at is None:
        raise invalid("expiretm")
    if expires_at is not None and not 0 < expires_at - call.venue.now() <= _MONTH:
        raise invalid("expiretm")
    if _moment(call, params, "starttm") is not None:
        raise invalid("starttm")  # The sandbox does not keep orders for later.
    return _TIMES_IN_FORCE[word], expires_at


def _moment(call: Call, params: Parameters, name: str) -> int | None:
    """A time in seconds, since the epoch or with a ``+`` from now; 0 is none."""
    text = params.text(name) or "0"
    match = re.fullmatch(r"(\+?)([0-9]{1,12})", text)
    if match is None:
        raise invalid(name)
    microseconds = int(match[2]) * _SECOND
    if microseconds == 0:
        return None
    return call.venue.now() + microseconds if match[1] else microseconds


def check_deadline(call: Call) -> None:
    """Refuse a request that was meant to be over by now.

    Raises:
        KrakenError: EService:Deadline elapsed, or invalid arguments when it lies outside what may be asked for.
    """
    text = call.params.text("deadline")
    if text is None:
        return
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise invalid("deadline") from None
    at = int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * _SECOND)
    if at <= call.venue.now():
        raise KrakenError("EService:Deadline elapsed")
    if not _DEADLINES[0] <= at - call.received_at <= _DEADLINES[1]:
        raise invalid("deadline")


def _client_id(params: Parameters) -> str | None:
    client_id = params.text("cl_ord_id")
    if client_id is not None and ("userref" in params or not _CLIENT_ID.match(client_id)):
        raise invalid("cl_ord_id")
    return client_id


def _check_extras(params: Parameters, volume: Decimal) -> None:
    """What an order may say besides: there is no margin here, and own orders never meet."""
    if (params.text("leverage") or "none") not in ("none", "1") or params.flag("reduce_only"):
        raise invalid("leverage")
    if (params.text("trigger") or "last") != "last":
        raise invalid("trigger")
    if (params.text("stptype") or "cancel-newest") not in _SELF_TRADES:
        raise invalid("stptype")
    shown = params.amount("displayvol")
    if shown is not None and not volume / _LEAST_SHOWN <= shown <= volume:
        raise invalid("displayvol")


def _echo(params: Parameters, flags: frozenset[str]) -> dict[str, str]:
    fee = "fcib" if "fcib" in flags else "fciq"
    echo = {"oflags": ",".join([fee, *sorted(flags & {"post", "viqc"})])}
    userref = params.integer("userref", -_LARGEST_USERREF - 1, _LARGEST_USERREF)
    if userref is not None:
        echo["userref"] = str(userref)
    return echo


def _choice(params: Parameters, name: str, choices: Mapping[str, T]) -> T:
    text = params.required(name)
    if text not in choices:
        raise invalid(name)
    return choices[text]
