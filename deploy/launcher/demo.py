"""What bin/demo shows once all is up: an account, a broker on the sandbox, and what becomes of three alerts.

Runs beside the processes and goes through the public doors only: command line, webhook, the sandbox's control API.
"""

from __future__ import annotations

import json
import os
import secrets
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import requests

from app.config import Settings, load_settings
from app.domain.errors import SwitchyardError
from app.domain.money import plain
from app.exchanges import NAMES, title
from deploy.launcher.demo_table import Outcome, table
from deploy.launcher.doors import control, flask, send_alert
from deploy.launcher.errors import LaunchError
from deploy.launcher.start import address

EMAIL = "demo@example.com"
BROKER = "Demo"
SYMBOL = "BTC/USDT"
BALANCES = {"USDT": "100000", "BTC": "2"}
#: How long an alert may take to become what it should, in seconds.
PATIENCE = 30.0
_PAUSE = 0.2


@dataclass(frozen=True, slots=True)
class Identity:
    """What the demo made up for itself, kept in an owner-only file so that the next demo is the same person."""

    password: str
    api_key: str
    api_secret: str
    passphrase: str


def main() -> int:
    """Show the demo; returns 0 when all three alerts became what they should."""
    settings = load_settings(os.environ)
    try:
        identity = _identity(settings.data_dir / "secrets" / "demo.json")
        _open_account(settings, identity)
        outcomes = _three_alerts(_webhook(settings))
        _practise_elsewhere(settings)
    except SwitchyardError as error:
        print(f"The demo cannot go on: {error.message}\n{error.remedy}", file=sys.stderr, flush=True)
        return 1
    except requests.RequestException as error:
        print(f"The demo cannot go on: no answer ({type(error).__name__}).", file=sys.stderr, flush=True)
        return 1
    print(table(outcomes))
    print(f"\nLog in at {address(settings)} as {EMAIL} with the password {identity.password}")
    print(
        f"Demo data only, in {settings.data_dir}; nothing here reaches a real exchange. Stop with Ctrl-C.",
        flush=True,
    )
    return 0 if all(outcome.as_expected for outcome in outcomes) else 1


def _open_account(settings: Settings, identity: Identity) -> None:
    """The account, its funds on the sandbox, and the broker that connects both; what is there is used again."""
    emails = [row["email"] for row in flask("user", "list")]
    if set(emails) - {EMAIL}:
        raise LaunchError(
            "The database holds accounts of real people.",
            remedy="Unset DATABASE_URL, or set DATA_DIR to a directory of the demo's own.",
        )
    _say("Creating the demo account ...")
    if not emails:
        flask("user", "create", EMAIL, "--password-stdin", standard_input=f"{identity.password}\n")
    exchange = _exchange_with_a_sandbox(settings)
    account = {"exchange": exchange, "api_key": identity.api_key, "api_secret": identity.api_secret}
    account["passphrase"] = identity.passphrase
    control(settings.sandbox_url, "POST", "accounts", {**account, "balances": BALANCES})
    _say(f"Connecting a funded {exchange} account on the sandbox and loading its markets ...")
    if flask("broker", "list"):
        flask("broker", "test", BROKER)
        return
    place = ["--exchange", exchange, "--environment", "sandbox", "--mode", "webhooks"]
    flask("broker", "add", BROKER, *place, "--secrets-stdin", standard_input=json.dumps(asdict(identity)))


def _exchange_with_a_sandbox(settings: Settings) -> str:
    simulated = control(settings.sandbox_url, "GET", "health")["exchanges"]
    for name in NAMES:
        if name in simulated:
            return name
    raise LaunchError(
        "The sandbox simulates no exchange that we trade on.", remedy="Look into the sandbox's log."
    )


def _practise_elsewhere(settings: Settings) -> None:
    """A practice broker on every other exchange that the sandbox simulates; its account is opened by the check-up."""
    main = _exchange_with_a_sandbox(settings)
    simulated = control(settings.sandbox_url, "GET", "health")["exchanges"]
    there = {row["exchange"]: row["name"] for row in flask("broker", "list")}
    for name in NAMES:
        if name == main or name not in simulated:
            continue
        if name in there:
            flask("broker", "test", there[name])
        else:
            flask("broker", "add", f"{BROKER} {title(name)}", "--exchange", name, "--practice")


