"""A new connection to one of the addresses of a host."""

import socket
from collections.abc import Callable, Iterable


def connected(
    host: str,
    port: int,
    options: Iterable[tuple[int, int, int | bytes]],
    seconds_left: Callable[[], float],
) -> socket.socket:
    """A connection to the first address that answers; each has its share of the time that is left.

    Raises OSError: TimeoutError after the deadline, else what the last address failed with.
    """
    addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    failure: OSError = OSError("the name has no address")
    for tried, (family, kind, protocol, _, address) in enumerate(addresses):
        sock = socket.socket(family, kind, protocol)
        try:
            for option in options:
                sock.setsockopt(*option)
            sock.settimeout(seconds_left() / (len(addresses) - tried))
            sock.connect(address)
            sock.settimeout(seconds_left())
        except OSError as error:
            failure = error
            sock.close()
        else:
            return sock
    raise failure
