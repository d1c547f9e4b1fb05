"""What people install: the wheel and the Debian package, built and used as they are."""
