"""What stands before every page: the log-in, the token of each form, and how often one may ask."""

from __future__ import annotations

from flask import Flask
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_login import LoginManager
from flask_wtf.csrf import CSRFProtect

login = LoginManager()
csrf = CSRFProtect()
limiter = Limiter(key_func=get_remote_address)


def init_app(app: Flask) -> None:
    """Put them before the application; before all else, so that nothing is done for who may not ask."""
    app.config.update(
        WTF_CSRF_TIME_LIMIT=None,
        RATELIMIT_STORAGE_URI=app.extensions["settings"].limits_url,
        RATELIMIT_IN_MEMORY_FALLBACK_ENABLED=True,
        RATELIMIT_HEADERS_ENABLED=False,
    )
    login.init_app(app)
    csrf.init_app(app)
    limiter.init_app(app)
