"""A caller of Kraken's REST API, written for these tests from its documentation and sharing nothing with the app."""

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

PAIR = "XBTUSDT"


def sign(secret: str, path: str, nonce: str, body: str) -> str:
    digest = hashlib.sha256((nonce + body).encode()).digest()
    message = hmac.new(base64.b64decode(secret), path.encode() + digest, hashlib.sha512)
    return base64.b64encode(message.digest()).decode()


class Caller:
    """Signs as one account and sends what it is given; ``patience`` is in seconds."""

    def __init__(self, base_url: str, keys: Keys) -> None:
        self.base_url = base_url
        self.keys = keys
        self.patience = 10.0
        self._http = requests.Session()

    def close(self) -> None:
        self._http.close()

    def get(self, name: str, **query: object) -> Any:
        """The whole answer to a public call."""
        url = f"{self.base_url}/0/public/{name}"
        return self._http.get(url, params={k: str(v) for k, v in query.items()}, timeout=self.patience).json()

    def send(self, name: str, **params: object) -> requests.Response:
        """A signed form; ``nonce`` is added unless it is given."""
        params = {"nonce": time.time_ns(), **params}
        return self.send_raw(name, str(params["nonce"]), urlencode(params))

    def send_json(self, name: str, **params: object) -> requests.Response:
        """The same as JSON."""
        params = {"nonce": str(time.time_ns()), **params}
        return self.send_raw(name, str(params["nonce"]), json.dumps(params), "application/json")

    def send_raw(
        self,
        name: str,
        nonce: str,
        body: str,
        content_type: str = "application/x-www-form-urlencoded",
        **headers: str,
    ) -> requests.Response:
        """A call whose body is given whole."""
        path = f"/0/private/{name}"
        signed = {
            "API-Key": self.keys.api_key,
            "API-Sign": sign(self.keys.api_secret, path, nonce, body),
            "Content-Type": content_type,
        }
        url = f"{self.base_url}{path}"
        return self._http.post(url, data=body.encode(), headers=signed | headers, timeout=self.patience)

    def ok(self, name: str, **params: object) -> Any:
        """The result of a call that has to succeed."""
        return accepted(self.send(name, **params))

    def refusal(self, name: str, **params: object) -> str:
        """The one error of a call that has to be refused."""
        return refused(self.send(name, **params))

    def place(self, **params: object) -> str:
        """The txid of a new order of XBTUSDT, a hundredth unless said otherwise, that has to be accepted."""
        (txid,) = self.ok("AddOrder", **{"pair": PAIR, "volume": "0.01", **params})["txid"]
        return str(txid)

    def refused_order(self, **params: object) -> str:
        return self.refusal("AddOrder", **{"pair": PAIR, "volume": "0.01", **params})

    def limit(self, side: str, price: str, **params: object) -> str:
        return self.place(type=side, ordertype="limit", price=price, **params)

    def market(self, side: str, volume: str = "0.01", **params: object) -> str:
        return self.place(type=side, ordertype="market", volume=volume, **params)

    def order(self, txid: str) -> Any:
        return self.ok("QueryOrders", txid=txid, trades="true")[txid]

    def open_orders(self) -> Any:
        return self.ok("OpenOrders")["open"]

    def balances(self) -> dict[str, tuple[str, str]]:
        """Balance and hold by asset code."""
        rows = self.ok("BalanceEx")
        return {code: (row["balance"], row["hold_trade"]) for code, row in rows.items()}


def accepted(response: requests.Response) -> Any:
    assert response.status_code == 200, response.text
    content = response.json()
    assert content["error"] == [], content
    return content["result"]


def refused(response: requests.Response) -> str:
    assert response.status_code == 200, response.text
    content = response.json()
    assert "result" not in content
    (error,) = content["error"]
    return str(error)
