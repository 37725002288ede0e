"""Explaining an alert: what a delivery of it would lead to right now, with nothing stored and nothing placed.

It is decided by the code that decides deliveries (`app.services.alert_decisions`). Only where a delivery asks the
exchange for balances, an explanation takes them as last synced, because it may be asked for by a web page.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import select

from app.domain.accounts import Balance, Environment
from app.domain.alert_format import AlertFault, parse_alert
from app.domain.alerts import AlertAction, AlertDefaults, AlertStatus, Signal, signal_from_json
from app.domain.errors import OrderDenied
from app.domain.money import plain
from app.domain.orders import Leg, OrderDraft, OrderRequest, PriceOrPercent, TargetWish
from app.extensions import db
from app.models import Alert, BalanceRow, Broker, Source, SourceRoute, utc_now
from app.services.alert_decisions import Decision, Objection, Place, decide
from app.services.alert_facts import Case, depends_on_account, gather
from app.services.alerts import case_of
from app.services.fan_out import sized
from app.services.planning import Plan
from app.services.sizing import Holdings


@dataclass(frozen=True, slots=True)
class Explanation:
    """What an alert would lead to. ``fault`` is set, and little else, when its text cannot be understood.

    ``signal`` has its source's defaults in it and ``symbol`` is the market's. ``request`` is the order that would be
    sent, ``plan`` what it would cost, and ``protection`` says in words how what it buys would be guarded. ``case`` is
    what was decided.
    """

    broker: Broker
    status: AlertStatus
    reason: str
    fault: AlertFault | None = None
    signal: Signal | None = None
    symbol: str | None = None
    words: str = ""
    objections: tuple[Objection, ...] = ()
    request: OrderRequest | None = None
    plan: Plan | None = None
    protection: str = ""
    case: Case | None = None


def explain(text: str, target: Source | Broker) -> Explanation:
    """What an alert of this text would lead to if it came to a source, or to a broker without any source's defaults."""
    source = target if isinstance(target, Source) else None
    broker = target.broker if isinstance(target, Source) else target
    try:
        signal = parse_alert(text)
    except AlertFault as fault:
        return Explanation(broker, AlertStatus.ERROR, fault.message, fault=fault)
    now = utc_now()
    defaults = AlertDefaults() if source is None else source.defaults
    case = Case(
        broker=broker,
        signal=defaults.complete(signal),
        defaults=defaults,
        received_at=now,
        expires_at=signal.expires_at(now, defaults.expires_in),
        switched_off=None if source is None or source.enabled else source.name,
    )
    return _explained(case, now)


def explain_again(alert: Alert, broker: Broker | None = None) -> Explanation:
    """What a stored alert would lead to if it came now, to its own broker or to another: a replay without trading."""
    on = broker or alert.broker
    if alert.signal is None:
        return Explanation(on, AlertStatus.ERROR, alert.reason or "the alert was not understood")
    now, signal = utc_now(), signal_from_json(alert.signal)
    case = case_of(alert, signal)
    if on.environment is Environment.SANDBOX:  # where it may be run again without regard to these
        case = replace(case, by_person=True, switched_off=None)
    case = replace(
        case,
        broker=on,
        received_at=now,
        expires_at=now + timedelta(seconds=signal.expires_in or case.defaults.expires_in),
    )
    return _explained(case, now)


def elsewhere(told: Explanation, source: Source) -> list[Explanation]:
    """What the same delivery would lead to on each further broker that its source trades on."""
    case = told.case
    if case is None or case.signal.action is AlertAction.PING:  # which is kept once
        return []
    return [_on_route(case, route) for route in source.routes if route.enabled]


def _on_route(case: Case, route: SourceRoute) -> Explanation:
    try:
        signal = sized(case.signal, route.size)
    except OrderDenied as denied:
        return Explanation(route.broker, AlertStatus.DENIED, denied.message, signal=case.signal)
    return _explained(replace(case, broker=route.broker, signal=signal, by_person=False), utc_now())


def _explained(case: Case, now: datetime) -> Explanation:
    facts = gather(case, _last_synced(case))
    decision = decide(case, facts, now)
    placed = decision.act if isinstance(decision.act, Place) else None
    return Explanation(
        broker=case.broker,
        status=decision.status,
        reason=decision.reason,
        signal=case.signal,
        symbol=None if facts.market is None else facts.market.symbol,
        words=decision.words,
        objections=decision.objections,
        request=decision.request,
        plan=None if placed is None else placed.planned,
        protection=_protection(decision),
        case=case,
    )


def _last_synced(case: Case) -> Holdings | None:
    if not depends_on_account(case.signal) or case.broker.balances_synced_at is None:
        return None
    rows = db.session.scalars(select(BalanceRow).where(BalanceRow.broker_id == case.broker.id))
    return {row.asset: Balance(row.asset, row.free, row.locked, row.total) for row in rows}


def _protection(decision: Decision) -> str:
    """How what an order buys would be guarded, in words; of a change of protection the decision's own words."""
    if not isinstance(decision.act, Place):
        return decision.words if decision.request is None else ""
    draft, request = decision.act.draft, decision.act.planned.request
    parts = []
    if draft.first_stop is not None:
        parts.append(_stop_loss(draft, draft.first_stop, request.stop_loss))
    parts += _take_profits(draft, request)
    return " and ".join(parts) or "none was asked for"


def _take_profits(draft: OrderDraft, request: OrderRequest) -> list[str]:
    if draft.take_profit is not None:
        return [_take_profit(draft.take_profit, request.take_profit)]
    return [_share(target) for target in draft.targets]


def _stop_loss(draft: OrderDraft, wanted: PriceOrPercent, leg: Leg | None) -> str:
    if wanted.percent is None:
        told = f"a stop-loss at {_price(wanted, leg)}"
    else:
        told = f"a stop-loss {_away(wanted.percent, leg)}"
    return f"{told}, following at {plain(draft.trailing_percent)} %" if draft.trailing_percent else told


def _take_profit(wanted: PriceOrPercent, leg: Leg | None) -> str:
    if wanted.percent is None:
        return f"a take-profit at {_price(wanted, leg)}"
    return f"a take-profit {_away(wanted.percent, leg)}"


def _share(target: TargetWish) -> str:
    if target.at.percent is None:
        return f"a take-profit of {plain(target.share)} % of it at {_price(target.at, None)}"
    return f"a take-profit of {plain(target.share)} % of it {_away(target.at.percent, None)}"


def _price(wanted: PriceOrPercent, leg: Leg | None) -> str:
    return plain(wanted.price or Decimal(0)) if leg is None else plain(leg.trigger_price)


def _away(percent: Decimal, leg: Leg | None) -> str:
    """A distance is measured from the price that the entry gets, and told at the last price known."""
    if leg is None:
        return f"{plain(percent)} % from the entry"
    return f"{plain(percent)} % from the entry, about {plain(leg.trigger_price)}"
