"""A caller of KuCoin's REST API, written for these tests from its documentation and sharing nothing with the app."""

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

HF = "/api/v1/hf/orders"
STOP = "/api/v1/stop-order"
OCO = "/api/v3/oco/order"


def sign(secret: str, text: str) -> str:
    digest = hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


class Caller:
    """Signs as one account and sends what it is given; ``ahead`` is how far the exchange's clock is ahead, in ms."""

    def __init__(self, base_url: str, keys: Keys) -> None:
        self.base_url = base_url
        self.keys = keys
        self.patience = 10.0
        self.ahead = 0
        self._http = requests.Session()

    def close(self) -> None:
        self._http.close()

    def send(self, method: str, path: str, **params: object) -> requests.Response:
        """A signed call: parameters in the query, for POST as JSON."""
        body = json.dumps(params, separators=(",", ":")) if method == "POST" else ""
        target = path if method == "POST" or not params else f"{path}?{urlencode(params)}"
        return self.send_raw(method, target, body)

    def send_raw(self, method: str, target: str, body: str = "", **headers: str | None) -> requests.Response:
        """A call whose target and body are given whole; headers replace those it would have, None leaves one out."""
        stamp = headers.pop("timestamp", None) or str(int(time.time() * 1000) + self.ahead)
        secret = self.keys.api_secret
        merged: dict[str, str | None] = {
            "KC-API-KEY": self.keys.api_key,
            "KC-API-SIGN": sign(secret, f"{stamp}{method}{target}{body}"),
            "KC-API-TIMESTAMP": stamp,
            "KC-API-PASSPHRASE": sign(secret, self.keys.passphrase),
            "KC-API-KEY-VERSION": "3",
            "Content-Type": "application/json",
        } | {f"KC-API-{name.upper().replace('_', '-')}": value for name, value in headers.items()}
        return self._http.request(
            method,
            f"{self.base_url}{target}",
            data=body or None,
            timeout=self.patience,
            headers={name: value for name, value in merged.items() if value is not None},
        )

    def ok(self, method: str, path: str, **params: object) -> Any:
        """The data of a call that has to succeed."""
        response = self.send(method, path, **params)
        body = response.json()
        assert (response.status_code, body["code"]) == (200, "200000"), response.text
        return body["data"]

    def get(self, path: str, **params: object) -> Any:
        return self.ok("GET", path, **params)

    def refusal(self, method: str, path: str, **params: object) -> tuple[str, str]:
        """Code and text of a call that has to be refused."""
        body = self.send(method, path, **params).json()
        assert body["code"] != "200000", body
        return body["code"], body["msg"]

    def place(self, **params: object) -> str:
        """The id of a new order of BTC-USDT that has to be accepted."""
        placed: str = self.ok("POST", HF, **{"symbol": "BTC-USDT", **params})["orderId"]
        return placed

    def refused_order(self, **params: object) -> tuple[str, str]:
        return self.refusal("POST", HF, **{"symbol": "BTC-USDT", **params})

    def limit(self, side: str, price: str, size: str = "0.01", **params: object) -> str:
        return self.place(side=side, type="limit", price=price, size=size, **params)

    def market(self, side: str, **params: object) -> str:
        return self.place(side=side, type="market", **params)

    def stop(self, side: str, direction: str, stop_price: str, **params: object) -> str:
        """The id of a new stop order of BTC-USDT; at market unless a price is given."""
        sent = {
            "symbol": "BTC-USDT",
            "side": side,
            "type": "limit" if "price" in params else "market",
            "stop": direction,
            "stopPrice": stop_price,
            "tradeType": "TRADE",
            **params,
        }
        placed: str = self.ok("POST", STOP, **sent)["orderId"]
        return placed

    def order(self, order_id: str) -> Any:
        return self.get(f"{HF}/{order_id}", symbol="BTC-USDT")

    def by_client_oid(self, client_oid: str) -> Any:
        return self.get(f"{HF}/client-order/{client_oid}", symbol="BTC-USDT")

    def cancel(self, order_id: str) -> Any:
        return self.ok("DELETE", f"{HF}/{order_id}?symbol=BTC-USDT")

    def fills(self, **params: object) -> Any:
        return self.get("/api/v1/hf/fills", symbol="BTC-USDT", **params)["items"]

    def balances(self) -> dict[str, tuple[str, str]]:
        """Available and held by currency."""
        rows = self.get("/api/v1/accounts", type="trade")
        return {row["currency"]: (row["available"], row["holds"]) for row in rows}
