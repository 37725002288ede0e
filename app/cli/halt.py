"""``flask halt`` and ``flask panic``: the kill switch."""

from __future__ import annotations

import click
from flask.cli import with_appcontext

from app.cli.group import Command, Commands, reading_only
from app.cli.output import Row, json_option, show, show_one
from app.cli.owner import owner, owner_option
from app.cli.reach import reach, reach_options
from app.models import Halt
from app.services import halts
from app.services.halts import Reach
from app.services.panic import Toll, foresee, press

halt = Commands("halt", help="Stop entries at once; exits still run.")

_COLUMNS = ("id", "scope", "covers", "cause", "reason", "started_at", "ended_at")
_EXITS_RUN = "Exits still run: what guards or closes a position is sent as ever."


@halt.command()
@reach_options
@click.option("--reason", default="", help="Why, in words that everyone concerned will read.")
@owner_option
@json_option
def start(broker_name: str | None, server: bool, reason: str, email: str | None, as_json: bool) -> None:
    """Stop the entries of a broker, of all brokers of the account, or of the whole server."""
    user = owner(email)
    started = halts.start(reach(user, broker_name, server), user, reason)
    show_one(_row(started), as_json=as_json)
    click.echo(_EXITS_RUN, err=True)


@halt.command()
@reach_options
@owner_option
@json_option
def lift(broker_name: str | None, server: bool, email: str | None, as_json: bool) -> None:
    """Let entries go on where exactly this was halted."""
    user = owner(email)
    wanted = reach(user, broker_name, server)
    show_one({"covers": wanted.name, "lifted": halts.lift(wanted, user)}, as_json=as_json)


@halt.command("list")
@click.option("--all", "ended_too", is_flag=True, help="Those that were lifted, too.")
@owner_option
@json_option
def list_(ended_too: bool, email: str | None, as_json: bool) -> None:
    """List the halts in force, newest first."""
    with reading_only():
        rows = [_row(found) for found in halts.seen_by(owner(email), ended_too=ended_too)]
    show(rows, _COLUMNS, as_json=as_json, nothing="Nothing is halted.")


@click.command(cls=Command)
@reach_options
@click.option("--reason", default="panic", show_default=True)
@click.option("--yes", is_flag=True, help="Do not ask.")
@owner_option
@json_option
@with_appcontext
def panic(
    broker_name: str | None, server: bool, reason: str, yes: bool, email: str | None, as_json: bool
) -> None:
    """Stop entries, cancel every entry order and sell every position of a broker, an account or the server."""
    with reading_only():
        user = owner(email)
        wanted = reach(user, broker_name, server)
        toll = foresee(wanted)
    if not yes:
        click.confirm(_question(wanted, toll), abort=True, err=True)
    started, done = press(wanted, user, reason)
    show_one(
        {**_row(started), "orders_cancelled": done.orders, "positions_closing": done.positions},
        as_json=as_json,
    )
    click.echo("Entries stay halted until you lift it: flask halt lift", err=True)


def _question(wanted: Reach, toll: Toll) -> str:
    return (
        f"This halts all entries of {wanted.name}, cancels {toll.orders} entry orders "
        f"and sells {toll.positions} positions at the market. Do it?"
    )


def _row(found: Halt) -> Row:
    return {
        "id": found.id,
        "scope": found.scope.value,
        "covers": halts.covered(found),
        "cause": found.cause.value,
        "reason": found.reason,
        "started_at": found.started_at,
        "ended_at": found.ended_at,
    }
