"""Saying no to what a person entered."""

from __future__ import annotations

from app.domain.errors import SwitchyardError


class Refused(SwitchyardError):
    """Something cannot be made or changed as asked; ``field`` names the input at fault where it is one."""

    remedy = "Correct the named field and try again."

    def __init__(self, message: str, *, field: str | None = None, remedy: str | None = None) -> None:
        super().__init__(message, remedy=remedy)
        self.field = field
