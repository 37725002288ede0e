"""The style guide: whole, and in development alone."""

from __future__ import annotations

import re
import secrets

from flask.testing import FlaskClient

from app.config import PROJECT_ROOT
from tests.fixtures.app import PASSWORD, AppFactory, LogIn, MakeUser, submit

_TEMPLATES = PROJECT_ROOT / "templates"


def _developer(make_app: AppFactory) -> FlaskClient:
    app = make_app(
        SWITCHYARD_ENV="development", SECRET_KEY=secrets.token_urlsafe(48), MASTER_KEY="A" * 43 + "="
    )
    browser = app.test_client()
    submit(browser, "/signup", email="ada@example.org", password=PASSWORD, password_again=PASSWORD)
    return browser


def test_it_shows_every_macro_of_the_design_system_in_both_themes(make_app: AppFactory) -> None:
    page = _developer(make_app).get("/styleguide")
    assert page.status_code == 200
    for theme in ("dark", "light"):
        assert page.text.count(f'class="specimen {theme} stack"') == 7
    guide = (_TEMPLATES / "styleguide" / "index.html").read_text()
    for file in ("ui.html", "forms.html"):
        macros = re.findall(r"{% macro (\w+)\(", (_TEMPLATES / "macros" / file).read_text())
        unseen = [name for name in macros if f"{name}(" not in guide and name not in _PARTS_OF_OTHERS]
        assert unseen == [], file


def test_it_is_nothing_for_production(make_user: MakeUser, log_in: LogIn) -> None:
    assert log_in(make_user()).get("/styleguide").status_code == 404


#: What only other macros call.
_PARTS_OF_OTHERS = ("described_by", "remarks")
