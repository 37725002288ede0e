"""What goes to OKX: hosts, endpoints, words, faults and signatures.

Source: https://www.okx.com/docs-v5/en (overview, order book trading, trading account, error code), read in June 2026.
"""

from __future__ import annotations

import base64
import hmac
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import quote, urlencode

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
    WouldTrigger,
)
from app.domain.orders import OrderStatus, OrderType, TimeInForce
from app.exchanges.base import AmendMode, Capabilities, CredentialField, PassedTrigger, Place, Region
from app.exchanges.budget import Limit, Scope
from app.exchanges.rest import Endpoint, Fault
from app.exchanges.transport import Answer, WireRequest

# -- hosts -----------------------------------------------------------------------------------------------------


def _at(host: str) -> Mapping[Environment, str]:
    """Demo trading is the live host with keys of its own and a header on every call."""
    return {Environment.LIVE: f"https://{host}", Environment.TESTNET: f"https://{host}"}


#: Keys work at the host of the site on which the account was opened, and nowhere else.
REGIONS = (
    Region("global", "okx.com: most countries", _at("www.okx.com")),
    Region("eea", "my.okx.com: European Economic Area", _at("eea.okx.com")),
    Region("us", "app.okx.com: United States, Australia", _at("us.okx.com")),
)
URLS = REGIONS[0].base_urls
DEMO_HEADER = {"x-simulated-trading": "1"}

CREDENTIAL_FIELDS = (
    CredentialField("api_key", "API key", secret=False),
    CredentialField("api_secret", "Secret key"),
    CredentialField("passphrase", "Passphrase"),
)

# -- endpoints, each with a limit of its own: calls in two seconds ---------------------------------------------

_WINDOW_SECONDS = 2
_limits: list[Limit] = []


def _call(method: str, path: str, per_window: int, scope: Scope = Scope.ACCOUNT) -> Endpoint:
    name = f"{method} {path.rpartition('/')[2]}"
    _limits.append(Limit(name, per_window, _WINDOW_SECONDS, scope))
    signed = scope is not Scope.ADDRESS
    return Endpoint(method, f"/api/v5{path}", ((name, 1),), signed=signed, writes=method == "POST")


TIME = _call("GET", "/public/time", 10, Scope.ADDRESS)
INSTRUMENTS = _call("GET", "/public/instruments", 20, Scope.ADDRESS)
TICKER = _call("GET", "/market/ticker", 20, Scope.ADDRESS)
TICKERS = _call("GET", "/market/tickers", 20, Scope.ADDRESS)
ORDER_BOOK = _call("GET", "/market/books", 40, Scope.ADDRESS)
CANDLES = _call("GET", "/market/candles", 40, Scope.ADDRESS)
OLD_CANDLES = _call("GET", "/market/history-candles", 20, Scope.ADDRESS)

BALANCE = _call("GET", "/account/balance", 10)
CONFIG = _call("GET", "/account/config", 5)
POSITIONS = _call("GET", "/account/positions", 10)

PLACE = _call("POST", "/trade/order", 60, Scope.ACCOUNT_MARKET)
AMEND = _call("POST", "/trade/amend-order", 60, Scope.ACCOUNT_MARKET)
CANCEL = _call("POST", "/trade/cancel-order", 60, Scope.ACCOUNT_MARKET)
CANCEL_SOME = _call("POST", "/trade/cancel-batch-orders", 300, Scope.ACCOUNT_MARKET)
PLACE_ALGO = _call("POST", "/trade/order-algo", 20, Scope.ACCOUNT_MARKET)
CANCEL_ALGOS = _call("POST", "/trade/cancel-algos", 20, Scope.ACCOUNT_MARKET)

GET_ORDER = _call("GET", "/trade/order", 60, Scope.ACCOUNT_MARKET)
GET_ALGO = _call("GET", "/trade/order-algo", 20)
OPEN_ORDERS = _call("GET", "/trade/orders-pending", 60)
PAST_ORDERS = _call("GET", "/trade/orders-history", 40)
OLD_ORDERS = _call("GET", "/trade/orders-history-archive", 20)
OPEN_ALGOS = _call("GET", "/trade/orders-algo-pending", 20)
PAST_ALGOS = _call("GET", "/trade/orders-algo-history", 20)
FILLS = _call("GET", "/trade/fills", 60)
OLD_FILLS = _call("GET", "/trade/fills-history", 10)

LIMITS = tuple(_limits)

#: Under this name stands the array of a call whose body is nothing else.
ROWS = "rows"
MOST_CANCELS = 20

MAX_DEPTH = 400
USUAL_CANDLES = 100
MAX_CANDLES = 300
#: How many candles back the quicker of the two lists reaches.
RECENT_CANDLES = 1440
PAGE = 100

#: How far back each list reaches, a little less than documented.
RECENT_ORDERS = timedelta(days=6, hours=23)
RECENT_FILLS = timedelta(days=2, hours=23)
ARCHIVE = timedelta(days=89)

# -- words -----------------------------------------------------------------------------------------------------

