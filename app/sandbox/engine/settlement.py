"""What an order holds and what a fill moves: the only place where balances change hands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import Enum, auto

from app.domain.money import floor_to_step
from app.sandbox.engine.account import Account
from app.sandbox.engine.instrument import Instrument
from app.sandbox.engine.market import Level, Market
from app.sandbox.engine.model import ZERO, Fill, Order, OrderSpec, OrderType, Side, State

_FEE_UNIT = Decimal("0.00000001")


class ClientIds(Enum):
    """How long a client order id stays taken."""

    WHILE_OPEN = auto()
    FOREVER = auto()
    NEVER = auto()


@dataclass(frozen=True, slots=True)
class VenueRules:
    """In what one exchange's trading differs from another's.

    ``maker`` and ``taker`` are fee fractions. Unless an order says otherwise, sells pay in quote;
    ``buy_fee_in_quote`` says whether buys do too. A fee in the asset that is paid with is held along with it.
    ``triggers_hold``: whether an untriggered order already locks balance, unless it says otherwise; one that does not
    executes whole or not at all when it triggers. ``passed_triggers_refused``: whether an order whose trigger has been
    reached already is refused, or triggers at once. ``post_only_refused``: whether a crossing post-only order is
    refused, or accepted and then cancelled.
    """

    maker: Decimal
    taker: Decimal
    buy_fee_in_quote: bool = False
    triggers_hold: bool = True
    passed_triggers_refused: bool = True
    post_only_refused: bool = True
    client_ids: ClientIds = ClientIds.WHILE_OPEN

    def fee_in_quote(self, spec: OrderSpec) -> bool:
        """Whether an order's fee is paid in quote rather than in base."""
        if spec.fee_in_quote is not None:
            return spec.fee_in_quote
        return spec.side is Side.SELL or self.buy_fee_in_quote

    def holds_untriggered(self, spec: OrderSpec) -> bool:
        """Whether an order holds balance while it waits for its trigger."""
        return self.triggers_hold if spec.holds is None else spec.holds

    def markup(self, spec: OrderSpec) -> Decimal:
        """What an order costs per unit it pays with, fee included where that is paid in the same asset."""
        return 1 + self.taker if self.fee_in_quote(spec) is (spec.side is Side.BUY) else Decimal(1)


@dataclass(frozen=True, slots=True)
class Settlement:
    """Holds and fills under one exchange's rules."""

    rules: VenueRules

    def reserve(self, order: Order) -> Decimal:
        """What an order has to hold now: base for a sell, quote for a buy."""
        if not order.live or order.state is State.PENDING:
            return ZERO
        if order.waits_for_trigger and not self.rules.holds_untriggered(order.spec):
            return ZERO
        markup = self.rules.markup(order.spec)
        if order.side is Side.SELL:
            return order.remaining * markup
        price = order.price if order.price is not None else order.trigger_price
        return order.remaining * price * markup if price is not None else ZERO

    def needed(self, orders: Sequence[Order], market: Market) -> Decimal:
        """What must be free for these orders, which exclude each other, to be accepted."""
        return max(self._needed(order, market) for order in orders)

    def _needed(self, order: Order, market: Market) -> Decimal:
        at_market = order.spec.type is OrderType.MARKET or (order.triggered and order.price is None)
        if not at_market or order.side is Side.SELL:
            return self.reserve(order)
        if order.spec.quote_quantity is not None:
            return order.spec.quote_quantity * self.rules.markup(order.spec)
        cost = sum((x.price * x.quantity for x in market.sweep(Side.BUY, order.quantity)), ZERO)
        return cost * self.rules.markup(order.spec)

    def brought_in(self, order: Order, instrument: Instrument) -> Decimal:
        """What an order moved, in whole lots of base: for a buy what is left of it after the fee."""
        fee = order.fees.get(instrument.base, ZERO) if order.side is Side.BUY else ZERO
        return floor_to_step(order.filled - fee, instrument.lot)

    def payable(self, order: Order, account: Account, market: Market) -> Decimal:
        """How much of a triggered order's remainder its owner can pay for, in base."""
        budget = account.balance(held_asset(order, market.instrument)).free + _sharers(order)[0].held
        markup = self.rules.markup(order.spec)
        if markup > 1:
            budget /= markup
        if order.side is Side.SELL:
            return min(order.remaining, floor_to_step(budget, market.instrument.lot))
        if order.price is None:
            return min(order.remaining, market.quantity_for(Side.BUY, budget))
        return min(order.remaining, budget / order.price)

    def unpaid(self, order: Order, account: Account, market: Market) -> bool:
        """Whether the owner of a triggered order cannot pay for all of it."""
        budget = account.balance(held_asset(order, market.instrument)).free + _sharers(order)[0].held
        return self._needed(order, market) > budget

    def shortfall(self, order: Order, account: Account, instrument: Instrument) -> Decimal:
        """How much more an open order has to hold than its owner has; not positive when it can be held."""
        return (
            self.reserve(order)
            - _sharers(order)[0].held
            - account.balance(held_asset(order, instrument)).free
        )

    def hold(self, order: Order, account: Account, instrument: Instrument) -> None:
        """Bring the balance held for an order, and for the exits it shares a hold with, to what they need now."""
        sharers = _sharers(order)
        needed = max(self.reserve(sharer) for sharer in sharers)
        account.lock(held_asset(order, instrument), needed - sharers[0].held)
        sharers[0].held = needed

    def release(self, order: Order, account: Account, instrument: Instrument) -> None:
        """Free what is held for an order, so that its fills are paid from the free balance."""
        bearer = _sharers(order)[0]
        account.lock(held_asset(order, instrument), -bearer.held)
        bearer.held = ZERO

    def exchange(
        self,
        order: Order,
        level: Level,
        account: Account,
        instrument: Instrument,
        *,
        maker: bool,
        trade_id: int,
        at: int,
    ) -> Fill:
        """Swap base against quote at one price, fee included, and write it on the order."""
        cost = level.price * level.quantity
        base, quote = account.balance(instrument.base), account.balance(instrument.quote)
        rate = self.rules.maker if maker else self.rules.taker
        in_base = not self.rules.fee_in_quote(order.spec)
        fee = ((level.quantity if in_base else cost) * rate).quantize(_FEE_UNIT, ROUND_HALF_UP)
        sign = 1 if order.side is Side.BUY else -1
        base.free += sign * level.quantity
        quote.free -= sign * cost
        (base if in_base else quote).free -= fee
        fill = Fill(
            trade_id=trade_id,
            order_id=order.id,
            symbol=order.symbol,
            side=order.side,
            price=level.price,
            quantity=level.quantity,
            cost=cost,
            fee=fee,
            fee_asset=instrument.base if in_base else instrument.quote,
            maker=maker,
            at=at,
        )
        order.filled += fill.quantity
        order.cost += cost
        order.fees[fill.fee_asset] = order.fees.get(fill.fee_asset, ZERO) + fee
        order.fills.append(fill)
        account.fills.append(fill)
        return fill


def held_asset(order: Order, instrument: Instrument) -> str:
    """The asset an order pays with."""
    return instrument.quote if order.side is Side.BUY else instrument.base


def _sharers(order: Order) -> tuple[Order, ...]:
    """The orders one hold serves, both exits of an OCO or the order alone; it is written on the first of them."""
    return order.group.exits if order.group is not None and order in order.group.exits else (order,)
