"""``flask webhook``: taking alerts apart from the pages."""

from __future__ import annotations

import os
import sys

import click

from app.cli.group import Commands
from app.config import PROJECT_ROOT
from app.extensions import settings

webhook = Commands("webhook", help="Taking alerts apart from the pages.")


@webhook.command()
@click.option("--host", help="Address to listen on; HOST by default.")
@click.option("--port", type=click.IntRange(1, 65535), help="Port to listen on; WEBHOOK_PORT by default.")
@click.option("--workers", type=click.IntRange(1, 64), help="Processes; WEB_WORKERS by default.")
def serve(host: str | None, port: int | None, workers: int | None) -> None:
    """Take alerts on a port of their own until stopped; what is in hand is answered first."""
    address = f"{_bracketed(host or settings.host)}:{port or settings.webhook_port}"
    command = [sys.executable, "-m", "gunicorn", "--config", "deploy/gunicorn.conf.py", "--bind", address]
    command += ["--workers", str(workers or settings.web_workers), "receiver:app"]
    click.echo(f"Alerts are taken on http://{address}/webhook/TOKEN", err=True)
    os.chdir(PROJECT_ROOT)
    # In place of this process, which has loaded the pages and every command.
    os.execv(command[0], command)  # noqa: S606


def _bracketed(host: str) -> str:
    """An address of IPv6 as it is written before a port."""
    return f"[{host}]" if ":" in host else host
