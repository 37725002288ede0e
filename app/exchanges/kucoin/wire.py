"""What goes to KuCoin: hosts, endpoints, words, faults and signatures.

Sources: https://www.kucoin.com/docs-new/rest/spot-trading (orders, market data), .../rest/account-info and
.../rest/futures-trading for positions, as read in November 2025.
"""

from __future__ import annotations

import base64
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from enum import Enum, auto
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
from app.domain.orders import OrderStatus, OrderType, Side
from app.exchanges.base import AmendMode, Capabilities, CredentialField, PassedTrigger, Place
from app.exchanges.budget import Limit, Scope
from app.exchanges.rest import Endpoint, Fault
from app.exchanges.transport import Answer, WireRequest

# -- hosts: KuCoin has no test environment ---------------------------------------------------------------------

SPOT_URLS = {Environment.LIVE: "https://api.kucoin.com"}
OTHER_URLS = {"futures": {Environment.LIVE: "https://api-futures.kucoin.com"}}

CREDENTIAL_FIELDS = (
    CredentialField("api_key", "API key", secret=False),
    CredentialField("api_secret", "API secret"),
    CredentialField("passphrase", "API passphrase"),
)

# -- limits: pools of weight per 30 seconds, counted per account (public calls per address) --------------------

MANAGEMENT = Limit("management", 2000, 30, Scope.ACCOUNT)
#: A quarter is kept for placing and cancelling.
SPOT = Limit("spot", 4000, 30, Scope.ACCOUNT, reserved=1000)
PUBLIC = Limit("public", 2000, 30, Scope.ADDRESS)
FUTURES = Limit("futures", 2000, 30, Scope.ACCOUNT)

POOLS = (MANAGEMENT, SPOT, PUBLIC, FUTURES)
#: Counts nothing: through it a ban of the address reaches the calls that are counted per account.
ADDRESS = Limit("address", 1, 30, Scope.ADDRESS)

LIMITS = (*POOLS, ADDRESS)

LEFT_HEADER, RESET_HEADER = "gw-ratelimit-remaining", "gw-ratelimit-reset"

# -- families of calls -----------------------------------------------------------------------------------------

#: KuCoin's own ids of stop orders (and of the legs of pairs) begin like this; hf look-ups do not find them.
STOP_PREFIX = "vs"
#: Ours for pairs, whose ids look like those of orders; a leg's is the pair's and its own, because only through its
#: pair can it be looked up or cancelled.
PAIR_PREFIX, LEG_MARK = "oco-", ":"


class Family(Enum):
    """Three kinds of orders, each with calls of its own: those of the hf family, stops, and pairs of exits."""

    ORDER = auto()
    STOP = auto()
    PAIR = auto()


def family(order_id: str) -> Family:
    """Which calls an order id belongs to."""
    if order_id.startswith(PAIR_PREFIX):
        return Family.PAIR
    return Family.STOP if order_id.startswith(STOP_PREFIX) else Family.ORDER


# -- endpoints: {names} in a path are filled in from the parameters --------------------------------------------


def _public(path: str, weight: int) -> Endpoint:
    return Endpoint("GET", path, ((PUBLIC.name, weight),))


def _private(path: str, weight: int, pool: Limit = SPOT, host: str | None = None) -> Endpoint:
    return Endpoint("GET", path, ((pool.name, weight), (ADDRESS.name, 0)), signed=True, host=host)


def _look_up(path: str, weight: int) -> Endpoint:
    """What completes the answer to an order, and settles one in doubt."""
    return replace(_private(path, weight), urgent=True)


def _change(method: str, path: str, weight: int) -> Endpoint:
    return replace(_private(path, weight), method=method, writes=True)


TIME = _public("/api/v1/timestamp", 3)
SYMBOLS = _public("/api/v2/symbols", 4)
STATS = _public("/api/v1/market/stats", 15)
ALL_TICKERS = _public("/api/v1/market/allTickers", 15)
BOOK_20 = _public("/api/v1/market/orderbook/level2_20", 2)
BOOK_100 = _public("/api/v1/market/orderbook/level2_100", 4)
CANDLES = _public("/api/v1/market/candles", 3)

ACCOUNTS = _private("/api/v1/accounts", 5, MANAGEMENT)
KEY_INFO = _private("/api/v1/user/api-key", 20, MANAGEMENT)

