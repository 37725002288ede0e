"""The environment, read once and checked, as one frozen `Settings`.

Every variable is listed in docs/configuration.md. Standard library only: the launcher reads it first.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import secrets
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from app.domain.errors import SwitchyardError

PROJECT_ROOT = Path(__file__).resolve().parent.parent

MODES = ("production", "development", "testing")
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
#: The secrets there are; each may instead stand in the file of its name under ``DATA_DIR/secrets``.
SECRET_VARIABLES = ("SECRET_KEY", "MASTER_KEY")
MASTER_KEY_BYTES = 32
SECRET_KEY_MINIMUM = 32
#: What notifications may be sent by unless NOTIFY_SCHEMES says otherwise: services that people use for it.
NOTIFY_SCHEMES = (
    *(
        "apprise",
        "apprises",
        "bark",
        "barks",
        "discord",
        "form",
        "forms",
        "gchat",
        "gotify",
        "gotifys",
        "hassio",
    ),
    *(
        "hassios",
        "ifttt",
        "json",
        "jsons",
        "mailto",
        "mailtos",
        "matrix",
        "matrixs",
        "mmost",
        "mmosts",
        "ntfy",
    ),
    *(
        "ntfys",
        "opsgenie",
        "pagerduty",
        "pbul",
        "pover",
        "prowl",
        "rocket",
        "rockets",
        "signal",
        "signals",
        "slack",
    ),
    *("tgram", "twilio", "whatsapp", "workflows", "xml", "xmls", "zulip"),
)

# A socket's path must fit into sun_path: 104 bytes on macOS, 108 on Linux, with the closing zero.
_SOCKET_PATH_LIMIT = 100
_SQLALCHEMY_SCHEMES = {
    "sqlite": "sqlite",
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}


class ConfigurationError(SwitchyardError):
    """A setting is missing or makes no sense; the message names the variable."""

    remedy = "Correct the environment variable; docs/configuration.md lists them all."


@dataclass(frozen=True, slots=True)
class Settings:
    """All that the environment decides. Ports are TCP ports, paths absolute; secrets stay out of ``repr``."""

    mode: str
    data_dir: Path
    host: str
    port: int
    webhook_port: int
    """Of the receiver that stands apart from the pages."""
    receiver: bool
    """Whether bin/start runs that receiver as well."""
    sandbox_port: int
    flower_port: int
    sandbox_url: str
    dry_run: bool
    demo: bool
    log_level: str
    registration_open: bool
    trusted_proxies: int
    web_workers: int
    web_threads: int
    orders_concurrency: int
    sync_concurrency: int
    embedded_redis: bool
    notify_schemes: frozenset[str]
    """Of the Apprise addresses that notifications may go to."""
    notify_private: bool
    """Whether notifications may go to addresses that are not on the public internet."""
    database_url: str = field(repr=False)
    """In SQLAlchemy's form."""
    redis_url: str = field(repr=False)
    """In redis-py's form."""
    secret_key: str = field(repr=False)
    master_key: bytes = field(repr=False)
    """32 bytes under which the exchange keys are encrypted."""

    @property
    def testing(self) -> bool:
        """Whether this is a test run."""
        return self.mode == "testing"

    @property
    def run_dir(self) -> Path:
        """Where pid files and sockets live."""
        return self.data_dir / "run"

    @property
    def log_dir(self) -> Path:
        """Where each process has its log file."""
        return self.data_dir / "log"

    @property
    def redis_socket(self) -> Path:
        """The unix socket of the embedded Redis."""
        return redis_socket(self.data_dir)

    @property
    def celery_broker_url(self) -> str:
        """`redis_url` in kombu's form, which names unix sockets differently."""
        parts = urlsplit(self.redis_url)
        if parts.scheme != "unix":
            return self.redis_url
        query = f"?{parts.query.replace('db=', 'virtual_host=')}" if parts.query else ""
        return f"redis+socket://{parts.path}{query}"

    @property
    def limits_url(self) -> str:
        """`redis_url` in the form of the library that counts requests, which names unix sockets differently again."""
        return self.redis_url.replace("unix://", "redis+unix://", 1)

    @property
    def sqlite_file(self) -> Path | None:
        """The database's file, or None when the database is a server."""
        prefix = "sqlite:///"
        return Path(self.database_url.removeprefix(prefix)) if self.database_url.startswith(prefix) else None

    @property
    def flower_credentials(self) -> tuple[str, str]:
        """User and password of Flower, known to it and to the web process, which alone may ask it."""
        password = hmac.new(self.secret_key.encode(), b"flower", hashlib.sha256).hexdigest()
        return "switchyard", password

    @property
    def audit_key(self) -> bytes:
        """Under which the audit chain is sealed: whoever has the database alone cannot make a seal."""
        return hmac.new(self.master_key, b"audit chain", hashlib.sha256).digest()

    @property
    def webhook_key(self) -> bytes:
        """Under which alerts and their secrets are hashed: whoever has the database alone cannot try words on them."""
        return hmac.new(self.master_key, b"webhook secrets", hashlib.sha256).digest()


