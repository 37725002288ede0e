"""How much may still be asked of an exchange, counted before the wire so that we never run into its limits.

A window holds for every stretch of its length, wherever it begins: it is counted in slices, of which one more than
the window's worth is summed. That is never less than what the exchange counts, whether its own windows are
aligned to the clock, begin with the first request or roll. A drip drains steadily, as Kraken's counters do.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

from app.domain.accounts import RateBudgetState
from app.exchanges.nonce import IN_THIS_PROCESS, Nonces, RedisNonces

if TYPE_CHECKING:
    from redis import Redis

log = logging.getLogger(__name__)

SLICES = 10


class Scope(StrEnum):
    """Whose requests an exchange adds up: those of our address, of one account, or of an account on one market."""

    ADDRESS = "address"
    ACCOUNT = "account"
    ACCOUNT_MARKET = "account-market"


class Refill(StrEnum):
    """How an allowance comes back: a window at a time, or steadily."""

    WINDOW = "window"
    DRIP = "drip"


@dataclass(frozen=True, slots=True)
class Limit:
    """One allowance of an exchange: ``capacity`` in its own weights per ``seconds``.

    ``reserved`` is the part that only orders may spend. A drip drains its whole capacity in ``seconds``.
    """

    name: str
    capacity: int
    seconds: float
    scope: Scope = Scope.ADDRESS
    reserved: int = 0
    refill: Refill = Refill.WINDOW

    def resized(self, capacity: int) -> Limit:
        """The same allowance as the exchange now sizes it; the reserved share keeps its proportion."""
        return replace(self, capacity=capacity, reserved=self.reserved * capacity // self.capacity)


@dataclass(frozen=True, slots=True)
class Charge:
    """What one request takes from one allowance; ``owner`` is the address, account or market it is counted for."""

    limit: Limit
    owner: str
    cost: int

    def ceiling(self, urgent: bool) -> int:
        """How far this request may fill the allowance."""
        return self.limit.capacity if urgent else self.limit.capacity - self.limit.reserved


class Spent(Exception):
    """An allowance is used up, or the exchange has told us to stay away, for ``seconds``."""

    def __init__(self, allowance: str, seconds: float) -> None:
        super().__init__(f"{allowance} is spent for {seconds:.1f} s")
        self.allowance = allowance
        self.seconds = seconds


class RateBudget(Protocol):
    """Counts the requests to a venue, the venue being one host of one exchange.

    What else the clients of one account share comes with it: the ``nonces`` of exchanges that number requests.
    """

    @property
    def nonces(self) -> Nonces:
        """The turns of numbered requests, shared as far as the counts are."""

    def spend(self, venue: str, charges: Sequence[Charge], *, urgent: bool) -> list[int]:
        """Take every charge or none; returns how much of each allowance is used now. Orders are urgent.

        Raises:
            Spent: when one of them does not fit, or a ban holds.
        """

    def correct(self, venue: str, charge: Charge, used: int) -> None:
        """Raise our count to what the exchange reports; it may count requests that we do not know of."""

    def refund(self, venue: str, charges: Sequence[Charge]) -> None:
        """Give charges back: the exchange does not count them (any longer; an order that has filled, say)."""

    def ban(self, venue: str, owner: str, seconds: float) -> None:
        """Send nothing more for this owner until the time has passed."""

    def used(self, venue: str, charge: Charge) -> RateBudgetState:
        """The state of one allowance."""


@dataclass(slots=True)
class _Counter:
    """The use of one allowance: amounts by slice, or a level and the moment it held."""

    slices: dict[int, int] = field(default_factory=dict)
    level: float = 0.0
    at: float = 0.0

    def used(self, limit: Limit, now: float) -> int:
        if limit.refill is Refill.DRIP:
            drained = (now - self.at) * limit.capacity / limit.seconds
            self.level, self.at = max(0.0, self.level - drained), now
            return math.ceil(self.level)
        oldest = _slice(limit, now) - SLICES
        if self.slices and min(self.slices) < oldest:
            self.slices = {index: count for index, count in self.slices.items() if index >= oldest}
        return sum(self.slices.values())

    def add(self, limit: Limit, now: float, cost: int) -> None:
        if limit.refill is Refill.DRIP:
            self.level += cost
        elif cost:
            index = _slice(limit, now)
            self.slices[index] = self.slices.get(index, 0) + cost

    def give_back(self, cost: int) -> None:
        """From the oldest slices: what stays counted is then held rather too long than too short."""
        self.level = max(0.0, self.level - cost)
        for index in sorted(self.slices):
            returned = min(cost, self.slices[index])
            self.slices[index] -= returned
            cost -= returned

    def wait(self, limit: Limit, now: float, excess: int) -> float:
        """Seconds until ``excess`` has come back."""
        if limit.refill is Refill.DRIP:
            return excess * limit.seconds / limit.capacity
        for index in sorted(self.slices):
            excess -= self.slices[index]
            if excess <= 0:
                return (index + SLICES + 1) * limit.seconds / SLICES - now
        return limit.seconds


def _slice(limit: Limit, now: float) -> int:
    return int(now * SLICES / limit.seconds)


class LocalRateBudget:
    """A budget of one process."""

    nonces = IN_THIS_PROCESS

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._counters: dict[tuple[str, str, str], _Counter] = {}
        self._bans: dict[tuple[str, str], float] = {}

    def spend(self, venue: str, charges: Sequence[Charge], *, urgent: bool) -> list[int]:
        """See `RateBudget.spend`."""
        with self._lock:
            now = self._clock()
            counters = [self._counter(venue, charge) for charge in charges]
            totals = []
            for charge, counter in zip(charges, counters, strict=True):
                if self._bans:
                    self._refuse_banned(venue, charge.owner, now)
                total = counter.used(charge.limit, now) + charge.cost
                excess = total - charge.ceiling(urgent)
                if excess > 0:
                    raise Spent(charge.limit.name, counter.wait(charge.limit, now, excess))
                totals.append(total)
            for charge, counter in zip(charges, counters, strict=True):
                counter.add(charge.limit, now, charge.cost)
            return totals

    def correct(self, venue: str, charge: Charge, used: int) -> None:
        """See `RateBudget.correct`."""
        with self._lock:
            now = self._clock()
            counter = self._counter(venue, charge)
            missing = used - counter.used(charge.limit, now)
            if missing > 0:
                counter.add(charge.limit, now, missing)

    def refund(self, venue: str, charges: Sequence[Charge]) -> None:
        """See `RateBudget.refund`."""
        with self._lock:
            for charge in charges:
                self._counter(venue, charge).give_back(charge.cost)

    def ban(self, venue: str, owner: str, seconds: float) -> None:
        """See `RateBudget.ban`."""
        with self._lock:
            until = self._clock() + seconds
            self._bans[venue, owner] = max(until, self._bans.get((venue, owner), 0.0))

    def used(self, venue: str, charge: Charge) -> RateBudgetState:
        """See `RateBudget.used`."""
        with self._lock:
            return _state(charge.limit, self._counter(venue, charge).used(charge.limit, self._clock()))

    def _counter(self, venue: str, charge: Charge) -> _Counter:
        return self._counters.setdefault((venue, charge.limit.name, charge.owner), _Counter())

    def _refuse_banned(self, venue: str, owner: str, now: float) -> None:
        left = self._bans.get((venue, owner), 0.0) - now
        if left > 0:
            raise Spent("a ban", left)
        self._bans.pop((venue, owner), None)


def _state(limit: Limit, used: int) -> RateBudgetState:
    return RateBudgetState(used=used, limit=limit.capacity, per_seconds=math.ceil(limit.seconds))


#: KEYS: a counter and a ban per charge. ARGV: capacity, milliseconds, cost, ceiling, refill, per charge.
#: Answers {1, used…} when everything fitted, else {0, position, milliseconds to wait}; position 0 is a ban.
_SPEND = """
local slices, time = @SLICES@, redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local answer = {1}
for i = 1, #KEYS / 2 do
  local left = redis.call('PTTL', KEYS[2 * i])
  if left > 0 then return {0, 0, left} end
