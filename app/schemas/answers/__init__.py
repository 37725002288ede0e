"""What the API answers: domain objects out, JSON as docs/api.md tells it."""
