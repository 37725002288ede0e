"""Alerts as the API tells them."""

from __future__ import annotations

from marshmallow import Schema, fields

from app.domain.alerts import AlertStatus
from app.schemas.answers.fields import maybe_text, moment, word
from app.schemas.answers.orders import OrderAnswer, TimelineAnswer
from app.schemas.answers.shapes import PageAnswer, Surrounded
from app.services.alert_figures import SPANS


def _of_signal(name: str) -> fields.String:
    """A part of the understood alert, in the plain text in which it is kept; null where the alert has none."""
    return fields.String(attribute=f"signal.{name}", allow_none=True, dump_default=None)


class AlertAnswer(Surrounded):
    """One alert in short; ``order_id`` is the first order it asked for."""

    row = "alert"

    id = fields.Integer()
    received_at = moment()
    source_id = fields.Integer()
    source = fields.String(attribute="source.name")
    broker_id = fields.Integer()
    broker = fields.String(attribute="broker.name")
    exchange = fields.String(attribute="broker.exchange")
    status = word(AlertStatus)
    action = maybe_text()
    symbol = maybe_text()
    price = _of_signal("price")
    percent = _of_signal("percent")
    reason = maybe_text()
    duplicate_of = fields.Integer(attribute="duplicate_of_id", allow_none=True)
    order_id = fields.Integer(allow_none=True)


class _Named(Schema):
    id = fields.Integer()


class PlaceAnswer(Schema):
    """A place in a text, counted from 1."""

    line = fields.Integer()
    column = fields.Integer()


class AlertDetailAnswer(AlertAnswer):
    """One alert whole: as it came, its secret masked; as it was understood; and all that came of it.

    ``fault`` is where it could not be understood. ``same_delivery`` are the alerts that its delivery made for further
    brokers.
    """

    body = fields.String()
    content_type = fields.String()
    headers = fields.Dict(keys=fields.String(), values=fields.String(), allow_none=True)
    sender = fields.String()
    picked_up_at = moment(allow_none=True)
    processed_at = moment(allow_none=True)
    expires_at = moment()
    signal = fields.Dict(keys=fields.String(), allow_none=True)
    fault = fields.Nested(PlaceAnswer, allow_none=True)
    same_delivery = fields.List(fields.Pluck(_Named, "id"))
    orders = fields.List(fields.Nested(OrderAnswer))
    timeline = fields.Nested(TimelineAnswer)


class AlertPageAnswer(PageAnswer):
    """A page of alerts, newest first."""

    alerts = fields.List(fields.Nested(AlertAnswer), attribute="rows")


class AlertListAnswer(Schema):
    """The newest alerts."""

    alerts = fields.List(fields.Nested(AlertAnswer))


class LatencyAnswer(Schema):
    """Milliseconds from an alert's arrival until the exchange acknowledged its order."""

    orders = fields.Integer()
    p50 = fields.Integer(allow_none=True)
    p95 = fields.Integer(allow_none=True)
    p99 = fields.Integer(allow_none=True)


class FiguresAnswer(Schema):
    """How the alerts of a time fared; ``success_rate`` is the percentage carried out of those that were decided."""

    total = fields.Integer()
    success_rate = fields.Float(allow_none=True)
    errors = fields.Integer()
    by_status = fields.Dict(keys=word(AlertStatus), values=fields.Integer())
    latency_ms = fields.Nested(LatencyAnswer, attribute="latency")


#: The same for each span of time.
AlertStatsAnswer = Schema.from_dict(
    {span: fields.Nested(FiguresAnswer) for span in SPANS}, name="AlertStatsAnswer"
)
