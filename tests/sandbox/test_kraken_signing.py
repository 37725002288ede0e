"""Who is let in: key, signature, nonce, permission, in that order."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import pytest

from app.sandbox.dialects.kraken.signing import signature
from tests.fixtures.sandbox import Keys, SandboxServer
from tests.sandbox.kraken_caller import Caller, accepted, refused, sign

PATH = "/0/private/AddOrder"
SECRET = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw=="
PUBLISHED_SECRET = "kQH5HW/8p1uGOVjbgWA7FunAmGO8lsSUXNsu3eow76sz84Q18fWxnyRzBHCd3pd5nE9qa99HAZtuZuj6F1huXg=="
VECTORS = {
    "form": (
        SECRET,
        "1700000000003",
        "nonce=1700000000003&pair=XXBTZUSD&type=buy&ordertype=limit&volume=0.001&cl_ord_id=bot-0001&price=60000",
        "GynNgMJU4r1RV6H7KtiMl3e02priZA4rkfTMzy+daG+B2KA7ty6oUxbzzlRR9UKfer67nLODrUOgkGK2fvG2Aw==",
    ),
    "json": (
        SECRET,
        "1700000000014",
        '{"nonce":"1700000000014","pair":"XXBTZUSD","type":"sell","ordertype":"trailing-stop","volume":"0.001",'
        '"trigger":"last","price":"+5%"}',
        "NGGrHc3m+cS2GMLYC1FtSJEA9XyUi+M2r9tkjbol+cgS1ExqeFKvP/BJu1APqe98wUDF1K7jgduTxekO0LJyIg==",
    ),
    "published": (
        PUBLISHED_SECRET,
        "1616492376594",
        "nonce=1616492376594&ordertype=limit&pair=XBTUSD&price=37500&type=buy&volume=1.25",
        "4/dpxb3iT4tp/ZCVEwSnEsLxx0bqyhLpdfOpc6fn7OR8+UClSV5n9E6aSS8MPtnRfp32bAb0nmbRn6H8ndwLUQ==",
    ),
}


def nonce() -> int:
    return time.time_ns()


@pytest.mark.parametrize("vector", VECTORS.values(), ids=VECTORS)
def test_the_known_vectors_have_the_known_signatures(vector: tuple[str, str, str, str]) -> None:
    secret, number, body, expected = vector
    assert signature(secret, PATH, number, body.encode()) == expected
    assert sign(secret, PATH, number, body) == expected


def test_a_secret_that_is_not_base64_signs_nothing(fresh_sandbox: SandboxServer, kraken: Caller) -> None:
    fresh_sandbox.control("accounts", exchange="kraken", api_key="plain", api_secret="not base 64!")
    kraken.keys = Keys("plain", SECRET, "")
    assert kraken.refusal("Balance") == "EAPI:Invalid signature"


def test_a_key_that_is_not_known_is_refused_first(kraken: Caller) -> None:
    kraken.keys = Keys("unknown", SECRET, "")
    assert kraken.refusal("Balance", nonce="no number") == "EAPI:Invalid key"


def test_a_wrong_secret_is_refused_and_uses_no_nonce_up(kraken: Caller) -> None:
    number, keys = nonce(), kraken.keys
    kraken.keys = Keys(keys.api_key, SECRET, "")
    assert kraken.refusal("Balance", nonce=number + 1000) == "EAPI:Invalid signature"
    kraken.keys = keys
    kraken.ok("Balance", nonce=number)


def test_the_signature_covers_nonce_body_and_path(kraken: Caller) -> None:
    number = nonce()
    body = f"nonce={number}&pair=XBTUSDT"
    others = (
        sign(kraken.keys.api_secret, "/0/private/TradeVolume", str(number + 1), body),
        sign(kraken.keys.api_secret, "/0/private/TradeVolume", str(number), f"{body}&asset=x"),
        sign(kraken.keys.api_secret, "/kraken/0/private/TradeVolume", str(number), body),
        sign(kraken.keys.api_secret, "/0/private/Balance", str(number), body),
    )
    for other in others:
        response = kraken.send_raw("TradeVolume", str(number), body, **{"API-Sign": other})
        assert refused(response) == "EAPI:Invalid signature"
    accepted(kraken.send_raw("TradeVolume", str(number), body))


@pytest.mark.parametrize("brackets", ["close[ordertype]", quote("close[ordertype]")])
def test_brackets_are_signed_as_they_are_sent(kraken: Caller, brackets: str) -> None:
    number = str(nonce())
    price = brackets.replace("ordertype", "price")
    body = (
        f"nonce={number}&pair=XBTUSDT&type=buy&ordertype=limit&price=50000&volume=0.01"
        f"&{brackets}=limit&{price}=70000"
    )
    words = accepted(kraken.send_raw("AddOrder", number, body))["descr"]
    assert words["close"] == "close position @ limit 70000.00"


@pytest.mark.parametrize("number", ["", "abc", "-1", "1.5", str(2**64)])
def test_a_nonce_has_to_be_an_unsigned_number_of_64_bits(kraken: Caller, number: str) -> None:
    assert kraken.refusal("Balance", nonce=number) == "EAPI:Invalid nonce"


def test_a_nonce_has_to_be_larger_than_the_last_one_of_its_key(
    fresh_sandbox: SandboxServer, kraken: Caller
) -> None:
    kraken.ok("Balance", nonce=1000)
    for number in (1000, 999):
        assert kraken.refusal("Balance", nonce=number) == "EAPI:Invalid nonce"
    kraken.ok("Balance", nonce=1001)
    other = Caller(kraken.base_url, fresh_sandbox.account("kraken"))
    other.ok("Balance", nonce=1)
    other.close()


def test_a_nonce_window_lets_requests_overtake_each_other_but_none_come_twice(
    fresh_sandbox: SandboxServer, kraken: Caller
) -> None:
    fresh_sandbox.control("limits", exchange="kraken", limits={"nonce_window": 10})
    for number in (1000, 995, 991):
        kraken.ok("Balance", nonce=number)
    for number in (1000, 995, 990):
        assert kraken.refusal("Balance", nonce=number) == "EAPI:Invalid nonce"


def test_of_many_requests_with_one_nonce_one_is_let_in(kraken: Caller) -> None:
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: kraken.send("Balance", nonce=7).json()["error"], range(16)))
    assert answers.count([]) == 1
    assert answers.count(["EAPI:Invalid nonce"]) == 15


def test_a_key_does_only_what_it_may(fresh_sandbox: SandboxServer, kraken: Caller) -> None:
    fresh_sandbox.control("permissions", exchange="kraken", api_key=kraken.keys.api_key, trade=False)
    assert kraken.refused_order(type="buy", ordertype="market") == "EGeneral:Permission denied"
    assert kraken.balances()["XXBT"] == ("2.0000000000", "0.0000000000")
    fresh_sandbox.control("permissions", exchange="kraken", api_key=kraken.keys.api_key, read=False)
    assert kraken.refusal("Balance") == "EGeneral:Permission denied"


def test_time_does_not_matter(fresh_sandbox: SandboxServer, kraken: Caller) -> None:
    fresh_sandbox.control("skew", exchange="kraken", milliseconds=-3_600_000)
    kraken.ok("Balance")
    assert abs(kraken.get("Time")["result"]["unixtime"] - time.time() + 3600) < 5


def test_json_is_understood_as_well_as_a_form(kraken: Caller) -> None:
    order = {"pair": "XBTUSDT", "type": "buy", "ordertype": "limit", "price": "50000", "volume": 0.01}
    nested = {"close": {"ordertype": "limit", "price": 70000}}
    words = accepted(kraken.send_json("AddOrder", **order, **nested, validate=True))["descr"]
    assert words == {
        "order": "buy 0.01000000 XBTUSDT @ limit 50000.00",
        "close": "close position @ limit 70000.00",
    }
    number = str(nonce())
    assert refused(kraken.send_raw("Balance", number, "{no json", "application/json")).startswith("EGeneral")


def test_a_path_that_does_not_exist_is_an_unknown_method(kraken: Caller) -> None:
    assert kraken.get("Nothing")["error"] == ["EGeneral:Unknown method"]
    assert kraken.refusal("Nothing") == "EGeneral:Unknown method"
