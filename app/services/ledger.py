"""The money ledger of each broker: what its account held at first, and every amount that came or went since."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from app.domain.ledger import EntryKind, exact_sum, movements, tells_fee
from app.domain.money import EXACT
from app.extensions import db
from app.models import BalanceRow, Broker, FillRow, LedgerEntry, utc_now

_ZERO = Decimal(0)
_INSERT = db.metadata.tables[LedgerEntry.__tablename__].insert().inline()  # nobody needs the new ids
_FEE_UNKNOWN = "the exchange did not tell the fee of this execution"


@dataclass(frozen=True, slots=True)
class Account:
    """One asset of a ledger against the balance it should explain.

    ``amounts`` is the sum by kind and ``total`` their sum; ``booked_since`` is the part of it that was booked after the
    balances were last read, which they may not show yet. ``expected`` is None until the ledger is opened, ``reported``
    until the first sync.
    """

    asset: str
    amounts: dict[EntryKind, Decimal]
    total: Decimal
    booked_since: Decimal
    reported: Decimal | None
    expected: Decimal | None

    @property
    def drift(self) -> Decimal | None:
        """What the exchange reported beyond what was booked by then; None until the ledger is opened."""
        if self.reported is None or self.expected is None:
            return None
        return EXACT.subtract(self.reported, EXACT.subtract(self.total, self.booked_since))

    @property
    def carried_wrongly(self) -> bool:
        """Whether the figure that is carried forward from sync to sync is not the sum of its entries."""
        carried = EXACT.subtract(self.total, self.booked_since)
        return self.expected is not None and self.expected != carried


def book(executions: Iterable[FillRow]) -> None:
    """Add what executions moved, to become true together with the executions themselves, which must be stored."""
    rows = [entry for execution in executions for entry in _entries(execution)]
    db.session.connection().execute(_INSERT, rows)  # not the session's: orders wait for this


def _entries(execution: FillRow) -> Iterator[dict[str, Any]]:
    order = execution.order
    note = None if tells_fee(execution) else _FEE_UNKNOWN
    for asset, amount, kind in movements(order.symbol, order.side, execution):
        yield {
            "broker_id": order.broker_id,
            "asset": asset,
            "amount": amount,
            "kind": kind,
            "order_id": order.id,
            "fill_id": execution.id,
            "note": note,
            "at": execution.at or utc_now(),
            "counted": False,
        }


def entries(broker: Broker, *, asset: str | None = None, limit: int) -> Sequence[LedgerEntry]:
    """The latest entries of a broker, or of one asset of it, newest first."""
    query = select(LedgerEntry).where(LedgerEntry.broker_id == broker.id)
    if asset is not None:
        query = query.where(LedgerEntry.asset == asset)
    return db.session.scalars(query.order_by(LedgerEntry.id.desc()).limit(limit)).all()


def accounts(broker: Broker) -> list[Account]:
    """The whole ledger of a broker summed up and held against its balances, by asset."""
    kinds: defaultdict[str, defaultdict[EntryKind, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    since: defaultdict[str, Decimal] = defaultdict(Decimal)
    query = select(LedgerEntry.asset, LedgerEntry.kind, LedgerEntry.amount, LedgerEntry.counted)
    for asset, kind, amount, counted in db.session.execute(query.where(LedgerEntry.broker_id == broker.id)):
        kinds[asset][kind] = EXACT.add(kinds[asset][kind], amount)
        if not counted:
            since[asset] = EXACT.add(since[asset], amount)
    rows = db.session.scalars(select(BalanceRow).where(BalanceRow.broker_id == broker.id)).all()
    held = {row.asset: row for row in rows}
    opened = broker.ledger_opened_at is not None
    return [
        _account(asset, kinds[asset], since[asset], held.get(asset), opened=opened)
        for asset in sorted({*kinds, *held})
    ]


def _account(
    asset: str, amounts: dict[EntryKind, Decimal], since: Decimal, row: BalanceRow | None, *, opened: bool
) -> Account:
    absent = _ZERO if opened else None  # an exchange leaves out what an account holds nothing of
    return Account(
        asset=asset,
        amounts=dict(amounts),
        total=exact_sum(amounts.values()),
        booked_since=since,
        reported=absent if row is None else row.total,
        expected=absent if row is None else row.expected,
    )
