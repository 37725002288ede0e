"""Brokers whose balances are not synced any more, though their keys work and they are not paused."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from app.domain.audit import Action
from app.extensions import db
from app.extensions import redis as store
from app.models import Broker, utc_now
from app.services import audit

#: Syncs come every 30 s: so many in a row that failed are no accident.
STALE_AFTER = timedelta(minutes=5)

#: The ids of the brokers of which it was said, so that it is said once until they are synced again.
_SAID = "brokers:stale"


def look() -> int:
    """Write down which brokers have become stale since the last look; returns how many."""
    query = select(Broker).where(
        Broker.active.is_(True),
        Broker.connected.is_(True),
        Broker.balances_synced_at < utc_now() - STALE_AFTER,
    )
    stale = {broker.id: broker for broker in db.session.scalars(query)}
    said = {int(str(broker_id)) for broker_id in store.smembers(_SAID)}
    if recovered := said - stale.keys():
        store.srem(_SAID, *recovered)
    new = [broker for broker_id, broker in stale.items() if broker_id not in said]
    for broker in new:
        last = f"{broker.balances_synced_at:%Y-%m-%d %H:%M:%S} UTC"
        reason = f"its balances could not be synced since {last}"
        audit.record(
            Action.BROKER_SYNC_FAILING,
            f"broker {broker.id}",
            user_id=broker.user_id,
            name=broker.name,
            reason=reason,
        )
    db.session.commit()
    if new:
        store.sadd(_SAID, *[broker.id for broker in new])
    return len(new)
