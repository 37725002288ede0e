"""What will guard a planned purchase, in words: said by the page and by the terminal before it is placed."""

from __future__ import annotations

from app.domain.money import plain
from app.domain.orders import OrderDraft, Side
from app.exchanges import capabilities, title
from app.models import Broker
from app.services.planning import Plan
from app.services.protection import why_watched

_HUNDRED = 100


def of(broker: Broker, draft: OrderDraft, planned: Plan) -> tuple[str, ...]:
    """How the exits of a plan will be held and by whom, a sentence each; none when no exit is wished."""
    stop = planned.request.stop_loss
    if planned.request.side is Side.SELL or (stop is None and not planned.targets):
        return ()
    found = [_when_placed(broker, draft, planned)]
    if stop is None:
        found.append("There is no stop-loss: nothing is sold when the price falls.")
    else:
        found.append(f"At {plain(stop.trigger_price)} the stop-loss sells all that is held.")
    found += _who_follows(broker, draft)
    for target in planned.targets:
        share = "all" if target.share >= _HUNDRED else f"{plain(target.share)} %"
        found.append(f"At {plain(target.price)} a take-profit sells {share} of what was bought.")
    if planned.targets:
        found.append(_where_targets_rest(broker, draft, guarded=stop is not None))
    return tuple(found)


def _when_placed(broker: Broker, draft: OrderDraft, planned: Plan) -> str:
    request, able, name = planned.request, capabilities(broker.exchange), title(broker.exchange)
    if request.stop_loss is not None and request.take_profit is not None:
        attached = request.type in able.attached_both
    elif request.stop_loss is not None:
        attached = request.type in able.attached_stop_loss
    else:
        attached = request.take_profit is not None and request.type in able.attached_take_profit
    if not attached:
        return f"The exits are placed on {name} as soon as the entry has filled, for what really arrived."
    if draft.targets:
        return f"{name} holds the stop-loss with the entry and arms it the moment it fills; the take-profits follow."
    return f"{name} holds the exits with the entry and arms them the moment it fills."


def _who_follows(broker: Broker, draft: OrderDraft) -> list[str]:
    percent, name = draft.trailing_percent, title(broker.exchange)
    if percent is None:
        return []
    follows = f"The stop-loss follows the best price at {plain(percent)} %"
    if capabilities(broker.exchange).trails_at(percent):
        return [f"{follows}: {name} itself moves it, even while Switchyard is down."]
    return [f"{follows}: Switchyard moves it, for {name} has no trailing stop at this distance."]


def _where_targets_rest(broker: Broker, draft: OrderDraft, *, guarded: bool) -> str:
    if not guarded:
        return f"Take-profits rest on {title(broker.exchange)}."
    if capabilities(broker.exchange).pairs_exits(draft.trailing_percent):
        return f"Each take-profit rests on {title(broker.exchange)}, paired with its part of the stop-loss."
    return f"{why_watched(broker.exchange)}: take-profits are watched here, and sold at the market."
