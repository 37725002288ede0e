"""The form of a broker."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from marshmallow import EXCLUDE, Schema, fields, post_load, pre_load, validate

from app.domain.accounts import Credential, Environment, TradingMode
from app.schemas.fields import Switch

_MAX_KEY = 4096


@dataclass(frozen=True, slots=True)
class BrokerForm:
    """A filled-in form; ``credential`` is None when no key was entered at all.

    ``same_account``: that new keys open the account which the old ones did is confirmed.
    """

    exchange: str
    name: str
    environment: Environment
    mode: TradingMode
    dry_run: bool
    is_main: bool
    same_account: bool
    region: str | None
    credential: Credential | None


class BrokerSchema(Schema):
    """A form of text fields in, a `BrokerForm` out."""

    class Meta:
        unknown = EXCLUDE

    exchange = fields.String(required=True, error_messages={"required": "Choose an exchange."})
    name = fields.String(required=True, validate=validate.Length(1, 80, error="Between 1 and 80 characters."))
    environment = fields.Enum(
        Environment, required=True, error_messages={"required": "Choose where orders go."}
    )
    mode = fields.Enum(TradingMode, load_default=TradingMode.OFF)
    dry_run = Switch()
    is_main = Switch()
    same_account = Switch()
    region = fields.String(load_default="", validate=validate.Length(max=20))
    api_key = fields.String(load_default="", validate=validate.Length(max=_MAX_KEY))
    api_secret = fields.String(load_default="", validate=validate.Length(max=_MAX_KEY))
    passphrase = fields.String(load_default="", validate=validate.Length(max=_MAX_KEY))

    @pre_load
    def _trim(self, data: dict[str, str], **_: Any) -> dict[str, str]:
        return {name: value.strip() for name, value in data.items()}

    @post_load
    def _form(self, data: dict[str, Any], **_: Any) -> BrokerForm:
        keys = {name: data.pop(name) for name in ("api_key", "api_secret", "passphrase")}
        region = data.pop("region") or None
        credential = (
            Credential(**{**keys, "passphrase": keys["passphrase"] or None}) if any(keys.values()) else None
        )
        return BrokerForm(credential=credential, region=region, **data)
