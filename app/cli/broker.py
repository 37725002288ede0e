"""``flask broker``: accounts on exchanges, their keys and their check-up."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping

import click

from app import dispatch
from app.cli.group import Commands, Refusal, reading_only
from app.cli.output import Row, json_option, show, show_one
from app.cli.owner import broker_named, owner, owner_option
from app.cli.waiting import handed_over, timeout_option, until
from app.domain.accounts import Credential, Environment, TradingMode
from app.exchanges import NAMES, credential_fields
from app.models import BalanceRow, Broker, User
from app.services import balances, brokers, catalog

broker = Commands("broker", help="Accounts on exchanges: keys, check-ups, syncs.")

_COLUMNS = ("id", "name", "exchange", "environment", "mode", "connected", "markets", "reason")
_CARD = ("id", "name", "exchange", "environment", "connected", "reason", "remedy", "checked_at")


@broker.command()
@click.argument("name")
@click.option("--exchange", type=click.Choice(NAMES), required=True)
@click.option("--environment", type=click.Choice(Environment, case_sensitive=False), default=Environment.LIVE)
@click.option("--region", help="Where the account was opened, on exchanges with regional hosts.")
@click.option("--mode", type=click.Choice(TradingMode, case_sensitive=False), default=TradingMode.OFF)
@click.option(
    "--dry-run", is_flag=True, help="Record entries without sending them; what is held stays guarded."
)
@click.option("--secrets-stdin", is_flag=True, help='Read the keys from standard input: {"api_key": …}.')
@click.option("--from-env", is_flag=True, help="Read the keys from API_KEY, API_SECRET and PASSPHRASE.")
@click.option("--practice", is_flag=True, help="A practice account on the sandbox, without keys.")
@click.option("--wait/--no-wait", default=True, help="Wait for the check-up and the markets.")
@timeout_option(60)
@owner_option
@json_option
def add(
    name: str,
    exchange: str,
    environment: Environment,
    region: str | None,
    mode: TradingMode,
    dry_run: bool,
    secrets_stdin: bool,
    from_env: bool,
    practice: bool,
    wait: bool,
    timeout: float,
    email: str | None,
    as_json: bool,
) -> None:
    """Connect an account on an exchange as NAME. Keys are asked for, never taken from the command line."""
    if practice:
        environment, credential = Environment.SANDBOX, None
    else:
        credential = _credential(exchange, secrets_stdin=secrets_stdin, from_env=from_env)
    user = owner(email)
    added = brokers.add(
        user,
        name=name,
        exchange=exchange,
        environment=environment,
        region=region,
        mode=mode,
        dry_run=dry_run,
        credential=credential,
    )
    if wait:
        added = _await_check_up(user, added, timeout)
        _refuse_when_not_connected(added)
        added = await_markets(user, added, timeout)
    with reading_only():
        row = _row(added)
    show_one(row, as_json=as_json)


@broker.command()
@click.argument("name")
@click.option(
    "--environment",
    type=click.Choice(Environment, case_sensitive=False),
    help="Where the new keys belong; it stays unless named.",
)
@click.option("--region", help="Where the account was opened; it stays unless named.")
@click.option("--secrets-stdin", is_flag=True, help='Read the keys from standard input: {"api_key": …}.')
@click.option("--from-env", is_flag=True, help="Read the keys from API_KEY, API_SECRET and PASSPHRASE.")
@click.option(
    "--same-account",
    is_flag=True,
    help="Confirm that they open the same account, while an order is unfinished or a position open.",
)
@click.option("--wait/--no-wait", default=True, help="Wait for the check-up.")
@timeout_option(60)
@owner_option
@json_option
def keys(
    name: str,
    environment: Environment | None,
    region: str | None,
    secrets_stdin: bool,
    from_env: bool,
    same_account: bool,
    wait: bool,
    timeout: float,
    email: str | None,
    as_json: bool,
) -> None:
    """Give broker NAME other keys. They are asked for, never taken from the command line."""
    with reading_only():
        user = owner(email)
        found = broker_named(user, name)
    checked_at = found.checked_at
    brokers.edit(
        found,
        name=found.name,
        environment=environment or found.environment,
        dry_run=found.dry_run,
        credential=_credential(found.exchange, secrets_stdin=secrets_stdin, from_env=from_env),
        same_account=same_account,
        region=region,
    )
    if wait:
        found = _await_check_up(user, found, timeout, since=checked_at)
        _refuse_when_not_connected(found)
    with reading_only():
        row = _row(found)
    show_one(row, as_json=as_json)


@broker.command("list")
@owner_option
@json_option
def list_(email: str | None, as_json: bool) -> None:
    """List the brokers, the main one first."""
    with reading_only():
        rows = [_row(found) for found in brokers.of(owner(email))]
    show(rows, _COLUMNS, as_json=as_json, nothing="No broker yet: flask broker add NAME")


@broker.command()
@click.argument("name", required=False)
@timeout_option(30)
@owner_option
@json_option
def test(name: str | None, timeout: float, email: str | None, as_json: bool) -> None:
    """Test the keys of broker NAME (the main one by default) and print the check-up card."""
    with reading_only():
        user = owner(email)
        found = broker_named(user, name)
    checked_at = found.checked_at
    handed_over(brokers.request_check(found))
    found = _await_check_up(user, found, timeout, since=checked_at)
    with reading_only():
        card = _card(found)
    show_one(card, as_json=as_json)
    _refuse_when_not_connected(found)


@broker.command()
@click.argument("name", required=False)
@timeout_option(30)
@owner_option
@json_option
def sync(name: str | None, timeout: float, email: str | None, as_json: bool) -> None:
    """Fetch the balances and open orders of broker NAME (the main one by default) now."""
    with reading_only():
        user = owner(email)
        found = broker_named(user, name)
    broker_id, synced_at = found.id, found.balances_synced_at
    handed_over(dispatch.sync_open_orders(broker_id, found.exchange))
    handed_over(dispatch.sync_balances(broker_id, found.exchange))

    def synced() -> Broker | None:
        row = brokers.find(user, broker_id)
        return row if row is not None and row.balances_synced_at != synced_at else None

    until(synced, doing=f"Syncing {found.name}", timeout=timeout)
    with reading_only():
        rows = [_holding(row) for holder, row in balances.held_by(user) if holder.id == broker_id]
    columns = ("asset", "free", "locked", "total", "usd")
    show(rows, columns, as_json=as_json, nothing="It holds nothing.")


def await_markets(user: User, found: Broker, timeout: float, *, since: object = None) -> Broker:
    """The broker once its markets have been loaded later than ``since``.

    Raises:
        Refusal: they could not be loaded.
        NoNews: nothing happened in time.
    """
    broker_id = found.id

    def loaded() -> Broker | None:
        row = brokers.find(user, broker_id)
        if row is None or (row.markets_loaded_at == since and row.markets_error is None):
            return None
        return row

    row = until(loaded, doing=f"Loading the markets of {found.name}", timeout=timeout)
    if row.markets_error is not None:
        raise Refusal(
            f"the markets could not be loaded: {row.markets_error}", remedy="Run: flask broker test"
        )
    return row


def _await_check_up(user: User, found: Broker, timeout: float, *, since: object = None) -> Broker:
    broker_id = found.id

    def checked() -> Broker | None:
        row = brokers.find(user, broker_id)
        return row if row is not None and row.checked_at != since else None

    return until(checked, doing=f"Testing the keys of {found.name}", timeout=timeout)


def _refuse_when_not_connected(found: Broker) -> None:
    if not found.connected:
        raise Refusal(
            f"{found.name} is not connected: {found.connection_reason}", remedy=found.connection_remedy
        )


def _credential(exchange: str, *, secrets_stdin: bool, from_env: bool) -> Credential:
    names = [field.name for field in credential_fields(exchange)]
    given: Mapping[str, object]
    if from_env:
        given = {name: os.environ.get(name.upper(), "") for name in names}
    elif secrets_stdin:
        given = _secrets_from(sys.stdin.read())
    else:
        given = {
            field.name: click.prompt(field.label, hide_input=field.secret, err=True)
            for field in credential_fields(exchange)
        }
    return Credential(
        api_key=str(given.get("api_key") or ""),
        api_secret=str(given.get("api_secret") or ""),
        passphrase=str(given.get("passphrase") or "") or None,
    )


def _secrets_from(text: str) -> Mapping[str, object]:
    try:
        given = json.loads(text)
    except json.JSONDecodeError:
        given = None  # the text is not repeated: it holds a secret
    if not isinstance(given, dict):
        raise Refusal(
            "standard input holds no keys",
            remedy='Give one JSON object: {"api_key": "…", "api_secret": "…", "passphrase": "…"}.',
        )
    return given


def _row(found: Broker) -> Row:
    return {
        "id": found.id,
        "name": found.name,
        "exchange": found.exchange,
        "environment": found.environment.value,
        "region": found.region,
        "mode": found.mode.value,
        "dry_run": found.dry_run,
        "active": found.active,
        "main": found.is_main,
        "connected": found.connected,
        "reason": found.connection_reason,
        "remedy": found.connection_remedy,
        "checked_at": found.checked_at,
        "markets": catalog.count(found),
        "markets_loaded_at": found.markets_loaded_at,
        "markets_error": found.markets_error,
        "balances_synced_at": found.balances_synced_at,
        "created_at": found.created_at,
    }


def _holding(row: BalanceRow) -> Row:
    return {
        "asset": row.asset,
        "free": row.free,
        "locked": row.locked,
        "total": row.total,
        "usd": row.usd_value,
    }


def _card(found: Broker) -> Row:
    card = {name: value for name, value in _row(found).items() if name in _CARD}
    return card | (found.check_up or {})
