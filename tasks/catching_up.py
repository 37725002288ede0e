"""A worker that starts does not wait for beat: it asks for what was left behind while none ran."""

from __future__ import annotations

from celery.signals import worker_ready

from app import dispatch


@worker_ready.connect
def catch_up(**_: object) -> None:
    """Have every order in doubt and every open order of every broker looked at, and what nobody took sent again."""
    dispatch.catch_up()
