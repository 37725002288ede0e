"""What the nine clients share: charge, sign, send, check, parse; markets, refusals before the wire, the check-up."""

from __future__ import annotations

import hashlib
import logging
import math
import re
import time
from abc import abstractmethod
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar, TypeVar

from app.domain.accounts import (
    Balance,
    ConnectionReport,
    Credential,
    Environment,
    Grant,
    Permissions,
    RateBudgetState,
)
from app.domain.errors import (
    AuthenticationFailed,
    ExchangeError,
    ExchangeUnavailable,
    InvalidTimestamp,
    OrderDenied,
    OrderRejected,
    OutcomeUnknown,
    PermissionDenied,
    RateLimited,
    SwitchyardError,
    TradingError,
    Violation,
)
from app.domain.markets import Market
from app.domain.orders import OcoRequest, OrderRequest
from app.exchanges.base import Exchange
from app.exchanges.budget import Charge, Limit, LocalRateBudget, RateBudget, Scope, Spent
from app.exchanges.refusals import exits_of, on_grid, pair_on_grid, pair_refusals, refusals
from app.exchanges.sparing import spared
from app.exchanges.transport import Answer, Redactor, Transport, WireRequest

log = logging.getLogger(__name__)

Parsed = TypeVar("Parsed")

#: What an answer of an unexpected shape raises inside a parse function.
UNREADABLE = (
    KeyError,
    IndexError,
    TypeError,
    ValueError,
    AttributeError,
    ArithmeticError,
    StopIteration,
)

#: How long to stay away when an exchange says so without saying how long.
DEFAULT_BAN_SECONDS = {429: 1.0, 418: 120.0}
LONGEST_BAN_SECONDS = 3 * 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One call an exchange offers. ``costs`` names the `Limit`s it is counted under and how much it takes of each.

    ``writes`` says whether it may change something, whatever its HTTP method: it decides what a lost answer means.
    It may use the reserved share, and so may a question that is ``urgent``, such as one that completes an order's
    answer. ``host`` picks one of `RestExchange.other_urls`.
    """

    method: str
    path: str
    costs: tuple[tuple[str, int], ...]
    signed: bool = False
    writes: bool = False
    host: str | None = None
    urgent: bool = False

    def costing(self, **costs: int) -> Endpoint:
        """The same call at another cost."""
        return replace(self, costs=tuple(costs.items()))


@dataclass(frozen=True, slots=True)
class Fault:
    """An exchange's refusal, sorted. `OutcomeUnknown` as ``kind`` means that the exchange itself cannot tell."""

    kind: type[ExchangeError]
    message: str
    code: str | None = None
    remedy: str | None = None
    retry_after: float | None = None


def margin_balance(asset: str, *, equity: Decimal, available: Decimal) -> Balance:
    """The backing of futures: never more of it free than there is once open losses are counted."""
    free = min(available, equity)
    return Balance(asset, free, equity - free, equity)


