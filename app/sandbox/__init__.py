"""A local, simulated world of exchanges, for the demo, paper trading, tests and benchmarks."""
