"""``flask source``: the endpoints that alerts come to."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, TypeVar

import click

from app.cli.amounts import amount, price_or_percent
from app.cli.group import Commands, Refusal, reading_only
from app.cli.output import Row, json_option, show, show_one
from app.cli.owner import broker_named, owner, owner_option, source_named
from app.cli.server import webhook_url
from app.domain.alerts import SIZES, AlertDefaults, OutOfStep
from app.domain.orders import OrderType
from app.domain.senders import TRADINGVIEW
from app.models import Source, User
from app.services import sources
from app.services.sources import Route, SourceSettings

source = Commands("source", help="Webhook endpoints that alerts come to.")

_Command = TypeVar("_Command", bound=Callable[..., Any])

#: What takes an option's value away again.
NONE = "none"


def _settings_options(command: _Command) -> _Command:
    """Adds every option of a source's settings; see `_settings`."""
    for option in reversed(
        (
            click.option(
                "--also",
                "routes",
                multiple=True,
                metavar="BROKER[=SIZE]",
                help="Trade there as well, entries of SIZE (5% or an amount in quote) instead of the alert's.",
            ),
            click.option("--percent", help="Size where an alert has none: of the free quote for a buy."),
            click.option("--quantity", help="Size where an alert has none, in base."),
            click.option("--quote-quantity", help="Size where an alert has none, in quote."),
            click.option("--risk-percent", help="Size where an alert has none: what its stop-loss may lose."),
            click.option("--equity-percent", help="Size where an alert has none: of the account's worth."),
            click.option(
                "--order-type",
                type=click.Choice([OrderType.MARKET, OrderType.LIMIT], case_sensitive=False),
                help="Of a plain buy or sell without a type; a limit is at the alert's price.",
            ),
            click.option("--stop-loss", help="Where an entry has none: a price, or a distance like 2%."),
            click.option("--take-profit", help="Likewise."),
            click.option(
                "--trailing-percent", help="Distance of a trailing stop where an entry has no stop-loss."
            ),
            click.option(
                "--map", "symbols", multiple=True, metavar="FROM=TO", help="What the alert says = the market."
            ),
            click.option(
                "--out-of-step",
                type=click.Choice(OutOfStep, case_sensitive=False),
                help="When an alert's strategy holds something else than the broker.",
            ),
            click.option("--expires-in", type=int, metavar="SECONDS", help="Older alerts are dropped."),
            click.option(
                "--duplicate-window",
                type=int,
                metavar="SECONDS",
                help="The same body within is a duplicate; 0: only the same id is.",
            ),
            click.option(
                "--sender", "senders", multiple=True, metavar="ADDRESS", help="May send; repeat for several."
            ),
            click.option("--tradingview", is_flag=True, help="TradingView's addresses may send."),
            click.option(
                "--heartbeat", metavar="SECONDS", help="Something is sent that often; else it is a miss."
            ),
            click.option("--numbered/--not-numbered", default=None, help="A gap in the numbers is a miss."),
            click.option(
                "--secrets-stdin",
                is_flag=True,
                help='Read secrets from standard input: {"secret": …, "signing_secret": …}; null drops one.',
            ),
        )
    ):
        command = option(command)
    return command


