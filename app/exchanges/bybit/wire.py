"""What goes to Bybit: hosts, endpoints, words, faults and signatures.

Source: https://bybit-exchange.github.io/docs/v5 (intro, guide, order, account, position, error, rate-limit, enum), as
read in July 2026.
"""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from app.domain.accounts import Credential, Environment
from app.domain.errors import (
    AuthenticationFailed,
    DuplicateOrder,
    ExchangeError,
    InsufficientFunds,
    InvalidOrder,
    InvalidTimestamp,
    OrderNotFound,
    OrderRejected,
    OutcomeUnknown,
    PermissionDenied,
    RateLimited,
)
from app.domain.orders import OrderStatus, OrderType, TimeInForce
from app.exchanges.base import AmendMode, Capabilities, CredentialField, PassedTrigger, Place, Region
from app.exchanges.budget import Limit, Scope
from app.exchanges.presets import STOP, TARGET
from app.exchanges.rest import Endpoint, Fault
from app.exchanges.transport import Answer, WireRequest

# -- hosts -----------------------------------------------------------------------------------------------------

SPOT_URLS = {
    Environment.LIVE: "https://api.bybit.com",
    Environment.TESTNET: "https://api-testnet.bybit.com",
}


def _site(id_: str, country: str, domain: str) -> Region:
    """A site with accounts and keys of its own, and no testnet."""
    return Region(id_, f"{domain}: {country}", {Environment.LIVE: f"https://api.{domain}"})


#: Keys work at the host of the site on which the account was opened, and nowhere else. The site of the European
#: Economic Area (bybit.eu) serves only keys that are bound to a registered broker.
REGIONS = (
    Region("global", "bybit.com: most countries", SPOT_URLS),
    _site("nl", "Netherlands", "bybit.nl"),
    _site("ae", "United Arab Emirates", "bybit.ae"),
    _site("kz", "Kazakhstan", "bybit.kz"),
    _site("ge", "Georgia", "bybitgeorgia.ge"),
    _site("id", "Indonesia", "bybit.id"),
)

CREDENTIAL_FIELDS = (
    CredentialField("api_key", "API key", secret=False),
    CredentialField("api_secret", "API secret"),
)

# -- endpoints, the private ones each with a limit of its own: calls a second by user ------------------------------

#: All calls of an address together; a breach bars it for ten minutes or more.
REQUESTS = Limit("requests", 600, 5, Scope.ADDRESS, reserved=100)

_limits = [REQUESTS]


def _public(path: str) -> Endpoint:
    return Endpoint("GET", f"/v5/market/{path}", ((REQUESTS.name, 1),))


def _private(method: str, path: str, per_second: int, *, reserved: int = 0) -> Endpoint:
    name = path.rpartition("/")[2]
    _limits.append(Limit(name, per_second, 1, Scope.ACCOUNT, reserved))
    costs = ((REQUESTS.name, 1), (name, 1))
    return Endpoint(method, f"/v5{path}", costs, signed=True, writes=method == "POST")


TIME = _public("time")
INSTRUMENTS = _public("instruments-info")
TICKERS = _public("tickers")
ORDER_BOOK = _public("orderbook")
KLINE = _public("kline")

WALLET = _private("GET", "/account/wallet-balance", 50)
KEY = _private("GET", "/user/query-api", 10)
POSITIONS = _private("GET", "/position/list", 50)

PLACE = _private("POST", "/order/create", 20)
AMEND = _private("POST", "/order/amend", 10)
CANCEL = _private("POST", "/order/cancel", 20)
CANCEL_ALL = _private("POST", "/order/cancel-all", 20)

#: Open orders, and the last five hundred that have ended; asked for one order, it completes the answer to placing it.
ORDERS = _private("GET", "/order/realtime", 50, reserved=20)
ORDER = replace(ORDERS, urgent=True)
PAST_ORDERS = _private("GET", "/order/history", 50)
FILLS = _private("GET", "/execution/list", 50)

LIMITS = tuple(_limits)

#: What the endpoint allows in a second, how much of that is left, and when it is whole again (Unix milliseconds).
LIMIT_HEADER, LEFT_HEADER, RESET_HEADER = (
    "x-bapi-limit",
    "x-bapi-limit-status",
    "x-bapi-limit-reset-timestamp",
)
#: How long an address that asked too often has to stay away altogether.
BARRED_SECONDS = 600.0

MAX_DEPTH = 1000
MAX_CANDLES = 1000
USUAL_CANDLES = 200
#: The most rows of orders, and of fills, that one answer has.
ORDERS_PAGE, FILLS_PAGE = 50, 100
#: The longest stretch that a list of the past covers at once, and how far back it goes; a little less than two years.
WINDOW = timedelta(days=7)
HISTORY = timedelta(days=720)

# -- words -----------------------------------------------------------------------------------------------------

SPOT = {"category": "spot"}
ACCOUNT_TYPE = "UNIFIED"
#: Positions of futures that are settled in USDT.
LINEAR = {"category": "linear", "settleCoin": "USDT", "limit": 200}

