"""The dialects the sandbox speaks, by the exchange they imitate; each is served at ``/<exchange>/...``."""

from __future__ import annotations

from collections.abc import Mapping

from app.sandbox.dialects.base import Dialect
from app.sandbox.dialects.binance import Binance
from app.sandbox.dialects.bingx import BingX
from app.sandbox.dialects.bitget import Bitget
from app.sandbox.dialects.bybit import Bybit
from app.sandbox.dialects.coinbase import Coinbase
from app.sandbox.dialects.gateio import GateIO
from app.sandbox.dialects.kraken import Kraken
from app.sandbox.dialects.kucoin import KuCoin
from app.sandbox.dialects.okx import OKX

DIALECTS: Mapping[str, type[Dialect]] = {
    "binance": Binance,
    "bingx": BingX,
    "bitget": Bitget,
    "bybit": Bybit,
    "coinbase": Coinbase,
    "gateio": GateIO,
    "kraken": Kraken,
    "kucoin": KuCoin,
    "okx": OKX,
}
