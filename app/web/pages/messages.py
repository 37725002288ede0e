"""The message builder: what to write into a TradingView alert, and whether its first alert has come."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from flask_login import current_user
from marshmallow import ValidationError

from app.domain import alert_message
from app.domain.alert_format import AlertFault
from app.domain.alert_message import MessageSize
from app.domain.alerts import SIZES, AlertAction, Signal, signal_to_json
from app.schemas.messages import OF_STRATEGY, MessageSchema
from app.services import sources
from app.web import forms, understood
from app.web.access import member
from app.web.addresses import webhook_url
from app.web.filters import sentence

blueprint = Blueprint("messages", __name__, url_prefix="/webhooks/message")

#: A token is known when its source is made, and never again.
_TOKEN = "TOKEN-OF-THE-SOURCE"  # noqa: S105 - stands where a token goes


@blueprint.get("")
@member
def index() -> ResponseReturnValue:
    """The message of what is chosen in the address, with what it will be taken for."""
    message, signals, errors = _composed()
    every = sources.of(current_user)
    return render_template(
        "webhooks/message.html",
        actions=[OF_STRATEGY, *AlertAction],
        sizes=list(MessageSize),
        sources=every,
        waiting_for=next(
            (each for each in every if each.id == request.args.get("source_id", type=int)), None
        ),
        last_alerts=sources.last_alerts(current_user),
        url=webhook_url(_TOKEN),
        message=message,
        taken_for=[understood.parts(signal_to_json(signal)) for signal in signals],
        values=request.args.to_dict(),
        errors=errors,
    ), 422 if errors else 200


def _composed() -> tuple[str | None, list[Signal], forms.Errors]:
    """The message and its meanings, or what is wrong with what was chosen."""
    try:
        message = alert_message.compose(MessageSchema().load(request.args.to_dict()))
        return message, alert_message.understood(message), {}
    except ValidationError as error:
        return None, [], forms.in_words(error.messages_dict)
    except AlertFault as fault:
        field = "amount" if fault.key in SIZES else fault.key or forms.WHOLE
        return None, [], {field: [sentence(fault.said)]}
