"""``flask sandbox``: the simulated exchange."""

from __future__ import annotations

import click

from app.cli.group import Commands, Refusal
from app.extensions import settings

sandbox = Commands("sandbox", help="The simulated exchange.")


@sandbox.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(1, 65535), help="SANDBOX_PORT by default.")
@click.option("--seed", type=int, default=1, show_default=True, help="Fixes prices and history.")
@click.option("--walk/--no-walk", default=True, show_default=True, help="Let prices move.")
@click.option(
    "--interval", type=click.FloatRange(min=0.01), default=1.0, show_default=True, help="Seconds a move."
)
@click.option(
    "--limits/--no-limits", default=True, show_default=True, help="Refuse what exceeds a rate limit."
)
@click.option("--allow-remote", is_flag=True, help="Let HOST be an address that others reach.")
def run(
    host: str, port: int | None, seed: int, walk: bool, interval: float, limits: bool, allow_remote: bool
) -> None:
    """Serve every exchange's dialect until interrupted."""
    from app.sandbox import server  # only this command pays for it

    where = port or settings.sandbox_port
    click.echo(f"The sandbox serves http://{host}:{where}/<exchange>; stop it with Ctrl-C.", err=True)
    try:
        server.run(
            host, where, seed=seed, walk=walk, interval=interval, limits=limits, allow_remote=allow_remote
        )
    except ValueError as error:
        raise Refusal(str(error), remedy="Serve 127.0.0.1, or give --allow-remote.") from None
    except OSError as error:
        raise Refusal(
            f"{host}:{where} cannot be listened on: {error.strerror}", remedy="Choose another --port."
        ) from None
