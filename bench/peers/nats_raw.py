"""A log into JetStream as one would write it first: each row by itself, up to 1,000 without an answer.

nats_raw.py SERVER[,SERVER...] LOG
"""

import asyncio
import sys
from pathlib import Path

import nats
from nats.aio.msg import Msg

IN_FLIGHT = 1000


async def publish(servers: list[str], log: Path) -> int:
    """Publishes every row; returns how many were stored."""
    client = await nats.connect(servers)
    free, stored = asyncio.Semaphore(IN_FLIGHT), 0

    async def answered(answer: Msg) -> None:
        nonlocal stored
        stored += b'"seq"' in answer.data
        free.release()

    inbox = client.new_inbox()
    await client.subscribe(inbox, cb=answered)
    with log.open("rb") as lines:
        for line in lines:
            if not line.startswith(b"#"):
                slot, pair, _ = line.decode().split(" ", 2)
                await free.acquire()
                headers = {"Nats-Msg-Id": f"{pair}@{slot}"}
                await client.publish(f"price.quote.{pair}", line.rstrip(), inbox, headers)
    for _ in range(IN_FLIGHT):
        await free.acquire()
    await client.close()
    return stored


def main() -> int:
    """Publishes the log of the command line; 1 where not every row was stored."""
    servers, log = sys.argv[1].split(","), Path(sys.argv[2])
    wanted = sum(not line.startswith("#") for line in log.read_text().splitlines())
    return int(asyncio.run(publish(servers, log)) != wanted)


if __name__ == "__main__":
    sys.exit(main())
