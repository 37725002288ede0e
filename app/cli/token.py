"""``flask token``: keys for programs that call the API."""

from __future__ import annotations

import click

from app.cli.group import Commands, Refusal, reading_only
from app.cli.output import Row, json_option, show, show_one
from app.cli.owner import owner, owner_option
from app.models import ApiToken
from app.services import tokens
from app.services.tokens import Scope

token = Commands("token", help="Tokens of the API.")

_COLUMNS = ("id", "name", "scopes", "created_at", "expires_at", "last_used_at")


@token.command()
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    type=click.Choice([scope.value for scope in Scope]),
    multiple=True,
    default=[Scope.READ.value],
    show_default=True,
    help="May be given several times.",
)
@click.option("--days", type=int, default=90, show_default=True, help="After so many days it expires.")
@owner_option
@json_option
def create(name: str, scopes: tuple[str, ...], days: int, email: str | None, as_json: bool) -> None:
    """Make a token called NAME and print it, which happens this once."""
    made, secret = tokens.create(owner(email), name, map(Scope, scopes), days=days)
    show_one({**_row(made), "token": secret}, as_json=as_json)


@token.command("list")
@owner_option
@json_option
def list_(email: str | None, as_json: bool) -> None:
    """List the tokens; what they are is not known any more."""
    with reading_only():
        rows = [_row(found) for found in tokens.of(owner(email))]
    show(rows, _COLUMNS, as_json=as_json, nothing="No token yet: flask token create NAME")


@token.command()
@click.argument("token_id", type=int, metavar="ID")
@owner_option
def revoke(token_id: int, email: str | None) -> None:
    """Refuse the token of this ID from now on."""
    found = tokens.find(owner(email), token_id)
    if found is None:
        raise Refusal(f"there is no token {token_id}", remedy="See the tokens: flask token list")
    tokens.revoke(found)
    click.echo(f"{found.name} is revoked.")


def _row(found: ApiToken) -> Row:
    return {
        "id": found.id,
        "name": found.name,
        "scopes": found.scopes,
        "created_at": found.created_at,
        "expires_at": found.expires_at,
        "last_used_at": found.last_used_at,
    }
