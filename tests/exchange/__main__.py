"""The copies as a program of their own: starts them and prints the settings that lead to them."""

import argparse
import random
import signal
import sys
import time
from pathlib import Path
from typing import NoReturn

from tests.exchange import Market, Prices, Replay, Walk, faults, real_time
from tests.exchange.venues import VENUES


def main() -> int:
    """Serve until told to stop."""
    options = _options()
    signal.signal(signal.SIGTERM, _stop)
    prices: Prices = Replay(options.csv, begin=real_time()) if options.csv else Walk(options.seed)
    try:
        with Market(options.exchanges, prices=prices, ca=options.ca) as market:
            _announce(market, options.ports_file)
            _serve(market, options.faults, random.Random(options.seed))
    except KeyboardInterrupt:
        return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.exchange", description=__doc__)
    parser.add_argument("--exchanges", type=_names, default="coinbase,kraken,bitstamp", metavar="A,B,C")
    parser.add_argument(
        "--csv", type=Path, metavar="FILE", help="real minutes, played from now on, instead of made-up prices"
    )
    parser.add_argument(
        "--seed", type=int, default=1, metavar="N", help="of the made-up prices and the faults"
    )
    parser.add_argument("--tls", action="store_true", help="HTTPS; needs --ca")
    parser.add_argument("--ca", type=Path, metavar="FILE", help="where to write the certificate to trust")
    parser.add_argument("--ports-file", type=Path, metavar="FILE", help="gets a line `name port` for each")
    parser.add_argument("--faults", type=float, metavar="SECONDS", help="one fault somewhere every so often")
    options = parser.parse_args()
    if options.tls != bool(options.ca):
        parser.error("--tls and --ca FILE go together")
    return options


def _names(text: str) -> list[str]:
    names = text.split(",")
    unknown = [name for name in names if name not in VENUES]
    if unknown:
        raise argparse.ArgumentTypeError(f"no such exchange: {unknown[0]}; there are {', '.join(VENUES)}")
    return names


def _announce(market: Market, ports_file: Path | None) -> None:
    for name, value in market.environment.items():
        print(f"{name}={value}", flush=True)
    if ports_file:
        # renamed into place: whoever waits for the file finds it whole
        draft = ports_file.with_name(ports_file.name + ".new")
        draft.write_text("".join(f"{exchange.name} {exchange.port}\n" for exchange in market))
        draft.replace(ports_file)


def _serve(market: Market, every: float | None, dice: random.Random) -> NoReturn:
    while True:
        time.sleep(every / 2 if every else 3600)
        if every:
            exchange = dice.choice(list(market))
            exchange.fault = faults.EVERY[dice.choice(list(faults.EVERY))]()
            print(f"# {exchange.name}: {exchange.fault}", file=sys.stderr, flush=True)
            time.sleep(every / 2)
            exchange.fault = None


def _stop(*_: object) -> NoReturn:
    sys.exit(0)


if __name__ == "__main__":
    sys.exit(main())
