"""Engine objects in Kraken's JSON.

Source: https://docs.kraken.com/api/docs/rest-api/get-orders-info
"""

from __future__ import annotations

from decimal import Decimal

from app.domain.money import floor_to_step
from app.sandbox.dialects.kraken.notation import (
    Json,
    cost_decimals,
    cut,
    encode_id,
    padded,
    pair_altname,
    pair_id,
    places,
    seconds,
)
from app.sandbox.engine.instrument import Instrument
from app.sandbox.engine.model import STOPS, ZERO, Fill, Order, OrderSpec, OrderType, Reason, State

TYPE_NAMES = {
    OrderType.MARKET: "market",
    OrderType.LIMIT: "limit",
    OrderType.STOP_LOSS: "stop-loss",
    OrderType.TAKE_PROFIT: "take-profit",
    OrderType.STOP_LIMIT: "stop-loss-limit",
    OrderType.TAKE_PROFIT_LIMIT: "take-profit-limit",
    OrderType.TRAILING_STOP: "trailing-stop",
}

_STATES = {
    State.PENDING: "pending",
    State.OPEN: "open",
    State.PARTIALLY_FILLED: "open",
    State.FILLED: "closed",
    State.CANCELED: "canceled",
    State.EXPIRED: "canceled",
    State.REJECTED: "canceled",
}

_REASONS = {
    Reason.CANCELED: "User requested",
    Reason.INSUFFICIENT_FUNDS: "Insufficient funds",
    Reason.WOULD_MATCH: "Post only order",
}

_VOLUME_DECIMALS = 8
_AVERAGE = Decimal("0.00000001")


def txid(order: Order) -> str:
    return encode_id("O", order.id)


def trade_id(fill: Fill) -> str:
    return encode_id("T", fill.trade_id)


def description(spec: OrderSpec, instrument: Instrument) -> Json:
    """An order in words, as the answer to a placement has it."""
    volume = spec.quantity if spec.quantity is not None else spec.quote_quantity or ZERO
    how = _how(spec, instrument)
    words: Json = {"order": f"{spec.side} {_volume(volume)} {pair_altname(instrument)} @ {how}"}
    if spec.close is not None:
        words["close"] = f"close position @ {_how(spec.close, instrument)}"
    return words


def _how(spec: OrderSpec, instrument: Instrument) -> str:
    if spec.trailing_percent is not None:
        return f"trailing stop {_distance(spec.trailing_percent)}"
    limit = "" if spec.price is None else _price(spec.price, instrument)
    if spec.trigger_price is None:
        return f"limit {limit}" if limit else "market"
    kind = "stop loss" if spec.type in STOPS else "take profit"
    trigger = f"{kind} {_price(spec.trigger_price, instrument)}"
    return f"{trigger} -> limit {limit}" if limit else trigger


def order(found: Order, instrument: Instrument, *, trades: bool) -> Json:
    """An order as queries show it.

    ``vol`` and ``vol_exec`` of an order by quote are in quote; ``price`` is the average of its fills.
    """
    spec, decimals = found.spec, cost_decimals(instrument.quote)
    by_quote = spec.quote_quantity is not None
    volume = spec.quote_quantity if spec.quote_quantity is not None else found.quantity
    fee = sum(found.fees.values(), ZERO)
    expires_at = spec.expires_at
    record: Json = {
        "refid": None if found.parent is None else txid(found.parent),
        "userref": int(spec.echo["userref"]) if "userref" in spec.echo else None,
        "cl_ord_id": found.client_id or None,
        "status": "expired" if found.reason is Reason.TIME_OUT else _STATES[found.state],
        "opentm": seconds(found.created_at),
        "starttm": 0,
        "expiretm": 0 if expires_at is None else seconds(expires_at),
        "descr": _descr(found, instrument),
        "vol": _volume(volume),
        "vol_exec": _volume(found.cost if by_quote else found.filled),
        "cost": cut(found.cost, decimals),
        "fee": padded(fee, decimals),
        "price": _average(found, instrument),
        **_triggered_prices(found, instrument),
        "misc": ",".join(_misc(found)),
        "oflags": spec.echo["oflags"],
        "trigger": "last",
    }
    if trades and found.fills:
        record["trades"] = [trade_id(fill) for fill in found.fills]
    if not found.live:
        record |= {"closetm": seconds(found.updated_at), "reason": _reason(found)}
    return record


def _descr(found: Order, instrument: Instrument) -> Json:
    spec = found.spec
    told = [_price(price, instrument) for price in (spec.trigger_price, spec.price) if price is not None]
    if spec.trailing_percent is not None:
        told = [_distance(spec.trailing_percent)]
    first, second = (*told, "0", "0")[:2]
    words = description(spec, instrument)
    return {
        "pair": pair_altname(instrument),
        "type": spec.side.value,
        "ordertype": TYPE_NAMES[spec.type],
        "price": first,
        "price2": second,
        "leverage": "none",
        "order": words["order"],
        "close": words.get("close", ""),
    }


def _triggered_prices(found: Order, instrument: Instrument) -> Json:
    """The trigger and limit that have come into force."""
    stop = found.trigger_price if found.triggered else None
    limit = found.price if found.triggered else None
    zero = f"{ZERO:.5f}"
    return {
        "stopprice": zero if stop is None else _price(floor_to_step(stop, instrument.tick), instrument),
        "limitprice": zero if limit is None else _price(limit, instrument),
    }


def _misc(found: Order) -> list[str]:
    words = []
    if found.triggered:
        words.append("stopped" if found.spec.type in STOPS else "touched")
    if 0 < found.filled < found.quantity:
        words.append("partial")
    return words


def _reason(found: Order) -> str | None:
    return None if found.reason is None else _REASONS.get(found.reason)


def _average(found: Order, instrument: Instrument) -> str:
    if not found.filled:
        return f"{ZERO:.5f}"
    return padded((found.cost / found.filled).quantize(_AVERAGE), places(instrument.tick))


def trade(fill: Fill, of: Order, instrument: Instrument, *, ledgers: bool) -> Json:
    """An execution; fee and cost exact, where orders cut the cost off."""
    decimals = cost_decimals(instrument.quote)
    record: Json = {
        "ordertxid": txid(of),
        "postxid": encode_id("T", 2**64 + fill.order_id),
        "pair": pair_id(instrument),
        "time": seconds(fill.at),
        "type": fill.side.value,
        "ordertype": TYPE_NAMES[of.spec.type],
        "price": _price(fill.price, instrument),
        "cost": padded(fill.cost, decimals),
        "fee": padded(fill.fee, decimals),
        "vol": _volume(fill.quantity),
        "margin": "0",
        "misc": "",
        "trade_id": fill.trade_id,
        "maker": fill.maker,
    }
    if ledgers:
        record["ledgers"] = [encode_id("L", 2 * fill.trade_id + side) for side in (0, 1)]
    return record


def _price(price: Decimal, instrument: Instrument) -> str:
    return padded(price, places(instrument.tick))


def _distance(percent: Decimal) -> str:
    return f"+{percent:.4f}%"


def _volume(volume: Decimal) -> str:
    return padded(volume, _VOLUME_DECIMALS)


def amend_id(amended: Order) -> str:
    return encode_id("T", 2**65 + amended.id * 1000 + amended.amendments)
