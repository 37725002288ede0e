"""``flask ledger``: every amount that came or went, its sums, and whether they are the balances."""

from __future__ import annotations

import click

from app.cli.group import Commands, Refusal, reading_only
from app.cli.output import Row, json_option, show
from app.cli.owner import broker_named, owner, owner_option
from app.domain.ledger import EntryKind
from app.domain.money import plain
from app.models import LedgerEntry
from app.services import ledger as books
from app.services.ledger import Account

ledger = Commands("ledger", help="The money ledger of a broker: entries, sums, and what drifts.")

_ENTRY = ("id", "at", "asset", "amount", "kind", "order_id", "note")
_SUM = ("asset", *(kind.value.lower() for kind in EntryKind), "total")
_CHECK = ("asset", "total", "booked_since", "reported", "drift")


@ledger.command("list")
@click.argument("broker_name", metavar="[BROKER]", required=False)
@click.option("--asset", help="Of this asset only.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=50, show_default=True)
@owner_option
@json_option
def list_(broker_name: str | None, asset: str | None, limit: int, email: str | None, as_json: bool) -> None:
    """List the latest entries of BROKER (the main one by default), newest first."""
    with reading_only():
        broker = broker_named(owner(email), broker_name)
        rows = [_entry(entry) for entry in books.entries(broker, asset=asset and asset.upper(), limit=limit)]
    show(rows, _ENTRY, as_json=as_json, nothing="Nothing is booked yet: flask broker sync")


@ledger.command("sum")
@click.argument("broker_name", metavar="[BROKER]", required=False)
@owner_option
@json_option
def sum_(broker_name: str | None, email: str | None, as_json: bool) -> None:
    """Sum the ledger of BROKER (the main one by default) by asset and kind."""
    rows = [_sums(account) for account in _accounts(email, broker_name)]
    show(rows, _SUM, as_json=as_json, nothing="Nothing is booked yet: flask broker sync")


@ledger.command()
@click.argument("broker_name", metavar="[BROKER]", required=False)
@owner_option
@json_option
def check(broker_name: str | None, email: str | None, as_json: bool) -> None:
    """Hold the sums of BROKER (the main one by default) against its balances; exit 1 when an asset drifts."""
    accounts = _accounts(email, broker_name)
    show(
        [_compared(account) for account in accounts],
        _CHECK,
        as_json=as_json,
        nothing="Nothing is booked yet.",
    )
    wrong = [account.asset for account in accounts if account.carried_wrongly]
    if wrong:
        raise Refusal(
            f"what is expected of {', '.join(wrong)} is not the sum of its entries",
            remedy="Run it once more. If it stays, something else than Switchyard has changed the database.",
        )
    drifting = [f"{account.asset} by {_signed(account)}" for account in accounts if account.drift]
    if drifting:
        raise Refusal(
            f"the exchange reports another balance than was booked: {', '.join(drifting)}",
            remedy="It is taken in as external within minutes, unless an order that is being looked up explains it.",
        )


def _accounts(email: str | None, broker_name: str | None) -> list[Account]:
    with reading_only():
        return books.accounts(broker_named(owner(email), broker_name))


def _signed(account: Account) -> str:
    drift = account.drift
    return "" if drift is None else f"{'+' if drift > 0 else ''}{plain(drift)}"


def _entry(entry: LedgerEntry) -> Row:
    return {
        "id": entry.id,
        "at": entry.at,
        "asset": entry.asset,
        "amount": entry.amount,
        "kind": entry.kind.value,
        "order_id": entry.order_id,
        "fill_id": entry.fill_id,
        "note": entry.note,
    }


def _sums(account: Account) -> Row:
    by_kind = {kind.value.lower(): account.amounts.get(kind) for kind in EntryKind}
    return {"asset": account.asset, **by_kind, "total": account.total}


def _compared(account: Account) -> Row:
    return {name: getattr(account, name) for name in _CHECK}
