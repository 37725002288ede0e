"""``flask doctor``: what is wrong with this installation, and how to mend it."""

from __future__ import annotations

from dataclasses import asdict

import click
from flask.cli import with_appcontext

from app.cli.group import reading_only
from app.cli.output import json_option, show_json
from app.services import diagnosis
from app.services.diagnosis import Finding, State

_LOOKS = {State.OK: ("✓", "green"), State.WARNING: ("!", "yellow"), State.FAILED: ("✗", "red")}


@click.command()
@json_option
@click.pass_context
@with_appcontext
def doctor(ctx: click.Context, as_json: bool) -> None:
    """Check everything that trading needs; exit 1 when something fails."""
    found: list[Finding] = []
    with reading_only():
        for finding in diagnosis.examine():
            found.append(finding)
            if not as_json:
                _tell(finding)
    if as_json:
        show_json([asdict(finding) for finding in found])
    if any(finding.state is State.FAILED for finding in found):
        ctx.exit(1)


def _tell(finding: Finding) -> None:
    sign, colour = _LOOKS[finding.state]
    click.echo(f"{click.style(sign, fg=colour)} {finding.part:<11} {finding.detail}")
    if finding.remedy is not None:
        click.echo(f"  {'':<11} {finding.remedy}")
