"""Administration: users, queues, workers, health, and the way to Flower."""

from __future__ import annotations

import redis.exceptions
from flask import Blueprint, Response, abort, render_template, request
from flask.typing import ResponseReturnValue

from app.extensions import csrf, settings
from app.services import diagnosis, users, workers
from app.services import flower as flower_service
from app.web.access import admin

blueprint = Blueprint("admin", __name__)

#: Flower writes scripts and styles into its pages; this holds under its own path only.
_FLOWER_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)


_PARTS = ("database", "migrations", "redis", "workers", "beat", "disk")


@blueprint.get("/admin")
@admin
def index() -> ResponseReturnValue:
    """The state of the whole server."""
    try:
        online = workers.online()
        waiting = workers.waiting()
    except redis.exceptions.RedisError:
        online, waiting = [], {}  # the health card says that Redis is gone
    return render_template(
        "admin/index.html",
        findings=list(diagnosis.examine(_PARTS)),
        workers=online,
        queues=[
            {
                "name": queue,
                "depth": waiting.get(queue),
                "workers": sum(queue in worker.queues for worker in online),
            }
            for queue in workers.queues()
        ],
        users=users.everyone(),
        brokers=users.broker_counts(),
        registration_open=settings.registration_open,
    )


@blueprint.route("/flower/", defaults={"path": ""})
@blueprint.route("/flower/<path:path>", methods=["GET", "POST"])
@admin
def flower(path: str) -> ResponseReturnValue:
    """Flower to look at. What would change something there is not forwarded."""
    if request.method == "POST" and path != flower_service.READ_BY_POST:
        abort(405)
    if ".." in path.split("/"):
        abort(404)
    answer = flower_service.ask(
        request.method,
        path,
        request.query_string.decode("ascii", "replace"),
        body=request.get_data(),
        content_type=request.content_type or "",
    )
    response = Response(answer.body, status=answer.status)
    response.headers.update(answer.headers)
    response.headers["Content-Security-Policy"] = _FLOWER_POLICY
    return response


# Its one address that is posted to changes nothing, and its pages know nothing of our token.
csrf.exempt(flower)
