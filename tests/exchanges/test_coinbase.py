"""What goes to Coinbase, token and body; what its refusals mean; and its recorded answers, digit for digit."""

from __future__ import annotations

import base64
import contextlib
import copy
import json
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain import (
    AuthenticationFailed,
    Balance,
    DuplicateOrder,
    Environment,
    ExchangeError,
    ExchangeUnavailable,
    InsufficientFunds,
    InvalidOrder,
    Leg,
    OcoRequest,
    OrderDenied,
    OrderNotFound,
    OrderRejected,
    OrderRequest,
    OrderStatus,
    OrderType,
    OutcomeUnknown,
    PermissionDenied,
    RateLimited,
    Side,
    TimeInForce,
    WouldTrigger,
)
from app.exchanges.coinbase import Coinbase, parse, wire
from app.exchanges.coinbase.tokens import NotAKey, Signer, read_key
from app.exchanges.rest import UNREADABLE, NoSuchEnvironment
from tests.exchanges.coinbase_client import (
    BTC,
    KEY,
    SECRET,
    SEED,
    Answering,
    always,
    coinbase,
    operation,
    order,
    recorded,
    rejecting,
    sent,
)
from tests.exchanges.local_server import Received, Reply
from tests.exchanges.recorded import body

OID = "6f0c0000-0000-4000-8000-000000000001"
HALF = Decimal("0.01")


# -- tokens ----------------------------------------------------------------------------------------------------


def test_the_known_signature_comes_out() -> None:
    claims = {
        "sub": KEY,
        "iss": "cdp",
        "nbf": 1767225600,
        "exp": 1767225720,
        "uri": "GET api.coinbase.com/api/v3/brokerage/accounts",
    }
    token = Signer(KEY, SECRET).signed(claims, "00112233445566778899aabbccddeeff")
    assert token.split(".")[2] == (
        "ADq__tp2fcgaEEzvOKz_m-3t-DiwLIYAE75xeM4y4-iJ_78Hb4snDrq5cMZGM6sfigSk-V8JztP7-axL4MGiAQ"
    )


