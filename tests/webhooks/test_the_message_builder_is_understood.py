"""Every message that the builder writes is understood by the parser that will read it, and says what was wished."""

from __future__ import annotations

import json
from decimal import Decimal
from itertools import product

import pytest

from app.domain.alert_format import AlertFault
from app.domain.alert_message import VERSION, MessageSize, MessageWish, compose, understood
from app.domain.alerts import AlertAction
from app.domain.orders import PriceOrPercent

SIZES = {
    MessageSize.PERCENT: "10",
    MessageSize.QUOTE_QUANTITY: "250.50",
    MessageSize.QUANTITY: "0.015",
    MessageSize.EQUITY_PERCENT: "5",
    MessageSize.RISK_PERCENT: "1.5",
    MessageSize.SOURCE: "",
}
PROTECTION: tuple[dict[str, str], ...] = (
    {},
    {"stop_loss": "2%"},
    {"stop_loss": "48000", "take_profit": "60000"},
    {"stop_loss": "2%", "take_profit": "3%:50|5%:50"},
    {"trailing_percent": "4"},
)
BUYS = (AlertAction.BUY_MARKET, AlertAction.BUY_LIMIT)
SALES = (AlertAction.SELL_MARKET, AlertAction.SELL_LIMIT)
OF_BUYS_ONLY = (MessageSize.EQUITY_PERCENT, MessageSize.RISK_PERCENT)


@pytest.mark.parametrize("protection", PROTECTION, ids=str)
@pytest.mark.parametrize(("action", "size"), list(product((*BUYS, *SALES), SIZES)))
def test_an_order_says_its_action_size_and_protection(
    action: AlertAction, size: MessageSize, protection: dict[str, str]
) -> None:
    message = compose(MessageWish(action, size, SIZES[size], **protection))
    if action in SALES and size in OF_BUYS_ONLY:
        with pytest.raises(AlertFault, match="this is a sell"):
            understood(message)
        return
    [signal] = understood(message)
    assert (signal.action, signal.symbol) == (action, "BTCUSDT")
    assert signal.size == (None if size is MessageSize.SOURCE else (size.value, Decimal(SIZES[size])))
    assert signal.price == (Decimal("50000.5") if action.value.endswith("Limit") else None)
    assert signal.protects == bool(protection)
    assert signal.time is not None
    assert signal.alert_id == f"BTCUSDT 2026-01-31T12:00:00Z {action}"


@pytest.mark.parametrize("protection", PROTECTION, ids=str)
@pytest.mark.parametrize(("size", "amount"), [*SIZES.items(), (MessageSize.STRATEGY, "")])
def test_a_strategys_message_is_understood_when_it_buys_and_when_it_sells(
    size: MessageSize, amount: str, protection: dict[str, str]
) -> None:
    bought, sold = understood(compose(MessageWish(None, size, amount, **protection)))
    assert (bought.action, sold.action) == (AlertAction.BUY_MARKET, AlertAction.SELL_MARKET)
    assert (bought.market_position, bought.prev_market_position) == ("long", "flat")
    assert (sold.market_position, sold.position_size) == ("flat", Decimal(0))
    assert bought.alert_id != sold.alert_id
    if size is MessageSize.STRATEGY:
        assert bought.quantity == Decimal("0.015")


@pytest.mark.parametrize(
    "action", [AlertAction.PING, AlertAction.CLOSE, AlertAction.CANCEL, AlertAction.REVERSE]
)
def test_what_needs_no_size_needs_none(action: AlertAction) -> None:
    [signal] = understood(compose(MessageWish(action)))
    assert signal.action is action


def test_protection_is_moved_by_what_is_filled_in() -> None:
    [signal] = understood(compose(MessageWish(AlertAction.MAJ, stop_loss="1%")))
    assert signal.stop_loss == PriceOrPercent(percent=Decimal(1))
    with pytest.raises(AlertFault, match="MAJ needs"):
        understood(compose(MessageWish(AlertAction.MAJ)))


def test_a_typed_price_takes_the_place_of_the_close_and_nothing_typed_breaks_the_json() -> None:
    message = compose(MessageWish(AlertAction.BUY_LIMIT, MessageSize.QUANTITY, "1", price="49000"))
    assert understood(message)[0].price == Decimal(49000)
    strange = compose(MessageWish(AlertAction.BUY_MARKET, MessageSize.QUANTITY, '"}\n{{close}}'))
    assert json.loads(strange)["quantity"] == '"}\n{{close}}'
    assert json.loads(strange)["version"] == VERSION
    with pytest.raises(AlertFault):
        understood(strange)
