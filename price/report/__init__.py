"""The reading wing: files -> one sorted sequence of rows -> a question -> a table.

It needs no recorder, no network and no settings. Importing costs more than most answers, so this
wing leaves dataclasses, typing, json and decimal alone until a command needs them.
"""
