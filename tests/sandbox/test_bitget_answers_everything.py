"""Whatever is sent, Bitget's envelope comes back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.sandbox.dialects.bitget.endpoints import ENDPOINTS
from tests.fixtures.sandbox import SandboxServer
from tests.sandbox.bitget_caller import Caller

NAMES = (
    "symbol side orderType force price size clientOid orderId triggerPrice tpslType presetTakeProfitPrice "
    "executeTakeProfitPrice presetStopLossPrice executeStopLossPrice stpMode requestTime receiveWindow batchMode "
    "orderList newClientOid planType triggerType executePrice symbolList planOrderId coin assetType businessType "
    "productType marginCoin granularity startTime endTime idLessThan limit type precision"
)
TELLING = (
    "BTCUSDT buy sell limit market gtc post_only ioc fok tpsl normal amount total fill_price multiple single all spot "
    "USDT USDT-FUTURES 1min 1day 1M 1Mutc step3 scale2 max c1 true 0 -1 0.01 50000 55000 50 1e9 1e40 1e400 NaN -0 "
    "1400000000000001001 9999999999999999999 \u00e9 \x00 % / ? # &"
)
names = st.sampled_from(NAMES.split(" "))
texts = st.sampled_from(TELLING.split(" ")) | st.text(max_size=8)
scalars = texts | st.integers() | st.floats() | st.booleans() | st.none()
values = scalars | st.lists(st.dictionaries(names, scalars) | scalars, max_size=6)
ORDER = {
    "symbol": "BTCUSDT",
    "side": "buy",
    "orderType": "limit",
    "force": "gtc",
    "price": "50000",
    "size": "0.01",
}


@pytest.fixture
def shared(sandbox: SandboxServer) -> Iterator[Caller]:
    caller = Caller(sandbox.at("bitget"), sandbox.account("bitget"))
    yield caller
    caller.close()


@given(
    endpoint=st.sampled_from(sorted(ENDPOINTS)),
    params=st.dictionaries(names, values, max_size=6),
    sensible=st.booleans(),
)
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_sent_is_answered_in_an_envelope(
    shared: Caller, endpoint: tuple[str, str], params: dict[str, object], sensible: bool
) -> None:
    method, path = endpoint
    asked = {**(ORDER | {"granularity": "1M"} if sensible else {}), **params}
    if method == "POST":
        response = shared.post(path, **asked)
    else:
        response = shared.get(path, **{name: str(value) for name, value in asked.items()})
    body = response.json()
    assert body.keys() == {"code", "msg", "requestTime", "data"}
    assert (response.status_code, body["code"] == "00000") in {(200, True), (400, False)}


@pytest.mark.parametrize("body", ["[" * 100_000, "\xff", '{"size":' + "9" * 5000 + "}", "null", "7"])
def test_a_body_nobody_can_read_is_refused(shared: Caller, body: str) -> None:
    path = "/api/v2/spot/trade/place-order"
    assert shared.raw("POST", path, body, **shared.headers("POST", path, body)).status_code == 400