#: The calls that wait for the matching engine: their answers tell how the order stands, the others only ids.
PLACE = _change("POST", "/api/v1/hf/orders/sync", 1)
ALTER = _change("POST", "/api/v1/hf/orders/alter", 1)
CANCEL_BY_CLIENT = _change("DELETE", "/api/v1/hf/orders/sync/client-order/{clientOid}", 1)
GET_ORDER = _look_up("/api/v1/hf/orders/{orderId}", 2)
GET_BY_CLIENT = _look_up("/api/v1/hf/orders/client-order/{clientOid}", 2)
ACTIVE = _private("/api/v1/hf/orders/active", 2)
ACTIVE_SYMBOLS = _private("/api/v1/hf/orders/active/symbols", 2)
DONE = _private("/api/v1/hf/orders/done", 2)
FILLS = _private("/api/v1/hf/fills", 2)
FILLS_OF_ORDER = _look_up("/api/v1/hf/fills", 2)

PLACE_STOP = _change("POST", "/api/v1/stop-order", 2)
GET_STOP = _look_up("/api/v1/stop-order/{orderId}", 3)
GET_STOP_BY_CLIENT = _look_up("/api/v1/stop-order/queryOrderByClientOid", 3)
STOPS = _private("/api/v1/stop-order", 8)

PLACE_PAIR = _change("POST", "/api/v3/oco/order", 2)
GET_PAIR = _look_up("/api/v3/oco/order/details/{orderId}", 2)
GET_PAIR_BY_CLIENT = _look_up("/api/v3/oco/client-order/{clientOid}", 2)
PAIRS = _private("/api/v3/oco/orders", 2)

CANCEL = {
    Family.ORDER: _change("DELETE", "/api/v1/hf/orders/sync/{orderId}", 1),
    Family.STOP: _change("DELETE", "/api/v1/stop-order/{orderId}", 3),
    Family.PAIR: _change("DELETE", "/api/v3/oco/order/{orderId}", 3),
}
#: Those of one market.
CANCEL_ALL = {
    Family.ORDER: _change("DELETE", "/api/v1/hf/orders", 2),
    Family.STOP: _change("DELETE", "/api/v1/stop-order/cancel", 3),
    Family.PAIR: _change("DELETE", "/api/v3/oco/orders", 3),
}

POSITIONS = _private("/api/v1/positions", 2, FUTURES, host="futures")
FUTURES_ACCOUNT = _private("/api/v1/account-overview", 5, FUTURES, host="futures")
CONTRACTS = Endpoint("GET", "/api/v1/contracts/active", ((PUBLIC.name, 6),), host="futures")

MAX_DEPTH = 100
MAX_CANDLES = 1500
USUAL_CANDLES = 500
#: Rows of done orders and of fills that come at once, and of stop orders and pairs.
MAX_ROWS = 100
PAGE_SIZE = 100
#: Longest stretch of done orders and fills that one call covers.
HISTORY_WINDOW = timedelta(days=7)

# -- words -----------------------------------------------------------------------------------------------------

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
#: Their word for an interval, and its length (the longest, for months).
INTERVALS = {
    "1m": ("1min", MINUTE),
    "3m": ("3min", 3 * MINUTE),
    "5m": ("5min", 5 * MINUTE),
    "15m": ("15min", 15 * MINUTE),
    "30m": ("30min", 30 * MINUTE),
    "1h": ("1hour", HOUR),
    "2h": ("2hour", 2 * HOUR),
    "4h": ("4hour", 4 * HOUR),
    "6h": ("6hour", 6 * HOUR),
    "8h": ("8hour", 8 * HOUR),
    "12h": ("12hour", 12 * HOUR),
    "1d": ("1day", DAY),
    "1w": ("1week", 7 * DAY),
    "1M": ("1month", 31 * DAY),
}

#: The kinds of account whose balance can be traded; deposits arrive in ``main`` and have to be transferred first.
TRADING_ACCOUNTS = frozenset({"trade", "trade_hf"})

TRADE_TYPE = "TRADE"
#: The spot types an order becomes once its trigger, if it has one, is reached.
AT_MARKET, AT_LIMIT = "market", "limit"

#: ``stop`` says which way the price has to go: ``loss`` down to the trigger, ``entry`` up to it.
DOWN, UP = "loss", "entry"
STOP_DIRECTIONS = {Side.SELL: DOWN, Side.BUY: UP}
TARGET_DIRECTIONS = {Side.SELL: UP, Side.BUY: DOWN}

#: A triggered stop lives on as another order, with an id of its own: PENDING until that one is found.
STOP_STATUSES = {
    "NEW": OrderStatus.OPEN,
    "TRIGGERED": OrderStatus.PENDING,
    "CANCELLED": OrderStatus.CANCELED,
    "CANCELED": OrderStatus.CANCELED,
}
#: So does a pair of exits.
PAIR_STATUSES = STOP_STATUSES | {"DONE": OrderStatus.FILLED}
#: What still waits for its price.
WAITING = "NEW"

