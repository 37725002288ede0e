"""The kill switch: entries of one broker, one person or the whole server are stopped at once, until a person lifts it.

Halts live in the database and are read at every entry, never from a cache. Exits still run under each of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import BindParameter, ColumnElement, or_, select, update
from sqlalchemy.orm import joinedload

from app.domain.audit import Action
from app.domain.errors import SwitchyardError
from app.extensions import db
from app.models import Broker, Halt, HaltCause, HaltScope, OrderRow, RiskLimits, User, utc_now
from app.services import audit, events
from app.services.events import Topic

_MAX_REASON = 500


class HaltRefused(SwitchyardError):
    """A halt cannot be started or lifted by this person."""

    remedy = "Ask an administrator of this server."


@dataclass(frozen=True, slots=True)
class Reach:
    """What a halt or a panic covers; `whole_server`, `all_of` and `only` make one."""

    scope: HaltScope
    name: str
    user_id: int | None = None
    broker_id: int | None = None


def whole_server() -> Reach:
    """Every broker of everyone."""
    return Reach(HaltScope.SERVER, "the whole server")


def all_of(user: User) -> Reach:
    """Every broker of one person."""
    return Reach(HaltScope.USER, f"all brokers of {user.email}", user.id)


def only(broker: Broker) -> Reach:
    """One broker."""
    return Reach(HaltScope.BROKER, broker.name, broker.user_id, broker.id)


def start(reach: Reach, by: User, reason: str, *, cause: HaltCause = HaltCause.MANUAL) -> Halt:
    """Stop entries from now on; one that is in force for the same cause already stays as it is.

    Raises:
        HaltRefused: only administrators stop the whole server.
    """
    _ensure_may(reach, by)
    halt = begin(reach, cause, reason.strip()[:_MAX_REASON] or "no reason given", by=by)
    db.session.commit()
    _tell(reach)
    return halt


def begin(reach: Reach, cause: HaltCause, reason: str, *, by: User | None = None) -> Halt:
    """Add a halt to the session unless one of this cause is in force; the caller commits. ``by`` None: ourselves."""
    found = db.session.scalar(select(Halt).where(_covers_exactly(reach), _in_force(), Halt.cause == cause))
    if found is not None:
        return found
    halt = Halt(
        scope=reach.scope,
        user_id=reach.user_id,
        broker_id=reach.broker_id,
        cause=cause,
        reason=reason,
        started_by=None if by is None else by.id,
    )
    db.session.add(halt)
    db.session.flush()
    audit.record(
        Action.HALT_STARTED,
        f"halt {halt.id}",
        user_id=reach.user_id,
        scope=reach.scope.value,
        broker_id=reach.broker_id,
        cause=cause.value,
        reason=reason,
    )
    return halt


def lift(reach: Reach, by: User) -> int:
    """End every halt of exactly this reach, and returns how many. The measure of a drawdown begins anew.

    Raises:
        HaltRefused: only administrators let the whole server go on.
    """
    _ensure_may(reach, by)
    ended = db.session.execute(
        update(Halt)
        .where(_covers_exactly(reach), _in_force())
        .values(ended_at=utc_now(), ended_by=by.id)
        .returning(Halt.cause)
    ).all()
    audit.record(
        Action.HALT_LIFTED,
        f"halts of {reach.scope.value.lower()}",
        user_id=reach.user_id,
        broker_id=reach.broker_id,
        ended=len(ended),
    )
    if any(cause is HaltCause.DRAWDOWN for (cause,) in ended):
        db.session.execute(
            update(RiskLimits)
            .where(
                RiskLimits.user_id == reach.user_id,
                RiskLimits.broker_id.is_not_distinct_from(reach.broker_id),
            )
            .values(peak_equity=None)
        )
    db.session.commit()
    _tell(reach)
    return len(ended)


def stopping(broker: Broker) -> Sequence[Halt]:
    """What stops entries of a broker right now, oldest first."""
    query = select(Halt).where(stops(broker.user_id, broker.id)).options(joinedload(Halt.broker))
    return db.session.scalars(query.order_by(Halt.id)).all()


def panics(order: OrderRow) -> bool:
    """Whether a panic is in force where this order belongs."""
    query = select(Halt.id).where(stops(order.user_id, order.broker_id), Halt.cause == HaltCause.PANIC)
    return db.session.scalar(query.limit(1)) is not None


def stops(user_id: int | BindParameter[int], broker_id: int | BindParameter[int]) -> ColumnElement[bool]:
    """The condition under which a halt stops this broker of this person."""
    return _in_force() & or_(
        Halt.scope == HaltScope.SERVER,
        (Halt.scope == HaltScope.USER) & (Halt.user_id == user_id),
        (Halt.scope == HaltScope.BROKER) & (Halt.broker_id == broker_id),
    )


def seen_by(user: User, *, ended_too: bool = False, limit: int = 100) -> Sequence[Halt]:
    """The halts that concern a person: theirs and the server's, newest first."""
    query = select(Halt).where(or_(Halt.scope == HaltScope.SERVER, Halt.user_id == user.id))
    if not ended_too:
        query = query.where(_in_force())
    query = query.options(joinedload(Halt.broker)).order_by(Halt.id.desc()).limit(limit)
    return db.session.scalars(query).all()


def covered(halt: Halt) -> str:
    """What a halt covers, in words."""
    if halt.scope is HaltScope.BROKER and halt.broker is not None:
        return halt.broker.name
    return "all brokers of the account" if halt.scope is HaltScope.USER else "the whole server"


def _ensure_may(reach: Reach, by: User) -> None:
    if reach.scope is HaltScope.SERVER and not by.is_admin:
        raise HaltRefused("only an administrator halts the whole server or lets it go on")


def _in_force() -> ColumnElement[bool]:
    return Halt.ended_at.is_(None)


def _covers_exactly(reach: Reach) -> ColumnElement[bool]:
    return (
        (Halt.scope == reach.scope)
        & Halt.user_id.is_not_distinct_from(reach.user_id)
        & Halt.broker_id.is_not_distinct_from(reach.broker_id)
    )


def _tell(reach: Reach) -> None:
    """Open pages show it at once."""
    whose = events.EVERYONE if reach.user_id is None else reach.user_id
    events.publish(whose, Topic.BROKERS, reach.broker_id)
