"""Where the web process of this installation is reached."""

from __future__ import annotations

from app.extensions import settings

_ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104 - compared with, not listened on


def webhook_url(token: str, base_url: str | None = None) -> str:
    """The address an alert is sent to; that of this machine unless the public one is given."""
    if base_url is None:
        host = _ANY_ADDRESS.get(settings.host, settings.host)
        base_url = f"http://{host}:{settings.port}"
    return f"{base_url.rstrip('/')}/webhook/{token}"
