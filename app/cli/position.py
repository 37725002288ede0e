"""``flask position``: seeing what is held, moving its protection, closing it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import click

from app.cli.amounts import amount, price_or_percent
from app.cli.group import Commands, Refusal, reading_only
from app.cli.output import Row, json_option, show, show_one
from app.cli.owner import owner, owner_option
from app.cli.waiting import timeout_option, until
from app.domain.money import plain
from app.models import OrderRow, Position, PositionStatus, User
from app.services import positions, protection, standing, wishes
from app.services.standing import Standing

position = Commands("position", help="Positions: list, look, protect, close.")

_COLUMNS = (
    *("id", "broker", "symbol", "status", "quantity", "entry_price", "mark", "stop_loss", "take_profits"),
    *("unrealised", "realised", "fees", "age", "held"),
)
_ORDER_COLUMNS = ("id", "role", "side", "type", "status", "quantity", "price", "filled_quantity", "reason")
_IN_QUOTE = ("entry_price", "mark", "unrealised", "realised", "fees")


@position.command("list")
@click.option("--all", "closed_too", is_flag=True, help="Closed ones as well.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@owner_option
@json_option
def list_(closed_too: bool, limit: int, email: str | None, as_json: bool) -> None:
    """List what is held, with its protection, and what it would earn at the last price."""
    with reading_only():
        status = None if closed_too else PositionStatus.OPEN
        found = standing.of(positions.of(owner(email), status, limit=limit))
        rows = [_row(each) if as_json else _readable(each) for each in found]
    show(rows, _COLUMNS, as_json=as_json, nothing="Nothing is held.")


@position.command("show")
@click.argument("position_id", metavar="ID", type=int)
@owner_option
@json_option
def show_(position_id: int, email: str | None, as_json: bool) -> None:
    """Show a position with its orders, oldest first. Fees in a third asset are left out of its result."""
    with reading_only():
        found = _one(owner(email), position_id)
        stands = standing.story(found)
        orders = [_order_row(order) for order in stands.orders]
    left_out = stands.fees_left_out
    if as_json:
        show_one({**_row(stands), "fees_left_out": left_out, "orders": orders}, as_json=True)
        return
    show_one({**_readable(stands), "fees_left_out": left_out or "none"}, as_json=False)
    click.echo()
    show(orders, _ORDER_COLUMNS, as_json=False, nothing="It has no orders.")


@position.command()
@click.argument("position_id", metavar="ID", type=int)
@click.option("--percent", metavar="N", default="100", show_default=True, help="How much of what is held.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@timeout_option(30)
@owner_option
@json_option
def close(
    position_id: int, percent: str, yes: bool, timeout: float, email: str | None, as_json: bool
) -> None:
    """Sell a position, or a part of it, at the market; the rest stays guarded."""
    share = amount(percent)
    question = f"Sell {plain(share)} % of it at the market?"
    _change(
        position_id,
        lambda found: wishes.close(found, share),
        None if yes else question,
        timeout,
        email,
        as_json,
    )


@position.command()
@click.argument("position_id", metavar="ID", type=int)
@click.option("--stop-loss", metavar="PRICE|N%", help="A price, or percent below the entry.")
@click.option("--take-profit", metavar="PRICE|N%", help="A price, or percent above the entry.")
@click.option("--trailing", metavar="N%", help="Let the stop-loss follow the best price at this distance.")
@timeout_option(30)
@owner_option
@json_option
def move(
    position_id: int,
    stop_loss: str | None,
    take_profit: str | None,
    trailing: str | None,
    timeout: float,
    email: str | None,
    as_json: bool,
) -> None:
    """Move a position's protection; what is not named stays as it is."""
    if stop_loss is None and take_profit is None and trailing is None:
        raise Refusal(
            "there is nothing to move", remedy="Give --stop-loss, --take-profit or --trailing, or several."
        )

    def moved(found: Position) -> Position:
        return wishes.move(
            found,
            stop_loss=None if stop_loss is None else price_or_percent(stop_loss),
            take_profit=None if take_profit is None else price_or_percent(take_profit),
            trailing_percent=None if trailing is None else amount(trailing),
        )

    _change(position_id, moved, None, timeout, email, as_json)


