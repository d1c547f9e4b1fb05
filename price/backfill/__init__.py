"""The third wing: fills missed slots of a log from a provider, into repairs.txt beside it.

What is missed is read with the reading wing; prices.txt itself is never written to.
"""
