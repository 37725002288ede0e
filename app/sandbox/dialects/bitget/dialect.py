"""The front of the Bitget dialect: limits, security and envelopes around the endpoints."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import ClassVar

from app.sandbox.dialects.bitget import rules
from app.sandbox.dialects.bitget.call import Call, Endpoint
from app.sandbox.dialects.bitget.endpoints import ENDPOINTS
from app.sandbox.dialects.bitget.errors import BitgetError, too_many_requests
from app.sandbox.dialects.bitget.limits import OVERALL, RateLimits
from app.sandbox.dialects.bitget.notation import exchange_symbol, order_id
from app.sandbox.dialects.bitget.parameters import read_parameters
from app.sandbox.dialects.bitget.signing import KEY_HEADER, authenticate
from app.sandbox.dialects.listing import Listing
from app.sandbox.engine.account import Account
from app.sandbox.engine.model import Order
from app.sandbox.engine.venue import Venue
from app.sandbox.http import Request, Response

_TIMED_OUT = frozenset({400, 408, 504})
_NO_HEADERS: Mapping[str, str] = {}


class Bitget:
    """Bitget spot, V2, as https://www.bitget.com/api-doc/spot/intro describes it."""

    RULES: ClassVar = rules.RULES

    def __init__(self, venue: Venue, *, enforce_limits: bool) -> None:
        self._venue = venue
        self.limits = {OVERALL: 6000} | {endpoint.name: endpoint.limit for endpoint in ENDPOINTS.values()}
        self._rate = RateLimits(self.limits, enforce=enforce_limits)
        self._listing = self._current_listing(None)

    def operation(self, request: Request) -> str:
        endpoint = ENDPOINTS.get((request.method, request.path))
        if endpoint is None:
            return ""
        if endpoint.operation == "tickers" and "symbol=" in request.query:
            return "ticker"
        return endpoint.operation

    def api_key(self, request: Request) -> str | None:
        return request.headers.get(KEY_HEADER)

    def order_id(self, order: Order) -> str:
        return order_id(order)

    def answer(self, request: Request) -> Response:
        endpoint = ENDPOINTS.get((request.method, request.path))
        if endpoint is None:
            return self._refusal(BitgetError("40404", "Request URL NOT FOUND", 404))
        now = self._venue.now()
        client = (self.api_key(request) if endpoint.signed else None) or request.client
        try:
            self._rate.enter(request.client, now)
            self._rate.spend(endpoint.name, client, now)
            data = self._answer(endpoint, request)
        except BitgetError as error:
            return self._refusal(error, self._rate.headers(endpoint.name, client, now))
        return self._envelope("00000", "success", data, 200, self._rate.headers(endpoint.name, client, now))

    def rate_limited(self, retry_after: int) -> Response:
        """Bitget does not say when to come back."""
        return self._refusal(too_many_requests())

    def banned(self, retry_after: int) -> Response:
        """A client that is shut out hears the same as one that was too fast once."""
        return self._refusal(too_many_requests())

    def broken(self, status: int) -> Response:
        if status in _TIMED_OUT:
            return self._refusal(BitgetError("40010", "Request timed out", status))
        return self._refusal(BitgetError("45001", "Unknown error", status))

    def _answer(self, endpoint: Endpoint, request: Request) -> object:
        """Pass the gate and execute.

        Raises:
            BitgetError: for every refusal.
        """
        if not endpoint.signed:
            return endpoint.handle(self._call(request, None))
        with self._venue.alone():
            account = authenticate(request, self._venue)
            _authorise(endpoint, account)
            return endpoint.handle(self._call(request, account))

    def _call(self, request: Request, account: Account | None) -> Call:
        self._listing = self._current_listing(self._listing)
        return Call(self._venue, read_parameters(request), self._listing, account)

    def _current_listing(self, known: Listing | None) -> Listing:
        if known is not None and known.number == self._venue.listing:
            return known
        return Listing(self._venue.listing, self._venue.markets.values(), exchange_symbol, rules.describe)

    def _refusal(self, error: BitgetError, headers: Mapping[str, str] = _NO_HEADERS) -> Response:
        return self._envelope(error.code, error.message, None, error.status, headers)

    def _envelope(
        self, code: str, message: str, data: object, status: int, headers: Mapping[str, str]
    ) -> Response:
        head = {"code": code, "msg": message, "requestTime": self._venue.now() // 1000}
        content = data if isinstance(data, bytes) else json.dumps(data, separators=(",", ":")).encode()
        opening = json.dumps(head, separators=(",", ":"))[:-1].encode()
        return Response(status, b'%b,"data":%b}' % (opening, content), headers)


def _authorise(endpoint: Endpoint, account: Account) -> None:
    """Whether the key may do this, and in this kind of account.

    Raises:
        BitgetError: 40014 without permission, 40085 for V2 on a unified account.
    """
    may = account.permissions
    if not (may.trade if endpoint.trades else may.read):
        raise BitgetError("40014", "Incorrect permissions")
    if may.unified and endpoint.path.startswith("/api/v2/"):
        words = "You are in Unified Account mode, and the Classic Account API is not supported at this time"
        raise BitgetError("40085", words)
