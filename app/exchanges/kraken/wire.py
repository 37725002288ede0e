"""What goes to Kraken: hosts, endpoints, words, asset codes, faults and signatures.

Sources: https://docs.kraken.com/api/docs/rest-api (add-order, cancel-order, amend-order, get-open-orders …),
https://docs.kraken.com/api/docs/guides/spot-rest-auth and https://docs.kraken.com/api/docs/guides/spot-rest-ratelimits,
as read in July 2026.
"""

from __future__ import annotations

import hmac
import json
import math
import re
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any
from urllib.parse import quote

from app.domain.accounts import Credential, Environment
from app.domain.errors import (
    AuthenticationFailed,
    DuplicateOrder,
    ExchangeError,
    ExchangeUnavailable,
    InsufficientFunds,
    InvalidOrder,
    InvalidTimestamp,
    OrderNotFound,
    OrderRejected,
    OutcomeUnknown,
    PermissionDenied,
    RateLimited,
)
from app.domain.orders import OrderStatus, OrderType
from app.exchanges.base import AmendMode, Capabilities, CredentialField, PassedTrigger, Place, TrailingRange
from app.exchanges.budget import Limit, Refill, Scope
from app.exchanges.rest import Endpoint, Fault
from app.exchanges.transport import Answer, WireRequest

# -- hosts -----------------------------------------------------------------------------------------------------

#: There is no test host for spot.
BASE_URLS = {Environment.LIVE: "https://api.kraken.com"}

CREDENTIAL_FIELDS = (
    CredentialField("api_key", "API key", secret=False),
    CredentialField("api_secret", "Private key"),
)

# -- limits: counters that rise by a call's cost and decay steadily ----------------------------------------------

#: The lowest tier's, for no call tells which tier an account has: 15, decaying by a third a second. A third of it is
#: kept for the questions that follow an order.
COUNTER = Limit("counter", 15, 46, Scope.ACCOUNT, reserved=5, refill=Refill.DRIP)
#: The matching engine's, for each pair: 60, decaying by one a second.
ENGINE = Limit("engine", 60, 60, Scope.ACCOUNT_MARKET, refill=Refill.DRIP)
#: Not published; about one a second is known to be safe.
PUBLIC = Limit("public", 10, 10, Scope.ADDRESS, refill=Refill.DRIP)

LIMITS = (COUNTER, ENGINE, PUBLIC)

ADD_COST = 1
CostByAge = tuple[tuple[float, int], ...]
#: What changing or cancelling costs while the order is younger than so many seconds.
AMEND_COSTS: CostByAge = ((5, 4), (10, 3), (15, 2), (math.inf, 1))
CANCEL_COSTS: CostByAge = ((5, 8), (10, 6), (15, 5), (45, 4), (90, 2), (300, 1), (math.inf, 0))


def cost_by_age(costs: CostByAge, seconds: float) -> int:
    """What one change of an order of that age takes of the matching engine's allowance."""
    return next(cost for younger_than, cost in costs if seconds < younger_than)


# -- endpoints -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class KrakenEndpoint(Endpoint):
    """``in_json``: the body is JSON, as lists require it, instead of a form."""

    in_json: bool = False


def _public(path: str) -> Endpoint:
    return KrakenEndpoint("GET", f"/0/public/{path}", ((PUBLIC.name, 1),))


def _private(path: str, cost: int = 1, *, urgent: bool = False) -> Endpoint:
    return KrakenEndpoint("POST", f"/0/private/{path}", ((COUNTER.name, cost),), signed=True, urgent=urgent)


def _change(path: str, engine: int, *, in_json: bool = False) -> Endpoint:
    costs = ((COUNTER.name, 0), (ENGINE.name, engine))
    return KrakenEndpoint("POST", f"/0/private/{path}", costs, signed=True, writes=True, in_json=in_json)


TIME = _public("Time")
ASSET_PAIRS = _public("AssetPairs")
TICKER = _public("Ticker")
DEPTH = _public("Depth")
OHLC = _public("OHLC")

BALANCES = _private("BalanceEx")
QUERY_ORDERS = _private("QueryOrders")
OPEN_ORDERS = _private("OpenOrders")
CLOSED_ORDERS = _private("ClosedOrders")
TRADES_HISTORY = _private("TradesHistory", 2)
#: Without what it executed an order is not booked, nor guarded what it bought: no look may use this up.
QUERY_TRADES = _private("QueryTrades", 2, urgent=True)

