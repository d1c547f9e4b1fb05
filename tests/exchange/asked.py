"""Asking over a transport as the recorder does."""

import select
from time import monotonic

from price.model import Answer, Request
from price.transport import Transport


def asked(transport: Transport, request: Request, deadline: float) -> Answer:
    """The answer before a deadline; on a kept connection it is looked at before it is waited for."""
    begun = transport.begin(request)
    if begun is None:
        return transport.get(request, deadline)
    select.select([begun.fileno], [], [], max(0.0, deadline - monotonic()))
    return begun.arrived() or begun.get(request, deadline)
