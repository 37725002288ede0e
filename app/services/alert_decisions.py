"""What becomes of an alert: the one thing it leads to, in words, and whatever speaks against it.

Deciding reads and writes nothing down, so that an explanation shows exactly what a delivery would lead to. What is
decided is done by `app.services.alert_acts`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from app.domain.accounts import TradingMode
from app.domain.alerts import SIZES, AlertAction, AlertStatus, OutOfStep, Signal
from app.domain.errors import OrderDenied, Violation
from app.domain.markets import Market
from app.domain.money import EXACT, plain
from app.domain.orders import OrderDraft, OrderRequest, OrderType, Side
from app.domain.strategy import Course, Way, course
from app.models import OrderRow, Position
from app.services import catalog, prices, risk, wishes
from app.services.alert_facts import Case, Facts
from app.services.planning import Plan, plan, spent_asset
from app.services.sizing import draft_of
from app.services.wishes import Change, WishRefused

_ZERO = Decimal(0)
_HUNDRED = Decimal(100)

#: Rules that the alert itself breaks, rather than a limit or a balance.
_UNCLEAR = catalog.UNRESOLVED | {"no_size", "no_price"}


@dataclass(frozen=True, slots=True)
class Place:
    """An order is placed."""

    draft: OrderDraft
    planned: Plan


@dataclass(frozen=True, slots=True)
class Alter:
    """An open position gets other protection, or a part of it is sold."""

    position: Position
    market: Market
    change: Change


@dataclass(frozen=True, slots=True)
class Withdraw:
    """Orders that still wait are cancelled."""

    orders: tuple[OrderRow, ...]


Act = Place | Alter | Withdraw


@dataclass(frozen=True, slots=True)
class Objection:
    """Why an alert is not acted on, and what it becomes for that."""

    status: AlertStatus
    rule: str
    message: str


@dataclass(frozen=True, slots=True)
class Decision:
    """What an alert comes to: ``act``, None when there is nothing to do, unless there are objections.

    ``words`` says what is done. ``asks`` tells that a person may confirm it in spite of the objection.
    """

    words: str
    act: Act | None = None
    objections: tuple[Objection, ...] = ()
    asks: bool = False

    @property
    def status(self) -> AlertStatus:
        """What the alert becomes."""
        return self.objections[0].status if self.objections else AlertStatus.PROCESSED

    @property
    def reason(self) -> str:
        """The same in words."""
        return "; ".join(objection.message for objection in self.objections) or self.words

    @property
    def request(self) -> OrderRequest | None:
        """The order that goes to the exchange, but for its client id; of a position that is sold, its sale."""
        if isinstance(self.act, Place):
            return self.act.planned.request
        if isinstance(self.act, Alter) and self.act.change.close_quantity is not None:
            market, quantity = self.act.market, self.act.change.close_quantity
            return OrderRequest(
                market.symbol, Side.SELL, OrderType.MARKET, quantity=market.quantize_quantity(quantity)
            )
        return None


def decide(case: Case, facts: Facts, now: datetime) -> Decision:
    """What becomes of an alert, from what was gathered of it."""
    untimely = tuple(_untimely(case, now))
    if facts.unresolved is not None:
        return Decision("", objections=(*untimely, *_of(facts.unresolved)))
    if facts.unknown is not None:
        unknown = Objection(AlertStatus.ERROR, "account", facts.unknown)
        return Decision("", objections=(*untimely, unknown))
    try:
        intended = _WAYS.get(case.signal.action, _order)(case, facts)
    except OrderDenied as denied:
        intended = Decision("", objections=_of(denied))
    except WishRefused as refused:
        intended = Decision("", objections=(Objection(AlertStatus.DENIED, "position", refused.message),))
    asks = intended.asks and not untimely
    return replace(intended, objections=(*untimely, *intended.objections), asks=asks)


def _untimely(case: Case, now: datetime) -> list[Objection]:
    """What speaks against acting on any alert, here and now."""
    broker, found = case.broker, []
    if now >= case.expires_at:
        found.append(Objection(AlertStatus.EXPIRED, "expired", _staleness(case, now)))
    if case.switched_off is not None:
        words = f"the source {case.switched_off} is switched off"
        found.append(Objection(AlertStatus.DENIED, "source", words))
    if not broker.active:
        found.append(Objection(AlertStatus.DENIED, "paused", f"{broker.name} is paused"))
    if broker.mode is not TradingMode.WEBHOOKS and not case.by_person:
        words = f"{broker.name} is in mode {broker.mode}; alerts trade only in mode WEBHOOKS"
        found.append(Objection(AlertStatus.DENIED, "mode", words))
    return found


def _staleness(case: Case, now: datetime) -> str:
    """How an alert came to be too old; TradingView's ``{{time}}`` is when a bar opened, and makes one old at once."""
    sent, came = case.signal.time, case.received_at
    if sent is None or case.expires_at > came:
        age = (now - came).total_seconds()
        return f"{age:.0f} s old when a worker came to it, past its expiry: not executed stale"
    return (
        f"its time, {sent:%Y-%m-%d %H:%M:%S} UTC, is {(came - sent).total_seconds():.0f} s before it came, past its "
        "expiry: not executed stale. time is when an alert was sent: in TradingView {{timenow}}, not {{time}}"
    )


