"""Flower, which listens on loopback only and answers nobody but us."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

import urllib3

from app.domain.errors import SwitchyardError
from app.extensions import settings

#: The one address its pages post to; it is a query.
READ_BY_POST = "tasks/datatable"

_PASSED_ON = ("content-type", "etag", "last-modified", "location")
_pool = urllib3.PoolManager(maxsize=4, timeout=urllib3.Timeout(connect=2, read=15), retries=False)


class FlowerSilent(SwitchyardError):
    """Flower does not answer."""

    remedy = "Start it with bin/start, or look at its log; trading does not depend on it."


@dataclass(frozen=True, slots=True)
class FlowerAnswer:
    """What Flower said; ``headers`` holds only those a browser needs."""

    status: int
    headers: dict[str, str]
    body: bytes


def ask(method: str, path: str, query: str, *, body: bytes = b"", content_type: str = "") -> FlowerAnswer:
    """Forward one request. ``path`` is below Flower's prefix, without a leading slash.

    Raises:
        FlowerSilent: when it cannot be reached.
    """
    username, password = settings.flower_credentials
    headers = urllib3.make_headers(basic_auth=f"{username}:{password}")
    if content_type:
        headers["Content-Type"] = content_type
    url = f"http://127.0.0.1:{settings.flower_port}/flower/{quote(path, safe='/@:')}"
    try:
        answer = _pool.request(
            method, f"{url}?{query}" if query else url, headers=headers, body=body or None, redirect=False
        )
    except urllib3.exceptions.HTTPError as error:
        raise FlowerSilent(f"Flower does not answer: {type(error).__name__}") from None
    passed_on = {name: answer.headers[name] for name in _PASSED_ON if name in answer.headers}
    return FlowerAnswer(answer.status, passed_on, answer.data)