class RestExchange(Exchange):
    """The flow of every request; an exchange adds its signing, its error table and its parse functions."""

    #: Hosts beside the main one, by the name endpoints call them; all of them are ``base_url`` when that is given.
    other_urls: ClassVar[Mapping[str, Mapping[Environment, str]]] = {}
    limits: ClassVar[tuple[Limit, ...]] = ()
    #: What a client order id may look like, and the same in words.
    client_id_pattern: ClassVar[re.Pattern[str]]
    client_id_rule: ClassVar[str]

    def __init__(
        self,
        credential: Credential | None,
        *,
        environment: Environment,
        base_url: str | None = None,
        budget: RateBudget | None = None,
        region: str | None = None,
    ) -> None:
        self._credential = credential
        self.environment = environment
        self._base_url = base_url
        self._region = region
        self._budget = budget if budget is not None else LocalRateBudget()
        self._limits = {limit.name: limit for limit in self.limits}
        self._transports: dict[str | None, Transport] = {}
        self._transport(None)
        self._redact = Redactor(
            (credential.api_secret, credential.api_key, credential.passphrase) if credential else ()
        )
        self._account = _fingerprint(credential)
        self._ahead_ms = 0.0
        self._markets: dict[str, Market] = {}
        self._by_exchange_symbol: dict[str, Market] = {}
        self._markets_complete = False

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.environment} {self._transport(None).origin}>"

    # -- what an exchange adds ---------------------------------------------------------------------------------

    @abstractmethod
    def _sign(self, endpoint: Endpoint, params: Mapping[str, Any]) -> WireRequest:
        """The request as it goes out; signed when the endpoint says so."""

    @abstractmethod
    def _fault(self, answer: Answer) -> Fault | None:
        """What an answer complains of, JSON or not; None when it is a success or of no documented shape."""

    @abstractmethod
    def _fetch_markets(self) -> list[Market]:
        """Every market, fresh from the exchange."""

    def _usage(self, headers: Mapping[str, str]) -> Iterable[tuple[str, int]]:
        """What the exchange says is used of which limit."""
        return ()

    def _returned(self, found: object) -> Collection[str]:
        """The limits that an answered request does not count toward after all."""
        return ()

    def _limited_scope(self, error: RateLimited, charges: Sequence[Charge]) -> Scope:
        """Whose requests a refusal for too many concerns: the narrowest the call is counted for."""
        return max((charge.limit.scope for charge in charges), key=list(Scope).index, default=Scope.ADDRESS)

    def _permissions(self) -> tuple[Permissions, Grant]:
        """What the key may do, and whether it is bound to addresses; called once the balances could be read."""
        return Permissions(read=Grant.YES), Grant.UNKNOWN

    # -- one request -------------------------------------------------------------------------------------------

    def _call(
        self,
        endpoint: Endpoint,
        params: Mapping[str, Any] | None = None,
        parse: Callable[[Any], Parsed] = lambda data: data,
        *,
        market: str = "",
    ) -> Parsed:
        """One answered question. A refused timestamp proves that nothing was done: the clock is set, once more."""
        try:
            return self._once(endpoint, params or {}, parse, market)
        except InvalidTimestamp as refused:
            if not endpoint.signed:
                raise
            self._renew_timestamp(refused)
            return self._once(endpoint, params or {}, parse, market)

    def _once(
        self, endpoint: Endpoint, params: Mapping[str, Any], parse: Callable[[Any], Parsed], market: str
    ) -> Parsed:
        if endpoint.signed and self._credential is None:
            raise AuthenticationFailed(
                self.name, "this call needs a key", remedy="Add an API key to the broker."
            )
        transport = self._transport(endpoint.host)
        charges = self._charges(endpoint, market)
        used = self._spend(transport.origin, charges, endpoint.writes or endpoint.urgent)
        answer = self._send(transport, endpoint, params)
        self._correct(transport.origin, answer.headers, charges, used)
        error = self._error_in(answer, endpoint.writes)
        if error is None:
            found = self._read(answer, parse, endpoint.writes)
            self._give_back(transport.origin, found, charges)
            return found
        if isinstance(error, RateLimited):
            self._stay_away(transport.origin, error, charges)
        raise error

    def _send(self, transport: Transport, endpoint: Endpoint, params: Mapping[str, Any]) -> Answer:
        """Sign and send: one step, for exchanges that want requests in the order they were signed."""
        return transport.send(self._sign(endpoint, params), writes=endpoint.writes)

    def _read(self, answer: Answer, parse: Callable[[Any], Parsed], writes: bool) -> Parsed:
        try:
            return parse(answer.data)
        except UNREADABLE as reason:
            log.warning("%s answered in an unexpected shape: %r", self.name, self._redact(repr(reason)))
            message = "the answer does not have the documented shape"
            raise self._raised(Fault(OutcomeUnknown, message), answer, writes) from None

    def _error_in(self, answer: Answer, writes: bool) -> ExchangeError | None:
        fault = self._fault(answer) or http_fault(answer)
        return None if fault is None else self._raised(fault, answer, writes)

    def _raised(self, fault: Fault, answer: Answer, writes: bool) -> ExchangeError:
        kind = fault.kind
        if kind is OutcomeUnknown and not writes:
            kind = ExchangeUnavailable
        if kind is OrderRejected and not writes:
            kind = ExchangeError
        details: dict[str, Any] = {
            "code": fault.code,
            "http_status": answer.status,
            "raw": self._redact(answer.data) if isinstance(answer.data, dict) else None,
            "remedy": fault.remedy,
        }
        if kind is RateLimited:
            wait = fault.retry_after or retry_after(answer) or DEFAULT_BAN_SECONDS.get(answer.status, 1.0)
            details["retry_after"] = math.ceil(min(wait, LONGEST_BAN_SECONDS))
        return kind(self.name, self._redact(fault.message), **details)

    # -- the budget --------------------------------------------------------------------------------------------

    def _charges(self, endpoint: Endpoint, market: str) -> list[Charge]:
        found = []
        for name, cost in endpoint.costs:
            limit = self._limits[name]
            found.append(Charge(limit, self._owner(limit.scope, market), cost))
        return found

    def _owner(self, scope: Scope, market: str = "") -> str:
        if scope is Scope.ADDRESS:
            return "address"
        return self._account if scope is Scope.ACCOUNT else f"{self._account}:{market}"

    def _spend(self, venue: str, charges: Sequence[Charge], urgent: bool) -> list[int]:
        try:
            return self._budget.spend(venue, spared(charges), urgent=urgent)
        except Spent as spent:
            raise RateLimited(
                self.name, f"not sent: {spent}", retry_after=max(1, math.ceil(spent.seconds))
            ) from None

    def _correct(
        self, venue: str, headers: Mapping[str, str], charges: Sequence[Charge], used: Sequence[int]
    ) -> None:
        reported = dict(self._usage(headers))
        for charge, ours in zip(charges, used, strict=True):
            theirs = reported.get(charge.limit.name, 0)
            if theirs > ours:
                self._budget.correct(venue, charge, theirs)

    def _give_back(self, venue: str, found: object, charges: Sequence[Charge]) -> None:
        names = self._returned(found)
        returned = [charge for charge in charges if charge.cost and charge.limit.name in names]
        if returned:
            self._budget.refund(venue, returned)

    def _stay_away(self, venue: str, error: RateLimited, charges: Sequence[Charge]) -> None:
        scope = self._limited_scope(error, charges)
        owners = {charge.owner for charge in charges if charge.limit.scope is scope} or {self._owner(scope)}
        for owner in owners:
            self._budget.ban(venue, owner, error.retry_after or 1)

    # -- the clock ---------------------------------------------------------------------------------------------

    def _now_ms(self) -> int:
        """The exchange's time, as far as we know it, in milliseconds."""
        return int(time.time() * 1000 + self._ahead_ms)

    def _renew_timestamp(self, refused: InvalidTimestamp) -> None:
        """Do what makes the next timestamp better than the one just ``refused``."""
        self._synchronise()

    def _synchronise(self) -> None:
        """Measure how far the exchange's clock is ahead of ours, to half a round trip, and correct for it."""
        before = time.time()
        theirs = self.server_time().timestamp()
        self._ahead_ms = (theirs - (before + time.time()) / 2) * 1000

    # -- markets -----------------------------------------------------------------------------------------------

    def markets(self) -> list[Market]:
        """See `Exchange.markets`; what is found is kept for sizing orders."""
        found = self._fetch_markets()
        # Replaced whole: another thread may be sizing an order meanwhile.
        self._markets = {market.symbol: market for market in found}
        self._by_exchange_symbol = {name: market for market in found for name in self._names(market)}
        self._markets_complete = True
        return found

    def use_markets(self, markets: Iterable[Market]) -> None:
        """See `Exchange.use_markets`."""
        for market in markets:
            self._markets[market.symbol] = market
            self._by_exchange_symbol |= dict.fromkeys(self._names(market), market)

    def _names(self, market: Market) -> Iterable[str]:
        """What the exchange calls a market in its answers."""
        return (market.exchange_symbol,)

    def _market(self, symbol: str) -> Market:
        """The rules of a market, fetched only when nobody has given them.

        Raises:
            OrderDenied: when the exchange has no such market.
        """
        if symbol not in self._markets and not self._markets_complete:
            self.markets()
        try:
            return self._markets[symbol]
        except KeyError:
            raise OrderDenied.because(
                "symbol", f"{self.name} has no market {symbol}", remedy="Choose one of the broker's markets."
            ) from None

    def _symbol(self, exchange_symbol: str) -> str:
        """Our name of a market; the exchange's own for one it does not list any more."""
        if exchange_symbol not in self._by_exchange_symbol and not self._markets_complete:
            self.markets()
        market = self._by_exchange_symbol.get(exchange_symbol)
        return exchange_symbol if market is None else market.symbol

    # -- refusals before the wire ------------------------------------------------------------------------------

    def _prepare(self, request: OrderRequest) -> tuple[Market, OrderRequest]:
        """The market of a request, and the request on its grid.

        Raises:
            OrderDenied: naming everything the exchange cannot do and every rule that is broken.
        """
        violations = refusals(self.capabilities, request)
        if violations:
            raise OrderDenied(violations)
        market = self._market(request.symbol)
        violations = [*market.check(request), *self._id_violations(request.client_order_id)]
        if violations:
            raise OrderDenied(violations)
        return market, on_grid(request, market)

    def _prepare_oco(self, request: OcoRequest) -> tuple[Market, OcoRequest]:
        """The market of two exits, and the request on its grid."""
        if not self.capabilities.oco:
            raise OrderDenied.because("oco", f"{self.name} has no orders of which one cancels the other")
        market = self._market(request.symbol)
        violations = [
            *pair_refusals(self.capabilities, request),
            *dict.fromkeys(violation for each in exits_of(request) for violation in market.check(each)),
            *self._id_violations(request.client_order_id),
        ]
        if violations:
            raise OrderDenied(violations)
        return market, pair_on_grid(request, market)

    def _id_violations(self, client_order_id: str | None) -> list[Violation]:
        if client_order_id is None or self.client_id_pattern.fullmatch(client_order_id):
            return []
        return [Violation("client_order_id", f"a client order id is {self.client_id_rule}")]

    # -- the check-up ------------------------------------------------------------------------------------------

    def check_connection(self) -> ConnectionReport:
        """See `Exchange.check_connection`."""
        now = datetime.now(UTC)
        try:
            self._synchronise()
            balances = self.balances()
            permissions, ip_restricted = self._permissions()
        except TradingError as error:
            return ConnectionReport(
                False, str(error), error.remedy, clock_skew_ms=self._skew_ms(), checked_at=now
            )
        return ConnectionReport(
            connected=True,
            permissions=permissions,
            ip_restricted=ip_restricted,
            clock_skew_ms=self._skew_ms(),
            rate_budget=self.rate_budget(),
            balances=balances,
            checked_at=now,
        )

    def _skew_ms(self) -> int | None:
        """How far our clock is ahead of the exchange's; None before it was measured."""
        return -round(self._ahead_ms) if self._ahead_ms else None

    def rate_budget(self) -> RateBudgetState | None:
        """See `Exchange.rate_budget`."""
        if not self._limits:
            return None
        limit = next(iter(self._limits.values()))
        return self._budget.used(self._transport(None).origin, Charge(limit, self._owner(limit.scope), 0))

    # -- connections -------------------------------------------------------------------------------------------

    def _transport(self, host: str | None) -> Transport:
        transport = self._transports.get(host)
        if transport is None:
            urls = self._main_urls() if host is None else self.other_urls[host]
            url = self._base_url or urls.get(self.environment)
            if url is None:
                raise NoSuchEnvironment(f"{self.name} has no {self.environment} environment")
            transport = self._transports[host] = Transport(self.name, url)
        return transport

    def _main_urls(self) -> Mapping[Environment, str]:
        """The hosts of the account's region; of the usual one when none was named."""
        if self._region is None:
            return self.base_urls
        found = next((region.base_urls for region in self.regions if region.id == self._region), None)
        if found is None:
            raise NoSuchRegion(f"{self.name} has no hosts for the region {self._region!r}")
        return found

    def close(self) -> None:
        """See `Exchange.close`."""
        for transport in self._transports.values():
            transport.close()


