"""What the address of an API call may ask for, behind its question mark."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, validate, validates_schema

from app.domain.alerts import AlertStatus
from app.models import PositionStatus, utc_now
from app.services.alert_figures import SPANS
from app.services.inbox import ACTIONS, AlertFilter

_MOST_PER_PAGE = 100
#: The greatest number that a database holds as an id.
LARGEST_ID = 2**63 - 1


class Word(fields.String):
    """One of these words, in capitals or not."""

    def __init__(self, words: Iterable[str]) -> None:
        self._words = {word.lower(): word for word in words}
        known = validate.OneOf([str(word) for word in self._words.values()])
        super().__init__(load_default=None, validate=known)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> str:
        return self._words.get(str(value).strip().lower(), str(value))


class Identifier(fields.Integer):
    """The id of a row."""

    def __init__(self) -> None:
        in_range = validate.Range(1, LARGEST_ID, error="There is no such id.")
        super().__init__(load_default=None, validate=in_range)


class Moment(fields.AwareDateTime):
    """A time in ISO 8601, in UTC unless it says."""

    def __init__(self) -> None:
        super().__init__(format="iso", load_default=None, default_timezone=UTC)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:
        try:
            return super()._deserialize(value, attr, data, **kwargs).astimezone(UTC)
        except OverflowError:
            raise ValidationError("There is no such time in UTC.") from None


class BrokerQuery(Schema):
    """Of one broker, or of the whole account."""

    broker_id = Identifier()


class PageQuery(Schema):
    """Which page of a list, and how long a page is."""

    page = fields.Integer(load_default=1, validate=validate.Range(1, 1_000_000))
    per_page = fields.Integer(load_default=20, validate=validate.Range(1, _MOST_PER_PAGE))


class AlertQuery(PageQuery):
    """Which alerts; ``period`` ends now, ``since`` and ``until`` are times in ISO 8601, in UTC unless they say."""

    broker_id = Identifier()
    source_id = Identifier()
    action = Word(ACTIONS)
    status = Word(AlertStatus)
    period = fields.String(load_default=None, validate=validate.OneOf(tuple(SPANS)))
    since = Moment()
    until = Moment()

    @validates_schema
    def _check(self, data: dict[str, Any], **_: Any) -> None:
        since, until = data["since"], data["until"]
        if data["period"] is not None and (since or until):
            raise ValidationError("Give either a period, or since and until.", "period")
        if since is not None and until is not None and since >= until:
            raise ValidationError("It must be later than since.", "until")

    @post_load
    def _filter(self, data: dict[str, Any], **_: Any) -> AlertFilter:
        period = data.pop("period")
        if period is not None:
            data["since"] = utc_now() - SPANS[period]
        return AlertFilter(**data)


class RecentQuery(Schema):
    """How many of the newest."""

    limit = fields.Integer(load_default=10, validate=validate.Range(1, _MOST_PER_PAGE))


class PositionQuery(PageQuery):
    """Which positions; ``symbol`` as it is shown, such as ``BTC/USDT``."""

    broker_id = Identifier()
    status = Word(PositionStatus)
    symbol = fields.String(load_default=None, validate=validate.Length(1, 64))
