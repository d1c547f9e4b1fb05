"""The fuzzer's targets hold on their seeds, on what was found, and on some inputs, always the same."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.targets import TARGETS, seeds

HEADER, ROW = b"# price-log 1 every=5s\n", b"2026-11-20T15:52:05Z"
FOUND = {
    "adapters": [
        b"\4\0[" + b'"' + b"\xff" * 500,
        b'\0\0{"price":"1","time":"0001-01-01T00:00:00.' + b"0" * 100_000 + b'+23:59"}',
    ],
    "environment": [
        b"\x0dhttp://127.0.0.1:1\xffno_proxy=10.0.0.0/8\0x\n",
        b"\xffSSL_CERT_FILE=a\0b\n",
        b"\x05\x1b[31m/..\xff",
    ],
    "reader": [
        b"%b%b BTC-USD 1 a\n%b BTC-\n\xff%b%b BTC-USD 5 a by=peer\n" % (HEADER, ROW, ROW, HEADER, ROW),
        b"%b%b BTC-USD - down slots=x\n" % (HEADER, ROW),
    ],
    "rows": [b"%b BTC-USD - down slots=6 slots=3" % ROW],
    "start": [
        b"# price-log 1 every=5s\n9999-12-31T23:59:55Z BTC-USD 1 kraken\n",
        b"# price-log 1 every=9999s\n2026-11-20T15:52:00Z ETH-USD - down slots=9999999999\n",
    ],
}
every_target = pytest.mark.parametrize("name", list(TARGETS))


@every_target
def test_a_target_holds_on_its_seeds_and_on_what_was_found(name: str) -> None:
    for data in [*seeds(name), *FOUND.get(name, [])]:
        TARGETS[name](data)


@every_target
def test_a_target_holds_on_seeds_that_are_cut_and_garbled(name: str) -> None:
    @settings(suppress_health_check=[HealthCheck.too_slow])
    @given(st.sampled_from(seeds(name)), st.binary(max_size=20), st.integers(0, 400), st.integers(0, 20))
    def hold(seed: bytes, put: bytes, at: int, instead_of: int) -> None:
        TARGETS[name](seed[:at] + put + seed[at + instead_of :])

    hold()
