"""Runs on the machine: local exchanges over TLS, and the times at which they were asked.

    python -m bench.server FOLDER NAME=EXCHANGE[:PAIRS][:hangs] ...

Writes FOLDER/ca.pem, the certificates to trust, and FOLDER/urls.json; when told to stop, FOLDER/asked.json:
the Unix times of each exchange's requests.
"""

import json
import signal
import sys
from contextlib import ExitStack
from pathlib import Path

import certifi

from price.model import Pair
from tests.exchange import Exchange, faults
from tests.exchange.certificates import Certificates
from tests.exchange.server import HOST


def many(count: int) -> list[Pair]:
    """So many pairs that Binance could list."""
    return [Pair(f"C{number:04d}", "USDT") for number in range(count)]


def main() -> None:
    """Serves until told to stop."""
    folder = Path(sys.argv[1])
    certificates = Certificates(HOST)
    certificates.write(folder / "ca.pem")
    # the certificates that everybody else trusts as well: to parse them is a part of the cost
    with (folder / "ca.pem").open("ab") as bundle:
        bundle.write(Path(certifi.where()).read_bytes())
    exchanges = {}
    signal.signal(signal.SIGTERM, lambda *_: signal.default_int_handler(signal.SIGINT, None))
    with ExitStack() as running:
        for argument in sys.argv[2:]:
            name, _, what = argument.partition("=")
            exchange, *more = what.split(":")
            pairs = next((many(int(word)) for word in more if word.isdigit()), None)
            exchanges[name] = Exchange(exchange, pairs=pairs, certificates=certificates)
            running.enter_context(exchanges[name])
            if "hangs" in more:
                exchanges[name].fault = faults.hang()
        urls = {name: exchange.url for name, exchange in exchanges.items()}
        draft = folder / "urls.new"
        draft.write_text(json.dumps(urls))
        draft.rename(folder / "urls.json")
        try:
            signal.pause()
        except KeyboardInterrupt:
            asked = {
                name: [seen.time.timestamp() for seen in one.requests] for name, one in exchanges.items()
            }
            (folder / "asked.json").write_text(json.dumps(asked))


if __name__ == "__main__":
    main()
