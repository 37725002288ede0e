"""A caller of Gate.io's REST API, written for these tests from its documentation and sharing nothing with the app."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from typing import Any

import requests

from tests.fixtures.sandbox import Keys

ROOT = "/api/v4/"


class Caller:
    """Signs as one account."""

    def __init__(self, base_url: str, keys: Keys) -> None:
        self.base_url = base_url
        self.keys = keys
        self._http = requests.Session()

    def close(self) -> None:
        self._http.close()

    def headers(
        self, method: str, path: str, query: str = "", body: str = "", at: str = ""
    ) -> dict[str, str]:
        """The headers that sign a request at a time in seconds, which is now unless given."""
        stamp = at or str(int(time.time()))
        lines = (method, path, query, hashlib.sha512(body.encode()).hexdigest(), stamp)
        digest = hmac.new(self.keys.api_secret.encode(), "\n".join(lines).encode(), hashlib.sha512)
        return {"KEY": self.keys.api_key, "Timestamp": stamp, "SIGN": digest.hexdigest()}

    def raw(self, method: str, target: str, body: str = "", **headers: str) -> requests.Response:
        """A call whose text and headers are given whole."""
        data = body or None
        return self._http.request(method, f"{self.base_url}{target}", data=data, headers=headers, timeout=10)

    def call(self, method: str, path: str, **params: object) -> requests.Response:
        """A signed call: JSON for POST and PATCH, else a query."""
        in_body = method in ("POST", "PATCH")
        body = json.dumps(params) if in_body else ""
        query = "" if in_body else "&".join(f"{name}={value}" for name, value in params.items())
        target = f"{ROOT}{path}?{query}" if query else ROOT + path
        return self.raw(method, target, body, **self.headers(method, ROOT + path, query, body))

    def do(self, method: str, path: str, **params: object) -> Any:
        """The answer to a call that has to succeed."""
        response = self.call(method, path, **params)
        assert response.status_code in (200, 201), response.text
        return response.json()

    def refused(self, method: str, path: str, **params: object) -> tuple[int, str]:
        """Status and label of a call that has to be refused."""
        response = self.call(method, path, **params)
        label: str = response.json()["label"]
        return response.status_code, label

    def place(self, **params: object) -> Any:
        """A new order of BTC_USDT that has to be accepted."""
        usual = {"currency_pair": "BTC_USDT", "side": "buy", "type": "limit", "amount": "0.01"}
        return self.do("POST", "spot/orders", **usual | params)

    def trigger(self, at: str, rule: str, **put: object) -> int:
        """The id of a new trigger that has to be accepted."""
        usual = {"side": "sell", "price": "50000", "amount": "1", "account": "normal"}
        asked = {"market": "BTC_USDT", "trigger": {"price": at, "rule": rule}, "put": usual | put}
        number: int = self.do("POST", "spot/price_orders", **asked)["id"]
        return number
