"""What goes to BingX: hosts, endpoints, words, faults and signatures.

Source: https://bingx-api.github.io/docs-v3 (introduction, spot, USDT-M futures) and
https://github.com/BingX-API/api-ai-skills, as read in July 2026.
"""

from __future__ import annotations

import hmac
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
    OrderDenied,
    OrderNotFound,
    OrderRejected,
    OutcomeUnknown,
    PermissionDenied,
    RateLimited,
)
from app.domain.orders import OrderStatus, OrderType, TimeInForce
from app.exchanges.base import AmendMode, Capabilities, CredentialField, PassedTrigger, Place
from app.exchanges.budget import Limit, Scope
from app.exchanges.rest import Endpoint, Fault, retry_after
from app.exchanges.transport import Answer, WireRequest

# -- hosts -----------------------------------------------------------------------------------------------------

#: The host of simulated money is documented for futures only, so no test environment is offered. The fallback host is
#: never tried: an order whose answer was lost could be placed once more there.
SPOT_URLS = {Environment.LIVE: "https://open-api.bingx.com"}

CREDENTIAL_FIELDS = (
    CredentialField("api_key", "API key", secret=False),
    CredentialField("api_secret", "Secret key"),
)

# -- endpoints: each with limits of its own, by account and by address, in a group that the address shares -----------

READS = Limit("reads", 2000, 10)
WRITES = Limit("writes", 2000, 10)
MARKET_DATA = Limit("market-data", 500, 10)
MARKET_DATA_MINUTE = Limit("market-data-minute", 1000, 60)

_limits = [READS, WRITES, MARKET_DATA, MARKET_DATA_MINUTE]


def _public(path: str) -> Endpoint:
    return Endpoint("GET", f"/openApi{path}", ((MARKET_DATA.name, 1), (MARKET_DATA_MINUTE.name, 1)))


def _private(method: str, path: str, per_second: int, *, reserved: int = 0) -> Endpoint:
    name, writes = path.removeprefix("/"), method == "POST"
    by_account = Limit(name, per_second, 1, Scope.ACCOUNT, reserved)
    by_address = Limit(f"{name} by address", 300, 10)
    _limits.extend((by_account, by_address))
    costs = tuple((limit.name, 1) for limit in (WRITES if writes else READS, by_account, by_address))
    return Endpoint(method, f"/openApi{path}", costs, signed=True, writes=writes)


TIME = _public("/swap/v2/server/time")
SYMBOLS = _public("/spot/v1/common/symbols")
TICKERS = _public("/spot/v1/ticker/24hr")
DEPTH = _public("/spot/v1/market/depth")
KLINES = _public("/spot/v1/market/kline")

BALANCES = _private("GET", "/spot/v1/account/balance", 5)
POSITIONS = _private("GET", "/swap/v2/user/positions", 5)
FUTURES_BALANCES = _private("GET", "/swap/v3/user/balance", 5)

PLACE = _private("POST", "/spot/v1/trade/order", 10)
CANCEL = _private("POST", "/spot/v1/trade/cancel", 5)
CANCEL_ALL = _private("POST", "/spot/v1/trade/cancelOpenOrders", 2)

#: The record of an order and its fills also complete the answer to placing it; for that a share is kept.
ORDER = _private("GET", "/spot/v1/trade/query", 10, reserved=4)
FILLS = _private("GET", "/spot/v1/trade/myTrades", 5, reserved=2)
PLACED, FILLS_OF_ORDER = replace(ORDER, urgent=True), replace(FILLS, urgent=True)
OPEN_ORDERS = _private("GET", "/spot/v1/trade/openOrders", 10)
PAST_ORDERS = _private("GET", "/spot/v1/trade/historyOrders", 10)

LIMITS = tuple(_limits)

#: What is left of the limit by account of the endpoint that was called, and when it is whole again.
LEFT_HEADER, RESET_HEADER = "x-ratelimit-requests-remain", "x-ratelimit-requests-expire"
#: How long to stay away after a breach that does not say for how long; the documentation speaks of five minutes, which
#: is too long to leave exits alone, and whoever is refused again stays away again.
RECOVERY_SECONDS = 60.0
#: The HTTP status that answers an address which went on all the same.
BANNED = 418

MAX_DEPTH = 1000
MAX_CANDLES = 1440
USUAL_CANDLES = 500
#: The most rows of past orders that one page has, and how many pages there are; and the most fills in one answer.
ORDERS_PAGE, ORDERS_PAGES, FILLS_PAGE = 100, 100, 500
#: How far back executions are told, short of the week by what clocks may differ.
FILLS_KEPT = timedelta(days=7) - timedelta(minutes=5)

