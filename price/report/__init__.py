"""The reading commands: files -> one sorted sequence of rows -> a question -> a table or a picture.

They need no recorder, no network and no settings. Importing costs more than most answers, so modules here
import dataclasses, json and decimal only where a command needs them.
"""