#: Documented as up to 40 letters, digits, hyphens and underscores; four are kept for what we call the legs of pairs.
CLIENT_ID = re.compile(r"[a-zA-Z0-9_-]{1,36}")
CLIENT_ID_RULE = "1 to 36 letters, digits, hyphens and underscores"

#: How long an order can be looked up after it left the book: cancelled ones by the newest documentation.
RETENTION = timedelta(days=2)

NO_ENTRY: frozenset[OrderType] = frozenset()

#: Timestamps are accepted five seconds either way of KuCoin's clock: one ahead by five lasts for ten.
CAPABILITIES = Capabilities(
    order_types=frozenset(OrderType) - {OrderType.TRAILING_STOP},
    attached_stop_loss=NO_ENTRY,
    attached_take_profit=NO_ENTRY,
    attached_both=NO_ENTRY,
    attached_per_fill=False,
    passed_trigger=PassedTrigger.FIRES,
    trailing=None,
    oco=True,
    amend=AmendMode.FULL,
    client_id_lookup=RETENTION,
    client_id_unique_forever=False,
    history_kept=RETENTION,
    look_up_places=frozenset(Place),
    request_window=timedelta(seconds=10),
    visibility_delay=timedelta(seconds=10),
    quote_quantity_market_buy=True,
    quote_quantity_market_sell=True,
    batch_cancel=True,
    test_environment=False,
    futures_positions=True,
    standard_taker_fee=Decimal("0.001"),
    all_open_orders_from=2,
)

# -- faults ----------------------------------------------------------------------------------------------------

SUCCESS = "200000"
WRONG_KEY_VERSION = "400009"

#: Most answers of these codes mean what the table says; the words below tell the exceptions.
FAULTS: Mapping[str, type[ExchangeError]] = {
    **dict.fromkeys(
        ("400001", "400003", "400004", "400005", "400006", "400008", WRONG_KEY_VERSION, "400010"),
        AuthenticationFailed,
    ),
    **dict.fromkeys(("400007", "400200", "411100", "400700", "200009", "400500"), PermissionDenied),
    **dict.fromkeys(("200004", "102421", "126013"), InsufficientFunds),
    **dict.fromkeys(("400100", "102411", "300000", "600100", "600101", "415000"), InvalidOrder),
    **dict.fromkeys(("102429", "102434", "102435"), InvalidOrder),
    **dict.fromkeys(("400330", "400350", "400370", "400760"), InvalidOrder),
    **dict.fromkeys(("900001", "400600", "600203"), InvalidOrder),
    **dict.fromkeys(("200003", "102427"), InvalidOrder),
    **dict.fromkeys(("102426", "126044"), DuplicateOrder),
    **dict.fromkeys(("102436", "126043", "102428", "order_not_exist"), OrderNotFound),
    "429000": RateLimited,
    **dict.fromkeys(("400002", "102425"), InvalidTimestamp),
    **dict.fromkeys(("200001", "200002", "404000"), ExchangeUnavailable),
    **dict.fromkeys(("500000", "230005", "408000"), OutcomeUnknown),
}
#: 4003xx that are not in the table are about what an account may do.
NOT_ALLOWED = "4003"

#: What a code that says many things says: words of its message, in lower case.
WORDS: Mapping[str, tuple[tuple[str, type[ExchangeError]], ...]] = {
    "400100": (
        ("clientoidduplicated", DuplicateOrder),
        ("order_not_exist", OrderNotFound),
        ("order not exist", OrderNotFound),
        ("order does not exist", OrderNotFound),
        ("ordernotexist", OrderNotFound),
        ("available.amount", InsufficientFunds),
        ("balance insufficient", InsufficientFunds),
    ),
    "200002": (("too many", RateLimited), ("frequen", RateLimited)),
}

REMEDIES = {
    "200003": "Too many orders are open: cancel some.",
    "102427": "Too many orders are open: cancel some.",
    "102428": "KuCoin is still working on this order: look it up in a moment.",
    "200004": "Only the trading account counts: transfer from the funding account, or reduce the size.",
    "102421": "Only the trading account counts: transfer from the funding account, or reduce the size.",
    "400001": "The request came without a header that KuCoin wants: check that key, secret and passphrase are set.",
    "400002": "This server's clock is off: synchronise it (NTP).",
    "400003": "KuCoin does not know this key: it was deleted, or it was not copied whole.",
    "400004": "The passphrase is not the one chosen when this key was made: type it again, or make a new key.",
    "400005": "The key was recognised but the secret is not its own: copy the secret again or make a new key.",
    "400006": "This server's address is not on the key's list: add it there.",
    "400007": "The key may not do this: allow it to trade spot.",
    "400008": "This key is of a version that KuCoin has retired: make a new key.",
    WRONG_KEY_VERSION: "KuCoin accepts neither version 3 nor 2 for this key: make a new key.",
    "411100": "KuCoin has frozen this account: ask its support.",
    "600101": "The order is worth too little: enlarge it.",
    "900001": "KuCoin does not list this market; reload the markets.",
    "600203": "KuCoin has closed this market for now.",
}


