"""An account on a sandbox exchange, for each test its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fixtures.sandbox import SandboxServer
from tests.sandbox import bitget_caller, kraken_caller, kucoin_caller
from tests.sandbox.binance_caller import Caller


@pytest.fixture
def binance(fresh_sandbox: SandboxServer) -> Iterator[Caller]:
    """A signing caller with 100,000 USDT, 2 BTC and 20 ETH; BTC costs 60,000 USDT."""
    caller = Caller(fresh_sandbox.at("binance"), fresh_sandbox.account("binance"))
    yield caller
    caller.close()


@pytest.fixture
def bitget(fresh_sandbox: SandboxServer) -> Iterator[bitget_caller.Caller]:
    """A signing caller with the same on a sandbox Bitget."""
    caller = bitget_caller.Caller(fresh_sandbox.at("bitget"), fresh_sandbox.account("bitget"))
    yield caller
    caller.close()


@pytest.fixture
def kucoin(fresh_sandbox: SandboxServer) -> Iterator[kucoin_caller.Caller]:
    """A signing caller with 100,000 USDT, 2 BTC and 20 ETH; BTC costs 60,000 USDT."""
    caller = kucoin_caller.Caller(fresh_sandbox.at("kucoin"), fresh_sandbox.account("kucoin"))
    yield caller
    caller.close()


@pytest.fixture
def kraken(fresh_sandbox: SandboxServer) -> Iterator[kraken_caller.Caller]:
    """A signing caller with the same on a sandbox Kraken."""
    caller = kraken_caller.Caller(fresh_sandbox.at("kraken"), fresh_sandbox.account("kraken"))
    yield caller
    caller.close()
