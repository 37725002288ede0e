"""``flask order``: placing, listing and cancelling."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import click

from app.cli.amounts import amount, price_or_percent
from app.cli.group import Commands, Refusal, reading_only
from app.cli.output import Row, json_option, show, show_one
from app.cli.owner import broker_named, owner, owner_option
from app.cli.waiting import timeout_option, until
from app.domain.money import plain
from app.domain.orders import (
    OrderDraft,
    OrderStatus,
    OrderType,
    PriceOrPercent,
    Side,
    TargetWish,
    TimeInForce,
)
from app.models import Broker, OrderOrigin, OrderRow, User
from app.services import orders, outlook, planning, timeline
from app.services.orders import OrderFilter

order = Commands("order", help="Orders: place, list, cancel.")

_COLUMNS = (
    *("id", "created_at", "broker", "symbol", "side", "type", "role"),
    *("status", "quantity", "filled_quantity", "average_price", "own_ms", "exchange_ms", "reason"),
)
_SUMMARY = (*_COLUMNS, "client_order_id", "exchange_order_id", "remedy")
_WAITING = (OrderStatus.PENDING, OrderStatus.SUBMITTED)
_FAILED = (OrderStatus.REJECTED, OrderStatus.DENIED, OrderStatus.EXPIRED)


@order.command()
@click.argument("side", type=click.Choice(Side, case_sensitive=False))
@click.argument("symbol")
@click.option("--quantity", metavar="AMOUNT", help="Size in base.")
@click.option("--quote-quantity", metavar="AMOUNT", help="Size in quote.")
@click.option("--percent", metavar="PERCENT", help="Size as a share of the free balance.")
@click.option("--price", help="A limit order at this price; without it a market order.")
@click.option("--stop-loss", metavar="PRICE|N%", help="Guard a buy: a price, or percent below the entry.")
@click.option("--take-profit", metavar="PRICE|N%", help="A price, or percent above the entry.")
@click.option(
    "--target", "targets", multiple=True, metavar="PRICE|N%:SHARE", help="One of several take-profits."
)
@click.option("--trailing", metavar="N%", help="Let the stop-loss follow the best price at this distance.")
@click.option(
    "--time-in-force", type=click.Choice(TimeInForce, case_sensitive=False), default=TimeInForce.GTC
)
@click.option("--post-only", is_flag=True)
@click.option("--broker", "broker_name", help="The main one by default.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--wait/--no-wait", default=True, help="Wait for the exchange's answer.")
@timeout_option(30)
@owner_option
@json_option
def place(
    side: Side,
    symbol: str,
    quantity: str | None,
    quote_quantity: str | None,
    percent: str | None,
    price: str | None,
    stop_loss: str | None,
    take_profit: str | None,
    targets: Sequence[str],
    trailing: str | None,
    time_in_force: TimeInForce,
    post_only: bool,
    broker_name: str | None,
    yes: bool,
    wait: bool,
    timeout: float,
    email: str | None,
    as_json: bool,
) -> None:
    """Place an order to buy or sell SYMBOL. What would be sent is shown first."""
    draft = OrderDraft(
        symbol=symbol,
        side=side,
        type=OrderType.MARKET if price is None else OrderType.LIMIT,
        quantity=_amount(quantity),
        quote_quantity=_amount(quote_quantity),
        percent=_amount(percent),
        price=_amount(price),
        time_in_force=time_in_force,
        post_only=post_only,
        stop_loss=_guard(stop_loss),
        take_profit=_guard(take_profit),
        targets=tuple(_target(text) for text in targets),
        trailing_percent=_amount(trailing),
    )
    with reading_only():
        user = owner(email)
        broker = broker_named(user, broker_name)
        _preview(broker, draft)
    if not yes:
        click.confirm("Place it?", abort=True, err=True)
    placed = orders.place(broker, draft, OrderOrigin.CLI)
    if wait:
        placed = _await(user, placed.id, _WAITING, doing="Placing the order", timeout=timeout)
    with reading_only():
        whole = _row(placed)
    show_one(whole if as_json else {name: whole[name] for name in _SUMMARY}, as_json=as_json)
    if placed.status in _FAILED:
        raise Refusal(
            f"the order is {placed.status.lower()}: {placed.reason}",
            remedy=placed.remedy or "Change what the reason names.",
        )


@order.command("list")
@click.option("--tab", type=click.Choice(list(orders.TABS)), default="all", show_default=True)
@click.option("--alert", "alert_id", type=int, metavar="ID", help="Only the orders an alert led to.")
@click.option("--broker", "broker_name", help="Only this broker's.")
@click.option("--symbol", help="Only symbols that contain this.")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True)
@owner_option
@json_option
def list_(
    tab: str,
    alert_id: int | None,
    broker_name: str | None,
    symbol: str | None,
    limit: int,
    email: str | None,
    as_json: bool,
) -> None:
    """List orders, newest first, with the milliseconds of each hop."""
    with reading_only():
        user = owner(email)
        broker_id = None if broker_name is None else broker_named(user, broker_name).id
        wanted = OrderFilter(tab=tab, alert_id=alert_id, broker_id=broker_id, symbol=symbol, per_page=limit)
        rows = [_row(found) for found in orders.listing(user, wanted)[0]]
    show(rows, _COLUMNS, as_json=as_json, nothing="No such order.")


@order.command()
@click.argument("order_ids", metavar="ID...", type=int, nargs=-1)
@click.option("--all", "all_open", is_flag=True, help="Every open order (of --broker, when given).")
@click.option("--broker", "broker_name", help="With --all: only this broker's.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@timeout_option(30)
@owner_option
@json_option
def cancel(
    order_ids: Sequence[int],
    all_open: bool,
    broker_name: str | None,
    yes: bool,
    timeout: float,
    email: str | None,
    as_json: bool,
) -> None:
    """Cancel the orders with these IDs, or every open one."""
    with reading_only():
        user = owner(email)
        found = _open_orders(user, broker_name) if all_open else [_one(user, number) for number in order_ids]
    if not found:
        raise Refusal("there is nothing to cancel", remedy="Give the ID of an order, or --all.")
    for each in found:
        click.echo(f"  {_in_words(each)}", err=True)
    if not yes:
        click.confirm(f"Cancel {len(found)} order(s)?", abort=True, err=True)
    for each in found:
        orders.cancel(each)
    ended = [
        _await(user, each.id, None, doing=f"Cancelling order {each.id}", timeout=timeout) for each in found
    ]
    show([_row(each) for each in ended], _COLUMNS, as_json=as_json, nothing="")


def _open_orders(user: User, broker_name: str | None) -> list[OrderRow]:
    broker_id = None if broker_name is None else broker_named(user, broker_name).id
    return list(orders.listing(user, OrderFilter(tab="open", broker_id=broker_id, per_page=1000))[0])


def _amount(text: str | None) -> Decimal | None:
    return None if text is None else amount(text)


def _guard(text: str | None) -> PriceOrPercent | None:
    return None if text is None else price_or_percent(text)


def _target(text: str) -> TargetWish:
    at, _, share = text.partition(":")
    return TargetWish(price_or_percent(at), amount(share))


def _preview(broker: Broker, draft: OrderDraft) -> None:
    planned = planning.preview(broker, draft)
    request = planned.request
    size = request.quantity, planned.market.base
    if request.quote_quantity is not None:
        size = request.quote_quantity, f"{planned.market.quote} worth of {planned.market.base}"
    at = "the market" if request.price is None else f"{plain(request.price)} {planned.market.quote}"
    click.echo(
        f"{request.side} {_plain(size[0])} {size[1]} at {at} on {broker.name} ({broker.environment})",
        err=True,
    )
    if planned.cost is not None:
        click.echo(f"  worth {plain(planned.cost)} {planned.market.quote}", err=True)
    for sentence in outlook.of(broker, draft, planned):
        click.echo(f"  {sentence}", err=True)
    for warning in planned.warnings:
        click.secho(f"  {warning}", err=True, fg="yellow")


def _plain(value: Decimal | None) -> str:
    return "-" if value is None else plain(value)


def _await(
    user: User, order_id: int, waiting: Sequence[OrderStatus] | None, *, doing: str, timeout: float
) -> OrderRow:
    """The order once it is in none of the ``waiting`` states; once it is at its end when those are None."""

    def arrived() -> OrderRow | None:
        row = _one(user, order_id)
        there = row.status.is_final if waiting is None else row.status not in waiting
        return row if there else None

    return until(arrived, doing=doing, timeout=timeout)


def _one(user: User, order_id: int) -> OrderRow:
    found = orders.find(user, order_id)
    if found is None:
        raise Refusal(f"there is no order {order_id}", remedy="See the orders: flask order list")
    return found


def _in_words(row: OrderRow) -> str:
    return f"{row.id}: {row.side} {_plain(row.quantity or row.quote_quantity)} {row.symbol}, {row.status}"


def _row(row: OrderRow) -> Row:
    way = timeline.of(row)
    return {
        "id": row.id,
        "alert_id": row.alert_id,
        "parent_id": row.parent_id,
        "broker": row.broker.name,
        "role": row.role.value,
        "symbol": row.symbol,
        "side": row.side.value,
        "type": row.type.value,
        "status": row.status.value,
        "quantity": row.quantity,
        "quote_quantity": row.quote_quantity,
        "price": row.price,
        "trigger_price": row.trigger_price,
        "stop_loss": row.stop_loss,
        "take_profit": row.take_profit,
        "targets": row.targets,
        "trailing_percent": row.trailing_percent,
        "filled_quantity": row.filled_quantity,
        "average_price": row.average_price,
        "cost": row.cost,
        "client_order_id": row.client_order_id,
        "exchange_order_id": row.exchange_order_id,
        "reason": row.reason,
        "remedy": row.remedy,
        "created_at": row.created_at,
        "hops": [{"name": hop.name, "at": hop.at, "ms": round(hop.ms, 3)} for hop in way.hops],
        "exchange_ms": None if way.exchange_ms is None else round(way.exchange_ms, 3),
        "own_ms": round(way.ours_ms, 3),
    }
