"""The front of the BingX dialect: limits, security and envelopes around the endpoints."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import ClassVar
from urllib.parse import parse_qs

from app.sandbox.dialects.bingx import rules
from app.sandbox.dialects.bingx.call import Call, Endpoint
from app.sandbox.dialects.bingx.endpoints import ENDPOINTS
from app.sandbox.dialects.bingx.errors import BingXError, too_often
from app.sandbox.dialects.bingx.limits import GROUPS, WINDOW_SECONDS, RateLimits, report
from app.sandbox.dialects.bingx.notation import exchange_symbol, order_number
from app.sandbox.dialects.bingx.parameters import Parameters, pairs
from app.sandbox.dialects.bingx.signing import KEY_HEADER, authenticate
from app.sandbox.dialects.listing import Listing
from app.sandbox.engine.account import Account
from app.sandbox.engine.model import Order
from app.sandbox.engine.venue import Venue
from app.sandbox.http import Request, Response

_TIMED_OUT = frozenset({408, 504})
_NO_HEADERS: Mapping[str, str] = {}


class BingX:
    """BingX spot as https://bingx-api.github.io/docs-v3 describes it."""

    RULES: ClassVar = rules.RULES

    def __init__(self, venue: Venue, *, enforce_limits: bool) -> None:
        self._venue = venue
        self.limits = GROUPS | {
            endpoint.name: endpoint.limit * WINDOW_SECONDS
            for endpoint in ENDPOINTS.values()
            if endpoint.limit is not None
        }
        self._rate = RateLimits(self.limits, enforce=enforce_limits)
        self._listing = self._current_listing(None)

    def operation(self, request: Request) -> str:
        endpoint = ENDPOINTS.get((request.method, request.path))
        if endpoint is None:
            return ""
        if endpoint.operation == "tickers" and "symbol" in parse_qs(request.query):
            return "ticker"
        return endpoint.operation

    def api_key(self, request: Request) -> str | None:
        return request.headers.get(KEY_HEADER)

    def order_id(self, order: Order) -> str:
        return str(order_number(order.id))

    def answer(self, request: Request) -> Response:
        endpoint = ENDPOINTS.get((request.method, request.path))
        if endpoint is None:
            return self._refusal(BingXError(100400, "this api is not exist", 404))
        now, user = self._venue.now(), self.api_key(request) or request.client
        try:
            self._rate.spend(endpoint.group, request.client, endpoint.name, user, now)
            data = self._answer(endpoint, request)
        except BingXError as error:
            return self._refusal(error, self._rate.headers(endpoint.name, user, now))
        return self._envelope(0, "", data, 200, self._rate.headers(endpoint.name, user, now))

    def rate_limited(self, retry_after: int) -> Response:
        return self._refusal(too_often(), report(0, self._venue.now() + retry_after * 1_000_000))

    def banned(self, retry_after: int) -> Response:
        until = self._venue.now() + retry_after * 1_000_000
        return self._refusal(BingXError(100410, "the ip is banned for a while", 418), report(0, until))

    def broken(self, status: int) -> Response:
        words = (
            "timeout, further confirmation required" if status in _TIMED_OUT else "The current system is busy"
        )
        return self._refusal(BingXError(100500, f"{words}, please try again later", status))

    def _answer(self, endpoint: Endpoint, request: Request) -> object:
        """Pass the gate and execute.

        Raises:
            BingXError: for every refusal.
        """
        sent = pairs(request)
        if not endpoint.signed:
            return endpoint.handle(self._call(sent, None))
        with self._venue.alone():
            account = authenticate(request, sent, self._venue)
            may = account.permissions
            if not (may.trade if endpoint.trades else may.read):
                raise BingXError(100004, "Permission denied, the API key was created without the permission")
            return endpoint.handle(self._call(sent, account))

    def _call(self, sent: list[tuple[str, str]], account: Account | None) -> Call:
        self._listing = self._current_listing(self._listing)
        return Call(self._venue, Parameters(sent), self._listing, account)

    def _current_listing(self, known: Listing | None) -> Listing:
        if known is not None and known.number == self._venue.listing:
            return known
        return Listing(self._venue.listing, self._venue.markets.values(), exchange_symbol, rules.describe)

    def _refusal(self, error: BingXError, counted: Mapping[str, str] = _NO_HEADERS) -> Response:
        return self._envelope(error.code, error.message, {}, error.status, counted)

    def _envelope(
        self, code: int, message: str, data: object, status: int, counted: Mapping[str, str]
    ) -> Response:
        content = data if isinstance(data, bytes) else json.dumps(data, separators=(",", ":")).encode()
        opening = json.dumps({"code": code, "msg": message, "debugMsg": ""}, separators=(",", ":"))
        now = self._venue.now() // 1000
        return Response(
            status, b'%b,"timestamp":%d,"data":%b}' % (opening[:-1].encode(), now, content), counted
        )
