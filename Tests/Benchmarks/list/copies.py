"""Makes a cache with many copies of a stopped instance, as if they had ended a while ago.

    copies.py INSTANCE CACHE COUNT
"""

import json
import os
import sys

seed, cache, count = sys.argv[1], sys.argv[2], int(sys.argv[3])


def record(name):
    with open(f"{seed}/{name}.json") as file:
        return json.load(file)


instance, boot, outcome = record("instance"), record("boot"), record("outcome")
# What a copy's boot was is the original's to say; an older qvm wants to know its folder of sockets.
boot.pop("lock", None)
boot["runtimeFolder"] = f"{cache}/none"
with open(f"{seed}/disk.qcow2", "rb") as file:
    disk = file.read(4096)

os.makedirs(f"{cache}/instances", mode=0o700)
for number in range(count):
    folder = f"{cache}/instances/vm-{number:05}"
    os.mkdir(folder, 0o700)
    instance["name"] = os.path.basename(folder)
    for name, value in (("instance", instance), ("boot", boot), ("outcome", outcome)):
        with open(f"{folder}/{name}.json", "w") as file:
            file.write(json.dumps(value, separators=(",", ":")) + "\n")
    with open(f"{folder}/disk.qcow2", "wb") as file:
        file.write(disk)
    for name in ("vm.lock", "supervisor.lock"):
        open(f"{folder}/{name}", "w").close()
    os.utime(folder, (1_700_000_000, 1_700_000_000))
