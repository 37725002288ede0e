"""What goes to Bitget: hosts, endpoints, words, faults and signatures.

Source: https://www.bitget.com/api-doc (common, spot, contract; changelog), API V2, as read in July 2026.
"""

from __future__ import annotations

import base64
import hmac
import json
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
)
from app.domain.orders import OrderStatus, OrderType, TimeInForce
from app.exchanges.base import AmendMode, Capabilities, CredentialField, PassedTrigger, Place
from app.exchanges.budget import Limit, Scope
from app.exchanges.presets import STOP, TARGET
from app.exchanges.rest import Endpoint, Fault
from app.exchanges.transport import Answer, WireRequest

# -- hosts -----------------------------------------------------------------------------------------------------

#: Demo trading is the live host with keys of its own and a header on every private call.
SPOT_URLS = {
    Environment.LIVE: "https://api.bitget.com",
    Environment.TESTNET: "https://api.bitget.com",
}
DEMO_HEADER = {"paptrading": "1"}

CREDENTIAL_FIELDS = (
    CredentialField("api_key", "API key", secret=False),
    CredentialField("api_secret", "Secret key"),
    CredentialField("passphrase", "Passphrase"),
)

# -- endpoints, each with a limit of its own: calls a second, per address (public) or per user (private) -------

#: All calls of an address together; a breach bars it for five minutes.
REQUESTS = Limit("requests", 6000, 60, Scope.ADDRESS, reserved=1000)

_limits = [REQUESTS]


def _call(method: str, path: str, per_second: int, *, signed: bool = True, urgent: bool = False) -> Endpoint:
    name = path.rpartition("/")[2]
    _limits.append(Limit(name, per_second, 1, Scope.ACCOUNT if signed else Scope.ADDRESS))
    costs = ((REQUESTS.name, 1), (name, 1))
    return Endpoint(method, f"/api/v2{path}", costs, signed=signed, writes=method == "POST", urgent=urgent)


TIME = _call("GET", "/public/time", 20, signed=False)
SYMBOLS = _call("GET", "/spot/public/symbols", 20, signed=False)
TICKERS = _call("GET", "/spot/market/tickers", 20, signed=False)
ORDER_BOOK = _call("GET", "/spot/market/orderbook", 20, signed=False)
CANDLES = _call("GET", "/spot/market/candles", 20, signed=False)

ASSETS = _call("GET", "/spot/account/assets", 10)
ACCOUNT_INFO = _call("GET", "/spot/account/info", 1)
POSITIONS = _call("GET", "/mix/position/all-position", 5)
FUTURES_ACCOUNTS = _call("GET", "/mix/account/accounts", 10)

PLACE = _call("POST", "/spot/trade/place-order", 10)
PLACE_PLAN = _call("POST", "/spot/trade/place-plan-order", 20)
CANCEL = _call("POST", "/spot/trade/cancel-order", 10)
CANCEL_PLAN = _call("POST", "/spot/trade/cancel-plan-order", 20)
CANCEL_ALL = _call("POST", "/spot/trade/cancel-symbol-order", 5)
CANCEL_ALL_PLANS = _call("POST", "/spot/trade/batch-cancel-plan-order", 5)

GET_ORDER = _call("GET", "/spot/trade/orderInfo", 20, urgent=True)
OPEN_ORDERS = _call("GET", "/spot/trade/unfilled-orders", 20)
PAST_ORDERS = _call("GET", "/spot/trade/history-orders", 20)
OPEN_PLANS = _call("GET", "/spot/trade/current-plan-order", 20)
PAST_PLANS = _call("GET", "/spot/trade/history-plan-order", 20)
SUB_ORDERS = _call("GET", "/spot/trade/plan-sub-order", 20)
FILLS = _call("GET", "/spot/trade/fills", 10)

LIMITS = tuple(_limits)

#: Requests left on the endpoint that was called.
REMAINING_HEADER = "x-mbx-used-remain-limit"

MAX_DEPTH = 150
MAX_CANDLES = 1000
USUAL_CANDLES = 100
PAGE = 100
#: How far back orders and fills are kept; a little less than the 90 days that are documented.
HISTORY = timedelta(days=89)

# -- words -----------------------------------------------------------------------------------------------------

#: Candles of six hours and more are aligned to UTC+8 unless their UTC form is asked for.
INTERVALS = {
    "1m": ("1min", timedelta(minutes=1)),
    "3m": ("3min", timedelta(minutes=3)),
    "5m": ("5min", timedelta(minutes=5)),
    "15m": ("15min", timedelta(minutes=15)),
    "30m": ("30min", timedelta(minutes=30)),
    "1h": ("1h", timedelta(hours=1)),
    "4h": ("4h", timedelta(hours=4)),
    "6h": ("6Hutc", timedelta(hours=6)),
    "12h": ("12Hutc", timedelta(hours=12)),
    "1d": ("1Dutc", timedelta(days=1)),
    "3d": ("3Dutc", timedelta(days=3)),
    "1w": ("1Wutc", timedelta(weeks=1)),
    "1M": ("1Mutc", timedelta(days=28)),
}

