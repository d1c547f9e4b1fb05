"""What is special to Gemini."""

from tests.sources.answers import sent, tick


def test_the_end_of_the_volume_window_is_not_the_time_of_the_price() -> None:
    found = tick("gemini", "BTC-USD", sent("gemini/single.json"))

    assert (str(found.price), found.time) == ("61235.00", None)
