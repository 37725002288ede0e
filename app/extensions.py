"""The objects Flask and its extensions share; `create_app` gives them their settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from celery import Celery
from flask import current_app
from flask_sqlalchemy import SQLAlchemy
from redis import Redis
from sqlalchemy import MetaData
from sqlalchemy.orm import DeclarativeBase
from werkzeug.local import LocalProxy

from app.config import Settings


class Model(DeclarativeBase):
    """Base of every table; constraints have predictable names so that migrations can address them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


#: Objects outlive a commit: reading one must never open a transaction behind our back.
db = SQLAlchemy(model_class=Model, session_options={"expire_on_commit": False})
if TYPE_CHECKING:
    Table = Model  # what the type checker knows of `db.Model`, which is made at run time
else:
    Table = db.Model
redis: Redis = LocalProxy(lambda: current_app.extensions["redis"])  # type: ignore[assignment]
settings: Settings = LocalProxy(lambda: current_app.extensions["settings"])  # type: ignore[assignment]
celery = Celery("switchyard", config_source="celeryconfig")
celery.set_default()  # what `app.dispatch` finds, in whichever thread
