"""The intents and wishes that a worker is killed on the way of, and the statements that none of them comes by."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from app.domain.alerts import AlertStatus
from app.domain.orders import OrderStatus
from tests.faults.workshop import Desk, Workshop

Fault = tuple[str, str, Mapping[str, object]]


Change = Callable[[Workshop, Desk], None]


def nothing(workshop: Workshop, desk: Desk) -> None:
    """Let all be as it is."""


def pause(workshop: Workshop, desk: Desk) -> None:
    workshop.change_broker(desk, active=False)


def rehearse(workshop: Workshop, desk: Desk) -> None:
    workshop.change_broker(desk, dry_run=True)


def forbid_reading(workshop: Workshop, desk: Desk) -> None:
    workshop.permit(desk, read=False)


def forbid_trading(workshop: Workshop, desk: Desk) -> None:
    workshop.permit(desk, trade=False)


def permit_trading(workshop: Workshop, desk: Desk) -> None:
    workshop.permit(desk, trade=True)


def hold(workshop: Workshop, desk: Desk) -> None:
    workshop.job("hold", desk.broker_id, in_person=True)


def expire(workshop: Workshop, desk: Desk) -> None:
    workshop.expire(desk)


@dataclass(frozen=True, slots=True)
class Scenario:
    """An intent, what happens to it on its way, and what must come of it however often a worker dies."""

    name: str
    alert: Mapping[str, str] | None
    """None: a person presses the button of a ticket."""
    faults: tuple[Fault, ...] = ()
    meanwhile: Change = nothing
    """What changes between the first delivery and the second."""
    before: Change = nothing
    wish: tuple[str, str] | None = None
    """What a person asks of the position that came of it: then nobody dies before, and what follows is of the wish."""
    exchange: str = "binance"
    age: float = 0
    balances: Mapping[str, str] | None = None
    alert_ends: AlertStatus = AlertStatus.PROCESSED
    entry_ends: OrderStatus | None = OrderStatus.FILLED
    entries: int = 1
    """How many orders of the intent reach the exchange."""
    exits: int = 2
    """How many rest in the end."""
    past_exits: int = 0
    """How many more were accepted, and were cancelled or have sold."""
    stop: str = "57000"
    """Where every stop-loss rests that there is."""
    sold: Decimal = Decimal(0)
    """The share of what was bought that is sold again."""


def fault(operation: str, kind: str, **fields: object) -> Fault:
    return operation, kind, fields


BUY = {"action": "BuyMarket", "symbol": "BTCUSDT", "quantity": "0.01", "expires_in": "3600"}
GUARDED = {**BUY, "stop_loss": "57000", "take_profit": "66000"}
CLOSE = {"action": "CLOSE", "symbol": "BTCUSDT", "percent": "50", "expires_in": "3600"}
SHARE = {**{name: value for name, value in GUARDED.items() if name != "quantity"}, "percent": "50"}

LOST = fault("place_order", "reset_after")
NEVER_ARRIVED = fault("place_order", "reset_before")
NOT_NOW = fault("place_order", "rate_limit", retry_after=60)
UNSEEN = fault("get_order", "unseen"), fault("open_orders", "unseen"), fault("order_history", "unseen")
NO_FILLS = fault("fills", "error_before")
CANCEL_LOST = fault("cancel_order", "reset_after")
NOT_CANCELLED = fault("cancel_order", "reset_before")
CANCEL_LATER = fault("cancel_order", "rate_limit", retry_after=60)
ASKED_TOO_OFTEN = fault("get_order", "rate_limit", retry_after=60)
NOTHING_SENT = {"entries": 0, "exits": 0}
NO_ORDER = {"entry_ends": None, **NOTHING_SENT}

MOVED = {"wish": ("move", "58000"), "stop": "58000"}
PASSED = {"wish": ("move", "61000")}
CLOSED = {"wish": ("close", "100"), "sold": Decimal(1), "exits": 0}
HALVED = {"wish": ("close", "50"), "sold": Decimal("0.5")}

EXPIRED, DENIED, REJECTED = OrderStatus.EXPIRED, OrderStatus.DENIED, OrderStatus.REJECTED

SCENARIOS = [
    Scenario("filled and guarded", GUARDED),
    Scenario("not to be guarded", BUY, exits=0),
    Scenario("answer lost after execution", GUARDED, faults=(LOST,)),
    Scenario("answer lost, then no more questions allowed", GUARDED, faults=(LOST, ASKED_TOO_OFTEN)),
    Scenario("executed and seen late", GUARDED, faults=(LOST, *UNSEEN)),
    Scenario("executed and seen in the history first", GUARDED, faults=(LOST, UNSEEN[0])),
    Scenario("never arrived", GUARDED, faults=(NEVER_ARRIVED,)),
    Scenario(
        "never arrived, then too late", GUARDED, (NEVER_ARRIVED,), expire, entry_ends=EXPIRED, **NOTHING_SENT
    ),
    Scenario("surely not executed", GUARDED, (NOT_NOW,)),
    Scenario(
        "surely not executed, then too late", GUARDED, (NOT_NOW,), expire, entry_ends=EXPIRED, **NOTHING_SENT
    ),
    Scenario(
        "surely not executed, then paused", GUARDED, (NOT_NOW,), pause, entry_ends=DENIED, **NOTHING_SENT
    ),
    Scenario("rejected", GUARDED, balances={"USDT": "10"}, entry_ends=REJECTED, **NOTHING_SENT),
    Scenario("dry run", GUARDED, before=rehearse, entry_ends=DENIED, **NOTHING_SENT),
    Scenario("ticket", None, stop="58800"),
    Scenario("half filled", GUARDED, (fault("place_order", "partial_fill"),), entry_ends=EXPIRED),
    Scenario("exits attached", GUARDED, exchange="bitget"),
    Scenario("exits attached, fills not read", GUARDED, (NO_FILLS,), exchange="bitget"),
    Scenario("stop alone", GUARDED, exchange="kraken", exits=1),
    Scenario("stop alone, answer lost", GUARDED, (LOST,), exchange="kraken", exits=1),
    Scenario("pair of its own family", GUARDED, exchange="kucoin"),
    Scenario("pair of its own family, fills not read", GUARDED, (NO_FILLS,), exchange="kucoin"),
    Scenario("sized by a balance", SHARE),
    Scenario("balance not known at once", SHARE, (fault("balances", "error_before"),)),
    Scenario("balance refused", SHARE, before=forbid_reading, alert_ends=AlertStatus.ERROR, **NO_ORDER),
    Scenario("paused", GUARDED, before=pause, alert_ends=AlertStatus.DENIED, **NO_ORDER),
    Scenario("against a rule", {**BUY, "quantity": "0.000001"}, alert_ends=AlertStatus.DENIED, **NO_ORDER),
    Scenario("half closed by an alert", CLOSE, before=hold, exits=0, past_exits=1, sold=Decimal("0.5")),
    Scenario("too late", GUARDED, age=7200, alert_ends=AlertStatus.EXPIRED, **NO_ORDER),
    Scenario("stop moved", GUARDED, past_exits=2, **MOVED),
    Scenario("stop wished for later", BUY, **MOVED, exits=1),
    Scenario("stop moved, cancellation lost", GUARDED, faults=(CANCEL_LOST,), past_exits=2, **MOVED),
    Scenario("stop moved, not cancelled", GUARDED, faults=(NOT_CANCELLED,), past_exits=2, **MOVED),
    Scenario("stop moved, not cancelled now", GUARDED, faults=(CANCEL_LATER,), past_exits=2, **MOVED),
    Scenario("stop moved, answer lost", GUARDED, faults=(LOST,), past_exits=2, **MOVED),
    Scenario("stop moved, never arrived", GUARDED, faults=(NEVER_ARRIVED,), past_exits=2, **MOVED),
    Scenario(
        "stop moved when allowed again",
        GUARDED,
        before=forbid_trading,
        meanwhile=permit_trading,
        past_exits=2,
        **MOVED,
    ),
    Scenario("stop turned down", BUY, before=forbid_trading, meanwhile=permit_trading, **MOVED, exits=1),
    Scenario(
        "stop turned down, why is not known at once",
        BUY,
        (NO_FILLS,),
        before=forbid_trading,
        meanwhile=permit_trading,
        **MOVED,
        exits=1,
    ),
    Scenario("stop passed by the market", GUARDED, past_exits=3, **PASSED, sold=Decimal(1), exits=0),
    Scenario("closed", GUARDED, past_exits=3, **CLOSED),
    Scenario("closed, answer lost", GUARDED, faults=(LOST,), past_exits=3, **CLOSED),
    Scenario("half closed", GUARDED, past_exits=3, **HALVED),
    Scenario(
        "sale turned down",
        BUY,
        before=forbid_trading,
        meanwhile=permit_trading,
        past_exits=1,
        **CLOSED,
    ),
    # Not where exits were attached: that exchange takes the cancellation of one order once a second, which passes in
    # no trial. tests/services has it.
    Scenario("stop alone moved", GUARDED, exchange="kraken", exits=1, past_exits=1, **MOVED),
    Scenario("half closed, stop alone", GUARDED, exchange="kraken", exits=1, past_exits=2, **HALVED),
    Scenario("pair of its own family moved", GUARDED, exchange="kucoin", past_exits=2, **MOVED),
]


#: Statements that no scenario comes by, because one process alone cannot lead there.
ASIDE: Mapping[str, tuple[str, ...]] = {
    # Two processes store or decide the same at the same instant.
    "app.services.intake:store": (
        "db.session.rollback()",
        "judged = _store_together(deliveries)",
    ),
    "app.services.alerts:process": (
        "db.session.rollback()",
        "return",
        # It comes too soon: tests/services/test_what_alerts_do_to_positions.py.
        "db.session.commit()",
        "dispatch.process_alert(alert_id, case.broker.exchange, countdown=A_MOMENT)",
    ),
    # Alerts that are asked about, move protection or cancel: tests/services/test_alerts_out_of_step.py and the above.
    "app.services.alerts:_conclude": (
        "alert.confirmation = Confirmation.ASKED",
        "if alert.signal is None or 'expires_in' not in alert.signal:",
        "alert.expires_at = max(alert.expires_at, utc_now() + CONFIRM_WITHIN)",
    ),
    "app.services.alert_acts:write_down": (
        "for order in act.orders:",
        "orders.want_cancelled(order)",
        "return lambda: _pursue(act)",
    ),
    "app.services.orders:place": (
        "db.session.rollback()",
        "placed = by_client_id(broker, client_order_id or '')",
        "if placed is None:",
        "raise",
        "return placed",
        # Nothing is stored of a ticket that is refused.
        "raise OrderDenied.because('paused', f'{broker.name} is paused', remedy='Resume the broker first.')",
        "raise OrderDenied(planned.violations)",
    ),
    "app.services.bookkeeping:_step": (
        "log.info('stale_report', order_id=order.id, known=order.status, reported=status)",
        "order.move_to(OrderStatus.SUBMITTED, 'it is on the exchange after all')",
        "status, cause = (OrderStatus.CANCELED, f'{cause}: the exchange turned it down after it had taken it')",
    ),
    # An exit that belongs to no position, or is turned down because a person has sold by hand what it sells, and
    # executions that are heard of after later ones: tests/services.
    "app.services.execution:_goes_on": ("return False", "return True"),
    "app.services.protection:refused": ("return False",),
    "app.services.hand_trades:account_for": (
        # Another worker books something meanwhile.
        "db.session.rollback()",
        "return False",
        "position.external = external",
        "counting.recount(position)",
        "events.publish(position.user_id, Topic.POSITIONS, position.id)",
    ),
    # A dry run of the whole server, in which nothing is sent: tests/services/test_dry_run_and_what_is_held.py.
    "app.services.execution:guard": ("dry_run.leave(position_id)",),
    "app.services.execution:_cancel_and_book": (
        "_rests_on(order, 'not cancelled: dry run')",
        "return False",
    ),
    "app.services.execution:_claim": ("dry_run.leave(order.position_id)",),
    # A purchase that executes under a panic: tests/services/test_panic.py.
    "app.services.bookkeeping:_follow": ("position.wish_sale(position.quantity)",),
    "app.services.counting:recount": ("start_over(position)", "orders = uncarried(position)"),
    # Wishes that are refused, of which nothing is stored, and others that are kept and brought about alike.
    "app.services.wishes:_wish": (
        "raise WishRefused(f'the position in {position.symbol} is closed')",
        "db.session.rollback()",
        "raise",
    ),
    "app.services.wishes:write": (
        "position.targets = [PositionTarget(price=target.price, share=target.share, status=TargetStatus.WAITING) "
        "for target in change.targets]",
        "position.trailing_percent, position.high = (change.trailing_percent, change.high)",
        "position.trailing_refused = False",
    ),
    "app.services.positions:_adopt_wish": (
        "return",
        "position.trailing_percent, position.high = (entry.trailing_percent, bought_at)",
    ),
    "app.services.positions:follow": ("return None",),
    # Two workers at one order, and orders that nobody can tell of: tests/services, for every exchange.
    "app.services.execution:_send_and_book": (
        "log.warning('claim_lost', order_id=order.id, attempt=attempt, error=error.message)",
        "db.session.rollback()",
        "return False",
    ),
    "app.services.execution:_next_round": ("all_claimed = False", "continue"),
    "app.services.execution:_reason_not_to_send": (
        "return (OrderStatus.CANCELED, 'cancelled before it was sent')",
    ),
    "app.services.failures:_release": (
        "order.next_attempt_at = order.expires_at",
        "delay = max((order.expires_at - now).total_seconds(), 0)",
        "dispatch.submit_order(order.id, order.broker.exchange, countdown=delay)",
    ),
    "app.services.reconciliation:_conclude": (
        "protection.wish_again(order)",
        "_end(order, OrderStatus.REJECTED, 'another order on the exchange goes by its client id', _CHECK)",
        "log.error('order_never_accounted_for', order_id=order.id, client_order_id=order.client_order_id)",
        "_end(order, OrderStatus.EXPIRED, 'not found, and too old for the exchange to tell of it surely', _CHECK)",
    ),
    # Reads that change nothing here: of executions that cannot be read yet.
    "app.services.execution:with_fills": (
        "log.warning('fills_not_read', order_id=order.id, error=error.message)",
        "whole = report",
        "return replace(report, status=OrderStatus.PENDING, filled_quantity=None)",
    ),
    # Guards against what no market, client or exchange here does.
    "app.services.intake:_link_duplicates": ("return",),
    "app.services.bookkeeping:_new_leg": (
        "raise ValueError(f'the exchange reported a leg of order {order.id} without side or type')",
    ),
    "app.exchanges.rest:RestExchange._once": (
        "raise AuthenticationFailed(self.name, 'this call needs a key', remedy='Add an API key to the broker.')",
    ),
}
