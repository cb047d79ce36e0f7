"""Races QMPClient against the limit (C) and the rival (qemu.qmp), and prints ratios.

  compare.py FOLDER QMP_BENCH RIVAL...

FOLDER holds the programs `server` and `limit`, and takes the sockets and the recorded schema; RIVAL
is the command of rival.py, or `-` and the reason why there is none. The contenders take turns in
short rounds, and a ratio is the median over the rounds: a machine that is busy with other things
for a while slows all of them. Says at the end which aims were missed.
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
FLOOD = 20_000
MILLION = 1_000_000
NAMES = LIMIT, OURS, THEIRS = "C", "QMPClient", "qemu.qmp"
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
        return tuple(int(number) / count for number in answer)

    def resident(self):
        """KiB of memory in use."""
        return int(subprocess.check_output(["ps", "-o", "rss=", "-p", str(self.process.pid)]))


def race(contenders, verb, counts, rounds):
    """Per contender, what each round took; the round before the first is for warming up."""
    times = {name: [] for name in counts if contenders[name]}
    for turn in range(-1, rounds):
        for name in times:
            took = contenders[name].do(verb, counts[name])
            if turn >= 0:
                times[name].append(took)
    return times


def ratio(times, above, below, clock=0):
    """The median of the rounds' ratios; None where one of the two is not there."""
    if above not in times or below not in times:
        return None
    return statistics.median(
        a[clock] / b[clock] for a, b in zip(times[above], times[below], strict=True)
    )


def figure(times, name, clock=0):
    return statistics.median(took[clock] for took in times[name]) if name in times else None


misses = []


SCALES = {"us": lambda ns: f"{ns / 1e3:10.2f}", "ms": lambda ns: f"{ns / 1e6:10.3f}",
          "k/s": lambda ns: f"{1e6 / ns:10.1f}"}


def judge(what, reached):
    if not reached:
        misses.append(what)
    return "yes" if reached else "NO "


def row(what, times, unit, clock=0, limit_aim=None, rival_aim=None):
    """Prints a row. The aims: at most so many times what C takes; at least so many times as fast as
    the rival."""
    print(f"{what:<35}{unit:>4}", end="")
    for name in NAMES:
        value = figure(times, name, clock)
        print(f"{'-':>10}" if value is None else SCALES[unit](value), end="")
    if limit_aim:
        value = ratio(times, OURS, LIMIT, clock)
        print(f"  {value:5.2f} x C (<= {limit_aim:.2f}) {judge(what, value <= limit_aim)}", end="")
    value = ratio(times, THEIRS, OURS, clock)
    if value is not None:
        print(f"  {value:6.2f} x as fast", end="")
        if rival_aim:
            print(f" (>= {rival_aim:g}) {judge(what, value >= rival_aim)}", end="")
    print(flush=True)


def absolute(what, text, reached):
    print(f"{what:<35}{'':>4}  {text} {judge(what, reached)}", flush=True)


def await_socket(path):
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(path)
                return
            except OSError:
                time.sleep(0.01)
    raise SystemExit(f"no process listens at {path}")


def start_qemu():
    monitors = {name: f"{FOLDER}/{name}.sock" for name in (*NAMES, "recorder")}
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
    return file


def contenders(paths, schema):
    """Each connected to a monitor of its own."""
    return {
        LIMIT: Contender(f"{FOLDER}/limit", paths[LIMIT]),
        OURS: Contender(BENCH, paths[OURS], schema),
        THEIRS: None if NO_RIVAL else Contender(*RIVAL, paths[THEIRS], schema),
    }


def each(limit, ours, theirs):
    return {name: count for name, count in zip(NAMES, (limit, ours, theirs)) if count}


def race_over_qemu(monitors, schema):
    real = contenders(monitors, schema)
    times = race(real, "trips", each(300, 300, 300), 25)
    row("2a round trip, QEMU", times, "us", limit_aim=1.10, rival_aim=1.4)
    row("2b processor time of it", times, "us", clock=1, limit_aim=1.5, rival_aim=8)
    times = race(real, "schema", each(4, 4, 4), 11)
    row("2f query-qmp-schema, QEMU", times, "ms", limit_aim=1.10)


def race_over_server(monitor, schema):
    start(f"{FOLDER}/server", monitor, schema)
    await_socket(monitor)
    free = contenders(dict.fromkeys(NAMES, monitor), schema)
    times = race(free, "trips", each(5000, 5000, 1000), 25)
    row("2c round trip, server that is free", times, "us", limit_aim=2.0, rival_aim=5)
    times = race(free, "flight", each(20000, 20000, 2000), 25)
    row("2d 32 in flight, same", times, "k/s", limit_aim=1 / 0.75, rival_aim=12)
    times = race(free, "batch", each(20000, None, None), 5)
    row("   where one C caller may batch them", times, "k/s")
    times = race(free, "events", each(FLOOD, FLOOD, FLOOD), 15)
    row("2e events, decoded in order", times, "k/s", rival_aim=20)
    rate = 1e3 / figure(times, OURS)
    absolute("   in millions a second", f"{rate:.2f} (>= 1)", rate >= 1)
    times = race(free, "decode", each(None, 20, 20), 15)
    row(f"2f the schema, {os.path.getsize(schema)} bytes, decoded", times, "ms")
    took = figure(times, OURS) / 1e6
    absolute("   in milliseconds", f"{took:.3f} (<= 2)", took <= 2)
    before = free[OURS].resident()
    free[OURS].do("trips", MILLION)
    after = free[OURS].resident()
    absolute("memory over a million round trips",
             f"{before} KiB before, {after} after (<= 64 more)", after - before <= 64)


def main():
    # All on one processor, where the system allows that: else a round trip takes 10 us or, where
    # the scheduler happened to put the two sides apart, 40, and chance decides who wins.
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    monitors = start_qemu()
    schema = record_schema(monitors["recorder"])
    version = subprocess.check_output(["qemu-system-x86_64", "--version"], text=True)
    version = re.search(r"version (.*)", version)[1]
    load = ", ".join(f"{number:.2f}" for number in os.getloadavg())
    print(f"QEMU {version}; {os.cpu_count()} processors, load {load}")
    if NO_RIVAL:
        print(f"qemu.qmp is not measured: {NO_RIVAL}")
    print(f"\n{'':<39}" + "".join(f"{name:>10}" for name in NAMES))
    race_over_qemu(monitors, schema)
    race_over_server(f"{FOLDER}/server.sock", schema)


try:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    main()
finally:
    stop_all()
if misses:
    print("aims missed in this run: " + ", ".join(dict.fromkeys(misses)))