ADD_ORDER = _change("AddOrder", ADD_COST)
#: For prices with a sign and a percent mark, which a form would have to escape.
ADD_ORDER_IN_JSON = _change("AddOrder", ADD_COST, in_json=True)
AMEND_ORDER = _change("AmendOrder", cost_by_age(AMEND_COSTS, 0))
CANCEL_ORDER = _change("CancelOrder", cost_by_age(CANCEL_COSTS, 0))
CANCEL_BATCH = _change("CancelOrderBatch", cost_by_age(CANCEL_COSTS, 0), in_json=True)

PLACING = (ADD_ORDER, ADD_ORDER_IN_JSON)

#: How far ahead a deadline may lie, with half a second for the way and for clocks; source:
#: https://docs.kraken.com/api/docs/rest-api/add-order
SHORTEST_DEADLINE, LONGEST_DEADLINE = timedelta(seconds=2.5), timedelta(seconds=59.5)

MAX_DEPTH = 500
#: The most ids that one call takes: orders to look up or to cancel, trades to look up.
MAX_ORDER_IDS = 50
MAX_TRADE_IDS = 20
#: Rows in one page of closed orders or of trades.
PAGE = 50

# -- asset codes -----------------------------------------------------------------------------------------------

#: Old assets go by a code with X (coins) or Z (currencies) before the name that everything newer goes by alone. A
#: closed list: ZEUS and XION are names, not prefixes.
_COINS = ("ETC", "ETH", "ICN", "LTC", "MLN", "NMC", "REP", "XBT", "XDG", "XLM", "XMR", "XRP", "XVN", "ZEC")
_CURRENCIES = ("AUD", "CAD", "EUR", "GBP", "JPY", "KRW", "USD")
_NAMES = {f"X{name}": name for name in _COINS} | {f"Z{name}": name for name in _CURRENCIES}
#: Two of Kraken's names that nobody else uses.
_OURS = {"XBT": "BTC", "XDG": "DOGE"}
_THEIRS = {ours: theirs for theirs, ours in _OURS.items()}


def asset_name(code: str) -> str:
    """Our name of an asset, from any of Kraken's: ``XXBT`` and ``XBT`` are BTC, ``ZUSD`` is USD.

    What is staked or earning goes by a suffix (``XBT.M``). It cannot be traded, so it stays apart: ``BTC.M``.
    """
    plain, dot, suffix = code.partition(".")
    name = _NAMES.get(plain, plain)
    return _OURS.get(name, name) + dot + suffix


def asset_altname(name: str) -> str:
    """Kraken's short name of an asset of ours: BTC is ``XBT``."""
    return _THEIRS.get(name, name)


def pair_names(symbol: str) -> tuple[str, str]:
    """The names under which answers know one of our markets beside its id: altname and wsname.

    BTC/USD is ``XBTUSD`` and ``XBT/USD``; the id, ``XXBTZUSD``, is a market's ``exchange_symbol``.
    """
    base, _, quote_asset = symbol.partition("/")
    names = asset_altname(base), asset_altname(quote_asset)
    return "".join(names), "/".join(names)


# -- words -----------------------------------------------------------------------------------------------------

#: In minutes.
INTERVALS = {
    "1m": 1,
    "5m": 5,
    "15m": 15,
    "30m": 30,
    "1h": 60,
    "4h": 240,
    "1d": 1440,
    "1w": 10080,
    "15d": 21600,
}

ORDER_TYPES = {
    OrderType.MARKET: "market",
    OrderType.LIMIT: "limit",
    OrderType.STOP_LOSS: "stop-loss",
    OrderType.TAKE_PROFIT: "take-profit",
    OrderType.STOP_LIMIT: "stop-loss-limit",
    OrderType.TAKE_PROFIT_LIMIT: "take-profit-limit",
    OrderType.TRAILING_STOP: "trailing-stop",
}
TYPES_HEARD = {word: type_ for type_, word in ORDER_TYPES.items()}

#: A stop that waits for its price is open as well.
STATUSES = {
    "pending": OrderStatus.PENDING,
    "open": OrderStatus.OPEN,
    "closed": OrderStatus.FILLED,
    "canceled": OrderStatus.CANCELED,
    "expired": OrderStatus.EXPIRED,
}
#: Why an order was cancelled before it could do anything: there is no status for a rejection.
REJECTIONS = frozenset({"Post only order", "Insufficient funds"})

