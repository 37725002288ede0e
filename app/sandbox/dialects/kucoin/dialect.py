"""The front of the KuCoin dialect: security, resource pools and envelopes around the endpoints."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from app.sandbox.dialects.kucoin import families, rules
from app.sandbox.dialects.kucoin.call import Call, Endpoint
from app.sandbox.dialects.kucoin.endpoints import ROUTES
from app.sandbox.dialects.kucoin.errors import KuCoinError, no_permission, too_many_requests
from app.sandbox.dialects.kucoin.limits import PUBLIC, QUOTAS, Pools, usage
from app.sandbox.dialects.kucoin.notation import exchange_symbol
from app.sandbox.dialects.kucoin.parameters import Parameters
from app.sandbox.dialects.kucoin.signing import KEY, authenticate
from app.sandbox.dialects.listing import Listing
from app.sandbox.engine.account import Account
from app.sandbox.engine.model import Order
from app.sandbox.engine.settlement import VenueRules
from app.sandbox.engine.venue import Venue
from app.sandbox.http import Request, Response, json_response

_SUCCESS = "200000"
_TIMED_OUT = frozenset({408, 504})


class KuCoin:
    """KuCoin's classic spot API as https://www.kucoin.com/docs-new describes it."""

    RULES: ClassVar = VenueRules(
        maker=Decimal("0.001"),
        taker=Decimal("0.001"),
        buy_fee_in_quote=True,
        triggers_hold=False,
        passed_triggers_refused=False,
        post_only_refused=False,
    )

    def __init__(self, venue: Venue, *, enforce_limits: bool) -> None:
        self._venue = venue
        self.limits = dict(QUOTAS)
        self._pools = Pools(self.limits, enforce=enforce_limits)
        self._listing = self._list()

    def operation(self, request: Request) -> str:
        found = ROUTES.find(request.method, request.path)
        return found[0].operation if found else ""

    def api_key(self, request: Request) -> str | None:
        return request.headers.get(KEY)

    def order_id(self, order: Order) -> str:
        return families.order_id(order)

    def answer(self, request: Request) -> Response:
        found = ROUTES.find(request.method, request.path)
        if found is None:
            return _refusal(KuCoinError("404000", f"Url Not Found: {request.path}", 404))
        endpoint, in_path = found
        now = self._venue.now()
        try:
            if not endpoint.signed:
                return self._charged(endpoint, request, request.client, in_path, None, now)
            with self._venue.alone():
                account = authenticate(request, self._venue)
                self._venue.elapse()
                client = request.client if endpoint.pool == PUBLIC else account.api_key
                return self._charged(endpoint, request, client, in_path, account, now)
        except KuCoinError as error:
            return _refusal(error)

    def rate_limited(self, retry_after: int) -> Response:
        error = too_many_requests()
        return json_response(error.content(), error.status, usage(QUOTAS[PUBLIC], 0, retry_after * 1000))

    def banned(self, retry_after: int) -> Response:
        """Cloudflare, which stands before the exchange, answers for it."""
        return Response(429, b"error code: 1015", {"Retry-After": str(retry_after)}, "text/plain")

    def broken(self, status: int) -> Response:
        if status in _TIMED_OUT:
            return _refusal(KuCoinError("408000", "Network timeout, please try again later", status))
        return _refusal(KuCoinError("500000", "Internal Server Error", status))

    def _charged(
        self,
        endpoint: Endpoint,
        request: Request,
        client: str,
        in_path: dict[str, str],
        account: Account | None,
        now: int,
    ) -> Response:
        """Charge a request to a client's pool, execute it, and say what is left."""
        try:
            self._pools.spend(endpoint.pool, client, endpoint.weight, now)
            params = Parameters.of(request).with_path(in_path)
            data = self._execute(endpoint, Call(self._venue, params, self._current_listing(), account))
            response = _success(data)
        except KuCoinError as error:
            response = _refusal(error)
        left = self._pools.headers(endpoint.pool, client, now)
        return Response(response.status, response.body, left)

    def _execute(self, endpoint: Endpoint, call: Call) -> object:
        if call.signer is not None:
            granted = call.signer.permissions
            if not (granted.trade if endpoint.trades else granted.read):
                raise no_permission()
        return endpoint.handle(call)

    def _current_listing(self) -> Listing:
        if self._listing.number != self._venue.listing:
            self._listing = self._list()
        return self._listing

    def _list(self) -> Listing:
        return Listing(self._venue.listing, self._venue.markets.values(), exchange_symbol, rules.describe)


def _success(data: object) -> Response:
    if isinstance(data, bytes):
        return Response(200, b'{"code":"%b","data":%b}' % (_SUCCESS.encode(), data))
    return json_response({"code": _SUCCESS, "data": data})


def _refusal(error: KuCoinError) -> Response:
    return json_response(error.content(), error.status)
