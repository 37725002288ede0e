"""Which language a page speaks, and what it is made of."""

from __future__ import annotations

from collections.abc import Mapping

from babel.support import Translations
from flask import Flask, g, has_app_context, has_request_context, request
from flask_babel import Babel, Domain, lazy_gettext, refresh
from flask_login import current_user
from markupsafe import Markup

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
    app.jinja_env.globals["_"] = app.jinja_env.globals["gettext"] = _said
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
    if not has_app_context():
        return _ORIGINAL
    if "language" not in g:
        g.language = language()
    return str(g.language)


def find_out_again() -> None:
    """Have this request speak what a person has just chosen."""
    refresh()
    g.pop("language", None)


def _said(english: str, **values: object) -> Markup:
    """What templates call ``_``: as Jinja's own, without doing for each of hundreds of texts what can be done once."""
    if not values:
        return catalogs.marked(spoken(), english)
    return Markup(catalogs.of(spoken()).ugettext(english)) % values  # noqa: S704 - ours; values are escaped


def words(recorded: str) -> str:
    """The English words of a service or an error in the language of this request."""
    language = spoken()
    return recorded if language == _ORIGINAL else catalogs.sentences(language).translated(recorded)
