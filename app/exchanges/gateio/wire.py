"""What goes to Gate.io: hosts, endpoints, words, faults and signatures.

Source: https://www.gate.com/docs/developers/apiv4 (v4.106), as read in June 2026.
"""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from hashlib import sha512
from typing import Any
from urllib.parse import quote

from app.domain.accounts import Credential, Environment
from app.domain.errors import (
    AuthenticationFailed,
    ExchangeError,
    InsufficientFunds,
    InvalidOrder,
    InvalidTimestamp,
    OrderNotFound,
    OrderRejected,
    OutcomeUnknown,
    PermissionDenied,
    RateLimited,
    WouldTrigger,
)
from app.domain.orders import OrderStatus, OrderType, TimeInForce
from app.exchanges.base import AmendMode, Capabilities, CredentialField, PassedTrigger, Place, ReusedId
from app.exchanges.budget import Limit, Scope
from app.exchanges.rest import Endpoint, Fault
from app.exchanges.transport import Answer, WireRequest

# -- hosts -----------------------------------------------------------------------------------------------------

SPOT_URLS = {
    Environment.LIVE: "https://api.gateio.ws",
    Environment.TESTNET: "https://api-testnet.gateapi.io",
}

CREDENTIAL_FIELDS = (
    CredentialField("api_key", "API key", secret=False),
    CredentialField("api_secret", "API secret"),
)

# -- endpoints, each with a limit of its own: by address (public) or by user (private) -------------------------

#: New orders and changes, counted for each market by itself.
ORDERS = Limit("orders", 10, 1, Scope.ACCOUNT_MARKET)
CANCELS = Limit("cancels", 200, 1, Scope.ACCOUNT)
TRIGGERS = Limit("triggers", 200, 10, Scope.ACCOUNT)

_limits: list[Limit] = []


def _call(
    method: str, path: str, limit: Limit | None = None, *, signed: bool = True, urgent: bool = False
) -> Endpoint:
    if limit is None:
        limit = Limit(path.strip("/"), 200, 10, Scope.ACCOUNT if signed else Scope.ADDRESS)
        _limits.append(limit)
    writes = method != "GET"
    return Endpoint(method, f"/api/v4{path}", ((limit.name, 1),), signed=signed, writes=writes, urgent=urgent)


TIME = _call("GET", "/spot/time", signed=False)
PAIRS = _call("GET", "/spot/currency_pairs", signed=False)
TICKERS = _call("GET", "/spot/tickers", signed=False)
ORDER_BOOK = _call("GET", "/spot/order_book", signed=False)
CANDLES = _call("GET", "/spot/candlesticks", signed=False)
CONTRACT = _call("GET", "/futures/usdt/contracts/{id}", signed=False)

ACCOUNTS = _call("GET", "/spot/accounts")
DETAIL = _call("GET", "/account/detail")
FUTURES_ACCOUNT = _call("GET", "/futures/usdt/accounts")
POSITIONS = _call("GET", "/futures/usdt/positions")

PLACE = _call("POST", "/spot/orders", ORDERS)
AMEND = _call("PATCH", "/spot/orders/{id}", ORDERS)
CANCEL = _call("DELETE", "/spot/orders/{id}", CANCELS)
CANCEL_ALL = _call("DELETE", "/spot/orders", CANCELS)
GET_ORDER = _call("GET", "/spot/orders/{id}", urgent=True)
OPEN_ORDERS = _call("GET", "/spot/open_orders")
LIST_ORDERS = _call("GET", "/spot/orders")
FILLS = _call("GET", "/spot/my_trades", urgent=True)

PLACE_TRIGGER = _call("POST", "/spot/price_orders", TRIGGERS)
GET_TRIGGER = _call("GET", "/spot/price_orders/{id}", urgent=True)
LIST_TRIGGERS = _call("GET", "/spot/price_orders")
CANCEL_TRIGGER = _call("DELETE", "/spot/price_orders/{id}", CANCELS)
CANCEL_TRIGGERS = _call("DELETE", "/spot/price_orders", CANCELS)

LIMITS = (*_limits, ORDERS, CANCELS, TRIGGERS)

#: What the endpoint allows in its window, how much of that is left, and when it is whole again (Unix seconds).
LIMIT_HEADER, LEFT_HEADER, RESET_HEADER = (
    "x-gate-ratelimit-limit",
    "x-gate-ratelimit-requests-remain",
    "x-gate-ratelimit-reset-timestamp",
)

MAX_DEPTH = 100
MAX_CANDLES = 1000
USUAL_CANDLES = 100
PAGE, FILLS_PAGE = 100, 1000
#: The longest stretch that executions cover at once.
WINDOW = timedelta(days=30)