def fault_in(answer: Answer) -> Fault | None:
    """The refusal in ``{"code": "400100", "msg": "…"}``, sorted; None for a success and for any other answer."""
    body = answer.data
    if not isinstance(body, dict) or not isinstance(body.get("code"), str) or body["code"] == SUCCESS:
        return None
    code, message = body["code"], str(body.get("msg") or "")
    return Fault(
        _kind(code, message, answer.status),
        message,
        code=code,
        remedy=REMEDIES.get(code),
        retry_after=_reset_after(answer.headers),
    )


def _kind(code: str, message: str, status: int) -> type[ExchangeError]:
    text = message.lower()
    kind = next((kind for words, kind in WORDS.get(code, ()) if words in text), FAULTS.get(code))
    if kind is not None:
        return kind
    if code.startswith(NOT_ALLOWED):
        return PermissionDenied
    return OutcomeUnknown if status >= 500 else OrderRejected


def _reset_after(headers: Mapping[str, str]) -> float | None:
    """The seconds until the pool is refilled."""
    text = headers.get(RESET_HEADER, "")
    return int(text) / 1000 if text.isdigit() else None


#: What stands before KuCoin refuses an address with a page of its own, for half a minute.
SHUT_OUT = Fault(RateLimited, "too many requests from this address", code="1015", retry_after=30.0)


def shut_out(answer: Answer) -> bool:
    """Whether it was not KuCoin that refused for too many requests."""
    return answer.status == 429 and not answer.readable


def left(headers: Mapping[str, str]) -> int | None:
    """How much weight the pool of a call has left, when the answer tells."""
    text = headers.get(LEFT_HEADER, "")
    return int(text) if text.isdigit() else None


# -- signing ---------------------------------------------------------------------------------------------------

#: Keys made today are of version 3, older ones of 2; both sign their passphrase.
KEY_VERSION, OLDER_KEY_VERSION = "3", "2"

_NAME_IN_PATH = re.compile(r"\{(\w+)\}")


def signature(secret: str, text: str) -> str:
    """HMAC-SHA256 in base64."""
    return base64.b64encode(hmac.digest(secret.encode(), text.encode(), "sha256")).decode()


def build(
    endpoint: Endpoint,
    params: Mapping[str, Any],
    credential: Credential | None,
    timestamp_ms: int,
    key_version: str = KEY_VERSION,
) -> WireRequest:
    """The request as it goes out, signed when the endpoint asks for it: over the path before it is encoded."""
    named = _NAME_IN_PATH.findall(endpoint.path)
    rest = {name: value for name, value in params.items() if name not in named}
    in_body = endpoint.method == "POST"
    query = {} if in_body else rest
    target = _target(endpoint.path, params, query, encoded=True)
    if not endpoint.signed or credential is None:
        return WireRequest(endpoint.method, target)
    body = json.dumps(rest, separators=(",", ":")) if in_body else ""
    signed = _target(endpoint.path, params, query, encoded=False)
    secret = credential.api_secret
    headers = {
        "KC-API-KEY": credential.api_key,
        "KC-API-SIGN": signature(secret, f"{timestamp_ms}{endpoint.method}{signed}{body}"),
        "KC-API-TIMESTAMP": str(timestamp_ms),
        "KC-API-PASSPHRASE": signature(secret, credential.passphrase or ""),
        "KC-API-KEY-VERSION": key_version,
        "Content-Type": "application/json",
    }
    return WireRequest(endpoint.method, target, headers, body.encode() if in_body else None)


def _target(path: str, params: Mapping[str, Any], query: Mapping[str, Any], *, encoded: bool) -> str:
    def written(value: Any) -> str:
        return quote(str(value), safe="") if encoded else str(value)

    filled = _NAME_IN_PATH.sub(lambda found: written(params[found[1]]), path)
    pairs = "&".join(f"{name}={written(value)}" for name, value in query.items())
    return f"{filled}?{pairs}" if pairs else filled
