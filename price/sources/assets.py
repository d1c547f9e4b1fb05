"""Which coin a ticker is: one table of the assets, and of what each exchange calls them.

One ticker is not one coin: Kraken's LUNA is the coin that others call LUNC. So a source is only asked for an
asset whose ticker there is known. Where that is known from:

- the coins of price/coins.py: by CoinGecko's list, whose market pages name each exchange's ticker;
- coinbase: https://docs.cdp.coinbase.com/exchange (GET /currencies; CGLD is Celo)
- kraken: https://docs.kraken.com/api (GET /0/public/Assets) and its support page on asset codes: XBT, XDG,
  LUNA2, LUNA, UST, REPV2
- bitstamp: https://www.bitstamp.net/api (GET /api/v2/currencies/)
- gemini: https://docs.gemini.com/rest-api (symbols and minimums)
- bitfinex: https://docs.bitfinex.com/reference (GET /v2/conf/pub:map:currency:sym): three letters each, once
- binance: https://developers.binance.com (exchangeInfo); its notice of 2022-05-31 on LUNA and LUNC
- okx: https://www.okx.com/docs-v5 (instruments); its notice of 2022-05-28 on LUNA and LUNC
"""

from collections.abc import Mapping
from types import MappingProxyType

from price.coins import COINS

EXCHANGES = ("coinbase", "kraken", "bitstamp", "gemini", "bitfinex", "binance", "okx")
FIAT = ("USD", "EUR", "GBP", "JPY", "CHF", "CAD", "AUD", "SGD")
"""ISO 4217: the same everywhere."""
_SAME = """
    BTC ETH XRP SOL DOGE ADA TRX AVAX LINK DOT LTC SHIB XLM XMR SUI NEAR UNI ICP ETC FIL APT ARB VET GRT AAVE
    MKR XTZ ZEC PEPE DAI NEO SAND CRV BAT CHZ COMP EGLD ENJ KSM LRC BSV
"""
"""Coins whose ticker is their own everywhere, but where the lines below say otherwise."""
_SAME_BUT_AT_BITFINEX = """
    BNB HBAR INJ KAS OP AMP SNX YFI SUSHI ZRX UMA ANKR AXS FLOW GALA APE IMX LDO RUNE KAVA MINA ROSE BONK WIF
    TIA SEI PYTH ONDO ENA POL RENDER FET STX WBTC PAXG PYUSD
"""
"""The same, but at Bitfinex, whose own ticker of them is not known here."""
_OWN = """
    BTC   kraken=XBT
    DOGE  kraken=XDG
    USDT  bitfinex=UST
    USDC  bitfinex=UDC
    BCH   bitfinex=BCHN
    DASH  bitfinex=DSH
    ALGO  bitfinex=ALG
    ATOM  bitfinex=ATO
    IOTA  bitfinex=IOT
    MANA  bitfinex=MNA
    QTUM  bitfinex=QTM
    TUSD  bitfinex=TSD  gemini=-
    STORJ bitfinex=STJ
    CELO  coinbase=CGLD bitfinex=-
    TON   bitfinex=-    coinbase=-      bitstamp=-  gemini=-
    REP   kraken=REPV2  bitfinex=-      bitstamp=-  gemini=-    okx=-
    AMPL  bitfinex=AMP  coinbase=-      bitstamp=-  gemini=-    okx=-   binance=- kraken=-
    LUNA  kraken=LUNA2  bitfinex=LUNA2  coinbase=-  bitstamp=-  gemini=-
    LUNC  kraken=LUNA   bitfinex=LUNA   coinbase=-  bitstamp=-  gemini=-
    USTC  kraken=UST    bitfinex=TERRAUST coinbase=- bitstamp=UST gemini=-
    GUSD  bitfinex=-    okx=-           binance=-
    FDUSD coinbase=-    kraken=-        bitstamp=-  gemini=-    bitfinex=-
"""
"""An asset, and where its ticker is another: `-` where it is not known, or known to be another coin's."""


def _read() -> dict[str, dict[str, str]]:
    table = {asset: dict.fromkeys(EXCHANGES, asset) for asset in (*FIAT, *_SAME.split())}
    elsewhere = [exchange for exchange in EXCHANGES if exchange != "bitfinex"]
    table |= {asset: dict.fromkeys(elsewhere, asset) for asset in _SAME_BUT_AT_BITFINEX.split()}
    for line in _OWN.strip().splitlines():
        asset, *words = line.split()
        table.setdefault(asset, dict.fromkeys(EXCHANGES, asset))
        table[asset] |= dict(word.split("=") for word in words)
    for coin, asset in COINS.items():
        table[asset]["coingecko"] = coin
    return {asset: {at: name for at, name in names.items() if name != "-"} for asset, names in table.items()}


ASSETS: Mapping[str, Mapping[str, str]] = MappingProxyType(_read())
"""What each source calls each asset."""
_COINS_OF: Mapping[tuple[str, str], str] = {
    (source, ticker): asset for asset, names in ASSETS.items() for source, ticker in names.items()
}


def ticker(source: str, asset: str) -> str | None:
    """What a source calls an asset; None where that is not known."""
    return ASSETS.get(asset, {}).get(source)


def is_unheard_of(source: str, asset: str) -> bool:
    """Whether nothing is known of the asset anywhere, and its name is no other coin's at the source."""
    return asset not in ASSETS and source in EXCHANGES and (source, asset) not in _COINS_OF
