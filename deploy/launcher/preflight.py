"""What must hold before anything is started: a usable DATA_DIR that is ours alone, free space, free ports."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import socket
from pathlib import Path

from app.config import Settings
from deploy.launcher.errors import LaunchError

#: Below this a database and its write-ahead log soon fail in ways that are hard to read.
NEEDED_BYTES = 100 * 1024 * 1024
_DIRECTORIES = ("run", "log", "redis")


def prepare_data_dir(data_dir: Path) -> None:
    """Make the directories that the processes write to, and check that there is room.

    Raises `LaunchError` when the disk is full and `OSError` when the directory cannot be written.
    """
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in _DIRECTORIES:
        (data_dir / name).mkdir(mode=0o700, exist_ok=True)
    if not os.access(data_dir, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(data_dir))
    free = shutil.disk_usage(data_dir).free
    if free < NEEDED_BYTES:
        raise LaunchError(
            f"The disk is full: {free // 2**20} MB are free at {data_dir}, {NEEDED_BYTES // 2**20} MB are needed.",
            remedy="Free some space, or set DATA_DIR to a directory on a larger disk.",
        )


def prepare_socket_dir(socket_path: Path) -> None:
    """Make the directory of the embedded Redis's socket and check that nobody else owns it.

    Raises `LaunchError` when somebody does: they could then read every message.
    """
    directory = socket_path.parent
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = directory.lstat()
    if status.st_uid != os.getuid() or status.st_mode & 0o022:
        raise LaunchError(
            f"{directory} belongs to somebody else or can be written by others.",
            remedy="Remove it, or set DATA_DIR to a shorter path.",
        )


def lock(data_dir: Path) -> int:
    """Claim ``data_dir`` for this process until it ends; its pid is in ``run/switchyard.pid``.

    Returns the descriptor that holds the claim. Raises `LaunchError` when another instance has it.
    """
    path = data_dir / "run" / "switchyard.pid"
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid = os.read(descriptor, 20).decode().strip()
            os.close(descriptor)
            raise LaunchError(
                f"Switchyard is already running on {data_dir} (pid {pid or 'unknown'}).",
                remedy="Stop it with Ctrl-C in its terminal, or give this one a DATA_DIR and a PORT of its own.",
            ) from None
        if _is_at(path, descriptor):
            break
        os.close(descriptor)  # the one before us removed the file between our open and our lock
    os.ftruncate(descriptor, 0)
    os.write(descriptor, f"{os.getpid()}\n".encode())
    return descriptor


def unlock(data_dir: Path, descriptor: int) -> None:
    """Give ``data_dir`` back."""
    (data_dir / "run" / "switchyard.pid").unlink(missing_ok=True)
    os.close(descriptor)


def check_ports(settings: Settings) -> None:
    """See that every port can be had.

    Raises `LaunchError` naming the one that cannot, and the setting that changes it.
    """
    for name, host, port in (
        ("PORT", settings.host, settings.port),
        ("SANDBOX_PORT", "127.0.0.1", settings.sandbox_port),
        ("FLOWER_PORT", "127.0.0.1", settings.flower_port),
        *([("WEBHOOK_PORT", settings.host, settings.webhook_port)] if settings.receiver else []),
    ):
        _check_port(name, host, port)


def _check_port(name: str, host: str, port: int) -> None:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen()  # on Linux two sockets may bind while neither listens
    except OSError as error:
        raise _port_refusal(name, host, port, error) from None


def _port_refusal(name: str, host: str, port: int, error: OSError) -> LaunchError:
    if error.errno == errno.EADDRINUSE:
        return LaunchError(
            f"Port {port} is taken by another program.",
            remedy=f"Stop that program, or choose another port: {name}={port + 1} bin/start",
        )
    if error.errno == errno.EACCES:
        return LaunchError(
            f"Port {port} is reserved for the administrator.", remedy=f"Set {name} to a port above 1023."
        )
    return LaunchError(
        f"{host} is not an address of this machine ({error.strerror}).",
        remedy="Set HOST to 127.0.0.1, to 0.0.0.0 for all addresses, or to one of this machine's own.",
    )


def _is_at(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False