INTERVALS = {
    "1m": ("1", timedelta(minutes=1)),
    "3m": ("3", timedelta(minutes=3)),
    "5m": ("5", timedelta(minutes=5)),
    "15m": ("15", timedelta(minutes=15)),
    "30m": ("30", timedelta(minutes=30)),
    "1h": ("60", timedelta(hours=1)),
    "2h": ("120", timedelta(hours=2)),
    "4h": ("240", timedelta(hours=4)),
    "6h": ("360", timedelta(hours=6)),
    "12h": ("720", timedelta(hours=12)),
    "1d": ("D", timedelta(days=1)),
    "1w": ("W", timedelta(weeks=1)),
    "1M": ("M", timedelta(days=28)),
}

FORCES = {TimeInForce.GTC: "GTC", TimeInForce.IOC: "IOC", TimeInForce.FOK: "FOK"}
POST_ONLY = "PostOnly"
BASE_UNIT, QUOTE_UNIT = "baseCoin", "quoteCoin"

#: Which kind of order is meant. A cancellation has to name it, and finds nothing under another.
PLAIN, TPSL, CONDITIONAL = "Order", "tpslOrder", "StopOrder"
#: By ``stopOrderType``; whatever is not listed here belongs to exits, also to those that came with an entry.
FILTERS = {"": PLAIN, "UNKNOWN": PLAIN, "Stop": CONDITIONAL}
#: Kinds that only the call to cancel all orders knows by names of their own.
PAIRED = frozenset({"OcoOrder", "BidirectionalTpslOrder"})

#: What an entry's record calls its exits.
PRESETS = {STOP: ("stopLoss", "slLimitPrice"), TARGET: ("takeProfit", "tpLimitPrice")}

#: An order that waits for a price rests on the exchange, so it is open.
STATUSES = {
    "Created": OrderStatus.OPEN,
    "Active": OrderStatus.OPEN,
    "New": OrderStatus.OPEN,
    "Untriggered": OrderStatus.OPEN,
    "Triggered": OrderStatus.OPEN,
    "PartiallyFilled": OrderStatus.PARTIALLY_FILLED,
    "Filled": OrderStatus.FILLED,
    "PartiallyFilledCanceled": OrderStatus.CANCELED,
    "Cancelled": OrderStatus.CANCELED,
    "Rejected": OrderStatus.REJECTED,
    "Deactivated": OrderStatus.CANCELED,
}

#: Why an order ended that nobody cancelled: it would have taken, or it could not fill at once.
WOULD_TAKE = "EC_PostOnlyWillTakeLiquidity"
NOT_AT_ONCE = frozenset({"EC_NoImmediateQtyToFill", "EC_CancelForNoFullFill"})

CLIENT_ID = re.compile(r"[0-9A-Za-z_-]{1,36}")
CLIENT_ID_RULE = "1 to 36 letters, digits, hyphens and underscores"

LIMIT_ONLY = frozenset({OrderType.LIMIT})

#: Milliseconds. A timestamp may lie a second ahead of Bybit's clock, and lasts longer by that.
RECEIVE_WINDOW_MS = 5000
TIMESTAMP_AHEAD = timedelta(seconds=1)

#: An order that ended without a fill vanishes after a day, from the history and so from look-ups by client id; nothing
#: is taken for certain after a little less than that. Others are kept for a week whole, and filled ones for two years.
#: Exits are documented to be placed once the entry has executed, not with its fills.
CAPABILITIES = Capabilities(
    order_types=frozenset(OrderType) - {OrderType.TRAILING_STOP},
    attached_stop_loss=LIMIT_ONLY,
    attached_take_profit=LIMIT_ONLY,
    attached_both=LIMIT_ONLY,
    attached_per_fill=False,
    passed_trigger=PassedTrigger.REFUSED,
    trailing=None,
    oco=False,
    amend=AmendMode.FULL,
    client_id_lookup=timedelta(hours=23),
    client_id_unique_forever=True,
    history_kept=timedelta(hours=23),
    fills_kept=HISTORY,
    look_up_places=frozenset(Place),
    request_window=timedelta(milliseconds=RECEIVE_WINDOW_MS) + TIMESTAMP_AHEAD,
    visibility_delay=timedelta(seconds=10),
    quote_quantity_market_buy=True,
    quote_quantity_market_sell=True,
    batch_cancel=True,
    test_environment=True,
    futures_positions=True,
    standard_taker_fee=Decimal("0.001"),
)

# -- faults ----------------------------------------------------------------------------------------------------

SUCCESS = 0

