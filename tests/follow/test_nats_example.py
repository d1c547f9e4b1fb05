"""What deploy/ ships for a stream of three nodes: settings, certificates, files with the passwords."""

import re
import subprocess
from pathlib import Path

import pytest

from price.errors import SettingsError
from price.follow.nats import Nats
from tests.follow.engines import NatsServers
from tests.follow.following import NOW, command
from tests.follow.logs import write_log
from tests.follow.test_nats import recent
from tests.needs import needs
from tests.process import until

DEPLOY = Path(__file__).parents[2] / "deploy"
PASSWORDS = {"OWNER_PASSWORD": "o4f1", "FOLLOW_PASSWORD": "f9d3", "READ_PASSWORD": "r7a6"}


class Example(NatsServers):
    """Nodes as deploy/nats/n1.conf has them, all on loopback."""

    def _config(self, number: int, routes: list[int]) -> str:
        certificates = self.folder / "tls"
        if not certificates.exists():
            make = [str(DEPLOY / "make-certificates.sh"), str(certificates), "localhost"]
            subprocess.run(make, check=True, stdout=subprocess.DEVNULL)
        text = (DEPLOY / "nats" / "n1.conf").read_text()
        for at, port in enumerate(routes, 1):
            text = text.replace(f"nats://n{at}.example:6222", f"nats://localhost:{port}")
        for shipped, here in {
            "server_name: n1": f"server_name: n{number}",
            "0.0.0.0:4222": f"127.0.0.1:{self.ports[number]}",
            "127.0.0.1:8222": f"127.0.0.1:{self._http[number]}",
            "0.0.0.0:6222": f"127.0.0.1:{routes[number]}",
            "n1.example:4222": f"localhost:{self.ports[number]}",
            "n1.example:6222": f"localhost:{routes[number]}",
            "/etc/nats/n1.example": f"{certificates}/localhost",
            "/etc/nats/ca.pem": f"{certificates}/ca.pem",
            "/var/lib/nats": f"{self.folder}/s{number}",
        }.items():
            assert shipped in text
            text = text.replace(shipped, here)
        return text


def test_the_shipped_settings_make_three_nodes_that_a_follower_can_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs("openssl", "apt install openssl")
    for name, value in PASSWORDS.items():
        monkeypatch.setenv(name, value)
    log = write_log(tmp_path / "log" / "prices.txt", recent(20))
    servers = Example()
    try:
        nodes = [f"localhost:{port}" for port in servers.ports]
        there = {
            "PRICE_FOLLOW_NATS": ",".join(f"tls://{one}" for one in nodes),
            "CREDENTIALS_DIRECTORY": str(tmp_path),
        }
        (tmp_path / "nats.ca").write_bytes((servers.folder / "tls" / "ca.pem").read_bytes())
        (tmp_path / "nats").write_text("follow:f9d3\n")
        owner = {**there, "PRICE_FOLLOW_NATS": f"tls://owner:o4f1@{nodes[0]}"}

        made = command(log, "nats", "--init", **owner)
        # a node that has not heard of the stream's leader yet has nobody to ask
        until(lambda: command(log, "nats", "--once", **there).returncode == 0, seconds=30)
        checked = command(log, "nats", "--check", **there)
        (tmp_path / "nats").write_text("follow:$FOLLOW_PASSWORD\n")
        literal = command(log, "nats", "--check", **there)
    finally:
        servers.stop()

    assert (made.stdout, made.stderr) == (
        f"the stream PRICE is at {nodes[0]}, 3 copies of each message\n",
        "",
    )
    assert checked.stdout == f"nats at {','.join(nodes)}: all is well\n"
    assert (literal.returncode, "Authorization Violation" in literal.stdout) == (1, True)


def test_a_file_without_certificates_is_named(tmp_path: Path) -> None:
    path = tmp_path / "nats.ca"
    path.write_text("nothing\n")

    with pytest.raises(SettingsError, match=f"{re.escape(str(path))}: there are no certificates in it"):
        Nats(["tls://localhost:1"], "box-a", lambda: NOW, authority=str(path))
