"""From a wish to the exact request: resolve the symbol, size it, round it, price it, and name every rule it breaks.

The preview shows a plan and placing stores one, by this same code: what is sent equals what was shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from app.domain.errors import OrderDenied, Violation
from app.domain.markets import Market
from app.domain.money import EXACT, plain
from app.domain.orders import (
    Leg,
    OrderDraft,
    OrderRequest,
    OrderType,
    PriceOrPercent,
    Side,
    TargetWish,
)
from app.domain.protection import Target
from app.exchanges import capabilities
from app.models import Broker
from app.services import balances, catalog, prices, risk

_HUNDRED = Decimal(100)
_ONE = Decimal(1)


@dataclass(frozen=True, slots=True)
class Plan:
    """An order as it would be sent, and what it would mean. Money in the market's quote, None where not known.

    ``targets`` are its take-profits, a single one as the one that sells everything.
    """

    market: Market
    request: OrderRequest
    targets: tuple[Target, ...]
    violations: tuple[Violation, ...]
    warnings: tuple[str, ...]
    last_price: Decimal | None
    cost: Decimal | None
    fee: Decimal | None
    fee_asset: str
    free_before: Decimal | None
    free_after: Decimal | None
    risk: Decimal | None
    reward: Decimal | None

    @property
    def risk_reward(self) -> Decimal | None:
        """How many times the possible loss the possible gain is."""
        if not self.risk or self.reward is None:
            return None
        return EXACT.divide(self.reward, self.risk).quantize(Decimal("0.01"))


def preview(broker: Broker, draft: OrderDraft) -> Plan:
    """The plan of a draft with the balance it spends as last synced, and what the risk gate would say of it now.

    Raises:
        OrderDenied: as in `plan`.
    """
    market = catalog.resolve(broker, draft.symbol)
    planned = plan(broker, draft, free=balances.free(broker, spent_asset(market, draft.side)))
    objections = risk.objections_to(broker, planned.request)
    return replace(planned, violations=(*planned.violations, *objections))


def plan(broker: Broker, draft: OrderDraft, *, free: Decimal | None) -> Plan:
    """Make a draft exact on one broker. ``free`` is the balance it spends, None when not known.

    Raises:
        OrderDenied: the symbol means no market of this broker, or a percent cannot be sized without a balance.
    """
    market = catalog.resolve(broker, draft.symbol)
    last = prices.last(broker.exchange, broker.environment, market.symbol)
    entry = market.quantize_price(draft.price) if draft.price is not None else last
    wanted = _sized(broker, market, draft, free, entry)
    request = _rounded(market, wanted)
    cost = market.notional(request, last)
    targets = _targets(market, draft, request, entry)
    return Plan(
        market=market,
        request=request,
        targets=targets,
        violations=(
            *market.check(wanted, last_price=last),
            *_protection_violations(market, request, entry, cost),
            *_trailing_violations(draft),
            *_target_violations(market, draft, entry, cost),
        ),
        warnings=tuple(_warnings(market, request, free, cost)),
        last_price=last,
        cost=cost,
        fee=_fee(broker, market, request, entry, cost),
        fee_asset=market.base if draft.side is Side.BUY else market.quote,
        free_before=free,
        free_after=_free_after(market, request, free, cost),
        risk=_distance(request, entry, request.stop_loss),
        reward=reward(request, entry, targets),
    )


def spent_asset(market: Market, side: Side) -> str:
    """What an order pays with: quote to buy, base to sell."""
    return market.quote if side is Side.BUY else market.base


def protective_price(
    market: Market, wanted: PriceOrPercent | None, entry: Decimal | None, *, above: bool
) -> Decimal | None:
    """The trigger on the market's grid, ``above`` or below the entry; None when it cannot be told yet."""
    if wanted is None:
        return None
    if wanted.price is not None:
        return market.quantize_price(wanted.price)
    if wanted.percent is None or entry is None:
        return None
    share = EXACT.divide(wanted.percent, _HUNDRED)
    return market.quantize_price(EXACT.multiply(entry, _ONE + share if above else _ONE - share))