SPOT, SWAP = "SPOT", "SWAP"
USDT_SWAP = "-USDT-SWAP"

#: Candles of six hours and more are aligned to UTC+8 unless their UTC form is asked for.
INTERVALS = {
    "1m": ("1m", timedelta(minutes=1)),
    "3m": ("3m", timedelta(minutes=3)),
    "5m": ("5m", timedelta(minutes=5)),
    "15m": ("15m", timedelta(minutes=15)),
    "30m": ("30m", timedelta(minutes=30)),
    "1h": ("1H", timedelta(hours=1)),
    "2h": ("2H", timedelta(hours=2)),
    "4h": ("4H", timedelta(hours=4)),
    "6h": ("6Hutc", timedelta(hours=6)),
    "12h": ("12Hutc", timedelta(hours=12)),
    "1d": ("1Dutc", timedelta(days=1)),
    "1w": ("1Wutc", timedelta(weeks=1)),
    "1M": ("1Mutc", timedelta(days=28)),
}

LIMIT_TYPES = {TimeInForce.GTC: "limit", TimeInForce.IOC: "ioc", TimeInForce.FOK: "fok"}
POST_ONLY, MARKET = "post_only", "market"
#: What a market order's size is in: always said, because what it is without a word depends on the side.
IN_BASE, IN_QUOTE = "base_ccy", "quote_ccy"
#: The price of an exit that executes at the market.
AT_MARKET = "-1"
#: One exit alone, and two of which one cancels the other; the lists take both at once.
SINGLE, PAIR = "conditional", "oco"
ALGO_TYPES = f"{SINGLE},{PAIR}"

#: Account modes in which a spot order is one of the cross-margin account; in the others it is a cash order.
CROSS_MODES = frozenset({"3", "4"})
CASH, CROSS = "cash", "cross"

STATUSES = {
    "live": OrderStatus.OPEN,
    "partially_filled": OrderStatus.PARTIALLY_FILLED,
    "filled": OrderStatus.FILLED,
    "canceled": OrderStatus.CANCELED,
    "mmp_canceled": OrderStatus.CANCELED,
}

#: One that has executed is told by the order it placed. One that could not had rested until then: it ends EXPIRED,
#: since REJECTED is for orders that never rested.
EFFECTIVE = "effective"
ALGO_STATUSES = {
    "live": OrderStatus.OPEN,
    "pause": OrderStatus.OPEN,
    "partially_effective": OrderStatus.OPEN,
    EFFECTIVE: OrderStatus.OPEN,
    "canceled": OrderStatus.CANCELED,
    "order_failed": OrderStatus.EXPIRED,
    "partially_failed": OrderStatus.EXPIRED,
}
PAST_ALGO_STATES = (EFFECTIVE, "canceled", "order_failed")

#: OKX takes 32; the rest is for the suffix of exits that an entry carries.
CLIENT_ID = re.compile(r"[0-9A-Za-z]{1,30}")
CLIENT_ID_RULE = "1 to 30 letters and digits"

#: Orders that were cancelled without a fill are told for two hours, all others and the executions for months. A new
#: order's own window is five seconds, but that of one that waits for a price cannot be narrowed: it is taken until its
#: timestamp is 30 s old. Exits could go with market orders, too, but not with those bought by base.
CAPABILITIES = Capabilities(
    order_types=frozenset(OrderType) - {OrderType.TRAILING_STOP},
    attached_stop_loss=frozenset({OrderType.LIMIT}),
    attached_take_profit=frozenset({OrderType.LIMIT}),
    attached_both=frozenset({OrderType.LIMIT}),
    attached_per_fill=False,
    passed_trigger=PassedTrigger.REFUSED,
    trailing=None,
    oco=True,
    amend=AmendMode.FULL,
    client_id_lookup=timedelta(hours=2),
    client_id_unique_forever=False,
    history_kept=timedelta(hours=2),
    fills_kept=ARCHIVE,
    look_up_places=frozenset(Place),
    request_window=timedelta(seconds=30),
    visibility_delay=timedelta(seconds=10),
    quote_quantity_market_buy=True,
    quote_quantity_market_sell=True,
    batch_cancel=False,
    test_environment=True,
    futures_positions=True,
    one_wallet=True,
    standard_taker_fee=Decimal("0.001"),
)

# -- faults ----------------------------------------------------------------------------------------------------

SUCCESS = "0"
_TOO_FAST_SECONDS = 2.0

