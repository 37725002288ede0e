"""Risk limits, halts and panic."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from flask import Blueprint

from app.domain.risk import Limits
from app.models import Broker, HaltScope
from app.schemas.answers.risk import HaltAnswer, HaltListAnswer, LiftedAnswer, LimitsAnswer, PanicAnswer
from app.schemas.halts import HaltForm, HaltSchema, PanicSchema
from app.schemas.queries import BrokerQuery
from app.schemas.risk import LimitsSchema
from app.services import halts, limits, panic
from app.services.halts import Reach
from app.services.tokens import Scope
from app.web.access import api
from app.web.api.contract import contract
from app.web.api.person import caller, own_broker

blueprint = Blueprint("risk", __name__)


@blueprint.get("/risk")
@api(Scope.READ)
@contract(LimitsAnswer, query=BrokerQuery)
def risk(query: dict[str, Any]) -> dict[str, Any]:
    """The limits of the account and, with ``?broker_id=``, of that broker instead."""
    return _limits(own_broker(query["broker_id"]))


@blueprint.put("/risk")
@api(Scope.RISK)
@contract(LimitsAnswer, query=BrokerQuery, body=LimitsSchema)
def put_risk(query: dict[str, Any], body: Limits) -> dict[str, Any]:
    """Make these the limits; what is left out has none."""
    broker = own_broker(query["broker_id"])
    limits.put(caller(), broker, body)
    return _limits(broker)


@blueprint.get("/halts")
@api(Scope.READ)
@contract(HaltListAnswer)
def list_halts() -> dict[str, Any]:
    """The halts in force that concern the account; exits still run under each."""
    return {"halts": halts.seen_by(caller())}


@blueprint.post("/halts")
@api(Scope.RISK)
@contract(HaltAnswer, body=HaltSchema, status=HTTPStatus.CREATED)
def start_halt(body: HaltForm) -> Any:
    """Stop entries at once."""
    return halts.start(_reach(body), caller(), body.reason)


@blueprint.delete("/halts")
@api(Scope.RISK)
@contract(LiftedAnswer, body=HaltSchema)
def lift_halt(body: HaltForm) -> dict[str, Any]:
    """Let entries go on; says how many halts that ended."""
    return {"lifted": halts.lift(_reach(body), caller())}


@blueprint.post("/panic")
@api(Scope.RISK, Scope.TRADE)
@contract(PanicAnswer, body=PanicSchema, status=HTTPStatus.ACCEPTED)
def press_panic(body: HaltForm) -> dict[str, Any]:
    """Halt, cancel every entry order, sell every position; only with ``"confirm": "PANIC"``."""
    halt, toll = panic.press(_reach(body), caller(), body.reason or "panic")
    return {"halt": halt, "orders_cancelled": toll.orders, "positions_closing": toll.positions}


def _reach(form: HaltForm) -> Reach:
    if form.scope is HaltScope.SERVER:
        return halts.whole_server()
    broker = own_broker(form.broker_id)
    return halts.all_of(caller()) if broker is None else halts.only(broker)


def _limits(broker: Broker | None) -> dict[str, Any]:
    found = limits.as_json(limits.of(caller(), broker))
    return {"broker_id": None if broker is None else broker.id, "limits": found}
