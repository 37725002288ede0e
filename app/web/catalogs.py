"""What each language says for each English text: the files under translations/, read when first asked for.

The .po files that translators write are read as they are: there is nothing to compile, and nothing that could be older
than what it was made from.
"""

from __future__ import annotations

from functools import lru_cache
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations

from app.web.sentences import Sentences

PLACE = Path(__file__).parents[2] / "translations"


def of(language: str) -> Translations:
    """What gettext looks texts up in; empty for the language that the texts are written in."""
    return _read(language)[0]


def sentences(language: str) -> Sentences:
    """What recognises the sentences of services and says them in this language."""
    return _read(language)[1]


def path_of(language: str) -> Path:
    """Where a language's texts are."""
    return PLACE / language / "LC_MESSAGES" / "messages.po"


@lru_cache
def _read(language: str) -> tuple[Translations, Sentences]:
    path = path_of(language)
    if not path.exists():
        return Translations(), Sentences({})
    with path.open("rb") as file:
        return looked_up(read_po(file, locale=language))


def looked_up(catalog: Catalog) -> tuple[Translations, Sentences]:
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
    return Translations(fp=compiled), Sentences(said)