_BY_KIND: Mapping[type[ExchangeError], str] = {
    AuthenticationFailed: "10003 10004 10007 33004 -2015",
    PermissionDenied: "10005 10009 10010 10024 10027 10028 10029 100028",
    InvalidTimestamp: "10002 -1 -1021",
    InsufficientFunds: "170131 170033 170034 110004 110007 110012 110044 110045",
    InvalidOrder: (
        "10001 170105 170115 170116 170117 170121 170124 170130 170132 170133 170134 170136 170137 170140 170148"
        " 170151 170157 170159 170193 170194 170201 170202 170203 170204 170206 170217 170218 170341 170371 170372"
        " 170381 170382 170810 30208 30209 110009 110020 110094"
    ),
    DuplicateOrder: "10014 110072 170141",
    # All but the first two: final already; the order's own record tells which.
    OrderNotFound: "170213 110001 170139 170142 170143 170190 110008 110010",
    RateLimited: "10006 10018 170005 170222",
    # Time-outs and systems that failed, and what was taken in and is not decided yet.
    OutcomeUnknown: (
        "10000 10016 10019 170001 170007 170032 170146 170147 170149 170150 170234 429 3400214 20003 20006 500000"
        " 170035 170212 110079"
    ),
}
FAULTS = {code: kind for kind, codes in _BY_KIND.items() for code in codes.split()}

_WRONG_HOST = (
    "A key of the testnet works there only, and a live key only on the live site; it may also be deleted."
)
REMEDIES = {
    "10003": f"Bybit does not know this key. {_WRONG_HOST}",
    "10004": "The key was recognised but the secret is not its own: copy the secret again or make a new key.",
    "10005": "The key may not do this: give it the permission to trade spot.",
    "10009": "Bybit does not serve the region this server is in.",
    "10010": "This server's address is not on the key's list: add it at Bybit.",
    "10029": "The key may not trade this market: allow it at Bybit.",
    "33004": "The key has expired: make a new one, bound to your server's address, which does not expire.",
    "-2015": "The key has expired: make a new one, bound to your server's address, which does not expire.",
    "170140": "The order is worth too little: enlarge it.",
    "170810": "There are too many waiting orders on this market: cancel some.",
}
_TOO_FREQUENT = "too frequent"


def fault_in(answer: Answer, now_ms: int) -> Fault | None:
    """The refusal in ``{"retCode": 170131, "retMsg": "…"}``, sorted; None for success and for any other answer."""
    body = answer.data
    if not isinstance(body, dict) or not isinstance(body.get("retCode"), int):
        return None
    if body["retCode"] == SUCCESS:
        return None
    code, message = str(body["retCode"]), str(body.get("retMsg") or "")
    unlisted = OutcomeUnknown if answer.status >= 500 else OrderRejected
    kind = FAULTS.get(code, unlisted)
    wait = _until_reset(answer, now_ms) if kind is RateLimited else None
    return Fault(kind, message, code=code, remedy=REMEDIES.get(code), retry_after=wait)


def _until_reset(answer: Answer, now_ms: int) -> float | None:
    reset = answer.headers.get(RESET_HEADER, "")
    return max(1.0, (int(reset) - now_ms) / 1000) if reset.isascii() and reset.isdigit() else None


def bar_in(answer: Answer) -> Fault | None:
    """The refusal of an address that asked too often, in JSON or not: ``403 access too frequent``."""
    said = answer.excerpt if answer.data is None else str(answer.data)
    if answer.status != 403 or _TOO_FREQUENT not in (said or "").lower():
        return None
    return Fault(RateLimited, "this address asked too often and is barred", retry_after=BARRED_SECONDS)


# -- signing ---------------------------------------------------------------------------------------------------


def encode(params: Mapping[str, Any]) -> str:
    """The query as it travels and as it is signed."""
    return "&".join(f"{name}={quote(str(value), safe='')}" for name, value in params.items())


def signature(secret: str, text: str) -> str:
    """HMAC-SHA256 in lower-case hex over timestamp, key, window and the query or body."""
    return hmac.digest(secret.encode(), text.encode(), "sha256").hex()


def build(
    endpoint: Endpoint, params: Mapping[str, Any], credential: Credential | None, timestamp_ms: int
) -> WireRequest:
    """The request as it goes out, signed when the endpoint asks for it: a query for GET, JSON for POST."""
    query = endpoint.method == "GET"
    sent = encode(params) if query else json.dumps(params, separators=(",", ":"), ensure_ascii=False)
    target = f"{endpoint.path}?{sent}" if query and sent else endpoint.path
    if not endpoint.signed or credential is None:
        return WireRequest(endpoint.method, target)
    text = f"{timestamp_ms}{credential.api_key}{RECEIVE_WINDOW_MS}{sent}"
    headers = {
        "X-BAPI-API-KEY": credential.api_key,
        "X-BAPI-TIMESTAMP": str(timestamp_ms),
        "X-BAPI-RECV-WINDOW": str(RECEIVE_WINDOW_MS),
        "X-BAPI-SIGN": signature(credential.api_secret, text),
    }
    if query:
        return WireRequest(endpoint.method, target, headers)
    return WireRequest(endpoint.method, target, headers | {"Content-Type": "application/json"}, sent.encode())