FORCES = {TimeInForce.GTC: "gtc", TimeInForce.IOC: "ioc", TimeInForce.FOK: "fok"}
POST_ONLY = "post_only"

#: Orders of their own that wait for a price, as opposed to the exits that come of an entry's presets.
NORMAL, TPSL = "normal", "tpsl"

#: The documentation's examples say ``new`` and ``full_fill``, the live exchange ``live`` and ``filled``.
STATUSES = {
    "init": OrderStatus.PENDING,
    "new": OrderStatus.OPEN,
    "live": OrderStatus.OPEN,
    "partially_filled": OrderStatus.PARTIALLY_FILLED,
    "filled": OrderStatus.FILLED,
    "full_fill": OrderStatus.FILLED,
    "cancelled": OrderStatus.CANCELED,
    "canceled": OrderStatus.CANCELED,
    "reject": OrderStatus.REJECTED,
}

#: A plan order that was executed is told by the spot order it became. One that could not be executed had rested until
#: then: it ends EXPIRED, since REJECTED is for orders that never rested.
PLAN_STATUSES = {
    "live": OrderStatus.OPEN,
    "not_trigger": OrderStatus.OPEN,
    "executing": OrderStatus.OPEN,
    "executed": OrderStatus.OPEN,
    "triggered": OrderStatus.OPEN,
    "fail_execute": OrderStatus.EXPIRED,
    "fail_trigger": OrderStatus.EXPIRED,
    "cancelled": OrderStatus.CANCELED,
    "canceled": OrderStatus.CANCELED,
}
PLAN_EXECUTED = frozenset({"executed", "triggered"})

#: The pages of the documentation disagree on length and characters; this is legal on all of them.
CLIENT_ID = re.compile(r"[0-9A-Za-z_-]{1,32}")
CLIENT_ID_RULE = "1 to 32 letters, digits, hyphens and underscores"

PRODUCT_TYPE, MARGIN_COIN = "USDT-FUTURES", "USDT"

#: What an entry's record calls its exits.
PRESETS = {
    STOP: ("presetStopLossPrice", "executeStopLossPrice"),
    TARGET: ("presetTakeProfitPrice", "executeTakeProfitPrice"),
}

#: Presets are documented for every order but those of type ``tpsl``, so market orders carry them too.
PRESET_ENTRIES = frozenset({OrderType.MARKET, OrderType.LIMIT})

#: Cancel-replace places a new order under a new id, and may cancel the old one without placing it: no amendment.
#: A new order's own window is five seconds, but a plan order's cannot be narrowed: it is taken until its timestamp is
#: 30 s old. Each list of open orders may be asked for twenty times a second, so that few markets are asked one by one.
#: Presets are documented to be created once the entry is filled, not with its fills.
CAPABILITIES = Capabilities(
    order_types=frozenset(OrderType) - {OrderType.TRAILING_STOP},
    attached_stop_loss=PRESET_ENTRIES,
    attached_take_profit=PRESET_ENTRIES,
    attached_both=PRESET_ENTRIES,
    attached_per_fill=False,
    passed_trigger=PassedTrigger.REFUSED,
    trailing=None,
    oco=False,
    amend=AmendMode.NONE,
    client_id_lookup=timedelta(hours=2),
    client_id_unique_forever=False,
    history_kept=HISTORY,
    look_up_places=frozenset(Place),
    request_window=timedelta(seconds=30),
    visibility_delay=timedelta(seconds=10),
    quote_quantity_market_buy=True,
    quote_quantity_market_sell=False,
    batch_cancel=True,
    test_environment=True,
    futures_positions=True,
    standard_taker_fee=Decimal("0.001"),
    all_open_orders_from=6,
)

# -- faults ----------------------------------------------------------------------------------------------------

SUCCESS = "00000"