# -- words -----------------------------------------------------------------------------------------------------

ACCOUNT, TRIGGER_ACCOUNT = "spot", "normal"
#: In ``account/detail``: an account whose money lies in the unified account, which these calls do not see.
UNIFIED_MODE = 2

INTERVALS = {
    "1m": ("1m", timedelta(minutes=1)),
    "5m": ("5m", timedelta(minutes=5)),
    "15m": ("15m", timedelta(minutes=15)),
    "30m": ("30m", timedelta(minutes=30)),
    "1h": ("1h", timedelta(hours=1)),
    "4h": ("4h", timedelta(hours=4)),
    "8h": ("8h", timedelta(hours=8)),
    "1d": ("1d", timedelta(days=1)),
    "1w": ("7d", timedelta(weeks=1)),
}

FORCES = {TimeInForce.GTC: "gtc", TimeInForce.IOC: "ioc", TimeInForce.FOK: "fok"}
POST_ONLY = "poc"

#: Every order of ours is named with this before its client id; other names are the exchange's own.
TEXT_PREFIX = "t-"
CLIENT_ID = re.compile(r"[0-9A-Za-z_.-]{1,28}")
CLIENT_ID_RULE = "1 to 28 letters, digits, underscores, hyphens and dots"

#: A trigger that is to sell at the market goes out with a limit so far beyond it, for one at once or not at all:
#: users report that triggers of type market are refused.
PAD = Decimal("0.08")

BELOW, ABOVE = "<=", ">="

#: Why an order ended, where somebody did not cancel it: it could not fill at once or its price was kept from harm.
NOT_AT_ONCE = frozenset(
    {"ioc", "fok", "depth_not_enough", "trader_not_enough", "price_protect_cancelled", "small"}
)
WOULD_TAKE = "poc"

#: A trigger that has fired is told by the order it became. One that failed had rested until then: it has EXPIRED.
TRIGGER_STATUSES = {
    "open": OrderStatus.OPEN,
    "cancelled": OrderStatus.CANCELED,
    "finish": OrderStatus.OPEN,
    "failed": OrderStatus.EXPIRED,
    "expired": OrderStatus.EXPIRED,
}

#: A request is refused once its timestamp, in whole seconds, is a minute old; a new order earlier.
CLOCK = timedelta(seconds=61)
EXPIRES_MS = 5000

#: Two orders may go by one client id: nothing but looking proves that an order is not there. By its client id an order
#: is found while it is open, then in the history. How far that goes back is not documented: no more is counted on than
#: the week that executions go back to unless longer is asked for.
CAPABILITIES = Capabilities(
    order_types=frozenset(OrderType) - {OrderType.TRAILING_STOP},
    attached_stop_loss=frozenset(),
    attached_take_profit=frozenset(),
    attached_both=frozenset(),
    attached_per_fill=False,
    passed_trigger=PassedTrigger.REFUSED,
    trailing=None,
    oco=False,
    amend=AmendMode.FULL,
    client_id_lookup=timedelta(days=1),
    client_id_unique_forever=False,
    reused_id=ReusedId.PLACED,
    history_kept=timedelta(days=7),
    look_up_places=frozenset(Place),
    request_window=CLOCK,
    visibility_delay=timedelta(seconds=10),
    quote_quantity_market_buy=True,
    quote_quantity_market_sell=False,
    batch_cancel=True,
    test_environment=True,
    futures_positions=True,
    standard_taker_fee=Decimal("0.002"),
)

# -- faults ----------------------------------------------------------------------------------------------------

_BY_KIND: Mapping[type[ExchangeError], str] = {
    AuthenticationFailed: (
        "INVALID_KEY INVALID_SIGNATURE INVALID_CREDENTIALS MISSING_REQUIRED_HEADER AUTHENTICATION_FAILED"
    ),
    InvalidTimestamp: "REQUEST_EXPIRED",
    PermissionDenied: "FORBIDDEN READ_ONLY IP_FORBIDDEN ACCOUNT_LOCKED SUB_ACCOUNT_LOCKED TRADE_RESTRICTED",
    InsufficientFunds: (
        "BALANCE_NOT_ENOUGH MARGIN_BALANCE_NOT_ENOUGH INSUFFICIENT_AVAILABLE FUTURES_BALANCE_NOT_ENOUGH"
    ),
    WouldTrigger: "AUTO_TRIGGER_PRICE_LESS_LAST AUTO_TRIGGER_PRICE_GREATE_LAST",
    InvalidOrder: (
        "INVALID_PRECISION AMOUNT_TOO_LITTLE AMOUNT_TOO_MUCH QUANTITY_NOT_ENOUGH POC_FILL_IMMEDIATELY FOK_NOT_FILL"
        " ORDER_BOOK_NOT_FOUND PRICE_THRESHOLD_EXCEEDED NO_CHANGE TOO_MANY_ORDERS INVALID_PARAM_VALUE"
        " INVALID_ARGUMENT MISSING_REQUIRED_PARAM INVALID_REQUEST_BODY INVALID_PROTOCOL INVALID_CURRENCY_PAIR"
        " INVALID_CURRENCY"
    ),
    # The second line: final already; the order's own record tells which.
    OrderNotFound: "ORDER_NOT_FOUND CLIENT_ID_NOT_FOUND ORDER_CLOSED ORDER_CANCELLED CANCEL_FAIL",
    RateLimited: "TOO_MANY_REQUESTS TOO_FAST",
    OutcomeUnknown: "TOO_BUSY SERVER_ERROR INTERNAL INTERNAL_SERVER_ERROR SERVER_TIMEOUT",
}
FAULTS = {label: kind for kind, labels in _BY_KIND.items() for label in labels.split()}

