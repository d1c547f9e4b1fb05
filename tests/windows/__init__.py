"""The program on a real CPython for Windows, under Wine: `make test-windows`."""
