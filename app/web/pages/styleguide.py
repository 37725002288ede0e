"""The style guide: every token and every component of the pages, in both themes. In development alone."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal

from flask import Blueprint, abort, render_template
from flask.typing import ResponseReturnValue

from app.config import PROJECT_ROOT
from app.extensions import settings
from app.models import utc_now
from app.services.timeline import Hop, Owner, Timeline
from app.web.access import member
from app.web.paging import Page

blueprint = Blueprint("styleguide", __name__, url_prefix="/styleguide")

_STYLES = PROJECT_ROOT / "static" / "css" / "switchyard.css"
_ICONS = PROJECT_ROOT / "static" / "img" / "icons.svg"


@blueprint.get("")
@member
def index() -> ResponseReturnValue:
    """Read from the stylesheet and the drawings themselves, so that nothing of them can be forgotten here."""
    if settings.mode != "development":
        abort(404)
    return render_template(
        "styleguide/index.html",
        colors=_found(r"^  (--[a-z-]+): (?:light-dark|#)", _STYLES.read_text().partition("}")[0]),
        glyphs=_found(r'<symbol id="([a-z-]+)"', _ICONS.read_text()),
        page=Page(2, 3, 55, 21, 40, "#newer", "#older"),
        timeline=_timeline(),
        amounts={"much": Decimal("12480.5512"), "gain": Decimal("310.42"), "loss": Decimal("-12.5")},
        now=utc_now(),
    )


def _found(pattern: str, text: str) -> list[str]:
    return list(dict.fromkeys(re.findall(pattern, text, flags=re.MULTILINE)))


def _timeline() -> Timeline:
    start = utc_now()
    steps = (
        ("received", 0.0, 0.0, Owner.OURS),
        ("stored", 0.0, 2.1, Owner.OURS),
        ("sent", 2.1, 3.4, Owner.OURS),
        ("acknowledged", 5.5, 41.0, Owner.EXCHANGE),
        ("filled", 46.5, 1200.0, Owner.MARKET),
    )
    hops = tuple(
        Hop(name, start + timedelta(milliseconds=begin + ms), begin, ms, owner)
        for name, begin, ms, owner in steps
    )
    return Timeline(hops, 46.5, 5.5, 41.0)
