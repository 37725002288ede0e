"""The time zone a person lives in."""

from __future__ import annotations

from functools import cache, lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from flask import g, request
from flask_login import current_user

#: The browser's time zone, which static/js/ui.js notes here; UTC until it has.
ZONE_COOKIE = "zone"


def zone() -> ZoneInfo:
    """The zone a person has chosen, else their browser's; looked for once a request."""
    if "zone" not in g:
        chosen = current_user.time_zone if current_user.is_authenticated else None
        g.zone = _named(chosen or request.cookies.get(ZONE_COOKIE, ""))
    found: ZoneInfo = g.zone
    return found


@cache
def names() -> tuple[str, ...]:
    """The zones there are to choose from: places, and UTC."""
    return (
        "UTC",
        *sorted(name for name in available_timezones() if "/" in name and not name.startswith("Etc/")),
    )


@lru_cache(maxsize=64)
def _named(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")
