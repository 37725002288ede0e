"""Reading back orders, trades and balances."""

from __future__ import annotations

import pytest

from tests.fixtures.sandbox import SandboxServer
from tests.sandbox.kraken_caller import PAIR, Caller


def skew(server: SandboxServer, seconds: int) -> None:
    server.control("skew", exchange="kraken", milliseconds=seconds * 1000)


def test_balances_are_totals_by_asset_code(fresh_sandbox: SandboxServer, kraken: Caller) -> None:
    caller = Caller(
        kraken.base_url, fresh_sandbox.account("kraken", {"USD": "1000.5", "BTC": "1", "SOL": "2"})
    )
    caller.place(pair="XXBTZUSD", type="buy", ordertype="limit", price="50000", volume="0.01")
    assert caller.ok("Balance") == {"ZUSD": "1000.5000", "XXBT": "1.0000000000", "SOL": "2.0000000000"}
    assert caller.balances()["ZUSD"] == ("1000.5000", "502.0000")
    caller.close()


def test_the_fees_of_a_pair_are_in_percent(kraken: Caller) -> None:
    volume = kraken.ok("TradeVolume", pair="XBT/USD")
    assert volume["fees"]["XXBTZUSD"]["fee"] == "0.4000"
    assert volume["fees_maker"]["XXBTZUSD"]["fee"] == "0.2500"
    assert kraken.ok("TradeVolume")["fees"] == {}


def test_orders_are_queried_by_id_and_unknown_ones_left_out(kraken: Caller) -> None:
    one, two = kraken.limit("buy", "50000"), kraken.market("buy")
    found = kraken.ok("QueryOrders", txid=f"{one},{two},OAAAAA-BBBBB-CCCCCC")
    assert set(found) == {one, two}
    assert "trades" not in found[two]
    assert len(kraken.order(two)["trades"]) == 1
    assert kraken.refusal("QueryOrders") == "EGeneral:Invalid arguments:txid"
    assert kraken.refusal("QueryOrders", cl_ord_id="mine") == "EGeneral:Invalid arguments:txid"
    assert kraken.refusal("QueryOrders", txid="nonsense") == "EOrder:Invalid order"
    assert kraken.refusal("QueryOrders", txid=",".join([one] * 51)) == "EGeneral:Invalid arguments:txid"


def test_an_order_is_found_by_client_id_among_the_open_or_the_closed(kraken: Caller) -> None:
    kraken.limit("buy", "49000")
    txid = kraken.limit("buy", "50000", cl_ord_id="bot-0001")
    assert list(kraken.ok("OpenOrders", cl_ord_id="bot-0001")["open"]) == [txid]
    assert kraken.ok("ClosedOrders", cl_ord_id="bot-0001") == {"closed": {}, "count": 0}
    kraken.ok("CancelOrder", txid=txid)
    assert kraken.ok("OpenOrders", cl_ord_id="bot-0001") == {"open": {}}
    assert list(kraken.ok("ClosedOrders", cl_ord_id="bot-0001")["closed"]) == [txid]


def test_orders_are_filtered_by_user_reference(kraken: Caller) -> None:
    kraken.limit("buy", "49000", userref=1)
    txid = kraken.limit("buy", "50000", userref=2)
    assert list(kraken.ok("OpenOrders", userref=2)["open"]) == [txid]


def test_closed_orders_come_in_pages_of_fifty_newest_first(
    fresh_sandbox: SandboxServer, kraken: Caller
) -> None:
    fresh_sandbox.control("limits", exchange="kraken", limits={"pair_counter": 1000})
    txids = [kraken.market("buy", "0.001") for _ in range(52)]
    first = kraken.ok("ClosedOrders")
    assert (first["count"], len(first["closed"])) == (52, 50)
    second = kraken.ok("ClosedOrders", ofs=50, without_count="true")
    assert "count" not in second
    assert [*first["closed"], *second["closed"]] == txids[::-1]


