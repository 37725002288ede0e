"""Addresses of this server: as others reach it, and under the query of the page that is asked for."""

from __future__ import annotations

from urllib.parse import urlencode

from flask import request


def webhook_url(token: str) -> str:
    """The address that alerts with this token are sent to."""
    return f"{request.url_root}webhook/{token}"


def with_query(path: str, /, **changes: object) -> str:
    """A path of ours under the query of this request, changed; what is changed to None is left out."""
    wanted = {**request.args.to_dict(), **changes}
    query = urlencode({name: value for name, value in wanted.items() if value is not None})
    return f"{path}?{query}" if query else path