#: Flags of an order: post-only; sized in quote; the fee taken in base.
POST_ONLY, IN_QUOTE, FEE_IN_BASE = "post", "viqc", "fcib"

#: Free text of at most 18 characters, or a UUID with or without hyphens.
CLIENT_ID = re.compile(
    r"[A-Za-z0-9_-]{1,18}|[0-9a-fA-F]{32}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
)
CLIENT_ID_RULE = "1 to 18 letters, digits, hyphens and underscores, or a UUID"

LIMIT_ONLY = frozenset({OrderType.LIMIT})

#: The history tells of open orders, too, so that their list is not asked for once more: questions are scarce here.
#: Requests have no timestamp: one that is under way is refused for its nonce as soon as a later look-up was answered,
#: and an order once its deadline has passed, which lies within the time that its claim has for sending.
CAPABILITIES = Capabilities(
    order_types=frozenset(ORDER_TYPES),
    attached_stop_loss=LIMIT_ONLY,
    attached_take_profit=LIMIT_ONLY,
    attached_both=frozenset(),
    attached_per_fill=True,
    passed_trigger=PassedTrigger.REFUSED,
    trailing=TrailingRange(Decimal("0.01"), Decimal("99.99"), Decimal("0.01")),
    oco=False,
    amend=AmendMode.FULL,
    # As long as closed orders are kept, which nobody promises for how long.
    client_id_lookup=timedelta(days=90),
    client_id_unique_forever=False,
    history_kept=timedelta(days=90),
    look_up_places=frozenset(Place) - {Place.OPEN},
    request_window=timedelta(0),
    visibility_delay=timedelta(seconds=10),
    quote_quantity_market_buy=True,
    quote_quantity_market_sell=False,
    batch_cancel=True,
    test_environment=False,
    futures_positions=False,
    standard_taker_fee=Decimal("0.004"),
)

# -- faults ----------------------------------------------------------------------------------------------------

#: By the beginning of the text, the first that fits. `OutcomeUnknown` where Kraken may have executed all the same.
FAULTS: tuple[tuple[str, type[ExchangeError]], ...] = (
    ("EAPI:Invalid key", AuthenticationFailed),
    ("EAPI:Invalid signature", AuthenticationFailed),
    ("EAPI:Invalid nonce", InvalidTimestamp),
    ("EAPI:Rate limit exceeded", RateLimited),
    ("EAPI:", OrderRejected),
    ("ESession:Invalid session", AuthenticationFailed),
    ("EGeneral:Permission denied", PermissionDenied),
    ("EGeneral:Temporary lockout", RateLimited),
    ("EGeneral:Too many requests", RateLimited),
    ("EGeneral:Invalid arguments:cl_ord_id not unique", DuplicateOrder),
    ("EGeneral:Invalid arguments:deadline", InvalidTimestamp),
    ("EGeneral:Invalid arguments", InvalidOrder),
    ("EGeneral:Internal error", OutcomeUnknown),
    ("EGeneral:", OrderRejected),
    ("EAccount:Invalid permissions", PermissionDenied),
    ("EAuth:Account temporary disabled", PermissionDenied),
    ("ETrade:User Locked", PermissionDenied),
    ("EOrder:Insufficient funds", InsufficientFunds),
    ("EOrder:Unknown order", OrderNotFound),
    ("EOrder:Rate limit exceeded", RateLimited),
    ("EOrder:Domain rate limit exceeded", RateLimited),
    ("EOrder:", InvalidOrder),
    ("EQuery:", InvalidOrder),
    ("EService:Market in ", ExchangeUnavailable),
    ("EService:Throttled", RateLimited),
)

#: What a trigger that has passed is refused with, and a price of too many decimals as well.
INVALID_PRICE = "Invalid price"
#: What is refused when our clock is not theirs.
INVALID_DEADLINE = "Invalid arguments:deadline"

