"""The front of the Bybit dialect: limits, security and envelopes around the endpoints."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import ClassVar
from urllib.parse import parse_qs

from app.sandbox.dialects.bybit import rules
from app.sandbox.dialects.bybit.call import Call, Endpoint
from app.sandbox.dialects.bybit.endpoints import ENDPOINTS
from app.sandbox.dialects.bybit.errors import Barred, BybitError, too_many_visits
from app.sandbox.dialects.bybit.limits import OVERALL, RateLimits, report
from app.sandbox.dialects.bybit.notation import exchange_symbol, order_id
from app.sandbox.dialects.bybit.parameters import read_parameters
from app.sandbox.dialects.bybit.signing import KEY_HEADER, authenticate
from app.sandbox.dialects.listing import Listing
from app.sandbox.engine.account import Account
from app.sandbox.engine.model import Order
from app.sandbox.engine.venue import Venue
from app.sandbox.http import Request, Response

_TIMED_OUT = frozenset({400, 408, 504})
_NO_HEADERS: Mapping[str, str] = {}


class Bybit:
    """Bybit spot, V5, as https://bybit-exchange.github.io/docs/v5/intro describes it."""

    RULES: ClassVar = rules.RULES

    def __init__(self, venue: Venue, *, enforce_limits: bool) -> None:
        self._venue = venue
        self.limits = {OVERALL: 600} | {
            endpoint.name: endpoint.limit for endpoint in ENDPOINTS.values() if endpoint.limit is not None
        }
        self._rate = RateLimits(self.limits, enforce=enforce_limits)
        self._listing = self._current_listing(None)

    def operation(self, request: Request) -> str:
        endpoint = ENDPOINTS.get((request.method, request.path))
        if endpoint is None:
            return ""
        asked = parse_qs(request.query)
        if endpoint.operation == "tickers" and "symbol" in asked:
            return "ticker"
        if endpoint.operation in ("open_orders", "order_history") and asked.keys() & {
            "orderId",
            "orderLinkId",
        }:
            return "get_order"
        if endpoint.operation == "open_orders" and asked.get("openOnly") == ["1"]:
            return "order_history"
        return endpoint.operation

    def api_key(self, request: Request) -> str | None:
        return request.headers.get(KEY_HEADER)

    def order_id(self, order: Order) -> str:
        return order_id(order)

    def answer(self, request: Request) -> Response:
        endpoint = ENDPOINTS.get((request.method, request.path))
        if endpoint is None:
            return self._refusal(BybitError(10001, "Request path not found", 404))
        now, user = self._venue.now(), self.api_key(request) or request.client
        try:
            self._rate.enter(request.client, now)
        except Barred:
            return _barred()
        try:
            self._rate.spend(endpoint.name, user, now)
            result = self._answer(endpoint, request)
        except BybitError as error:
            return self._refusal(error, self._rate.headers(endpoint.name, user, now))
        return self._envelope(0, "OK", result, 200, self._rate.headers(endpoint.name, user, now))

    def rate_limited(self, retry_after: int) -> Response:
        reset = self._venue.now() + retry_after * 1_000_000
        return self._refusal(too_many_visits(), report(20, 0, reset))

    def banned(self, retry_after: int) -> Response:
        """An address that is barred is not told for how long."""
        return _barred()

    def broken(self, status: int) -> Response:
        if status in _TIMED_OUT:
            return self._refusal(BybitError(10000, "Server Timeout", status))
        return self._refusal(BybitError(10016, "Internal server error", status))

    def _answer(self, endpoint: Endpoint, request: Request) -> object:
        """Pass the gate and execute.

        Raises:
            BybitError: for every refusal.
        """
        if not endpoint.signed:
            return endpoint.handle(self._call(request, None))
        with self._venue.alone():
            account = authenticate(request, self._venue)
            may = account.permissions
            if not (may.trade if endpoint.trades else may.read):
                raise BybitError(10005, "Permission denied, please check your API key permissions.")
            return endpoint.handle(self._call(request, account))

    def _call(self, request: Request, account: Account | None) -> Call:
        self._listing = self._current_listing(self._listing)
        return Call(self._venue, read_parameters(request), self._listing, account)

    def _current_listing(self, known: Listing | None) -> Listing:
        if known is not None and known.number == self._venue.listing:
            return known
        return Listing(self._venue.listing, self._venue.markets.values(), exchange_symbol, rules.describe)

    def _refusal(self, error: BybitError, counted: Mapping[str, str] = _NO_HEADERS) -> Response:
        return self._envelope(error.code, error.message, {}, error.status, counted)

    def _envelope(
        self, code: int, message: str, result: object, status: int, counted: Mapping[str, str]
    ) -> Response:
        content = result if isinstance(result, bytes) else json.dumps(result, separators=(",", ":")).encode()
        opening = json.dumps({"retCode": code, "retMsg": message}, separators=(",", ":"))[:-1].encode()
        now = self._venue.now() // 1000
        return Response(
            status, b'%b,"result":%b,"retExtInfo":{},"time":%d}' % (opening, content, now), counted
        )


def _barred() -> Response:
    return Response(403, b"403, access too frequent. Please try again later.", content_type="text/html")