# -- words -----------------------------------------------------------------------------------------------------

INTERVALS = {
    "1m": timedelta(minutes=1),
    "3m": timedelta(minutes=3),
    "5m": timedelta(minutes=5),
    "15m": timedelta(minutes=15),
    "30m": timedelta(minutes=30),
    "1h": timedelta(hours=1),
    "2h": timedelta(hours=2),
    "4h": timedelta(hours=4),
    "6h": timedelta(hours=6),
    "8h": timedelta(hours=8),
    "12h": timedelta(hours=12),
    "1d": timedelta(days=1),
    "3d": timedelta(days=3),
    "1w": timedelta(weeks=1),
    "1M": timedelta(days=28),
}

FORCES = {TimeInForce.GTC: "GTC", TimeInForce.IOC: "IOC", TimeInForce.FOK: "FOK"}
POST_ONLY = "PostOnly"

MARKET, LIMIT = "MARKET", "LIMIT"
#: Stops and take-profits alike, which protect what is held; ``TRIGGER_…`` are plans for the future.
WAITING_AT_MARKET, WAITING_AT_LIMIT = "TAKE_STOP_MARKET", "TAKE_STOP_LIMIT"

#: NEW is an order that was taken in: whether it rests is known only of one that waits for a price.
STATUSES = {
    "NEW": OrderStatus.PENDING,
    "PENDING": OrderStatus.OPEN,
    "WORKING": OrderStatus.OPEN,
    "RUNNING": OrderStatus.OPEN,
    "PARTIALLY_FILLED": OrderStatus.PARTIALLY_FILLED,
    "FILLED": OrderStatus.FILLED,
    "CANCELED": OrderStatus.CANCELED,
    "CANCELLED": OrderStatus.CANCELED,
    "FAILED": OrderStatus.REJECTED,
}

#: Simulated money, which some accounts hold beside the real one.
PLAY_MONEY = "VST"

CLIENT_ID = re.compile(r"[0-9A-Za-z_]{1,40}")
CLIENT_ID_RULE = "1 to 40 letters, digits and underscores"

#: Milliseconds; the most that all parts of the documentation allow.
RECEIVE_WINDOW_MS = 5000
#: How far a timestamp may lie ahead of BingX's clock is not documented; as far as back, it is assumed.
TIMESTAMP_AHEAD = timedelta(milliseconds=RECEIVE_WINDOW_MS)

#: There are pairs of exits, but their stop has to have a limit, beyond which a fall leaves it behind, and they take ids
#: of digits only, by which ours could not be found: they are not used. How long ended orders are listed is not
#: documented; a week is, for executions, and a little less is counted on.
CAPABILITIES = Capabilities(
    order_types=frozenset(OrderType) - {OrderType.TRAILING_STOP},
    attached_stop_loss=frozenset(),
    attached_take_profit=frozenset(),
    attached_both=frozenset(),
    attached_per_fill=False,
    passed_trigger=PassedTrigger.REFUSED,
    trailing=None,
    oco=False,
    amend=AmendMode.NONE,
    client_id_lookup=timedelta(hours=2),
    client_id_unique_forever=True,
    history_kept=timedelta(days=6),
    look_up_places=frozenset(Place),
    request_window=timedelta(milliseconds=RECEIVE_WINDOW_MS) + TIMESTAMP_AHEAD,
    visibility_delay=timedelta(seconds=10),
    quote_quantity_market_buy=True,
    quote_quantity_market_sell=False,
    batch_cancel=True,
    test_environment=False,
    futures_positions=True,
    standard_taker_fee=Decimal("0.001"),
)

# -- faults ----------------------------------------------------------------------------------------------------

SUCCESS = "0"

_BY_KIND: Mapping[type[ExchangeError], str] = {
    AuthenticationFailed: "100001 100412 100413",
    PermissionDenied: "100004 100414 100419 100441 101402",
    InsufficientFunds: "100202 101204 80012",
    InvalidOrder: "100204 100400 100421 100440 100490 109400 109418 109425 101400 110425 80013 80014",
    DuplicateOrder: "101481 109201",
    # The last two: filled already; the order's own record tells.
    OrderNotFound: "100404 109421 80016 80017 80018 109422",
    RateLimited: "100410 109429",
    OutcomeUnknown: "100500 100503 101500 109500 110500 80019",
}
FAULTS = {code: kind for kind, codes in _BY_KIND.items() for code in codes.split()}