_BY_KIND: Mapping[type[ExchangeError], str] = {
    AuthenticationFailed: "50101 50103 50104 50105 50106 50107 50111 50113 50114 50119",
    InvalidTimestamp: "50102 50112 50036 50037",
    PermissionDenied: (
        "50110 50035 50030 50120 50027 50028 50029 50032 50033 50121 50100 50038 51024 51155 51010"
    ),
    InsufficientFunds: "51008 51119 51127 51131 51502",
    WouldTrigger: "51277 51278 51279 51280",
    InvalidOrder: (
        "50000 50002 50014 50015 50016 50122 51000 51001 51002 51005 51006 51014 51015 51020 51021 51022 51025 51046"
        " 51047 51048 51049 51050 51051 51052 51053 51076 51077 51094 51095 51102 51116 51120 51121 51137 51138 51150"
        " 51174 51201 51202 51203 51204 51281 51415 51511 51512"
    ),
    DuplicateOrder: "51016 51011 51065 51068 50071",
    OrderNotFound: "51603 51400 51503 51063",
    RateLimited: "50011 50013 50040 50061 51113 51410 51412 51513",
    ExchangeUnavailable: "50001 50005",
    # 50004 is "endpoint request timeout (does not mean that the request was successful or failed)", with HTTP 400.
    OutcomeUnknown: "50004 50026 51054 51149",
}
FAULTS = {code: kind for kind, codes in _BY_KIND.items() for code in codes.split()}

_WRONG_MODE = (
    "A key of demo trading works with the test environment only, and a live key only without it: choose the other "
    "environment, or make a key in the right mode."
)
REMEDIES = {
    "50101": _WRONG_MODE,
    "50105": "The passphrase is not the one chosen when this key was made.",
    "50110": "This server's address is not on the key's list: add it at OKX.",
    "50111": "OKX does not know this key: it was deleted, not copied whole, or belongs to the site of another region.",
    "50113": "The key was recognised but the secret is not its own: copy the secret again or make a new key.",
    "50119": "OKX does not know this key: it was deleted, not copied whole, or belongs to the site of another region.",
    "50120": "The key may not do this: give it the permission to trade.",
    "51008": "Reduce the size, or move funds from the funding account to the trading account.",
    "51010": "The account's mode does not allow this: choose the spot or futures mode at OKX.",
    "51020": "The order is worth too little: enlarge it.",
}


def fault_in(answer: Answer) -> Fault | None:
    """The refusal in ``{"code": "1", "data": [{"sCode": "51008", …}]}``, sorted; None for success and other answers.

    What is told of an order itself (``sCode``) goes before the code of the answer, which may be "0" all the same. Of
    several orders one that succeeded makes it a success. The HTTP status does not matter: refusals come with 200.
    """
    body = answer.data
    if not isinstance(body, dict) or not isinstance(body.get("code"), str | int):
        return None
    code, message = str(body["code"]), str(body.get("msg") or "")
    rows = body.get("data")
    told = (
        [row for row in rows if isinstance(row, dict) and row.get("sCode")] if isinstance(rows, list) else []
    )
    if told:
        if any(str(row["sCode"]) == SUCCESS for row in told):
            return None
        code, message = str(told[0]["sCode"]), str(told[0].get("sMsg") or message)
    if code == SUCCESS:
        return None
    unlisted = OutcomeUnknown if answer.status >= 500 else OrderRejected
    kind = FAULTS.get(code, unlisted)
    wait = _TOO_FAST_SECONDS if kind is RateLimited else None
    return Fault(kind, message, code=code, remedy=REMEDIES.get(code), retry_after=wait)


# -- signing ---------------------------------------------------------------------------------------------------

#: How long a new or changed order stays valid: one that arrives later is thrown away (50036, 50037).
VALID_MS = 5000
_EXPIRING = (PLACE, AMEND)


def signature(secret: str, text: str) -> str:
    """HMAC-SHA256 in base64 over timestamp, method, path with query, and body."""
    return base64.b64encode(hmac.digest(secret.encode(), text.encode(), "sha256")).decode()


def stamp(milliseconds: int) -> str:
    """A time as OKX wants it in a header: ``2026-01-01T00:00:00.000Z``."""
    whole, rest = divmod(milliseconds, 1000)
    return f"{datetime.fromtimestamp(whole, UTC):%Y-%m-%dT%H:%M:%S}.{rest:03}Z"


def build(
    endpoint: Endpoint, params: Mapping[str, Any], credential: Credential | None, now_ms: int, *, demo: bool
) -> WireRequest:
    """The request as it goes out, signed when the endpoint asks for it: a query for GET, JSON for POST."""
    headers = dict(DEMO_HEADER) if demo else {}
    if endpoint.method == "GET":
        query = urlencode(params, quote_via=quote, safe="")
        target, body = (f"{endpoint.path}?{query}" if query else endpoint.path), ""
    else:
        target, body = endpoint.path, json.dumps(params.get(ROWS, params), separators=(",", ":"))
        headers["Content-Type"] = "application/json"
    if not endpoint.signed or credential is None:
        return WireRequest(endpoint.method, target, headers)
    at = stamp(now_ms)
    headers |= {
        "OK-ACCESS-KEY": credential.api_key,
        "OK-ACCESS-SIGN": signature(credential.api_secret, at + endpoint.method + target + body),
        "OK-ACCESS-TIMESTAMP": at,
        "OK-ACCESS-PASSPHRASE": credential.passphrase or "",
    }
    if endpoint in _EXPIRING:
        headers["expTime"] = str(now_ms + VALID_MS)
    return WireRequest(endpoint.method, target, headers, body.encode() if body else None)
