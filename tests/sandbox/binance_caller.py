"""A caller of Binance's REST API, written for these tests from its documentation and sharing nothing with the app."""

from __future__ import annotations

import hashlib
import hmac
import time
from typing import Any
from urllib.parse import urlencode

import requests

from tests.fixtures.sandbox import Keys


def sign(secret: str, text: str) -> str:
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


class Caller:
    """Signs as one account and sends what it is given.

    ``patience`` is in seconds; ``ahead`` is how many milliseconds the exchange's clock is ahead of this one.
    """

    def __init__(self, base_url: str, keys: Keys) -> None:
        self.base_url = base_url
        self.keys = keys
        self.patience = 10.0
        self.ahead = 0
        self._http = requests.Session()

    def close(self) -> None:
        self._http.close()

    def send(self, method: str, path: str, **params: object) -> requests.Response:
        """A signed call; ``timestamp`` is added unless it is given, and None leaves it out."""
        params.setdefault("timestamp", int(time.time() * 1000) + self.ahead)
        query = urlencode({name: value for name, value in params.items() if value is not None})
        return self.send_raw(method, path, f"{query}&signature={sign(self.keys.api_secret, query)}")

    def send_raw(
        self, method: str, path: str, query: str = "", body: str = "", **headers: str
    ) -> requests.Response:
        """A call whose text is given whole."""
        url = f"{self.base_url}{path}" + (f"?{query}" if query else "")
        return self._http.request(
            method,
            url,
            data=body or None,
            timeout=self.patience,
            headers={
                "X-MBX-APIKEY": self.keys.api_key,
                "Content-Type": "application/x-www-form-urlencoded",
                **headers,
            },
        )

    def ok(self, method: str, path: str, **params: object) -> Any:
        """The JSON of a call that has to succeed."""
        response = self.send(method, path, **params)
        assert response.status_code == 200, response.text
        return response.json()

    def refusal(self, method: str, path: str, **params: object) -> tuple[int, int, str]:
        """HTTP status, code and text of a call that has to be refused."""
        response = self.send(method, path, **params)
        assert response.status_code >= 400, response.text
        return response.status_code, response.json()["code"], response.json()["msg"]

    def place(self, **params: object) -> Any:
        """A new order of BTCUSDT that has to be accepted."""
        return self.ok("POST", "/api/v3/order", **{"symbol": "BTCUSDT", **params})

    def refused_order(self, **params: object) -> tuple[int, int, str]:
        return self.refusal("POST", "/api/v3/order", **{"symbol": "BTCUSDT", **params})

    def limit(self, side: str, price: str, quantity: str = "0.01", **params: object) -> Any:
        params = {"timeInForce": "GTC", **params}
        return self.place(side=side, type="LIMIT", price=price, quantity=quantity, **params)

    def market(self, side: str, quantity: str = "0.01", **params: object) -> Any:
        return self.place(side=side, type="MARKET", quantity=quantity, **params)

    def order(self, order_id: int) -> Any:
        return self.ok("GET", "/api/v3/order", symbol="BTCUSDT", orderId=order_id)

    def balances(self) -> dict[str, tuple[str, str]]:
        rows = self.ok("GET", "/api/v3/account", omitZeroBalances="true")["balances"]
        return {row["asset"]: (row["free"], row["locked"]) for row in rows}
