"""Administration: users, sign-up, queues, workers, beat, errors, health, and the way to Flower."""

from __future__ import annotations

from collections.abc import Callable

import redis.exceptions
from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from app.models import User
from app.services import (
    diagnosis,
    faults,
    halts,
    login_sessions,
    registration,
    schedule,
    second_factor,
    users,
    workers,
)
from app.services import flower as flower_service
from app.services.users import AccountRefused
from app.web.access import admin
from app.web.filters import sentence
from app.web.guards import csrf
from app.web.languages import words
from app.web.sentences import noted

blueprint = Blueprint("admin", __name__)

#: Flower writes scripts and styles into its pages; this holds under its own path only.
_FLOWER_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)


_PARTS = (noted("database"), noted("migrations"), "redis", noted("workers"), "beat", noted("disk"))


@blueprint.get("/admin")
@admin
def index() -> ResponseReturnValue:
    """The state of the whole server."""
    return render_template(
        "admin/index.html",
        findings=list(diagnosis.examine(_PARTS)),
        **_background(),
        users=users.everyone(),
        brokers=users.broker_counts(),
        second_factors=second_factor.users_with(),
        registration_open=registration.is_open(),
    )


@blueprint.post("/admin/registration")
@admin
def set_registration() -> ResponseReturnValue:
    """Open or close sign-up."""
    is_open = request.form.get("open") == "1"
    registration.set_open(is_open)
    flash(_("Sign-up is open.") if is_open else _("Sign-up is closed."), "success")
    return redirect(url_for("admin.index"))


@blueprint.post("/admin/users/<int:user_id>/role")
@admin
def set_role(user_id: int) -> ResponseReturnValue:
    """Make a person an administrator, or no longer one."""
    return _decide(user_id, lambda user: users.set_admin(user, request.form.get("admin") == "1"))


@blueprint.post("/admin/users/<int:user_id>/close")
@admin
def close_account(user_id: int) -> ResponseReturnValue:
    """Keep a person and their programs out, and stop their entries."""

    def close(user: User) -> None:
        users.close_account(user)
        halts.start(halts.all_of(user), current_user, "the account is closed")

    return _decide(user_id, close)


@blueprint.post("/admin/users/<int:user_id>/reopen")
@admin
def reopen_account(user_id: int) -> ResponseReturnValue:
    """Let a person in again; the halt of their entries they lift themselves."""
    return _decide(user_id, users.reopen_account)


@blueprint.post("/admin/users/<int:user_id>/second-factor/reset")
@admin
def reset_second_factor(user_id: int) -> ResponseReturnValue:
    """Let a person who lost their authenticator in by the password alone."""

    def reset(user: User) -> None:
        second_factor.turn_off(user)
        login_sessions.end_all(user)

    return _decide(user_id, reset)


def _decide(user_id: int, act: Callable[[User], object]) -> ResponseReturnValue:
    user = users.by_id(user_id) or abort(404)
    try:
        act(user)
    except AccountRefused as refusal:
        flash(f"{sentence(refusal.message)} {words(refusal.remedy)}", "error")
    else:
        flash(_("Done for %(email)s.", email=user.email), "success")
    return redirect(url_for("admin.index"))


def _background() -> dict[str, object]:
    """Workers, queues, beat and faults, which live in Redis; the health card says when that is gone."""
    try:
        online, waiting = workers.online(), workers.waiting()
        periodic, recent = schedule.periodic(), faults.recent()
    except redis.exceptions.RedisError:
        online, waiting, periodic, recent = [], {}, [], ()
    queues = [
        {
            "name": queue,
            "depth": waiting.get(queue),
            "workers": sum(queue in worker.queues for worker in online),
        }
        for queue in workers.queues()
    ]
    return {"workers": online, "queues": queues, "periodic": periodic, "faults": recent}


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
