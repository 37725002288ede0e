"""What each language says for each English text: the files under translations/, read when first asked for.

The .po files that translators write are read as they are: there is nothing to compile, and nothing that could be older
than what it was made from.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations
from markupsafe import Markup

from app.web.sentences import Sentences

PLACE = Path(__file__).parents[2] / "translations"


@dataclass(frozen=True, slots=True)
class Texts:
    """What a language says: by gettext, for sentences of services, and texts without values as templates want them."""

    translations: Translations
    sentences: Sentences
    marked: dict[str, Markup] = field(default_factory=dict)


def of(language: str) -> Translations:
    """What gettext looks texts up in; empty for the language that the texts are written in."""
    return _read(language).translations


def sentences(language: str) -> Sentences:
    """What recognises the sentences of services and says them in this language."""
    return _read(language).sentences


def marked(language: str, english: str) -> Markup:
    """A text without values for a template; made once, since a page says hundreds."""
    texts = _read(language)
    said = texts.marked.get(english)
    if said is None:
        said = texts.marked[english] = Markup(texts.translations.ugettext(english) % {})  # noqa: S704 - ours
    return said


def path_of(language: str) -> Path:
    """Where a language's texts are."""
    return PLACE / language / "LC_MESSAGES" / "messages.po"


@lru_cache
def _read(language: str) -> Texts:
    path = path_of(language)
    if not path.exists():
        return Texts(Translations(), Sentences({}))
    with path.open("rb") as file:
        return looked_up(read_po(file, locale=language))


def looked_up(catalog: Catalog) -> Texts:
    """A catalog as gettext and the recogniser want it; fuzzy translations are left out."""
    compiled = BytesIO()
    write_mo(compiled, catalog)
    compiled.seek(0)
    said = {
        message.id: message.string
        for message in catalog
        if isinstance(message.id, str)
        and isinstance(message.string, str)
        and message.id
        and not message.fuzzy
    }
    return Texts(Translations(fp=compiled), Sentences(said))
