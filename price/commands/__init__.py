"""Commands that put several rooms together.

Each module has `add_options(parser)` and `run(args, environ, now) -> exit status`: see cli.py.
"""
