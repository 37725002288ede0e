"""The front of the Binance dialect: limits, security and error envelopes around the endpoints."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from app.sandbox.dialects.binance.call import Call, Endpoint
from app.sandbox.dialects.binance.endpoints import ENDPOINTS
from app.sandbox.dialects.binance.errors import BinanceError, unauthorised
from app.sandbox.dialects.binance.limits import (
    ORDERS_1D,
    ORDERS_10S,
    WEIGHT,
    RateLimits,
    banned,
    too_much_weight,
)
from app.sandbox.dialects.binance.listing import describe
from app.sandbox.dialects.binance.notation import exchange_symbol
from app.sandbox.dialects.binance.parameters import Parameters
from app.sandbox.dialects.binance.signing import KEY_HEADER, authenticate
from app.sandbox.dialects.listing import Listing
from app.sandbox.engine.account import Account
from app.sandbox.engine.model import Order
from app.sandbox.engine.settlement import VenueRules
from app.sandbox.engine.venue import Venue
from app.sandbox.http import Request, Response, json_response

_TIMED_OUT = frozenset({408, 504})


class Binance:
    """Binance Spot as https://developers.binance.com/docs/binance-spot-api-docs describes it."""

    RULES: ClassVar = VenueRules(maker=Decimal("0.001"), taker=Decimal("0.001"))

    def __init__(self, venue: Venue, *, enforce_limits: bool) -> None:
        self._venue = venue
        self.limits = {WEIGHT: 6000, ORDERS_10S: 100, ORDERS_1D: 200_000}
        self._rate = RateLimits(self.limits, enforce=enforce_limits)
        self._listing = self._list()
        venue.tell_first_fills(self._rate.give_back)

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
        return str(order.id)

    def answer(self, request: Request) -> Response:
        endpoint = ENDPOINTS.get((request.method, request.path))
        if endpoint is None:
            message = f"Path {request.path}, Method {request.method} is invalid"
            return json_response({"code": -5000, "msg": message}, 404)
        now = self._venue.now()
        try:
            content, status, extra = self._answer(endpoint, request, now), 200, {}
        except BinanceError as error:
            content, status, extra = error.content(), error.status, error.headers
        headers = self._rate.headers(request.client, self._counted_key(endpoint, request, status), now)
        if isinstance(content, bytes):
            return Response(status, content, headers | extra)
        return json_response(content, status, headers | extra)

    def rate_limited(self, retry_after: int) -> Response:
        return _refusal(too_much_weight(self.limits[WEIGHT], retry_after))

    def banned(self, retry_after: int) -> Response:
        return _refusal(banned(retry_after, self._venue.now() + retry_after * 1_000_000))

    def broken(self, status: int) -> Response:
        if status in _TIMED_OUT:
            words = "Timeout waiting for response from backend server. Send status unknown; execution status unknown."
            return _refusal(BinanceError(-1007, words, status))
        return _refusal(
            BinanceError(-1000, "Unknown error, please check your request or try again later.", status)
        )

    def _answer(self, endpoint: Endpoint, request: Request, now: int) -> object:
        """Pass the gate and execute; what fails is charged, what succeeds in trading is free.

        Raises:
            BinanceError: for every refusal.
        """
        self._rate.check_weight(request.client, 1, now)
        params = Parameters(request.query, request.body.decode("latin-1"))
        weight = endpoint.cost(params)
        self._rate.check_weight(request.client, weight, now)
        try:
            if endpoint.signed:
                with self._venue.alone():
                    account = authenticate(request, params, self._venue)
                    content = self._execute(endpoint, self._call(request, params, account), now)
            else:
                content = self._execute(endpoint, self._call(request, params, None), now)
        except BinanceError:
            self._rate.add_weight(request.client, weight, now)
            raise
        self._rate.add_weight(request.client, 0 if endpoint.trades else weight, now)
        return content

    def _execute(self, endpoint: Endpoint, call: Call, now: int) -> object:
        signer = call.signer
        if signer is not None:
            allowed = signer.permissions.trade if endpoint.trades else signer.permissions.read
            if not allowed:
                raise unauthorised()
        call.params.allow(endpoint.names)
        if endpoint.orders and signer is not None:
            self._rate.check_orders(signer.api_key, endpoint.orders, now)
            self._rate.add_orders(signer.api_key, endpoint.orders, now)
            try:
                return endpoint.handle(call)
            except BinanceError as error:
                if error.data is None:  # A replacement that got as far as trying keeps its count.
                    self._rate.add_orders(signer.api_key, -endpoint.orders, now)
                raise
        return endpoint.handle(call)

    def _call(self, request: Request, params: Parameters, account: Account | None) -> Call:
        unit = request.headers.get("x-mbx-time-unit", "MILLISECOND").upper()
        if unit not in ("MILLISECOND", "MICROSECOND"):
            words = "Invalid value for time unit; expected either MICROSECOND or MILLISECOND."
            raise BinanceError(-1194, words)
        return Call(self._venue, params, self._current_listing(), unit == "MICROSECOND", self._rate, account)

    def _current_listing(self) -> Listing:
        if self._listing.number != self._venue.listing:
            self._listing = self._list()
        return self._listing

    def _list(self) -> Listing:
        return Listing(self._venue.listing, self._venue.markets.values(), exchange_symbol, describe)

    def _counted_key(self, endpoint: Endpoint, request: Request, status: int) -> str | None:
        return request.headers.get(KEY_HEADER) if endpoint.orders and status != 401 else None


def _refusal(error: BinanceError) -> Response:
    return json_response(error.content(), error.status, error.headers)
