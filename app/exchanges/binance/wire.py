"""What goes to Binance: hosts, endpoints, words, faults and signatures.

Sources: https://developers.binance.com/docs/binance-spot-api-docs (rest-api, enums, errors, filters, changelog) and
https://developers.binance.com/docs/derivatives/usds-margined-futures for positions, as read in July 2026.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
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
    WouldTrigger,
)
from app.domain.orders import OrderStatus, OrderType
from app.exchanges.base import AmendMode, Capabilities, CredentialField, PassedTrigger, Place, TrailingRange
from app.exchanges.budget import Limit, Scope
from app.exchanges.rest import Endpoint, Fault
from app.exchanges.transport import Answer, WireRequest

# -- hosts -----------------------------------------------------------------------------------------------------

SPOT_URLS = {
    Environment.LIVE: "https://api.binance.com",
    Environment.TESTNET: "https://testnet.binance.vision",
}
FUTURES_URLS = {
    Environment.LIVE: "https://fapi.binance.com",
    Environment.TESTNET: "https://demo-fapi.binance.com",
}

OTHER_URLS = {"futures": FUTURES_URLS}

CREDENTIAL_FIELDS = (
    CredentialField("api_key", "API key", secret=False),
    CredentialField("api_secret", "Secret key"),
)

# -- limits: counted per address and per account; exchangeInfo tells the numbers that hold ---------------------

#: A sixth of the weight is kept for cancelling and placing. Placing and cancelling weigh nothing when they succeed
#: (since 2026-04-02); a failure is charged, which the answer's header tells.
WEIGHT = Limit("weight", 6000, 60, Scope.ADDRESS, reserved=1000)
#: The exchange gives an order's credit back at its first fill; ours comes back with the window only.
ORDERS_10S = Limit("orders-10s", 50, 10, Scope.ACCOUNT)
ORDERS_DAY = Limit("orders-1d", 160_000, 86_400, Scope.ACCOUNT)
FUTURES_WEIGHT = Limit("futures-weight", 2400, 60, Scope.ADDRESS)

LIMITS = (WEIGHT, ORDERS_10S, ORDERS_DAY, FUTURES_WEIGHT)

ORDER_COUNTS = frozenset({ORDERS_10S.name, ORDERS_DAY.name})

USAGE_HEADERS = {
    "x-mbx-used-weight-1m": WEIGHT.name,
    "x-mbx-order-count-10s": ORDERS_10S.name,
    "x-mbx-order-count-1d": ORDERS_DAY.name,
}

#: exchangeInfo.rateLimits: (rateLimitType, interval, intervalNum) of the windows we count.
PUBLISHED_LIMITS = {
    ("REQUEST_WEIGHT", "MINUTE", 1): WEIGHT,
    ("ORDERS", "SECOND", 10): ORDERS_10S,
    ("ORDERS", "DAY", 1): ORDERS_DAY,
}

# -- endpoints -------------------------------------------------------------------------------------------------


def _public(path: str, weight: int) -> Endpoint:
    return Endpoint("GET", path, ((WEIGHT.name, weight),))


def _private(path: str, weight: int) -> Endpoint:
    return Endpoint("GET", path, ((WEIGHT.name, weight),), signed=True)


def _order(path: str, orders: int) -> Endpoint:
    costs = ((WEIGHT.name, 0), (ORDERS_10S.name, orders), (ORDERS_DAY.name, orders))
    return Endpoint("POST", path, costs, signed=True, writes=True)


def _change(method: str, path: str, weight: int = 0) -> Endpoint:
    return Endpoint(method, path, ((WEIGHT.name, weight),), signed=True, writes=True)


TIME = _public("/api/v3/time", 1)
EXCHANGE_INFO = _public("/api/v3/exchangeInfo", 20)
DEPTH = _public("/api/v3/depth", 5)
TICKER_24H = _public("/api/v3/ticker/24hr", 2)
KLINES = _public("/api/v3/klines", 2)

ACCOUNT = _private("/api/v3/account", 20)
API_RESTRICTIONS = _private("/sapi/v1/account/apiRestrictions", 1)
GET_ORDER = _private("/api/v3/order", 4)
OPEN_ORDERS = _private("/api/v3/openOrders", 6)
ALL_ORDERS = _private("/api/v3/allOrders", 20)
MY_TRADES = _private("/api/v3/myTrades", 20)
GET_LIST = _private("/api/v3/orderList", 4)
FUTURES_BALANCE = Endpoint(
    "GET", "/fapi/v3/balance", ((FUTURES_WEIGHT.name, 5),), signed=True, host="futures"
)
POSITIONS = Endpoint("GET", "/fapi/v3/positionRisk", ((FUTURES_WEIGHT.name, 5),), signed=True, host="futures")

PLACE = _order("/api/v3/order", 1)
PLACE_OCO = _order("/api/v3/orderList/oco", 2)
PLACE_OTO = _order("/api/v3/orderList/oto", 2)
PLACE_OTOCO = _order("/api/v3/orderList/otoco", 3)
AMEND = _change("PUT", "/api/v3/order/amend/keepPriority", 4)
CANCEL = _change("DELETE", "/api/v3/order")
CANCEL_LIST = _change("DELETE", "/api/v3/orderList")
CANCEL_ALL = _change("DELETE", "/api/v3/openOrders")

#: (levels asked for, weight), smallest first.
DEPTH_WEIGHTS = ((100, 5), (500, 25), (1000, 50), (5000, 250))
#: (symbols asked for, weight); above the last, all of them are asked for.
TICKER_WEIGHTS = ((20, 2), (100, 40))
ALL_TICKERS_WEIGHT = 80
ALL_OPEN_ORDERS_WEIGHT = 80
#: What stands for the id of a list in the record of an order that belongs to none.
NO_LIST = -1
TRADES_OF_ORDER_WEIGHT = 5

MAX_DEPTH = 5000
MAX_ROWS = 1000
USUAL_CANDLES = 500
#: Longest stretch that allOrders and myTrades cover in one call.
HISTORY_WINDOW = timedelta(hours=24)

# -- words -----------------------------------------------------------------------------------------------------

INTERVALS = frozenset(
    ["1s", "1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "3d", "1w", "1M"]
)

POST_ONLY = "LIMIT_MAKER"

ORDER_TYPES = {
    OrderType.MARKET: "MARKET",
    OrderType.LIMIT: "LIMIT",
    OrderType.STOP_LOSS: "STOP_LOSS",
    OrderType.TAKE_PROFIT: "TAKE_PROFIT",
    OrderType.STOP_LIMIT: "STOP_LOSS_LIMIT",
    OrderType.TAKE_PROFIT_LIMIT: "TAKE_PROFIT_LIMIT",
    OrderType.TRAILING_STOP: "STOP_LOSS",
}

#: A trailing stop is called by the type of the stop it is; its distance tells the two apart.
TYPES_HEARD = {word: type_ for type_, word in ORDER_TYPES.items() if type_ is not OrderType.TRAILING_STOP} | {
    POST_ONLY: OrderType.LIMIT
}

#: A hundredth of a percent, the unit of ``trailingDelta``.
BASIS_POINTS_OF_A_PERCENT = 100

#: PENDING_NEW is the waiting exit of an entry. A market order short of liquidity ends EXPIRED with its fills.
STATUSES = {
    "PENDING_NEW": OrderStatus.PENDING,
    "NEW": OrderStatus.OPEN,
    "PARTIALLY_FILLED": OrderStatus.PARTIALLY_FILLED,
    "FILLED": OrderStatus.FILLED,
    "CANCELED": OrderStatus.CANCELED,
    "PENDING_CANCEL": OrderStatus.CANCELED,
    "REJECTED": OrderStatus.REJECTED,
    "EXPIRED": OrderStatus.EXPIRED,
    "EXPIRED_IN_MATCH": OrderStatus.EXPIRED,
}

#: Documented as ``^[a-zA-Z0-9-_]{1,36}$``; four characters are kept for the ids of legs.
CLIENT_ID = re.compile(r"[a-zA-Z0-9_-]{1,32}")
CLIENT_ID_RULE = "1 to 32 letters, digits, hyphens and underscores"

LIMIT_ONLY = frozenset({OrderType.LIMIT})

#: Milliseconds. Checked when a request comes in and again just before it is matched.
RECEIVE_WINDOW_MS = 5000
#: A timestamp may lie so far ahead of Binance's clock, and lasts longer by that.
TIMESTAMP_AHEAD = timedelta(seconds=1)

#: Cancelled orders without executions are archived after 90 days, all others stay. One market's open orders weigh 6,
#: everybody's 80.
CAPABILITIES = Capabilities(
    order_types=frozenset(ORDER_TYPES),
    attached_stop_loss=LIMIT_ONLY,
    attached_take_profit=LIMIT_ONLY,
    attached_both=LIMIT_ONLY,
    attached_per_fill=False,
    passed_trigger=PassedTrigger.REFUSED,
    # What the TRAILING_DELTA filter says on nearly all markets; where one is stricter, the exchange refuses.
    trailing=TrailingRange(Decimal("0.1"), Decimal(20), Decimal("0.01")),
    trailing_in_pairs=True,
    oco=True,
    amend=AmendMode.QUANTITY_DOWN,
    client_id_lookup=timedelta(days=90),
    client_id_unique_forever=False,
    history_kept=timedelta(days=90),
    look_up_places=frozenset(Place),
    request_window=timedelta(milliseconds=RECEIVE_WINDOW_MS) + TIMESTAMP_AHEAD,
    visibility_delay=timedelta(seconds=10),
    quote_quantity_market_buy=True,
    quote_quantity_market_sell=True,
    batch_cancel=True,
    test_environment=True,
    futures_positions=True,
    standard_taker_fee=Decimal("0.001"),
    all_open_orders_from=14,
)

# -- faults ----------------------------------------------------------------------------------------------------

#: `OutcomeUnknown` marks the codes with which Binance says that it does not know itself.
FAULTS: Mapping[int, type[ExchangeError]] = {
    -1000: OutcomeUnknown,
    -1001: OutcomeUnknown,
    -1002: AuthenticationFailed,
    -1003: RateLimited,
    -1006: OutcomeUnknown,
    -1007: OutcomeUnknown,
    -1008: ExchangeUnavailable,
    -1013: InvalidOrder,
    -1015: RateLimited,
    -1016: ExchangeUnavailable,
    -1021: InvalidTimestamp,
    -1022: AuthenticationFailed,
    -1109: PermissionDenied,
    -2008: AuthenticationFailed,
    -2010: InvalidOrder,
    -2011: OrderNotFound,
    -2013: OrderNotFound,
    -2014: AuthenticationFailed,
    -2015: AuthenticationFailed,
    -2019: InsufficientFunds,
    -2026: OrderNotFound,
    -2038: InvalidOrder,
    -2039: OrderNotFound,
    -4116: DuplicateOrder,
}
#: The code of an account's order limit, as opposed to the address's request limit (-1003).
TOO_MANY_ORDERS = "-1015"
#: -1100 … -1199 are all complaints about a request that was therefore not carried out.
REQUEST_COMPLAINTS = range(-1199, -1099)

#: -2010 is one code for many refusals: what the message begins with decides.
NEW_ORDER_REFUSALS: tuple[tuple[str, type[ExchangeError]], ...] = (
    ("account has insufficient balance", InsufficientFunds),
    ("duplicate order sent", DuplicateOrder),
    ("this symbol is not permitted", PermissionDenied),
    ("order would trigger immediately", WouldTrigger),
    # Of a pair, whose legs were held against each other before they were sent: it is the last price that is outside.
    ("the relationship of the prices", WouldTrigger),
)

REMEDIES = {
    -1002: "The key may not make this call; create a key with the needed permissions.",
    -1021: "This server's clock is off: synchronise it (NTP).",
    -1022: "The key was recognised but the secret is not its own: copy the secret again or make a new pair.",
    -1121: "Binance does not list this market; reload the markets.",
    -2008: "Binance does not know this key here: it was deleted, or it belongs to the other environment.",
    -2014: "This is not the form of a Binance key: copy the key again, whole and without spaces.",
    -2015: (
        "Binance does not say which of three it is: the key was deleted or belongs to the other environment "
        "(live/testnet); this server's address is not on the key's list; or the key lacks the permission."
    ),
}

#: The filters of section "Filters", in words, for -1013 "Filter failure: NAME".
FILTER_REMEDIES = {
    "PRICE_FILTER": "Choose a price on the market's tick and inside its bounds.",
    "LOT_SIZE": "Choose a quantity on the market's lot and inside its bounds.",
    "MARKET_LOT_SIZE": "Choose a smaller quantity: market orders have a bound of their own.",
    "TRAILING_DELTA": "Choose another trailing distance: the market bounds it.",
    "NOTIONAL": "Price times quantity is outside the bounds this market sets on the value of an order.",
    "MIN_NOTIONAL": "The order is worth too little: enlarge it.",
    "PERCENT_PRICE": "The price is too far from the market's average.",
    "PERCENT_PRICE_BY_SIDE": "The price is too far from the market's average.",
    "MAX_NUM_ORDERS": "Too many orders are open on this market: cancel some.",
    "MAX_NUM_ALGO_ORDERS": "Too many stop and take-profit orders are open on this market: cancel some.",
    "MAX_POSITION": "The account would hold more of this asset than the exchange allows.",
}

_BANNED_UNTIL = re.compile(r"until (\d{13})")


def fault_in(answer: Answer, now_ms: int) -> Fault | None:
    """The refusal in ``{"code": -1121, "msg": "…"}``, sorted; None for any other answer."""
    body = answer.data
    if not isinstance(body, dict) or not isinstance(body.get("code"), int) or body["code"] >= 0:
        return None
    code, message = body["code"], str(body.get("msg", ""))
    kind = FAULTS.get(code)
    if code == -2010:
        kind = _new_order_refusal(message)
    elif kind is None and code in REQUEST_COMPLAINTS:
        kind = InvalidOrder
    elif kind is None:
        kind = OutcomeUnknown if answer.status >= 500 else OrderRejected
    banned = _BANNED_UNTIL.search(message)
    return Fault(
        kind,
        message,
        code=str(code),
        remedy=_remedy(code, message),
        retry_after=max(1.0, (int(banned[1]) - now_ms) / 1000) if banned else None,
    )


def _new_order_refusal(message: str) -> type[ExchangeError]:
    text = message.lower()
    return next((kind for start, kind in NEW_ORDER_REFUSALS if text.startswith(start)), InvalidOrder)


def _remedy(code: int, message: str) -> str | None:
    if code == -1013:
        return FILTER_REMEDIES.get(message.removeprefix("Filter failure: ").strip())
    return REMEDIES.get(code)


# -- signing ---------------------------------------------------------------------------------------------------

#: Methods whose parameters travel as a form; the others carry them in the query.
FORM_METHODS = ("POST", "PUT")


def encode(params: Mapping[str, Any]) -> str:
    """Parameters as they travel: percent-encoded before they are signed, as the exchange verifies them."""
    return "&".join(f"{name}={quote(str(value), safe='')}" for name, value in params.items())


def signature(secret: str, text: str) -> str:
    """HMAC-SHA256 in hex over exactly the text that is sent."""
    return hmac.digest(secret.encode(), text.encode(), "sha256").hex()


def build(
    endpoint: Endpoint, params: Mapping[str, Any], credential: Credential | None, timestamp_ms: int
) -> WireRequest:
    """The request as it goes out, signed when the endpoint asks for it."""
    if not endpoint.signed or credential is None:
        return WireRequest(endpoint.method, f"{endpoint.path}?{encode(params)}" if params else endpoint.path)
    text = encode({**params, "recvWindow": RECEIVE_WINDOW_MS, "timestamp": timestamp_ms})
    text = f"{text}&signature={signature(credential.api_secret, text)}"
    headers = {"X-MBX-APIKEY": credential.api_key}
    if endpoint.method not in FORM_METHODS:
        return WireRequest(endpoint.method, f"{endpoint.path}?{text}", headers)
    headers["Content-Type"] = "application/x-www-form-urlencoded"
    return WireRequest(endpoint.method, endpoint.path, headers, text.encode())
