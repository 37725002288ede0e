"""Which language a page speaks."""

from __future__ import annotations

from flask import Flask, request
from flask_babel import Babel

#: The languages the pages are written in; the first is what others are translated from.
LANGUAGES = ("en", "fr", "pt", "es")


def init_app(app: Flask) -> None:
    """Give templates ``_`` and its relatives."""
    Babel(app, locale_selector=language)


def language() -> str:
    """The person's language: the one of these that their browser likes best."""
    return request.accept_languages.best_match(LANGUAGES) or LANGUAGES[0]
