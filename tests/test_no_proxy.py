"""Which hosts NO_PROXY names."""

import pytest

from price.transport.urls import bypasses, proxies_for

NAMED = [
    ("*", "https://exchange.test"),
    ("exchange.test", "https://exchange.test"),
    ("EXCHANGE.test", "https://exchange.TEST"),
    ("exchange.test", "https://exchange.test.:8443/x"),
    ("exchange.test", "https://api.exchange.test"),
    (".exchange.test", "https://api.exchange.test"),
    (".exchange.test", "https://exchange.test"),
    ("*.exchange.test", "https://api.exchange.test"),
    ("*.exchange.test", "https://exchange.test"),
    ("exchange.test:443", "https://exchange.test"),
    ("exchange.test:80", "http://exchange.test"),
    ("exchange.test:8443", "https://api.exchange.test:8443"),
    ("*.test:8443", "https://exchange.test:8443"),
    ("other.test exchange.test", "https://exchange.test"),
    (" other.test ,\texchange.test ", "https://exchange.test"),
    (",,exchange.test,", "https://exchange.test"),
    ("other.test,*", "https://exchange.test"),
    ("127.0.0.1", "http://127.0.0.1:8080"),
    ("127.0.0.1:8080", "http://127.0.0.1:8080"),
    ("127.0.0.0/8", "http://127.1.2.3"),
    ("10.1.2.3/8", "http://10.9.9.9"),
    ("::1", "http://[::1]:8080"),
    ("[::1]", "http://[::1]:8080"),
    ("[::1]:8080", "http://[::1]:8080"),
    ("fd00::/8", "https://[fd12::1]"),
    ("localhost", "http://localhost:9"),
]
NOT_NAMED = [
    ("", "https://exchange.test"),
    (" , ", "https://exchange.test"),
    ("change.test", "https://exchange.test"),
    ("exchange.tes", "https://exchange.test"),
    ("api.exchange.test", "https://exchange.test"),
    ("exchange.test.org", "https://exchange.test"),
    ("exchange.test:80", "https://exchange.test"),
    ("exchange.test:443", "https://exchange.test:8443"),
    ("*.", "https://exchange.test"),
    (".", "https://exchange.test"),
    ("exchange.*", "https://exchange.test"),
    ("127.0.0.1", "http://127.0.0.11"),
    ("7.0.0.1", "http://127.0.0.1"),
    ("127.0.0.1:80", "http://127.0.0.1:8080"),
    ("10.0.0.0/8", "http://11.0.0.1"),
    ("10.0.0.0/33", "http://10.0.0.1"),
    ("10.0.0.0/8", "http://[::ffff:a00:1]"),
    ("[::1]:80", "http://[::1]:8080"),
    ("[::1", "http://[::2]"),
    ("fd00::/8", "https://[fe80::1]"),
]


@pytest.mark.parametrize(("no_proxy", "url"), NAMED)
def test_a_host_that_no_proxy_names_is_asked_directly(no_proxy: str, url: str) -> None:
    assert bypasses(no_proxy, url)
    assert proxies_for(url, {"ALL_PROXY": "http://proxy.test", "NO_PROXY": no_proxy}) == {}


@pytest.mark.parametrize(("no_proxy", "url"), NOT_NAMED)
def test_any_other_host_is_asked_by_the_proxy(no_proxy: str, url: str) -> None:
    assert not bypasses(no_proxy, url)
    found = proxies_for(url, {"ALL_PROXY": "http://proxy.test", "NO_PROXY": no_proxy})
    assert found == {"http": "http://proxy.test", "https": "http://proxy.test"}