end
local function window(key, period, cost, ceiling)
  local rows, used, counts = redis.call('HGETALL', key), 0, {}
  local oldest = math.floor(now * slices / period) - slices
  for j = 1, #rows, 2 do
    local index, count = tonumber(rows[j]), tonumber(rows[j + 1])
    if index < oldest then redis.call('HDEL', key, rows[j])
    else used = used + count; counts[#counts + 1] = {index, count} end
  end
  local excess = used + cost - ceiling
  if excess <= 0 then return used + cost, 0 end
  table.sort(counts, function(a, b) return a[1] < b[1] end)
  for _, slice in ipairs(counts) do
    excess = excess - slice[2]
    if excess <= 0 then return nil, math.ceil((slice[1] + slices + 1) * period / slices - now) end
  end
  return nil, period
end
local function drip(key, capacity, period, cost, ceiling)
  local level = tonumber(redis.call('HGET', key, 'level') or 0)
  local at = tonumber(redis.call('HGET', key, 'at') or now)
  level = math.max(0, level - (now - at) * capacity / period)
  local excess = level + cost - ceiling
  if excess > 0 then return nil, math.ceil(excess * period / capacity) end
  return level + cost, 0
end
for i = 1, #KEYS / 2 do
  local a = 5 * (i - 1)
  local capacity, period, cost, ceiling =
    tonumber(ARGV[a + 1]), tonumber(ARGV[a + 2]), tonumber(ARGV[a + 3]), tonumber(ARGV[a + 4])
  local used, wait
  if ARGV[a + 5] == 'drip' then used, wait = drip(KEYS[2 * i - 1], capacity, period, cost, ceiling)
  else used, wait = window(KEYS[2 * i - 1], period, cost, ceiling) end
  if not used then return {0, i, wait} end
  answer[i + 1] = used
end
for i = 1, #KEYS / 2 do
  local a, key = 5 * (i - 1), KEYS[2 * i - 1]
  local period, cost = tonumber(ARGV[a + 2]), tonumber(ARGV[a + 3])
  if ARGV[a + 5] == 'drip' then redis.call('HSET', key, 'level', tostring(answer[i + 1]), 'at', now)
  elseif cost > 0 then redis.call('HINCRBY', key, math.floor(now * slices / period), cost) end
  redis.call('PEXPIRE', key, math.ceil(period * 1.2) + 1000)
  answer[i + 1] = math.ceil(answer[i + 1])
end
return answer
""".replace("@SLICES@", str(SLICES))


#: KEYS: a counter per charge. ARGV: its cost. The oldest slices are lowered first, as in `_Counter.give_back`.
_REFUND = """
for i, key in ipairs(KEYS) do
  local cost, level, counts = tonumber(ARGV[i]), redis.call('HGET', key, 'level'), {}
  if level then redis.call('HSET', key, 'level', tostring(math.max(0, tonumber(level) - cost))) end
  local rows = level and {} or redis.call('HGETALL', key)
  for j = 1, #rows, 2 do counts[#counts + 1] = {tonumber(rows[j]), tonumber(rows[j + 1])} end
  table.sort(counts, function(a, b) return a[1] < b[1] end)
  for _, slice in ipairs(counts) do
    local returned = math.min(cost, slice[2])
    if returned > 0 then redis.call('HINCRBY', key, slice[1], -returned) end
    cost = cost - returned
  end
end
"""


class RedisRateBudget:
    """A budget shared by every process that uses the same Redis; one round trip a request.

    Without Redis each process counts on its own and asks only for its share, but no order is held up: trading
    matters more than a count. It is logged once, and Redis is tried again every few seconds.
    """

    RETRY_SECONDS = 5.0
    #: How long a Redis that does not answer may hold up an order.
    PATIENCE_SECONDS = 0.25
    #: Among how many processes the allowance for reads is divided while they cannot see each other.
    PROCESSES = 4

    def __init__(self, client: Redis) -> None:
        self._redis = _impatient(client, self.PATIENCE_SECONDS)
        self._spend = self._redis.register_script(_SPEND)
        self._refund = self._redis.register_script(_REFUND)
        self._alone = LocalRateBudget()
        self._retry_at = 0.0
        self.nonces = RedisNonces(self._redis, self._ask)

    def spend(self, venue: str, charges: Sequence[Charge], *, urgent: bool) -> list[int]:
        """See `RateBudget.spend`."""
        answer = self._ask(lambda: self._run(venue, charges, urgent))
        if answer is None:
            return self._spend_alone(venue, charges, urgent)
        if answer[0]:
            return list(answer[1:])
        _, position, wait = answer
        raise Spent(charges[position - 1].limit.name if position else "a ban", wait / 1000)

    def correct(self, venue: str, charge: Charge, used: int) -> None:
        """See `RateBudget.correct`."""
        known = self.used(venue, charge).used
        if used > known:
            missing = Charge(charge.limit, charge.owner, used - known)
            unlimited = (missing,)
            if self._ask(lambda: self._run(venue, unlimited, True, ceiling=2**53)) is None:
                self._alone.correct(venue, charge, used)

    def refund(self, venue: str, charges: Sequence[Charge]) -> None:
        """See `RateBudget.refund`."""
        keys = [_counter_key(venue, charge) for charge in charges]
        costs = [charge.cost for charge in charges]
        if self._ask(lambda: (self._refund(keys=keys, args=costs),)) is None:
            self._alone.refund(venue, charges)

    def ban(self, venue: str, owner: str, seconds: float) -> None:
        """See `RateBudget.ban`."""
        key, milliseconds = _ban_key(venue, owner), math.ceil(seconds * 1000)
        self._alone.ban(venue, owner, seconds)
        self._ask(lambda: self._redis.set(key, 1, px=milliseconds))

    def used(self, venue: str, charge: Charge) -> RateBudgetState:
        """See `RateBudget.used`."""
        probe = (Charge(charge.limit, charge.owner, 0),)
        answer = self._ask(lambda: self._run(venue, probe, True, ceiling=2**53))
        if answer is None:
            return self._alone.used(venue, charge)
        return _state(charge.limit, answer[1] if answer[0] else charge.limit.capacity)

    def _run(
        self, venue: str, charges: Sequence[Charge], urgent: bool, ceiling: int | None = None
    ) -> list[int]:
        keys: list[str] = []
        args: list[int | str] = []
        for charge in charges:
            limit = charge.limit
            keys += (_counter_key(venue, charge), _ban_key(venue, charge.owner))
            args += (
                limit.capacity,
                int(limit.seconds * 1000),
                charge.cost,
                charge.ceiling(urgent) if ceiling is None else ceiling,
                limit.refill.value,
            )
        answer: list[int] = self._spend(keys=keys, args=args)
        return answer

    def _ask(self, question: Callable[[], Any]) -> Any:
        """Redis' answer, or None while it is away."""
        from redis.exceptions import RedisError

        if time.monotonic() < self._retry_at:
            return None
        try:
            answer = question()
        except RedisError as error:
            if not self._retry_at:
                log.warning("the shared rate budget is away, each process counts alone: %s", error)
            self._retry_at = time.monotonic() + self.RETRY_SECONDS
            return None
        if self._retry_at:
            log.warning("the shared rate budget is back")
            self._retry_at = 0.0
        return answer

    def _spend_alone(self, venue: str, charges: Sequence[Charge], urgent: bool) -> list[int]:
        if urgent:
            return self._alone.spend(venue, charges, urgent=True)
        shares = [
            Charge(_share(charge.limit, self.PROCESSES), charge.owner, charge.cost) for charge in charges
        ]
        return self._alone.spend(venue, shares, urgent=False)


def _counter_key(venue: str, charge: Charge) -> str:
    return f"rate:{venue}:{charge.limit.name}:{charge.owner}"


def _ban_key(venue: str, owner: str) -> str:
    return f"rate:{venue}:ban:{owner}"


def _share(limit: Limit, processes: int) -> Limit:
    """The same allowance, of which a read may fill only one process's share."""
    for_reads = (limit.capacity - limit.reserved) // processes
    return replace(limit, reserved=limit.capacity - for_reads)


def _impatient(client: Redis, seconds: float) -> Redis:
    """A client of the same server that neither waits long nor tries again: an order is behind it."""
    from redis import Redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    pool = client.connection_pool
    settings = {
        **pool.connection_kwargs,
        "socket_timeout": seconds,
        "socket_connect_timeout": seconds,
        "retry": Retry(NoBackoff(), 0),
        "decode_responses": False,
    }
    if "path" in settings:
        settings.pop("socket_connect_timeout")
    return Redis(connection_pool=type(pool)(connection_class=pool.connection_class, **settings))
