"""``flask user``: accounts."""

from __future__ import annotations

import sys

import click

from app.cli.group import Commands, reading_only
from app.cli.output import Row, json_option, show, show_one
from app.cli.owner import owner
from app.models import User
from app.services import login_sessions, second_factor, users

user = Commands("user", help="Accounts of people.")

_password_option = click.option(
    "--password-stdin", is_flag=True, help="Read the password from standard input, not from a prompt."
)


@user.command()
@click.argument("email")
@click.option("--admin/--no-admin", default=None, help="Administrator; by default only the first account is.")
@_password_option
@json_option
def create(email: str, admin: bool | None, password_stdin: bool, as_json: bool) -> None:
    """Make an account for EMAIL."""
    show_one(_row(users.sign_up(email, _password(password_stdin), is_admin=admin)), as_json=as_json)


@user.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List the accounts."""
    with reading_only():
        rows = [_row(found) for found in users.everyone()]
    columns = ("id", "email", "admin", "created_at", "last_login_at")
    show(rows, columns, as_json=as_json, nothing="No account yet: flask user create EMAIL")


@user.command("set-password")
@click.argument("email")
@_password_option
def set_password(email: str, password_stdin: bool) -> None:
    """Give the account of EMAIL another password and log it out everywhere."""
    users.change_password(owner(email), _password(password_stdin))
    click.echo(f"{email} has a new password and is logged out everywhere.")


@user.command("reset-2fa")
@click.argument("email")
def reset_2fa(email: str) -> None:
    """Turn the second factor of EMAIL off and log the account out everywhere."""
    found = owner(email)
    was_on = second_factor.turn_off(found)
    login_sessions.end_all(found)
    click.echo(f"{email} logs in by the password alone." if was_on else f"{email} has no second factor.")


@user.command()
@click.argument("email")
def close(email: str) -> None:
    """Keep EMAIL and their programs out; what they hold stays guarded."""
    users.close_account(owner(email))
    click.echo(f"{email} is closed. Stop their entries with: flask halt start --user {email}")


@user.command()
@click.argument("email")
def reopen(email: str) -> None:
    """Let EMAIL in again."""
    users.reopen_account(owner(email))
    click.echo(f"{email} is open again.")


@user.command()
@click.argument("email")
@click.option("--admin/--no-admin", required=True)
def role(email: str, admin: bool) -> None:
    """Make EMAIL an administrator, or no longer one."""
    users.set_admin(owner(email), admin)
    click.echo(f"{email} is {'an administrator' if admin else 'no administrator'}.")


def _password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    typed: str = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    return typed


def _row(found: User) -> Row:
    return {
        "id": found.id,
        "email": found.email,
        "admin": found.is_admin,
        "closed_at": found.closed_at,
        "created_at": found.created_at,
        "last_login_at": found.last_login_at,
    }
