"""How templates write money and time."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from flask import Flask, request
from flask_babel import gettext
from markupsafe import Markup

from app.domain.money import EXACT, plain, to_decimal
from app.models import utc_now

#: The browser's time zone, which static/js/ui.js notes here; UTC until it has.
ZONE_COOKIE = "zone"

_CENT = Decimal("0.01")


def init_app(app: Flask) -> None:
    """Make the filters known to every template."""
    app.add_template_filter(money)
    app.add_template_filter(plain)
    app.add_template_filter(usd)
    app.add_template_filter(when)
    app.add_template_filter(sentence)
    app.add_template_filter(words)


def money(value: Decimal | str | int) -> str:
    """An amount with every digit it has, thousands grouped, never in exponent form."""
    return _grouped(plain(to_decimal(value)))


def usd(value: Decimal | str | int) -> str:
    """An amount in dollars, to the cent."""
    return _grouped(format(EXACT.quantize(to_decimal(value), _CENT), "f"))


def when(moment: datetime) -> Markup:
    """A moment in the person's zone, as short as its distance from now allows; UTC on hover."""
    zone = _zone(request.cookies.get(ZONE_COOKIE, ""))
    local, today = moment.astimezone(zone), utc_now().astimezone(zone)
    if local.date() == today.date():
        shown = f"{local:%H:%M:%S}"
    elif local.year == today.year:
        shown = f"{local.day} {local:%b %H:%M}"
    else:
        shown = f"{local.day} {local:%b %Y}"
    utc = moment.astimezone(UTC)
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        utc.isoformat(timespec="milliseconds"), f"{utc:%Y-%m-%d %H:%M:%S} UTC", shown
    )


def words(recorded: str) -> str:
    """The words of a service or an error in the person's language."""
    return str(gettext(recorded))


def sentence(recorded: str) -> str:
    """The same as a sentence."""
    said = words(recorded.strip())
    return f"{said[:1].upper()}{said[1:]}{'' if said.endswith(('.', '!', '?')) else '.'}"


def _grouped(text: str) -> str:
    sign = "-" if text.startswith("-") else ""
    whole, dot, fraction = text.removeprefix("-").partition(".")
    return f"{sign}{int(whole):,}{dot}{fraction}"


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")
