"""``flask source``: the endpoints that alerts come to."""

from __future__ import annotations

import click

from app.cli.group import Commands, reading_only
from app.cli.output import Row, json_option, show, show_one
from app.cli.owner import broker_named, owner, owner_option
from app.cli.server import webhook_url
from app.models import Source
from app.services import sources

source = Commands("source", help="Webhook endpoints that alerts come to.")


@source.command()
@click.argument("name")
@click.option("--broker", "broker_name", help="The broker its alerts trade on; the main one by default.")
@click.option("--base-url", help="The public address of this server, for the printed URL.")
@owner_option
@json_option
def create(
    name: str, broker_name: str | None, base_url: str | None, email: str | None, as_json: bool
) -> None:
    """Make a source called NAME and print its URL, which is shown this once."""
    user = owner(email)
    made, token = sources.create(user, broker_named(user, broker_name), name)
    show_one({**_row(made), "url": webhook_url(token, base_url)}, as_json=as_json)


@source.command("list")
@owner_option
@json_option
def list_(email: str | None, as_json: bool) -> None:
    """List the sources; their URLs are not known any more."""
    with reading_only():
        rows = [_row(found) for found in sources.of(owner(email))]
    show(
        rows,
        ("id", "name", "broker", "enabled"),
        as_json=as_json,
        nothing="No source yet: flask source create NAME",
    )


def _row(found: Source) -> Row:
    return {
        "id": found.id,
        "name": found.name,
        "broker": found.broker.name,
        "enabled": found.enabled,
        "duplicate_window": found.duplicate_window,
        "expires_in": found.expires_in,
        "created_at": found.created_at,
    }