def load_settings(environ: Mapping[str, str]) -> Settings:
    """Read and check every setting in ``environ``; an empty variable counts as unset.

    Raises `ConfigurationError` naming the variable and the remedy, also for a secret that is missing
    outside of tests.
    """
    read = _Reader(environ)
    mode = read.choice("SWITCHYARD_ENV", MODES, "production")
    data_dir = data_directory(environ)
    sandbox_port = read.integer("SANDBOX_PORT", 8100, 1, 65535)
    redis_url = read.text("REDIS_URL", "")
    settings = Settings(
        mode=mode,
        data_dir=data_dir,
        host=read.text("HOST", "127.0.0.1"),
        port=read.integer("PORT", 8000, 1, 65535),
        webhook_port=read.integer("WEBHOOK_PORT", 8888, 1, 65535),
        receiver=read.flag("RECEIVER", False),
        sandbox_port=sandbox_port,
        flower_port=read.integer("FLOWER_PORT", 5555, 1, 65535),
        sandbox_url=_http_url("SANDBOX_URL", read.text("SANDBOX_URL", f"http://127.0.0.1:{sandbox_port}")),
        dry_run=read.flag("DRY_RUN", False),
        demo=read.flag("DEMO", False),
        log_level=read.choice("LOG_LEVEL", LOG_LEVELS, "INFO"),
        registration_open=read.choice("REGISTRATION", ("open", "closed"), "open") == "open",
        trusted_proxies=read.integer("TRUSTED_PROXIES", 0, 0, 10),
        web_workers=read.integer("WEB_WORKERS", 2, 1, 64),
        web_threads=read.integer("WEB_THREADS", 32, 1, 512),
        orders_concurrency=read.integer("ORDERS_CONCURRENCY", 8, 1, 256),
        sync_concurrency=read.integer("SYNC_CONCURRENCY", 8, 1, 256),
        embedded_redis=not redis_url,
        notify_schemes=frozenset(read.words("NOTIFY_SCHEMES", NOTIFY_SCHEMES)),
        notify_private=read.flag("NOTIFY_PRIVATE", False),
        database_url=_database_url(read.text("DATABASE_URL", f"sqlite:///{data_dir / 'switchyard.db'}")),
        redis_url=_redis_url(redis_url) if redis_url else f"unix://{redis_socket(data_dir)}?db=0",
        secret_key=_checked_secret_key(_secret(environ, mode, "SECRET_KEY")),
        master_key=_decoded_master_key(_secret(environ, mode, "MASTER_KEY")),
    )
    _refuse_shared_ports(settings)
    return settings


def data_directory(environ: Mapping[str, str]) -> Path:
    """The absolute DATA_DIR; a relative one is relative to the project, wherever the command was typed."""
    return PROJECT_ROOT / Path(_Reader(environ).text("DATA_DIR", "var")).expanduser()


def redis_socket(data_dir: Path) -> Path:
    """The embedded Redis's socket, in a short directory of its own when ``data_dir`` is too long for one."""
    path = data_dir / "run" / "redis.sock"
    if len(os.fsencode(path)) <= _SOCKET_PATH_LIMIT:
        return path
    digest = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]
    # Not gettempdir(): every process must find the same socket, whatever its TMPDIR. The launcher makes the
    # directory with mode 0700 and refuses one that belongs to somebody else.
    return Path("/tmp") / f"switchyard-{os.getuid()}-{digest}" / "redis.sock"  # noqa: S108


def generate_secrets(data_dir: Path) -> None:
    """Write the secrets that ``data_dir`` lacks, each readable by its owner only; never overwrites one.

    Raises `OSError` when the directory cannot be written.
    """
    directory = data_dir / "secrets"
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    directory.chmod(0o700)
    new_values = {
        "secret_key": secrets.token_urlsafe(48),
        "master_key": base64.urlsafe_b64encode(secrets.token_bytes(MASTER_KEY_BYTES)).decode(),
    }
    for name, value in new_values.items():
        _write_once(directory / name, value + "\n")


def _write_once(path: Path, text: str) -> None:
    """Create ``path`` whole or not at all: a half-written key must never be taken for one."""
    if path.exists():
        return
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            return
    finally:
        draft.unlink(missing_ok=True)


