"""The ticket: what is previewed is what is placed."""

from __future__ import annotations

import re
from decimal import Decimal
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis

from app.domain.markets import Ticker
from app.domain.orders import OrderStatus, OrderType
from app.exchanges import NAMES, capabilities
from app.extensions import db
from app.models import Broker, OrderRow
from app.services import markets, prices
from tests.fixtures.app import LogIn, MakeUser, submit
from tests.fixtures.history import BTC, BTC_PRICE, History, MakeHistory

NATIVE = [name for name in NAMES if capabilities(name).trails_at(Decimal(2))]


@pytest.fixture
def history(make_user: MakeUser, make_history: MakeHistory) -> History:
    """A person with a broker that knows its markets."""
    return make_history(make_user("ada@example.org"))


@pytest.fixture
def browser(app: Flask, history: History, log_in: LogIn) -> FlaskClient:
    """That person's browser."""
    with app.app_context():
        return log_in(db.session.get_one(Broker, history.broker_id).user)


def _ticket(history: History, **changes: str) -> dict[str, object]:
    fields = {"symbol": "BTC/USDT", "side": "BUY", "type": "MARKET", "size": "0.01", "size_unit": "base"}
    return {"broker_id": history.broker_id, **fields, **changes}


def _hidden_fields(page: str) -> dict[str, str]:
    form = page.partition('action="/trade/place"')[2].partition("</form>")[0]
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', form))


def _pressed(browser: FlaskClient, page: str, action: str, **fields: str) -> str:
    """What htmx gets for a form of a page."""
    token = re.search(r'name="csrf_token" value="([^"]+)"', browser.get(page).text)
    assert token is not None
    form = {**fields, "csrf_token": token.group(1)}
    answer = browser.post(action, data=form, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    assert answer.text.strip().startswith('<section class="card flush" id="open-orders"')
    return answer.text


def _newest_order(app: Flask) -> OrderRow:
    with app.app_context():
        return db.session.query(OrderRow).order_by(OrderRow.id.desc()).limit(1).one()


def test_what_is_placed_equals_what_was_previewed_even_after_the_balance_has_changed(
    app: Flask, browser: FlaskClient, history: History, redis_client: Redis
) -> None:
    limit = {
        "type": "LIMIT",
        "price": "49000.005",
        "size": "10",
        "size_unit": "percent",
        "time_in_force": "IOC",
    }
    exits = {"stop_loss": "2%", "take_profit": "52000"}
    preview = submit(browser, "/trade/preview", page="/trade/", **_ticket(history, **limit, **exits))
    fields = _hidden_fields(preview.text)
    assert fields["size"] == "0.01836"  # a tenth of 9,000 USDT at 49,000, on the market's grid
    assert fields["size_unit"] == "base"
    assert fields["price"] == "49000"
    assert "becomes" in preview.text
    with app.app_context():
        for balance in db.session.get_one(Broker, history.broker_id).balances:
            balance.free = Decimal(0)
        db.session.commit()
    placed = submit(browser, "/trade/place", page="/trade/", **fields)
    order = _newest_order(app)
    assert placed.location == f"/orders/{order.id}"
    assert (order.quantity, order.price) == (Decimal("0.01836"), Decimal(49000))
    assert (order.stop_loss, order.stop_loss_percent) == (Decimal(48020), Decimal(2))
    assert (order.take_profit, order.time_in_force) == (Decimal(52000), "IOC")
    assert redis_client.llen(f"orders.{NAMES[0]}") == 1


def test_one_preview_places_one_order_however_often_its_button_is_pressed(
    app: Flask, browser: FlaskClient, history: History
) -> None:
    fields = _hidden_fields(submit(browser, "/trade/preview", page="/trade/", **_ticket(history)).text)
    answers = [submit(browser, "/trade/place", page="/trade/", **fields).location for _ in range(3)]
    assert len(set(answers)) == 1
    with app.app_context():
        assert db.session.query(OrderRow).count() == len(history.order_ids) + 1


def test_htmx_gets_the_preview_alone_and_a_browser_without_script_the_whole_page(
    browser: FlaskClient, history: History
) -> None:
    whole = submit(browser, "/trade/preview", page="/trade/", **_ticket(history, size="0.0234")).text
    assert "<html" in whole
    assert 'value="0.0234"' in whole  # the ticket still holds what was typed
    token = re.search(r'name="csrf_token" value="([^"]+)"', whole)
    assert token is not None
    form = {**_ticket(history), "csrf_token": token.group(1)}
    part = browser.post("/trade/preview", data=form, headers={"HX-Request": "true"})
    assert part.status_code == 200
    assert part.text.strip().startswith('<section class="card preview"')


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"size": ""}, "size", "How much?"),
        ({"size": "1e400"}, "size", "outside the range"),
        ({"size": "-1"}, "size", "greater than zero"),
        ({"size": "NaN"}, "size", "not a finite number"),
        ({"size": "101", "size_unit": "percent"}, "size", "At most 100"),
        ({"type": "LIMIT", "price": ""}, "price", "needs its price"),
        ({"type": "LIMIT", "price": "many"}, "price", "not a number"),
        ({"stop_loss": "120%"}, "stop_loss", "less than 100"),
        ({"take_profit": "x%"}, "take_profit", "not a number"),
        ({"side": "SIDEWAYS"}, "side", "buy or sell"),
        ({"type": "STOP_LOSS"}, "type", "market and limit"),
        ({"target_2": "52000"}, "share_2", "How much of it?"),
        ({"share_3": "50"}, "target_3", "At what price?"),
        ({"target_1": "52000", "share_1": "101"}, "share_1", "At most 100"),
    ],
)
def test_a_fault_in_the_ticket_is_said_at_its_field_and_loses_nothing_that_was_typed(
    browser: FlaskClient, history: History, changes: dict[str, str], field: str, words: str
) -> None:
    answer = submit(
        browser, "/trade/preview", page="/trade/", **_ticket(history, **{"stop_loss": "3%", **changes})
    )
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text
    assert words in answer.text
    for name in ("size", "stop_loss"):
        typed = changes.get(name, {"size": "0.01", "stop_loss": "3%"}[name])
        assert re.search(rf'name="{name}" type="text" value="{re.escape(typed)}"', answer.text), name


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"size": "0.00009"}, "below the minimum of 5 USDT"),
        ({"size": "0.000001"}, "less than one lot"),
        ({"stop_loss": "51000"}, "must be below the entry price"),
        ({"target_1": "49000", "share_1": "50"}, "must be above the entry price"),
        ({"target_1": "2%", "share_1": "60", "target_2": "4%", "share_2": "60"}, "more than 100 percent"),
        ({"target_1": "2%", "share_1": "60", "take_profit": "4%"}, "not both"),
    ],
)
def test_a_rule_of_the_market_is_named_and_the_order_cannot_be_placed(
    app: Flask, browser: FlaskClient, history: History, changes: dict[str, str], words: str
) -> None:
    ticket = _ticket(history, **changes)
    preview = submit(browser, "/trade/preview", page="/trade/", **ticket).text
    assert words in preview
    assert 'action="/trade/place"' not in preview
    assert submit(browser, "/trade/place", page="/trade/", **ticket).status_code == 422
    assert _newest_order(app).id == history.order_ids[-1]


