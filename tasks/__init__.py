"""Celery tasks: an id in, a service call. What they mean is in `app.services`."""
