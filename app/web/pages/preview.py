"""A plan as the preview shows it, with the form that places exactly it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from flask_babel import gettext as _

from app.domain.accounts import Environment
from app.domain.errors import Violation
from app.domain.money import EXACT, plain
from app.domain.orders import Leg, OrderDraft, OrderType, PriceOrPercent, Side, TimeInForce
from app.domain.protection import Target
from app.exchanges import capabilities
from app.models import Broker, new_client_order_id
from app.services import outlook
from app.services.planning import Plan, protective_price, reward, spent_asset

_HUNDRED = Decimal(100)
_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Rounded:
    """A value that the market's grid changed."""

    what: str
    entered: Decimal
    sent: Decimal


@dataclass(frozen=True, slots=True)
class Exit:
    """An exit: its trigger, how far from the entry in percent, what it would lose or gain in quote, and how much of
    what was bought it sells, in percent."""

    price: Decimal
    percent: Decimal | None
    amount: Decimal | None
    share: Decimal = _HUNDRED


@dataclass(frozen=True, slots=True)
class Preview:
    """What would be sent and what it would mean. ``fields`` are the inputs that place it."""

    broker_name: str
    environment: Environment
    dry_run: bool
    symbol: str
    base: str
    quote: str
    side: Side
    type: OrderType
    quantity: Decimal | None
    quote_quantity: Decimal | None
    price: Decimal | None
    time_in_force: TimeInForce
    post_only: bool
    estimated: bool
    rounded: tuple[Rounded, ...]
    violations: tuple[Violation, ...]
    warnings: tuple[str, ...]
    cost: Decimal | None
    fee: Decimal | None
    fee_asset: str
    fee_percent: Decimal
    balance_asset: str
    balance_before: Decimal | None
    balance_after: Decimal | None
    stop_loss: Exit | None
    take_profits: tuple[Exit, ...]
    risk_reward: Decimal | None
    protection: tuple[str, ...]
    fields: Mapping[str, str]


def preview_of(broker: Broker, draft: OrderDraft, planned: Plan) -> Preview:
    """The preview of a draft that was planned on a broker."""
    request, market = planned.request, planned.market
    entry = request.price if request.price is not None else planned.last_price
    return Preview(
        broker_name=broker.name,
        environment=broker.environment,
        dry_run=broker.dry_run,
        symbol=market.symbol,
        base=market.base,
        quote=market.quote,
        side=request.side,
        type=request.type,
        quantity=request.quantity,
        quote_quantity=request.quote_quantity,
        price=request.price,
        time_in_force=request.time_in_force,
        post_only=request.post_only,
        estimated=request.price is None,
        rounded=tuple(_rounded(draft, planned)),
        violations=planned.violations,
        warnings=planned.warnings,
        cost=planned.cost,
        fee=planned.fee,
        fee_asset=planned.fee_asset,
        fee_percent=EXACT.multiply(capabilities(broker.exchange).standard_taker_fee, _HUNDRED),
        balance_asset=spent_asset(market, request.side),
        balance_before=planned.free_before,
        balance_after=planned.free_after,
        stop_loss=_stop_loss(planned, entry),
        take_profits=tuple(_take_profit(target, planned, entry) for target in planned.targets),
        risk_reward=planned.risk_reward,
        protection=outlook.of(broker, draft, planned),
        fields=_fields(broker, draft, planned),
    )


def _rounded(draft: OrderDraft, planned: Plan) -> list[Rounded]:
    request = planned.request
    pairs = (
        (_("Quantity"), draft.quantity, request.quantity),
        (_("Amount"), draft.quote_quantity, request.quote_quantity),
        (_("Price"), draft.price, request.price),
        (_("Stop-loss"), _price(draft.stop_loss), _trigger(request.stop_loss)),
        (_("Take-profit"), _price(draft.take_profit), _trigger(request.take_profit)),
    )
    return [
        Rounded(what, entered, sent)
        for what, entered, sent in pairs
        if entered is not None and sent is not None and entered != sent
    ]


def _price(wanted: PriceOrPercent | None) -> Decimal | None:
    return None if wanted is None else wanted.price


def _trigger(leg: Leg | None) -> Decimal | None:
    return None if leg is None else leg.trigger_price


def _stop_loss(planned: Plan, entry: Decimal | None) -> Exit | None:
    price = _trigger(planned.request.stop_loss)
    return None if price is None else Exit(price, _away(price, entry), planned.risk)


def _take_profit(target: Target, planned: Plan, entry: Decimal | None) -> Exit:
    gain = reward(planned.request, entry, [target])
    return Exit(target.price, _away(target.price, entry), gain, target.share)


def _away(price: Decimal, entry: Decimal | None) -> Decimal | None:
    if not entry:
        return None
    return EXACT.divide(EXACT.multiply(price - entry, _HUNDRED), entry).quantize(_CENT)


def _fields(broker: Broker, draft: OrderDraft, planned: Plan) -> dict[str, str]:
    """The ticket again with its size resolved and rounded, so that placing sends what is shown.

    The client order id makes one order of however many times it is sent. A distance in percent stays one: it is
    measured from the price the entry really gets.
    """
    request = planned.request
    in_base = request.quantity is not None
    size = request.quantity if in_base else request.quote_quantity
    fields = {
        "broker_id": str(broker.id),
        "symbol": request.symbol,
        "side": request.side.value,
        "type": request.type.value,
        "size": plain(size or Decimal(0)),
        "size_unit": "base" if in_base else "quote",
        "time_in_force": request.time_in_force.value,
        "stop_loss": _written(draft.stop_loss, request.stop_loss),
        "take_profit": _written(draft.take_profit, request.take_profit),
        "client_order_id": new_client_order_id(),
    }
    if request.price is not None:
        fields["price"] = plain(request.price)
    if draft.trailing_percent is not None:
        fields["trailing_percent"] = f"{plain(draft.trailing_percent)}%"
    for row, wish in enumerate(draft.targets, start=1):
        price = protective_price(planned.market, wish.at, None, above=True)
        fields[f"target_{row}"] = _written(wish.at, None if price is None else Leg(price))
        fields[f"share_{row}"] = f"{plain(wish.share)}%"
    if request.post_only:
        fields["post_only"] = "1"
    return {name: value for name, value in fields.items() if value}


def _written(wanted: PriceOrPercent | None, leg: Leg | None) -> str:
    if wanted is None:
        return ""
    if wanted.percent is not None:
        return f"{plain(wanted.percent)}%"
    return plain(leg.trigger_price) if leg is not None else ""
