"""A caller of BingX's REST API, written for these tests from its documentation and sharing nothing with the app."""

from __future__ import annotations

import hashlib
import hmac
import time
from typing import Any
from urllib.parse import urlencode

import requests

from tests.fixtures.sandbox import Keys


class Caller:
    """Signs as one account; paths are below /openApi."""

    def __init__(self, base_url: str, keys: Keys) -> None:
        self.base_url = base_url
        self.keys = keys
        self._http = requests.Session()

    def close(self) -> None:
        self._http.close()

    def signed(self, **params: object) -> dict[str, object]:
        """The parameters with their time and signature, over the values as they are, in the order given."""
        found = {**params, "timestamp": params.get("timestamp", int(time.time() * 1000))}
        text = "&".join(f"{name}={value}" for name, value in found.items())
        digest = hmac.new(self.keys.api_secret.encode(), text.encode(), hashlib.sha256)
        return {**found, "signature": digest.hexdigest()}

    def raw(
        self,
        method: str,
        path: str,
        query: dict[str, object],
        form: dict[str, object] | None = None,
        **headers: str,
    ) -> requests.Response:
        """A call whose parameters are given whole, those of a form apart."""
        headers = {"X-BX-APIKEY": self.keys.api_key} | headers
        url = f"{self.base_url}/openApi/{path}?{urlencode(query)}"
        return self._http.request(method, url, data=form, headers=headers, timeout=10)

    def get(self, path: str, **params: object) -> requests.Response:
        return self.raw("GET", path, self.signed(**params))

    def post(self, path: str, **params: object) -> requests.Response:
        return self.raw("POST", path, self.signed(**params))

    def read(self, path: str, **params: object) -> Any:
        """What stands under ``data`` of a reading that has to succeed."""
        return accepted(self.get(path, **params))

    def do(self, path: str, **params: object) -> Any:
        """The same of an instruction about BTC-USDT."""
        return accepted(self.post(f"spot/v1/trade/{path}", **{"symbol": "BTC-USDT", **params}))

    def refused(self, path: str, **params: object) -> tuple[int, str]:
        """The code and the text that such an instruction is refused with."""
        answer = self.post(f"spot/v1/trade/{path}", **{"symbol": "BTC-USDT", **params}).json()
        assert answer["code"] != 0
        assert answer["data"] == {}
        return answer["code"], answer["msg"]

    def limit(self, price: str, **params: object) -> Any:
        """A new order that has to be accepted."""
        return self.do(
            "order", **{"side": "BUY", "type": "LIMIT", "quantity": "0.01", "price": price} | params
        )

    def look(self, order: Any) -> Any:
        """An order as a look-up tells it."""
        return self.read("spot/v1/trade/query", symbol="BTC-USDT", orderId=order["orderId"])

    def rows(self, path: str, **params: object) -> list[Any]:
        found: list[Any] = self.read(f"spot/v1/trade/{path}", **{"symbol": "BTC-USDT", **params})["orders"]
        return found


def accepted(response: requests.Response) -> Any:
    body = response.json()
    assert body["code"] == 0, response.text
    return body["data"]