def test_an_order_beyond_the_balance_is_previewed_with_a_warning(
    browser: FlaskClient, history: History
) -> None:
    preview = submit(browser, "/trade/preview", page="/trade/", **_ticket(history, size="3")).text
    assert "9000 USDT was free at the last sync" in preview


def test_an_unknown_market_names_its_like(browser: FlaskClient, history: History) -> None:
    text = browser.get(f"/trade/?broker_id={history.broker_id}&symbol=BTCUSD").text
    assert "No market BTCUSD" in text
    assert "symbol=BTC/USDT" in text


def test_the_market_search_offers_what_fits_the_best_first(browser: FlaskClient, history: History) -> None:
    assert re.findall('data-value="([^"]+)"', browser.get("/trade/markets?symbol=et").text) == ["ETH/USDT"]
    assert browser.get("/trade/markets?symbol=zzz").text.strip() == ""


def test_a_paused_broker_takes_no_order(app: Flask, browser: FlaskClient, history: History) -> None:
    page = f"/brokers/{history.broker_id}"
    submit(browser, f"{page}/pause", page=page, paused="1")
    answer = submit(browser, "/trade/place", page=page, **_ticket(history))
    assert answer.status_code == 422
    assert _newest_order(app).id == history.order_ids[-1]


def test_reloading_an_answer_to_the_ticket_starts_a_new_one(browser: FlaskClient, history: History) -> None:
    assert browser.get("/trade/preview").location == "/trade/"
    assert browser.get("/trade/place").location == "/trade/"


