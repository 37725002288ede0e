"""The front of the Kraken dialect: limits, security and the envelope around the endpoints.

Where the documentation leaves it open, the stricter reading holds, so that a client which does well here does well
there: a nonce is used up by a valid signature alone, a trigger that has passed is refused, an untriggered order holds
its balance, and the volume of an order by quote stays in quote in every answer. Trailing stops, margin and
orders for later are refused.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import ClassVar

from app.sandbox.dialects.kraken import limits, render
from app.sandbox.dialects.kraken.call import Call, Endpoint
from app.sandbox.dialects.kraken.endpoints import ENDPOINTS
from app.sandbox.dialects.kraken.errors import TROUBLES, KrakenError, locked_out, throttled
from app.sandbox.dialects.kraken.listing import Listing
from app.sandbox.dialects.kraken.parameters import Parameters
from app.sandbox.dialects.kraken.signing import KEY_HEADER, Nonces, authenticate
from app.sandbox.engine.account import Account
from app.sandbox.engine.model import Order
from app.sandbox.engine.settlement import VenueRules
from app.sandbox.engine.venue import Venue
from app.sandbox.http import Request, Response, json_response

_SECOND = 1_000_000
_ONE_PAIR = re.compile(r"(^|&)pair=[^&,%]+(&|$)")


class Kraken:
    """Kraken Spot as https://docs.kraken.com/api/ describes it."""

    RULES: ClassVar = VenueRules(maker=Decimal("0.0025"), taker=Decimal("0.004"), buy_fee_in_quote=True)

    def __init__(self, venue: Venue, *, enforce_limits: bool) -> None:
        self._venue = venue
        self.limits = limits.intermediate()
        self._rate = limits.RateLimits(self.limits, enforce=enforce_limits)
        self._nonces = Nonces()
        self._listing = Listing(venue.listing, venue.markets.values(), self.RULES)

    def operation(self, request: Request) -> str:
        endpoint = ENDPOINTS.get((request.method, request.path))
        if endpoint is None:
            return ""
        if endpoint.operation == "tickers" and _ONE_PAIR.search(request.query):
            return "ticker"
        if endpoint.operation in ("open_orders", "order_history") and b"cl_ord_id" in request.body:
            return "get_order"
        return endpoint.operation

    def api_key(self, request: Request) -> str | None:
        return request.headers.get(KEY_HEADER)

    def order_id(self, order: Order) -> str:
        return render.txid(order)

    def answer(self, request: Request) -> Response:
        try:
            endpoint = ENDPOINTS.get((request.method, request.path))
            if endpoint is None:
                raise KrakenError("EGeneral:Unknown method")
            result = self._answer(endpoint, request)
        except KrakenError as error:
            return _refusal(error)
        if isinstance(result, bytes):
            return Response(200, b'{"error":[],"result":' + result + b"}")
        return json_response({"error": [], "result": result})

    def rate_limited(self, retry_after: int) -> Response:
        return _refusal(throttled(self._venue.now() // _SECOND + retry_after))

    def banned(self, retry_after: int) -> Response:
        del retry_after  # Nothing in the answer says how long the lockout lasts.
        return _refusal(locked_out())

    def broken(self, status: int) -> Response:
        """Kraken's own troubles come with HTTP 200 like every error; other pages come from the edge in front of it."""
        if status in TROUBLES:
            return _refusal(KrakenError(TROUBLES[status]))
        page = (
            f"<html><head><title>api.kraken.com | {status}</title></head><body>Error {status}</body></html>"
        )
        return Response(status, page.encode(), content_type="text/html; charset=UTF-8")

    def _answer(self, endpoint: Endpoint, request: Request) -> object:
        """Pass the gate and execute.

        Raises:
            KrakenError: for every refusal.
        """
        if not endpoint.private:
            self._rate.public(request.client, self._venue.now())
            return endpoint.handle(self._call(request, Parameters.of(request), None))
        with self._venue.alone():
            self._venue.elapse()
            params = Parameters.of(request)
            account = self._admit(endpoint, request, params)
            return endpoint.handle(self._call(request, params, account))

    def _admit(self, endpoint: Endpoint, request: Request, params: Parameters) -> Account:
        """Key and signature, then nonce, then permission, then the call counter."""
        account, nonce = authenticate(request, params.text("nonce"), self._venue)
        self._nonces.accept(account.api_key, nonce, self.limits[limits.NONCE_WINDOW])
        allowed = account.permissions.trade if endpoint.trades else account.permissions.read
        if not allowed:
            raise KrakenError("EGeneral:Permission denied")
        self._rate.call(account.api_key, endpoint.cost, self._venue.now())
        return account

    def _call(self, request: Request, params: Parameters, account: Account | None) -> Call:
        received_at = request.received_at + self._venue.skew
        return Call(self._venue, params, self._current_listing(), self._rate, received_at, account)

    def _current_listing(self) -> Listing:
        if self._listing.number != self._venue.listing:
            self._listing = Listing(self._venue.listing, self._venue.markets.values(), self.RULES)
        return self._listing


def _refusal(error: KrakenError) -> Response:
    return json_response({"error": [error.text]})
