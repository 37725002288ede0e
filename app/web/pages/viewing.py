"""What an open ticket asks for again and again: the order book with the last price, and candles."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, abort, render_template, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app.domain.markets import Candle, Market
from app.domain.money import plain
from app.models import Broker
from app.services import brokers, catalog, market_search, prices, viewing
from app.web.access import member
from app.web.ids import row_id

blueprint = Blueprint("viewing", __name__, url_prefix="/trade")

_ROWS = 50


@dataclass(frozen=True, slots=True)
class _Asked:
    """The market that the address names, and its row."""

    broker: Broker
    market: Market
    market_id: int


@blueprint.get("/book")
@member
def book() -> ResponseReturnValue:
    """The order book and the last price."""
    asked = _asked()
    view = viewing.book(asked.broker, asked.market_id)
    last = prices.last(asked.broker.exchange, asked.broker.environment, asked.market.symbol)
    return render_template("partials/book.html", view=view, market=asked.market, last=last)


@blueprint.get("/candles")
@member
def candles() -> ResponseReturnValue:
    """The candles for a chart: times in Unix seconds, prices as text; null until the first are fetched."""
    asked = _asked()
    view = viewing.candles(asked.broker, asked.market_id, _interval())
    shown = None if view.shown is None else [_drawn(candle) for candle in view.shown]
    return {"candles": shown, "problem": view.problem}


@blueprint.get("/candles/table")
@member
def candle_table() -> ResponseReturnValue:
    """The latest candles as a table, newest first."""
    asked, interval = _asked(), _interval()
    view = viewing.candles(asked.broker, asked.market_id, interval)
    latest = list(reversed(view.shown or []))[:_ROWS]
    return render_template(
        "partials/candles.html", candles=latest, problem=view.problem, market=asked.market, interval=interval
    )


def _asked() -> _Asked:
    broker_id = request.args.get("broker_id", type=row_id)
    broker = None if broker_id is None else brokers.find(current_user, broker_id)
    market = None if broker is None else catalog.known(broker, request.args.get("symbol", ""))
    if broker is None or market is None:
        abort(404)
    return _Asked(broker, market, market_search.id_of(broker, market.symbol) or abort(404))


def _interval() -> str:
    asked = request.args.get("interval", "")
    return asked if asked in viewing.INTERVALS else abort(404)


def _drawn(candle: Candle) -> dict[str, int | str]:
    return {
        "time": int(candle.at.timestamp()),
        "open": plain(candle.open),
        "high": plain(candle.high),
        "low": plain(candle.low),
        "close": plain(candle.close),
    }