class _Reader:
    """Typed look-ups in an environment, each refusal naming its variable."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def text(self, name: str, default: str) -> str:
        return self._environ.get(name, "").strip() or default

    def words(self, name: str, default: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(self.text(name, "").lower().replace(",", " ").split()) or default

    def choice(self, name: str, allowed: tuple[str, ...], default: str) -> str:
        value = self.text(name, default)
        for candidate in allowed:
            if value.lower() == candidate.lower():
                return candidate
        raise ConfigurationError(
            f"{name} is {value!r}.", remedy=f"Set {name} to one of: {', '.join(allowed)}."
        )

    def integer(self, name: str, default: int, lowest: int, highest: int) -> int:
        value = self.text(name, str(default))
        if value.isascii() and value.isdigit() and lowest <= int(value) <= highest:
            return int(value)
        raise ConfigurationError(
            f"{name} is {value!r}.", remedy=f"Set {name} to a whole number from {lowest} to {highest}."
        )

    def flag(self, name: str, default: bool) -> bool:
        value = self.text(name, "1" if default else "0").lower()
        if value in {"1", "true", "yes", "on"}:
            return True
        if value in {"0", "false", "no", "off"}:
            return False
        raise ConfigurationError(f"{name} is {value!r}.", remedy=f"Set {name} to 1 or 0.")


def _http_url(name: str, url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise ConfigurationError(
            f"{name} is not a web address.", remedy=f"Set {name} like http://127.0.0.1:8100."
        )
    return url.rstrip("/")


def _database_url(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    driver = _SQLALCHEMY_SCHEMES.get(scheme)
    if driver is None or not separator:
        # The URL itself is not repeated: it may hold a password.
        raise ConfigurationError(
            "DATABASE_URL names no database that is supported.",
            remedy="Set DATABASE_URL like postgresql://user:password@host/name; unset, it is SQLite.",
        )
    return f"{driver}://{rest}"


def _redis_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme == "redis+socket":
        query = f"?{parts.query.replace('virtual_host=', 'db=')}" if parts.query else ""
        return f"unix://{parts.path}{query}"
    if (parts.scheme == "unix" and parts.path) or (parts.scheme in {"redis", "rediss"} and parts.hostname):
        return url
    raise ConfigurationError(
        "REDIS_URL is not the address of a Redis.",
        remedy="Set REDIS_URL like redis://127.0.0.1:6379/0 or unix:///run/redis.sock, or leave it unset.",
    )


def _secret(environ: Mapping[str, str], mode: str, name: str) -> str:
    """The secret from its variable, else from its file; a throwaway one in tests."""
    if value := _Reader(environ).text(name, ""):
        return value
    path = data_directory(environ) / "secrets" / name.lower()
    try:
        status = path.stat()
        if stat.S_IMODE(status.st_mode) & 0o077:
            raise ConfigurationError(f"{path} can be read by others.", remedy=f"Run: chmod 600 {path}")
        return path.read_text().strip()
    except FileNotFoundError:
        if mode == "testing":
            return secrets.token_urlsafe(MASTER_KEY_BYTES) + "="
        raise ConfigurationError(
            f"{name} is not set and {path} does not exist.",
            remedy=f"Run bin/start --setup-only, which generates it, or set {name}.",
        ) from None
    except PermissionError:
        raise ConfigurationError(
            f"{path} cannot be read by this user.", remedy="Run as the user that owns DATA_DIR."
        ) from None


def _checked_secret_key(value: str) -> str:
    if len(value) < SECRET_KEY_MINIMUM:
        raise ConfigurationError(
            "SECRET_KEY is too short to protect sessions.",
            remedy=f"Set SECRET_KEY to at least {SECRET_KEY_MINIMUM} random characters, or leave it unset.",
        )
    return value


def _decoded_master_key(value: str) -> bytes:
    try:
        key = base64.b64decode(value, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) == MASTER_KEY_BYTES:
        return key
    # From None and without the value: the key must not show up in a traceback.
    raise ConfigurationError(
        "MASTER_KEY is not a key of 32 bytes in base64.",
        remedy="Set MASTER_KEY to the value it had when the brokers were added; unset, its file is used.",
    )


def _refuse_shared_ports(settings: Settings) -> None:
    taken: dict[int, str] = {}
    ports = {
        "PORT": settings.port,
        "SANDBOX_PORT": settings.sandbox_port,
        "FLOWER_PORT": settings.flower_port,
    }
    if settings.receiver:
        ports["WEBHOOK_PORT"] = settings.webhook_port
    for name, port in ports.items():
        if port in taken:
            raise ConfigurationError(
                f"{name} and {taken[port]} are both {port}.", remedy=f"Give {name} a port of its own."
            )
        taken[port] = name
