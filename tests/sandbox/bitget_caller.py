"""A caller of Bitget's V2 REST API, written for these tests from its documentation and sharing nothing with the app."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from typing import Any
from urllib.parse import urlencode

import requests

from tests.fixtures.sandbox import Keys

TRADE = "/api/v2/spot/trade/"


def sign(secret: str, text: str) -> str:
    return base64.b64encode(hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest()).decode()


class Caller:
    """Signs as one account; ``ahead`` is how many milliseconds the exchange's clock is ahead of this one."""

    def __init__(self, base_url: str, keys: Keys) -> None:
        self.base_url = base_url
        self.keys = keys
        self.patience = 10.0
        self.ahead = 0
        self._http = requests.Session()

    def close(self) -> None:
        self._http.close()

    def now(self) -> int:
        return int(time.time() * 1000) + self.ahead

    def headers(
        self, method: str, target: str, body: str = "", timestamp: int | None = None
    ) -> dict[str, str]:
        """The headers that sign a request; ``target`` is the path with its query."""
        at = str(self.now() if timestamp is None else timestamp)
        return {
            "ACCESS-KEY": self.keys.api_key,
            "ACCESS-SIGN": sign(self.keys.api_secret, f"{at}{method}{target}{body}"),
            "ACCESS-TIMESTAMP": at,
            "ACCESS-PASSPHRASE": self.keys.passphrase,
            "Content-Type": "application/json",
        }

    def raw(self, method: str, target: str, body: str = "", **headers: str) -> requests.Response:
        """A call whose text and headers are given whole."""
        url, data = f"{self.base_url}{target}", body or None
        return self._http.request(method, url, data=data, headers=headers, timeout=self.patience)

    def get(self, path: str, **params: object) -> requests.Response:
        target = f"{path}?{urlencode(sorted(params.items()))}" if params else path
        return self.raw("GET", target, **self.headers("GET", target))

    def post(self, path: str, **params: object) -> requests.Response:
        body = json.dumps(params)
        return self.raw("POST", path, body, **self.headers("POST", path, body))

    def read(self, path: str, **params: object) -> Any:
        """The data of a reading that has to succeed."""
        return accepted(self.get(path, **params))

    def do(self, name: str, **params: object) -> Any:
        """The data of a trading call that has to succeed."""
        return accepted(self.post(TRADE + name, **params))

    def refused(self, name: str, **params: object) -> tuple[int, str]:
        """HTTP status and code of a trading call that has to be refused."""
        return refusal(self.post(TRADE + name, **params))

    def place(self, **params: object) -> str:
        """The id of a new order of BTCUSDT that has to be accepted."""
        order_id: str = self.do("place-order", **{"symbol": "BTCUSDT", **params})["orderId"]
        return order_id

    def limit(self, side: str, price: str, size: str = "0.01", **params: object) -> str:
        return self.place(
            **{"side": side, "orderType": "limit", "force": "gtc", "price": price, "size": size} | params
        )

    def market(self, side: str, size: str, **params: object) -> str:
        return self.place(side=side, orderType="market", force="gtc", size=size, **params)

    def refused_order(self, **params: object) -> str:
        """The code that an order of BTCUSDT is refused with."""
        whole = {"symbol": "BTCUSDT", "side": "buy", "orderType": "limit", "force": "gtc"} | params
        return self.refused("place-order", **whole)[1]

    def order(self, order_id: str) -> Any:
        (found,) = self.read(TRADE + "orderInfo", orderId=order_id)
        return found

    def by_client_id(self, client_id: str) -> Any:
        return self.read(TRADE + "orderInfo", clientOid=client_id)

    def unfilled(self, **params: object) -> list[Any]:
        rows: list[Any] = self.read(TRADE + "unfilled-orders", **params)
        return rows

    def balances(self) -> dict[str, tuple[str, str]]:
        rows = self.read("/api/v2/spot/account/assets")
        return {row["coin"]: (row["available"], row["frozen"]) for row in rows}


def accepted(response: requests.Response) -> Any:
    content = response.json()
    assert (response.status_code, content["code"], content["msg"]) == (200, "00000", "success"), content
    return content["data"]


def refusal(response: requests.Response) -> tuple[int, str]:
    content = response.json()
    assert content["data"] is None
    assert content["code"] != "00000"
    return response.status_code, content["code"]
