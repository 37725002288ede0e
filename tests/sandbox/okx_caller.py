"""A caller of OKX's V5 REST API, written for these tests from its documentation and sharing nothing with the app."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import requests

from tests.fixtures.sandbox import Keys

V5 = "/api/v5/"


class Caller:
    """Signs as one account; ``ahead`` is how many seconds the exchange's clock is ahead of this one."""

    def __init__(self, base_url: str, keys: Keys) -> None:
        self.base_url = base_url
        self.keys = keys
        self.ahead = 0.0
        self._http = requests.Session()

    def close(self) -> None:
        self._http.close()

    def headers(self, method: str, target: str, body: str = "") -> dict[str, str]:
        """The headers that sign a request; ``target`` is the path with its query."""
        now = datetime.fromtimestamp(time.time() + self.ahead, UTC)
        at = now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        signed = f"{at}{method}{target}{body}".encode()
        digest = hmac.new(self.keys.api_secret.encode(), signed, hashlib.sha256).digest()
        return {
            "OK-ACCESS-KEY": self.keys.api_key,
            "OK-ACCESS-SIGN": base64.b64encode(digest).decode(),
            "OK-ACCESS-TIMESTAMP": at,
            "OK-ACCESS-PASSPHRASE": self.keys.passphrase,
            "Content-Type": "application/json",
        }

    def raw(self, method: str, target: str, body: str = "", **headers: str) -> requests.Response:
        """A call whose text and headers are given whole."""
        url = f"{self.base_url}{target}"
        return self._http.request(method, url, data=body or None, headers=headers, timeout=10)

    def get(self, name: str, **params: object) -> Any:
        """The whole answer to a question."""
        target = f"{V5}{name}?{urlencode(params)}" if params else V5 + name
        return self.raw("GET", target, **self.headers("GET", target)).json()

    def post(self, name: str, body: object) -> Any:
        """The whole answer to an instruction."""
        text = json.dumps(body)
        return self.raw("POST", V5 + name, text, **self.headers("POST", V5 + name, text)).json()

    def placed(self, name: str = "trade/order", **fields: object) -> Any:
        """The row that a new order, by default a limit order to buy, is answered with."""
        order = {"instId": "BTC-USDT", "tdMode": "cash", "side": "buy", **fields}
        if name == "trade/order":
            order = {"ordType": "limit", "px": "50000", "sz": "0.01", **order}
        [row] = self.post(name, order)["data"]
        return row
