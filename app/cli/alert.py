"""``flask alert``: sending one as TradingView would, what became of those that came, and what one would lead to."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import click

from app.cli.group import Commands, Refusal, reading_only
from app.cli.output import Row, json_option, show, show_one
from app.cli.owner import broker_named, owner, owner_option, source_named
from app.cli.server import webhook_url
from app.cli.waiting import timeout_option, until
from app.domain.alerts import AlertStatus
from app.models import Alert, Broker, Source
from app.schemas.answers.alerts import AlertDetailAnswer
from app.schemas.answers.explanations import ExplanationAnswer
from app.services import explaining, inbox, replays, sources
from app.services.explaining import Explanation
from app.services.inbox import ACTIONS, AlertFilter

if TYPE_CHECKING:
    import requests

alert = Commands("alert", help="Alerts: send one, see what came, explain and replay.")

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
@click.option("--broker", "broker_name", help="Of this broker only.")
@click.option("--source", "source_name", help="Of this source only.")
@click.option("--action", type=click.Choice(ACTIONS, case_sensitive=False))
@click.option("--status", type=click.Choice(AlertStatus, case_sensitive=False))
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True)
@owner_option
@json_option
def list_(
    broker_name: str | None,
    source_name: str | None,
    action: str | None,
    status: AlertStatus | None,
    limit: int,
    email: str | None,
    as_json: bool,
) -> None:
    """List the alerts that came, newest first."""
    with reading_only():
        user = owner(email)
        wanted = AlertFilter(
            broker_id=None if broker_name is None else broker_named(user, broker_name).id,
            source_id=None if source_name is None else source_named(user, source_name).id,
            action=action,
            status=status,
            per_page=limit,
        )
        found, _ = inbox.listing(user, wanted)
        rows = [_row(each) for each in found]
    show(rows, _COLUMNS, as_json=as_json, nothing="No alert yet.")


@alert.command("show")
@click.argument("alert_id", type=int)
@owner_option
@json_option
def show_(alert_id: int, email: str | None, as_json: bool) -> None:
    """Tell all of alert ALERT_ID: its body, its meaning, its orders and how long each step took."""
    with reading_only():
        told = AlertDetailAnswer().dump(inbox.story(_own(email, alert_id)))
    show_one(told, as_json=as_json)


@alert.command()
@click.argument("text")
@click.option("--source", "source_name", help="As if it came to this source.")
@click.option("--broker", "broker_name", help="On this broker, without a source; the main one by default.")
@owner_option
@json_option
def explain(
    text: str, source_name: str | None, broker_name: str | None, email: str | None, as_json: bool
) -> None:
    """Tell what TEXT (- reads standard input) would lead to now; nothing is stored and nothing placed."""
    body = sys.stdin.read() if text == "-" else text
    with reading_only():
        user = owner(email)
        target = broker_named(user, broker_name) if source_name is None else source_named(user, source_name)
        told = _everywhere(explaining.explain(body, target), target if isinstance(target, Source) else None)
    show_one(told, as_json=as_json)


@alert.command()
@click.argument("alert_id", type=int)
@click.option("--sandbox", is_flag=True, help="Run it for real, on a broker of yours on the sandbox.")
@click.option("--broker", "broker_name", help="On this broker instead of its own.")
@timeout_option(30)
@owner_option
@json_option
def replay(
    alert_id: int, sandbox: bool, broker_name: str | None, timeout: float, email: str | None, as_json: bool
) -> None:
    """Run alert ALERT_ID again: as a dry run, which tells what it would lead to now, or with --sandbox for real."""
    broker = None if broker_name is None else broker_named(owner(email), broker_name)
    if sandbox:
        told = _run_again(_own(email, alert_id), broker, email, timeout)
    else:
        with reading_only():
            found = _own(email, alert_id)
            everywhere = broker is None and found.delivery_id is None
            told = _everywhere(explaining.explain_again(found, broker), found.source if everywhere else None)
    show_one(told, as_json=as_json)


def _everywhere(told: Explanation, source: Source | None) -> Row:
    """An explanation, with what the same would lead to on each further broker of a source."""
    further = [] if source is None else explaining.elsewhere(told, source)
    answer = ExplanationAnswer()
    return {**answer.dump(told), "elsewhere": answer.dump(further, many=True)}


def _run_again(found: Alert, broker: Broker | None, email: str | None, timeout: float) -> Row:
    again = replays.replay(found, broker).id

    def decided() -> Row | None:
        row = _own(email, again)
        return AlertDetailAnswer().dump(inbox.story(row)) if row.status.is_final else None

    return until(decided, doing=f"Replaying alert {found.id} as {again}", timeout=timeout)


def _own(email: str | None, alert_id: int) -> Alert:
    found = inbox.find(owner(email), alert_id)
    if found is None:
        raise Refusal(f"there is no alert {alert_id}", remedy="See the alerts: flask alert list")
    return found


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
