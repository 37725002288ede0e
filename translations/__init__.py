"""The pages' texts in other languages, and what collects them."""
