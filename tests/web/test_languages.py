"""The pages in every language: complete, with figures and times as people there write them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from html.parser import HTMLParser
from typing import Any

import pytest
from babel import Locale
from babel.messages.catalog import Catalog
from flask import Flask, g
from flask.testing import FlaskClient
from flask_login import login_user
from sqlalchemy import select
from werkzeug.test import TestResponse

from app.domain.alerts import AlertAction
from app.exchanges import NAMES, title
from app.extensions import db, settings
from app.models import User, utc_now
from app.services import workers
from app.web import catalogs as shown
from app.web import figures, filters, zones
from app.web.languages import LANGUAGES, words
from app.web.sentences import Sentences
from tests.fixtures.app import submit
from tests.fixtures.history import History
from tests.web.test_every_page import all_pages
from translations import catalogs

#: What reads the same in every language, and what the test itself types.
_SAME = """
API, BTC/USDT, Buy symbol, CSV, Celery, ETH/USDT, Esc, Expecting value, FOK, Flower, GTC, IOC, JSON,
Lightweight Charts™, Mon-Fri 08:00-17:30 Europe/Paris, Mon, Tue, Wed, Thu, Fri, Sat, Sun, PANIC, Python,
Redis, Stop_loss, Switchyard, TradingView, TradingView Lightweight Charts™, USD, UTC, Webhooks, XLSX,
abc, min, ms, order 12, tgram://TOKEN/CHAT
"""


@pytest.fixture(scope="module")
def said() -> Catalog:
    """Every English text of the pages."""
    return catalogs.collected()


@pytest.mark.parametrize("language", catalogs.LANGUAGES)
def test_every_text_has_a_translation_with_the_same_values(language: str, said: Catalog) -> None:
    assert list(catalogs.faults(language, said)) == []


def test_the_catalogs_are_of_the_languages_that_a_person_can_choose() -> None:
    assert ("en", *catalogs.LANGUAGES) == tuple(LANGUAGES)


@pytest.fixture
def in_brackets(said: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    """French, with every text written as its English one in brackets; what fills in a value stays outside of them."""
    pseudo = Catalog(locale="fr")
    for message in said:
        if message.id:
            forms = [message.id] if isinstance(message.id, str) else message.id
            strings = [_bracketed(form) for form in forms]
            pseudo.add(message.id, strings[0] if len(forms) == 1 else tuple(strings), context=message.context)
    read = shown.looked_up(pseudo)
    monkeypatch.setattr(shown, "_read", lambda _language: read)


def test_no_text_of_a_page_is_untranslated(
    app: Flask, browser: FlaskClient, history: History, in_brackets: None
) -> None:
    stranger = app.test_client()
    for visitor in (browser, stranger):
        visitor.environ_base["HTTP_ACCEPT_LANGUAGE"] = "fr"
    visits = [
        *((browser, path) for path in all_pages(history) if "/export" not in path),
        *((stranger, path) for path in ("/login", "/signup", "/nothing-here")),
    ]
    answers = [
        *((path, visitor.get(path, follow_redirects=True)) for visitor, path in visits),
        *_answers_to_forms(browser, history),
    ]
    with app.app_context():
        data = sorted({*_names(), *_texts_of_all_rows()}, key=len, reverse=True)
    found: list[str] = []
    for path, answer in answers:
        page = _Texts()
        page.feed(answer.text)
        found += sorted({f"{path}: {text}" for text in page.texts if _is_bare(text, data)})
    assert not found, "\n".join(found)


def _answers_to_forms(browser: FlaskClient, history: History) -> Iterator[tuple[str, TestResponse]]:
    """A preview with exits, an explanation, and what forms say to those who fill them in wrongly."""
    ticket = {"broker_id": history.broker_id, "symbol": "BTC/USDT", "side": "BUY", "size": "0.01"}
    exits = {
        "stop_loss": "2%",
        "trailing_percent": "1%",
        "target_1": "3%",
        "share_1": "50",
        "target_2": "6%",
        "share_2": "50",
    }
    pasted = {
        "source_id": history.source_id,
        "text": "action=BuyLimit\nsymbol=BTCUSDT\npercent=10\nprice=48000\nstop_loss=2%",
    }
    forms: list[tuple[str, dict[str, object]]] = [
        ("/trade/preview", {**ticket, **exits}),
        ("/trade/preview", {**ticket, "type": "LIMIT", "size": "abc"}),
        ("/trade/preview", {**ticket, "size": "100", "stop_loss": "60000"}),
        ("/webhooks/explain", pasted),
        ("/webhooks/explain", {**pasted, "text": "action=Buy symbol"}),
        ("/webhooks/sources/new", {"name": "", "percent": "200", "expires_in": "x", "senders": "nobody"}),
        ("/brokers/new", {"exchange": NAMES[0], "name": "", "environment": "LIVE"}),
        (
            "/settings/risk",
            {
                "max_order_value": "-1",
                "cooldown_losses": "2",
                "allowed_symbols": "BTC",
                "trading_hours": "now",
            },
        ),
        ("/settings/tokens", {"name": "", "days": "x"}),
        ("/panic", {"scope": "USER", "confirm": "yes"}),
        (f"/positions/{history.position_ids[0]}/protection", {"stop_loss": "99999999"}),
    ]
    for path, fields in forms:
        page = (
            None
            if path
            in (
                "/webhooks/explain",
                "/webhooks/sources/new",
                "/brokers/new",
                "/settings/risk",
                "/settings/tokens",
                "/panic",
            )
            else f"/trade/?broker_id={history.broker_id}&symbol=BTCUSDT"
        )
        yield f"POST {path}", submit(browser, path, page=page, **fields)


class _Texts(HTMLParser):
    """What a person reads or hears of a page, apart from what says of itself that it is of no language."""

    _SILENT = frozenset({"script", "style", "time", "pre", "code", "kbd", "textarea"})
    _EMPTY = frozenset({"input", "img", "meta", "link", "br", "hr", "use", "rect", "path", "line", "circle"})

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._silent: list[bool] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        silent = tag in self._SILENT or ("translate", "no") in attrs
        if tag not in self._EMPTY:
            self._silent.append(silent)
        if not silent and not any(self._silent):
            spoken = ("aria-label", "placeholder", "title", "alt", "data-label")
            self.texts += [value for name, value in attrs if name in spoken and value]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Nothing is read of a drawing's parts."""

    def handle_endtag(self, tag: str) -> None:
        if tag not in self._EMPTY:
            self._silent.pop()

    def handle_data(self, data: str) -> None:
        if not any(self._silent):
            self.texts.append(" ".join(data.split()))


