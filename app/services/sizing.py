"""How much an alert's order is for: the sizes that need to know what the account holds and is worth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from app.domain.accounts import Balance
from app.domain.alerts import Signal
from app.domain.errors import OrderDenied
from app.domain.markets import Market
from app.domain.money import EXACT, plain
from app.domain.orders import OrderDraft, OrderType, Side
from app.models import Broker
from app.services import catalog, prices
from app.services.planning import protective_price

_ZERO = Decimal(0)
_HUNDRED = Decimal(100)

Holdings = Mapping[str, Balance]

#: The sizes that are a share of what the account holds or is worth.
SHARES = frozenset({"percent", "risk_percent", "equity_percent"})


def draft_of(broker: Broker, market: Market, signal: Signal, held: Holdings | None) -> OrderDraft:
    """The order that an alert asks for on a market, with a size that `planning.plan` can make exact.

    ``held`` is what the account holds, None when that is not known.

    Raises:
        OrderDenied: there is no size, no price for a limit, or what its share is of cannot be told.
    """
    if signal.action.places is None:
        raise ValueError(f"{signal.action} places no order")
    side, kind = signal.action.places
    draft = OrderDraft(
        symbol=market.symbol,
        side=side,
        type=kind,
        quantity=signal.quantity,
        quote_quantity=signal.quote_quantity,
        percent=signal.percent,
        price=signal.price,
        stop_loss=signal.stop_loss,
        take_profit=signal.take_profit,
        targets=signal.targets,
        trailing_percent=signal.trailing_percent,
    )
    if kind is OrderType.LIMIT and signal.price is None:
        raise OrderDenied.because(
            "no_price", "the alert gives no price, and its source makes a limit order of it"
        )
    if signal.size is None:
        raise OrderDenied.because("no_size", "the alert says no size, and neither does its source")
    if signal.risk_percent is not None:
        at_risk = _share_of_worth(broker, market, signal.risk_percent, held)
        return _affordable(broker, market, _risking(broker, market, draft, at_risk), held)
    if signal.equity_percent is not None:
        spent = _share_of_worth(broker, market, signal.equity_percent, held)
        return _affordable(broker, market, replace(draft, quote_quantity=spent), held)
    return draft


def worth(broker: Broker, quote: str, held: Holdings) -> Decimal:
    """What an account is worth in a quote, at the last prices known. What has no market there counts as nothing.

    Raises:
        OrderDenied: something that could be sold has no price at the moment.
    """
    assets = {asset: balance.total for asset, balance in held.items() if balance.total}
    known = prices.last_of(broker.exchange, broker.environment, _ways_to_dollars({*assets, quote}))
    dollars = prices.in_usd(quote, Decimal(1), known)
    total = assets.pop(quote, _ZERO)
    for asset, amount in assets.items():
        value = prices.in_usd(asset, amount, known)
        if value is not None and dollars:
            total += EXACT.divide(value, dollars)
        elif catalog.known(broker, f"{asset}/{quote}") is not None:
            raise OrderDenied.because(
                "equity",
                f"what the account is worth is not known: there is no price of {asset} at the moment",
                remedy="Give the size as a quantity, or wait for the next sync of balances and prices.",
            )
    return total


def _ways_to_dollars(assets: set[str]) -> set[str]:
    pairs = {f"{asset}/{dollar}" for asset in {*assets, "BTC"} for dollar in prices.DOLLARS}
    return pairs | {f"{asset}/BTC" for asset in assets}


def _share_of_worth(broker: Broker, market: Market, percent: Decimal, held: Holdings | None) -> Decimal:
    if held is None:
        raise OrderDenied.because("equity", "what the account is worth is not known before the first sync")
    return EXACT.divide(EXACT.multiply(worth(broker, market.quote, held), percent), _HUNDRED)


def _risking(broker: Broker, market: Market, draft: OrderDraft, at_risk: Decimal) -> OrderDraft:
    """The quantity that loses an amount of quote, before fees, between the entry and the stop-loss."""
    entry = draft.price or prices.last(broker.exchange, broker.environment, market.symbol)
    if entry is None:
        raise OrderDenied.because("price", f"there is no price of {market.symbol} to measure the risk from")
    stop = protective_price(market, draft.first_stop, market.quantize_price(entry), above=False)
    if stop is None or stop >= entry:
        found = "there is none" if stop is None else f"{plain(stop)} is not below {plain(entry)}"
        raise OrderDenied.because(
            "stop_loss", f"risk_percent needs a stop-loss below the entry price: {found}"
        )
    return replace(draft, quantity=EXACT.divide(at_risk, entry - stop))


def _affordable(broker: Broker, market: Market, draft: OrderDraft, held: Holdings | None) -> OrderDraft:
    """A size that we worked out ourselves is not sent to be turned down for lack of funds."""
    price = draft.price or prices.last(broker.exchange, broker.environment, market.symbol)
    cost = draft.quote_quantity
    if cost is None and draft.quantity is not None and price is not None:
        cost = EXACT.multiply(draft.quantity, price)
    balance = (held or {}).get(market.quote)
    free = _ZERO if balance is None else balance.free
    if cost is not None and draft.side is Side.BUY and cost > free:
        raise OrderDenied.because(
            "balance",
            f"this size costs {plain(market.quantize_price(cost))} {market.quote}, and "
            f"{plain(free)} {market.quote} is free",
            remedy="Choose a smaller share, or free balance.",
        )
    return draft
