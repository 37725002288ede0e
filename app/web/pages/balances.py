"""The balances pages: what is held where, what it is worth, and how that went."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from flask import Blueprint, abort, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app.domain.money import EXACT
from app.models import BalanceRow, Broker, FuturesBalance
from app.services import balances, brokers, history, holdings, ledger
from app.services.history import Holding
from app.services.holdings import Held, HoldingFilter
from app.web import drawing, exports, paging
from app.web.access import member
from app.web.addresses import with_query
from app.web.ids import row_id
from app.web.periods import PERIODS

blueprint = Blueprint("balances", __name__, url_prefix="/balances")

_PER_PAGE = 50
_ENTRIES = 20
_CENT = Decimal("0.01")
_COLUMNS = (
    *("Broker", "Exchange", "Account", "Asset", "Free", "In use", "Total"),
    *("USD", "USD in 24 hours", "Drift"),
)


@blueprint.get("/")
@member
def index() -> ResponseReturnValue:
    """The balances that pass the filters in the address."""
    wanted = _wanted()
    found = holdings.matching(current_user, wanted)
    page = paging.page_of(paging.asked_for(), _PER_PAGE, len(found), "balances.index")
    start = (page.number - 1) * _PER_PAGE
    shown = holdings.with_course(found[start : start + _PER_PAGE])
    return render_template(
        "balances/list.html",
        filters={name: request.args.get(name, "") for name in ("broker_id", "asset", "dust")},
        brokers=brokers.of(current_user),
        balances=[{"held": held, "lines": drawing.lines(held.course)} for held in shown],
        futures=holdings.futures_matching(current_user, wanted),
        worth=_worth(found),
        unpriced=sorted({held.row.asset for held in found if held.row.usd_value is None and held.row.total}),
        page=page,
        exports=exports.links(url_for("balances.export")),
    )


@blueprint.get("/export")
@member
def export() -> ResponseReturnValue:
    """The same as a file, all pages of it."""
    wanted = _wanted()
    spot = holdings.with_course(holdings.matching(current_user, wanted))
    futures = holdings.futures_matching(current_user, wanted)
    rows = [
        *(_row(held.broker, held.row, "spot", held.day_change, held.row.drift) for held in spot),
        *(_row(broker, row, "futures", None, None) for broker, row in futures),
    ]
    return exports.answer("balances", _COLUMNS, rows)


@blueprint.get("/<int:broker_id>/<asset>")
@member
def asset(broker_id: int, asset: str) -> ResponseReturnValue:
    """One asset of a broker: what is held, its worth over time, and what moved it."""
    broker = _own(broker_id)
    period = _period()
    held = _held(broker, asset)
    points = history.of_asset(broker, asset, PERIODS[period], held.row if held is not None else None)
    if held is None and not history.knows(broker, asset):
        abort(404)
    here = url_for("balances.asset", broker_id=broker.id, asset=asset)
    return render_template(
        "balances/asset.html",
        broker=broker,
        asset=asset,
        held=held,
        period=period,
        periods={name: with_query(here, period=name) for name in PERIODS},
        points=history.rows(points, PERIODS[period]),
        exports=exports.links(url_for("balances.export_course", broker_id=broker.id, asset=asset)),
        entries=ledger.entries(broker, asset=asset, limit=_ENTRIES),
    )


@blueprint.get("/<int:broker_id>/<asset>/history")
@member
def course(broker_id: int, asset: str) -> ResponseReturnValue:
    """The figures of an asset's curve, as of the equity curve's; None where no price was known."""
    values = {int(point.at.timestamp()): _dollars(point.usd) for point in _course(broker_id, asset)}
    return {"points": [{"time": time, "value": value} for time, value in values.items()]}


@blueprint.get("/<int:broker_id>/<asset>/export")
@member
def export_course(broker_id: int, asset: str) -> ResponseReturnValue:
    """The same as a file, with how much was held."""
    columns = ("Time (UTC)", "Held", "USD")
    return exports.answer("balance-history", columns, _course(broker_id, asset))


def _course(broker_id: int, asset: str) -> list[Holding]:
    broker = _own(broker_id)
    return history.of_asset(broker, asset, PERIODS[_period()], balances.of(broker, asset))


def _own(broker_id: int) -> Broker:
    return brokers.find(current_user, broker_id) or abort(404)


def _held(broker: Broker, asset: str) -> Held | None:
    row = balances.of(broker, asset)
    return None if row is None else holdings.with_course([Held(broker, row)])[0]


def _wanted() -> HoldingFilter:
    given = request.args
    return HoldingFilter(
        broker_id=given.get("broker_id", type=row_id),
        asset=given.get("asset", "").strip() or None,
        without_dust=given.get("dust") == "hidden",
    )


def _period() -> str:
    asked = request.args.get("period", "week")
    return asked if asked in PERIODS else "week"


def _worth(found: Sequence[Held]) -> Decimal:
    return sum((held.row.usd_value for held in found if held.row.usd_value is not None), Decimal(0))


def _row(
    broker: Broker,
    row: BalanceRow | FuturesBalance,
    account: str,
    change: Decimal | None,
    drift: Decimal | None,
) -> exports.Row:
    amounts = (row.free, row.locked, row.total, row.usd_value)
    return (broker.name, broker.exchange, account, row.asset, *amounts, change, drift)


def _dollars(usd: Decimal | None) -> str | None:
    return None if usd is None else format(EXACT.quantize(usd, _CENT), "f")