def _of(denied: OrderDenied) -> tuple[Objection, ...]:
    return tuple(_objection(violation) for violation in denied.violations)


def _objection(violation: Violation) -> Objection:
    status = AlertStatus.ERROR if violation.rule in _UNCLEAR else AlertStatus.DENIED
    return Objection(status, violation.rule, violation.message)


def _order(case: Case, facts: Facts) -> Decision:
    """A purchase or a sale; of an alert that tells what its strategy holds, whatever leads there."""
    signal = case.signal
    wanted = course(signal, facts.sellable)
    decision = _along(case, facts, wanted)
    if wanted.out_of_step is None or case.confirmed or case.defaults.out_of_step is OutOfStep.ALIGN:
        return decision
    may_be_done = decision.act is not None and not decision.objections
    asks = case.defaults.out_of_step is OutOfStep.ASK and may_be_done
    remedy = f"; confirm it to {decision.words}" if asks else "; skipped, as the source says"
    return replace(decision, objections=(_out_of_step(wanted, remedy), *decision.objections), asks=asks)


def _out_of_step(wanted: Course, remedy: str) -> Objection:
    return Objection(AlertStatus.DENIED, "step", f"{wanted.out_of_step}{remedy}")


def _along(case: Case, facts: Facts, wanted: Course) -> Decision:
    signal = case.signal
    if wanted.way is Way.NOTHING:
        return Decision(f"nothing to do: {wanted.why}")
    if wanted.way is Way.SELL and signal.action is not AlertAction.SELL_LIMIT:
        return _sale(facts, wanted.quantity)
    if wanted.way is Way.BUY:
        return _placed(case, facts, _purchase(case, wanted.quantity))
    if facts.position is not None and signal.action is AlertAction.SELL_MARKET:
        return _sale(facts, _quantity_of(signal, facts))
    return _placed(case, facts, signal)


def _purchase(case: Case, quantity: Decimal | None) -> Signal:
    """A purchase, guarded as the source says; at a limit only if the alert is one itself: a sale's price is none."""
    signal = case.signal
    if signal.action is not AlertAction.BUY_LIMIT:
        signal = replace(signal, action=AlertAction.BUY_MARKET, price=None)
    if quantity is not None:
        sizes: dict[str, Any] = {**dict.fromkeys(SIZES), "quantity": quantity}
        signal = replace(signal, **sizes)
    return case.defaults.complete(signal)


def _quantity_of(signal: Signal, facts: Facts) -> Decimal | None:
    """How much of a position a sale is for, in base; None for all of it."""
    if signal.percent is not None:
        return _share(facts.sellable, signal.percent)
    if signal.risk_percent is not None or signal.equity_percent is not None:
        raise OrderDenied.because("no_size", "this size is one of purchases; how much to sell is not said")
    if signal.quote_quantity is None or facts.position is None:
        return signal.quantity
    broker, symbol = facts.position.broker, facts.position.symbol
    last = prices.last(broker.exchange, broker.environment, symbol)
    if not last:
        raise OrderDenied.because(
            "price", f"there is no price of {symbol} above zero to size this order with"
        )
    return EXACT.divide(signal.quote_quantity, last)


