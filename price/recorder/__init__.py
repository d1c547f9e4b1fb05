"""The recorder: clock slot -> sources -> one quote -> sinks."""

import gc

# A slot of thousands of pairs makes as many objects, and loading the program makes 50,000; hardly any are in
# reference cycles. With Python's default threshold the garbage collector would search them for cycles forty
# times a slot, and fifty times at the start.
gc.set_threshold(20_000)
