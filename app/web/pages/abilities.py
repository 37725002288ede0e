"""What an exchange can do, in a person's words, from what its client declares."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from flask_babel import gettext

from app.domain.money import plain
from app.domain.orders import OrderType
from app.exchanges import Capabilities
from app.exchanges.base import AmendMode, PassedTrigger, TrailingRange

_ALWAYS = timedelta(days=3650)


@dataclass(frozen=True, slots=True)
class Ability:
    """One thing one may want of an exchange; ``able`` is None where it is no matter of yes or no."""

    what: str
    words: str
    able: bool | None = None


def _(text: str, **values: object) -> str:
    return str(gettext(text, **values))


def abilities_of(able: Capabilities) -> tuple[Ability, ...]:
    """All that matters to a person who chooses where to trade."""
    return (
        Ability(_("Orders"), _types(able.order_types)),
        _attached(_("Stop-loss sent along with the entry"), able.attached_stop_loss),
        _attached(_("Take-profit sent along with the entry"), able.attached_take_profit),
        _attached(_("Both sent along with the entry"), able.attached_both),
        _yes_or_no(
            _("Stop-loss and take-profit as a pair"),
            able.oco,
            _("yes: of the two, the first to execute cancels the other"),
            _("no: the stop-loss rests there and Switchyard watches the take-profit"),
        ),
        _trailing(able.trailing),
        Ability(_("A trigger the market has passed"), _passed(able.passed_trigger)),
        Ability(_("Changing an order that rests"), _amend(able.amend), able.amend is not AmendMode.NONE),
        _yes_or_no(
            _("Market orders sized in quote"),
            able.quote_quantity_market_buy or able.quote_quantity_market_sell,
            _sized_in_quote(able),
            _("no: Switchyard works out the quantity"),
        ),
        _yes_or_no(
            _("All orders cancelled at once"), able.batch_cancel, _("yes, in one call"), _("no: one by one")
        ),
        Ability(
            _("Finding an order by our own id"), _found(able.client_id_lookup), bool(able.client_id_lookup)
        ),
        _yes_or_no(
            _("A test environment"), able.test_environment, _("yes"), _("no: practise in the sandbox")
        ),
        _yes_or_no(_("Futures balances and positions"), able.futures_positions, _("shown"), _("not shown")),
        Ability(_("Fee of a taker, lowest tier"), f"{plain(able.standard_taker_fee * 100)} %"),
    )


def _yes_or_no(what: str, able: bool, yes: str, no: str) -> Ability:
    return Ability(what, yes if able else no, able)


def _attached(what: str, types: Collection[OrderType]) -> Ability:
    if not types:
        return Ability(what, _("no: placed as soon as the entry fills"), False)
    return Ability(what, _("with %(types)s orders", types=_types(types)), True)


def _types(types: Collection[OrderType]) -> str:
    words = {
        OrderType.MARKET: _("market"),
        OrderType.LIMIT: _("limit"),
        OrderType.STOP_LOSS: _("stop-loss"),
        OrderType.TAKE_PROFIT: _("take-profit"),
        OrderType.STOP_LIMIT: _("stop-limit"),
        OrderType.TAKE_PROFIT_LIMIT: _("take-profit limit"),
        OrderType.TRAILING_STOP: _("trailing stop"),
    }
    return ", ".join(word for each, word in words.items() if each in types)


def _trailing(range_: TrailingRange | None) -> Ability:
    if range_ is None:
        return Ability(_("Trailing stop"), _("no: Switchyard moves the stop-loss"), False)
    least, most = plain(range_.least), plain(range_.most)
    return Ability(
        _("Trailing stop"), _("from %(least)s to %(most)s %% behind", least=least, most=most), True
    )


def _passed(passed: PassedTrigger) -> str:
    return _("refused") if passed is PassedTrigger.REFUSED else _("executes at once")


def _amend(mode: AmendMode) -> str:
    return {
        AmendMode.NONE: _("no: cancelled and placed anew"),
        AmendMode.QUANTITY_DOWN: _("to a smaller quantity, keeping its place in the queue"),
        AmendMode.FULL: _("price and quantity"),
    }[mode]


def _sized_in_quote(able: Capabilities) -> str:
    if able.quote_quantity_market_buy and able.quote_quantity_market_sell:
        return _("to buy and to sell")
    return _("to buy") if able.quote_quantity_market_buy else _("to sell")


def _found(window: timedelta | None) -> str:
    if window is None:
        return _("no: looked for in its lists")
    if window >= _ALWAYS:
        return _("always")
    if window < timedelta(days=1):
        return _("for %(hours)s hours", hours=int(window.total_seconds() // 3600))
    return _("for %(days)s days", days=window.days)
