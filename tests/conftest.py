"""How all tests are run."""

from hypothesis import settings

from tests.oneworker import pytest_xdist_make_scheduler

__all__ = ["pytest_xdist_make_scheduler"]  # pytest finds the hook by its name here

# a busy machine is no reason to fail: the time of one example says nothing
settings.register_profile("price", deadline=None)
settings.load_profile("price")
