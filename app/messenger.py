"""Sends one message by Apprise and ends: a program of its own, started for each message.

Apprise takes half a second and 45 MB to load, writes addresses that hold secrets into its logs, and calls whatever an
address names. Here it has a process without a secret of ours, whose log nobody keeps, and which reaches the public
internet only, unless the operator allows more. What is looked at is the address of each connection as it is made, so
that neither a redirection nor a name that resolves to something else the second time leads past it.

Takes ``{"url", "title", "body", "private"}`` as JSON on standard input, answers ``{"error": words or null}``.
"""

from __future__ import annotations

import ipaddress
import json
import logging
import re
import sys
from typing import Any

from app.domain.masking import MASK

#: Parts of an address that are shorter are no secret, and common in any text.
_SHORTEST_SECRET = 6

_STARTS_PROGRAMS = (
    "subprocess.Popen",
    "os.exec",
    "os.fork",
    "os.forkpty",
    "os.posix_spawn",
    "os.spawn",
    "os.system",
)
_SENDS = ("socket.connect", "socket.sendto", "socket.sendmsg")


class Forbidden(OSError):
    """A message would lead where none may."""


class Warnings(logging.Handler):
    """What Apprise says of a message that it could not send."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep what was said."""
        self.said.append(record.getMessage())


def is_public(address: object) -> bool:
    """Whether the address of a connection, as Python's socket module has it, is one on the public internet."""
    if not isinstance(address, tuple):
        return False
    try:
        ip = ipaddress.ip_address(str(address[0]).partition("%")[0])
    except ValueError:
        return False  # a name: it is never taken without being resolved first
    if isinstance(ip, ipaddress.IPv6Address):
        ip = ip.ipv4_mapped or ip.sixtofour or ip
    return ip.is_global and not ip.is_multicast


def send(url: str, title: str, body: str) -> str | None:
    """Send a message; returns why not, in words without a secret, or None."""
    import apprise

    # Nothing is kept on disk from one message to the next: some services would keep what logs them in.
    asset = apprise.AppriseAsset(storage_mode=apprise.PersistentStoreMode.MEMORY)
    service = apprise.Apprise.instantiate(
        url, asset=asset
    )  # one service: what adds several would split the text
    if not isinstance(service, apprise.NotifyBase):
        return "the address is not one that Apprise understands"
    heard = Warnings()
    apprise.logger.addHandler(heard)
    sender = apprise.Apprise(asset=asset)
    sender.add(service)
    if sender.notify(title=title, body=body, body_format=apprise.NotifyFormat.TEXT):
        return None
    return without_secrets(" ".join(heard.said), url) or "the service did not take the message"


def without_secrets(words: str, url: str) -> str:
    """Words with every part of an address that could be a secret replaced."""
    for part in re.split(r"[/:@?&=+#]+", url.partition("://")[2]):
        if len(part) >= _SHORTEST_SECRET:
            words = words.replace(part, MASK)
    return words


def _watch(refused: list[str], private: bool) -> None:
    """Let this process start no program, and connect only to where messages may go."""

    def look(event: str, arguments: tuple[Any, ...]) -> None:
        if event in _STARTS_PROGRAMS:
            raise Forbidden("no program is started to send a message")
        if event in _SENDS and not private and not is_public(arguments[1]):
            refused.append(str(arguments[1]))
            raise Forbidden("this address is not on the public internet")

    sys.addaudithook(look)


def main() -> None:
    """Do what standard input asks for."""
    asked = json.load(sys.stdin)
    import apprise  # noqa: F401 - what it does while it is loaded is no part of the message

    refused: list[str] = []
    _watch(refused, asked["private"])
    error = send(asked["url"], asked["title"], asked["body"])
    if error is not None and refused:
        error = "the address leads into a private network, which the operator of this server has not allowed"
    json.dump({"error": error}, sys.stdout)


if __name__ == "__main__":
    main()