#: Of codes that say many things, what the message has decides; the first that fits.
BY_MESSAGE: Mapping[str, tuple[tuple[re.Pattern[str], type[ExchangeError]], ...]] = {
    code: tuple((re.compile(words, re.IGNORECASE), kind) for words, kind in table)
    for code, table in {
        "100421": (
            (r"timestamp", InvalidTimestamp),
            (r"order.*not exist", OrderNotFound),
        ),
        "100400": (
            (r"timestamp", InvalidTimestamp),
            (r"client.*(exist(?<!not exist)|duplicat|repeat|used|same)|same order", DuplicateOrder),
            (r"order.*not exist|(order|already).*(filled|cancell?ed)", OrderNotFound),
            (r"insufficient|not enough", InsufficientFunds),
        ),
    }.items()
}
#: Said under several codes: the system was asked, and gave up on the way.
_BUSY = "system is busy"

_PRECISELY = "BingX does not say which rule it is by a code: its words above do."
REMEDIES = {
    "100001": "The key was recognised but the secret is not its own: copy the secret again or make a new pair.",
    "100004": "The key may not do this: give it the permission Spot Trading.",
    "100413": "BingX does not know this key: it was copied wrongly, deleted, or has expired.",
    "100414": "BingX holds this account back (identity check or risk control): ask its support.",
    "100419": "This server's address is not on the key's list: add it at BingX.",
    "100400": _PRECISELY,
    "100421": f"{_PRECISELY} Not every pair of the site may be traded by API.",
    "100440": "The price is too far from the market's: choose one nearer.",
    "80013": "There are too many open orders: cancel some.",
}


def fault_in(answer: Answer, now_ms: int) -> Fault | None:
    """The refusal in ``{"code": 100202, "msg": "…"}``, sorted; None for success and for any other answer.

    Codes are numbers or texts.
    """
    body = answer.data
    if not isinstance(body, dict) or not isinstance(body.get("code"), int | str):
        return None
    code, message = str(body["code"]), str(body.get("msg") or "")
    if code == SUCCESS or not code.isdigit():
        return None
    kind = _kind(code, message, answer.status)
    wait = None
    if kind is RateLimited:
        wait = _until_reset(answer, now_ms) or retry_after(answer) or RECOVERY_SECONDS
    return Fault(kind, message, code=code, remedy=REMEDIES.get(code), retry_after=wait)


def _kind(code: str, message: str, status: int) -> type[ExchangeError]:
    listed = FAULTS.get(code, OutcomeUnknown if status >= 500 else OrderRejected)
    if listed is not RateLimited and _BUSY in message.lower():
        return OutcomeUnknown
    table = BY_MESSAGE.get(code, ())
    return next((kind for words, kind in table if words.search(message)), listed)


def _until_reset(answer: Answer, now_ms: int) -> float | None:
    """The seconds until the header's moment; None when it tells none that is still to come."""
    reset = answer.headers.get(RESET_HEADER, "")
    seconds = (int(reset) - now_ms) / 1000 if reset.isascii() and reset.isdigit() else 0.0
    return max(1.0, seconds) if seconds > 0 else None


# -- signing ---------------------------------------------------------------------------------------------------

#: What would end a value early in the text that is signed, which is not encoded.
_SEPARATORS = frozenset("&=?#")


def signed_text(params: Mapping[str, Any]) -> str:
    """The parameters by name, values as they are: what travels is encoded, what is signed is not.

    Raises:
        OrderDenied: a value would be taken for several parameters.
    """
    for name, value in params.items():
        if _SEPARATORS & set(str(value)):
            raise OrderDenied.because(name, f"{value!r} has characters that cannot be signed")
    return "&".join(f"{name}={params[name]}" for name in sorted(params))


def encode(params: Mapping[str, Any]) -> str:
    """The query as it travels, in the same order."""
    return "&".join(f"{name}={quote(str(params[name]), safe='')}" for name in sorted(params))


def signature(secret: str, text: str) -> str:
    """HMAC-SHA256 in lower-case hex."""
    return hmac.digest(secret.encode(), text.encode(), "sha256").hex()


def build(
    endpoint: Endpoint, params: Mapping[str, Any], credential: Credential | None, timestamp_ms: int
) -> WireRequest:
    """The request as it goes out, everything in its query; signed when the endpoint asks for it."""
    params = {**params, "timestamp": timestamp_ms}
    if not endpoint.signed or credential is None:
        return WireRequest(endpoint.method, f"{endpoint.path}?{encode(params)}")
    params["recvWindow"] = RECEIVE_WINDOW_MS
    signed = signature(credential.api_secret, signed_text(params))
    target = f"{endpoint.path}?{encode(params)}&signature={signed}"
    return WireRequest(endpoint.method, target, {"X-BX-APIKEY": credential.api_key})
