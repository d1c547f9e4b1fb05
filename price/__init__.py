"""price records cryptocurrency prices as logs and accounts for every slot."""

__version__ = "0.1.0"
