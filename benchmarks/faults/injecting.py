"""Making the planned faults happen to a running stack."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import redis
from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

from app.config import load_settings
from app.dispatch import TaskName, orders_queue
from benchmarks.faults.desks import Desk
from benchmarks.faults.schedule import EXCHANGE_FAULTS, Planned
from benchmarks.faults.tasks import Tasks
from benchmarks.stack import Stack

#: How long a fault waits for the process it is meant for, in seconds.
_PATIENCE = 20.0
#: An answer that comes later than a hasty desk's alerts expire would let the exchange execute them too late by itself.
_SLOW = ("delay",)
_DELIVERED_TWICE = 5


class Injector(threading.Thread):
    """Lets faults happen at their times; counts those that did in ``injected``."""

    def __init__(
        self,
        stack: Stack,
        desks: Sequence[Desk],
        planned: Sequence[Planned],
        database: Engine,
        tasks: Tasks,
        restart_database: Callable[[], None] | None = None,
    ) -> None:
        super().__init__(name="faults")
        self.injected: Counter[str] = Counter()
        self._stack = stack
        self._desks = desks
        self._planned = planned
        self._database = database
        settings = load_settings(stack.environ)
        self._run_dir = settings.run_dir
        self._redis = redis.Redis.from_url(settings.redis_url)
        self._tasks = tasks
        self._acts: dict[str, Callable[[float], bool]] = {
            "kill web": lambda _: self._kill("web"),
            "kill a web worker": self._kill_a_web_worker,
            "kill worker-orders": lambda _: self._kill("worker-orders"),
            "kill worker-sync": lambda _: self._kill("worker-sync"),
            "kill beat": lambda _: self._kill("beat"),
            "restart redis": lambda _: self._kill("redis"),
            "flush redis": lambda _: self._flush(),
            "deliver twice": self._deliver_twice,
        }
        if restart_database is not None:
            self._acts["restart database"] = lambda _: _done(restart_database)

    def run(self) -> None:
        """Every fault at its time, one after the other."""
        start = time.monotonic()
        for fault in self._planned:
            time.sleep(max(0.0, start + fault.at - time.monotonic()))
            act = self._acts.get(fault.kind)
            if self._lay(fault) if act is None else act(fault.share):
                self.injected[fault.kind] += 1

    def end(self) -> None:
        """Wait for the last fault, take back those that were laid and met no request, and empty Redis once more.

        With it goes what we believe of bans: one exchange's last a quarter of an hour, for which no run needs to wait.
        """
        self.join()
        self.injected -= Counter(
            _name(fault["kind"], fault["executed"])
            for fault in self._stack.take_faults_back()
            if fault["operation"] != "open_orders"  # laid together with another
        )
        while not self._flush():
            time.sleep(0.05)

    # -- processes ---------------------------------------------------------------------------------------------

    def _kill(self, name: str) -> bool:
        """SIGKILL a process of the Procfile; one that is just being started again is waited for."""
        return self._strike_down(lambda: int((self._run_dir / f"{name}.pid").read_text()))

    def _kill_a_web_worker(self, share: float) -> bool:
        return self._strike_down(lambda: self._web_worker(share))

    def _web_worker(self, share: float) -> int:
        parent = int((self._run_dir / "web.pid").read_text())
        workers = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        if not workers:
            raise ProcessLookupError("the web server has no workers yet")
        return int(workers[int(share * len(workers))])

    def _strike_down(self, process_id: Callable[[], int]) -> bool:
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            try:
                os.kill(process_id(), signal.SIGKILL)
            except (FileNotFoundError, ProcessLookupError, ValueError):  # it is gone, or just being started
                time.sleep(0.05)
            else:
                return True
        return False

    # -- the queue ---------------------------------------------------------------------------------------------

    def _flush(self) -> bool:
        try:
            self._redis.flushall()
        except redis.RedisError:
            return False
        return True

    def _deliver_twice(self, share: float) -> bool:
        """Send the tasks of the newest alerts and orders once more, whatever became of them."""
        newest = text(
            "SELECT a.id, o.id, b.exchange FROM alerts a JOIN brokers b ON b.id = a.broker_id"
            " LEFT JOIN orders o ON o.alert_id = a.id ORDER BY a.id DESC LIMIT :count"
        )
        try:
            with self._database.connect() as connection:
                rows = connection.execute(newest, {"count": _DELIVERED_TWICE}).all()
        except SQLAlchemyError:
            return False
        sent = [
            self._tasks.send(TaskName.PROCESS_ALERT, orders_queue(exchange), alert_id)
            and (
                order_id is None or self._tasks.send(TaskName.SUBMIT_ORDER, orders_queue(exchange), order_id)
            )
            for alert_id, order_id, exchange in rows
        ]
        return any(sent)

    # -- the exchange ------------------------------------------------------------------------------------------

    def _lay(self, fault: Planned) -> bool:
        """Lay a fault in the way of one desk's next order.

        A look-up that does not see an order yet needs an order in doubt, so its answer is lost first. The history
        always tells the truth: an exchange that hid an order in every place for longer than it declares would have
        broken its word, and nobody could tell such an order from one that never arrived.
        """
        desks = [desk for desk in self._desks if not (fault.kind in _SLOW and desk.account.hasty)]
        desk = desks[int(fault.share * len(desks))]
        if fault.kind == "unseen":
            self._strike(desk, "place_order", "reset_after", {})
            self._strike(desk, "get_order", "unseen", {})
            self._strike(desk, "open_orders", "unseen", {})
        else:
            self._strike(desk, "place_order", fault.kind, EXCHANGE_FAULTS[fault.kind])
        return True

    def _strike(self, desk: Desk, operation: str, kind: str, details: dict[str, object]) -> None:
        account = desk.account
        where = {"exchange": account.exchange, "api_key": account.api_key, "operation": operation}
        self._stack.control("faults", {**where, "kind": kind} | details)


def _name(kind: str, executed: bool) -> str:
    """What the schedule calls a fault of the sandbox."""
    return next(
        (
            name
            for name, details in EXCHANGE_FAULTS.items()
            if details.get("kind") == kind and details.get("executed") == executed
        ),
        kind,
    )


def _done(act: Callable[[], None]) -> bool:
    act()
    return True
