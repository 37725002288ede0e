"""The directory of exchanges: every one that is known, and in words what those can do that we trade on."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from app.exchanges import NAMES, capabilities, credential_fields, directory, title
from app.web.access import member
from app.web.pages.abilities import Ability, abilities_of

blueprint = Blueprint("exchanges", __name__, url_prefix="/exchanges")


@dataclass(frozen=True, slots=True)
class _Native:
    """An exchange we trade on, as its card shows it."""

    id: str
    name: str
    keys: tuple[str, ...]
    abilities: tuple[Ability, ...]


@blueprint.get("/")
@member
def index() -> ResponseReturnValue:
    """All exchanges whose name contains what is searched for."""
    text = request.args.get("q", "").strip()
    only_native = request.args.get("only") == "native"
    found = directory.search(text, native=only_native)
    return render_template(
        "exchanges/list.html",
        natives=[_native(listing.id) for listing in found if listing.native],
        others=[listing for listing in found if not listing.native],
        known=len(directory.read().listings),
        traded=len(NAMES),
        filters={"q": text, "only": "native" if only_native else ""},
    )


def _native(name: str) -> _Native:
    keys = tuple(field.label for field in credential_fields(name))
    return _Native(name, title(name), keys, abilities_of(capabilities(name)))