def _sized(
    broker: Broker, market: Market, draft: OrderDraft, free: Decimal | None, entry: Decimal | None
) -> OrderRequest:
    quantity, quote_quantity = draft.quantity, draft.quote_quantity
    if draft.percent is not None:
        if free is None:
            raise OrderDenied.because(
                "balance",
                f"{draft.percent}% of the free balance is not known before the first sync",
                remedy="Wait for the first sync of balances, or give the size as a quantity.",
            )
        amount = EXACT.divide(EXACT.multiply(free, draft.percent), _HUNDRED)
        quantity, quote_quantity = (None, amount) if draft.side is Side.BUY else (amount, None)
    if quote_quantity is not None and not _takes_quote(broker, draft):
        if entry is None or entry <= 0:
            raise OrderDenied.because(
                "price", f"there is no price of {market.symbol} above zero to size this order with"
            )
        quantity, quote_quantity = EXACT.divide(quote_quantity, entry), None
    return OrderRequest(
        symbol=market.symbol,
        side=draft.side,
        type=draft.type,
        quantity=quantity,
        quote_quantity=quote_quantity,
        price=draft.price,
        time_in_force=draft.time_in_force,
        post_only=draft.post_only,
        stop_loss=_leg(protective_price(market, draft.first_stop, entry, above=draft.side is Side.SELL)),
        take_profit=_leg(protective_price(market, draft.take_profit, entry, above=draft.side is Side.BUY)),
    )


def _rounded(market: Market, wanted: OrderRequest) -> OrderRequest:
    """The request as it goes out; the rules are checked on what was wanted, to name what was written."""
    return replace(
        wanted,
        quantity=None if wanted.quantity is None else market.quantize_quantity(wanted.quantity),
        quote_quantity=None
        if wanted.quote_quantity is None
        else market.quantize_quote(wanted.quote_quantity),
        price=None if wanted.price is None else market.quantize_price(wanted.price),
    )


def _takes_quote(broker: Broker, draft: OrderDraft) -> bool:
    able = capabilities(broker.exchange)
    if draft.type is not OrderType.MARKET:
        return False
    return able.quote_quantity_market_buy if draft.side is Side.BUY else able.quote_quantity_market_sell


def _leg(trigger_price: Decimal | None) -> Leg | None:
    return None if trigger_price is None else Leg(trigger_price)


def _protection_violations(
    market: Market, request: OrderRequest, entry: Decimal | None, cost: Decimal | None
) -> list[Violation]:
    legs = (("stop_loss", request.stop_loss, False), ("take_profit", request.take_profit, True))
    wanted = [(name, leg.trigger_price, above) for name, leg, above in legs if leg is not None]
    if wanted and request.side is Side.SELL:
        return [
            Violation("protection", "stop-loss and take-profit guard what a buy brings in; this is a sell")
        ]
    found = []
    for name, trigger, above in wanted:
        if entry is not None and (trigger <= entry if above else trigger >= entry):
            where = "above" if above else "below"
            found.append(
                Violation(name, f"{name} {plain(trigger)} must be {where} the entry price {plain(entry)}")
            )
        elif trigger <= 0:
            found.append(Violation(name, f"{name} must be greater than zero"))
        elif _exit_too_small(market, trigger, entry, cost):
            found.append(
                Violation(
                    name,
                    f"at {name} {plain(trigger)} the position would be worth less than the minimum order of "
                    f"{plain(market.min_notional or _ONE)} {market.quote}",
                )
            )
    return found


def _trailing_violations(draft: OrderDraft) -> list[Violation]:
    if draft.trailing_percent is None:
        return []
    if draft.side is Side.SELL:
        return [Violation("trailing", "a trailing stop guards what a buy brings in; this is a sell")]
    if not 0 < draft.trailing_percent < _HUNDRED:
        return [Violation("trailing", "the trailing distance must be above 0 and below 100 percent")]
    return []