REMEDIES = {
    "EAPI:Invalid key": "Kraken does not know this key: copy it again, whole, or make a new one.",
    "EAPI:Invalid signature": "The private key does not belong to this key: copy it again or make a new pair.",
    "EAPI:Invalid nonce": (
        "Another program uses this key with larger nonces, or its nonces arrive first: make a key for this server "
        "alone, or give the key a nonce window in Kraken's settings."
    ),
    "EGeneral:Permission denied": (
        "Give the key the permissions to query funds, to query open and closed orders and trades, and to create, "
        "modify and cancel orders; if it is bound to addresses, allow this server's."
    ),
    "EGeneral:Temporary lockout": (
        "Too many requests with a wrong key or nonce: Kraken lets nothing through for about a quarter of an hour."
    ),
    "EAuth:Account temporary disabled": "The account is suspended: log in at Kraken to see why.",
    "ETrade:User Locked": "The account may not trade: log in at Kraken to see why.",
    "EOrder:Cost minimum not met": "The order is worth too little: enlarge it.",
    "EOrder:Order minimum not met": "The quantity is below the market's minimum: enlarge it.",
    "EOrder:Tick size check failed": "Choose a price on the market's tick; reload the markets if it has changed.",
    "EOrder:Orders limit exceeded": "Too many orders are open on this market: cancel some.",
    "EQuery:Unknown asset pair": "Kraken does not list this market; reload the markets.",
    "EService:Market in ": "The market takes no such orders at the moment; nothing was placed.",
}

#: How long to stay away, in seconds, when Kraken does not say: until a few calls have decayed; until a lock-out ends,
#: which trying again would only prolong.
_SPENT_SECONDS, _LOCKOUT_SECONDS = 5.0, 900.0
_SPACED = re.compile(r":\s+")
_THROTTLED_UNTIL = re.compile(r"EService:Throttled:(\d+)")


def fault_in(answer: Answer, now: float) -> Fault | None:
    """The first complaint in ``{"error": ["EOrder:Insufficient funds"]}``; what begins with W is only a warning.

    ``now`` is Unix time in seconds.
    """
    body = answer.data
    complaints = body.get("error") if isinstance(body, dict) else None
    if not isinstance(complaints, list):
        return None
    texts = [_SPACED.sub(":", text) for text in complaints if isinstance(text, str) and text.startswith("E")]
    if not texts:
        return None
    text = texts[0]
    kind = next((kind for start, kind in FAULTS if text.startswith(start)), OutcomeUnknown)
    category, _, message = text.partition(":")
    return Fault(
        kind,
        message or text,
        code=category,
        remedy=next((remedy for start, remedy in REMEDIES.items() if text.startswith(start)), None),
        retry_after=_wait(text, now) if kind is RateLimited else None,
    )


def _wait(text: str, now: float) -> float:
    until = _THROTTLED_UNTIL.match(text)
    if until:
        return max(1.0, int(until[1]) - now)
    return _LOCKOUT_SECONDS if "lockout" in text else _SPENT_SECONDS


# -- signing ---------------------------------------------------------------------------------------------------


def encode(params: Mapping[str, Any]) -> str:
    """Parameters as a query or a form. Names keep their brackets (``close[price]``); values are percent-encoded."""
    return "&".join(f"{name}={quote(str(value), safe='')}" for name, value in params.items())


def signature(secret: str, path: str, nonce: str, body: bytes) -> str:
    """Base64 of HMAC-SHA512 over the path and the SHA-256 of nonce and body, exactly as they are sent.

    Raises:
        ValueError: when the secret is not base64.
    """
    digest = sha256(nonce.encode() + body).digest()
    return b64encode(hmac.digest(b64decode(secret, validate=True), path.encode() + digest, "sha512")).decode()


def build(endpoint: Endpoint, params: Mapping[str, Any], credential: Credential | None) -> WireRequest:
    """The request as it goes out. A signed one finds its ``nonce`` among the parameters.

    Raises:
        AuthenticationFailed: when the private key is not of the form of one.
    """
    if not endpoint.signed or credential is None:
        return WireRequest(endpoint.method, f"{endpoint.path}?{encode(params)}" if params else endpoint.path)
    in_json = isinstance(endpoint, KrakenEndpoint) and endpoint.in_json
    body = (json.dumps(params, separators=(",", ":")) if in_json else encode(params)).encode()
    try:
        sign = signature(credential.api_secret, endpoint.path, params["nonce"], body)
    except ValueError:
        raise AuthenticationFailed(
            "kraken",
            "the private key is not in base64",
            remedy="Copy the private key again, whole: it ends with two equals signs.",
        ) from None
    kind = "application/json" if in_json else "application/x-www-form-urlencoded"
    headers = {"API-Key": credential.api_key, "API-Sign": sign, "Content-Type": kind}
    return WireRequest(endpoint.method, endpoint.path, headers, body)
