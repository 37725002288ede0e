"""The spans of time that pages let a person choose from."""

from __future__ import annotations

from datetime import timedelta

PERIODS = {
    "day": timedelta(days=1),
    "week": timedelta(days=7),
    "month": timedelta(days=30),
    "year": timedelta(days=365),
}
