"""The rules of a pair and of the parameters, and the words in which Kraken refuses."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
import requests

from app.sandbox.server import create_sandbox, serving
from tests.fixtures.sandbox import SandboxServer
from tests.sandbox.kraken_caller import Caller

UUID = "6d1b345e-2821-40e2-ad83-4ecb18a06876"
INVALID = "EGeneral:Invalid arguments:"
LIMIT = {"type": "buy", "ordertype": "limit", "price": "50000"}
MARKET = {"type": "buy", "ordertype": "market"}
STOP = {"type": "sell", "ordertype": "stop-loss", "price": "55000"}
DECIMALS = "EOrder:Invalid price:XBTUSDT price can only be specified up to 2 decimals."


@pytest.mark.parametrize(
    ("order", "refusal"),
    [
        ({**LIMIT, "pair": "XBTNOPE"}, "EQuery:Unknown asset pair"),
        ({**LIMIT, "pair": ""}, f"{INVALID}pair"),
        ({**LIMIT, "type": "hold"}, f"{INVALID}type"),
        ({**LIMIT, "ordertype": "iceberg"}, f"{INVALID}ordertype"),
        ({**LIMIT, "ordertype": "trailing-stop"}, f"{INVALID}price"),
        ({**LIMIT, "ordertype": "trailing-stop", "price": "-1.5%"}, f"{INVALID}price"),
        ({**LIMIT, "ordertype": "trailing-stop", "price": "+100%"}, "EOrder:Invalid price"),
        ({**LIMIT, "volume": ""}, f"{INVALID}volume"),
        ({**LIMIT, "volume": "0"}, f"{INVALID}volume"),
        ({**LIMIT, "volume": "1e-2"}, f"{INVALID}volume"),
        ({**LIMIT, "volume": "0.0100001"}, f"{INVALID}volume"),
        ({**LIMIT, "volume": "0.00009"}, "EOrder:Cost minimum not met"),
        ({**LIMIT, "price": ""}, f"{INVALID}price"),
        ({**LIMIT, "price": "abc"}, f"{INVALID}price"),
        ({**LIMIT, "price": "5%"}, f"{INVALID}price"),
        ({**LIMIT, "price": "0"}, "EOrder:Invalid price"),
        ({**LIMIT, "price": "-100%"}, "EOrder:Invalid price"),
        ({**LIMIT, "price": "50000.001"}, DECIMALS),
        ({**STOP, "ordertype": "stop-loss-limit"}, f"{INVALID}price2"),
        ({**STOP, "ordertype": "take-profit-limit", "price": "70000"}, f"{INVALID}price2"),
        ({**STOP, "price": "55000.001"}, DECIMALS),
        ({**STOP, "volume": "0.00009"}, "EOrder:Cost minimum not met"),
        ({**MARKET, "volume": "0.00008"}, "EOrder:Cost minimum not met"),
        ({**MARKET, "volume": "4.99", "oflags": "viqc"}, "EOrder:Cost minimum not met"),
        ({**MARKET, "type": "sell", "oflags": "viqc"}, f"{INVALID}viqc"),
        ({**LIMIT, "oflags": "viqc"}, f"{INVALID}viqc"),
        ({**MARKET, "oflags": "post"}, f"{INVALID}oflags"),
        ({**LIMIT, "oflags": "post", "timeinforce": "IOC"}, f"{INVALID}oflags"),
        ({**LIMIT, "oflags": "fcib,fciq"}, f"{INVALID}oflags"),
        ({**LIMIT, "oflags": "unknown"}, f"{INVALID}oflags"),
        ({**LIMIT, "timeinforce": "PO"}, f"{INVALID}timeinforce"),
        ({**STOP, "timeinforce": "IOC"}, f"{INVALID}timeinforce"),
        ({**LIMIT, "timeinforce": "GTD"}, f"{INVALID}expiretm"),
        ({**LIMIT, "timeinforce": "GTD", "expiretm": "1"}, f"{INVALID}expiretm"),
        ({**LIMIT, "timeinforce": "GTD", "expiretm": "+2764800"}, f"{INVALID}expiretm"),
        ({**LIMIT, "starttm": "+60"}, f"{INVALID}starttm"),
        ({**LIMIT, "deadline": "soon"}, f"{INVALID}deadline"),
        ({**LIMIT, "leverage": "5"}, f"{INVALID}leverage"),
        ({**STOP, "trigger": "index"}, f"{INVALID}trigger"),
        ({**LIMIT, "stptype": "cancel-none"}, f"{INVALID}stptype"),
        ({**LIMIT, "displayvol": "0.0006"}, f"{INVALID}displayvol"),
        ({**LIMIT, "userref": "1", "cl_ord_id": "both"}, f"{INVALID}cl_ord_id"),
        ({**LIMIT, "userref": "2147483648"}, f"{INVALID}userref"),
        ({**LIMIT, "userref": "mine"}, f"{INVALID}userref"),
    ],
    ids=lambda value: " ".join(f"{k}={v}" for k, v in value.items()) if isinstance(value, dict) else "",
)
def test_an_order_that_breaks_a_rule_is_refused_in_krakens_words(
    kraken: Caller, order: dict[str, str], refusal: str
) -> None:
    assert kraken.refused_order(**order) == refusal
    assert kraken.open_orders() == {}


@pytest.mark.parametrize(
    "extra",
    [
        {"pair": "XBT/USDT"},
        {"oflags": "nompp"},
        {"oflags": "fciq, post"},
        {"stptype": "cancel-both"},
        {"displayvol": "0.001"},
        {"timeinforce": "GTC", "starttm": "0", "expiretm": "0"},
        {"leverage": "none", "reduce_only": "false", "trigger": "last"},
        {"whatever": "is ignored"},
    ],
)
def test_an_order_may_say_more_than_it_must(kraken: Caller, extra: dict[str, str]) -> None:
    kraken.place(**LIMIT, **extra)


def test_a_volume_below_the_smallest_and_a_price_off_the_tick_are_refused() -> None:
    sandbox = create_sandbox()
    venue = sandbox.world.exchanges["kraken"].venue
    instrument = venue.market("BTC/USDT").instrument
    coarse = replace(instrument, tick=Decimal("0.05"), min_quantity=Decimal("0.001"))
    venue.list_instruments([coarse])
    with requests.Session() as http, serving(sandbox) as url:
        server = SandboxServer(url, http)
        caller = Caller(server.at("kraken"), server.account("kraken"))
        refusal = caller.refused_order(**{**LIMIT, "price": "50000.01"})
        assert refusal == "EOrder:Tick size check failed"
        assert caller.refused_order(**LIMIT, volume="0.00099") == "EOrder:Order minimum not met"
        caller.limit("buy", "50000.05", volume="0.001")
        caller.close()


@pytest.mark.parametrize(
    "client_id", [UUID, UUID.replace("-", ""), "x", "a text of 18 chars", "mybot-0001", UUID.upper()]
)
def test_a_client_id_is_a_uuid_or_a_short_text(kraken: Caller, client_id: str) -> None:
    txid = kraken.place(**LIMIT, cl_ord_id=client_id)
    assert kraken.order(txid)["cl_ord_id"] == client_id


@pytest.mark.parametrize("client_id", ["a text of 19 chars!", "g" * 32, "é", "0" * 36])
def test_any_other_client_id_is_refused(kraken: Caller, client_id: str) -> None:
    assert kraken.refused_order(**LIMIT, cl_ord_id=client_id) == f"{INVALID}cl_ord_id"


def test_a_client_id_is_taken_while_its_order_is_open_and_no_longer(kraken: Caller) -> None:
    txid = kraken.place(**LIMIT, cl_ord_id="bot-0001")
    assert kraken.refused_order(**LIMIT, cl_ord_id="bot-0001") == f"{INVALID}cl_ord_id not unique"
    kraken.ok("CancelOrder", txid=txid)
    kraken.place(**MARKET, cl_ord_id="bot-0001")
    again = kraken.place(**MARKET, cl_ord_id="bot-0001")
    assert again != txid
    assert len(kraken.ok("ClosedOrders", cl_ord_id="bot-0001")["closed"]) == 3


def test_a_user_reference_is_never_unique(kraken: Caller) -> None:
    assert kraken.place(**LIMIT, userref=7) != kraken.place(**LIMIT, userref=7)
