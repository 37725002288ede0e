"""The flask command line, one module a noun: parse, call a service, print."""

from __future__ import annotations

from flask import Flask

from app.cli.alert import alert
from app.cli.audit import audit
from app.cli.broker import broker
from app.cli.doctor import doctor
from app.cli.exchange import exchanges
from app.cli.halt import halt, panic
from app.cli.ledger import ledger
from app.cli.maintenance import maintenance
from app.cli.market import markets
from app.cli.migrations import db
from app.cli.order import order
from app.cli.position import position
from app.cli.risk import risk
from app.cli.sandbox import sandbox
from app.cli.source import source
from app.cli.token import token
from app.cli.user import user
from app.cli.webhook import webhook


def init_app(app: Flask) -> None:
    """Register the commands."""
    for group in (
        user,
        broker,
        source,
        webhook,
        markets,
        order,
        position,
        ledger,
        alert,
        risk,
        halt,
        token,
        audit,
        exchanges,
        sandbox,
        maintenance,
        db,
    ):
        app.cli.add_command(group)
    app.cli.add_command(panic)
    app.cli.add_command(doctor)