@position.command("break-even")
@click.argument("position_id", metavar="ID", type=int)
@timeout_option(30)
@owner_option
@json_option
def break_even(position_id: int, timeout: float, email: str | None, as_json: bool) -> None:
    """Move the stop-loss to where a sale pays for the purchase and both fees."""
    _change(position_id, wishes.break_even, None, timeout, email, as_json)


@position.command()
@click.argument("position_id", metavar="ID", type=int)
@click.option("--yes", is_flag=True, help="Do not ask.")
@timeout_option(30)
@owner_option
@json_option
def reverse(position_id: int, yes: bool, timeout: float, email: str | None, as_json: bool) -> None:
    """Turn a position around. A spot market has no short positions: it is sold whole, and that is all."""
    click.echo(
        "  A spot market has no short positions: reversing sells the whole and opens nothing.", err=True
    )
    _change(
        position_id,
        wishes.reverse,
        None if yes else "Sell all of it at the market?",
        timeout,
        email,
        as_json,
    )


def _change(
    position_id: int,
    wish: Callable[[Position], Position],
    question: str | None,
    timeout: float,
    email: str | None,
    as_json: bool,
) -> None:
    """Write a wish down, after asking when there is a question, and wait until a worker has brought it about."""
    with reading_only():
        user = owner(email)
        [before] = standing.of([_one(user, position_id)])
        words = _in_words(before)
    click.echo(f"  {words}", err=True)
    if question is not None:
        click.confirm(question, abort=True, err=True)
    wish(before.position)

    def arrived() -> Standing | None:
        found = _one(user, position_id)
        [stands] = standing.of([found])
        return stands if found.alarm or protection.settled(found) else None

    after = until(arrived, doing=f"Changing position {position_id}", timeout=timeout)
    with reading_only():
        row = _row(after) if as_json else _readable(after)
    show_one(row, as_json=as_json)
    if after.position.alarm:
        raise Refusal(
            f"the position is {after.position.alarm}",
            remedy="It is being tried again: look at flask order list.",
        )


def _one(user: User, position_id: int) -> Position:
    found = positions.find(user, position_id)
    if found is None:
        raise Refusal(
            f"there is no position {position_id}", remedy="See the positions: flask position list --all"
        )
    return found


def _in_words(stands: Standing) -> str:
    held = stands.position
    base, _, quote = held.symbol.partition("/")
    bought = stands.rounded(held.entry_price)
    at = "" if bought is None else f" bought at {plain(bought)} {quote}"
    return (
        f"{plain(held.quantity)} {base}{at} on {held.broker.name} ({held.broker.environment}): {stands.held}"
    )


def _row(stands: Standing) -> Row:
    held = stands.position
    return {
        "id": held.id,
        "broker": held.broker.name,
        "symbol": held.symbol,
        "status": held.status.value,
        "quantity": held.quantity,
        "entry_price": held.entry_price,
        "mark": stands.mark,
        "stop_loss": held.stop_loss,
        "trailing_percent": held.trailing_percent,
        "take_profits": [
            {"price": target.price, "share": target.share, "status": target.status.value}
            for target in held.targets
        ],
        "held": stands.held,
        "alarm": held.alarm,
        "unrealised": stands.unrealised,
        "realised": held.realised,
        "fees": held.fees,
        "external": held.external,
        "opened_at": held.opened_at,
        "closed_at": held.closed_at,
        "age": round(stands.age.total_seconds()),
    }


def _readable(stands: Standing) -> Row:
    """The same for a person: money with the market's digits, the age in words."""
    row = {**_row(stands), "age": _in_days(stands.age)}
    row |= {name: stands.rounded(row[name]) for name in _IN_QUOTE}
    row["take_profits"] = ", ".join(
        f"{plain(target.price)} ({plain(target.share)} %)" for target in stands.position.targets
    )
    return row


def _in_days(age: timedelta) -> str:
    return str(timedelta(days=age.days, seconds=age.seconds))


def _order_row(order: OrderRow) -> Row:
    return {
        "id": order.id,
        "role": order.role.value,
        "side": order.side.value,
        "type": order.type.value,
        "status": order.status.value,
        "quantity": order.quantity,
        "price": order.average_price or order.price or order.trigger_price,
        "filled_quantity": order.filled_quantity,
        "reason": order.reason,
        "created_at": order.created_at,
    }
