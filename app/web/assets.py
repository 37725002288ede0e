"""Static files under addresses that change with their content, so that browsers may keep them for good."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import Flask, Response, request

_FOR_GOOD = "public, max-age=31536000, immutable"
_ASK_AGAIN = "no-cache"


def init_app(app: Flask) -> None:
    """Add the version to every static address and say how long each answer may be kept."""
    folder = Path(app.static_folder or "")

    @app.url_defaults
    def _version(endpoint: str, values: dict[str, Any]) -> None:
        if endpoint == "static" and "filename" in values:
            version = _version_of(folder / values["filename"])
            if version is not None:
                values["v"] = version

    @app.after_request
    def _keep(response: Response) -> Response:
        if request.endpoint == "static":
            known = response.status_code in (200, 206, 304) and "v" in request.args
            response.headers["Cache-Control"] = _FOR_GOOD if known else _ASK_AGAIN
        return response


def _version_of(path: Path) -> str | None:
    try:
        changed = path.stat().st_mtime_ns
    except OSError:
        return None
    return _hash(path, changed)


@lru_cache(maxsize=256)
def _hash(path: Path, _changed: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]
