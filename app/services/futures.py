"""What backs futures: shown beside the spot balances, which alone are traded here, booked and counted as equity."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta

import structlog
from sqlalchemy import delete, select

from app.domain.accounts import Balance
from app.domain.errors import ExchangeError
from app.exchanges import capabilities
from app.extensions import db
from app.models import Broker, FuturesBalance, User, utc_now
from app.services import connections, prices

log = structlog.get_logger()

#: Nothing here moves them, so that they need not be asked for with every sync of balances.
_EVERY = timedelta(minutes=5)


def sync(broker: Broker) -> None:
    """Fetch what backs a broker's futures, if its exchange has any and it is time.

    A key that may not read them is as good as any other for spot: that is logged, and what is shown stays as it was.
    """
    now, last = utc_now(), broker.futures_synced_at
    if not capabilities(broker.exchange).futures_positions or (last is not None and now - last < _EVERY):
        return
    broker.futures_synced_at = now
    try:
        with connections.calling(broker) as exchange:
            held = exchange.futures_balances()
    except ExchangeError as refused:
        log.info("futures_not_read", broker_id=broker.id, reason=refused.message)
        return
    _store(broker, held.values())


def held_by(user: User) -> Sequence[tuple[Broker, FuturesBalance]]:
    """What backs a person's futures, with the broker of each."""
    query = select(Broker, FuturesBalance).join(FuturesBalance).where(Broker.user_id == user.id)
    rows = db.session.execute(query.order_by(Broker.name, FuturesBalance.asset)).all()
    return [(row[0], row[1]) for row in rows]


def _store(broker: Broker, held: Iterable[Balance]) -> None:
    db.session.execute(delete(FuturesBalance).where(FuturesBalance.broker_id == broker.id))
    for balance in held:
        usd = prices.worth(broker.exchange, broker.environment, balance.asset, balance.total)
        db.session.add(
            FuturesBalance(
                broker_id=broker.id,
                asset=balance.asset,
                free=balance.free,
                locked=balance.locked,
                total=balance.total,
                usd_value=usd,
            )
        )
    db.session.commit()
