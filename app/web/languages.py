"""Which language a page speaks, and what it is made of."""

from __future__ import annotations

from collections.abc import Mapping

from babel.support import Translations
from flask import Flask, has_request_context, request
from flask_babel import Babel, Domain, get_locale, lazy_gettext
from flask_login import current_user

from app.web import catalogs

#: The languages the pages are written in, by what each calls itself; the first is what others are translated from.
LANGUAGES: Mapping[str, str] = {"en": "English", "fr": "Français", "pt": "Português", "es": "Español"}
_ORIGINAL = next(iter(LANGUAGES))


class _Texts(Domain):  # type: ignore[misc] # Flask-Babel has no types
    """The texts as the repository holds them."""

    def get_translations(self) -> Translations:
        return catalogs.of(spoken())


def init_app(app: Flask) -> None:
    """Give templates ``_`` and its relatives, ``_l`` for what is written down once and read in several languages."""
    babel = Babel(app, locale_selector=language)
    babel.domain_instance = _Texts()
    app.jinja_env.add_extension("jinja2.ext.do")
    app.add_template_global(lazy_gettext, "_l")
    app.add_template_global(language)


def language() -> str:
    """The language a person has chosen, else the one of these that their browser likes best."""
    if not has_request_context():
        return _ORIGINAL
    chosen = current_user.language if current_user.is_authenticated else None
    return chosen or request.accept_languages.best_match(list(LANGUAGES)) or _ORIGINAL


def spoken() -> str:
    """The language of this request, found out once."""
    locale = get_locale()
    return _ORIGINAL if locale is None else str(locale.language)


def words(recorded: str) -> str:
    """The English words of a service or an error in the language of this request."""
    language = spoken()
    return recorded if language == _ORIGINAL else catalogs.sentences(language).translated(recorded)
