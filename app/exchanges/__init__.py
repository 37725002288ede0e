"""Nine dialects behind one port. Usable from a bare interpreter: no Flask, no database.

from app.exchanges import connect
from app.domain import Credential, Environment

exchange = connect("kraken", Credential(key, secret), environment=Environment.LIVE)
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING

from app.domain.accounts import Credential, Environment
from app.domain.errors import SwitchyardError
from app.exchanges.base import Capabilities, CredentialField, Exchange, Region

if TYPE_CHECKING:
    from app.exchanges.budget import RateBudget

#: Where each exchange's class lives; imported at first use, so that a process pays only for what it talks to.
REGISTRY: Mapping[str, str] = {
    "binance": "app.exchanges.binance:Binance",
    "bingx": "app.exchanges.bingx:BingX",
    "bitget": "app.exchanges.bitget:Bitget",
    "bybit": "app.exchanges.bybit:Bybit",
    "coinbase": "app.exchanges.coinbase:Coinbase",
    "gateio": "app.exchanges.gateio:GateIO",
    "kraken": "app.exchanges.kraken:Kraken",
    "kucoin": "app.exchanges.kucoin:KuCoin",
    "okx": "app.exchanges.okx:OKX",
}

NAMES: tuple[str, ...] = tuple(REGISTRY)


class UnknownExchange(SwitchyardError, KeyError):
    """No client of that name."""

    remedy = f"The exchanges traded natively are: {', '.join(NAMES)}."


def exchange_class(name: str) -> type[Exchange]:
    """The client class of an exchange.

    Raises:
        UnknownExchange: when no client has that name.
    """
    try:
        module, _, attribute = REGISTRY[name].partition(":")
    except KeyError:
        raise UnknownExchange(f"{name!r} is not an exchange we trade on") from None
    found: type[Exchange] = getattr(import_module(module), attribute)
    return found


def connect(
    name: str,
    credential: Credential | None = None,
    environment: Environment = Environment.LIVE,
    base_url: str | None = None,
    budget: RateBudget | None = None,
    region: str | None = None,
) -> Exchange:
    """A client for one account, or for public calls when no credential is given; opens no connection yet.

    ``base_url`` replaces scheme, host and port and may carry a path prefix that is not signed; ``budget`` is the
    rate budget shared with other processes (its own, in-process, when None); ``region`` picks among `regions`.
    """
    return exchange_class(name)(
        credential, environment=environment, base_url=base_url, budget=budget, region=region
    )


def title(name: str) -> str:
    """How an exchange writes its own name."""
    return exchange_class(name).title


def capabilities(name: str) -> Capabilities:
    """What an exchange can do natively."""
    return exchange_class(name).capabilities


def regions(name: str) -> tuple[Region, ...]:
    """The regions an account of an exchange may be of; none where that makes no difference."""
    return exchange_class(name).regions


def credential_fields(name: str) -> tuple[CredentialField, ...]:
    """The inputs an exchange's keys need."""
    return exchange_class(name).credential_fields


__all__ = [
    "NAMES",
    "REGISTRY",
    "Capabilities",
    "CredentialField",
    "Exchange",
    "Region",
    "UnknownExchange",
    "capabilities",
    "connect",
    "credential_fields",
    "exchange_class",
    "regions",
    "title",
]
