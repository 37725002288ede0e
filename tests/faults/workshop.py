"""Where crash points are tried: a database with one person, a sandbox, and a worker that dies when told to."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from uuid import uuid4

from flask import Flask
from sqlalchemy import Delete, Update, delete, select, update
from sqlalchemy.orm import selectinload

from app import create_app
from app.config import PROJECT_ROOT, load_settings
from app.domain.accounts import Credential, Environment, TradingMode
from app.extensions import db
from app.models import Alert, Broker, OrderRow, Position, User, utc_now
from app.services import brokers, connections, markets, sources, users
from tests.fixtures.sandbox import Keys, SandboxServer


@dataclass(frozen=True, slots=True)
class Done:
    """How a job ended: killed or not, and the crash points on its way (none when killed)."""

    killed: bool
    reached: tuple[str, ...]


@dataclass
class Desk:
    """One funded broker with a source, for one trial."""

    exchange: str
    keys: Keys
    broker_id: int
    token: str


@dataclass
class Workshop:
    """The application on its database, the sandbox, and the mortal worker."""

    app: Flask
    sandbox: SandboxServer
    worker: subprocess.Popen[str]
    points: Mapping[str, str] = field(default_factory=dict)
    _user_id: int = 0
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def job(self, act: str, *arguments: object, die_at: str | None = None, in_person: bool = False) -> Done:
        """Have a worker do something, and be killed at a crash point if it comes by it."""
        assert self.worker.stdin is not None
        line = json.dumps({"act": act, "arguments": arguments, "die_at": die_at, "in_person": in_person})
        print(line, file=self.worker.stdin, flush=True)
        done = self._answer()
        assert done["status"] in (0, -9), f"{act} ended with {done['status']}: see the worker's traceback"
        return Done(done["status"] == -9, tuple(done["reached"]))

    def open_desk(self, exchange: str, balances: Mapping[str, str] | None = None) -> Desk:
        """A broker and source nobody else uses; the markets of its exchange are loaded once."""
        keys = self.sandbox.account(exchange, balances)
        number = next(self._numbers)
        with self.app.app_context():
            user = db.session.get_one(User, self._user_id)
            broker = brokers.add(
                user,
                name=f"desk {number}",
                exchange=exchange,
                environment=Environment.SANDBOX,
                credential=Credential(keys.api_key, keys.api_secret, keys.passphrase),
                mode=TradingMode.WEBHOOKS,
            )
            loaded = select(Broker.markets_loaded_at).where(
                Broker.exchange == exchange, Broker.markets_loaded_at.is_not(None)
            )
            broker.markets_loaded_at = db.session.scalar(loaded.limit(1))
            db.session.commit()
            if broker.markets_loaded_at is None:
                markets.load(broker.id)
                connections.close()
            _, token = sources.create(user, broker, f"desk {number}")
            return Desk(exchange, keys, broker.id, token)

    def close_desk(self, desk: Desk) -> None:
        """Forget a desk with all that was traded there: the sweep of a later trial need not look through it."""
        self._execute(delete(Broker).where(Broker.id == desk.broker_id))

    def change_broker(self, desk: Desk, **values: object) -> None:
        """Change fields of a desk's broker."""
        self._execute(update(Broker).where(Broker.id == desk.broker_id).values(**values))

    def permit(self, desk: Desk, **what: bool) -> None:
        """Change what a desk's key may do at the exchange."""
        self.sandbox.control("permissions", exchange=desk.exchange, api_key=desk.keys.api_key, **what)

    def expire(self, desk: Desk) -> None:
        """Let every alert and order of a desk be past its expiry."""
        for table in (Alert, OrderRow):
            self._execute(update(table).where(table.broker_id == desk.broker_id).values(expires_at=utc_now()))

    def alerts(self, desk: Desk) -> list[Alert]:
        """What was stored of a desk's deliveries."""
        with self.app.app_context():
            return list(db.session.scalars(select(Alert).where(Alert.broker_id == desk.broker_id)))

    def orders(self, desk: Desk) -> list[OrderRow]:
        """A desk's orders as the database has them."""
        query = select(OrderRow).where(OrderRow.broker_id == desk.broker_id).order_by(OrderRow.id)
        with self.app.app_context():
            return list(db.session.scalars(query.options(selectinload(OrderRow.children))))

    def positions(self, desk: Desk) -> list[Position]:
        """A desk's positions as the database has them."""
        with self.app.app_context():
            return list(db.session.scalars(select(Position).where(Position.broker_id == desk.broker_id)))

    def _execute(self, change: Update | Delete) -> None:
        with self.app.app_context():
            db.session.execute(change)
            db.session.commit()

    def _answer(self) -> Any:
        assert self.worker.stdout is not None
        line = self.worker.stdout.readline()
        assert line, "the mortal worker has ended: see its traceback"
        return json.loads(line)


@contextmanager
def open_workshop(
    sandbox: SandboxServer, data_dir: str, redis_url: str, **settings: str
) -> Iterator[Workshop]:
    """A workshop on an empty database."""
    environ = {
        **os.environ,
        "SWITCHYARD_ENV": "testing",
        "DATA_DIR": data_dir,
        "REDIS_URL": redis_url,
        "SANDBOX_URL": sandbox.url,
        "SECRET_KEY": "s" * 48,
        "MASTER_KEY": "A" * 43 + "=",
        "LOG_LEVEL": "ERROR",
        **settings,
    }
    app = create_app(load_settings(environ))
    with app.app_context():
        db.create_all()
        user_id = users.sign_up(f"{uuid4().hex[:8]}@example.org", "correct horse battery").id
    command = [sys.executable, "-m", "tests.faults.mortal_worker"]
    with subprocess.Popen(
        command, cwd=PROJECT_ROOT, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as worker:
        workshop = Workshop(app, sandbox, worker, _user_id=user_id)
        workshop.points = workshop._answer()
        yield workshop
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
