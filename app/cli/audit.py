"""``flask audit``: what was done on this server, and the proof that nothing of it was changed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import IO

import click

from app.cli.group import Commands, Refusal, reading_only
from app.cli.output import Row, json_option, show, show_one
from app.domain.audit import Action
from app.extensions import db
from app.services import audit as trail
from app.services import sealing, users
from app.services.audit import EntryFilter

audit = Commands("audit", help="Who did what, when and from where; and its proof.")

_COLUMNS = ("position", "at", "actor", "address", "action", "subject", "detail")


@audit.command()
@click.option(
    "--expect", metavar="DIGEST", help="A head noted before; without it in the chain, its end was cut."
)
@click.option("--file", type=click.File(), help="An export to prove instead of the database.")
@json_option
def verify(expect: str | None, file: IO[str] | None, as_json: bool) -> None:
    """Prove the chain, or name its first broken link and exit 1. Note the head digest down somewhere else."""
    with reading_only():
        verdict = sealing.verify(noted=expect) if file is None else sealing.verify_lines(file, noted=expect)
    broken = None if verdict.broken is None else verdict.broken.what
    show_one({"links": verdict.links, "head": verdict.head, "broken": broken}, as_json=as_json)
    if verdict.broken is not None:
        raise Refusal(f"the audit chain is broken: {broken}", remedy=verdict.broken.remedy)


@audit.command("show")
@click.option("--user", "email", metavar="EMAIL", help="Only what concerns this account.")
@click.option("--action", metavar="NAME", help="Only this: order, or order.moved.")
@click.option("--subject", help='Only what happened to this: "order 12".')
@click.option("--since", type=click.DateTime(), help="Only from then on, in UTC.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True)
@json_option
def show_(
    email: str | None,
    action: str | None,
    subject: str | None,
    since: datetime | None,
    limit: int,
    as_json: bool,
) -> None:
    """List what happened, newest first, with the position of each in the chain."""
    with reading_only():
        user = None if email is None else users.by_email(email)
        if email is not None and user is None:
            raise Refusal(f"there is no account {email}", remedy="See the accounts: flask user list")
        wanted = EntryFilter(
            action=action,
            subject=subject,
            user_id=None if user is None else user.id,
            since=None if since is None else since.replace(tzinfo=UTC),
            per_page=limit,
        )
        rows: list[Row] = [dict(row) for row in trail.listing(wanted)[0]]
    show(rows, _COLUMNS, as_json=as_json, nothing="Nothing like that is written down.")


@audit.command()
def seal() -> None:
    """Chain at once what beat would chain within seconds, and print the head of the chain."""
    newest = sealing.seal(everything=True)
    if newest is None:
        click.echo("Nothing is written down yet.")
    else:
        show_one({"position": newest.position, "head": newest.digest}, as_json=False)


@audit.command()
@click.argument("file", type=click.File("w"), default="-")
def export(file: IO[str]) -> None:
    """Write the whole chain to FILE (standard output by default), one link a line in JSON."""
    trail.record(Action.AUDIT_EXPORTED, "audit")
    db.session.commit()
    sealing.seal(everything=True)
    with reading_only():
        for line in sealing.export():
            click.echo(line, file=file)