def decoded(part: str) -> Any:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def test_an_ec_key_signs_with_the_two_numbers_and_not_with_their_der() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()
    for secret in (pem, pem.replace("\n", "\\n")):
        header, claims, signature = Signer(KEY, secret).token("GET", "host", "/path", 1000).split(".")
        assert json.loads(decoded(header))["alg"] == "ES256"
        raw = decoded(signature)
        assert len(raw) == 64
        numbers = (int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
        key.public_key().verify(
            encode_dss_signature(*numbers), f"{header}.{claims}".encode(), ec.ECDSA(SHA256())
        )


def test_every_form_of_a_private_key_is_read_and_anything_else_is_refused_without_being_repeated() -> None:
    ed = Ed25519PrivateKey.from_private_bytes(SEED)
    pem = ed.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    whole = base64.b64encode(SEED + ed.public_key().public_bytes_raw()).decode()
    for secret in (SECRET, whole, pem, f"  {pem}"):
        read = read_key(secret)
        assert isinstance(read, Ed25519PrivateKey)
        assert read.private_bytes_raw() == SEED
    other = ec.generate_private_key(ec.SECP384R1())
    wrong = other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    for secret in ("not-a-key", SECRET[:20], wrong, "-----BEGIN EC PRIVATE KEY-----", ""):
        with pytest.raises(NotAKey) as caught:
            read_key(secret)
        assert not secret or secret not in str(caught.value)
    with coinbase(secret="not-a-key") as (exchange, server), pytest.raises(AuthenticationFailed) as refused:
        exchange.balances()
    assert "whole" in refused.value.remedy
    assert server.received == []


def test_each_request_has_a_token_of_its_own_for_its_method_and_path_without_the_query() -> None:
    with coinbase() as (exchange, server):
        exchange.balances()
        exchange.balances()
    tokens = [request.headers["authorization"].removeprefix("Bearer ") for request in server.received]
    headers, claims = ([json.loads(decoded(token.split(".")[n])) for token in tokens] for n in (0, 1))
    assert len({header["nonce"] for header in headers}) == 2
    assert {header["kid"] for header in headers} == {claim["sub"] for claim in claims} == {KEY}
    assert {claim["uri"] for claim in claims} == {"GET api.coinbase.com/api/v3/brokerage/accounts"}
    assert {claim["exp"] - claim["nbf"] for claim in claims} == {25}


def test_public_calls_carry_no_token_and_ask_for_what_is_fresh() -> None:
    with coinbase() as (exchange, server):
        exchange.ticker("BTC/USD")
    [request] = server.received
    assert "authorization" not in request.headers
    assert request.headers["cache-control"] == "no-cache"


def test_there_is_no_test_environment() -> None:
    with pytest.raises(NoSuchEnvironment):
        Coinbase(None, environment=Environment.TESTNET)


def test_a_refused_token_sets_the_clock_and_the_order_is_sent_once_more() -> None:
    usual, refused = recorded({}), always("Unauthorized", 401)
    asked = []

    def answer(request: Received) -> Reply:
        asked.append(operation(request))
        return (
            refused(request)
            if asked.count("POST orders") == 1 and asked[-1] == "POST orders"
            else usual(request)
        )

    with coinbase(answer) as (exchange, _):
        exchange.place_order(order(type=OrderType.LIMIT, quantity=HALF, price=Decimal(90000)))
    assert asked[:3] == ["POST orders", "GET time", "POST orders"]
    with coinbase(lambda r: usual(r) if "time" in r.target else refused(r)) as (exchange, _):
        report = exchange.check_connection()
    assert not report.connected
    assert "key" in (report.remedy or "")


# -- orders ----------------------------------------------------------------------------------------------------


def limit(**fields: Any) -> OrderRequest:
    return order(**{"type": OrderType.LIMIT, "quantity": HALF, "price": Decimal(90000), **fields})


def exit_(type_: OrderType, trigger: int, **fields: Any) -> OrderRequest:
    return order(
        **{"type": type_, "side": Side.SELL, "quantity": HALF, "trigger_price": Decimal(trigger), **fields}
    )


def stopping(limit_price: str, stop_price: str, direction: str) -> dict[str, Any]:
    return {
        "stop_limit_stop_limit_gtc": {
            "base_size": "0.01",
            "limit_price": limit_price,
            "stop_price": stop_price,
            "stop_direction": f"STOP_DIRECTION_STOP_{direction}",
        }
    }


SIZED = {"base_size": "0.01", "limit_price": "90000"}
ORDERS: dict[str, tuple[OrderRequest, dict[str, Any]]] = {
    "market by quote, rounded down": (
        order(type=OrderType.MARKET, quote_quantity=Decimal("50.129")),
        {"market_market_ioc": {"quote_size": "50.12"}},
    ),
    "market by base, rounded down to the lot": (
        order(type=OrderType.MARKET, quantity=Decimal("0.010000009")),
        {"market_market_ioc": {"base_size": "0.01"}},
    ),
    "limit": (limit(price=Decimal("90000.009")), {"limit_limit_gtc": {**SIZED, "post_only": False}}),
    "post-only": (limit(post_only=True), {"limit_limit_gtc": {**SIZED, "post_only": True}}),
    "immediate or cancel": (limit(time_in_force=TimeInForce.IOC), {"sor_limit_ioc": SIZED}),
    "fill or kill": (limit(time_in_force=TimeInForce.FOK), {"limit_limit_fok": SIZED}),
    "stop at a limit": (
        exit_(OrderType.STOP_LIMIT, 85000, price=Decimal(84900)),
        stopping("84900", "85000", "DOWN"),
    ),
    "stop at the market": (exit_(OrderType.STOP_LOSS, 85000), stopping("80750", "85000", "DOWN")),
    "take profit at the market": (exit_(OrderType.TAKE_PROFIT, 99000), stopping("94050", "99000", "UP")),
    "buying once the price has risen": (
        exit_(OrderType.STOP_LOSS, 99000, side=Side.BUY),
        stopping("103950", "99000", "UP"),
    ),
}


@pytest.mark.parametrize(("request_", "expected"), ORDERS.values(), ids=ORDERS.keys())
def test_every_kind_of_order_is_asked_for_in_its_documented_words(
    request_: OrderRequest, expected: dict[str, Any]
) -> None:
    with coinbase(payloads={"GET order": "order_missing"}) as (exchange, server):
        report = exchange.place_order(request_)
    assert (report.status, report.type) == (OrderStatus.PENDING, request_.type)
    assert operation(server.received[0]) == "POST orders"
    assert sent(server.received[0]) == {
        "client_order_id": "mybot0001",
        "product_id": "BTC-USD",
        "side": request_.side.value,
        "order_configuration": expected,
    }


def test_an_entry_takes_both_exits_along_as_a_bracket_without_a_size_and_never_one_alone() -> None:
    stop, target = Leg(Decimal(85000)), Leg(Decimal(99000))
    with coinbase(payloads={"GET order": "entry_open"}) as (exchange, server):
        report = exchange.place_order(limit(stop_loss=stop, take_profit=target))
        for one in ({"stop_loss": stop}, {"take_profit": target}):
            with pytest.raises(OrderDenied):
                exchange.place_order(limit(**one))
        with pytest.raises(OrderDenied, match="no limits of their own"):
            exchange.place_order(limit(stop_loss=Leg(Decimal(85000), Decimal(84000)), take_profit=target))
    assert sent(server.received[0])["attached_order_configuration"] == {
        "trigger_bracket_gtc": {"limit_price": "99000", "stop_trigger_price": "85000"}
    }
    assert [
        (leg.exchange_order_id, leg.client_order_id, leg.type, leg.status, leg.trigger_price)
        for leg in report.children
    ] == [
        (f"sl-of-{OID}", "mybot0001-sl", OrderType.STOP_LOSS, OrderStatus.PENDING, 85000),
        (f"tp-of-{OID}", "mybot0001-tp", OrderType.TAKE_PROFIT, OrderStatus.PENDING, 99000),
    ]
    with coinbase(payloads={"GET order": "entry_open"}) as (exchange, server):
        found = exchange.get_order("BTC/USD", exchange_order_id=f"tp-of-{OID}")
        with pytest.raises(OrderNotFound, match="does not rest yet"):
            exchange.cancel_order("BTC/USD", exchange_order_id=f"sl-of-{OID}")
    assert (found.type, found.status) == (OrderType.TAKE_PROFIT, OrderStatus.PENDING)
    assert "POST batch_cancel" not in map(operation, server.received), "it would be the entry's"


def test_two_exits_are_one_bracket() -> None:
    pair = OcoRequest("BTC/USD", Side.SELL, HALF, Leg(Decimal(85000)), Leg(Decimal(99000)), "mybot0001")
    with coinbase(payloads={"GET order": "bracket_open"}) as (exchange, server):
        report = exchange.place_oco(pair)
    assert sent(server.received[0])["order_configuration"] == {
        "trigger_bracket_gtc": {"base_size": "0.01", "limit_price": "99000", "stop_trigger_price": "85000"}
    }
    assert (report.exchange_order_id, report.type, len(report.children)) == (OID, None, 2)


def test_a_change_tells_size_and_price_whichever_of_them_changes() -> None:
    with coinbase() as (exchange, server):
        exchange.amend_order("BTC/USD", exchange_order_id=OID, quantity=Decimal("0.02"))
        exchange.amend_order("BTC/USD", exchange_order_id=OID, price=Decimal(91000))
    edits = [sent(request) for request in server.received if operation(request) == "POST edit"]
    assert edits == [
        {"order_id": OID, "size": "0.02", "price": "90000"},
        {"order_id": OID, "size": "0.01", "price": "91000"},
    ]
    with coinbase(payloads={"GET order": "order_stop"}) as (exchange, _), pytest.raises(OrderDenied):
        exchange.amend_order("BTC/USD", exchange_order_id=OID, price=Decimal(91000))


def test_an_order_is_found_by_its_client_id_among_the_latest_of_its_market() -> None:
    with coinbase(payloads={"GET batch": "orders"}) as (exchange, server):
        assert exchange.get_order("BTC/USD", client_order_id="mybot0001").exchange_order_id == OID
        with pytest.raises(OrderNotFound):
            exchange.get_order("BTC/USD", client_order_id="nobody")
    asked = sent(server.received[0])
    assert asked["product_ids"] == ["BTC-USD"]
    begun = datetime.fromisoformat(asked["start_date"][0])
    assert abs((datetime.now(UTC) - begun) - wire.LOOKED_BACK).total_seconds() < 60


# -- refusals --------------------------------------------------------------------------------------------------

REASONS: list[tuple[str, type[ExchangeError]]] = [
    ("PREVIEW_INSUFFICIENT_FUND", InsufficientFunds),
    ("PREVIEW_STOP_PRICE_ABOVE_LAST_TRADE_PRICE", WouldTrigger),
    ("PREVIEW_STOP_PRICE_BELOW_LIMIT_PRICE", InvalidOrder),
    ("INVALID_LIMIT_PRICE_POST_ONLY", InvalidOrder),
    ("PREVIEW_INVALID_QUOTE_SIZE_TOO_SMALL", InvalidOrder),
    ("UNSUPPORTED_ORDER_CONFIGURATION", InvalidOrder),
    ("TRADING_DISABLED", InvalidOrder),
    ("DUPLICATE_CLIENT_ORDER_ID", DuplicateOrder),
    ("GEOFENCING_RESTRICTION", PermissionDenied),
    ("COMMANDER_REJECTED_NEW_ORDER", OrderRejected),
    ("SOMETHING_NEW", OrderRejected),
    ("UNKNOWN_FAILURE_REASON", OutcomeUnknown),
]


@pytest.mark.parametrize(("reason", "kind"), REASONS)
def test_every_reason_of_an_order_is_told_apart_although_it_comes_with_success(
    reason: str, kind: type[ExchangeError]
) -> None:
    with coinbase(rejecting(reason)) as (exchange, _), pytest.raises(ExchangeError) as caught:
        exchange.place_order(limit())
    assert type(caught.value) is kind
    assert (caught.value.exchange, caught.value.code) == ("coinbase", reason)
    assert "what it says" in str(caught.value)


#: status, body, what it means for an order, what it means for a question
ANSWERS: list[tuple[int, str, type[ExchangeError], type[ExchangeError]]] = [
    (401, "Unauthorized", AuthenticationFailed, AuthenticationFailed),
    (
        403,
        '{"error":"PERMISSION_DENIED","error_details":"Missing required scopes"}',
        PermissionDenied,
        PermissionDenied,
    ),
    (400, '{"error":"INVALID_ARGUMENT","message":"no"}', InvalidOrder, InvalidOrder),
    (404, '{"error":"unknown","error_details":"order not found"}', OrderNotFound, OrderNotFound),
    (429, '{"errors":[{"id":"rate_limit_exceeded","message":"no"}]}', RateLimited, RateLimited),
    (429, "<html>", RateLimited, RateLimited),
    (500, '{"errors":[{"id":"internal_server_error","message":"no"}]}', OutcomeUnknown, ExchangeUnavailable),
    (502, "<html>", OutcomeUnknown, ExchangeUnavailable),
    (200, "{}", OutcomeUnknown, ExchangeUnavailable),
    (200, '{"success":true}', OutcomeUnknown, ExchangeUnavailable),
    (200, "[]", OutcomeUnknown, ExchangeUnavailable),
]


@pytest.mark.parametrize(("status", "text", "on_write", "on_read"), ANSWERS)
def test_any_other_answer_is_judged_by_its_status_and_its_word(
    status: int, text: str, on_write: type[ExchangeError], on_read: type[ExchangeError]
) -> None:
    usual, strange = recorded({}), always(text, status)
    with coinbase(lambda r: usual(r) if "time" in r.target else strange(r)) as (exchange, _):
        with pytest.raises(ExchangeError) as written:
            exchange.place_order(limit())
        assert type(written.value) is on_write
    with coinbase(strange) as (exchange, _), pytest.raises(ExchangeError) as read:
        exchange.order_book("BTC/USD", 5)
    assert type(read.value) is on_read


def test_a_cancellation_is_refused_with_success_too() -> None:
    usual = recorded({})
    for reason, kind in (("UNKNOWN_CANCEL_ORDER", OrderNotFound), ("DUPLICATE_CANCEL_REQUEST", RateLimited)):
        told = json.dumps({"results": [{"success": False, "failure_reason": reason, "order_id": OID}]})
        refused = always(told)
        answer = partial(_refusing_writes, refused, usual)
        with coinbase(answer) as (exchange, _), pytest.raises(kind):
            exchange.cancel_order("BTC/USD", exchange_order_id=OID)


def _refusing_writes(refused: Answering, usual: Answering, request: Received) -> Reply:
    return refused(request) if request.method == "POST" else usual(request)


def test_no_reason_is_sorted_twice() -> None:
    listed = [code for codes in wire._BY_KIND.values() for code in codes.split()]
    assert len(listed) == len(set(listed))


# -- answers ---------------------------------------------------------------------------------------------------


def read(name: str) -> Any:
    return parse.parse_order(body("coinbase", name)["order"], BTC)


def test_products_have_the_tick_of_their_prices_and_bounds_in_base_and_quote() -> None:
    with coinbase() as (exchange, _):
        markets = {market.symbol: market for market in exchange.markets()}
    assert set(markets) == {"BTC/USD", "ETH/BTC", "OLD/USD"}, "futures are left out"
    found = markets["BTC/USD"]
    assert (found.tick_size, found.lot_size, found.quote_lot_size) == (
        Decimal("0.01"),
        Decimal("0.00000001"),
        Decimal("0.01"),
    )
    assert (found.min_quantity, found.max_quantity, found.min_notional) == (Decimal("1E-8"), 3400, 1)
    assert (found.active, markets["OLD/USD"].active) == (True, False)


def test_wallets_are_summed_by_asset_over_every_page() -> None:
    def answer(request: Received) -> Reply:
        name = "accounts_end" if "cursor" in request.target else "accounts"
        return recorded({"GET accounts": name})(request)

    with coinbase(answer) as (exchange, _):
        balances = exchange.balances()
    assert balances == {
        "USD": Balance("USD", Decimal("910.1234567890123456"), Decimal("99.8765432109876544"), Decimal(1010)),
        "BTC": Balance("BTC", Decimal("0.12345678"), Decimal(0), Decimal("0.12345678")),
    }


def test_a_partial_fill_has_no_status_of_its_own_and_pays_its_fee_in_quote() -> None:
    found = read("order_partial")
    assert (found.status, found.filled_quantity, found.remaining) == (
        OrderStatus.PARTIALLY_FILLED,
        Decimal("0.004"),
        Decimal("0.006"),
    )
    assert (found.cost, found.average_price, found.fees) == (360, 90000, {"USD": Decimal("2.16")})
    assert found.created_at == datetime(2026, 1, 1, 0, 0, 0, 400_000, tzinfo=UTC)
    assert found.updated_at == datetime(2026, 1, 1, 0, 0, 1, 123_456, tzinfo=UTC)
    assert read("order_cancelled").status is OrderStatus.CANCELED
    assert read("order_failed").status is OrderStatus.REJECTED


def test_a_market_buy_by_quote_is_told_in_base_once_it_is_filled() -> None:
    found = read("order_market_filled")
    assert (found.type, found.price, found.quantity) == (OrderType.MARKET, None, Decimal("0.0033134083"))
    assert found.cost == Decimal("298.2107356"), "the fee is beside it"


def test_a_stop_whose_limit_is_as_far_off_as_ours_is_one_at_the_market() -> None:
    ours = read("order_stop")
    assert (ours.type, ours.price, ours.trigger_price) == (OrderType.STOP_LOSS, None, 85000)
    row = copy.deepcopy(body("coinbase", "order_stop")["order"])
    row["order_configuration"]["stop_limit_stop_limit_gtc"]["limit_price"] = "84900"
    theirs = parse.parse_order(row, BTC)
    assert (theirs.type, theirs.price) == (OrderType.STOP_LIMIT, 84900)


@pytest.mark.parametrize(
    ("name", "stop", "target"),
    [
        ("bracket_open", OrderStatus.OPEN, OrderStatus.OPEN),
        ("bracket_stopped", OrderStatus.FILLED, OrderStatus.CANCELED),
        ("bracket_taken", OrderStatus.CANCELED, OrderStatus.FILLED),
    ],
)
def test_a_bracket_tells_which_leg_has_executed(name: str, stop: OrderStatus, target: OrderStatus) -> None:
    pair = read(name)
    assert [leg.status for leg in pair.children] == [stop, target]
    assert [leg.exchange_order_id for leg in pair.children] == [f"sl-{OID}", f"tp-{OID}"]
    assert sum(leg.filled_quantity or 0 for leg in pair.children) == pair.filled_quantity
    assert sum(leg.cost or 0 for leg in pair.children) == pair.cost


def test_fills_sized_in_quote_are_told_in_base() -> None:
    taken, made = map(parse.parse_fill, body("coinbase", "fills")["fills"])
    assert (taken.quantity, taken.cost, taken.maker) == (Decimal("0.002"), 180, False)
    assert (made.quantity, made.cost, made.fee, made.fee_asset, made.maker) == (
        Decimal("0.004"),
        360,
        Decimal("2.16"),
        "USD",
        True,
    )


@given(
    name=st.sampled_from(["order_partial", "order_stop", "bracket_open", "order_market_filled"]),
    field=st.integers(0, 100),
    junk=st.none() | st.text(max_size=5) | st.integers() | st.lists(st.none(), max_size=1),
)
@settings(deadline=None)
def test_a_row_of_another_shape_is_read_or_raises_what_the_client_understands(
    name: str, field: int, junk: Any
) -> None:
    row = copy.deepcopy(dict(body("coinbase", name)["order"]))
    row[sorted(row)[field % len(row)]] = junk
    with contextlib.suppress(*UNREADABLE):
        parse.parse_order(row, BTC)
