"""The orders page: finding, looking closely, cancelling."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from app.domain.money import plain
from app.models import OrderOrigin, OrderRow, utc_now
from app.services import brokers, orders, timeline
from app.services.orders import TABS, CancelRefused, OrderFilter
from app.web import exports, paging
from app.web.access import member
from app.web.ids import row_id
from app.web.languages import words
from app.web.periods import PERIODS

blueprint = Blueprint("orders", __name__, url_prefix="/orders")

_COLUMNS = (
    *("Order", "Created (UTC)", "Broker", "Exchange", "Market", "Side", "Type", "Status", "From"),
    *("Quantity", "Filled", "Limit price", "Trigger price", "Average price", "Value", "Fees"),
    *("Switchyard ms", "Exchange ms", "Our id", "Exchange's id", "Reason"),
)


@blueprint.get("/")
@member
def index() -> ResponseReturnValue:
    """The orders that pass the filters in the address."""
    wanted = _wanted()
    found, total = orders.listing(current_user, wanted)
    return render_template(
        "orders/list.html",
        tabs=_tabs(orders.counts(current_user, wanted), wanted.tab),
        filters={
            name: request.args.get(name, "") for name in ("tab", "broker_id", "symbol", "origin", "period")
        },
        brokers=brokers.of(current_user),
        origins=list(OrderOrigin),
        orders=found,
        page=paging.page_of(wanted.page, wanted.per_page, total, "orders.index"),
        exports=exports.links(url_for("orders.export")),
    )


@blueprint.get("/export")
@member
def export() -> ResponseReturnValue:
    """The same as a file, all pages of it."""
    return exports.answer("orders", _COLUMNS, map(_row, orders.every(current_user, _wanted())))


@blueprint.get("/<int:order_id>")
@member
def detail(order_id: int) -> ResponseReturnValue:
    """One order with every step it took."""
    order = _own(order_id)
    return render_template(
        "orders/detail.html",
        order=order,
        fees=_fees(order),
        timeline=timeline.of(order),
        parent=None if order.parent_id is None else orders.find(current_user, order.parent_id),
    )


@blueprint.post("/<int:order_id>/cancel")
@member
def cancel(order_id: int) -> ResponseReturnValue:
    """Ask for an order's cancellation."""
    order = _own(order_id)
    try:
        orders.cancel(order)
    except CancelRefused as refusal:
        flash(_("Nothing was cancelled: %(why)s.", why=words(refusal.message)), "warning")
    else:
        done = order.status.is_final
        flash(
            _("The order is cancelled.") if done else _("The exchange is being asked to cancel the order."),
            "success",
        )
    return redirect(url_for("orders.detail", order_id=order_id))


def _own(order_id: int) -> OrderRow:
    return orders.find(current_user, order_id) or abort(404)


def _wanted() -> OrderFilter:
    given = request.args
    tab = given.get("tab", "all")
    origin = given.get("origin", "")
    period = PERIODS.get(given.get("period", ""))
    return OrderFilter(
        tab=tab if tab in TABS else "all",
        broker_id=given.get("broker_id", type=row_id),
        symbol=given.get("symbol", "").strip() or None,
        origin=OrderOrigin(origin) if origin in list(OrderOrigin) else None,
        since=None if period is None else utc_now() - period,
        page=paging.asked_for(),
    )


def _tabs(counts: dict[str, int], current: str) -> list[dict[str, Any]]:
    kept: dict[str, Any] = {
        name: value for name, value in request.args.items() if name not in ("tab", "page")
    }
    labels = {"all": _("All"), "open": _("Open"), "filled": _("Filled"), "rejected": _("Rejected")}
    return [
        {
            "label": labels[tab],
            "href": url_for("orders.index", **kept, tab=tab),
            "current": tab == current,
            "count": number,
        }
        for tab, number in counts.items()
    ]


def _row(order: OrderRow) -> exports.Row:
    way = timeline.of(order)
    fees = ", ".join(f"{plain(fee)} {asset}" for asset, fee in _fees(order).items())
    return (
        *(order.id, order.created_at, order.broker.name, order.broker.exchange, order.symbol),
        *(order.side, order.type, order.status, order.origin),
        *(order.quantity, order.filled_quantity, order.price, order.trigger_price),
        *(order.average_price, order.cost, fees),
        *(round(way.ours_ms, 3), None if way.exchange_ms is None else round(way.exchange_ms, 3)),
        *(order.client_order_id, order.exchange_order_id, order.reason),
    )


def _fees(order: OrderRow) -> dict[str, Decimal]:
    """What the fills cost in fees, by asset."""
    fees: dict[str, Decimal] = {}
    for fill in order.fills:
        if fill.fee is not None and fill.fee_asset is not None:
            fees[fill.fee_asset] = fees.get(fill.fee_asset, Decimal(0)) + fill.fee
    return fees
