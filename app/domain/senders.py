"""How the sender of a webhook proves itself: by where it sends from, and by a signature over what it sends."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import lru_cache

from app.domain.errors import SwitchyardError

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

#: Where TradingView sends from; source:
#: https://www.tradingview.com/support/solutions/43000529348-how-to-configure-webhook-alerts/
TRADINGVIEW = ("52.89.214.238", "34.212.75.30", "54.218.53.128", "52.32.178.7")

#: How far a signature's time may be from ours: an older delivery may have been overheard and sent again.
SIGNATURE_GOOD_FOR = timedelta(minutes=5)

_METHOD = "sha256="

#: How what is signed begins when the time is signed with the body.
_WITH_TIME = re.compile(rb"\d+\.")


class NotAnAddress(SwitchyardError):
    """What was given as a sender's address is none."""

    remedy = "Write an address like 52.89.214.238 or 2001:db8::1, or a network like 10.0.0.0/8."


class Unproven(SwitchyardError):
    """A signature is missing, stale, or not of what was sent."""

    remedy = "Sign the body with the source's signing secret; docs/webhooks.md shows how."


def networks(written: Iterable[str]) -> tuple[str, ...]:
    """Addresses and networks in one spelling, each once; an address within a network stands for that network.

    Raises:
        NotAnAddress: naming the one that is none.
    """
    return tuple(dict.fromkeys(_network_text(each.strip()) for each in written if each.strip()))


def may_send(address: str, listed: Sequence[str]) -> bool:
    """Whether an address is one of those listed, or in one of the networks."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    names: list[ipaddress.IPv4Address | ipaddress.IPv6Address] = [found]
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        names.append(
            found.ipv4_mapped
        )  # so a server that listens on both families names the older one's senders
    return any(name in network for network in _parsed(tuple(listed)) for name in names)


def sign(secret: str, body: bytes, timestamp: str | None = None) -> str:
    """The signature of a body, or of ``timestamp.body`` when a time is given: ``sha256=`` and 64 hexadecimal digits."""
    signed = body if timestamp is None else timestamp.encode() + b"." + body
    return _METHOD + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def check_signature(secret: str, body: bytes, signature: str, timestamp: str | None, now: datetime) -> None:
    """See that a body was signed with the secret, and just now if the signature tells when; in constant time.

    Raises:
        Unproven: saying nothing of what would have been right.
    """
    if not signature:
        raise Unproven("the signature is missing")
    if timestamp is None and _WITH_TIME.match(body):
        # Else an overheard delivery could be sent at any time, with the time it was signed with moved into the body.
        raise Unproven("a body that begins with a number and a dot is signed with its time only")
    right = sign(secret, body, timestamp)
    if not hmac.compare_digest(right.encode(), signature.strip().lower().encode("utf-8", "surrogatepass")):
        raise Unproven("the signature is not of this body")
    if timestamp is not None and not _is_fresh(timestamp, now):
        raise Unproven(f"the signature's time is more than {SIGNATURE_GOOD_FOR.seconds} seconds from ours")


def _is_fresh(timestamp: str, now: datetime) -> bool:
    if not timestamp.isascii() or not timestamp.isdigit():
        return False
    return abs(now.timestamp() - int(timestamp[:20])) <= SIGNATURE_GOOD_FOR.total_seconds()


def _network_text(written: str) -> str:
    try:
        network = ipaddress.ip_network(written, strict=False)
    except ValueError:
        raise NotAnAddress(f"{written[:64]!r} is neither an address nor a network") from None
    return str(network.network_address) if network.num_addresses == 1 else str(network)


@lru_cache(maxsize=256)
def _parsed(listed: tuple[str, ...]) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(each) for each in listed)
