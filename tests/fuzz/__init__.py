"""Coverage-guided fuzzing of all that reads what comes from outside: `python -m tests.fuzz TARGET`.

Needs atheris (requirements-fuzz.txt); `make test` runs the same targets on their seeds without it.
"""