def test_cancelling_asks_the_exchange_for_a_resting_order_and_ends_one_that_was_not_sent(
    app: Flask, browser: FlaskClient, history: History, redis_client: Redis
) -> None:
    resting, pending, done = history.open_order_id, history.order_ids[4], history.filled_order_id
    submit(browser, f"/orders/{resting}/cancel", page=f"/orders/{resting}")
    assert redis_client.llen(f"orders.{NAMES[0]}") == 1
    assert "Cancel asked for" in browser.get(f"/orders/{resting}").text
    submit(browser, f"/orders/{pending}/cancel", page=f"/orders/{pending}")
    with app.app_context():
        assert db.session.get_one(OrderRow, pending).status is OrderStatus.CANCELED
    answer = submit(browser, f"/orders/{done}/cancel", page=f"/orders/{done}")
    assert "filled already" in browser.get(answer.location).text


def test_open_orders_are_changed_and_cancelled_without_leaving_the_ticket(
    app: Flask, browser: FlaskClient, history: History, redis_client: Redis
) -> None:
    """The first exchange lets one lower the quantity of an order that rests, and nothing else."""
    ticket = f"/trade/?broker_id={history.broker_id}&symbol=BTC/USDT"
    order = f"/trade/orders/{history.open_order_id}"
    assert browser.get(ticket).text.count('aria-label="Change the order: Buy BTC/USDT"') == 1

    assert "not a number" in _pressed(browser, ticket, f"{order}/amend", quantity="lots")
    assert "only lower the quantity" in _pressed(browser, ticket, f"{order}/amend", price="48000")
    assert redis_client.llen(f"orders.{NAMES[0]}") == 0
    assert "Being changed" in _pressed(browser, ticket, f"{order}/amend", quantity="0.005", price="49000")
    assert redis_client.llen(f"orders.{NAMES[0]}") == 1
    assert "cannot be changed" in _pressed(browser, ticket, f"{order}/amend", quantity="0.004")

    assert "Being cancelled" in _pressed(browser, ticket, f"{order}/cancel")
    assert redis_client.llen(f"orders.{NAMES[0]}") == 2
    done = f"/trade/orders/{history.filled_order_id}/cancel"
    assert "Nothing was cancelled: the order is filled already" in _pressed(browser, ticket, done)
    assert submit(browser, done, page=ticket).location == ticket


def test_the_chart_shows_what_is_at_stake_on_the_market(browser: FlaskClient, history: History) -> None:
    page = browser.get(f"/trade/?broker_id={history.broker_id}&symbol=BTC/USDT&interval=4h").text
    lines = re.findall(r'data-line="(\w+)" data-price="([\d.]+)"', page)
    assert lines == [
        ("TAKE_PROFIT", "52000"),
        ("ENTRY", "50050.05"),
        ("BUY", "49000"),
        ("STOP_LOSS", "48000"),
    ]
    assert re.findall(r'data-fill="(\w+)"', page) == ["BUY"]
    assert "<span data-last-price>50,000.00</span>" in page, "with the digits of the market's prices"
    assert re.search(r'value="4h" checked', page)
    other = browser.get(f"/trade/?broker_id={history.broker_id}&symbol=ETH/USDT&interval=nonsense").text
    assert 'data-fill="' not in other
    assert re.search(r'value="15m" checked', other)


def test_what_a_page_shows_of_a_market_is_asked_of_a_worker_never_of_the_exchange(
    browser: FlaskClient, history: History, redis_client: Redis
) -> None:
    waiting = redis_client.llen(f"sync.{NAMES[0]}")
    market = f"broker_id={history.broker_id}&symbol=BTC/USDT"
    for _ in range(3):
        assert "Asking the exchange" in browser.get(f"/trade/book?{market}").text
        candles = browser.get(f"/trade/candles?{market}&interval=1h").get_json()
        assert candles == {"candles": None, "problem": None}
    assert redis_client.llen(f"sync.{NAMES[0]}") == waiting + 2
    assert "Nothing is fetched yet" in browser.get(f"/trade/candles/table?{market}&interval=1h").text
    assert browser.get(f"/trade/candles?{market}&interval=7m").status_code == 404
    assert browser.get(f"/trade/book?broker_id={history.broker_id}&symbol=NO/SUCH").status_code == 404


