"""Orders that wait for a price: OKX calls them algo orders, and keeps them apart from the orders they place.

One that has two exits is a pair to us: it has an id of its own and a leg for each exit, of which one executes. Exits
attached to an entry become such an order once it has filled; until then we name them after the client id that they will
have. What an algo order has placed is told under the algo order's id, since that is what was asked for.
Source: https://www.okx.com/docs-v5/en/#order-book-trading-algo-trading, June 2026.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from app.domain.orders import OrderReport, OrderStatus, OrderType, Side
from app.exchanges.okx import wire
from app.exchanges.okx.parse import ZERO, Row, ours
from app.exchanges.rest import milliseconds, positive, to_milliseconds

ALGO_PREFIX, ATTACHED_PREFIX = "algo-", "attached-"
STOP, TARGET = "sl", "tp"
_DATED = datetime.min.replace(tzinfo=UTC)

#: This long after its entry has filled an exit that is nowhere will not come any more.
GIVEN_UP_AFTER = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class AlgoId:
    """What one of our ids of algo orders says: which order, and which of its exits (none: the whole of it).

    ``number`` is OKX's own id, or the client id when it is ``attached`` and may not be there yet.
    """

    number: str
    leg: str = ""
    attached: bool = False

    @classmethod
    def read(cls, exchange_order_id: str) -> AlgoId | None:
        """None for the id of an order proper."""
        for prefix in (ALGO_PREFIX, ATTACHED_PREFIX):
            if exchange_order_id.startswith(prefix):
                number, _, leg = exchange_order_id.removeprefix(prefix).partition("-")
                return cls(number, leg, prefix == ATTACHED_PREFIX)
        return None

    @classmethod
    def of(cls, row: Row) -> AlgoId:
        """The id of an algo order's record, or of one that does not exist yet."""
        number = row.get("algoId")
        return cls(number) if number else cls(row["algoClOrdId"], attached=True)

    @property
    def query(self) -> dict[str, str]:
        """How OKX is asked for it."""
        return {"algoClOrdId" if self.attached else "algoId": self.number}

    def __str__(self) -> str:
        prefix = ATTACHED_PREFIX if self.attached else ALGO_PREFIX
        return f"{prefix}{self.number}-{self.leg}" if self.leg else prefix + self.number


def parse_algo(row: Row) -> OrderReport:
    """An algo order's own record: one exit, or a pair of them. How the order fared that it placed, `followed` tells."""
    exits = [kind for kind in (STOP, TARGET) if positive(row[f"{kind}TriggerPx"])]
    if not exits:
        raise ValueError("an algo order of another kind")
    if len(exits) == 1:
        return _exit(row, exits[0])
    legs = tuple(
        replace(
            _exit(row, kind),
            exchange_order_id=str(replace(AlgoId.of(row), leg=kind)),
            client_order_id=leg_client_id(row, kind),
        )
        for kind in exits
    )
    return replace(
        legs[0],
        exchange_order_id=str(AlgoId.of(row)),
        client_order_id=row.get("algoClOrdId") or None,
        type=None,
        price=None,
        trigger_price=None,
        children=legs,
    )


def leg_client_id(row: Row, kind: str) -> str | None:
    """Ours alone: OKX knows the pair by one."""
    return row["algoClOrdId"] + kind if row.get("algoClOrdId") else None


def _exit(row: Row, kind: str) -> OrderReport:
    quantity = None if row.get("tgtCcy") == wire.IN_QUOTE else positive(row["sz"])
    price = row[f"{kind}OrdPx"]
    created = milliseconds(row["cTime"])
    return OrderReport(
        exchange_order_id=str(AlgoId.of(row)),
        client_order_id=row.get("algoClOrdId") or None,
        symbol=ours(row["instId"]),
        side=Side(row["side"].upper()),
        type=_type(kind, at_limit=price != wire.AT_MARKET),
        status=wire.ALGO_STATUSES[row["state"]],
        quantity=quantity,
        filled_quantity=ZERO,
        remaining=quantity,
        price=None if price == wire.AT_MARKET else positive(price),
        trigger_price=Decimal(row[f"{kind}TriggerPx"]),
        cost=ZERO,
        created_at=created,
        updated_at=milliseconds(row["uTime"]) if row.get("uTime") else created,
        raw=row,
    )


