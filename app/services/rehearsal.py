"""What a process does once before its first real work, so that the first order does not wait for it.

Mapping the tables, compiling the statements of the order path, loading the exchange clients and connecting to Redis
take some 150 ms in all, once a process.
"""

from __future__ import annotations

import gc

from sqlalchemy.orm import configure_mappers

from app.domain.accounts import Environment
from app.exchanges import NAMES, exchange_class
from app.models import utc_now
from app.services import alerts, execution, intake, prices
from app.services.intake import Delivery

#: No row has this id, and no source this token.
_NOBODY = 0


def rehearse_orders() -> None:
    """For a worker that places orders."""
    for name in NAMES:
        exchange_class(name)
        prices.last(name, Environment.SANDBOX, "")
    alerts.process(_NOBODY)
    execution.submit(_NOBODY)
    settle()


def rehearse_intake() -> None:
    """For a process that accepts alerts."""
    intake.store([Delivery(token="", body=b"action=PING", content_type="", sender="", received_at=utc_now())])


def settle() -> None:
    """Map the tables, and spare the collector what start-up made: it stays, and looking at it stalls orders."""
    configure_mappers()
    gc.collect()
    gc.freeze()
