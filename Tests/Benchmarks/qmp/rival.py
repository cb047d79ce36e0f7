"""The rival: qemu.qmp, QEMU's own client library.

  rival.py SOCKET SCHEMA

Reads what to do from standard input, a line each, as limit.c says, and also `decode N`, which reads
N times the JSON in the file SCHEMA with Python's json module.
"""

import asyncio
import json
import sys
import time

from qemu.qmp import EventListener, QMPClient

WIDTH = 32


async def trips(client, count):
    for _ in range(count):
        reply = await client.execute("query-status")
        assert reply["running"]


async def flight(client, count):
    shares = [count // WIDTH + (place < count % WIDTH) for place in range(WIDTH)]
    await asyncio.gather(*(trips(client, share) for share in shares))


async def events(client, count):
    listener = EventListener()
    with client.listen(listener):
        reply = asyncio.create_task(client.execute("flood"))
        for expected in range(1_000_000, 1_000_000 + count):
            event = await listener.get()
            assert event["data"]["offset"] == expected
        await reply


async def schema(client, count):
    for _ in range(count):
        assert len(await client.execute("query-qmp-schema")) > 100


async def decode(document, count):
    for _ in range(count):
        assert json.loads(document)["return"]


async def main():
    with open(sys.argv[2], "rb") as file:
        document = file.read()
    client = QMPClient("rival")
    await client.connect(sys.argv[1])
    works = {"trips": trips, "flight": flight, "events": events, "schema": schema}
    for line in sys.stdin:
        verb, number = line.split()
        wall, processor = time.perf_counter_ns(), time.process_time_ns()
        if verb == "decode":
            await decode(document, int(number))
        else:
            await works[verb](client, int(number))
        processor = time.process_time_ns() - processor
        print(time.perf_counter_ns() - wall, processor, flush=True)
    await client.disconnect()


asyncio.run(main())