def _target_violations(
    market: Market, draft: OrderDraft, entry: Decimal | None, cost: Decimal | None
) -> list[Violation]:
    if not draft.targets:
        return []
    found = []
    if draft.side is Side.SELL:
        found.append("take-profits guard what a buy brings in; this is a sell")
    if draft.take_profit is not None:
        found.append("give one take-profit or several with their shares, not both")
    if any(target.share <= 0 for target in draft.targets):
        found.append("the share of a take-profit must be above zero")
    if sum(target.share for target in draft.targets) > _HUNDRED:
        found.append("the shares of the take-profits add up to more than 100 percent")
    if not found:
        for target in draft.targets:
            found += _faults_of(target, market, entry, cost)
    return [Violation("targets", words) for words in found]


def _faults_of(target: TargetWish, market: Market, entry: Decimal | None, cost: Decimal | None) -> list[str]:
    price = protective_price(market, target.at, entry, above=True)
    if price is None:
        return []
    if entry is not None and price <= entry:
        return [f"the take-profit {plain(price)} must be above the entry price {plain(entry)}"]
    part = None if cost is None else EXACT.divide(EXACT.multiply(cost, target.share), _HUNDRED)
    if _exit_too_small(market, price, entry, part):
        least = f"{plain(market.min_notional or _ONE)} {market.quote}"
        return [
            f"at the take-profit {plain(price)} its share would be worth less than the minimum order of {least}"
        ]
    return []


def _exit_too_small(market: Market, trigger: Decimal, entry: Decimal | None, cost: Decimal | None) -> bool:
    if market.min_notional is None or not entry or cost is None:
        return False
    return EXACT.divide(EXACT.multiply(cost, trigger), entry) < market.min_notional


def _warnings(market: Market, request: OrderRequest, free: Decimal | None, cost: Decimal | None) -> list[str]:
    asset = spent_asset(market, request.side)
    needed = cost if request.side is Side.BUY else request.quantity
    if free is None or needed is None or needed <= free:
        return []
    return [f"this needs {plain(needed)} {asset}, and {plain(free)} {asset} was free at the last sync"]


def _fee(
    broker: Broker, market: Market, request: OrderRequest, entry: Decimal | None, cost: Decimal | None
) -> Decimal | None:
    rate = capabilities(broker.exchange).standard_taker_fee
    if request.side is Side.SELL:
        return None if cost is None else EXACT.multiply(cost, rate)
    bought = request.quantity
    if bought is None and cost is not None and entry:
        bought = market.quantize_quantity(EXACT.divide(cost, entry))
    return None if bought is None else EXACT.multiply(bought, rate)


def _free_after(
    market: Market, request: OrderRequest, free: Decimal | None, cost: Decimal | None
) -> Decimal | None:
    spent = cost if request.side is Side.BUY else request.quantity
    return None if free is None or spent is None else free - spent


def _targets(
    market: Market, draft: OrderDraft, request: OrderRequest, entry: Decimal | None
) -> tuple[Target, ...]:
    if request.take_profit is not None:
        return (Target(request.take_profit.trigger_price, _HUNDRED),)
    found = [(protective_price(market, wish.at, entry, above=True), wish.share) for wish in draft.targets]
    return tuple(Target(price, share) for price, share in found if price is not None)


def reward(request: OrderRequest, entry: Decimal | None, targets: Sequence[Target]) -> Decimal | None:
    """What is gained when the price reaches every take-profit."""
    parts = [
        EXACT.divide(EXACT.multiply(gain, target.share), _HUNDRED)
        for target in targets
        if (gain := _distance(request, entry, Leg(target.price))) is not None
    ]
    return sum(parts, Decimal(0)) if parts else None


def _distance(request: OrderRequest, entry: Decimal | None, leg: Leg | None) -> Decimal | None:
    if leg is None or not entry:
        return None
    quantity = request.quantity
    if quantity is None:
        quantity = EXACT.divide(request.quote_quantity or Decimal(0), entry)
    return EXACT.multiply(abs(leg.trigger_price - entry), quantity)
