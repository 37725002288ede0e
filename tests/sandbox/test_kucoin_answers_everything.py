"""Whatever is sent, KuCoin's envelope comes back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fixtures.sandbox import SandboxServer
from tests.sandbox.kucoin_caller import HF, OCO, STOP, Caller

PATHS = (
    HF,
    f"{HF}/sync",
    f"{HF}/multi",
    f"{HF}/alter",
    f"{HF}/active",
    f"{HF}/active/page",
    f"{HF}/done",
    f"{HF}/cancelAll",
    f"{HF}/cancel/67",
    f"{HF}/client-order/c1",
    f"{HF}/{'67' + 'f' * 22}",
    "/api/v1/hf/fills",
    STOP,
    f"{STOP}/cancel",
    f"{STOP}/queryOrderByClientOid",
    f"{STOP}/vs8h0",
    OCO,
    f"{OCO}/6c",
    "/api/v3/oco/orders",
    "/api/v1/accounts",
    "/api/v1/trade-fees",
    "/api/v1/positions",
    "/api/v3/accounts/universal-transfer",
    "/api/v1/market/candles",
    "/api/v1/market/stats",
    "/api/v2/symbols",
)
NAMES = (
    "symbol side type price size funds clientOid orderId timeInForce postOnly cancelAfter stop stopPrice limitPrice "
    "newPrice newSize cancelSize orderList startAt endAt lastId limit pageNum pageSize currentPage orderIds symbols "
    "currency amount fromAccountType toAccountType clientTimestamp allowMaxTimeWindow"
)
TELLING = (
    "BTC-USDT buy sell limit market loss entry GTT IOC FOK 1min 1week 1month INTERNAL MAIN TRADE USDT c1 true 0 -1 "
    "0.01 50000 50 1e9 1e400 NaN -0 9999999999999999999 -9999999999999999999 \u00e9 \x00 % / ? # &"
)
names = st.sampled_from(NAMES.split(" "))
texts = st.sampled_from(TELLING.split(" ")) | st.text(max_size=8)
scalars = texts | st.integers() | st.floats() | st.booleans() | st.none()
values = scalars | st.lists(st.dictionaries(names, scalars), max_size=6)


@pytest.fixture
def shared(sandbox: SandboxServer) -> Iterator[Caller]:
    caller = Caller(sandbox.at("kucoin"), sandbox.account("kucoin"))
    yield caller
    caller.close()


@given(
    method=st.sampled_from(["GET", "DELETE", "POST"]),
    path=st.sampled_from(PATHS),
    params=st.dictionaries(names, values, max_size=8),
    symbol=st.booleans(),
)
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_sent_is_answered_in_an_envelope(
    shared: Caller, method: str, path: str, params: dict[str, object], symbol: bool
) -> None:
    asked = {**({"symbol": "BTC-USDT", "type": "1month"} if symbol else {}), **params}
    sent = asked if method == "POST" else {name: str(value) for name, value in asked.items()}
    body = shared.send(method, path, **sent).json()
    assert ("data" in body) is (body["code"] == "200000")
    assert ("msg" in body) is (body["code"] != "200000")
