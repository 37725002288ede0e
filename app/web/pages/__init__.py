"""The pages, one module a subject."""

from __future__ import annotations

from typing import Any

from flask import Flask
from flask_login import current_user

from app import extensions
from app.web.pages import (
    account,
    activity,
    admin,
    auth,
    balances,
    brokers,
    dashboard,
    exchanges,
    explaining,
    look,
    markets,
    messages,
    notifications,
    orders,
    performance,
    positions,
    risk,
    second_factor,
    settings,
    sources,
    start,
    styleguide,
    trade,
    viewing,
    webhooks,
)


def init_app(app: Flask) -> None:
    """Register the pages and what the frame around each of them shows."""
    for subject in (
        auth,
        dashboard,
        brokers,
        trade,
        viewing,
        markets,
        exchanges,
        orders,
        positions,
        balances,
        performance,
        webhooks,
        sources,
        messages,
        explaining,
        activity,
        admin,
        risk,
        settings,
        start,
        styleguide,
        look,
        account,
        second_factor,
        notifications,
    ):
        app.register_blueprint(subject.blueprint)
    app.context_processor(_frame)


def _frame() -> dict[str, Any]:
    theme = current_user.theme if current_user and current_user.is_authenticated else None
    return {"server_dry_run": extensions.settings.dry_run, "theme": theme, "halts_in_force": risk.in_force}
