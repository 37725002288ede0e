"""What goes wrong on the way, in Bitget's words."""

from __future__ import annotations

import pytest
import requests

from tests.fixtures.sandbox import SandboxServer
from tests.sandbox.bitget_caller import TRADE, Caller, refusal

ORDER = {
    "symbol": "BTCUSDT",
    "side": "buy",
    "orderType": "limit",
    "force": "gtc",
    "price": "50000",
    "size": "0.01",
    "clientOid": "mine",
}


def place(bitget: Caller) -> requests.Response:
    return bitget.post(TRADE + "place-order", **ORDER)


@pytest.mark.parametrize(
    ("status", "code"), [(400, "40010"), (408, "40010"), (504, "40010"), (500, "45001"), (503, "45001")]
)
@pytest.mark.parametrize(("kind", "accepted"), [("error_before", False), ("error_after", True)])
def test_an_answer_of_unknown_state_comes_before_or_after_the_order_was_accepted(
    fresh_sandbox: SandboxServer, bitget: Caller, kind: str, accepted: bool, status: int, code: str
) -> None:
    fresh_sandbox.fault("bitget", "place_order", kind, status=status)
    assert refusal(place(bitget)) == (status, code)
    assert len(bitget.by_client_id("mine")) == accepted


def test_an_order_may_be_accepted_and_the_connection_lost(
    fresh_sandbox: SandboxServer, bitget: Caller
) -> None:
    fresh_sandbox.fault("bitget", "place_order", "reset_after")
    with pytest.raises(requests.ConnectionError):
        place(bitget)
    assert len(bitget.by_client_id("mine")) == 1


def test_look_ups_and_history_may_lag_behind(fresh_sandbox: SandboxServer, bitget: Caller) -> None:
    order_id = bitget.market("buy", "50")
    for operation in ("get_order", "order_history", "fills"):
        fresh_sandbox.fault("bitget", operation, "unseen")
    lists = {
        "orderInfo": {"orderId": order_id},
        "history-orders": {"symbol": "BTCUSDT"},
        "fills": {"symbol": "BTCUSDT"},
    }
    assert [bitget.read(TRADE + name, **params) for name, params in lists.items()] == [[], [], []]
    assert [len(bitget.read(TRADE + name, **params)) for name, params in lists.items()] == [1, 1, 1]


@pytest.mark.parametrize("kind", ["rate_limit", "ban"])
def test_being_too_fast_is_429_without_a_word_about_when_to_come_back(
    fresh_sandbox: SandboxServer, bitget: Caller, kind: str
) -> None:
    fresh_sandbox.fault("bitget", "place_order", kind, retry_after=7)
    response = place(bitget)
    assert refusal(response) == (429, "429")
    assert "Retry-After" not in response.headers
    assert bitget.unfilled() == []


def test_a_market_order_filled_in_part_is_cancelled_with_what_it_got_and_brings_no_exits(
    fresh_sandbox: SandboxServer, bitget: Caller
) -> None:
    fresh_sandbox.fault("bitget", "place_order", "partial_fill", fraction="0.5")
    order = bitget.order(bitget.market("sell", "0.1", presetStopLossPrice="65000"))
    assert (order["status"], order["baseVolume"]) == ("cancelled", "0.0500000000000000")
    assert bitget.unfilled(tpslType="tpsl") == []


@pytest.mark.parametrize(
    ("operation", "method", "path", "params"),
    [
        ("place_order", "POST", TRADE + "place-plan-order", {}),
        ("place_order", "POST", TRADE + "batch-orders", {}),
        ("cancel_order", "POST", TRADE + "cancel-order", {}),
        ("cancel_order", "POST", TRADE + "cancel-symbol-order", {}),
        ("amend_order", "POST", TRADE + "cancel-replace-order", {}),
        ("get_order", "GET", TRADE + "orderInfo", {"orderId": 1}),
        ("open_orders", "GET", TRADE + "unfilled-orders", {}),
        ("open_orders", "GET", TRADE + "current-plan-order", {}),
        ("order_history", "GET", TRADE + "history-orders", {}),
        ("fills", "GET", TRADE + "fills", {}),
        ("balances", "GET", "/api/v2/spot/account/assets", {}),
        ("permissions", "GET", "/api/v2/spot/account/info", {}),
        ("positions", "GET", "/api/v2/mix/position/all-position", {}),
        ("markets", "GET", "/api/v2/spot/public/symbols", {}),
        ("ticker", "GET", "/api/v2/spot/market/tickers", {"symbol": "BTCUSDT"}),
        ("tickers", "GET", "/api/v2/spot/market/tickers", {}),
        ("order_book", "GET", "/api/v2/spot/market/orderbook", {"symbol": "BTCUSDT"}),
        ("candles", "GET", "/api/v2/spot/market/candles", {"symbol": "BTCUSDT"}),
        ("server_time", "GET", "/api/v2/public/time", {}),
    ],
)
def test_every_operation_can_be_struck(
    fresh_sandbox: SandboxServer,
    bitget: Caller,
    operation: str,
    method: str,
    path: str,
    params: dict[str, object],
) -> None:
    fresh_sandbox.fault("bitget", operation, "error_before", status=502)
    call = bitget.get if method == "GET" else bitget.post
    assert refusal(call(path, **params)) == (502, "45001")


def test_what_was_asked_is_shown_without_what_is_secret(fresh_sandbox: SandboxServer, bitget: Caller) -> None:
    place(bitget)
    shown = fresh_sandbox.look("requests", exchange="bitget")["requests"][-1]
    assert (shown["operation"], shown["status"]) == ("place_order", 200)
    assert "mine" in shown["body"]
    assert bitget.keys.passphrase not in str(shown)
