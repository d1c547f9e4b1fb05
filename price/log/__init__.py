"""The price log on disk.

Its files, in the order in which they are read best:

- row.py: the grammar of a row, and of the line that opens a file
- files.py: which files make up a log
- file.py: one of them, read from anywhere; packed.py where it is packed
- read.py: ranges of all files as one sequence of rows
- order.py: in order, each slot and pair once; merge.py puts repairs among them
- follow.py: going on where a reader stopped, whatever happened to the files
- append.py: rows onto stable storage; cut.py takes off what a crash left, lock.py keeps others out
- end.py: what a recorder reads of a log at its start
"""
