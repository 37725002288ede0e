"""How templates write money, time and the words of services."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache

from babel import Locale
from flask import Flask
from markupsafe import Markup

from app.domain.money import EXACT, plain, to_decimal
from app.models import utc_now
from app.web.figures import written
from app.web.languages import spoken, words
from app.web.zones import zone

_CENT = Decimal("0.01")


def init_app(app: Flask) -> None:
    """Make the filters known to every template."""
    app.add_template_filter(money)
    app.add_template_filter(in_steps)
    app.add_template_filter(plain)
    app.add_template_filter(usd)
    app.add_template_filter(when)
    app.add_template_filter(sentence)
    app.add_template_filter(words)


def money(value: Decimal | str | int) -> str:
    """An amount with every digit it has, thousands grouped, never in exponent form."""
    return written(plain(to_decimal(value)))


def in_steps(value: Decimal, step: Decimal) -> str:
    """A price or a quantity with as many digits as its market's steps have, so that figures stand below each other."""
    digits = max(_digits(value), _digits(step))
    return written(f"{value:.{digits}f}")


def usd(value: Decimal | str | int) -> str:
    """An amount in dollars, to the cent."""
    return written(format(EXACT.quantize(to_decimal(value), _CENT), "f"))


def when(moment: datetime) -> Markup:
    """A moment in the person's zone, as short as its distance from now allows; UTC on hover."""
    here = zone()
    local, today = moment.astimezone(here), utc_now().astimezone(here)
    month = _months(spoken())[local.month]
    if local.date() == today.date():
        shown = f"{local:%H:%M:%S}"
    elif local.year == today.year:
        shown = f"{local.day} {month} {local:%H:%M}"
    else:
        shown = f"{local.day} {month} {local:%Y}"
    utc = moment.astimezone(UTC)
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        utc.isoformat(timespec="milliseconds"), f"{utc:%Y-%m-%d %H:%M:%S} UTC", shown
    )


def sentence(recorded: str) -> str:
    """The words of a service or an error as a sentence, in the person's language."""
    said = words(recorded.strip())
    return f"{said[:1].upper()}{said[1:]}{'' if said.endswith(('.', '!', '?')) else '.'}"


def _digits(value: Decimal) -> int:
    return len(plain(value).partition(".")[2])


@lru_cache
def _months(language: str) -> dict[int, str]:
    return dict(Locale(language).months["format"]["abbreviated"])
