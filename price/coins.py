"""Which coin a ticker is: one table of the assets, and of what each exchange calls them.

One ticker is not one coin: Kraken's LUNA is the coin that others call LUNC. So a source is only asked for an
asset whose ticker there is known. Where that is known from:

- the names that coins have at CoinGecko: https://docs.coingecko.com (coins list); its market pages name each
  exchange's ticker
- coinbase: https://docs.cdp.coinbase.com/exchange (GET /currencies; CGLD is Celo)
- kraken: https://docs.kraken.com/api (GET /0/public/Assets) and its support page on asset codes: XBT, XDG,
  LUNA2, LUNA, UST, REPV2
- bitstamp: https://www.bitstamp.net/api (GET /api/v2/currencies/)
- gemini: https://docs.gemini.com/rest-api (symbols and minimums)
- bitfinex: https://docs.bitfinex.com/reference (GET /v2/conf/pub:map:currency:sym): three letters each, once
- binance: https://developers.binance.com (exchangeInfo); its notice of 2022-05-31 on LUNA and LUNC
- okx: https://www.okx.com/docs-v5 (instruments); its notice of 2022-05-28 on LUNA and LUNC
"""

import re

from price.model import Pair

_PAIR = re.compile(r"([A-Za-z0-9]{1,20})[-/]([A-Za-z0-9]{1,20})", re.ASCII)
_FIAT = "USD EUR GBP JPY CHF CAD AUD SGD"
"""ISO 4217: the same everywhere, but for CoinGecko, which has them as currencies alone."""
_SAME = """
    ETH=ethereum XRP=ripple SOL=solana ADA=cardano TRX=tron AVAX=avalanche-2
    LINK=chainlink DOT=polkadot LTC=litecoin SHIB=shiba-inu XLM=stellar XMR=monero SUI=sui NEAR=near
    UNI=uniswap ICP=internet-computer ETC=ethereum-classic FIL=filecoin APT=aptos ARB=arbitrum
    VET=vechain GRT=the-graph AAVE=aave MKR=maker XTZ=tezos ZEC=zcash PEPE=pepe DAI=dai NEO=neo
    SAND=the-sandbox CRV=curve-dao-token BAT=basic-attention-token CHZ=chiliz
    COMP=compound-governance-token EGLD=elrond-erd-2 ENJ=enjincoin KSM=kusama LRC=loopring
    BSV=bitcoin-cash-sv
"""
"""Coins whose ticker is their own everywhere, each with its name at CoinGecko."""
_SAME_BUT_AT_BITFINEX = """
    BNB=binancecoin HBAR=hedera-hashgraph INJ=injective-protocol KAS=kaspa OP=optimism AMP=amp-token
    SNX=havven YFI=yearn-finance SUSHI=sushi ZRX=0x UMA=uma ANKR=ankr AXS=axie-infinity FLOW=flow
    GALA=gala APE=apecoin IMX=immutable-x LDO=lido-dao RUNE=thorchain KAVA=kava MINA=mina-protocol
    ROSE=oasis-network BONK=bonk WIF=dogwifcoin TIA=celestia SEI=sei-network PYTH=pyth-network
    ONDO=ondo-finance ENA=ethena POL=polygon-ecosystem-token RENDER=render-token FET=fetch-ai
    STX=blockstack WBTC=wrapped-bitcoin PAXG=pax-gold PYUSD=paypal-usd
"""
"""The same, but at Bitfinex, whose own ticker of them is not known here."""
_OWN = """
    BTC   coingecko=bitcoin           kraken=XBT
    DOGE  coingecko=dogecoin          kraken=XDG
    USDT  coingecko=tether            bitfinex=UST
    USDC  coingecko=usd-coin          bitfinex=UDC
    BCH   coingecko=bitcoin-cash      bitfinex=BCHN
    DASH  coingecko=dash              bitfinex=DSH
    ALGO  coingecko=algorand          bitfinex=ALG
    ATOM  coingecko=cosmos            bitfinex=ATO
    IOTA  coingecko=iota              bitfinex=IOT
    MANA  coingecko=decentraland      bitfinex=MNA
    QTUM  coingecko=qtum              bitfinex=QTM
    TUSD  coingecko=true-usd          bitfinex=TSD gemini=-
    STORJ coingecko=storj             bitfinex=STJ
    CELO  coingecko=celo              coinbase=CGLD bitfinex=-
    TON   coingecko=the-open-network  bitfinex=- coinbase=- bitstamp=- gemini=-
    REP   coingecko=augur             kraken=REPV2 bitfinex=- bitstamp=- gemini=- okx=-
    AMPL  coingecko=ampleforth        bitfinex=AMP coinbase=- bitstamp=- gemini=- okx=- binance=- kraken=-
    LUNA  coingecko=terra-luna-2      kraken=LUNA2 bitfinex=LUNA2 coinbase=- bitstamp=- gemini=-
    LUNC  coingecko=terra-luna        kraken=LUNA bitfinex=LUNA coinbase=- bitstamp=- gemini=-
    USTC  coingecko=terrausd          kraken=UST bitfinex=TERRAUST coinbase=- bitstamp=UST gemini=-
    GUSD  coingecko=gemini-dollar     bitfinex=- okx=- binance=-
    FDUSD coingecko=first-digital-usd coinbase=- kraken=- bitstamp=- gemini=- bitfinex=-
"""
"""Coins with other tickers here and there: `-` where it is not known, or known to be another coin's."""


def _read() -> dict[str, dict[str, str]]:
    table = {asset: {"coingecko": "-"} for asset in _FIAT.split()}
    for block, also in ((_SAME, {}), (_SAME_BUT_AT_BITFINEX, {"bitfinex": "-"})):
        for word in block.split():
            asset, _, name = word.partition("=")
            table[asset] = {"coingecko": name, **also}
    for line in _OWN.strip().splitlines():
        asset, *words = line.split()
        table[asset] = dict(word.split("=") for word in words)
    return table


_ASSETS = _read()
"""The known assets, each with the sources that call it otherwise, and what those call it."""
_OTHER_NAMES = {other for names in _ASSETS.values() for other in names.items()}
"""A source and what it calls an asset, where that is another name."""
COINS = {name: asset for asset, names in _ASSETS.items() if (name := names["coingecko"]) != "-"}
"""CoinGecko's id of each coin, mostly its name, and the coin."""


def ticker(source: str, asset: str) -> str | None:
    """What a source calls an asset; None where that is not known."""
    name = _ASSETS[asset].get(source, asset) if asset in _ASSETS else "-"
    return None if name == "-" else name


def is_unheard_of(source: str, asset: str) -> bool:
    """Whether nothing is known of the asset anywhere, and its name is no other coin's at the source."""
    return asset not in _ASSETS and (source, asset) not in _OTHER_NAMES


def typed_pair(text: str) -> Pair:
    """The pair that an operator types: `btc/usd`, or a coin's name, which is then priced in USD.

    Raises ValueError.
    """
    if text.lower() in COINS:
        return Pair(COINS[text.lower()], "USD")
    match = _PAIR.fullmatch(text)
    if match is None:
        raise ValueError(f"{text[:40]!r} is not a pair such as BTC-USD")
    return Pair(match[1].upper(), match[2].upper())
