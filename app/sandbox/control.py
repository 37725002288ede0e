"""The control API: JSON, for tests, demos and benchmarks to arrange the world and to look at it.

Wrong input gets 400 with ``{"error": words}``. Amounts are decimal strings or JSON numbers, read exactly.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from urllib.parse import parse_qsl

from app.domain.money import floor_to_step, plain
from app.sandbox.control_input import BadInput, Fields
from app.sandbox.engine.account import Permissions, Position
from app.sandbox.engine.market import Level
from app.sandbox.faults import ANY, OPERATIONS, Fault, FaultKind
from app.sandbox.http import Request, Response, json_response
from app.sandbox.instruments import generated, listing
from app.sandbox.views import order_view, request_view
from app.sandbox.world import Exchange, World

Json = dict[str, object]

_MOST_INSTRUMENTS = 20_000


class Control:
    """Routes and answers the control API over one world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._routes: Mapping[tuple[str, str], Callable[[Fields], Json]] = {
            ("GET", "health"): self._health,
            ("GET", "accounts"): self._account,
            ("GET", "faults"): self._waiting_faults,
            ("GET", "orders"): self._orders,
            ("GET", "requests"): self._requests,
            ("DELETE", "faults"): self._take_faults_back,
            ("POST", "accounts"): self._open_account,
            ("POST", "books"): self._set_book,
            ("POST", "faults"): self._add_fault,
            ("POST", "instruments"): self._list_instruments,
            ("POST", "limits"): self._set_limits,
            ("POST", "permissions"): self._set_permissions,
            ("POST", "positions"): self._set_positions,
            ("POST", "prices"): self._set_price,
            ("POST", "reset"): self._reset,
            ("POST", "rules"): self._set_rules,
            ("POST", "skew"): self._set_skew,
            ("POST", "walk"): self._set_walk,
        }

    def answer(self, request: Request, path: str) -> Response:
        """Answer one control request; ``path`` is what follows ``/_control/``."""
        act = self._routes.get((request.method, path.strip("/")))
        if act is None:
            known = ", ".join(f"{method} /_control/{name}" for method, name in self._routes)
            return json_response({"error": f"No such control; there are: {known}."}, 404)
        try:
            asking = request.method == "GET"
            fields = Fields(dict(parse_qsl(request.query))) if asking else Fields.parse(request.body)
            return json_response(act(fields))
        except BadInput as refusal:
            return json_response({"error": str(refusal)}, 400)

    def _exchange(self, fields: Fields) -> Exchange:
        return self._world.exchanges[fields.choice("exchange", self._world.exchanges)]

    # --- looking -----------------------------------------------------------------------------------------------

    def _health(self, _: Fields) -> Json:
        walk = self._world.walk
        exchanges = {
            name: {
                "markets": len(x.venue.markets),
                "accounts": len(x.venue.accounts),
                "orders": len(x.venue.journal),
            }
            for name, x in self._world.exchanges.items()
        }
        return {"status": "ok", "walking": walk.walking, "interval": walk.interval, "exchanges": exchanges}

    def _account(self, fields: Fields) -> Json:
        exchange = self._exchange(fields)
        account = exchange.venue.accounts[fields.choice("api_key", exchange.venue.accounts)]
        with exchange.venue.alone():
            balances = {
                asset: {"free": plain(balance.free), "locked": plain(balance.locked)}
                for asset, balance in account.balances.items()
            }
            funding = {asset: plain(amount) for asset, amount in account.funding.items()}
        return {"api_key": account.api_key, "balances": balances, "funding": funding}

    def _orders(self, fields: Fields) -> Json:
        """Every order that was accepted, oldest first, of one exchange and account or of all."""
        api_key = fields.optional_text("api_key")
        names = (
            [fields.choice("exchange", self._world.exchanges)]
            if "exchange" in fields
            else self._world.exchanges
        )
        rows: list[Json] = []
        for name in names:
            exchange = self._world.exchanges[name]
            with exchange.venue.alone():
                rows += [
                    {"exchange": name, **order_view(order, exchange.dialect.order_id(order))}
                    for order in exchange.venue.journal
                    if api_key in (None, order.api_key)
                ]
        return {"orders": rows}

    def _requests(self, fields: Fields) -> Json:
        """The latest requests, oldest first, with everything secret blacked out."""
        name = fields.optional_text("exchange")
        seen = [entry for entry in list(self._world.seen) if name in (None, entry.exchange)]
        return {
            "requests": [
                {
                    "exchange": x.exchange,
                    "operation": x.operation,
                    "status": x.status,
                    **request_view(x.request),
                }
                for x in seen
            ]
        }

    def _waiting_faults(self, _: Fields) -> Json:
        faults = self._world.faults.waiting()
        return {
            "faults": [
                {
                    "exchange": x.exchange,
                    "operation": x.operation,
                    "kind": x.kind.value,
                    "times": x.times,
                    "executed": x.executed,
                }
                for x in faults
            ]
        }

    def _take_faults_back(self, fields: Fields) -> Json:
        """Let no fault that waits strike any more; answers which those were."""
        waiting = self._waiting_faults(fields)
        self._world.faults.clear()
        return waiting

    # --- arranging ---------------------------------------------------------------------------------------------

    def _open_account(self, fields: Fields) -> Json:
        """Create an account, or change its secret, passphrase, free balances and what lies in its funding account."""
        exchange = self._exchange(fields)
        key, secret = fields.text("api_key"), fields.text("api_secret")
        balances = fields.amounts("balances") if "balances" in fields else None
        account = exchange.venue.open_account(key, secret, fields.optional_text("passphrase"), balances)
        if "funding" in fields:
            account.funding = fields.amounts("funding")
        return {"api_key": key}

    def _set_price(self, fields: Fields) -> Json:
        """Move the price, rounded down to the tick; what it reaches fills or triggers."""
        exchange = self._exchange(fields)
        symbol = fields.choice("symbol", exchange.venue.markets)
        tick = exchange.venue.market(symbol).instrument.tick
        price = floor_to_step(fields.positive("price"), tick)
        if price <= 0:
            raise BadInput(f"price must be at least one tick of {symbol}, {plain(tick)}")
        exchange.venue.set_price(symbol, price)
        return {"symbol": symbol, "price": plain(price)}

    def _set_book(self, fields: Fields) -> Json:
        """Lay a finite order book, which lasts until the price moves."""
        exchange = self._exchange(fields)
        symbol = fields.choice("symbol", exchange.venue.markets)
        bids, asks = ([Level(*pair) for pair in fields.pairs(name)] for name in ("bids", "asks"))
        if bids and asks and max(x.price for x in bids) >= min(x.price for x in asks):
            raise BadInput("the best bid must lie below the best ask")
        exchange.venue.set_book(symbol, bids, asks)
        return {"symbol": symbol, "bids": len(bids), "asks": len(asks)}

    def _add_fault(self, fields: Fields) -> Json:
        name = fields.choice("exchange", self._world.exchanges)
        operation = fields.choice("operation", (*sorted(OPERATIONS), ANY))
        kind = FaultKind(fields.choice("kind", [kind.value for kind in FaultKind]))
        fault = Fault(name, operation, kind, api_key=fields.optional_text("api_key"))
        fault.times = fields.integer("times", fault.times, least=1)
        fault.seconds = float(fields.amount("seconds", fault.seconds))
        fault.retry_after = fields.integer("retry_after", fault.retry_after, least=0)
        fault.status = fields.integer("status", fault.status, least=400)
        fault.fraction = fields.amount("fraction", fault.fraction)
        fault.executed = fields.flag("executed", fault.executed)
        if not 0 < fault.fraction < 1:
            raise BadInput("fraction must lie between 0 and 1")
        self._world.faults.add(fault)
        return {"exchange": name, "operation": operation, "kind": kind.value, "times": fault.times}

    def _list_instruments(self, fields: Fields) -> Json:
        """Generate ``count`` instruments, list one ``symbol`` at a ``price``, or open or close its trading."""
        exchange = self._exchange(fields)
        venue = exchange.venue
        if "count" in fields:
            number = fields.integer("count", 0, least=1)
            if len(venue.markets) + number > _MOST_INSTRUMENTS:
                raise BadInput(f"at most {_MOST_INSTRUMENTS} instruments fit")
            venue.list_instruments(list(generated(number, frozenset(venue.markets))))
            return {"markets": len(venue.markets)}
        symbol = fields.text("symbol")
        if symbol in venue.markets:
            instrument = venue.market(symbol).instrument
        elif re.fullmatch(r"[A-Z0-9]{1,20}/[A-Z0-9]{1,20}", symbol):
            instrument = listing(symbol, fields.positive("price"))
        else:
            raise BadInput("symbol must look like BTC/USDT")
        venue.list_instruments([replace(instrument, trading=fields.flag("trading", True))])
        return {"symbol": symbol, "markets": len(venue.markets)}

    def _set_limits(self, fields: Fields) -> Json:
        """Change an exchange's rate limits by name: ``{"exchange": …, "limits": {name: value}}``."""
        limits = self._exchange(fields).dialect.limits
        for name, value in fields.integers("limits").items():
            if name not in limits:
                raise BadInput(f"there is no limit {name!r}; there are: {', '.join(limits)}")
            limits[name] = value
        return {"limits": dict(limits)}

    def _set_rules(self, fields: Fields) -> Json:
        """Change whether an exchange's untriggered orders hold balance (``triggers_hold``)."""
        venue = self._exchange(fields).venue
        venue.change_rules(triggers_hold=fields.flag("triggers_hold", venue.rules.triggers_hold))
        return {"triggers_hold": venue.rules.triggers_hold}

    def _set_permissions(self, fields: Fields) -> Json:
        """Change what an account's key may do: read, trade, withdraw, ip_restricted."""
        venue = self._exchange(fields).venue
        account = venue.accounts[fields.choice("api_key", venue.accounts)]
        names = Permissions.__slots__
        account.permissions = Permissions(
            **{name: fields.flag(name, getattr(account.permissions, name)) for name in names}
        )
        return {name: getattr(account.permissions, name) for name in names}

    def _set_positions(self, fields: Fields) -> Json:
        """Give an account futures positions: a list of symbol, quantity (negative when short), entry_price."""
        venue = self._exchange(fields).venue
        account = venue.accounts[fields.choice("api_key", venue.accounts)]
        rows = fields.rows("positions")
        account.positions = tuple(
            Position(row.choice("symbol", venue.markets), row.amount("quantity"), row.positive("entry_price"))
            for row in rows
        )
        account.futures_margin = fields.amount("margin", account.futures_margin)
        return {"positions": len(rows)}

    def _set_skew(self, fields: Fields) -> Json:
        """Set an exchange's clock this many milliseconds ahead of true time."""
        milliseconds = fields.integer("milliseconds")
        self._exchange(fields).venue.skew = milliseconds * 1000
        return {"milliseconds": milliseconds}

    def _set_walk(self, fields: Fields) -> Json:
        """Let prices walk (``walking``), at an ``interval`` in seconds."""
        walk = self._world.walk
        walk.walking = fields.flag("walking", walk.walking)
        if "interval" in fields:
            walk.interval = float(fields.positive("interval"))
        return {"walking": walk.walking, "interval": walk.interval}

    def _reset(self, _: Fields) -> Json:
        self._world.reset()
        return {"status": "ok"}
