"""How positions stand: what a person wants to see of them, at the last prices known."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import ROUND_HALF_EVEN, Decimal

from app.domain.accounts import Environment
from app.domain.markets import Market
from app.domain.money import EXACT
from app.domain.positions import Holding, unrealised
from app.models import FillRow, OrderRow, Position, PositionStatus, utc_now
from app.services import catalog, positions, prices, protection

_ZERO = Decimal(0)
_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Standing:
    """A position and where it stands. ``mark`` is the last price known, in quote, None when there is none."""

    position: Position
    market: Market | None
    mark: Decimal | None

    @property
    def side(self) -> str:
        """A spot market has no short positions."""
        return "LONG"

    @property
    def unrealised(self) -> Decimal | None:
        """What selling the rest at the mark would earn, in quote, before the fee of that sale."""
        if self.mark is None or not self.position.quantity:
            return None
        return unrealised(Holding(quantity=self.position.quantity, cost=self.position.cost), self.mark)

    @property
    def unrealised_percent(self) -> Decimal | None:
        """The same in percent of what the held part cost."""
        gain = self.unrealised
        if gain is None or not self.position.cost:
            return None
        return EXACT.divide(gain * 100, self.position.cost).quantize(_CENT)

    @property
    def age(self) -> timedelta:
        """How long it has been open, or was."""
        return (self.position.closed_at or utc_now()) - self.position.opened_at

    @property
    def held(self) -> str:
        """In words, how it is guarded, or why it is over."""
        if self.position.status is PositionStatus.CLOSED:
            return self.position.closed_because or "closed"
        return protection.how_held(self.position)

    def rounded(self, amount: Decimal | None) -> Decimal | None:
        """An amount of quote with as many digits as the market's prices have, for a person to read."""
        if amount is None or self.market is None:
            return amount
        return amount.quantize(min(self.market.tick_size.normalize(), _CENT), ROUND_HALF_EVEN, EXACT)


@dataclass(frozen=True, slots=True)
class Story(Standing):
    """The same with all that led there: the orders of the position, oldest first, a pair of exits as its legs."""

    orders: Sequence[OrderRow]

    @property
    def fills(self) -> list[FillRow]:
        """Every execution of its orders."""
        return [fill for order in self.orders for fill in order.fills]

    @property
    def fees_left_out(self) -> dict[str, Decimal]:
        """Fees by asset that were charged in neither asset of the market, an exchange's own coin say.

        They are in no figure of the position: what they were worth when they were charged is not known.
        """
        left_out: defaultdict[str, Decimal] = defaultdict(Decimal)
        of_market = self.position.symbol.split("/")
        for fill in self.fills:
            if fill.fee and fill.fee_asset is not None and fill.fee_asset not in of_market:
                left_out[fill.fee_asset] += fill.fee
        return dict(left_out)


@dataclass(frozen=True, slots=True)
class Sum:
    """What open positions of one quote asset come to, in that asset. ``unrealised`` leaves out the ``unpriced`` ones,
    of which no price is known."""

    quote: str
    positions: int
    cost: Decimal
    unrealised: Decimal
    realised: Decimal
    fees: Decimal
    unpriced: int


def sums(stand: Iterable[Standing]) -> list[Sum]:
    """What these positions come to, for each quote asset: amounts of different assets do not add up."""
    by_quote: dict[str, list[Standing]] = defaultdict(list)
    for each in stand:
        by_quote[each.position.symbol.partition("/")[2]].append(each)
    return [_sum(quote, by_quote[quote]) for quote in sorted(by_quote)]


def _sum(quote: str, stand: Sequence[Standing]) -> Sum:
    positions = [each.position for each in stand]
    gains = [gain for gain in (each.unrealised for each in stand) if gain is not None]
    return Sum(
        quote,
        positions=len(positions),
        cost=sum((position.cost for position in positions), _ZERO),
        unrealised=sum(gains, _ZERO),
        realised=sum((position.realised for position in positions), _ZERO),
        fees=sum((position.fees for position in positions), _ZERO),
        unpriced=len(positions) - len(gains),
    )


def of(held: Sequence[Position]) -> list[Standing]:
    """Where each of these positions stands, in the same order; one look at the prices of each exchange."""
    symbols: dict[tuple[str, Environment], set[str]] = defaultdict(set)
    for position in held:
        if position.status is PositionStatus.OPEN:
            symbols[position.broker.exchange, position.broker.environment].add(position.symbol)
    marks = {place: prices.last_of(*place, wanted) for place, wanted in symbols.items()}
    return [
        Standing(
            position,
            catalog.known(position.broker, position.symbol),
            marks.get((position.broker.exchange, position.broker.environment), {}).get(position.symbol),
        )
        for position in held
    ]


def story(position: Position) -> Story:
    """Where a position stands and how it came there."""
    [stands] = of([position])
    orders = [order for order in positions.orders_of(position) if not order.is_pair]
    return Story(stands.position, stands.market, stands.mark, orders)