def _placed(case: Case, facts: Facts, signal: Signal) -> Decision:
    if facts.market is None:
        raise ValueError("an order without a market")
    market, broker = facts.market, case.broker
    if signal.market_position is not None and signal.action is AlertAction.SELL_LIMIT:
        # One message serves both ways of a strategy, and only its purchases are to be guarded.
        signal = replace(signal, stop_loss=None, take_profit=None, targets=(), trailing_percent=None)
    draft = draft_of(broker, market, signal, facts.account)
    planned = plan(broker, draft, free=_free(facts, spent_asset(market, draft.side)))
    violations = [*planned.violations, *risk.objections_to(broker, planned.request, claiming=facts.held)]
    return Decision(
        in_words(planned.request),
        Place(draft, planned),
        tuple(_objection(violation) for violation in violations),
    )


def _free(facts: Facts, asset: str) -> Decimal | None:
    if facts.account is None:
        return None
    balance = facts.account.get(asset)
    return _ZERO if balance is None else balance.free


def _sale(facts: Facts, wanted: Decimal | None) -> Decision:
    """A part of the position sold, its exits giving way; at most all of it, whatever else the account holds."""
    position, market = _open(facts)
    if facts.sellable <= 0:
        raise WishRefused(f"the position in {market.symbol} is being sold already")
    change = wishes.sold(position, market, min(facts.sellable, wanted or facts.sellable))
    selling, waiting = change.close_quantity or _ZERO, position.close_quantity or _ZERO
    whole = " all" if selling == position.quantity else ""
    words = (
        f"sell{whole} {plain(market.quantize_quantity(selling))} {market.base} of the position at the market"
    )
    return Decision(words, Alter(position, market, replace(change, close_quantity=selling + waiting)))


def _close(case: Case, facts: Facts) -> Decision:
    """A share of the position, or all of it, sold at the market."""
    return _sale(facts, _share(facts.sellable, case.signal.percent or _HUNDRED))


def _share(amount: Decimal, percent: Decimal) -> Decimal:
    return EXACT.divide(EXACT.multiply(amount, percent), _HUNDRED)


def _move(case: Case, facts: Facts) -> Decision:
    position, market = _open(facts)
    signal = case.signal
    change = wishes.moved(
        position,
        market,
        stop_loss=signal.stop_loss,
        take_profit=signal.take_profit,
        targets=signal.targets,
        trailing_percent=signal.trailing_percent,
    )
    return Decision(_of_protection(change), Alter(position, market, change))


def _cancel(case: Case, facts: Facts) -> Decision:
    where = case.broker.name if facts.market is None else facts.market.symbol
    if not facts.resting:
        return Decision(f"nothing to do: no entry of an alert waits on {where}")
    named = ", ".join(f"#{order.id}" for order in facts.resting)
    return Decision(f"cancel what waits on {where}: {named}", Withdraw(tuple(facts.resting)))


_WAYS: Mapping[AlertAction, Callable[[Case, Facts], Decision]] = {
    AlertAction.PING: lambda case, facts: Decision("the line is alive"),
    AlertAction.MAJ: _move,
    AlertAction.CLOSE: _close,
    AlertAction.REVERSE: _close,
    AlertAction.CANCEL: _cancel,
}


def _open(facts: Facts) -> tuple[Position, Market]:
    if facts.position is None or facts.market is None:
        symbol = "" if facts.market is None else f" in {facts.market.symbol}"
        raise WishRefused(f"there is no open position{symbol}")
    return facts.position, facts.market


def in_words(request: OrderRequest) -> str:
    """An order as a person says it."""
    base, _, quote = request.symbol.partition("/")
    size = f"{plain(request.quantity)} {base}" if request.quantity is not None else ""
    if request.quote_quantity is not None:
        size = f"{plain(request.quote_quantity)} {quote} worth of {base}"
    buys = request.side is Side.BUY
    if request.price is None:
        return f"buy {size} at the market" if buys else f"sell {size} at the market"
    price = plain(request.price)
    return f"buy {size} at {price}" if buys else f"sell {size} at {price}"


def _of_protection(change: Change) -> str:
    parts = []
    if change.trailing_percent is not None:
        parts.append(f"let the stop-loss follow at {plain(change.trailing_percent)} %")
    if change.stop_loss is not None:
        parts.append(f"move the stop-loss to {plain(change.stop_loss)}")
    if change.targets is not None:
        levels = ", ".join(
            plain(target.price) + (f" ({plain(target.share)} %)" if target.share != _HUNDRED else "")
            for target in change.targets
        )
        parts.append(f"move the take-profit to {levels}")
    return " and ".join(parts)
