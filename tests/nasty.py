"""Texts that do something to a terminal, to a journal, or to a log of one row a line."""

NASTY = "a\nb\r\x1b[31m\x07\x00\x85\x9b\u202e\u2066\u200b\ufeff\u2028\u2029\ud800 #x"
# a line break, ANSI and C1 controls, bidi and zero-width, a line separator, a lone surrogate, a comment sign
NASTY_NAME = NASTY.replace("\0", "").replace("\ud800", "\udcff")
"""As a file's name or an environment's value can be."""
NASTY_BYTES = b"a\x1b[31m\x07\x00\x85\x9b\xe2\x80\xae\xe2\x80\x8b\xed\xa0\x80\xff #x\x0b\x0c\x1c"
"""As a header can be, which ends at a line break."""