def _type(kind: str, *, at_limit: bool) -> OrderType:
    if kind == STOP:
        return OrderType.STOP_LIMIT if at_limit else OrderType.STOP_LOSS
    return OrderType.TAKE_PROFIT_LIMIT if at_limit else OrderType.TAKE_PROFIT


def placed_orders(algo: OrderReport) -> list[str]:
    """The ids of the orders that an algo order has placed."""
    raw: Row = algo.raw
    listed = [str(order_id) for order_id in raw.get("ordIdList") or () if order_id]
    single = raw.get("ordId")
    return listed or ([str(single)] if single else [])


def has_executed(algo: OrderReport) -> bool:
    """Whether it has placed its order."""
    return algo.raw["state"] == wire.EFFECTIVE


def followed(algo: OrderReport, order: OrderReport) -> OrderReport:
    """An algo order told by the order that it placed; of a pair, the leg that executed. The other is cancelled."""
    if not algo.children:
        return _told_by(order, algo)
    executed = algo.raw.get("actualSide") or STOP
    legs = tuple(
        _told_by(order, leg)
        if (leg.exchange_order_id or "").endswith(f"-{executed}")
        else replace(leg, status=OrderStatus.CANCELED)
        for leg in algo.children
    )
    return replace(_told_by(order, algo), price=None, children=legs)


def _told_by(order: OrderReport, algo: OrderReport) -> OrderReport:
    return replace(
        order,
        exchange_order_id=algo.exchange_order_id,
        client_order_id=algo.client_order_id,
        type=algo.type,
        price=algo.price,
        trigger_price=algo.trigger_price,
        created_at=algo.created_at,
        raw=algo.raw,
    )


def leg_of(algo: OrderReport, asked: AlgoId) -> OrderReport:
    """What an id names: the algo order, or one leg of it."""
    if not asked.leg:
        return algo
    suffix = f"-{asked.leg}"
    return next((leg for leg in algo.children if (leg.exchange_order_id or "").endswith(suffix)), algo)


def exits_of(algo: OrderReport) -> tuple[OrderReport, ...]:
    """The exits that an algo order is or has."""
    return algo.children or (algo,)


#: What a record of an exit tells of its prices.
_PRICES = tuple(f"{kind}{word}" for kind in (STOP, TARGET) for word in ("TriggerPx", "OrdPx"))


def taken(row: Row, now_ms: int) -> OrderReport:
    """An algo order that was just placed: our request and the ids in the answer to it are its record."""
    return parse_algo({**dict.fromkeys(_PRICES, ""), **row, "state": "live", "cTime": now_ms})


def carried_by(entry: OrderReport) -> list[dict[str, Any]]:
    """The algo orders that an entry's record names, as records of their own that have not come to be yet."""
    raw: Row = entry.raw
    attached: Sequence[Row] = raw.get("attachAlgoOrds") or ()
    side = entry.side.opposite.lower() if entry.side else ""
    return [
        {
            **{name: exit_.get(name) or "" for name in _PRICES},
            "algoClOrdId": exit_["attachAlgoClOrdId"],
            "instId": raw["instId"],
            "side": side,
            "sz": raw["sz"],
            "state": "live",
            "cTime": to_milliseconds(entry.created_at or _DATED),
        }
        for exit_ in attached
        if exit_.get("attachAlgoClOrdId")
    ]


def unborn(row: Row, entry: OrderReport, now: datetime) -> tuple[OrderReport, ...]:
    """Exits that OKX has not created: they wait for the entry's fill, or will not come any more."""
    waits = not entry.status.is_final or (
        entry.status is OrderStatus.FILLED and now - (entry.updated_at or now) < GIVEN_UP_AFTER
    )
    status = OrderStatus.PENDING if waits else OrderStatus.CANCELED
    return tuple(replace(exit_, status=status) for exit_ in exits_of(parse_algo(row)))
