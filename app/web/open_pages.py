"""The pages that are open in this process: one thread tells all of them what has changed.

A page costs a connection and no thread, so that however many are open, requests and alerts find one.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterable
from functools import partial

import redis.exceptions
import structlog
from flask import Flask

from app.services import events
from app.services.events import Change

log = structlog.get_logger()

#: Each holds a file descriptor, of which a process has a thousand by default.
_MOST = 500
#: A proxy takes a connection for dead after a minute or so of silence.
_HEARTBEAT_SECONDS = 15.0
#: A page is let go after this time and comes back at once, with a session that has to be good still.
_STAY_SECONDS = 600.0
#: How long a page that has just opened may wait until it is told what it missed meanwhile.
_TURN_SECONDS = 0.25
#: After pages were told something, what happens in this time is told together: under a flood there are few writes.
_GATHER_SECONDS = 0.25
_REDIS_PAUSE_SECONDS = 1.0
_STILL_HERE = ": still here\n\n"


class OpenPage:
    """A person's page at the other end of a connection, and up to which moment it has been told everything."""

    def __init__(self, user_id: int, connection: socket.socket, *, since: int) -> None:
        self.user_id = user_id
        self.since = since
        self.leaves_at = time.monotonic() + _STAY_SECONDS
        self._connection = connection
        connection.setblocking(False)

    def tell(self, changes: Iterable[Change]) -> bool:
        """Name the topics; False when nobody reads it any more."""
        mine = {change.topic: change for change in changes if change.concerns(self.user_id)}
        if not mine:
            return True
        self.since = max(self.since, *(change.at for change in mine.values()))
        return self.write("".join(map(_as_event, mine.values())))

    def write(self, text: str) -> bool:
        """Send without waiting; False when nobody reads, or not as fast as there is something to tell."""
        line = text.encode()
        try:
            return self._connection.send(line) == len(line)
        except OSError:
            return False

    def close(self) -> None:
        """Let go of the connection."""
        self._connection.close()


class OpenPages:
    """All pages of one process. The thread that tells them runs while there is one."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._lock = threading.Lock()
        self._arrived: list[OpenPage] = []
        """Are to be told what they missed before they are told what happens."""
        self._settled: list[OpenPage] = []
        self._running = False
        self._next_beat = 0.0

    @property
    def full(self) -> bool:
        """Whether a further page has to be told to come back later."""
        return len(self._arrived) + len(self._settled) >= _MOST

    def add(self, page: OpenPage) -> None:
        """Tell this page what it missed, and everything from now on."""
        with self._lock:
            self._arrived.append(page)
            if not self._running:
                self._running = True
                threading.Thread(target=self._run, name="open-pages", daemon=True).start()

    def _run(self) -> None:
        with self._app.app_context():
            while not self._all_gone():
                try:
                    self._tell_what_happens()
                except redis.exceptions.RedisError as error:
                    log.warning("pages_not_told", error=str(error))
                    time.sleep(_REDIS_PAUSE_SECONDS)

    def _all_gone(self) -> bool:
        """Whether the thread ends; said under the lock, so that a page which arrives then starts another."""
        with self._lock:
            self._running = bool(self._arrived or self._settled)
            return not self._running

    def _tell_what_happens(self) -> None:
        """Until there is no page any more.

        Raises:
            redis.exceptions.RedisError: when Redis is gone; the pages stay, and are told afterwards what they missed.
        """
        with self._lock:
            self._arrived, self._settled = [*self._arrived, *self._settled], []
        for changes in events.listen(_TURN_SECONDS):
            self._welcome()
            if changes:
                self._keep_those(partial(OpenPage.tell, changes=changes))
                time.sleep(_GATHER_SECONDS)
            self._beat()
            if not (self._arrived or self._settled):
                return

    def _welcome(self) -> None:
        """Tell those that have arrived what they missed."""
        for page in list(self._arrived):
            there = page.tell(events.missed(page.user_id, page.since))
            with self._lock:
                self._arrived.remove(page)
                self._settled.append(page)
            if not there:
                self._part_with(page)

    def _beat(self) -> None:
        """From time to time let every page know that the line stands, and part with those that have stayed long."""
        now = time.monotonic()
        if now >= self._next_beat:
            self._next_beat = now + _HEARTBEAT_SECONDS
            self._keep_those(lambda page: now < page.leaves_at and page.write(_STILL_HERE))

    def _keep_those(self, stays: Callable[[OpenPage], bool]) -> None:
        for page in list(self._settled):
            if not stays(page):
                self._part_with(page)

    def _part_with(self, page: OpenPage) -> None:
        with self._lock:
            self._settled.remove(page)
        page.close()


def _as_event(change: Change) -> str:
    row_id = "" if change.row_id is None else change.row_id
    return f"event: {change.topic}\nid: {change.at}\ndata: {row_id}\n\n"
