"""The front of the Gate.io dialect: limits and security around the endpoints. There is no envelope."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import ClassVar
from urllib.parse import parse_qs, unquote

from app.sandbox.dialects.gateio import limits, rules
from app.sandbox.dialects.gateio.call import Call, Endpoint
from app.sandbox.dialects.gateio.endpoints import matching
from app.sandbox.dialects.gateio.errors import GateError, too_many_requests
from app.sandbox.dialects.gateio.limits import RateLimits
from app.sandbox.dialects.gateio.notation import exchange_symbol, is_trigger, order_id, trigger_id
from app.sandbox.dialects.gateio.parameters import read_parameters
from app.sandbox.dialects.gateio.signing import KEY_HEADER, authenticate, check_expiry
from app.sandbox.dialects.listing import Listing
from app.sandbox.engine.account import Account
from app.sandbox.engine.model import Order
from app.sandbox.engine.venue import Venue
from app.sandbox.http import Request, Response

_NO_HEADERS: Mapping[str, str] = {}


class GateIO:
    """Gate.io spot, v4, as https://www.gate.com/docs/developers/apiv4 describes it."""

    RULES: ClassVar = rules.RULES

    def __init__(self, venue: Venue, *, enforce_limits: bool) -> None:
        self._venue = venue
        self.limits = dict(limits.VALUES)
        self._rate = RateLimits(self.limits, enforce=enforce_limits)
        self._listing = self._current_listing(None)

    def operation(self, request: Request) -> str:
        found = matching(request.method, request.path)
        if found is None:
            return ""
        operation, asked = found[0].operation, parse_qs(request.query)
        if operation == "tickers" and "currency_pair" in asked:
            return "ticker"
        if operation == "open_orders" and asked.get("status") == ["finished"]:
            return "order_history"
        return operation

    def api_key(self, request: Request) -> str | None:
        return request.headers.get(KEY_HEADER)

    def order_id(self, order: Order) -> str:
        return str(trigger_id(order)) if is_trigger(order) else order_id(order)

    def answer(self, request: Request) -> Response:
        found = matching(request.method, request.path)
        if found is None:
            return _refusal(GateError(404, "NOT_FOUND", "The url is not found"))
        endpoint, named = found
        now, bucket = self._venue.now(), endpoint.bucket or limits.OTHERS
        try:
            counted = self._rate.spend(bucket, self._client(endpoint, request), now)
        except GateError as error:
            return _refusal(error, self._rate.spent(bucket, now))
        try:
            answer = self._answer(endpoint, unquote(named), request)
        except GateError as error:
            return _refusal(error, counted)
        content = answer if isinstance(answer, bytes) else json.dumps(answer, separators=(",", ":")).encode()
        return Response(201 if endpoint.method == "POST" else 200, content, counted)

    def _client(self, endpoint: Endpoint, request: Request) -> str:
        """Whose calls of what are counted together."""
        who = (self.api_key(request) if endpoint.signed else None) or request.client
        if endpoint.bucket == limits.ORDERS:
            try:
                return f"{who} {read_parameters(request).text('currency_pair')}"
            except GateError:  # it will be refused for that
                return who
        return who if endpoint.bucket is not None else f"{who} {endpoint.method} {endpoint.path}"

    def rate_limited(self, retry_after: int) -> Response:
        now = self._venue.now()
        return _refusal(too_many_requests(), limits.report(10, 0, now + retry_after * 1_000_000))

    def banned(self, retry_after: int) -> Response:
        """There are no bans of addresses: a client that is shut out hears that it was too fast."""
        return self.rate_limited(retry_after)

    def broken(self, status: int) -> Response:
        return _refusal(GateError(status, "SERVER_ERROR", "Internal server error"))

    def _answer(self, endpoint: Endpoint, named: str, request: Request) -> object:
        """Pass the gate and execute.

        Raises:
            GateError: for every refusal.
        """
        if not endpoint.signed:
            return endpoint.handle(self._call(request, named, None))
        with self._venue.alone():
            account = authenticate(request, self._venue)
            may = account.permissions
            if not (may.trade if endpoint.trades else may.read):
                raise GateError(403, "READ_ONLY" if may.read else "FORBIDDEN", "The key may not do this")
            if endpoint.trades:
                check_expiry(request, self._venue.now())
            return endpoint.handle(self._call(request, named, account))

    def _call(self, request: Request, named: str, account: Account | None) -> Call:
        self._listing = self._current_listing(self._listing)
        return Call(self._venue, read_parameters(request), self._listing, named, account)

    def _current_listing(self, known: Listing | None) -> Listing:
        if known is not None and known.number == self._venue.listing:
            return known
        return Listing(self._venue.listing, self._venue.markets.values(), exchange_symbol, rules.describe)


def _refusal(error: GateError, headers: Mapping[str, str] = _NO_HEADERS) -> Response:
    body = json.dumps({"label": error.label, "message": error.message}, separators=(",", ":")).encode()
    return Response(error.status, body, headers)