#: How futures say that there is no account yet, since nothing was ever moved there.
NO_FUTURES = "USER_NOT_FOUND"

REMEDIES = {
    "INVALID_KEY": (
        "Gate.io does not know this key: it was deleted, not copied whole, or belongs to the other environment."
    ),
    "INVALID_SIGNATURE": "The key was recognised but the secret is not its own: copy it again or make a new key.",
    "READ_ONLY": "The key may only read: give it the permission to trade spot (read and write).",
    "FORBIDDEN": "The key may not do this: give it the permission to trade spot (read and write).",
    "IP_FORBIDDEN": "This server's address is not on the key's list: add it at Gate.io.",
    "PRICE_THRESHOLD_EXCEEDED": "The price is further from the market than Gate.io allows.",
}


def fault_in(answer: Answer, now_ms: int) -> Fault | None:
    """The refusal in ``{"label": "BALANCE_NOT_ENOUGH", "message": "…"}``, sorted; None for any other answer.

    Futures say ``detail`` instead of ``message``.
    """
    body = answer.data
    if answer.status < 400 or not isinstance(body, dict) or not isinstance(body.get("label"), str):
        return None
    label, message = body["label"], str(body.get("message") or body.get("detail") or "")
    unlisted = OutcomeUnknown if answer.status >= 500 else OrderRejected
    kind = FAULTS.get(label, unlisted)
    wait = _until_reset(answer, now_ms) if kind is RateLimited else None
    return Fault(kind, message, code=label, remedy=REMEDIES.get(label), retry_after=wait)


def _until_reset(answer: Answer, now_ms: int) -> float | None:
    reset = answer.headers.get(RESET_HEADER, "")
    return max(1.0, int(reset) - now_ms / 1000) if reset.isascii() and reset.isdigit() else None


# -- signing ---------------------------------------------------------------------------------------------------


def signature(secret: str, method: str, path: str, query: str, body: str, timestamp: str) -> str:
    """HMAC-SHA512 in lower-case hex over five lines; the query is signed as it reads before it is encoded."""
    lines = (method, path, query, sha512(body.encode()).hexdigest(), timestamp)
    return hmac.digest(secret.encode(), "\n".join(lines).encode(), "sha512").hex()


def build(
    endpoint: Endpoint, params: Mapping[str, Any], credential: Credential | None, timestamp_ms: int
) -> WireRequest:
    """The request as it goes out, signed when the endpoint asks for it: JSON for POST and PATCH, else a query.

    A parameter ``id`` is the part of the path that names an order or contract.
    """
    path = endpoint.path.replace("{id}", str(params.get("id")))
    rest = {name: value for name, value in params.items() if name != "id"}
    in_body = endpoint.method in ("POST", "PATCH")
    body = json.dumps(rest, separators=(",", ":")) if in_body else ""
    query = "" if in_body else "&".join(f"{name}={value}" for name, value in rest.items())
    target = f"{path}?{quote(query, safe='=&')}" if query else path
    if not endpoint.signed or credential is None:
        return WireRequest(endpoint.method, target)
    stamp = str(timestamp_ms // 1000)
    headers = {
        "KEY": credential.api_key,
        "Timestamp": stamp,
        "SIGN": signature(credential.api_secret, endpoint.method, path, query, body, stamp),
        "Accept": "application/json",
    }
    if endpoint == PLACE:
        headers["x-gate-exptime"] = str(timestamp_ms + EXPIRES_MS)
    if not in_body:
        return WireRequest(endpoint.method, target, headers)
    return WireRequest(endpoint.method, target, headers | {"Content-Type": "application/json"}, body.encode())
