"""``flask maintenance``: the pages away for a while, everything else as ever."""

from __future__ import annotations

import click

from app.cli.group import Commands
from app.cli.output import Row, json_option, show_one
from app.services import maintenance as service
from app.services.maintenance import Maintenance

maintenance = Commands("maintenance", help="Answer every page with 503 while alerts, API and orders go on.")


@maintenance.command()
@click.option("--reason", default="", help="Why, in words that everyone will read.")
@click.option(
    "--minutes",
    type=click.IntRange(1, 24 * 60),
    default=5,
    show_default=True,
    help="When to look again; nothing ends by itself.",
)
@json_option
def on(reason: str, minutes: int, as_json: bool) -> None:
    """Take the pages away."""
    show_one(_row(service.begin(reason.strip(), retry_after=minutes * 60)), as_json=as_json)
    click.echo("Bring them back with: flask maintenance off", err=True)


@maintenance.command()
def off() -> None:
    """Bring the pages back."""
    click.echo("The pages are back." if service.end() else "The pages were not away.")


@maintenance.command()
@json_option
def status(as_json: bool) -> None:
    """Say whether the pages are away."""
    show_one(_row(service.current()), as_json=as_json)


def _row(found: Maintenance | None) -> Row:
    if found is None:
        return {"on": False, "since": None, "reason": None}
    return {"on": True, "since": found.since, "reason": found.reason or None}
