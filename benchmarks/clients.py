"""What a call costs our client and ccxt, against the same sandbox with the same answers.

    python -m benchmarks.clients --json

Processor time of this process a call, in blocks that take turns, medians of the blocks; 3,000 markets fetched, parsed
and stored unchanged; and memory, each in a fresh interpreter: after the import, and what 3,000 markets add.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import statistics
import tempfile
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any
from urllib.parse import urlsplit

SYMBOL = "BTC/USDT"
MARKETS = 3_000
ASSETS = 500
#: ccxt's names where they are not ours.
_THEIR_NAMES = {"gateio": "gate"}
#: Nothing is inherited: neither what is loaded here nor how much memory it takes.
_FRESH = multiprocessing.get_context("spawn")

Call = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Account:
    """An account of the sandbox, and where its exchange is served."""

    exchange: str
    url: str
    api_key: str
    api_secret: str
    passphrase: str


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--exchanges", nargs="+")
    parser.add_argument("--blocks", type=int, default=7, help="of each side")
    parser.add_argument("--calls", type=int, default=50, help="in a block")
    options = parser.parse_args()
    from app.exchanges import NAMES

    report = {name: measure(name, options.blocks, options.calls) for name in options.exchanges or NAMES}
    if options.json:
        print(json.dumps(report, indent=2))
    else:
        for name, row in report.items():
            print(name, *(f"\n  {what}: {value}" for what, value in row.items()))


def measure(exchange: str, blocks: int, calls: int) -> dict[str, Any]:
    """Everything about one exchange."""
    with sandbox(exchange) as (account, another):
        our_calls, their_calls = ours(account), theirs(another)
        return {
            "order": paired(our_calls["order"], their_calls["order"], blocks, calls),
            f"{ASSETS} balances": paired(our_calls["balances"], their_calls["balances"], blocks, calls // 5),
            f"{MARKETS} markets": paired(our_calls["markets"], their_calls["markets"], blocks, 1),
            "storing them unchanged, ms": in_a_fresh_process(_storing, account),
            "memory, MB": {
                "ours": in_a_fresh_process(_our_memory, account),
                "ccxt": in_a_fresh_process(_their_memory, another),
            },
        }


# -- the sandbox -----------------------------------------------------------------------------------------------------


@contextmanager
def sandbox(exchange: str) -> Iterator[tuple[Account, Account]]:
    """A sandbox in a process of its own, with many markets and an account for each side that holds many assets.

    One for both would not do: where a key's nonces have to grow, each side counts its own.
    """
    ours_, its = _FRESH.Pipe()
    server = _FRESH.Process(target=_serve, args=(its,), daemon=True)
    server.start()
    url = ours_.recv()
    try:
        yield _furnish(url, exchange)
    finally:
        ours_.send("stop")
        server.join()


def _serve(owner: Connection) -> None:
    from app.sandbox.server import create_sandbox, serving

    with serving(create_sandbox(limits=False, walk=False)) as url:
        owner.send(url)
        owner.recv()


def _furnish(url: str, exchange: str) -> tuple[Account, Account]:
    import requests

    def control(what: str, body: dict[str, Any]) -> Any:
        answer = requests.post(f"{url}/_control/{what}", json={"exchange": exchange, **body}, timeout=60)
        answer.raise_for_status()
        return answer.json()

    def account(side: str) -> Account:
        secret = b64encode(f"secret-of-{side}".ljust(32, "-").encode()).decode()
        opened = Account(exchange, f"{url}/{exchange}", f"key-of-{side}", secret, f"phrase-of-{side}")
        keys = {"api_key": opened.api_key, "api_secret": secret, "passphrase": opened.passphrase}
        control("accounts", {**keys, "balances": {"USDT": "1000000000", "BTC": "1000", **assets}})
        return opened

    there_are = control("instruments", {"symbol": SYMBOL})["markets"]
    control("instruments", {"count": MARKETS - there_are})
    assets = {f"GEN{number:04}": "12.345" for number in range(1, ASSETS - 1)}
    return account("ours"), account("ccxt")


# -- the two sides ---------------------------------------------------------------------------------------------------


def ours(account: Account) -> dict[str, Call]:
    """What our client is asked for."""
    from decimal import Decimal

    from app.domain import Credential, OrderRequest, OrderType, Side
    from app.exchanges import connect

    credential = Credential(account.api_key, account.api_secret, account.passphrase)
    client = connect(account.exchange, credential, base_url=account.url)
    request = OrderRequest(
        SYMBOL, Side.BUY, OrderType.LIMIT, quantity=Decimal("0.001"), price=Decimal(61_000)
    )
    return {
        "order": lambda: client.place_order(request),
        "balances": client.balances,
        "markets": client.markets,
    }


def theirs(account: Account) -> dict[str, Call]:
    """The same of ccxt."""
    import ccxt

    keys = {"apiKey": account.api_key, "secret": account.api_secret, "password": account.passphrase}
    client = getattr(ccxt, _THEIR_NAMES.get(account.exchange, account.exchange))(
        {**keys, "enableRateLimit": False}
    )
    client.urls["api"] = _pointed_at(account.url, client.urls["api"])
    return {
        "order": lambda: client.create_order(SYMBOL, "limit", "buy", 0.001, 61_000),
        "balances": client.fetch_balance,
        "markets": lambda: client.load_markets(True),
    }


def _pointed_at(base_url: str, urls: Any) -> Any:
    """A table of hosts with scheme and host exchanged, paths kept."""
    if isinstance(urls, dict):
        return {name: _pointed_at(base_url, url) for name, url in urls.items()}
    return base_url + urlsplit(urls).path.rstrip("/")


# -- measuring -------------------------------------------------------------------------------------------------------


def paired(our_call: Call, their_call: Call, blocks: int, calls: int) -> dict[str, float]:
    """Median processor time of a call in microseconds on both sides, and ours as a share of theirs."""
    _once(our_call), _once(their_call)  # markets, connections and whatever else is made at first use
    costs: dict[str, list[float]] = {"ours": [], "ccxt": []}
    for _ in range(blocks):
        costs["ours"].append(_cost(our_call, calls))
        costs["ccxt"].append(_cost(their_call, calls))
    middle = {side: round(statistics.median(found) * 1e6, 1) for side, found in costs.items()}
    return {**middle, "ratio": round(middle["ours"] / middle["ccxt"], 3)}


def _cost(call: Call, calls: int) -> float:
    return sum(_once(call) for _ in range(calls)) / calls


def _once(call: Call) -> float:
    """The processor time of a call, made when our client's own rate budget lets it."""
    from app.domain import RateLimited

    while True:
        start = time.process_time()
        try:
            call()
        except RateLimited as spent:
            time.sleep(spent.retry_after or 0.1)
        else:
            return time.process_time() - start


