"""How all tests are run."""

from hypothesis import settings

# a busy machine is no reason to fail: the time of one example says nothing
settings.register_profile("price", deadline=None)
settings.load_profile("price")
