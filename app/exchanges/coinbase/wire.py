"""What goes to Coinbase: host, endpoints, words and faults.

Source: https://docs.cdp.coinbase.com/api-reference/advanced-trade-api/rest-api, as read in June 2026.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from app.domain.accounts import Environment
from app.domain.errors import (
    AuthenticationFailed,
    DuplicateOrder,
    ExchangeError,
    ExchangeUnavailable,
    InsufficientFunds,
    InvalidOrder,
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
from app.exchanges.coinbase.tokens import LIFETIME_SECONDS, Signer
from app.exchanges.rest import Endpoint, Fault
from app.exchanges.transport import Answer, WireRequest

# -- hosts -----------------------------------------------------------------------------------------------------

#: The sandbox host gives out canned answers, whatever is asked: it is no test environment.
HOST = "api.coinbase.com"
URLS = {Environment.LIVE: f"https://{HOST}"}

CREDENTIAL_FIELDS = (
    CredentialField("api_key", "API key name", secret=False),
    CredentialField("api_secret", "Private key"),
)

# -- endpoints -------------------------------------------------------------------------------------------------

PUBLIC = Limit("public requests", 10, 1, Scope.ADDRESS)
#: A third is kept for orders and what completes them.
PRIVATE = Limit("requests", 30, 1, Scope.ACCOUNT, reserved=10)
LIMITS = (PRIVATE, PUBLIC)


def _public(path: str) -> Endpoint:
    return Endpoint("GET", f"/api/v3/brokerage{path}", ((PUBLIC.name, 1),))


def _private(method: str, path: str, *, urgent: bool = False) -> Endpoint:
    return Endpoint(
        method,
        f"/api/v3/brokerage{path}",
        ((PRIVATE.name, 1),),
        signed=True,
        writes=method == "POST",
        urgent=urgent,
    )


TIME = _public("/time")
PRODUCTS = _public("/market/products")
TICKER = _public("/market/products/{}/ticker")
BOOK = _public("/market/product_book")
CANDLES = _public("/market/products/{}/candles")

ACCOUNTS = _private("GET", "/accounts")
KEY = _private("GET", "/key_permissions")
PLACE = _private("POST", "/orders")
EDIT = _private("POST", "/orders/edit")
CANCEL = _private("POST", "/orders/batch_cancel")
GET_ORDER = _private("GET", "/orders/historical/{}", urgent=True)
ORDERS = _private("GET", "/orders/historical/batch")
FILLS = _private("GET", "/orders/historical/fills")

#: Public answers are up to a second old unless this is asked for.
FRESH = {"Cache-Control": "no-cache"}

MAX_DEPTH = 500
MAX_CANDLES = 350
USUAL_CANDLES = 100
PAGE = 250
MOST_CANCELS = 100

# -- words -----------------------------------------------------------------------------------------------------

SPOT = "SPOT"

INTERVALS = {
    "1m": ("ONE_MINUTE", timedelta(minutes=1)),
    "5m": ("FIVE_MINUTE", timedelta(minutes=5)),
    "15m": ("FIFTEEN_MINUTE", timedelta(minutes=15)),
    "30m": ("THIRTY_MINUTE", timedelta(minutes=30)),
    "1h": ("ONE_HOUR", timedelta(hours=1)),
    "2h": ("TWO_HOUR", timedelta(hours=2)),
    "4h": ("FOUR_HOUR", timedelta(hours=4)),
    "6h": ("SIX_HOUR", timedelta(hours=6)),
    "1d": ("ONE_DAY", timedelta(days=1)),
}

#: The kinds of ``order_configuration``.
MARKET, STOP_LIMIT, BRACKET = "market_market_ioc", "stop_limit_stop_limit_gtc", "trigger_bracket_gtc"
LIMITS_BY_FORCE = {
    TimeInForce.GTC: "limit_limit_gtc",
    TimeInForce.IOC: "sor_limit_ioc",
    TimeInForce.FOK: "limit_limit_fok",
}
RESTING = LIMITS_BY_FORCE[TimeInForce.GTC]
DOWN, UP = "STOP_DIRECTION_STOP_DOWN", "STOP_DIRECTION_STOP_UP"

#: There are no stops that sell at the market: what shall do so goes out with a limit this far beyond its trigger, as
#: far as Coinbase itself puts the limit of a bracket's stop.
MARKET_REACH = Decimal("0.05")

STATUSES = {
    "PENDING": OrderStatus.PENDING,
    "QUEUED": OrderStatus.PENDING,
    "OPEN": OrderStatus.OPEN,
    "EDIT_QUEUED": OrderStatus.OPEN,
    "CANCEL_QUEUED": OrderStatus.OPEN,
    "FILLED": OrderStatus.FILLED,
    "CANCELLED": OrderStatus.CANCELED,
    "EXPIRED": OrderStatus.EXPIRED,
    "FAILED": OrderStatus.REJECTED,
}

#: Nothing is documented of characters and length; this is what everybody's ids keep to.
CLIENT_ID = re.compile(r"[0-9A-Za-z_-]{1,36}")
CLIENT_ID_RULE = "1 to 36 letters, digits, hyphens and underscores"

#: How far back the orders of a market are gone through for one of ours: there is no look-up by client id.
LOOKED_BACK = timedelta(hours=2)
#: Nothing is documented of an end to what is kept; this much is surely there.
HISTORY = timedelta(days=90)

#: An entry takes both exits along or none: a bracket of one leg may be refused. A client id stays taken for ever, and
#: an order under one that is in use is not refused: the first is told once more. A token bounds how late a request may
#: arrive. There are no futures margined in USDT.
CAPABILITIES = Capabilities(
    order_types=frozenset(OrderType) - {OrderType.TRAILING_STOP},
    attached_stop_loss=frozenset(),
    attached_take_profit=frozenset(),
    attached_both=frozenset({OrderType.LIMIT}),
    attached_per_fill=False,
    passed_trigger=PassedTrigger.REFUSED,
    trailing=None,
    oco=True,
    amend=AmendMode.FULL,
    client_id_lookup=LOOKED_BACK,
    client_id_unique_forever=True,
    reused_id=ReusedId.FIRST_AGAIN,
    history_kept=HISTORY,
    look_up_places=frozenset(Place),
    request_window=timedelta(seconds=LIFETIME_SECONDS),
    visibility_delay=timedelta(seconds=10),
    quote_quantity_market_buy=True,
    quote_quantity_market_sell=False,
    batch_cancel=False,
    test_environment=False,
    futures_positions=False,
    standard_taker_fee=Decimal("0.006"),
)

# -- faults ----------------------------------------------------------------------------------------------------

_BY_KIND: Mapping[type[ExchangeError], str] = {
    AuthenticationFailed: "authentication_error unauthorized invalid_token expired_token UNAUTHENTICATED",
    PermissionDenied: "PERMISSION_DENIED GEOFENCING_RESTRICTION INELIGIBLE_PAIR",
    InsufficientFunds: (
        "INSUFFICIENT_FUND INSUFFICIENT_FUNDS PREVIEW_INSUFFICIENT_FUND PREVIEW_INSUFFICIENT_FUNDS_FOR_FUTURES"
        " PREVIEW_INSUFFICIENT_LEDGER_BALANCE INVALID_LEDGER_BALANCE"
    ),
    WouldTrigger: "PREVIEW_STOP_PRICE_ABOVE_LAST_TRADE_PRICE PREVIEW_STOP_PRICE_BELOW_LAST_TRADE_PRICE",
    InvalidOrder: (
        "INVALID_ARGUMENT UNSUPPORTED_ORDER_CONFIGURATION BRACKET_ORDER_NOT_SUPPORTED LIMIT_PRICE_TOO_FAR_FROM_MARKET"
        " END_TIME_IS_IN_THE_PAST GTD_ORDERS_MUST_HAVE_END_TIME ATTACHED_ORDER_SIZE_MUST_BE_NIL"
        " ATTACHED_ORDERS_ONLY_ALLOWED_ON_MARKET_LIMIT SINGLE_LEGGED_TPSL_NOT_ALLOWED UNTRADABLE_PRODUCT"
        " TRADING_DISABLED ORDER_ENTRY_DISABLED PRODUCT_TRADING_HALTED NOT_ALLOWED_BY_MARKET_STATE"
        " CANNOT_EDIT_TO_BELOW_FILLED_SIZE EDIT_REQUEST_EQUAL_TO_ORIGINAL_REQUEST"
    ),
    DuplicateOrder: "DUPLICATE_CLIENT_ORDER_ID",
    # What is not open any more cannot be cancelled or changed: the order's own record tells what became of it.
    OrderNotFound: (
        "NOT_FOUND UNKNOWN_CANCEL_ORDER ORDER_NOT_FOUND ORDER_IS_FULLY_FILLED ONLY_OPEN_ORDERS_CAN_BE_EDITED"
        " INVALID_CANCEL_REQUEST"
    ),
    RateLimited: "rate_limit_exceeded resource_exhausted RESOURCE_EXHAUSTED DUPLICATE_CANCEL_REQUEST",
    ExchangeUnavailable: "UNAVAILABLE",
    OrderRejected: "COMMANDER_REJECTED_NEW_ORDER COMMANDER_REJECTED_CANCEL_ORDER ORDER_IS_BEING_REPLACED",
    OutcomeUnknown: "internal_server_error INTERNAL",
}
FAULTS = {code: kind for kind, codes in _BY_KIND.items() for code in codes.split()}
#: Families of reasons, most of which are not listed one by one.
_INVALID = ("INVALID_", "PREVIEW_INVALID_", "PREVIEW_STOP_PRICE_", "PREVIEW_", "ATTACHED_")
#: What Coinbase says when there is nothing to say.
_SAYS_NOTHING = "UNKNOWN_"

REMEDIES = {
    "PERMISSION_DENIED": "Give the key the permissions to view and to trade, for the portfolio that shall be traded.",
    "GEOFENCING_RESTRICTION": "Coinbase does not offer this market where the account is.",
    "UNSUPPORTED_ORDER_CONFIGURATION": "Coinbase does not take this kind of order here: use a market or limit order.",
    "BRACKET_ORDER_NOT_SUPPORTED": "Coinbase takes no exits in pairs on this market: give a stop-loss alone.",
}


def fault_in(answer: Answer) -> Fault | None:
    """The refusal in an answer, sorted; None for success and for any other answer.

    Orders, changes and cancellations are refused with HTTP 200; a reason that begins with ``UNKNOWN_`` says nothing.
    """
    body = answer.data
    if not isinstance(body, dict):
        return None
    told = _told(body, answer.status)
    if told is None:
        return None
    code, message = told
    return Fault(_kind(code, message, answer.status), message or code, code=code, remedy=REMEDIES.get(code))


def _told(body: Mapping[str, Any], status: int) -> tuple[str, str] | None:
    """The reason and its words; None when nothing was refused."""
    results = body.get("results")
    if isinstance(results, list) and results:
        failed = [row for row in results if isinstance(row, dict) and row.get("success") is False]
        return (_reason(failed[0], "failure_reason"), "") if len(failed) == len(results) else None
    if body.get("success") is False:
        told: Any = body.get("error_response") or next(iter(body.get("errors") or ()), {})
        if not isinstance(told, dict):
            return "", ""
        names = ("new_order_failure_reason", "error", "edit_failure_reason", "preview_failure_reason")
        return _reason(told, *names), str(told.get("message") or told.get("error_details") or "")
    if status < 400:
        return None
    errors = body.get("errors")
    if isinstance(errors, list) and errors and isinstance(errors[0], dict):
        return str(errors[0].get("id") or ""), str(errors[0].get("message") or "")
    if "error" in body:
        return str(body["error"]), str(body.get("error_details") or body.get("message") or "")
    return None


def _reason(told: Mapping[str, Any], *names: str) -> str:
    """The first reason that says something, else the last there is."""
    found = [str(told[name]) for name in names if told.get(name)]
    return next(
        (reason for reason in found if not reason.startswith(_SAYS_NOTHING) or reason in FAULTS), ""
    ) or (found[-1] if found else "")


def _kind(code: str, message: str, status: int) -> type[ExchangeError]:
    if code in FAULTS:
        return FAULTS[code]
    if status == 404 or "not found" in message.lower():
        return OrderNotFound
    if code.startswith(_INVALID):
        return InvalidOrder
    if status == 403:
        return PermissionDenied
    if status == 401:
        return AuthenticationFailed
    if status == 429:
        return RateLimited
    unclear = status >= 500 or not code or code.startswith(_SAYS_NOTHING)
    return OutcomeUnknown if unclear else OrderRejected


# -- requests --------------------------------------------------------------------------------------------------


def build(endpoint: Endpoint, params: Mapping[str, Any], signer: Signer | None, now_ms: int) -> WireRequest:
    """The request as it goes out: a query for GET, JSON for POST; a token for its method and path when it is signed.

    The token names the live host, whatever stands in for it.
    """
    target, body = endpoint.path, None
    headers = {} if endpoint.signed else dict(FRESH)
    if endpoint.method == "GET" and params:
        target = f"{endpoint.path}?{urlencode(params, doseq=True)}"
    elif endpoint.method == "POST":
        body = json.dumps(params, separators=(",", ":")).encode()
        headers["Content-Type"] = "application/json"
    if endpoint.signed and signer is not None:
        token = signer.token(endpoint.method, HOST, endpoint.path, now_ms // 1000)
        headers["Authorization"] = f"Bearer {token}"
    return WireRequest(endpoint.method, target, headers, body)
