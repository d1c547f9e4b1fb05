"""`price web`: listens, or takes the sockets that systemd has opened, and serves until it is stopped."""

import errno
import logging
import os
import socket
import threading
from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path

from waitress.server import create_server

from price import host, settings
from price.errors import PriceError
from price.web.answers import Answers
from price.web.app import App
from price.web.days import Days
from price.web.standing import Standing

THREADS = 4
CONNECTIONS = 500
"""At most; waitress takes no more from the kernel's queue until some of them are closed."""
_FIRST_SOCKET = 3
"""sd_listen_fds(3)."""
_NO_IPV6 = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)
_LOOPBACK = ("127.0.0.1", "::1")


def run(
    args: Namespace,
    environ: Mapping[str, str],
    now: Callable[[], datetime],
    monotonic: Callable[[], float],
    say: Callable[[str], None],
) -> int:
    """Serves the page. Raises PriceError where it cannot listen, SettingsError for bad settings.

    `say` gets the lines for whoever started it by hand.
    """
    log = args.file or str(settings.log_path(environ))
    status = settings.status_path(environ)
    hosts = settings.value_of(environ, "PRICE_WEB_HOSTS")
    given = given_sockets(environ)
    sockets = given or open_sockets(settings.value_of(environ, "PRICE_WEB_LISTEN"))
    cache = environ.get("CACHE_DIRECTORY", "").partition(":")[0]
    answers = Answers(log, Days(Path(cache) if cache else None), monotonic)
    app = App(Standing(log, status), answers, now, hosts)
    # a page that is opened asks for ten files: no reason to warn that some of them wait for a thread
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    server = create_server(
        app,
        sockets=list(sockets),
        threads=THREADS,
        connection_limit=CONNECTIONS,
        channel_timeout=30,
        ident=None,
        max_request_header_size=16_384,
        max_request_body_size=16_384,
        clear_untrusted_proxy_headers=True,
    )
    if args.idle:
        threading.Thread(target=_end_when_idle, args=(app, args.idle), daemon=True).start()
    if not given:
        _announce(sockets, say)
    with host.exit_on_term():
        server.run()  # until SystemExit or KeyboardInterrupt, which it swallows
    return 0


def given_sockets(environ: Mapping[str, str]) -> list[socket.socket]:
    """The sockets that systemd has opened for this process, all of them."""
    count = environ.get("LISTEN_FDS", "")
    if environ.get("LISTEN_PID") != str(os.getpid()) or not count.isdigit():
        return []
    return [socket.socket(fileno=_FIRST_SOCKET + number) for number in range(int(count))]


def open_sockets(places: Sequence[tuple[str, int]]) -> list[socket.socket]:
    """Sockets that listen there. Raises PriceError naming the first that cannot."""
    found: list[socket.socket] = []
    with ExitStack() as opened:
        for address, port in places:
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            try:
                found.append(opened.enter_context(socket.create_server((address, port), family=family)))
            except OSError as error:
                if found and address == "::1" and error.errno in _NO_IPV6:
                    continue
                why = os.strerror(error.errno or 0)
                raise PriceError(
                    f"PRICE_WEB_LISTEN={address}:{port}: {why}; is price web running already?"
                    f" ss -ltnp 'sport = :{port}' shows who listens there"
                ) from error
        opened.pop_all()
    return found


def _announce(sockets: Sequence[socket.socket], say: Callable[[str], None]) -> None:
    for one in sockets:
        address, port = one.getsockname()[:2]
        shown = f"[{address}]" if ":" in address else address
        say(f"http://{shown}:{port}/")
        if address not in _LOOPBACK:
            say(
                f"price: {shown}:{port} can be reached by others, and the page has no login:"
                " put a proxy with one before it (docs/web.md)"
            )


def _end_when_idle(app: App, seconds: float) -> None:
    """Ends the process once nobody has asked for so long: systemd starts it again for whoever asks next."""
    wait = threading.Event().wait
    asked, idle, step = -1, 0.0, min(10.0, seconds / 4)
    while idle < seconds:
        wait(step)
        idle = idle + step if app.asked == asked else 0.0
        asked = app.asked
    os._exit(0)
