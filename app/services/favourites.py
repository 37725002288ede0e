"""The markets a person has starred."""

from __future__ import annotations

from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError

from app.extensions import db
from app.models import FavouriteMarket, User


def add(user: User, market_id: int) -> None:
    """Star a market; one that is starred already stays so."""
    db.session.add(FavouriteMarket(user_id=user.id, market_id=market_id))
    try:
        db.session.commit()
    except IntegrityError:
        db.session.rollback()


def remove(user: User, market_id: int) -> None:
    """Take a market's star away, if it has one."""
    starred = (FavouriteMarket.user_id == user.id, FavouriteMarket.market_id == market_id)
    db.session.execute(delete(FavouriteMarket).where(*starred))
    db.session.commit()
