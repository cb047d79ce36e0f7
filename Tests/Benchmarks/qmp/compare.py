"""Races QMPClient against the limit (C) and the rival (qemu.qmp), and prints ratios.

  compare.py FOLDER QMP_BENCH RIVAL...

FOLDER holds the programs `server` and `limit`, and takes the sockets and the recorded schema; RIVAL
is the command of rival.py, or `-` and the reason why there is none. The contenders take turns in
short rounds, and a ratio is the median over the rounds: a machine that is busy with other things for
a while slows all of them. Exits with 1 where an aim is missed.
"""

import os
import re
import signal
import socket
import statistics
import subprocess
import sys
import time

FOLDER, BENCH, *RIVAL = sys.argv[1:]
NO_RIVAL = " ".join(RIVAL[1:]) if RIVAL[0] == "-" else None
FLOOD = 100_000
MILLION = 1_000_000
children = []


def start(*command, **options):
    child = subprocess.Popen(command, **options)
    children.append(child)
    return child


def stop_all():
    for child in reversed(children):
        child.kill()
        child.wait()


class Contender:
    """A process that is told what to do and says how long it took."""

    def __init__(self, *command):
        self.process = start(
            *command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )

    def do(self, verb, count):
        """Nanoseconds of wall clock and of processor time for one of the `count`."""
        self.process.stdin.write(f"{verb} {count}\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().split()
        if len(answer) != 2:
            raise SystemExit(f"{self.process.args[0]} failed at: {verb} {count}")
        # The server sends so many events whatever it is asked for.
        return tuple(int(number) / count for number in answer)

    def resident(self):
        """KiB of memory in use."""
        return int(subprocess.check_output(["ps", "-o", "rss=", "-p", str(self.process.pid)]))


def race(contenders, verb, counts, rounds):
    """Per contender, what each round took; None for a contender that isn't there."""
    times = {name: [] for name, contender in contenders.items() if contender and counts.get(name)}
    for name in times:
        contenders[name].do(verb, max(counts[name] // 4, 1) if verb != "events" else FLOOD)
    for _ in range(rounds):
        for name in times:
            times[name].append(contenders[name].do(verb, counts[name]))
    return times


def ratio(times, above, below, clock=0):
    """The median of the rounds' ratios; None where one of the two is not there."""
    if above not in times or below not in times:
        return None
    return statistics.median(
        a[clock] / b[clock] for a, b in zip(times[above], times[below], strict=True)
    )


def figure(times, name, clock=0):
    return statistics.median(round[clock] for round in times[name]) if name in times else None


misses = []


def row(what, times, unit, clock=0, limit_aim=None, rival_aim=None):
    """Prints a row. `limit_aim`: at most so many times C; `rival_aim`: at least so many times as
    fast as the rival."""
    show = {
        "us": lambda ns: f"{ns / 1e3:9.2f}",
        "ms": lambda ns: f"{ns / 1e6:9.3f}",
        "k/s": lambda ns: f"{1e6 / ns:9.1f}",
    }[unit]
    names = ("C", "qvm", "rival")
    cells = [show(f) if (f := figure(times, name, clock)) is not None else f"{'-':>9}" for name in names]
    print(f"{what:<36}{unit:>5} {' '.join(cells)}", end="  ")
    parts = []
    if limit_aim:
        value = ratio(times, "qvm", "C", clock)
        reached = value <= limit_aim
        parts.append(f"{value:5.2f}x C (<= {limit_aim:.2f})  {'yes' if reached else 'NO '}")
        if not reached:
            misses.append(what)
    if rival_aim:
        value = ratio(times, "rival", "qvm", clock)
        if value is None:
            parts.append("rival not measured")
        else:
            reached = value >= rival_aim
            parts.append(f"{value:6.2f}x rival (>= {rival_aim:g})  {'yes' if reached else 'NO'}")
            if not reached:
                misses.append(what)
    print("   ".join(parts))
    sys.stdout.flush()


def absolute(what, value, text, reached):
    print(f"{what:<36}{'':>5} {text}  {'yes' if reached else 'NO'}")
    if not reached:
        misses.append(what)


def await_socket(path):
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(path)
                return
            except OSError:
                time.sleep(0.01)
    raise SystemExit(f"nobody listens at {path}")


def start_qemu():
    monitors = {name: f"{FOLDER}/{name}.sock" for name in ("C", "qvm", "rival", "recorder")}
    arguments = []
    for path in monitors.values():
        arguments += ["-qmp", f"unix:{path},server=on,wait=off"]
    start("qemu-system-x86_64", "-M", "none", "-display", "none", "-nodefaults", *arguments)
    return monitors


def record_schema(path):
    """What the QEMU of this machine answers to query-qmp-schema, one line, in a file."""
    await_socket(path)
    with socket.socket(socket.AF_UNIX) as monitor, monitor.makefile("rwb") as lines:
        monitor.connect(path)
        lines.readline()
        for command in ("qmp_capabilities", "query-qmp-schema"):
            lines.write(b'{"execute":"%s","id":1}\n' % command.encode())
            lines.flush()
            reply = lines.readline()
    file = f"{FOLDER}/schema.json"
    with open(file, "wb") as output:
        output.write(reply)
    return file, len(reply)


def contenders(paths, schema):
    """Each connected to a monitor of its own."""
    return {
        "C": Contender(f"{FOLDER}/limit", paths["C"]),
        "qvm": Contender(BENCH, paths["qvm"], schema),
        "rival": None if NO_RIVAL else Contender(*RIVAL, paths["rival"], schema),
    }


def race_all():
    monitors = start_qemu()
    schema, size = record_schema(monitors["recorder"])
    version = subprocess.check_output(["qemu-system-x86_64", "--version"], text=True)
    version = re.search(r"version (\S+)", version)[1]
    load = ", ".join(f"{number:.2f}" for number in os.getloadavg())
    print(f"QEMU {version}; {os.cpu_count()} processors, load {load}")
    print(f"rival: {'not measured: ' + NO_RIVAL if NO_RIVAL else 'qemu.qmp'}\n")
    print(f"{'':<41} {'C':>9} {'QMPClient':>9} {'qemu.qmp':>9}")

    real = contenders(monitors, schema)
    times = race(real, "trips", {"C": 300, "qvm": 300, "rival": 300}, 21)
    row("2a round trip, QEMU", times, "us", limit_aim=1.10, rival_aim=1.4)
    row("2b processor time of it", times, "us", clock=1, limit_aim=1.5, rival_aim=8)
    times = race(real, "schema", {"C": 2, "qvm": 2, "rival": 2}, 11)
    row("2f query-qmp-schema, QEMU", times, "ms", limit_aim=1.10)

    await_socket_of_server = f"{FOLDER}/server.sock"
    start(f"{FOLDER}/server", await_socket_of_server, schema)
    await_socket(await_socket_of_server)
    free = contenders(dict.fromkeys(monitors, await_socket_of_server), schema)
    times = race(free, "trips", {"C": 5000, "qvm": 5000, "rival": 1000}, 21)
    row("2c round trip, server that's free", times, "us", limit_aim=2.0, rival_aim=5)
    times = race(free, "flight", {"C": 20000, "qvm": 20000, "rival": 2000}, 15)
    row("2d 32 in flight, same", times, "k/s", limit_aim=1 / 0.75, rival_aim=12)
    times = race(free, "events", {"C": FLOOD, "qvm": FLOOD, "rival": FLOOD}, 3)
    row("2e events, decoded in order", times, "k/s", rival_aim=20)
    rate = 1e9 / figure(times, "qvm")
    absolute("   a second", rate, f"{rate / 1e6:9.2f} million (>= 1)", rate >= 1e6)
    times = race(free, "decode", {"qvm": 20, "rival": 20}, 15)
    row(f"2f decode the schema, {size} bytes", times, "ms")
    took = figure(times, "qvm") / 1e6
    absolute("   in milliseconds", took, f"{took:9.3f} (<= 2)", took <= 2)

    before = free["qvm"].resident()
    free["qvm"].do("trips", MILLION)
    after = free["qvm"].resident()
    absolute("memory over a million round trips", after - before,
             f"{before} KiB before, {after} after (<= 64 more)", after - before <= 64)


try:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    race_all()
finally:
    stop_all()
if misses:
    raise SystemExit("missed: " + ", ".join(misses))