class NoSuchEnvironment(SwitchyardError):
    """The exchange has no server of that kind."""

    remedy = "Use the sandbox (give its address as base_url) or the live environment."


class NoSuchRegion(SwitchyardError):
    """The exchange has no hosts of its own there."""

    remedy = "Choose one of the regions that the broker's form offers."


def http_fault(answer: Answer) -> Fault | None:
    """What the HTTP status alone proves, for answers that the exchange's own table does not cover."""
    status = answer.status
    message = f"HTTP {status}" + ("" if answer.readable else f", not JSON: {answer.excerpt!r}")
    if status in (429, 418):
        return Fault(RateLimited, message)
    if status == 401:
        return Fault(AuthenticationFailed, message)
    if status == 403:
        return Fault(PermissionDenied, message)
    if status >= 500 or status == 408 or not answer.readable:
        return Fault(OutcomeUnknown, message)
    return Fault(OrderRejected, message) if status >= 400 else None


def retry_after(answer: Answer) -> float | None:
    """The seconds of a ``Retry-After`` header, when it has any."""
    text = answer.headers.get("retry-after", "").strip()
    return float(text) if text.isascii() and text.isdigit() else None


_EPOCH = datetime.fromtimestamp(0, UTC)


def milliseconds(value: Any) -> datetime:
    """A Unix time in milliseconds as an aware UTC time."""
    return _EPOCH + timedelta(milliseconds=int(value))


def to_milliseconds(at: datetime) -> int:
    """An aware time as Unix milliseconds."""
    return round(at.timestamp() * 1000)


def positive(value: str | None) -> Decimal | None:
    """An amount for which the exchange writes zero (or nothing) when there is none."""
    number = Decimal(value) if value else None
    return number if number else None


def _fingerprint(credential: Credential | None) -> str:
    """A name for the account that tells nothing of its key."""
    return hashlib.sha256(credential.api_key.encode()).hexdigest()[:16] if credential else "nobody"