_BY_KIND: Mapping[type[ExchangeError], str] = {
    AuthenticationFailed: "40001 40002 40003 40006 40009 40011 40012 40018 40036 40037 40038 40041",
    PermissionDenied: (
        "40000 40014 40021 40022 40023 40024 40025 40026 40029 40040 40081 40085 40100 40101 40103 40104 40105 40110"
        " 40199 22004"
    ),
    InsufficientFunds: "43012 43132 40754 40762 40798 45002 50020",
    InvalidOrder: (
        "40808 41103 43125 43006 43007 43010 43027 43028 43037 43038 43039 43040 43041 43042 45110 45111 45112 45113"
        " 45114 45115 40017 40019 40020 40034 40811 40813 40402 40924 41117 43008 43009 43011 43013 43014 43015 43016"
        " 43034 43035 43005 43128 45118 40761 40102 42016 43119 40308 40309 43115 41114 40304 40305 40306"
    ),
    DuplicateOrder: "43118 40786 45034 50060 40708",
    # The second line: nothing to cancel, or final already; the order's own record tells which.
    OrderNotFound: "43001 40109 40768 40819 45057 31007 43025 43020 43004 22001 43026 45031 45055",
    RateLimited: "429 45129",
    InvalidTimestamp: "40004 40005 40008 40078 40079",
    ExchangeUnavailable: "40200 40604",
    # 40010 is "request timed out"; ccxt takes it for a refused key, which would let an executed order be lost.
    OutcomeUnknown: "40010 40015 40725 40910 45001",
}
FAULTS = {code: kind for kind, codes in _BY_KIND.items() for code in codes.split()}

_WRONG_MODE = (
    "A key of demo trading works with the test environment only, and a live key only without it: choose the other "
    "environment, or make a key in the right mode."
)
_WRONG_ADDRESS = "This server's address is not on the key's list: add it at Bitget."
REMEDIES = {
    "40006": "Bitget does not know this key: it was deleted, or not copied whole.",
    "40009": "The key was recognised but the secret is not its own: copy the secret again or make a new key.",
    "40012": "The passphrase is not the one chosen when this key was made, or the key is not copied whole.",
    "40014": "The key may not do this: give it the permission to trade spot.",
    "40018": _WRONG_ADDRESS,
    "40037": "Bitget does not know this key: it was deleted, or not copied whole.",
    "40038": _WRONG_ADDRESS,
    "40081": _WRONG_MODE,
    "40085": (
        "This is a unified trading account, which this API does not serve: use a key of a classic account "
        "(a sub-account can be one)."
    ),
    "40105": _WRONG_MODE,
    "40110": _WRONG_MODE,
    "43008": "The limit price is further above the market than Bitget allows.",
    "43009": "The limit price is further below the market than Bitget allows.",
    "45110": "The order is worth too little: enlarge it.",
}


def fault_in(answer: Answer) -> Fault | None:
    """The refusal in ``{"code": "43012", "msg": "…"}``, sorted; None for success and for any other answer.

    The code decides whatever the HTTP status is: refusals come with 400, in some places of the documentation with 200.
    """
    body = answer.data
    if not isinstance(body, dict) or not isinstance(body.get("code"), str | int):
        return None
    code = str(body["code"])
    if code == SUCCESS:
        return None
    unlisted = OutcomeUnknown if answer.status >= 500 else OrderRejected
    message = str(body.get("msg") or body.get("message") or "")
    return Fault(FAULTS.get(code, unlisted), message, code=code, remedy=REMEDIES.get(code))


# -- signing ---------------------------------------------------------------------------------------------------

#: How long a new order stays valid: one that arrives later is refused (40078), where the timestamp alone allows 30 s.
RECEIVE_WINDOW_MS = 5000


def encode(params: Mapping[str, Any]) -> str:
    """The query as it travels and as it is signed: names in ascending order."""
    return "&".join(f"{name}={quote(str(params[name]), safe='')}" for name in sorted(params))


def signature(secret: str, text: str) -> str:
    """HMAC-SHA256 in base64 over timestamp, method, path with query, and body."""
    return base64.b64encode(hmac.digest(secret.encode(), text.encode(), "sha256")).decode()


def build(
    endpoint: Endpoint,
    params: Mapping[str, Any],
    credential: Credential | None,
    timestamp_ms: int,
    *,
    demo: bool,
) -> WireRequest:
    """The request as it goes out, signed when the endpoint asks for it: a query for GET, JSON for POST."""
    stamp = str(timestamp_ms)
    if endpoint.method == "GET":
        target, body = (f"{endpoint.path}?{encode(params)}" if params else endpoint.path), ""
    else:
        window = {"requestTime": stamp, "receiveWindow": str(RECEIVE_WINDOW_MS)} if endpoint == PLACE else {}
        target, body = (
            endpoint.path,
            json.dumps({**params, **window}, separators=(",", ":"), ensure_ascii=False),
        )
    if not endpoint.signed or credential is None:
        return WireRequest(endpoint.method, target)
    headers = {
        "ACCESS-KEY": credential.api_key,
        "ACCESS-SIGN": signature(credential.api_secret, stamp + endpoint.method + target + body),
        "ACCESS-TIMESTAMP": stamp,
        "ACCESS-PASSPHRASE": credential.passphrase or "",
        **(DEMO_HEADER if demo else {}),
    }
    if not body:
        return WireRequest(endpoint.method, target, headers)
    return WireRequest(endpoint.method, target, headers | {"Content-Type": "application/json"}, body.encode())
