"""The capability matrix of docs/exchanges.md, made from what the clients declare."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

from app.domain.money import plain
from app.domain.orders import OrderType
from app.exchanges import capabilities, credential_fields, regions, title
from app.exchanges.base import Capabilities, Place, TrailingRange

BEGIN, END = "<!-- matrix: flask exchanges matrix -->", "<!-- /matrix -->"

_ROWS: Sequence[tuple[str, Callable[[Capabilities], str]]] = (
    ("Order types", lambda able: _types(able.order_types)),
    ("Stop-loss attached to", lambda able: _types(able.attached_stop_loss)),
    ("Take-profit attached to", lambda able: _types(able.attached_take_profit)),
    ("Both attached to", lambda able: _types(able.attached_both)),
    ("Attached exits go live", lambda able: _when_live(able)),
    ("A trigger that has passed", lambda able: able.passed_trigger.value.lower()),
    ("Trailing stop follows at", lambda able: _distances(able.trailing)),
    ("One cancels the other (OCO)", lambda able: _yes(able.oco)),
    ("One of them may trail", lambda able: _yes(able.trailing_in_pairs)),
    ("Amend in place", lambda able: able.amend.value.replace("_", " ").lower()),
    ("Found by our client id", lambda able: _window(able.client_id_lookup)),
    ("Client ids unique for ever", lambda able: _yes(able.client_id_unique_forever)),
    ("An order under an id in use", lambda able: able.reused_id.value),
    ("Ended orders are listed", lambda able: _window(able.history_kept)),
    ("Executions are listed", lambda able: _window(able.fills_kept or able.history_kept)),
    (
        "An order in doubt is looked for",
        lambda able: ", ".join(each for each in Place if each in able.look_up_places),
    ),
    ("A signed request is taken for", lambda able: _taken_for(able.request_window)),
    ("A new order is visible within", lambda able: _duration(able.visibility_delay)),
    ("Market buy sized in quote", lambda able: _yes(able.quote_quantity_market_buy)),
    ("Market sell sized in quote", lambda able: _yes(able.quote_quantity_market_sell)),
    ("Cancel all in one call", lambda able: _yes(able.batch_cancel)),
    ("Test environment", lambda able: _yes(able.test_environment)),
    ("Futures balances and positions", lambda able: _futures(able)),
    ("Standard taker fee", lambda able: f"{plain(able.standard_taker_fee * 100)} %"),
)


def table(names: Sequence[str]) -> str:
    """The matrix of some exchanges in Markdown, a column each."""
    able = [capabilities(name) for name in names]
    keys = [", ".join(field.label for field in credential_fields(name)) for name in names]
    hosts = [", ".join(region.id for region in regions(name)) or "one for all" for name in names]
    rows = [
        ("Keys", *keys),
        ("Hosts by region", *hosts),
        *((label, *(tell(each) for each in able)) for label, tell in _ROWS),
    ]
    head = ("", *(title(name) for name in names))
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, ("---",) * len(head), *rows))


def renewed(document: str, names: Sequence[str]) -> str:
    """A document with the matrix between its markers made anew.

    Raises:
        ValueError: when the markers are missing.
    """
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the document lacks {BEGIN} … {END}")
    return f"{before}{BEGIN}\n\n{table(names)}\n\n{END}{after}"


def _types(types: frozenset[OrderType]) -> str:
    return ", ".join(each.value.replace("_", " ").lower() for each in OrderType if each in types) or "–"


def _when_live(able: Capabilities) -> str:
    if not able.attached_stop_loss | able.attached_take_profit:
        return "–"
    return "with each fill" if able.attached_per_fill else "once filled whole"


def _distances(range_: TrailingRange | None) -> str:
    return "–" if range_ is None else f"{plain(range_.least)}–{plain(range_.most)} % by {plain(range_.step)}"


def _futures(able: Capabilities) -> str:
    return (
        "yes, in the same wallet"
        if able.futures_positions and able.one_wallet
        else _yes(able.futures_positions)
    )


def _yes(able: bool) -> str:
    return "yes" if able else "–"


def _window(window: timedelta | None) -> str:
    if window is None:
        return "–"
    return f"for {_duration(window)}" if window < timedelta(days=3650) else "always"


def _taken_for(window: timedelta) -> str:
    return _duration(window) if window else "until a later one is answered"


def _duration(span: timedelta) -> str:
    seconds = span.total_seconds()
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:g} {unit}"
    return f"{seconds:g} s"
