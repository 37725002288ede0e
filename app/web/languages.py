"""Which language a page speaks."""

from __future__ import annotations

from flask import Flask, request
from flask_babel import Babel, lazy_gettext

#: The languages the pages are written in; the first is what others are translated from.
LANGUAGES = ("en", "fr", "pt", "es")


def init_app(app: Flask) -> None:
    """Give templates ``_`` and its relatives, ``_l`` for what is written down once and read in several languages."""
    Babel(app, locale_selector=language)
    app.jinja_env.add_extension("jinja2.ext.do")
    app.add_template_global(lazy_gettext, "_l")
    app.add_template_global(language)


def language() -> str:
    """The person's language: the one of these that their browser likes best."""
    return request.accept_languages.best_match(LANGUAGES) or LANGUAGES[0]
