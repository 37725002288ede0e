"""The API for programs: risk limits, halts and panic, by a token and in JSON.

``Authorization: Bearer TOKEN``; amounts are decimal strings, times ISO 8601. An error says what happened and what to
do about it.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from flask import Blueprint, abort, g, request
from flask.typing import ResponseReturnValue
from marshmallow import Schema, ValidationError

from app.domain.money import plain
from app.extensions import csrf, limiter
from app.models import Broker, Halt, HaltScope, User
from app.schemas.halts import HaltForm, HaltSchema, PanicSchema
from app.schemas.risk import LimitsSchema
from app.services import brokers, halts, limits, panic
from app.services.halts import Reach
from app.services.tokens import Scope
from app.web.access import api

blueprint = Blueprint("api", __name__, url_prefix="/api/v1")
csrf.exempt(blueprint)  # a browser never sends the token by itself
limiter.limit("120 per minute")(blueprint)


@blueprint.get("/risk")
@api(Scope.READ)
def risk() -> ResponseReturnValue:
    """The limits of the account and, with ``?broker_id=``, of that broker instead."""
    return _limits(_broker_asked_for())


@blueprint.put("/risk")
@api(Scope.RISK)
def put_risk() -> ResponseReturnValue:
    """Make these the limits; what is left out has none."""
    broker = _broker_asked_for()
    limits.put(_user(), broker, _load(LimitsSchema()))
    return _limits(broker)


@blueprint.get("/halts")
@api(Scope.READ)
def list_halts() -> ResponseReturnValue:
    """The halts in force that concern the account; exits still run under each."""
    return {"halts": [_halt(found) for found in halts.seen_by(_user())]}


@blueprint.post("/halts")
@api(Scope.RISK)
def start_halt() -> ResponseReturnValue:
    """Stop entries at once."""
    form: HaltForm = _load(HaltSchema())
    return _halt(halts.start(_reach(form), _user(), form.reason)), 201


@blueprint.delete("/halts")
@api(Scope.RISK)
def lift_halt() -> ResponseReturnValue:
    """Let entries go on; says how many halts that ended."""
    return {"lifted": halts.lift(_reach(_load(HaltSchema())), _user())}


@blueprint.post("/panic")
@api(Scope.RISK, Scope.TRADE)
def press_panic() -> ResponseReturnValue:
    """Halt, cancel every entry order, sell every position; only with ``"confirm": "PANIC"``."""
    form: HaltForm = _load(PanicSchema())
    halt, toll = panic.press(_reach(form), _user(), form.reason or "panic")
    done = {"orders_cancelled": toll.orders, "positions_closing": toll.positions}
    return {"halt": _halt(halt), **done}, 202


@blueprint.errorhandler(ValidationError)
def _invalid(error: ValidationError) -> ResponseReturnValue:
    body = {
        "error": "the request is not valid",
        "remedy": "Correct the named fields and send it again.",
        "fields": error.messages_dict,
        "correlation_id": g.correlation_id,
    }
    return body, 422


def _user() -> User:
    user: User = g.api_token.user
    return user


def _load(schema: Schema) -> Any:
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise ValidationError({"_schema": ["Send one JSON object, as application/json."]})
    return schema.load(body)


def _broker_asked_for() -> Broker | None:
    asked = request.args.get("broker_id")
    if asked is None:
        return None
    return _own(int(asked)) if asked.isdecimal() else abort(404)


def _own(broker_id: int) -> Broker:
    return brokers.find(_user(), broker_id) or abort(404)


def _reach(form: HaltForm) -> Reach:
    if form.scope is HaltScope.SERVER:
        return halts.whole_server()
    return halts.all_of(_user()) if form.broker_id is None else halts.only(_own(form.broker_id))


def _limits(broker: Broker | None) -> dict[str, Any]:
    found = limits.as_json(limits.of(_user(), broker))
    shown = {name: plain(value) if isinstance(value, Decimal) else value for name, value in found.items()}
    return {"broker_id": None if broker is None else broker.id, "limits": shown}


def _halt(found: Halt) -> dict[str, Any]:
    return {
        "id": found.id,
        "scope": found.scope.value,
        "broker_id": found.broker_id,
        "cause": found.cause.value,
        "reason": found.reason,
        "started_at": found.started_at.isoformat(),
        "exits": "still run",
    }