def _webhook(settings: Settings) -> str:
    """The address of a new source: the token of an older one is shown once only and is not known any more."""
    name = f"Demo {time.strftime('%Y-%m-%d %H:%M:%S')}"
    made = flask("source", "create", name, "--broker", BROKER, "--base-url", address(settings))
    return str(made["url"])


def _three_alerts(webhook: str) -> list[Outcome]:
    _say("Sending three alerts ...\n")
    run = secrets.token_hex(4)
    bracket = {"action": "BuyMarket", "symbol": SYMBOL, "quote_quantity": "1000", "stop_loss": "3%"}
    bought = _watch(
        "market buy, stop-loss 3%, take-profit 6%",
        webhook,
        json.dumps({**bracket, "take_profit": "6%", "id": f"{run}-1"}),
        _is_filled_and_guarded,
    )
    price = _below_the_market(bought)
    limit = f"action=BuyLimit, symbol={SYMBOL}, price={price}, quote_quantity=500, id={run}-2"
    waiting = _watch("limit buy 5% below", webhook, limit, _is_open)
    status, answer, took = send_alert(webhook, '{"action": "BuyMarket", "symbol": ')
    malformed = Outcome(
        "malformed",
        accepted_ms=took,
        became=f"refused with HTTP {status}: {answer.get('reason', 'no reason given')}",
        as_expected=status == requests.codes.bad_request and _is_stored_as_an_error(answer),
    )
    return [bought, waiting, malformed]


def _watch(title: str, webhook: str, text: str, arrived: Callable[[list[Any]], bool]) -> Outcome:
    """Send an alert and look at its orders until they are what they should become, or patience ends."""
    status, answer, took = send_alert(webhook, text)
    if status != requests.codes.accepted:
        return Outcome(title, took, f"refused with HTTP {status}: {answer.get('reason')}", as_expected=False)
    deadline = time.monotonic() + PATIENCE
    while True:
        orders = _leaves([row for row in flask("order", "list") if row["alert_id"] == answer["id"]])
        if arrived(orders) or time.monotonic() > deadline:
            return Outcome(title, took, _in_words(orders), as_expected=arrived(orders), orders=orders)
        time.sleep(_PAUSE)


def _leaves(orders: list[Any]) -> list[Any]:
    """The orders without those that only hold two others together, one of which cancels the other."""
    holders = {order["parent_id"] for order in orders if order["role"] == "PROTECTION"}
    return [order for order in orders if order["role"] == "ENTRY" or order["id"] not in holders]


def _entry(orders: list[Any]) -> Mapping[str, Any]:
    return next((order for order in orders if order["role"] == "ENTRY"), {})


def _is_filled_and_guarded(orders: list[Any]) -> bool:
    guards = {order["type"]: order["status"] for order in orders if order["role"] == "PROTECTION"}
    return _entry(orders).get("status") == "FILLED" and guards == {"STOP_LOSS": "OPEN", "TAKE_PROFIT": "OPEN"}


def _is_open(orders: list[Any]) -> bool:
    return _entry(orders).get("status") == "OPEN"


def _is_stored_as_an_error(answer: Mapping[str, Any]) -> bool:
    stored = {row["id"]: row["status"] for row in flask("alert", "list", "--limit", "5")}
    return stored.get(answer.get("id")) == "ERROR"


def _below_the_market(bought: Outcome) -> str:
    average = _entry(bought.orders).get("average_price")
    if average is None:
        raise LaunchError(f"The market order did not fill: {bought.became}", remedy="Look into the logs.")
    return plain((Decimal(average) * Decimal("0.95")).quantize(Decimal(1)))


def _in_words(orders: list[Any]) -> str:
    """What became of an alert's orders, the one it asked for first."""
    parts = []
    for order in sorted(orders, key=lambda order: order["role"]):
        size = order["filled_quantity"] if order["status"] == "FILLED" else order["quantity"]
        price = order["average_price"] or order["price"] or order["trigger_price"]
        name = order["type"].lower().replace("_", "-")
        reason = f" ({order['reason']})" if order["reason"] else ""
        parts.append(f"{name} {order['status']}{reason} {size or ''} at {price or 'market'}")
    return "; ".join(parts) or "no order yet"


def _identity(path: Path) -> Identity:
    if path.exists():
        return Identity(**json.loads(path.read_text()))
    identity = Identity(*(secrets.token_urlsafe(24) for _ in range(4)))
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(asdict(identity), file)
    return identity


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
