"""Where this server is reached from outside, as the browser that asks reached it."""

from __future__ import annotations

from flask import request


def webhook_url(token: str) -> str:
    """The address that alerts with this token are sent to."""
    return f"{request.url_root}webhook/{token}"