def in_a_fresh_process(what: Callable[[Account], Any], account: Account) -> Any:
    """Do something in an interpreter that has loaded nothing yet."""
    reading, writing = _FRESH.Pipe(duplex=False)
    process = _FRESH.Process(target=_report, args=(what, account, writing))
    process.start()
    writing.close()
    found = reading.recv()
    process.join()
    return found


def _report(what: Callable[[Account], Any], account: Account, owner: Connection) -> None:
    owner.send(what(account))


def _our_memory(account: Account) -> dict[str, float]:
    return _memory(ours, account)


def _their_memory(account: Account) -> dict[str, float]:
    return _memory(theirs, account)


def _memory(side: Callable[[Account], dict[str, Call]], account: Account) -> dict[str, float]:
    """Megabytes that belong to this process alone: what the client adds once imported, and what the markets add."""
    import psutil

    process = psutil.Process()

    def megabytes() -> float:
        return float(process.memory_full_info().uss) / 1e6

    bare = megabytes()
    calls = side(account)
    imported = megabytes()
    kept = calls["markets"]()
    loaded = megabytes()
    assert kept
    return {"import": round(imported - bare, 1), "markets": round(loaded - imported, 1)}


def _storing(account: Account) -> float:
    """Milliseconds to compare stored markets with fetched ones that are the same, median of seven."""
    from app import create_app
    from app.config import load_settings
    from app.domain import Environment
    from app.extensions import db
    from app.services import markets

    found = _markets(account)
    with tempfile.TemporaryDirectory() as directory:
        settings = {"DATA_DIR": directory, "SWITCHYARD_ENV": "testing", "LOG_LEVEL": "ERROR"}
        with create_app(load_settings(settings)).app_context():
            db.create_all()
            times = [
                _time_to_store(markets.store, account.exchange, Environment.SANDBOX, found) for _ in range(8)
            ]
            db.engine.dispose()
    return round(statistics.median(times[1:]) * 1000, 1)


def _markets(account: Account) -> Any:
    return ours(account)["markets"]()


def _time_to_store(
    store: Callable[..., None], exchange: str, environment: Any, found: Sequence[Any]
) -> float:
    from app.extensions import db

    start = time.perf_counter()
    store(exchange, environment, found)
    db.session.commit()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
