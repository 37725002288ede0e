"""The port every exchange stands behind: its methods, its declared capabilities, its hosts."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING

from app.domain.accounts import (
    Balance,
    ConnectionReport,
    Credential,
    Environment,
    Position,
    RateBudgetState,
)
from app.domain.markets import Candle, Market, OrderBook, Ticker
from app.domain.money import is_multiple
from app.domain.orders import Fill, OcoRequest, OrderReport, OrderRequest, OrderType

if TYPE_CHECKING:
    from app.exchanges.budget import RateBudget


class AmendMode(StrEnum):
    """What an exchange lets one change in a resting order."""

    NONE = "NONE"
    QUANTITY_DOWN = "QUANTITY_DOWN"
    FULL = "FULL"


class PassedTrigger(StrEnum):
    """What becomes of a single stop or take-profit whose trigger the market has passed when it is placed.

    REFUSED raises `WouldTrigger`, as pairs do everywhere; FIRES executes it at once, which a look-up tells.
    """

    REFUSED = "REFUSED"
    FIRES = "FIRES"


class ReusedId(StrEnum):
    """What becomes of an order under a client id that another has."""

    REFUSED = "refused"
    FIRST_AGAIN = "is the first again"
    """The first is told once more, and none is placed."""
    PLACED = "placed as another"


@dataclass(frozen=True, slots=True)
class TrailingRange:
    """How far behind the best price a native trailing stop may follow, in percent."""

    least: Decimal
    most: Decimal
    step: Decimal

    def holds(self, percent: Decimal) -> bool:
        """Whether the exchange takes this distance."""
        return self.least <= percent <= self.most and is_multiple(percent, self.step)


class Place(StrEnum):
    """Where an exchange tells of an order; in the order in which they are looked through."""

    CLIENT_ID = "by client id"
    OPEN = "open orders"
    HISTORY = "history"
    FILLS = "fills"


@dataclass(frozen=True, slots=True)
class CredentialField:
    """One input of the broker form: its name in `Credential`, its label at the exchange."""

    name: str
    label: str
    secret: bool = True


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What an exchange can do natively. Whatever is not declared here is refused before the wire.

    ``attached_stop_loss`` and ``attached_take_profit`` name the entry types that may carry that leg, and
    ``attached_both`` those that may carry both; ``attached_per_fill`` says whether such exits go live with each
    partial fill, for what it filled, rather than once the entry has filled whole. ``trailing`` is the range of
    trailing stops, where ``order_types`` has them, and ``trailing_in_pairs`` says whether one may be the stop of a pair
    of exits. ``standard_taker_fee`` is the share of an order's worth charged at the lowest tier; previews estimate with
    it. ``all_open_orders_from`` is the number of markets from which one call for the open orders of all is the cheaper
    one.

    The rest is what it takes to settle an order of unknown outcome. ``request_window`` is how long after it was signed
    a request may still be executed, by the exchange's rule for timestamps, and ``visibility_delay`` how long after that
    a placed order may stay unseen: what is found in none of ``look_up_places`` then was never placed. An order can be
    found by its client id for ``client_id_lookup`` (None: it cannot), and in the lists for ``history_kept``: later
    nothing proves anything any more. Executions are told for ``fills_kept`` where that is longer (None: it is not).
    ``reused_id`` says what becomes of a second order under a client id that is in use.

    ``one_wallet`` says that spot and futures draw on the same money: then `Exchange.futures_balances` tells of what
    `Exchange.balances` tells too, and the two must not be added up.
    """

    order_types: frozenset[OrderType]
    attached_stop_loss: frozenset[OrderType]
    attached_take_profit: frozenset[OrderType]
    attached_both: frozenset[OrderType]
    attached_per_fill: bool
    passed_trigger: PassedTrigger
    trailing: TrailingRange | None
    oco: bool
    amend: AmendMode
    client_id_lookup: timedelta | None
    client_id_unique_forever: bool
    history_kept: timedelta
    look_up_places: frozenset[Place]
    request_window: timedelta
    visibility_delay: timedelta
    quote_quantity_market_buy: bool
    quote_quantity_market_sell: bool
    batch_cancel: bool
    test_environment: bool
    futures_positions: bool
    trailing_in_pairs: bool = False
    standard_taker_fee: Decimal = Decimal("0.001")
    all_open_orders_from: int = 1
    fills_kept: timedelta | None = None
    one_wallet: bool = False
    reused_id: ReusedId = ReusedId.REFUSED

    def trails_at(self, percent: Decimal) -> bool:
        """Whether the exchange itself lets a stop follow the best price at this distance."""
        return self.trailing is not None and self.trailing.holds(percent)

    def pairs_exits(self, trailing_percent: Decimal | None) -> bool:
        """Whether it pairs a take-profit with a stop-loss, one that follows at this distance when one is given."""
        trails = trailing_percent is not None and self.trails_at(trailing_percent)
        return self.oco and (self.trailing_in_pairs or not trails)


