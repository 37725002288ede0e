"""The markets of a broker: searching, their rules and prices, and which are favourites."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from app.models import Broker
from app.services import brokers, favourites, market_search, prices, underway
from app.services.market_search import MarketFilter
from app.services.underway import Work
from app.web import paging
from app.web.access import member
from app.web.ids import row_id

blueprint = Blueprint("markets", __name__, url_prefix="/markets")

_PER_PAGE = 50
_FILTERS = ("broker_id", "q", "quote", "only", "page")


@blueprint.get("/")
@member
def index() -> ResponseReturnValue:
    """The markets that pass the filters in the address."""
    owned = brokers.of(current_user)
    broker = _chosen(owned)
    if broker is None:
        return render_template("markets/list.html", brokers=owned, broker=None)
    wanted = _wanted()
    found, total = market_search.listing(current_user, broker, wanted)
    symbols = [each.market.symbol for each in found]
    return render_template(
        "markets/list.html",
        brokers=owned,
        broker=broker,
        filters=_filters(broker),
        quotes=market_search.quotes(broker),
        markets=found,
        prices=prices.last_of(broker.exchange, broker.environment, symbols),
        loading=underway.stage(Work.MARKETS, broker.id),
        page=paging.page_of(wanted.page, wanted.per_page, total, "markets.index"),
    )


@blueprint.post("/favourites")
@member
def favourite() -> ResponseReturnValue:
    """Star the market of the form, or with ``starred=0`` take its star away; htmx gets the star alone."""
    broker = _own(request.args.get("broker_id", type=row_id))
    symbol = request.form.get("symbol", "")
    market_id = market_search.id_of(broker, symbol) or abort(404)
    starred = request.form.get("starred", "1") != "0"
    (favourites.add if starred else favourites.remove)(current_user, market_id)
    if "HX-Request" in request.headers:
        return render_template("markets/_star.html", symbol=symbol, starred=starred, filters=_filters(broker))
    return redirect(url_for("markets.index", **_filters(broker)))


@blueprint.post("/update")
@member
def update() -> ResponseReturnValue:
    """Have a worker load the markets of a broker anew."""
    broker = _own(request.form.get("broker_id", type=row_id))
    if not brokers.request_markets(broker):
        flash(
            _("The task queue cannot be reached, so no worker was asked. Try again when Redis is back."),
            "error",
        )
    return redirect(url_for("markets.index", broker_id=broker.id))


def _chosen(owned: Sequence[Broker]) -> Broker | None:
    """The broker in the address, or the main one."""
    broker_id = request.args.get("broker_id", type=row_id)
    if broker_id is not None:
        return next((broker for broker in owned if broker.id == broker_id), None) or abort(404)
    return owned[0] if owned else None


def _own(broker_id: int | None) -> Broker:
    found = None if broker_id is None else brokers.find(current_user, broker_id)
    return found or abort(404)


def _wanted() -> MarketFilter:
    return MarketFilter(
        text=request.args.get("q", "").strip(),
        quote=request.args.get("quote", "").strip().upper(),
        favourites=request.args.get("only") == "favourites",
        page=paging.asked_for(),
        per_page=_PER_PAGE,
    )


def _filters(broker: Broker) -> dict[str, Any]:
    """The filters as the address has them, the broker always named."""
    kept = {name: request.args[name] for name in _FILTERS if request.args.get(name)}
    return {**kept, "broker_id": broker.id}
