"""A caller of Bybit's V5 REST API, written for these tests from its documentation and sharing nothing with the app."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from typing import Any
from urllib.parse import urlencode

import requests

from tests.fixtures.sandbox import Keys


class Caller:
    """Signs as one account."""

    def __init__(self, base_url: str, keys: Keys) -> None:
        self.base_url = base_url
        self.keys = keys
        self._http = requests.Session()

    def close(self) -> None:
        self._http.close()

    def headers(self, text: str, **changed: str) -> dict[str, str]:
        """The headers that sign a query or body; those that are ``changed`` are signed as they are sent."""
        found = {
            "X-BAPI-TIMESTAMP": str(int(time.time() * 1000)),
            "X-BAPI-API-KEY": self.keys.api_key,
            "X-BAPI-RECV-WINDOW": "5000",
        } | changed
        signed = "".join(found.values()) + text
        digest = hmac.new(self.keys.api_secret.encode(), signed.encode(), hashlib.sha256)
        return {**found, "X-BAPI-SIGN": digest.hexdigest(), "Content-Type": "application/json"}

    def raw(self, method: str, path: str, body: str = "", **headers: str) -> requests.Response:
        """A call whose text and headers are given whole."""
        data = body or None
        return self._http.request(method, f"{self.base_url}{path}", data=data, headers=headers, timeout=10)

    def get(self, path: str, **params: object) -> requests.Response:
        query = urlencode(params)
        return self.raw("GET", f"{path}?{query}" if query else path, **self.headers(query))

    def post(self, path: str, **params: object) -> requests.Response:
        body = json.dumps(params)
        return self.raw("POST", path, body, **self.headers(body))

    def read(self, path: str, **params: object) -> Any:
        """What stands under ``result`` of a reading that has to succeed."""
        return accepted(self.get(f"/v5/{path}", **params))

    def do(self, path: str, **params: object) -> Any:
        """The same of an instruction about BTCUSDT."""
        return accepted(self.post(f"/v5/{path}", **{"category": "spot", "symbol": "BTCUSDT", **params}))

    def refused(self, path: str, **params: object) -> int:
        """The code that such an instruction is refused with."""
        answer = self.post(f"/v5/{path}", **{"category": "spot", "symbol": "BTCUSDT", **params}).json()
        code: int = answer["retCode"]
        assert code != 0
        assert answer["result"] == {}
        return code

    def order(self, **params: object) -> str:
        """The id of a new order that has to be accepted."""
        order_id: str = self.do("order/create", **params)["orderId"]
        return order_id

    def limit(self, price: str, **params: object) -> str:
        usual = {"side": "Buy", "orderType": "Limit", "qty": "0.01", "price": price}
        return self.order(**usual | params)

    def look(self, order_id: str) -> Any:
        """An order as ``realtime`` tells it."""
        [found] = self.read("order/realtime", category="spot", orderId=order_id)["list"]
        return found

    def rows(self, path: str, **params: object) -> list[Any]:
        found: list[Any] = self.read(path, category="spot", **params)["list"]
        return found


def accepted(response: requests.Response) -> Any:
    body = response.json()
    assert body["retCode"] == 0, response.text
    return body["result"]
