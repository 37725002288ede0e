"""Telling people what happens while they do not look, by whatever Apprise can reach.

Beat looks every few seconds at what the audit chain has gained (`app.services.notices`) and marks the channels of those
it concerns; nothing that trades waits for that or knows of it. A channel gets at most one message in `QUIET`: all that
happened meanwhile is told in one, so that a storm is one message. What could not be sent is told with the next try,
later and later, and the channel says why. A worker that dies between sending and saying so sends a message twice.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

import structlog
from sqlalchemy import func, select, update

from app import dispatch
from app.config import PROJECT_ROOT
from app.domain.audit import Action
from app.extensions import db, settings
from app.extensions import redis as store
from app.models import AuditSeal, NotificationChannel, User, utc_now
from app.services import audit, events, notices, vault
from app.services.events import Topic
from app.services.notices import Kind, Notice
from app.services.refusal import Refused

log = structlog.get_logger()

QUIET = timedelta(seconds=30)
MOST_CHANNELS = 10
_LONGEST_QUIET = timedelta(hours=1)
_MAX_NAME, _MAX_URL = 80, 1000
_LINES = 20

#: The position in the chain up to which was looked. Without it, every channel is looked at.
_LOOKED = "notifications:looked"

#: Apprise gives up on a connection after 4 s; a service may need several, and a busy machine a while to begin.
_PATIENCE_SECONDS = 60

#: What the program that sends is told of our environment: nothing secret.
_PASSED_ON = ("PATH", "HOME", "LANG", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE")


class ChannelRefused(Refused):
    """A channel cannot be kept as asked."""


def add(user: User, name: str, url: str, kinds: Collection[Kind]) -> NotificationChannel:
    """A new channel, told of what happens from now on; a test message is on its way at once.

    Raises:
        ChannelRefused: its name, its address or the number of channels will not do.
    """
    name, url = name.strip(), url.strip()
    theirs = of(user)
    if len(theirs) >= MOST_CHANNELS:
        raise ChannelRefused(f"{MOST_CHANNELS} channels are enough", remedy="Remove one first.")
    if not name or len(name) > _MAX_NAME:
        raise ChannelRefused(f"a channel needs a name of at most {_MAX_NAME} characters", field="name")
    if any(channel.name == name for channel in theirs):
        raise ChannelRefused("there is a channel of this name already", field="name")
    row = NotificationChannel(
        user_id=user.id,
        name=name,
        scheme=_scheme_of(url),
        url=b"",
        kinds=_in_order(kinds),
        told_position=notices.newest_position(),
    )
    db.session.add(row)
    db.session.flush()
    row.url = vault.seal_channel_url(row.id, url)
    _record(Action.NOTIFICATION_ADDED, row)
    db.session.commit()
    dispatch.test_channel(row.id)
    return row


def choose(channel: NotificationChannel, kinds: Collection[Kind]) -> None:
    """Tell a channel of these kinds from now on."""
    channel.kinds = _in_order(kinds)
    _record(Action.NOTIFICATION_EDITED, channel)
    db.session.commit()


def remove(channel: NotificationChannel) -> None:
    """Tell a channel nothing any more, and forget where it leads."""
    _record(Action.NOTIFICATION_REMOVED, channel)
    db.session.delete(channel)
    db.session.commit()


def of(user: User) -> Sequence[NotificationChannel]:
    """A person's channels by name."""
    query = select(NotificationChannel).where(NotificationChannel.user_id == user.id)
    return db.session.scalars(query.order_by(NotificationChannel.name)).all()


def find(user: User, channel_id: int) -> NotificationChannel | None:
    """A channel of this person; another person's is as if it did not exist."""
    return db.session.scalar(
        select(NotificationChannel).where(
            NotificationChannel.id == channel_id, NotificationChannel.user_id == user.id
        )
    )


def look() -> None:
    """Mark the channels of those to whom something happened since the last look; send to those whose quiet is over."""
    newest = notices.newest_position()
    stamp = store.get(_LOOKED)
    looked = None if stamp is None else int(str(stamp))
    if looked != newest:
        _mark(None if looked is None else notices.concerned(looked, newest))
        store.set(_LOOKED, newest)
    due = select(NotificationChannel.id).where(
        NotificationChannel.waiting.is_(True), NotificationChannel.quiet_until <= utc_now()
    )
    waiting = db.session.scalars(due).all()
    db.session.commit()
    for channel_id in waiting:
        dispatch.notify_channel(channel_id, good_for=QUIET.total_seconds())


def send(channel_id: int) -> None:
    """Tell a channel all that happened since it was last told, unless somebody else is doing so."""
    channel = _claim(channel_id)
    if channel is None:
        return
    newest = notices.newest_position()
    found = notices.between(channel.user_id, channel.kinds, channel.told_position, newest)
    if not found:
        channel.quiet_until = utc_now()  # nothing was said, so nobody needs to be quiet
        _settle(channel, newest)
        return
    error = _deliver(channel, _title(found), _body(found))
    if error is None:
        _settle(channel, newest)
    _note(channel, error)


