"""What the keys and values of an alert mean.

Total: any text gives either a `Signal` or an `AlertFault` that says what is wrong and where; nothing else is raised
and nothing is half understood.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Mapping
from decimal import Decimal

from app.domain import alert_values as values
from app.domain.alert_text import AlertFault, place_of, read_pairs, storable
from app.domain.alert_values import MAX_SYMBOL, MAX_TEXT, Fields
from app.domain.alerts import SIZES, AlertAction, Signal, StrategyPosition
from app.domain.orders import Side

__all__ = ["ALIASES", "AlertFault", "parse_alert", "read_pairs"]

#: Every spelling of a key we know, English and French, and what it means.
ALIASES: Mapping[str, str] = {
    "action": "action",
    "symbol": "symbol",
    "ticker": "symbol",
    "price": "price",
    "prix": "price",
    "stop_loss": "stop_loss",
    "prix_sl": "stop_loss",
    "sl": "stop_loss",
    "take_profit": "take_profit",
    "prix_tp": "take_profit",
    "tp": "take_profit",
    "trailing_percent": "trailing_percent",
    "trailing": "trailing_percent",
    "percent": "percent",
    "pour_cent": "percent",
    "quantity": "quantity",
    "quote_quantity": "quote_quantity",
    "risk_percent": "risk_percent",
    "equity_percent": "equity_percent",
    "market_position": "market_position",
    "prev_market_position": "prev_market_position",
    "position_size": "position_size",
    "id": "id",
    "idempotency_key": "id",
    "time": "time",
    "expires_in": "expires_in",
    "comment": "comment",
    "type": "type",
    "secret": "secret",
}

#: Words that may be written for an action, beside the actions themselves.
_PLAIN_ACTIONS: Mapping[str, Mapping[str, AlertAction]] = {
    "buy": {"market": AlertAction.BUY_MARKET, "limit": AlertAction.BUY_LIMIT},
    "sell": {"market": AlertAction.SELL_MARKET, "limit": AlertAction.SELL_LIMIT},
}
_ACTIONS: Mapping[str, AlertAction] = {action.value.lower(): action for action in AlertAction}
_SPELLINGS: Mapping[str, str] = {**_ACTIONS, **{word: word for word in _PLAIN_ACTIONS}}

_LIMITS = (AlertAction.BUY_LIMIT, AlertAction.SELL_LIMIT)
_ALWAYS_OF_A_SYMBOL = frozenset(AlertAction) - {AlertAction.PING, AlertAction.CANCEL}
_SIZED = frozenset(action for action in AlertAction if action.places)

#: Sizes that only a purchase can have: a sale is no risk and spends nothing.
_OF_BUYS = ("risk_percent", "equity_percent")

_MAX_PERCENT = 100

#: What trades and guards by an amount: taken for absent, it would be half understood.
_NEVER_EMPTY = frozenset({*SIZES, "price", "stop_loss", "take_profit", "trailing_percent"})
#: What an exit has no use for: it must not fail over it.
_OF_ENTRIES = frozenset({"stop_loss", "take_profit", "trailing_percent"})
_EXITS = (
    AlertAction.SELL_MARKET,
    AlertAction.SELL_LIMIT,
    AlertAction.CLOSE,
    AlertAction.REVERSE,
    AlertAction.CANCEL,
)
_EMPTY = "{name} is empty; leave the key out, or give it a value: TradingView writes nothing for a plot without one"

#: A key that resembles a known one this much is taken for a slip; those of fewer letters resemble too many.
_ALIKE = 0.83
_SHORTEST_SLIP = 4

#: Each unknown key is held against all we know, which takes its time; no alert needs nearly as many.
_MOST_KEYS = 100


def parse_alert(text: str) -> Signal:
    """The meaning of an alert's text.

    Raises:
        AlertFault: when it cannot be understood whole.
    """
    pairs = read_pairs(text)
    try:
        return _signal(*_sorted(pairs))
    except AlertFault as fault:
        place = _place(text, pairs, fault.key)
        if place is None:
            raise
        raise AlertFault(fault.said, key=fault.key, line=place[0], column=place[1]) from None


def _place(text: str, pairs: Iterable[str], key: str | None) -> tuple[int, int] | None:
    """Where the key at fault stands, which is told by its meaning or, if it has none, as it was written."""
    written = next((each for each in pairs if key == (_meaning(each) or each)), None)
    return None if written is None else place_of(text, written)


def _meaning(key: str) -> str | None:
    return ALIASES.get(key.strip().lower())


def _sorted(pairs: Mapping[str, object]) -> tuple[Fields, dict[str, str], list[str]]:
    """What is given of the keys we know, the others as text, and what must not be empty and is."""
    if len(pairs) > _MOST_KEYS:
        raise AlertFault(f"the alert has {len(pairs)} keys; at most {_MOST_KEYS} are read")
    fields: Fields = {}
    extras: dict[str, str] = {}
    empty: list[str] = []
    given: set[str] = set()
    for key, value in pairs.items():
        name = _meaning(key)
        if name is None:
            extras[storable(key)[:MAX_TEXT]] = storable(_as_text(value))[:MAX_TEXT]
        elif name in given:
            raise AlertFault(f"{name} is given twice", key=name)
        else:
            given.add(name)
            if value is not None and value != "":
                fields[name] = value
            elif name in _NEVER_EMPTY:
                empty.append(name)
    for key in extras:
        _refuse_slip(key, given)
    return fields, extras, empty


def _refuse_slip(key: str, given: set[str]) -> None:
    """A misspelt ``stop_loss`` would be kept as an unknown key, and the position would go unguarded.

    A key that resembles one which is given beside it is no slip.
    """
    bare = _bare(key)
    if len(bare) < _SHORTEST_SLIP:
        return
    for near in difflib.get_close_matches(bare, _MISSPELT, n=1, cutoff=_ALIKE):
        if ALIASES[_MISSPELT[near]] not in given:
            raise AlertFault(f"unknown key {key[:40]!r}; did you mean {_MISSPELT[near]}?", key=key)


def _bare(key: str) -> str:
    return key.strip().lower().replace("_", "").replace("-", "").replace(" ", "")


#: What a slip may have been meant for, by its letters alone.
_MISSPELT = {_bare(alias): alias for alias in ALIASES if len(alias) >= _SHORTEST_SLIP and alias != "comment"}


def _signal(fields: Fields, extras: dict[str, str], empty: Iterable[str]) -> Signal:
    action = _action(fields)
    for name in empty:
        if not (name in _OF_ENTRIES and action in _EXITS):
            raise AlertFault(_EMPTY.format(name=name), key=name)
    if action is AlertAction.PING:
        return Signal(
            action, alert_id=values.text(fields, "id"), comment=values.text(fields, "comment"), extras=extras
        )
    symbol = values.text(fields, "symbol", longest=MAX_SYMBOL)
    if symbol is None and action in _ALWAYS_OF_A_SYMBOL:
        raise AlertFault(f"{action} needs a symbol", key="action")
    leaves_type = "type" not in fields and _is_plain(fields)
    price = values.amount(fields, "price")
    if action in _LIMITS and price is None:
        raise AlertFault(f"{action} needs a price", key="action")
    take_profit, targets = values.take_profits(fields)
    signal = Signal(
        action,
        symbol=symbol,
        price=price if action in _LIMITS or leaves_type else None,
        **_sizes(fields),
        stop_loss=values.protective(fields, "stop_loss"),
        take_profit=take_profit,
        targets=targets,
        trailing_percent=values.percentage(fields, "trailing_percent"),
        market_position=values.strategy_position(fields, "market_position"),
        prev_market_position=values.strategy_position(fields, "prev_market_position"),
        position_size=values.finite(fields, "position_size"),
        alert_id=values.text(fields, "id"),
        time=values.moment(fields),
        expires_in=values.seconds(fields),
        comment=values.text(fields, "comment"),
        leaves_type=leaves_type,
        extras=extras,
    )
    _check_sense(signal)
    return signal


def _check_sense(signal: Signal) -> None:
    """Refuse what no broker could do, whatever it holds."""
    action, size = signal.action, signal.size and signal.size[0]
    if action is AlertAction.MAJ and not signal.protects:
        raise AlertFault("MAJ needs a stop_loss, a take_profit or a trailing_percent", key="action")
    if action is AlertAction.CLOSE and size not in (None, "percent"):
        raise AlertFault(f"CLOSE takes a percent of what is held, not {size}", key=size)
    if action not in _SIZED and action is not AlertAction.CLOSE and size is not None:
        raise AlertFault(f"{action} takes no size", key=size)
    if action.places is None:
        return
    side = action.places[0]
    if side is Side.SELL and size in _OF_BUYS and signal.market_position is None:
        raise AlertFault(f"{size} sizes what is bought; this is a sell", key=size)
    _check_strategy(signal, side)


def _check_strategy(signal: Signal, side: Side) -> None:
    """A strategy that buys does not come from long to anything less, nor one that sells to anything more."""
    before, after = signal.prev_market_position, signal.market_position
    if before is None or after is None:
        return
    rank = {StrategyPosition.SHORT: -1, StrategyPosition.FLAT: 0, StrategyPosition.LONG: 1}
    way = rank[after] - rank[before]
    if way and (way > 0) is not (side is Side.BUY):
        raise AlertFault(f"a {side.lower()} does not lead from {before} to {after}", key="market_position")


def _action(fields: Fields) -> AlertAction:
    written = values.text(fields, "action")
    if written is None:
        raise AlertFault("the alert has no action", key="action")
    kind = values.text(fields, "type")
    found = _ACTIONS.get(written.lower())
    plain_form = _PLAIN_ACTIONS.get(written.lower())
    if plain_form is not None:
        found = plain_form.get((kind or "market").lower())
    elif found is not None and kind is not None and found.places:
        found = found if kind.upper() == found.places[1] else None
    if found is not None:
        return found
    if written.lower() in _SPELLINGS:
        raise AlertFault(f"{written} goes with type market or limit, not {kind!r}", key="type")
    raise _unknown_action(written)


def _is_plain(fields: Fields) -> bool:
    """Whether the action is a plain buy or sell."""
    return (values.text(fields, "action") or "").lower() in _PLAIN_ACTIONS


def _unknown_action(written: str) -> AlertFault:
    near = difflib.get_close_matches(written.lower(), _SPELLINGS, n=1)
    hint = f"; did you mean {_SPELLINGS[near[0]]}?" if near else f"; the actions are {', '.join(AlertAction)}"
    return AlertFault(f"unknown action {written!r}{hint}", key="action")


def _sizes(fields: Fields) -> dict[str, Decimal]:
    """The one size that is given, by name; none where the action or the source says enough."""
    given = [name for name in SIZES if name in fields]
    if len(given) > 1:
        raise AlertFault(
            f"give one size only, of {', '.join(SIZES)}; the alert has {' and '.join(given)}", key=given[1]
        )
    read = {name: values.amount(fields, name, suffix="%" if "percent" in name else "") for name in given}
    sizes = {name: amount for name, amount in read.items() if amount is not None}
    for name, amount in sizes.items():
        if "percent" in name and amount > _MAX_PERCENT:
            raise AlertFault(f"{name} must be at most 100", key=name)
    return sizes


def _as_text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