@dataclass(frozen=True, slots=True)
class Region:
    """One of the hosts that an exchange's accounts are on, by where they were opened: ``title`` says which."""

    id: str
    title: str
    base_urls: Mapping[Environment, str]


class Exchange(ABC):
    """One account on one exchange. Public calls work without a credential.

    All methods raise the errors of `app.domain.errors`; a method the exchange has no way to serve raises
    `OrderDenied` before the wire.
    """

    name: str
    title: str
    """How the exchange writes its own name."""
    capabilities: Capabilities
    credential_fields: tuple[CredentialField, ...]
    base_urls: Mapping[Environment, str]
    regions: tuple[Region, ...] = ()
    """What a person chooses from, the usual one first; empty where all accounts are on the same hosts."""

    @abstractmethod
    def __init__(
        self,
        credential: Credential | None,
        *,
        environment: Environment,
        base_url: str | None = None,
        budget: RateBudget | None = None,
        region: str | None = None,
    ) -> None: ...

    @abstractmethod
    def server_time(self) -> datetime:
        """The exchange's clock."""

    @abstractmethod
    def markets(self) -> list[Market]:
        """Every spot market with its rules, closed ones included as inactive."""

    @abstractmethod
    def use_markets(self, markets: Iterable[Market]) -> None:
        """Size orders by rules fetched elsewhere, so that no order has to wait for them."""

    @abstractmethod
    def ticker(self, symbol: str) -> Ticker:
        """The last 24 hours of one market."""

    @abstractmethod
    def tickers(self, symbols: Iterable[str] | None = None) -> dict[str, Ticker]:
        """The last 24 hours of some or all markets, by symbol."""

    @abstractmethod
    def order_book(self, symbol: str, depth: int) -> OrderBook:
        """Up to ``depth`` levels a side, best first."""

    @abstractmethod
    def candles(
        self, symbol: str, interval: str, since: datetime | None = None, limit: int | None = None
    ) -> list[Candle]:
        """Candles oldest first; ``interval`` is ``1m``, ``5m``, ``15m``, ``1h``, ``4h``, ``1d`` …"""

    @abstractmethod
    def balances(self) -> dict[str, Balance]:
        """What the account holds, by asset; assets of which it holds nothing are left out."""

    @abstractmethod
    def check_connection(self) -> ConnectionReport:
        """The check-up of the keys; reports a failure instead of raising it."""

    @abstractmethod
    def place_order(self, request: OrderRequest) -> OrderReport:
        """Send one order, sized and priced on the market's grid, rounded toward zero."""

    @abstractmethod
    def place_oco(self, request: OcoRequest) -> OrderReport:
        """Send two exits of which one cancels the other; the legs are the report's children."""

    @abstractmethod
    def amend_order(
        self,
        symbol: str,
        *,
        exchange_order_id: str | None = None,
        client_order_id: str | None = None,
        quantity: Decimal | None = None,
        price: Decimal | None = None,
    ) -> OrderReport:
        """Change a resting order in place, within what `Capabilities.amend` allows."""

    @abstractmethod
    def cancel_order(
        self, symbol: str, *, exchange_order_id: str | None = None, client_order_id: str | None = None
    ) -> OrderReport:
        """Cancel one order; `OrderNotFound` when it is not open (it may have filled: look it up)."""

    @abstractmethod
    def cancel_all(self, symbol: str | None = None) -> list[OrderReport]:
        """Cancel every open order, of one market or of all."""

    @abstractmethod
    def get_order(
        self, symbol: str, *, exchange_order_id: str | None = None, client_order_id: str | None = None
    ) -> OrderReport:
        """Look one order up by either id."""

    @abstractmethod
    def open_orders(self, symbol: str | None = None) -> list[OrderReport]:
        """Every order resting on the exchange."""

    @abstractmethod
    def order_history(
        self, symbol: str, since: datetime | None = None, limit: int | None = None
    ) -> list[OrderReport]:
        """Orders of one market in every state, oldest first."""

    @abstractmethod
    def fills(
        self,
        symbol: str,
        since: datetime | None = None,
        limit: int | None = None,
        *,
        exchange_order_id: str | None = None,
    ) -> list[Fill]:
        """Executions on one market, oldest first; only those of one order when its id is given."""

    @abstractmethod
    def positions(self) -> list[Position]:
        """Open futures positions."""

    @abstractmethod
    def futures_balances(self) -> dict[str, Balance]:
        """What backs USDT-margined futures, by asset: ``total`` with open profit and loss, ``free`` of it usable."""

    @abstractmethod
    def rate_budget(self) -> RateBudgetState | None:
        """How much of the exchange's first allowance is used, as we count it; asks the exchange nothing."""

    @abstractmethod
    def close(self) -> None:
        """Close the connections."""
