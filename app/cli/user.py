"""``flask user``: accounts."""

from __future__ import annotations

import sys

import click

from app.cli.group import Commands, reading_only
from app.cli.output import Row, json_option, show, show_one
from app.models import User
from app.services import users

user = Commands("user", help="Accounts of people.")


@user.command()
@click.argument("email")
@click.option("--admin/--no-admin", default=None, help="Administrator; by default only the first account is.")
@click.option(
    "--password-stdin", is_flag=True, help="Read the password from standard input, not from a prompt."
)
@json_option
def create(email: str, admin: bool | None, password_stdin: bool, as_json: bool) -> None:
    """Make an account for EMAIL."""
    if password_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    else:
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    show_one(_row(users.sign_up(email, password, is_admin=admin)), as_json=as_json)


@user.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List the accounts."""
    with reading_only():
        rows = [_row(found) for found in users.everyone()]
    columns = ("id", "email", "admin", "created_at", "last_login_at")
    show(rows, columns, as_json=as_json, nothing="No account yet: flask user create EMAIL")


def _row(found: User) -> Row:
    return {
        "id": found.id,
        "email": found.email,
        "admin": found.is_admin,
        "created_at": found.created_at,
        "last_login_at": found.last_login_at,
    }
