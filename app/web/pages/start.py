"""First steps: a guided path from the new account to real money, to be left and taken up again at any time."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from app.domain import alert_message
from app.domain.alert_message import MessageSize, MessageWish
from app.domain.alerts import AlertAction
from app.services import first_steps, overview
from app.services.first_steps import Step
from app.web.access import member
from app.web.addresses import webhook_url

blueprint = Blueprint("start", __name__, url_prefix="/start")

_TEST = MessageWish(AlertAction.PING)
#: What a chart's first real alert may say: small, and guarded.
_TRADE = MessageWish(
    AlertAction.BUY_MARKET, MessageSize.PERCENT, amount="5", stop_loss="2%", take_profit="4%"
)


@blueprint.get("")
@member
def index() -> ResponseReturnValue:
    """Where the person stands, and what is next."""
    return _page()


@blueprint.post("")
@member
def new_address() -> ResponseReturnValue:
    """Make the webhook, or a new address for it; shown in this answer and never again.

    At the page's own address, so that it goes on being live while the address can be read.
    """
    broker = first_steps.of(current_user).broker
    if broker is None:
        return redirect(url_for("start.index"))
    return _page(webhook_url(first_steps.new_address(current_user, broker)))


@blueprint.post("/practise")
@member
def practise() -> ResponseReturnValue:
    """Connect a practice account on the sandbox with nothing to fill in."""
    broker = first_steps.practise(current_user)
    flash(_("%(broker)s is stored; its connection is being tested.", broker=broker.name), "success")
    return redirect(url_for("start.index"))


def _page(new_url: str | None = None) -> str:
    taken = first_steps.of(current_user)
    return render_template(
        "start/index.html",
        taken=taken,
        steps=list(Step),
        broker=None if taken.broker is None else overview.states([taken.broker])[0],
        new_url=new_url,
        test_message=alert_message.compose(_TEST),
        trade_message=alert_message.compose(_TRADE),
    )
