"""Everything that can go wrong with an order, sorted by what a person or a retry may conclude from it.

The branch that matters is between `ExchangeUnavailable` (surely not executed: may be sent again) and
`OutcomeUnknown` (may have been executed: must be looked up, never resent blindly).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


class SwitchyardError(Exception):
    """Base of every error of ours; ``remedy`` tells a person what to do about it."""

    remedy: str = "Look at the details and try again."

    def __init__(self, message: str, *, remedy: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        if remedy is not None:
            self.remedy = remedy


class InvalidAmount(SwitchyardError, ValueError):
    """A value that is not one exact, finite number."""

    remedy = "Write the amount as a plain decimal, for example 0.015."


class InvalidTransition(SwitchyardError):
    """An order was asked to take a step that its state does not allow."""

    remedy = "Reload the order; it has moved on since you looked."


class TradingError(SwitchyardError):
    """Anything that stops an order or a question from being carried out."""


@dataclass(frozen=True, slots=True)
class Violation:
    """One rule an order breaks, in words that name the rule and the value it wants."""

    rule: str
    message: str


class OrderDenied(TradingError):
    """We refused before the wire; ``violations`` says which rules failed."""

    remedy = "Change the order so that every named rule holds."

    def __init__(self, violations: Sequence[Violation], *, remedy: str | None = None) -> None:
        super().__init__("; ".join(v.message for v in violations), remedy=remedy)
        self.violations = tuple(violations)

    @classmethod
    def because(cls, rule: str, message: str, *, remedy: str | None = None) -> OrderDenied:
        """A refusal for a single rule."""
        return cls([Violation(rule, message)], remedy=remedy)


class ExchangeError(TradingError):
    """An exchange's answer, or the lack of one.

    ``code`` is the exchange's own, ``raw`` its answer as parsed; neither ever holds a key or a signature.
    """

    def __init__(
        self,
        exchange: str,
        message: str,
        *,
        code: str | None = None,
        http_status: int | None = None,
        raw: Mapping[str, object] | None = None,
        remedy: str | None = None,
    ) -> None:
        label = f"{exchange} {code}" if code else exchange
        super().__init__(f"{label}: {message}", remedy=remedy)
        self.exchange = exchange
        self.code = code
        self.http_status = http_status
        self.exchange_message = message
        self.raw = dict(raw or {})


class OrderRejected(ExchangeError):
    """The exchange said no, for good."""

    remedy = "Read the exchange's reason; sending the same order again will be refused again."


class InsufficientFunds(OrderRejected):
    """The account does not hold enough free balance."""

    remedy = "Reduce the size, or free balance by cancelling open orders or adding funds."


class InvalidOrder(OrderRejected):
    """The order breaks one of the exchange's rules."""

    remedy = "Correct the value the exchange names; reload the markets if its rules have changed."


class WouldTrigger(InvalidOrder):
    """The market has passed the trigger of a stop or take-profit already, so that it cannot wait for it.

    Raised for the exchange's refusal; and by a client, before the wire, where the exchange would take the order for
    one that waits in the other direction.
    """

    remedy = "The price is where the order was to act: close the position at the market, or choose another trigger."


class DuplicateOrder(OrderRejected):
    """The client order id is in use: an order with it already exists."""

    remedy = "The order was placed before; look it up by its client order id."


class OrderNotFound(ExchangeError):
    """The exchange knows no such order (any more)."""

    remedy = "It may be filled, cancelled or archived; check the order history."


class AuthenticationFailed(ExchangeError):
    """The exchange does not accept the key, secret or passphrase."""

    remedy = "Check that key, secret and passphrase are copied whole, belong to this environment and are not expired."


class PermissionDenied(ExchangeError):
    """The key is right but may not do this."""

    remedy = "Give the key permission to read and trade, and allow this server's address."


class InvalidTimestamp(ExchangeError):
    """Our clock and the exchange's are too far apart."""

    remedy = "Synchronise this server's clock (NTP)."


class RateLimited(ExchangeError):
    """The exchange refuses for now; nothing was executed. ``retry_after`` is in seconds."""

    remedy = "Nothing was sent; it is tried again when the exchange allows."

    def __init__(
        self, exchange: str, message: str, *, retry_after: int | None = None, **details: object
    ) -> None:
        super().__init__(exchange, message, **details)  # type: ignore[arg-type]
        self.retry_after = retry_after


class ExchangeUnavailable(ExchangeError):
    """The exchange could not be reached or took nothing: surely not executed."""

    remedy = "Nothing was executed; check the network and the exchange's status page."


class OutcomeUnknown(ExchangeError):
    """The request may have been executed: look it up by client order id before anything else."""

    remedy = "It is being looked up on the exchange; do not place it again by hand."
