"""Drift: what an exchange reports beyond what our ledger expects, shown at once and taken in when it stays.

Every sync of balances carries `BalanceRow.expected` forward by the entries that it has not counted yet, and sets the
drift to what was reported beyond it. Balances and executions are read at different moments, so a drift may be merely
early or late: an execution that the balance shows and we have not booked, or the other way round. Those go away by
themselves. What stays was done by hand; it is never fought, but taken in as an EXTERNAL entry that names it.

Why no real drift stays hidden: the drift is computed anew from the reported balance at every sync, by no rule that
leaves anything out, and only a written entry of the same amount ends it.

Why what is taken in is external. Call a sync quiet for an asset when it finds no entry of it to count. A drift is
noted at a quiet sync (``drift_since``) and taken in at a later one when every sync since was quiet, the drift is the
same, and a look at the broker's orders that began after the note has booked all that had executed. Then

- nothing counted by the note had executed after its balance was read: it was counted at an earlier sync, and syncs
  take turns (`app.services.balances.store` drops one that asked before the last was stored);
- nothing that its balance showed was still to be booked: the look would have booked it, and a sync since would have
  counted it. An order whose outcome is unknown, or whose fills are not all listed, holds everything up: see
  `_settled_until`.

So the drift as noted is external, to the last digit. Should an exchange break what this rests on, by telling of an
execution only after it denied it, the late booking makes a drift of the opposite amount, which is taken in likewise:
the sum of the ledger is the balance again, and both entries stay to be seen.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from decimal import Decimal

import structlog
from sqlalchemy import or_, select

from app.domain.ledger import EntryKind
from app.domain.money import EXACT, plain
from app.domain.orders import OrderStatus
from app.extensions import db
from app.models import BalanceRow, Broker, LedgerEntry, OrderRow

log = structlog.get_logger()

_ZERO = Decimal(0)
_LIVE = (OrderStatus.OPEN, OrderStatus.PARTIALLY_FILLED)

_OPENED = "held when the ledger was opened"


def follow(broker: Broker, rows: dict[str, BalanceRow], at: datetime) -> None:
    """Bring what is expected up to what was booked, note how far the reported balances are from it, and take in what
    stayed.

    ``rows`` are the balances as just reported; an asset that was booked and is not reported joins them with nothing
    held. Opens the ledger when there is none, unless an order is in doubt. Does not commit.
    """
    # Asked before the entries are read: what it vouches for must be among them.
    settled = _settled_until(broker, at)
    if broker.ledger_opened_at is None:
        if settled is not None:
            _expect(broker, rows)
            _take_in(broker, rows.values(), EntryKind.OPENING, _OPENED, at)
            broker.ledger_opened_at = at
        return
    before = {asset: row.drift for asset, row in rows.items()}
    moved = _expect(broker, rows)
    stayed = []
    for asset, row in rows.items():
        if not row.drift or asset in moved:
            row.drift_since = None
        elif row.drift_since is None or row.drift != before[asset]:
            row.drift_since = at
        elif settled is not None and settled > row.drift_since:
            stayed.append(row)
    _take_in(broker, stayed, EntryKind.EXTERNAL, _in_words(stayed), at)


def _settled_until(broker: Broker, now: datetime) -> datetime | None:
    """Everything that had executed by this moment is booked; None when that cannot be told for any moment.

    Only orders that rest may have executed unheard of since they were last looked at.
    """
    mine = OrderRow.broker_id == broker.id
    in_doubt = or_(OrderRow.status == OrderStatus.SUBMITTED, OrderRow.fills_missing.is_(True))
    if db.session.scalar(select(OrderRow.id).where(mine, in_doubt).limit(1)) is not None:
        return None
    if db.session.scalar(select(OrderRow.id).where(mine, OrderRow.status.in_(_LIVE)).limit(1)) is None:
        return now
    return db.session.scalar(select(Broker.orders_seen_at).where(Broker.id == broker.id))


def _expect(broker: Broker, rows: dict[str, BalanceRow]) -> set[str]:
    """Carry what is expected forward by the entries not counted yet; returns the assets that had any."""
    query = select(LedgerEntry).where(LedgerEntry.broker_id == broker.id, LedgerEntry.counted.is_(False))
    moved: dict[str, Decimal] = {}
    for entry in db.session.scalars(query):
        moved[entry.asset] = EXACT.add(moved.get(entry.asset, _ZERO), entry.amount)
        entry.counted = True
    for asset in moved.keys() - rows.keys():
        rows[asset] = BalanceRow(broker_id=broker.id, asset=asset, free=_ZERO, locked=_ZERO, total=_ZERO)
        db.session.add(rows[asset])
    for asset, row in rows.items():
        row.expected = EXACT.add(row.expected or _ZERO, moved.get(asset, _ZERO))
        row.drift = EXACT.subtract(row.total, row.expected)
    return set(moved)


def _take_in(broker: Broker, rows: Iterable[BalanceRow], kind: EntryKind, note: str, at: datetime) -> None:
    """Write the drift of these balances into the ledger, after which there is none."""
    for row in rows:
        if row.drift:
            entry = LedgerEntry(
                broker_id=broker.id,
                asset=row.asset,
                amount=row.drift,
                kind=kind,
                note=note,
                at=at,
                counted=True,
            )
            db.session.add(entry)
            if kind is EntryKind.EXTERNAL:
                log.info("drift_taken_in", broker_id=broker.id, asset=row.asset, amount=plain(row.drift))
        row.expected, row.drift, row.drift_since = row.total, _ZERO, None


def _in_words(stayed: Collection[BalanceRow]) -> str:
    """What the drift of some balances, taken in together, looks like."""
    changes = [(row.asset, row.drift) for row in stayed if row.drift]
    if len({amount > 0 for _, amount in changes}) < 2:
        return "a deposit or a withdrawal, or anything else that no order of ours did"
    told = ", ".join(f"{'+' if amount > 0 else ''}{plain(amount)} {asset}" for asset, amount in changes)
    return f"most likely a trade made by hand on the exchange: {told}"
