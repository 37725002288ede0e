"""``flask alert``: sending one as TradingView would, and what became of those that came."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import click

from app.cli.group import Commands, Refusal, reading_only
from app.cli.output import Row, json_option, show, show_one
from app.cli.owner import owner, owner_option
from app.cli.server import webhook_url
from app.domain.alerts import AlertStatus
from app.models import Alert
from app.services import inbox, sources
from app.services.inbox import AlertFilter

if TYPE_CHECKING:
    import requests

alert = Commands("alert", help="Alerts: send one, list what came.")

_COLUMNS = ("id", "received_at", "source", "broker", "status", "action", "symbol", "reason")


@alert.command()
@click.argument("text")
@click.option("--url", help="The webhook URL of a source.")
@click.option("--source", "source_name", help="Name of a source here, with its token.")
@click.option("--token", envvar="SWITCHYARD_TOKEN", help="The source's token; better by SWITCHYARD_TOKEN.")
@click.option("--timeout", type=float, default=10, show_default=True, metavar="SECONDS")
@owner_option
@json_option
def send(
    text: str,
    url: str | None,
    source_name: str | None,
    token: str | None,
    timeout: float,
    email: str | None,
    as_json: bool,
) -> None:
    """Send TEXT (JSON or key=value pairs; - reads standard input) as an alert, by HTTP like any sender."""
    import requests  # here only: the web process loads this module too

    address = url or _address(source_name, token, email)
    body = sys.stdin.read() if text == "-" else text
    start = time.perf_counter()
    try:
        answer = requests.post(
            address, data=body.encode(), headers={"Content-Type": "text/plain"}, timeout=timeout
        )
    except requests.RequestException as error:
        # Not the error's own words: they contain the URL, and with it the token.
        raise Refusal(
            f"the webhook does not answer ({type(error).__name__})", remedy="Run: flask doctor"
        ) from None
    took = (time.perf_counter() - start) * 1000
    show_one({"http_status": answer.status_code, "ms": round(took, 1), **_told(answer)}, as_json=as_json)
    if not answer.ok:
        raise Refusal(
            f"the alert was refused with HTTP {answer.status_code}", remedy="Read the reason above."
        )


@alert.command("list")
@click.option("--status", type=click.Choice(AlertStatus, case_sensitive=False))
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True)
@owner_option
@json_option
def list_(status: AlertStatus | None, limit: int, email: str | None, as_json: bool) -> None:
    """List the alerts that came, newest first."""
    with reading_only():
        found, _ = inbox.listing(owner(email), AlertFilter(status=status, per_page=limit))
        rows = [_row(each) for each in found]
    show(rows, _COLUMNS, as_json=as_json, nothing="No alert yet.")


def _address(source_name: str | None, token: str | None, email: str | None) -> str:
    if source_name is None or token is None:
        raise Refusal("where to is not said", remedy="Give --url, or --source with --token.")
    with reading_only():
        source, user = sources.by_token(token), owner(email)
    if source is None or source.name != source_name or source.user_id != user.id:
        raise Refusal(f"that is not the token of {source_name}", remedy="See the sources: flask source list")
    return webhook_url(token)


def _told(answer: requests.Response) -> Row:
    try:
        told = answer.json()
    except ValueError:
        told = None
    return told if isinstance(told, dict) else {"answer": answer.text[:200]}


def _row(found: Alert) -> Row:
    return {
        "id": found.id,
        "source": found.source.name,
        "broker": found.broker.name,
        "status": found.status.value,
        "action": found.action,
        "symbol": found.symbol,
        "reason": found.reason,
        "received_at": found.received_at,
        "picked_up_at": found.picked_up_at,
        "processed_at": found.processed_at,
        "duplicate_of": found.duplicate_of_id,
    }
