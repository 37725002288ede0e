"""The order ticket: choose a market, preview, place."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app.domain.errors import OrderDenied
from app.domain.markets import Market
from app.models import Broker, OrderOrigin, OrderRow
from app.schemas.orders import TARGET_ROWS, Ticket, TicketSchema
from app.services import balances, brokers, catalog, orders, overview, planning, prices
from app.services.orders import OrderFilter
from app.web import forms
from app.web.access import member
from app.web.filters import sentence
from app.web.pages.preview import Preview, preview_of

blueprint = Blueprint("trade", __name__, url_prefix="/trade")

_SUGGESTIONS = 20

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
    flash(
        "The order is on its way." if not order.status.is_final else "This order was placed before.",
        "success",
    )
    return redirect(url_for("orders.detail", order_id=order.id))


@blueprint.get("/preview")
@blueprint.get("/place")
@member
def again() -> ResponseReturnValue:
    """Whoever reloads an answer to the ticket starts a new one."""
    return redirect(url_for("trade.index"))


@blueprint.get("/markets")
@member
def markets() -> ResponseReturnValue:
    """The markets that fit what is being typed."""
    broker = _chosen(_tradable(), request.args.get("broker_id", type=int))
    text = request.args.get("symbol", "")
    found = catalog.search(broker, text, per_page=_SUGGESTIONS)[0] if broker is not None else []
    return render_template("partials/market_options.html", markets=found)


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
    if broker_id is None:
        return owned[0] if owned else None
    _own(broker_id)
    return next((broker for broker in owned if broker.id == broker_id), owned[0] if owned else None)


def _own(broker_id: int) -> Broker:
    return brokers.find(current_user, broker_id) or abort(404)


def _is_htmx() -> bool:
    return "HX-Request" in request.headers


def _again(errors: forms.Errors) -> ResponseReturnValue:
    """The same ticket with what is wrong at each field and nothing that was typed lost."""
    if _is_htmx():
        return render_template("partials/preview.html", preview=None, errors=errors), 422
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
    waiting = OrderFilter(tab="open", broker_id=broker.id) if broker is not None else None
    return render_template(
        "trade.html",
        brokers=owned,
        broker=overview.states([broker])[0] if broker is not None else None,
        symbol=market.symbol if market is not None else symbol,
        suggestions=catalog.near_matches(broker, symbol) if broker is not None and market is None else [],
        market=_shown(broker, market) if broker is not None and market is not None else None,
        values=forms.typed(),
        target_rows=TARGET_ROWS,
        errors=errors or {},
        preview=preview,
        open_orders=orders.listing(current_user, waiting)[0] if waiting is not None else [],
    )


def _market(broker: Broker | None, symbol: str) -> Market | None:
    if broker is None or not symbol:
        return None
    try:
        return catalog.resolve(broker, symbol)
    except OrderDenied:
        return None  # the page says so and names near matches


def _shown(broker: Broker, market: Market) -> dict[str, Any]:
    return {
        "symbol": market.symbol,
        "base": market.base,
        "quote": market.quote,
        "tick_size": market.tick_size,
        "lot_size": market.lot_size,
        "min_quantity": market.min_quantity,
        "min_notional": market.min_notional,
        "last": prices.last(broker.exchange, broker.environment, market.symbol),
        "free_base": balances.free(broker, market.base),
        "free_quote": balances.free(broker, market.quote),
    }
