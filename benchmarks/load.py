"""A light load generator: keep-alive connections on one asyncio loop, so that it costs the machine little.

Latencies are in milliseconds. A paced run counts each from the moment its request was due, not from when a free
connection was found: a server that stalls cannot hide behind a client that waits for it.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from urllib.parse import urlsplit


@dataclass(slots=True)
class Result:
    """What a run saw: answers by status, latencies in ms, and how long it took in seconds."""

    seconds: float = 0.0
    statuses: Counter[int] = field(default_factory=Counter)
    latencies: list[float] = field(default_factory=list)
    sent_at: dict[int, float] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Answers per second."""
        return len(self.latencies) / self.seconds

    def percentiles(self) -> dict[str, float]:
        """p50 and p99 of the latencies."""
        return percentiles(self.latencies)


def percentiles(values: Sequence[float]) -> dict[str, float]:
    """p50, p99 and the largest of some milliseconds, rounded to a hundredth."""
    if len(values) < 2:
        return {"p50": round(values[0], 2), "p99": round(values[0], 2), "max": round(values[0], 2)}
    cuts = statistics.quantiles(values, n=100, method="inclusive")
    return {"p50": round(cuts[49], 2), "p99": round(cuts[98], 2), "max": round(max(values), 2)}


def saturate(
    urls: Sequence[str], body: Callable[[int], bytes], *, connections: int, seconds: float
) -> Result:
    """As fast as the server answers, each connection sending its next request when it has its answer.

    Requests go to the addresses of one server in turn.
    """
    return asyncio.run(_saturate(urls, body, connections, seconds))


def pace(
    urls: Sequence[str], body: Callable[[int], bytes], *, rate: float, seconds: float, connections: int = 32
) -> Result:
    """A fixed number of requests a second, whatever the server does, to the addresses of one server in turn."""
    return asyncio.run(_pace(urls, body, rate, seconds, connections))


async def _saturate(
    urls: Sequence[str], body: Callable[[int], bytes], connections: int, seconds: float
) -> Result:
    result = Result()
    numbers = iter(range(10**9))
    start = time.perf_counter()

    async def client() -> None:
        connection = await _Connection.open(urls[0])
        while time.perf_counter() - start < seconds:
            before, number = time.perf_counter(), next(numbers)
            status = await connection.post(urls[number % len(urls)], body(number))
            result.latencies.append((time.perf_counter() - before) * 1000)
            result.statuses[status] += 1
        connection.close()

    await asyncio.gather(*(client() for _ in range(connections)))
    result.seconds = time.perf_counter() - start
    return result


async def _pace(
    urls: Sequence[str], body: Callable[[int], bytes], rate: float, seconds: float, connections: int
) -> Result:
    result = Result()
    idle: asyncio.Queue[_Connection] = asyncio.Queue()
    for _ in range(connections):
        idle.put_nowait(await _Connection.open(urls[0]))

    async def one(number: int, due: float) -> None:
        connection = await idle.get()
        status = await connection.post(urls[number % len(urls)], body(number))
        result.latencies.append((time.perf_counter() - due) * 1000)
        result.statuses[status] += 1
        idle.put_nowait(connection)

    start = time.perf_counter()
    running = []
    for number in range(int(rate * seconds)):
        due = start + number / rate
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        result.sent_at[number] = time.time()
        running.append(asyncio.create_task(one(number, due)))
    await asyncio.gather(*running)
    result.seconds = time.perf_counter() - start
    while not idle.empty():
        idle.get_nowait().close()
    return result


class _Connection:
    """One keep-alive connection; answers must carry Content-Length."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, url: str) -> _Connection:
        parts = urlsplit(url)
        return cls(*await asyncio.open_connection(parts.hostname, parts.port))

    async def post(self, url: str, body: bytes) -> int:
        """Send one body and return the status; a connection the server closed is opened anew."""
        self._writer.write(_head(url) + str(len(body)).encode() + b"\r\n\r\n" + body)
        head = await self._reader.readuntil(b"\r\n\r\n")
        status = int(head[9:12])
        lowered = head.lower()
        length = int(lowered.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
        await self._reader.readexactly(length)
        if b"connection: close" in lowered:
            self.close()
            fresh = await self.open(url)
            self._reader, self._writer = fresh._reader, fresh._writer
        return status

    def close(self) -> None:
        self._writer.close()


@cache
def _head(url: str) -> bytes:
    parts = urlsplit(url)
    return (
        f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\n"
        "Content-Type: application/json\r\nContent-Length: "
    ).encode()