def _bracketed(text: str) -> str:
    parts = re.split(r"(%\(\w+\)[sd]|%%|<[^>]+>|\{\d\})", text)
    return "".join(
        part if number % 2 or not part.strip() else f"⟦{part}⟧" for number, part in enumerate(parts)
    )


def _is_bare(text: str, data: list[str]) -> bool:
    rest = re.sub("⟦[^⟧]*⟧", " ", text)
    for known in data:
        rest = rest.replace(known, " ")
    return re.search("[A-Za-z]{2,}", rest) is not None


def _names() -> Iterator[str]:
    """What the test's server, its exchanges and Babel call things."""
    yield from (*re.split(r",\s+", _SAME.strip()), *AlertAction, *LANGUAGES.values())
    yield from map(title, NAMES)
    yield from (name.replace("_", " ") for name in zones.names())
    yield from (
        str(settings.data_dir),
        *workers.queues(),
        "Beat",
        "sqlite",
        "switchyard.db",
        "no such table: alembic_version",
    )
    french = Locale("fr")
    for names in (french.months, french.days):
        for widths in names.values():
            for each in widths.values():
                yield from each.values()


def _texts_of_all_rows() -> Iterator[str]:
    """Whatever stands in the database is data: names, symbols, and words that were recorded."""
    for table in db.metadata.sorted_tables:
        for row in db.session.execute(select(table)):
            for value in row:
                yield from _texts_in(value)


def _texts_in(value: Any) -> Iterator[str]:
    match value:
        case str():
            # A recorded sentence is shown as one, and what it quotes may stand in a translated one.
            parts = [part for part in (value, *re.split("[;:] ", value)) if len(part) > 1]
            yield from parts
            yield from (part[0].upper() + part[1:] for part in parts if " " in part)
        case dict():
            for name, inner in value.items():
                yield name
                yield from _texts_in(inner)
        case list():
            for inner in value:
                yield from _texts_in(inner)