def send_test(channel_id: int) -> None:
    """Send a message that says only that it came, whatever else there is to tell."""
    channel = db.session.get(NotificationChannel, channel_id)
    if channel is not None:
        _note(channel, _deliver(channel, "Switchyard: a test", "This is how you will be told what happens."))


def _mark(people: set[int | None] | None) -> None:
    """Let the channels of these people be looked at; of everybody for None, or when None is among them."""
    if people is not None and not people:
        return
    marked = update(NotificationChannel).values(waiting=True)
    if people is not None and None not in people:
        marked = marked.where(NotificationChannel.user_id.in_(people))
    db.session.execute(marked)
    db.session.commit()


def _claim(channel_id: int) -> NotificationChannel | None:
    """The channel, if its quiet is over and nobody else has begun; what is claimed is quiet again."""
    now = utc_now()
    claimed = db.session.execute(
        update(NotificationChannel)
        .where(
            NotificationChannel.id == channel_id,
            NotificationChannel.waiting.is_(True),
            NotificationChannel.quiet_until <= now,
        )
        .values(quiet_until=now + QUIET)
        .returning(NotificationChannel.id)
    ).first()
    db.session.commit()
    return (
        None if claimed is None else db.session.get(NotificationChannel, channel_id, populate_existing=True)
    )


def _deliver(channel: NotificationChannel, title: str, body: str) -> str | None:
    """Send one message by a program of its own; returns why it could not be, in words without a secret."""
    try:
        url = vault.unseal_channel_url(channel.id, channel.url)
    except vault.VaultSealed as sealed:
        return sealed.message
    db.session.commit()  # nobody waits for a database while we wait for somebody else's server
    asked = {"url": url, "title": title, "body": body, "private": settings.notify_private}
    try:
        done = subprocess.run(
            [sys.executable, "-m", "app.messenger"],
            cwd=PROJECT_ROOT,
            env={name: os.environ[name] for name in _PASSED_ON if name in os.environ},
            input=json.dumps(asked),
            capture_output=True,
            text=True,
            timeout=_PATIENCE_SECONDS,
            check=True,
        )
    except subprocess.TimeoutExpired:
        return f"no answer within {_PATIENCE_SECONDS} s"
    except (subprocess.CalledProcessError, OSError) as error:
        log.error("messenger_failed", error=type(error).__name__)  # its own words may hold the address
        return "the message could not be sent; the log of the worker says more"
    answer: str | None = json.loads(done.stdout)["error"]
    return answer


def _settle(channel: NotificationChannel, told: int) -> None:
    """Everything up to a position is told. One statement, so that what is marked meanwhile stays marked."""
    more = select(func.coalesce(func.max(AuditSeal.position), 0)).scalar_subquery() > told
    db.session.execute(
        update(NotificationChannel)
        .where(NotificationChannel.id == channel.id)
        .values(told_position=told, waiting=more)
        .execution_options(synchronize_session=False)
    )
    db.session.commit()


def _note(channel: NotificationChannel, error: str | None) -> None:
    now = utc_now()
    if error is None:
        channel.sent_at, channel.failures, channel.last_error = now, 0, None
        channel.quiet_until = min(channel.quiet_until, now + QUIET)
    else:
        channel.failures += 1
        channel.last_error = error
        channel.quiet_until = now + min(QUIET * 2 ** min(channel.failures, 10), _LONGEST_QUIET)
        log.warning("notification_not_sent", channel_id=channel.id, failures=channel.failures)
    db.session.commit()
    events.publish(channel.user_id, Topic.NOTIFICATIONS, channel.id)


def _title(found: Sequence[Notice]) -> str:
    return "Switchyard" if len(found) == 1 else f"Switchyard: {len(found)} events"


def _body(found: Sequence[Notice]) -> str:
    """A line for each of the newest, the urgent before all others."""
    urgent_last = sorted(found, key=lambda notice: notice.kind in notices.URGENT)
    shown = sorted(urgent_last[-_LINES:], key=_when)
    lines = [f"{notice.at:%H:%M:%S} UTC  {notice.words}" for notice in shown]
    if len(found) > _LINES:
        lines.append(f"and {len(found) - _LINES} more: see the Activity page")
    return "\n".join(lines)


def _when(notice: Notice) -> datetime:
    return notice.at


def _scheme_of(url: str) -> str:
    scheme = url.partition("://")[0].lower()
    if "://" not in url or len(url) > _MAX_URL:
        raise ChannelRefused("that is no Apprise address, such as tgram://TOKEN/CHAT", field="url")
    if scheme not in settings.notify_schemes:
        raise ChannelRefused(f"this server does not allow addresses with {scheme}://", field="url")
    return scheme


def _in_order(kinds: Collection[Kind]) -> list[str]:
    return [kind.value for kind in Kind if kind in kinds]


def _record(action: Action, channel: NotificationChannel) -> None:
    audit.record(
        action,
        f"channel {channel.id}",
        user_id=channel.user_id,
        name=channel.name,
        scheme=channel.scheme,
        kinds=channel.kinds,
    )