def test_a_trailing_distance_goes_along_and_begins_as_a_stop_loss(
    app: Flask, browser: FlaskClient, history: History
) -> None:
    ticket = _ticket(history, trailing_percent="2")
    fields = _hidden_fields(submit(browser, "/trade/preview", page="/trade/", **ticket).text)
    submit(browser, "/trade/place", page="/trade/", **fields)
    order = _newest_order(app)
    assert (order.trailing_percent, order.stop_loss_percent) == (2, 2)
    assert order.stop_loss == Decimal(49000)
    refused = submit(browser, "/trade/preview", page="/trade/", **_ticket(history, trailing_percent="101"))
    assert 'id="trailing_percent-error"' in refused.text


def test_several_take_profits_are_previewed_with_their_shares_and_placed_as_they_were_shown(
    app: Flask, browser: FlaskClient, history: History
) -> None:
    rows = {"target_1": "52000.005", "share_1": "50", "target_3": "8%", "share_3": "30%"}
    preview = submit(
        browser, "/trade/preview", page="/trade/", **_ticket(history, stop_loss="2%", size="0.1", **rows)
    ).text
    words = _guarding(preview)
    assert "At 49000 the stop-loss sells all that is held." in words
    assert "At 52000 a take-profit sells 50 % of what was bought." in words
    assert "At 54000 a take-profit sells 30 % of what was bought." in words
    assert re.search(r"Take-profit of 50 %.*?52,000.*?\+100 ", _text(preview))
    assert "1 : 2.2" in preview, "220 USDT to gain and 100 to lose"

    fields = _hidden_fields(preview)
    assert (fields["target_1"], fields["share_1"]) == ("52000", "50%")
    assert (fields["target_2"], fields["share_2"]) == ("8%", "30%")
    submit(browser, "/trade/place", page="/trade/", **fields)
    order = _newest_order(app)
    assert order.take_profit is None
    assert order.targets == [{"price": "52000", "share": "50"}, {"percent": "8", "share": "30"}]


def test_the_rows_of_several_take_profits_are_open_when_one_was_filled_in(
    browser: FlaskClient, history: History
) -> None:
    ticket = browser.get(f"/trade/?broker_id={history.broker_id}&symbol=BTC/USDT").text
    assert '<details class="several">' in ticket
    again = submit(
        browser, "/trade/preview", page="/trade/", **_ticket(history, target_2="5%", share_2="40")
    ).text
    assert '<details class="several" open>' in again
    assert re.search(r'name="share_2" type="text" value="40"', again)


@pytest.mark.parametrize(
    ("exchange", "percent", "words"),
    [(name, "2", "itself moves it, even while Switchyard is down") for name in NATIVE]
    + [(name, "99.995", "Switchyard moves it") for name in NATIVE]
    + [(name, "2", "Switchyard moves it") for name in NAMES if name not in NATIVE],
)
def test_the_preview_says_who_lets_a_stop_loss_trail_and_where_take_profits_wait(
    app: Flask, browser: FlaskClient, history: History, exchange: str, percent: str, words: str
) -> None:
    with app.app_context():
        broker = db.session.get_one(Broker, history.broker_id)
        broker.exchange = exchange
        markets.store(exchange, broker.environment, [BTC])
        db.session.commit()
        prices.remember(exchange, broker.environment, [Ticker(BTC.symbol, BTC_PRICE)])
    ticket = _ticket(history, trailing_percent=percent, take_profit="60000", size="1")
    said = _guarding(submit(browser, "/trade/preview", page="/trade/", **ticket).text)
    assert words in said
    watched = not capabilities(exchange).pairs_exits(Decimal(percent))
    assert ("are watched here" in said) is watched
    assert ("paired with its part of the stop-loss" in said) is not watched


def test_a_trailing_stop_is_shown_by_its_distance(app: Flask, browser: FlaskClient, history: History) -> None:
    with app.app_context():
        order = db.session.get_one(OrderRow, history.open_order_id)
        order.type, order.price, order.trailing_percent = OrderType.TRAILING_STOP, None, Decimal("1.5")
        db.session.commit()
    assert "1.5 % behind" in _text(browser.get("/orders/?tab=open").text)
    assert "Trailing distance 1.5 %" in _text(browser.get(f"/orders/{history.open_order_id}").text)


def _guarding(page: str) -> str:
    """What a preview says of how the position will be guarded."""
    return _text(page.partition("How it is guarded")[2].partition("</ul>")[0])


def _text(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())
