"""``flask markets``: the tradable pairs of a broker."""

from __future__ import annotations

import click

from app.cli.broker import await_markets
from app.cli.group import Commands, reading_only
from app.cli.output import Row, json_option, show
from app.cli.owner import broker_named, owner, owner_option
from app.cli.waiting import handed_over, timeout_option
from app.domain.markets import Market
from app.services import brokers, catalog

markets = Commands("markets", help="Tradable pairs and their rules.")

_COLUMNS = ("symbol", "exchange_symbol", "tick_size", "lot_size", "min_quantity", "min_notional")


@markets.command()
@click.argument("broker_name", metavar="[BROKER]", required=False)
@timeout_option(60)
@owner_option
def load(broker_name: str | None, timeout: float, email: str | None) -> None:
    """Load the markets of BROKER (the main one by default) anew."""
    with reading_only():
        user = owner(email)
        broker = broker_named(user, broker_name)
    loaded_at = broker.markets_loaded_at
    handed_over(brokers.request_markets(broker))
    broker = await_markets(user, broker, timeout, since=loaded_at)
    with reading_only():
        click.echo(f"{broker.name} has {catalog.count(broker)} active markets.")


@markets.command("list")
@click.argument("text", required=False, default="")
@click.option("--broker", "broker_name", help="The main one by default.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True)
@owner_option
@json_option
def list_(text: str, broker_name: str | None, limit: int, email: str | None, as_json: bool) -> None:
    """List the active markets whose symbol contains TEXT, the best fit first."""
    with reading_only():
        broker = broker_named(owner(email), broker_name)
        found, total = catalog.search(broker, text, per_page=limit)
    nothing = "No such market." if broker.markets_loaded_at else "Not loaded yet: flask markets load"
    show([_row(market) for market in found], _COLUMNS, as_json=as_json, nothing=nothing)
    if total > len(found):
        click.echo(f"{total - len(found)} more; narrow TEXT or raise --limit.", err=True)


def _row(market: Market) -> Row:
    return {name: getattr(market, name) for name in Market.__slots__} | {"kind": market.kind.value}