def test_trades_come_in_pages_of_fifty_newest_first(fresh_sandbox: SandboxServer, kraken: Caller) -> None:
    fresh_sandbox.control("limits", exchange="kraken", limits={"pair_counter": 1000})
    txids = [kraken.market("buy", "0.001") for _ in range(51)]
    first = kraken.ok("TradesHistory")
    second = kraken.ok("TradesHistory", ofs=50)["trades"]
    assert (first["count"], len(first["trades"]), len(second)) == (51, 50, 1)
    trades = [*first["trades"].values(), *second.values()]
    assert [trade["ordertxid"] for trade in trades] == txids[::-1]


def test_a_trade_names_its_order_pair_and_role(kraken: Caller) -> None:
    txid = kraken.place(pair="ETHXBT", type="buy", ordertype="limit", price="0.06", volume="1")
    ((trade_id, trade),) = kraken.ok("TradesHistory", ledgers="true")["trades"].items()
    assert trade_id.startswith("T")
    assert (trade["ordertxid"], trade["pair"], trade["ordertype"]) == (txid, "XETHXXBT", "limit")
    assert (trade["price"], trade["vol"], trade["maker"]) == ("0.05001", "1.00000000", False)
    assert (trade["cost"], trade["fee"]) == ("0.0500100000", "0.0002000400")
    assert len(trade["ledgers"]) == 2
    assert "ledgers" not in kraken.ok("QueryTrades", txid=trade_id)[trade_id]
    assert kraken.ok("TradesHistory", type="closing position") == {"trades": {}, "count": 0}
    assert kraken.refusal("QueryTrades", txid=txid) == "EGeneral:Invalid arguments:txid"
    assert kraken.refusal("TradesHistory", type="wrong") == "EGeneral:Invalid arguments:type"
    assert kraken.refusal("QueryTrades", txid=",".join([trade_id] * 21)) == "EGeneral:Invalid arguments:txid"


def test_history_is_cut_by_time_or_by_the_id_of_an_order_or_trade(
    fresh_sandbox: SandboxServer, kraken: Caller
) -> None:
    txids = []
    for seconds in (0, 100, 200):
        skew(fresh_sandbox, seconds)
        txids.append(kraken.market("buy"))
    one, two, three = txids
    orders = kraken.ok("QueryOrders", txid=",".join(txids))
    middle = orders[two]["opentm"]
    assert list(kraken.ok("ClosedOrders", start=middle + 1)["closed"]) == [three]
    assert list(kraken.ok("ClosedOrders", end=int(middle) - 1)["closed"]) == [one]
    assert list(kraken.ok("ClosedOrders", start=two, closetime="open")["closed"]) == [three]
    trades = kraken.ok("TradesHistory")["trades"]
    newest, middle_trade, oldest = trades
    assert list(kraken.ok("TradesHistory", start=middle_trade)["trades"]) == [newest]
    assert list(kraken.ok("TradesHistory", end=oldest)["trades"]) == [oldest]
    assert kraken.refusal("TradesHistory", start="never") == "EGeneral:Invalid arguments:start"


@pytest.mark.parametrize(("by", "shown"), [("open", 0), ("close", 1), ("both", 1)])
def test_closed_orders_are_cut_by_when_they_began_or_ended(
    fresh_sandbox: SandboxServer, kraken: Caller, by: str, shown: int
) -> None:
    txid = kraken.limit("buy", "50000")
    start = int(kraken.order(txid)["opentm"]) + 50
    skew(fresh_sandbox, 100)
    kraken.ok("CancelOrder", txid=txid)
    assert kraken.ok("ClosedOrders", start=start, closetime=by)["count"] == shown


def test_the_control_api_sees_the_same_orders(fresh_sandbox: SandboxServer, kraken: Caller) -> None:
    txid = kraken.place(pair=PAIR, type="buy", ordertype="limit", price="50000", cl_ord_id="bot-0001")
    (order,) = fresh_sandbox.orders("kraken", kraken.keys)
    assert (order["exchange_order_id"], order["client_order_id"]) == (txid, "bot-0001")
    assert fresh_sandbox.balances("kraken", kraken.keys)["USDT"]["locked"] == "502"
