"""Runs a command in a network of its own: `unshare -rnm python -m tests.alone RESOLVER COMMAND...`.

Nothing but loopback is there. The resolver is `none`, `silent`, or says that all names are `nowhere`.
"""

import os
import signal
import socket
import struct
import subprocess
import sys
from pathlib import Path
from tempfile import NamedTemporaryFile

_NO_SUCH_NAME = 0x8183
"""A response, recursion desired and available, of code 3."""


def main() -> None:
    """Sets the stage, then becomes the command."""
    kind, *command = sys.argv[1:]
    _replace("/etc/resolv.conf", "nameserver 127.0.0.1\noptions timeout:5 attempts:2\n")
    _replace("/etc/nsswitch.conf", "hosts: files dns\n")
    if kind != "none":
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        _resolve(kind)
    os.execvp(command[0], command)


def _replace(path: str, text: str) -> None:
    """Has a file be another one, here only."""
    with NamedTemporaryFile("w", delete=False) as file:
        file.write(text)
    subprocess.run(["mount", "--bind", file.name, path], check=True)
    Path(file.name).unlink()


def _resolve(kind: str) -> None:
    """Answers look-ups in a process that ends with the command."""
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 53))
    command = os.getpid()
    if os.fork():
        server.close()
        return
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    server.settimeout(0.2)
    while os.getppid() == command:
        try:
            query, asker = server.recvfrom(512)
        except TimeoutError:
            continue
        if kind == "nowhere":
            number, _, *counts = struct.unpack("!6H", query[:12])
            head = struct.pack("!6H", number, _NO_SUCH_NAME, counts[0], 0, 0, 0)
            server.sendto(head + query[12:], asker)
    os._exit(0)


if __name__ == "__main__":
    main()
