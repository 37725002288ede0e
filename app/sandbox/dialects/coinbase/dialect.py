"""The front of the Coinbase dialect: limits, tokens and answers around the endpoints."""

from __future__ import annotations

import json
from typing import ClassVar

from app.sandbox.dialects.coinbase import rules
from app.sandbox.dialects.coinbase.call import Call, Endpoint, read
from app.sandbox.dialects.coinbase.endpoints import found
from app.sandbox.dialects.coinbase.errors import CoinbaseError, forbidden, unauthorized
from app.sandbox.dialects.coinbase.limits import PRIVATE, PUBLIC, RateLimits
from app.sandbox.dialects.coinbase.notation import Json, order_id, product_id
from app.sandbox.dialects.coinbase.signing import authenticate, key_name
from app.sandbox.dialects.listing import Listing
from app.sandbox.engine.account import Account
from app.sandbox.engine.model import Order
from app.sandbox.engine.venue import Venue
from app.sandbox.http import Request, Response


class Coinbase:
    """Coinbase Advanced Trade, spot, as https://docs.cdp.coinbase.com/coinbase-app/advanced-trade-apis describes it."""

    RULES: ClassVar = rules.RULES

    def __init__(self, venue: Venue, *, enforce_limits: bool) -> None:
        self._venue = venue
        self.limits = {PRIVATE: 30, PUBLIC: 10}
        self._rate = RateLimits(self.limits, enforce=enforce_limits)
        self._listing = self._current_listing(None)

    def operation(self, request: Request) -> str:
        """The list of orders is that of the open ones, or the history, by what it is asked for."""
        endpoint = found(request.method, request.path)
        if endpoint is None:
            return ""
        operation = endpoint[0].operation
        if operation == "open_orders" and "order_status=OPEN" not in request.query:
            return "order_history"
        return operation

    def api_key(self, request: Request) -> str | None:
        return key_name(request)

    def order_id(self, order: Order) -> str:
        return order_id(order)

    def answer(self, request: Request) -> Response:
        asked = found(request.method, request.path)
        if asked is None:
            return self._refusal(CoinbaseError("NOT_FOUND", "no such path", 404))
        endpoint, subject = asked
        client = (key_name(request) if endpoint.signed else None) or request.client
        try:
            headers = self._rate.spend(PRIVATE if endpoint.signed else PUBLIC, client, self._venue.now())
            content = self._answer(endpoint, subject, request)
        except CoinbaseError as error:
            return self._refusal(error)
        body = content if isinstance(content, bytes) else json.dumps(content, separators=(",", ":")).encode()
        return Response(200, body, headers)

    def rate_limited(self, retry_after: int) -> Response:
        """Coinbase does not say when to come back; some answers are pages."""
        return Response(429, b"<html><body>Too many requests</body></html>", content_type="text/html")

    def banned(self, retry_after: int) -> Response:
        errors = [{"id": "rate_limit_exceeded", "message": "Too many requests"}]
        return Response(429, json.dumps({"errors": errors}).encode())

    def broken(self, status: int) -> Response:
        errors = [{"id": "internal_server_error", "message": "Internal server error"}]
        return Response(status, json.dumps({"errors": errors}).encode())

    def _answer(self, endpoint: Endpoint, subject: str, request: Request) -> Json | bytes:
        """Pass the gate and execute.

        Raises:
            CoinbaseError: for every refusal but those of single orders.
        """
        if not endpoint.signed:
            return endpoint.handle(self._call(request, subject, None))
        with self._venue.alone():
            account = authenticate(request, self._venue)
            may = account.permissions
            if not (may.trade if endpoint.method == "POST" else may.read):
                raise forbidden()
            return endpoint.handle(self._call(request, subject, account))

    def _call(self, request: Request, subject: str, account: Account | None) -> Call:
        self._listing = self._current_listing(self._listing)
        query, body = read(request)
        return Call(self._venue, self._listing, query, body, subject, account)

    def _current_listing(self, known: Listing | None) -> Listing:
        if known is not None and known.number == self._venue.listing:
            return known
        return Listing(self._venue.listing, self._venue.markets.values(), product_id, rules.describe)

    def _refusal(self, error: CoinbaseError) -> Response:
        """In JSON, but for a token that is not taken."""
        if error.status == unauthorized().status:
            return Response(error.status, b"Unauthorized", content_type="text/plain")
        told = {"error": error.error, "error_details": error.details, "message": error.details}
        return Response(error.status, json.dumps(told).encode())