@source.command()
@click.argument("name")
@click.option("--broker", "broker_name", help="The broker its alerts trade on; the main one by default.")
@click.option("--base-url", help="The public address of this server, for the printed URL.")
@_settings_options
@owner_option
@json_option
def create(
    name: str,
    broker_name: str | None,
    base_url: str | None,
    secrets_stdin: bool,
    email: str | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Make a source called NAME and print its URL, which is shown this once."""
    user = owner(email)
    given = _secrets(secrets_stdin)
    wanted = _settings(SourceSettings(), user, options)
    made, token = sources.create(user, broker_named(user, broker_name), name, wanted, **given)
    show_one({**_row(made), "url": webhook_url(token, base_url)}, as_json=as_json)


@source.command("list")
@owner_option
@json_option
def list_(email: str | None, as_json: bool) -> None:
    """List the sources; their URLs are not known any more."""
    with reading_only():
        rows = [_row(found) for found in sources.of(owner(email))]
    show(
        rows,
        ("id", "name", "broker", "enabled"),
        as_json=as_json,
        nothing="No source yet: flask source create NAME",
    )


@source.command("show")
@click.argument("name")
@owner_option
@json_option
def show_(name: str, email: str | None, as_json: bool) -> None:
    """Show all settings of source NAME."""
    with reading_only():
        row = _row(source_named(owner(email), name))
    show_one(row, as_json=as_json)


@source.command("set")
@click.argument("name")
@click.option("--name", "new_name", help="Another name.")
@click.option("--broker", "broker_name", help="Another broker.")
@_settings_options
@owner_option
@json_option
def set_(
    name: str,
    new_name: str | None,
    broker_name: str | None,
    secrets_stdin: bool,
    email: str | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Change what is named of source NAME, and nothing else; "none" takes a setting away."""
    user = owner(email)
    found = source_named(user, name)
    given = _secrets(secrets_stdin)
    broker = found.broker if broker_name is None else broker_named(user, broker_name)
    sources.edit(found, new_name or found.name, broker, _settings(sources.settings_of(found), user, options))
    dropped = {secret: True for secret, value in given.items() if value is None}
    if dropped:
        sources.drop_secrets(found, **dropped)
    if len(dropped) < len(given):
        sources.set_secrets(found, **given)
    show_one(_row(found), as_json=as_json)


@source.command()
@click.argument("name")
@click.option("--base-url", help="The public address of this server, for the printed URL.")
@owner_option
@json_option
def rotate(name: str, base_url: str | None, email: str | None, as_json: bool) -> None:
    """Give source NAME a new URL, which is shown this once; the old one is refused from now on."""
    found = source_named(owner(email), name)
    token = sources.rotate(found)
    show_one({**_row(found), "url": webhook_url(token, base_url)}, as_json=as_json)


@source.command()
@click.argument("name")
@owner_option
@json_option
def enable(name: str, email: str | None, as_json: bool) -> None:
    """Switch source NAME on."""
    _switch(name, email, as_json, on=True)


@source.command()
@click.argument("name")
@owner_option
@json_option
def disable(name: str, email: str | None, as_json: bool) -> None:
    """Switch source NAME off: the very next alert is denied."""
    _switch(name, email, as_json, on=False)


def _switch(name: str, email: str | None, as_json: bool, *, on: bool) -> None:
    found = source_named(owner(email), name)
    sources.set_enabled(found, on)
    show_one(_row(found), as_json=as_json)


def _settings(before: SourceSettings, user: User, options: dict[str, Any]) -> SourceSettings:
    """The settings that options make of others; one that is not given changes nothing."""
    told: dict[str, Any] = {}
    if options["duplicate_window"] is not None:
        told["duplicate_window"] = options["duplicate_window"]
    if options["heartbeat"] is not None:
        told["heartbeat_seconds"] = _optional(options["heartbeat"], _seconds)
    if options["numbered"] is not None:
        told["numbered"] = options["numbered"]
    senders = [*(TRADINGVIEW if options["tradingview"] else ()), *options["senders"]]
    if senders:
        told["senders"] = () if senders == [NONE] else senders
    if options["routes"]:
        told["routes"] = (
            [] if options["routes"] == (NONE,) else [_route(user, each) for each in options["routes"]]
        )
    return replace(before, **told, defaults=_defaults(before.defaults, options))


def _defaults(before: AlertDefaults, options: dict[str, Any]) -> AlertDefaults:
    readers: dict[str, Callable[[str], Any]] = {
        **dict.fromkeys(SIZES, amount),
        "stop_loss": price_or_percent,
        "take_profit": price_or_percent,
        "trailing_percent": amount,
    }
    told: dict[str, Any] = {
        name: _optional(options[name], read) for name, read in readers.items() if options[name] is not None
    }
    told |= {
        name: options[name]
        for name in ("order_type", "out_of_step", "expires_in")
        if options[name] is not None
    }
    if options["symbols"]:
        told["symbol_map"] = _symbols(options["symbols"])
    return replace(before, **told)


def _optional(text: str, read: Callable[[str], Any]) -> Any:
    return None if text.lower() == NONE else read(text)


def _seconds(text: str) -> int:
    if not text.isdecimal():
        raise Refusal(f"{text!r} is not a number of seconds", remedy="Write it like 3600, or none.")
    return int(text)


def _symbols(written: Sequence[str]) -> dict[str, str]:
    if list(written) == [NONE]:
        return {}
    pairs = [each.partition("=") for each in written]
    for said, equals, meant in pairs:
        if not (said.strip() and equals and meant.strip()):
            raise Refusal(f"{said + equals + meant!r} maps nothing", remedy="Write it like GOLD=PAXG/USDT.")
    return {said.strip().upper(): meant.strip().upper() for said, _, meant in pairs}


def _route(user: User, written: str) -> Route:
    name, _, size = written.partition("=")
    broker = broker_named(user, name)
    if not size:
        return Route(broker)
    of_quote: Decimal = amount(size)
    return Route(broker, percent=of_quote) if size.endswith("%") else Route(broker, quote_quantity=of_quote)


def _secrets(from_stdin: bool) -> dict[str, str | None]:
    """What standard input says of secrets; never the command line, where others could read them."""
    if not from_stdin:
        return {}
    try:
        given = json.loads(sys.stdin.read())
    except ValueError:
        given = None
    known = {"secret", "signing_secret"}
    if not isinstance(given, dict) or not given or not given.keys() <= known:
        raise Refusal(
            "standard input names no secret",
            remedy='Give {"secret": "…"} or {"signing_secret": "…"} or both.',
        )
    if not all(value is None or isinstance(value, str) for value in given.values()):
        raise Refusal("a secret must be text", remedy="Put it in quotes, or null to drop it.")
    return given


def _row(found: Source) -> Row:
    settings = sources.settings_of(found)
    defaults = settings.defaults
    return {
        "id": found.id,
        "name": found.name,
        "broker": found.broker.name,
        "enabled": found.enabled,
        "routes": [_route_row(route) for route in settings.routes],
        "order_type": defaults.order_type.value,
        **{size: getattr(defaults, size) for size in SIZES},
        "stop_loss": _text(defaults.stop_loss),
        "take_profit": _text(defaults.take_profit),
        "trailing_percent": defaults.trailing_percent,
        "symbol_map": dict(defaults.symbol_map),
        "out_of_step": defaults.out_of_step.value,
        "expires_in": defaults.expires_in,
        "duplicate_window": settings.duplicate_window,
        "senders": list(settings.senders),
        "asks_for_secret": found.secret_hash is not None,
        "asks_for_signature": found.signing_secret is not None,
        "heartbeat_seconds": settings.heartbeat_seconds,
        "numbered": settings.numbered,
        "created_at": found.created_at,
    }


def _route_row(route: Route) -> Row:
    return {
        "broker": route.broker.name,
        "percent": route.percent,
        "quote_quantity": route.quote_quantity,
        "enabled": route.enabled,
    }


def _text(value: object) -> str | None:
    return None if value is None else str(value)
