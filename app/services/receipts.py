"""What the sender of an alert is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.alerts import AlertStatus


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a sender is told of a stored delivery: of its first alert, and which others it made.

    ``proven`` is False for a sender that did not prove itself.
    """

    alert_id: int
    source_id: int
    status: AlertStatus
    reason: str | None
    duplicate_of_id: int | None
    proven: bool = True
    alert_ids: Sequence[int] = ()

    @property
    def refused(self) -> bool:
        """Whether it leads to nothing because of what was sent, or by whom."""
        return self.status in (AlertStatus.ERROR, AlertStatus.DENIED)
