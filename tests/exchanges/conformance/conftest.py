"""Each exchange against the sandbox over HTTP: an account of the test's own, and the control API beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from decimal import Decimal
from itertools import count

import pytest

from app.domain import Credential, Market, OrderReport, OrderRequest, OrderType, Side
from app.exchanges import NAMES, connect
from app.exchanges.base import Capabilities, Exchange
from app.exchanges.budget import Charge, LocalRateBudget
from tests.fixtures.sandbox import Keys, SandboxServer

BTC = "BTC/USDT"
ETH = "ETH/USDT"


@dataclass(frozen=True, slots=True)
class Account:
    """One exchange's client, the keys it uses and the sandbox it talks to."""

    exchange: Exchange
    name: str
    keys: Keys
    sandbox: SandboxServer
    markets: dict[str, Market]
    ids: Iterator[int]

    @property
    def able(self) -> Capabilities:
        """What the exchange says it can do."""
        return self.exchange.capabilities

    def last(self, symbol: str = BTC) -> Decimal:
        """The last price of a market."""
        price = self.exchange.ticker(symbol).last
        assert price is not None
        return price

    def request(
        self, type_: OrderType, side: Side = Side.BUY, symbol: str = BTC, **fields: object
    ) -> OrderRequest:
        """An order with a client id of its own; a hundredth of a coin unless a size is given."""
        if "quantity" not in fields and "quote_quantity" not in fields:
            fields["quantity"] = Decimal("0.01")
        fields.setdefault("client_order_id", f"t{next(self.ids)}")
        return OrderRequest(symbol, side, type_, **fields)  # type: ignore[arg-type]

    def place(
        self, type_: OrderType, side: Side = Side.BUY, symbol: str = BTC, **fields: object
    ) -> OrderReport:
        """Place such an order."""
        return self.exchange.place_order(self.request(type_, side, symbol, **fields))

    def rest(self, share: str = "0.5", **fields: object) -> OrderReport:
        """A limit order to buy at a share of the last price: it rests."""
        return self.place(OrderType.LIMIT, price=self.last() * Decimal(share), **fields)

    def fault(self, operation: str, kind: str, **fields: object) -> None:
        """Lay a fault for this account only."""
        self.sandbox.fault(self.name, operation, kind, api_key=self.keys.api_key, **fields)

    def accepted(self) -> list[str]:
        """The client ids of the orders that the matching engine has accepted."""
        return [str(order["client_order_id"]) for order in self.sandbox.orders(self.name, self.keys)]


class WholeBudget(LocalRateBudget):
    """Lets questions use the share kept for orders too: a test asks in a second what the services ask in a minute."""

    def spend(self, venue: str, charges: Sequence[Charge], *, urgent: bool) -> list[int]:
        """See `LocalRateBudget.spend`."""
        return super().spend(venue, charges, urgent=True)


Opening = Callable[..., Account]


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    """Every exchange there is a client of."""
    exchange: str = request.param
    return exchange


@pytest.fixture
def open_account(name: str, sandbox: SandboxServer) -> Iterator[Opening]:
    """Opens accounts, and connects to them with the right keys or with others.

    The budget is the exchange's own on a sandbox that enforces limits, and may be used whole on the one that does not.
    """
    numbers = count(1)
    with ExitStack() as stack:

        def open_(
            balances: dict[str, str] | None = None,
            *,
            keys: Keys | None = None,
            budget: LocalRateBudget | None = None,
            server: SandboxServer = sandbox,
        ) -> Account:
            keys = keys or server.account(name, balances)
            credential = Credential(keys.api_key, keys.api_secret, keys.passphrase)
            if budget is None and server is sandbox:
                budget = WholeBudget()
            exchange = connect(name, credential, base_url=server.at(name), budget=budget)
            stack.enter_context(closing(exchange))
            markets = {market.symbol: market for market in exchange.markets()}
            return Account(exchange, name, keys, server, markets, numbers)

        yield open_


@pytest.fixture
def account(open_account: Opening) -> Account:
    """An account with 100,000 USDT, 2 BTC and 20 ETH."""
    return open_account()
