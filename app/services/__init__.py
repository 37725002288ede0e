"""The verbs: plain functions that own their transactions; web, tasks and command line only call them."""
