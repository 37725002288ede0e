"""The desks of a run: funded brokers on each exchange, every one with a source of its own.

Run beside a started stack it makes them: accounts come on standard input, tokens go out, as JSON.
"""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from math import ceil

from app import create_app
from app.domain import Credential, Environment, TradingMode
from app.exchanges import exchange_class
from app.exchanges.budget import Scope
from app.extensions import db
from app.models import Broker
from app.services import brokers, sources, users
from benchmarks.stack import ROOT, Stack

READY_SECONDS = 120
SYMBOL = "BTCUSDT"
#: Wide enough for an exchange that sizes market buys in quote, and so rounds, to leave quantities apart.
STEP = Decimal("0.0001")
_FIRST = 10

#: The share of an account's slowest allowance that entries may use, one unit each; the rest is for the questions that
#: follow an entry, look-ups and syncs.
_SHARE = 0.12
_FEWEST = 4
#: In seconds: an allowance that comes back so soon holds nothing up.
_AT_ONCE = 1


@dataclass(frozen=True, slots=True)
class Account:
    """An account at the sandbox. ``hasty``: its alerts expire within seconds."""

    exchange: str
    api_key: str
    api_secret: str
    passphrase: str
    hasty: bool


@dataclass(frozen=True, slots=True)
class Desk:
    """An account's broker and its webhook."""

    account: Account
    broker_id: int
    source_id: int
    url: str


def desks_needed(exchange: str, intents: int, seconds: float) -> int:
    """How many accounts it takes for an exchange's limits per account not to be what the run is about."""
    limits = [
        limit
        for limit in exchange_class(exchange).limits
        if limit.scope is not Scope.ADDRESS and limit.seconds > _AT_ONCE
    ]
    able = [_SHARE * limit.capacity * (1 + seconds / limit.seconds) for limit in limits]
    return max([_FEWEST, *(ceil(intents / each) for each in able)])


def open_desks(stack: Stack, wanted: Mapping[str, int]) -> list[Desk]:
    """So many desks on each exchange, the first of them hasty, with their markets loaded."""
    accounts = [
        _account(stack, name, number, hasty=number == 0)
        for name, count in wanted.items()
        for number in range(count)
    ]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.faults.desks"],
        cwd=ROOT,
        env=stack.environ,
        input=json.dumps([asdict(account) for account in accounts]),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    made = json.loads(done.stdout)
    return [
        Desk(account, broker_id, source_id, f"{stack.web}/webhook/{token}")
        for account, (broker_id, source_id, token) in zip(accounts, made, strict=True)
    ]


def quantity_of(number: int) -> Decimal:
    """The quantity that the ``number``-th intent of a desk asks for, and no other."""
    return STEP * (_FIRST + number)


def number_of(quantity: Decimal) -> int:
    """The intent of a desk that asked for a quantity."""
    return int((quantity / STEP).to_integral_value()) - _FIRST


def _account(stack: Stack, exchange: str, number: int, *, hasty: bool) -> Account:
    name = f"{exchange}-{number}"
    secret = base64.b64encode(hashlib.sha256(name.encode()).digest()).decode()
    account = Account(exchange, f"key-of-{name}", secret, f"phrase-of-{name}", hasty)
    keys = {"api_key": account.api_key, "api_secret": secret, "passphrase": account.passphrase}
    stack.control("accounts", {"exchange": exchange, **keys, "balances": {"USDT": "1000000000"}})
    return account


def _make(accounts: Sequence[Account]) -> list[tuple[int, int, str]]:
    user = users.sign_up("faults@example.org", "only for this run")
    made = []
    for account in accounts:
        broker = brokers.add(
            user,
            name=account.api_key,
            exchange=account.exchange,
            environment=Environment.SANDBOX,
            credential=Credential(account.api_key, account.api_secret, account.passphrase),
            mode=TradingMode.WEBHOOKS,
        )
        source, token = sources.create(user, broker, account.api_key)
        made.append((broker.id, source.id, token))
    deadline = time.monotonic() + READY_SECONDS
    for broker_id, _, _ in made:
        _await_markets(broker_id, deadline)
    return made


def _await_markets(broker_id: int, deadline: float) -> None:
    """Many accounts at once ask more of an exchange than it allows: what it refused is asked for again."""
    while True:
        broker = db.session.get_one(Broker, broker_id, populate_existing=True)
        loaded, problem = broker.markets_loaded_at, broker.connection_reason or broker.markets_error
        db.session.rollback()
        if loaded is not None:
            return
        if time.monotonic() > deadline:
            raise RuntimeError(f"{broker.name}: {problem or 'no markets in time'}")
        if problem is not None:
            brokers.request_markets(broker)
        time.sleep(1 if problem else 0.1)


if __name__ == "__main__":
    with create_app().app_context():
        json.dump(_make([Account(**fields) for fields in json.load(sys.stdin)]), sys.stdout)
