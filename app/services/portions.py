"""Long lists read piece by piece, for whoever wants all of a list: an export of a hundred thousand rows, say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, Row, Select

from app.extensions import db

_SIZE = 500


def newest_first(query: Select[Any], key: ColumnElement[int]) -> Iterator[Row[Any]]:
    """The rows of a query without order or limit, the highest ``key`` first; ``key`` tells its rows apart.

    Neither memory nor a transaction holds more than a portion, however slowly the rows are taken. Rows that are added
    meanwhile are left out.
    """
    query = query.add_columns(key).order_by(key.desc()).limit(_SIZE)
    portion = db.session.execute(query).all()
    while portion:
        db.session.commit()
        yield from portion
        portion = db.session.execute(query.where(key < portion[-1][-1])).all()
    db.session.commit()
