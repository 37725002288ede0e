"""The front of the OKX dialect: limits, security and envelopes around the endpoints."""

from __future__ import annotations

import json
from typing import ClassVar

from app.sandbox.dialects.listing import Listing
from app.sandbox.dialects.okx import rules
from app.sandbox.dialects.okx.call import Call, Endpoint
from app.sandbox.dialects.okx.endpoints import ENDPOINTS, EXPIRING
from app.sandbox.dialects.okx.errors import OKXError, too_many_requests
from app.sandbox.dialects.okx.limits import RateLimits
from app.sandbox.dialects.okx.notation import instrument_id, order_id
from app.sandbox.dialects.okx.parameters import read_parameters
from app.sandbox.dialects.okx.signing import KEY_HEADER, authenticate, check_expiry
from app.sandbox.engine.account import Account
from app.sandbox.engine.model import Order
from app.sandbox.engine.venue import Venue
from app.sandbox.http import Request, Response

_TIMED_OUT = frozenset({400, 408, 504})


class OKX:
    """OKX spot, V5, as https://www.okx.com/docs-v5/en describes it."""

    RULES: ClassVar = rules.RULES

    def __init__(self, venue: Venue, *, enforce_limits: bool) -> None:
        self._venue = venue
        self.limits = {endpoint.name: endpoint.limit for endpoint in ENDPOINTS.values()}
        self._rate = RateLimits(self.limits, enforce=enforce_limits)
        self._listing = self._current_listing(None)

    def operation(self, request: Request) -> str:
        endpoint = ENDPOINTS.get((request.method, request.path))
        return "" if endpoint is None else endpoint.operation

    def api_key(self, request: Request) -> str | None:
        return request.headers.get(KEY_HEADER)

    def order_id(self, order: Order) -> str:
        return order_id(order)

    def answer(self, request: Request) -> Response:
        endpoint = ENDPOINTS.get((request.method, request.path))
        if endpoint is None:
            return self._refusal(OKXError("50404", "Not Found", 404))
        client = (self.api_key(request) if endpoint.signed else None) or request.client
        try:
            self._rate.spend(endpoint.name, client, self._venue.now())
            data = self._answer(endpoint, request)
        except OKXError as error:
            return self._refusal(error)
        return self._envelope(*_outcome(data), data, 200)

    def rate_limited(self, retry_after: int) -> Response:
        """OKX does not say when to come back."""
        return self._refusal(too_many_requests())

    def banned(self, retry_after: int) -> Response:
        """A client that is shut out hears the same as one that was too fast once."""
        return self._refusal(too_many_requests())

    def broken(self, status: int) -> Response:
        if status in _TIMED_OUT:
            return self._refusal(OKXError("50004", "API endpoint request timeout", 400))
        return self._refusal(OKXError("50026", "System error. Try again later.", status))

    def _answer(self, endpoint: Endpoint, request: Request) -> object:
        """Pass the gate and execute.

        Raises:
            OKXError: for every refusal but those of single orders.
        """
        if not endpoint.signed:
            return endpoint.handle(self._call(request, None))
        with self._venue.alone():
            account = authenticate(request, self._venue)
            _authorise(endpoint, account)
            if endpoint in EXPIRING:
                check_expiry(request, self._venue.now())
            return endpoint.handle(self._call(request, account))

    def _call(self, request: Request, account: Account | None) -> Call:
        self._listing = self._current_listing(self._listing)
        return Call(self._venue, read_parameters(request), self._listing, account)

    def _current_listing(self, known: Listing | None) -> Listing:
        if known is not None and known.number == self._venue.listing:
            return known
        return Listing(self._venue.listing, self._venue.markets.values(), instrument_id, rules.describe)

    def _refusal(self, error: OKXError) -> Response:
        return self._envelope(error.code, error.message, [], error.status)

    def _envelope(self, code: str, message: str, data: object, status: int) -> Response:
        content = data if isinstance(data, bytes) else json.dumps(data, separators=(",", ":")).encode()
        opening = json.dumps({"code": code, "msg": message}, separators=(",", ":"))[:-1].encode()
        return Response(status, b'%b,"data":%b}' % (opening, content))


def _outcome(data: object) -> tuple[str, str]:
    """The code of an answer about orders, each of which has one of its own."""
    rows = data if isinstance(data, list) else []
    codes = [row["sCode"] for row in rows if isinstance(row, dict) and "sCode" in row]
    if all(code == "0" for code in codes):
        return "0", ""
    return ("2", "Bulk operation partially succeeded") if "0" in codes else ("1", "All operations failed")


def _authorise(endpoint: Endpoint, account: Account) -> None:
    """Whether the key may do this.

    Raises:
        OKXError: 50120 without permission.
    """
    may = account.permissions
    if not (may.trade if endpoint.trades else may.read):
        raise OKXError("50120", "This API key doesn't have permission to use this function", 401)
