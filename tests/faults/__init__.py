"""Real faults against the recorder in a process of its own: crashes, torn writes, broken disks and networks.

Nothing is pretended: strace kills or refuses at a given system call, preloaded libraries tear writes, cut the
power or set the clock, small file systems fill up. Only time is made: a slot comes when the test says so, but
where `main.py run` itself is under test.
"""
