"""The matching engine that stands behind every dialect of the sandbox."""
