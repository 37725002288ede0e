"""``flask risk``: what entries may cost and risk at most."""

from __future__ import annotations

import click
from marshmallow import ValidationError

from app.cli.group import Commands, Refusal, reading_only
from app.cli.output import Row, json_option, show
from app.cli.owner import broker_named, owner, owner_option
from app.domain.risk import Limits
from app.models import Broker, User
from app.schemas.risk import LimitsSchema
from app.services import limits

risk = Commands("risk", help="Limits that every entry must keep; exits always pass.")

_NAMES = tuple(LimitsSchema().fields)
_OF_BROKER = "Limits of this broker alone; without it, of all brokers of the account together."


@risk.command("show")
@owner_option
@json_option
def show_(email: str | None, as_json: bool) -> None:
    """Show the limits of the account and of each broker that has some."""
    with reading_only():
        rows = [
            {"covers": _covers(row.broker), **limits.as_json(row.to_domain())}
            for row in limits.all_of(owner(email))
        ]
    if as_json:
        show(rows, ("covers",), as_json=True, nothing="")
        return
    lines = [
        {"covers": row["covers"], "limit": name, "value": row[name]}
        for row in rows
        for name in _NAMES
        if row[name] is not None
    ]
    show(
        lines,
        ("covers", "limit", "value"),
        as_json=False,
        nothing="No limit is set: flask risk set NAME VALUE",
    )


@risk.command("set")
@click.argument("name", type=click.Choice(_NAMES))
@click.argument("value")
@click.option("--broker", "broker_name", metavar="NAME", help=_OF_BROKER)
@owner_option
@json_option
def set_(name: str, value: str, broker_name: str | None, email: str | None, as_json: bool) -> None:
    """Set one limit to VALUE; the next entry has to keep it.

    A cooldown is one limit of two: give cooldown_losses as LOSSES,MINUTES, for example 3,60.
    """
    user, broker = _concerned(email, broker_name)
    _change(user, broker, _named(name, value), as_json=as_json)


@risk.command()
@click.argument("name", type=click.Choice(_NAMES), required=False)
@click.option("--broker", "broker_name", metavar="NAME", help=_OF_BROKER)
@owner_option
@json_option
def clear(name: str | None, broker_name: str | None, email: str | None, as_json: bool) -> None:
    """Take one limit away, or all of them."""
    user, broker = _concerned(email, broker_name)
    names = _NAMES if name is None else _named(name, "")
    _change(user, broker, dict.fromkeys(names, ""), as_json=as_json)


def _named(name: str, value: str) -> dict[str, str]:
    """The fields that a name stands for: both of a cooldown, which makes no sense by halves."""
    if name not in ("cooldown_losses", "cooldown_minutes"):
        return {name: value}
    losses, _, minutes = value.partition(",")
    return {"cooldown_losses": losses.strip(), "cooldown_minutes": minutes.strip()}


def _concerned(email: str | None, broker_name: str | None) -> tuple[User, Broker | None]:
    user = owner(email)
    return user, None if broker_name is None else broker_named(user, broker_name)


def _change(user: User, broker: Broker | None, fields: dict[str, str], *, as_json: bool) -> None:
    wanted = _loaded(limits.of(user, broker), fields)
    limits.put(user, broker, wanted)
    row: Row = {"covers": _covers(broker), **limits.as_json(wanted)}
    show([row] if as_json else _set(row), ("limit", "value"), as_json=as_json, nothing="No limit is left.")


def _set(row: Row) -> list[Row]:
    return [{"limit": name, "value": row[name]} for name in _NAMES if row[name] is not None]


def _loaded(known: Limits, fields: dict[str, str]) -> Limits:
    schema = LimitsSchema()
    try:
        loaded: Limits = schema.load({**schema.dump(known), **fields})
    except ValidationError as error:
        wrong = "; ".join(f"{name}: {' '.join(words)}" for name, words in error.messages_dict.items())
        raise Refusal(f"that is no limit: {wrong}", remedy="Run: flask risk set --help") from None
    return loaded


def _covers(broker: Broker | None) -> str:
    return "all brokers" if broker is None else broker.name
