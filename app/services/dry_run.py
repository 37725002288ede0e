"""What is held while the whole installation runs dry (`DRY_RUN=1`): nothing is sent, so it stays as it is, and says so.

What is wished of it meanwhile is kept, and brought about when the dry run is over.
"""

from __future__ import annotations

from app.extensions import db
from app.services import positions, protection

_LEFT = (
    "left on the exchange as it is, guarded or not: this server runs dry (DRY_RUN=1) and sends nothing; what is wished "
    "of it is done when that is over"
)


def leave(position_id: int) -> None:
    """Have a position say that its exits are not brought to what is wished, if they are not as wished already."""
    position = positions.locked(position_id)
    if not protection.settled(position):
        position.alarm = _LEFT
    elif position.alarm == _LEFT:
        position.alarm = None
    db.session.commit()
