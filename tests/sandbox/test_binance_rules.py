"""What Binance refuses before an order reaches matching: parameters, types, filters."""

from __future__ import annotations

import time

import pytest

from tests.fixtures.sandbox import SandboxServer
from tests.sandbox.binance_caller import Caller, sign

LIMIT = {"side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "price": "50000", "quantity": "0.01"}
MARKET = {"side": "BUY", "type": "MARKET", "quantity": "0.01"}
STOP = {"side": "SELL", "type": "STOP_LOSS", "stopPrice": "50000", "quantity": "0.01"}

TRAILING = {"side": "SELL", "type": "STOP_LOSS", "trailingDelta": "100", "quantity": "0.01"}


def without(order: dict[str, str], *names: str) -> dict[str, str]:
    return {name: value for name, value in order.items() if name not in names}


@pytest.mark.parametrize(
    ("order", "code"),
    [
        (without(LIMIT, "side"), -1102),
        (without(LIMIT, "type"), -1102),
        (without(LIMIT, "price"), -1102),
        (without(LIMIT, "quantity"), -1102),
        (without(LIMIT, "timeInForce"), -1102),
        (without(MARKET, "quantity"), -1102),
        (without(STOP, "stopPrice"), -1102),
        (LIMIT | {"foreign": "1"}, -1104),
        (LIMIT | {"price": ""}, -1105),
        (LIMIT | {"stopPrice": "49000"}, -1106),
        (MARKET | {"price": "50000"}, -1106),
        (MARKET | {"timeInForce": "GTC"}, -1106),
        (MARKET | {"quoteOrderQty": "50"}, -1106),
        (LIMIT | {"quoteOrderQty": "50"}, -1106),
        (LIMIT | {"type": "LIMIT_MAKER"}, -1106),
        (LIMIT | {"price": "5e4"}, -1100),
        (LIMIT | {"price": "-50000"}, -1100),
        (LIMIT | {"price": "50,000"}, -1100),
        (LIMIT | {"newClientOrderId": "a.b"}, -1100),
        (LIMIT | {"newClientOrderId": "x" * 37}, -1100),
        (LIMIT | {"quantity": "0.0100000001"}, -1111),
        (LIMIT | {"timeInForce": "GTD"}, -1115),
        (LIMIT | {"type": "TRAILING"}, -1116),
        (LIMIT | {"side": "HOLD"}, -1117),
        (LIMIT | {"symbol": "NOPEUSDT"}, -1121),
        (LIMIT | {"symbol": "btcusdt"}, -1100),
        (LIMIT | {"newOrderRespType": "ALL"}, -1130),
        (LIMIT | {"icebergQty": "0.001"}, -2010),
        (STOP | {"trailingDelta": "100"}, -2010),
        (TRAILING | {"type": "TAKE_PROFIT"}, -2010),
        (TRAILING | {"trailingDelta": "9"}, -1013),
        (TRAILING | {"trailingDelta": "2001"}, -1013),
        (TRAILING | {"trailingDelta": "1.5"}, -1100),
    ],
    ids=lambda value: str(value) if isinstance(value, int) else "",
)
def test_wrong_parameters_are_refused_with_their_code(
    binance: Caller, order: dict[str, str], code: int
) -> None:
    assert binance.refused_order(**order)[:2] == (400, code)


def test_a_repeated_parameter_is_refused_with_1101(binance: Caller) -> None:
    query = f"symbol=BTCUSDT&symbol=BTCUSDT&timestamp={int(time.time() * 1000)}"
    response = binance.send_raw(
        "GET", "/api/v3/openOrders", f"{query}&signature={sign(binance.keys.api_secret, query)}"
    )
    assert response.json() == {"code": -1101, "msg": "Duplicate values for a parameter detected."}


def test_unread_parameters_are_counted(binance: Caller) -> None:
    message = binance.refused_order(**LIMIT, foreign="1")[2]
    assert message == "Not all sent parameters were read; read '8' parameter(s) but was sent '9'."


@pytest.mark.parametrize(
    ("order", "name"),
    [
        (LIMIT | {"price": "50000.001"}, "PRICE_FILTER"),
        (LIMIT | {"price": "0"}, "PRICE_FILTER"),
        (LIMIT | {"price": "10000000.01"}, "PRICE_FILTER"),
        (STOP | {"stopPrice": "50000.001"}, "PRICE_FILTER"),
        (LIMIT | {"quantity": "0.000015"}, "LOT_SIZE"),
        (LIMIT | {"quantity": "0"}, "LOT_SIZE"),
        (LIMIT | {"quantity": "9000.00001"}, "LOT_SIZE"),
        (MARKET | {"quantity": "900.00001"}, "MARKET_LOT_SIZE"),
        (without(MARKET, "quantity") | {"quoteOrderQty": "0.5"}, "LOT_SIZE"),
        (without(MARKET, "quantity") | {"quoteOrderQty": "4"}, "NOTIONAL"),
        (LIMIT | {"quantity": "0.00009"}, "NOTIONAL"),
        (MARKET | {"quantity": "0.00008"}, "NOTIONAL"),
        (LIMIT | {"quantity": "200"}, "NOTIONAL"),
        (LIMIT | {"price": "11000"}, "PERCENT_PRICE_BY_SIDE"),
        (LIMIT | {"price": "300001", "side": "SELL"}, "PERCENT_PRICE_BY_SIDE"),
        (LIMIT | {"price": "11000.001", "quantity": "0.000001"}, "PRICE_FILTER"),
    ],
)
def test_an_order_off_the_grid_fails_the_first_filter_it_breaks(
    binance: Caller, order: dict[str, str], name: str
) -> None:
    assert binance.refused_order(**order) == (400, -1013, f"Filter failure: {name}")


def test_trailing_zeros_are_no_extra_precision(binance: Caller) -> None:
    assert binance.place(**LIMIT | {"price": "50000.0000000000"})["price"] == "50000.00000000"


def test_a_symbol_takes_no_more_than_five_stops_at_a_time(binance: Caller) -> None:
    for _ in range(5):
        binance.place(**STOP)
    assert binance.refused_order(**STOP)[2] == "Filter failure: MAX_NUM_ALGO_ORDERS"


def test_a_closed_market_takes_no_orders_but_lets_them_be_cancelled(
    fresh_sandbox: SandboxServer, binance: Caller
) -> None:
    order = binance.place(**LIMIT)
    fresh_sandbox.control("instruments", exchange="binance", symbol="BTC/USDT", trading=False)
    assert binance.refused_order(**LIMIT) == (400, -1013, "Market is closed.")
    binance.ok("DELETE", "/api/v3/order", symbol="BTCUSDT", orderId=order["orderId"])
    (instrument,) = binance.send_raw("GET", "/api/v3/exchangeInfo", "symbol=BTCUSDT").json()["symbols"]
    assert instrument["status"] == "BREAK"


def test_an_unknown_path_is_404_in_binances_envelope(binance: Caller) -> None:
    response = binance.send_raw("GET", "/api/v3/nothing")
    assert response.status_code == 404
    assert response.json() == {"code": -5000, "msg": "Path /api/v3/nothing, Method GET is invalid"}
