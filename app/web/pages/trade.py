"""The order ticket: choose a market, preview, place; change and cancel what waits."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from app.domain.errors import OrderDenied
from app.domain.markets import Market
from app.domain.money import plain
from app.models import Broker, OrderOrigin, OrderRow
from app.schemas.orders import TARGET_ROWS, ChangeSchema, Ticket, TicketSchema
from app.services import (
    amending,
    balances,
    brokers,
    catalog,
    charting,
    market_search,
    orders,
    overview,
    planning,
    positions,
    prices,
    viewing,
)
from app.services.amending import AmendRefused
from app.services.market_search import MarketFilter
from app.services.orders import CancelRefused, OrderFilter
from app.web import forms
from app.web.access import member
from app.web.filters import sentence
from app.web.pages.preview import Preview, preview_of

blueprint = Blueprint("trade", __name__, url_prefix="/trade")

_SUGGESTIONS = 20
_OPEN_ORDERS = 50
_FILLS = 20
_INTERVAL = "15m"

#: The field at which a broken rule is shown; any other is said of the order as a whole.
_FIELD_OF_RULE = {
    "size": "size",
    "balance": "size",
    "lot_size": "size",
    "min_quantity": "size",
    "max_quantity": "size",
    "min_notional": "size",
    "price": "price",
    "tick_size": "price",
    "stop_loss": "stop_loss",
    "take_profit": "take_profit",
    "trailing": "trailing_percent",
}


@blueprint.get("/")
@member
def index() -> ResponseReturnValue:
    """The ticket of a broker and market; both are in the address."""
    owned = _tradable()
    broker = _chosen(owned, request.args.get("broker_id", type=int))
    return _page(owned, broker, request.args.get("symbol", "").strip())


@blueprint.post("/preview")
@member
def preview() -> ResponseReturnValue:
    """What the ticket would send; htmx gets the preview alone."""
    ticket, errors = forms.load(TicketSchema())
    if errors:
        return _again(errors)
    broker = _own(ticket.broker_id)
    try:
        shown = preview_of(broker, ticket.draft, planning.preview(broker, ticket.draft))
    except OrderDenied as denied:
        return _again(_errors_of(denied))
    if _is_htmx():
        return render_template("partials/preview.html", preview=shown, errors={})
    return _page(_tradable(), broker, ticket.draft.symbol, preview=shown)


@blueprint.post("/place")
@member
def place() -> ResponseReturnValue:
    """Place exactly what a preview showed; twice the same preview is one order."""
    ticket, errors = forms.load(TicketSchema())
    if errors:
        return _again(errors)
    try:
        order = _place(ticket)
    except OrderDenied as denied:
        return _again(_errors_of(denied))
    if _is_htmx():
        return render_template("partials/placed.html", order=order)
    flash(
        _("This order was placed before.") if order.status.is_final else _("The order is on its way."),
        "success",
    )
    return redirect(url_for("orders.detail", order_id=order.id))


@blueprint.get("/preview")
@blueprint.get("/place")
@member
def again() -> ResponseReturnValue:
    """Whoever reloads an answer to the ticket starts a new one."""
    return redirect(url_for("trade.index"))


@blueprint.post("/orders/<int:order_id>/cancel")
@member
def cancel(order_id: int) -> ResponseReturnValue:
    """Ask for the cancellation of an open order, without leaving the ticket."""
    order = _own_order(order_id)
    try:
        orders.cancel(order)
    except CancelRefused as refusal:
        return _still_open(order, _("Nothing was cancelled: %(reason)s.", reason=refusal.message))
    return _still_open(order)


@blueprint.post("/orders/<int:order_id>/amend")
@member
def amend(order_id: int) -> ResponseReturnValue:
    """Ask for an open order to be changed where it rests, without leaving the ticket."""
    order = _own_order(order_id)
    change, errors = forms.load(ChangeSchema())
    if errors:
        return _still_open(order, " ".join(message for messages in errors.values() for message in messages))
    try:
        amending.ask(order, change)
    except (AmendRefused, OrderDenied) as refusal:
        return _still_open(order, f"{sentence(refusal.message)} {refusal.remedy}")
    return _still_open(order)


@blueprint.get("/markets")
@member
def markets() -> ResponseReturnValue:
    """The markets that fit what is being typed, each with its last price."""
    broker = _chosen(_tradable(), request.args.get("broker_id", type=int))
    if broker is None:
        return render_template("partials/market_options.html", markets=[], prices={})
    wanted = MarketFilter(text=request.args.get("symbol", ""), per_page=_SUGGESTIONS)
    found, _total = market_search.listing(current_user, broker, wanted)
    symbols = [each.market.symbol for each in found]
    last = prices.last_of(broker.exchange, broker.environment, symbols)
    return render_template("partials/market_options.html", markets=found, prices=last)


def _own_order(order_id: int) -> OrderRow:
    return orders.find(current_user, order_id) or abort(404)


def _still_open(order: OrderRow, problem: str | None = None) -> ResponseReturnValue:
    """The open orders after something was asked of one; ``problem`` says why it is not done. htmx gets them alone."""
    if not _is_htmx():
        if problem is not None:
            flash(problem, "warning")
        return redirect(url_for("trade.index", broker_id=order.broker_id, symbol=order.symbol))
    return render_template(
        "partials/open_orders.html",
        broker=order.broker,
        open_orders=_open_orders(order.broker),
        may_change=amending.may_change,
        problem=problem,
    )


def _place(ticket: Ticket) -> OrderRow:
    return orders.place(
        _own(ticket.broker_id),
        ticket.draft,
        OrderOrigin.TICKET,
        client_order_id=ticket.client_order_id,
    )


def _tradable() -> list[Broker]:
    """The brokers a ticket may name, the main one first."""
    return [broker for broker in brokers.of(current_user) if broker.active and broker.connected is not False]


def _chosen(owned: list[Broker], broker_id: int | None) -> Broker | None:
    """The broker that is asked for, or the first when none is or it cannot trade now."""
    asked = next((broker for broker in owned if broker.id == broker_id), None)
    if asked is None and broker_id is not None:
        _own(broker_id)
    return asked or (owned[0] if owned else None)


def _own(broker_id: int) -> Broker:
    return brokers.find(current_user, broker_id) or abort(404)


def _is_htmx() -> bool:
    return "HX-Request" in request.headers


def _again(errors: forms.Errors) -> ResponseReturnValue:
    """The same ticket with what is wrong at each field and nothing that was typed lost.

    Telling what is wrong is what htmx asked for: no failure, of which a browser would complain in its console.
    """
    if _is_htmx():
        return render_template("partials/preview.html", preview=None, errors=errors)
    owned = _tradable()
    broker = _chosen(owned, request.form.get("broker_id", type=int))
    return _page(owned, broker, request.form.get("symbol", "").strip(), errors=errors), 422


def _errors_of(denied: OrderDenied) -> forms.Errors:
    errors: forms.Errors = {}
    for violation in denied.violations:
        field = _FIELD_OF_RULE.get(violation.rule, forms.WHOLE)
        errors.setdefault(field, []).append(sentence(violation.message))
    return errors


def _page(
    owned: list[Broker],
    broker: Broker | None,
    symbol: str,
    *,
    preview: Preview | None = None,
    errors: forms.Errors | None = None,
) -> str:
    market = _market(broker, symbol)
    waiting = _open_orders(broker)
    return render_template(
        "trade.html",
        brokers=owned,
        broker=overview.states([broker])[0] if broker is not None else None,
        symbol=market.symbol if market is not None else symbol,
        suggestions=catalog.near_matches(broker, symbol) if broker is not None and market is None else [],
        market=_shown(broker, market) if broker is not None and market is not None else None,
        chart=_chart(broker, market, waiting) if broker is not None and market is not None else None,
        values=forms.typed(),
        target_rows=TARGET_ROWS,
        errors=errors or {},
        preview=preview,
        open_orders=waiting,
        may_change=amending.may_change,
    )


def _market(broker: Broker | None, symbol: str) -> Market | None:
    if broker is None or not symbol:
        return None
    try:
        return catalog.resolve(broker, symbol)
    except OrderDenied:
        return None  # the page says so and names near matches


def _open_orders(broker: Broker | None) -> list[OrderRow]:
    if broker is None:
        return []
    wanted = OrderFilter(tab="open", broker_id=broker.id, per_page=_OPEN_ORDERS)
    return list(orders.listing(current_user, wanted)[0])


def _shown(broker: Broker, market: Market) -> dict[str, Any]:
    free = balances.free_of(broker, (market.base, market.quote))
    return {
        "symbol": market.symbol,
        "base": market.base,
        "quote": market.quote,
        "tick_size": market.tick_size,
        "lot_size": market.lot_size,
        "min_quantity": market.min_quantity,
        "min_notional": market.min_notional,
        "last": prices.last(broker.exchange, broker.environment, market.symbol),
        "free_base": free.get(market.base),
        "free_quote": free.get(market.quote),
    }


def _chart(broker: Broker, market: Market, waiting: list[OrderRow]) -> dict[str, Any]:
    asked = request.args.get("interval", "")
    return {
        "tick": plain(market.tick_size),
        "intervals": viewing.INTERVALS,
        "interval": asked if asked in viewing.INTERVALS else _INTERVAL,
        "lines": charting.lines(market, waiting, positions.open_at(broker, market.symbol)),
        "fills": charting.fills(broker, market.symbol, _FILLS),
    }
