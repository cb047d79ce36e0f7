"""The rival of `qvm status`: asks a monitor for the run state with qemu.qmp.

status.py SOCKET
"""

import asyncio
import sys

from qemu.qmp import QMPClient


async def main():
    client = QMPClient("status")
    await client.connect(sys.argv[1])
    print((await client.execute("query-status"))["status"])
    await client.disconnect()


asyncio.run(main())