@pytest.mark.parametrize("language", catalogs.LANGUAGES)
def test_every_sentence_is_recognised_again_with_its_values(language: str) -> None:
    values = [f"V{number}" for number in range(10)]
    for message in catalogs.stored(language):
        if isinstance(message.id, str) and "{1}" in message.id:
            english, said = (_filled(text, values) for text in (message.id, str(message.string)))
            assert shown.sentences(language).translated(english) == said


def _filled(text: str, values: list[str]) -> str:
    return re.sub(r"\{(\d)\}", lambda place: values[int(place[1])], text)


def test_a_sentence_keeps_its_values_and_what_it_quotes_is_translated_too() -> None:
    french = Sentences(
        {
            "not sent: {1}": "non envoyé : {1}",
            "{1} is paused": "{1} est en pause",
            "Resume the broker first.": "Reprenez d’abord le courtier.",
        }
    )
    assert french.translated("not sent: Main is paused") == "non envoyé : Main est en pause"
    assert french.translated("Main is paused. Resume the broker first.") == (
        "Main est en pause. Reprenez d’abord le courtier."
    )
    assert french.translated("Account has insufficient balance") == "Account has insufficient balance"


@pytest.mark.parametrize(
    ("language", "amount", "written"),
    [
        ("en", "1234567.55", "1,234,567.55"),
        ("fr", "1234567.55", "1\u202f234\u202f567,55"),
        ("es", "-50000.000000001", "-50\u202f000,000000001"),
        ("pt", "0.00000001", "0,00000001"),
    ],
)
def test_an_amount_is_written_as_its_readers_do_with_every_digit(
    app: Flask, language: str, amount: str, written: str
) -> None:
    with app.test_request_context(headers={"Accept-Language": language}):
        assert filters.money(Decimal(amount)) == written


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_shown_can_be_typed_and_means_the_same(app: Flask, language: str) -> None:
    with app.test_request_context(headers={"Accept-Language": language}):
        for amount in ("0.015", "12.5"):
            assert figures.read(filters.money(amount)) == amount
        assert figures.read("50.000") == "50.000"  # a point is a decimal sign everywhere
        assert figures.read("1.234,5") == "1.234,5"  # which nobody can tell: it is refused


def test_a_decimal_comma_is_taken_where_it_is_one_and_refused_where_it_is_not(
    app: Flask, browser: FlaskClient
) -> None:
    browser.environ_base["HTTP_ACCEPT_LANGUAGE"] = "pt-BR,pt;q=0.9"
    assert submit(browser, "/settings/risk", max_order_value="1000,50").status_code == 302
    assert 'value="1000.5"' in browser.get("/settings/risk").text
    browser.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
    refused = submit(browser, "/settings/risk", max_order_value="1,000")
    assert refused.status_code == 422
    assert "Write the amount as a plain decimal" in refused.text


def test_a_person_chooses_language_zone_and_theme_against_their_browser(
    app: Flask, browser: FlaskClient, user: User
) -> None:
    chosen = submit(browser, "/settings/look", language="es", time_zone="Asia/Kathmandu", theme="light")
    assert chosen.status_code == 302
    page = browser.get("/settings/look", headers={"Accept-Language": "fr"}).text
    assert '<html lang="es" data-theme="light">' in page
    assert "Las páginas están como elegiste." in page
    assert "Zona horaria" in page
    assert '<option value="Asia/Kathmandu" selected>' in page
    submit(browser, "/settings/look", language="", time_zone="", theme="dark")
    assert '<html lang="fr" data-theme="dark">' in browser.get("/", headers={"Accept-Language": "fr-CA"}).text
    assert submit(browser, "/settings/look", language="xx", time_zone="", theme="dark").status_code == 422


def test_a_moment_is_told_in_the_persons_zone_and_language_with_utc_on_hover(app: Flask, user: User) -> None:
    moment = utc_now().replace(month=8, day=17, hour=12, minute=0, second=0, microsecond=0) - timedelta(
        days=730
    )
    user.time_zone, user.language = "America/Sao_Paulo", "pt"
    with app.test_request_context():
        login_user(user)
        told = filters.when(moment)
    assert f">17 ago. {moment.year}</time>" in told
    assert f'title="{moment.year}-08-17 12:00:00 UTC"' in told


def test_words_of_no_request_stay_english(app: Flask) -> None:
    with app.app_context():
        assert words("no reason given") == "no reason given"
        assert "zone" not in g
