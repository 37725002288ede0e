"""Check-ups, balances and markets of brokers, and what open pages show of a market."""

from app.dispatch import TaskName
from app.services import balances, brokers, markets, viewing
from tasks.app import celery


@celery.task(name=TaskName.CHECK_BROKER.value)
def check(broker_id: int) -> None:
    """Run the check-up of a broker's keys."""
    brokers.check(broker_id)


@celery.task(name=TaskName.SYNC_BALANCES.value)
def sync_balances(broker_id: int) -> None:
    """Fetch what a broker holds and what it is worth."""
    balances.sync(broker_id)


@celery.task(name=TaskName.LOAD_MARKETS.value)
def load_markets(broker_id: int) -> None:
    """Fetch the markets of a broker."""
    markets.load(broker_id)


@celery.task(name=TaskName.LOOK_AT_MARKET.value)
def look_at_market(market_id: int) -> None:
    """Fetch what open pages show of a market."""
    viewing.fetch(market_id)
