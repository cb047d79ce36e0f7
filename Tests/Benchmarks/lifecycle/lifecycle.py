"""Measures the life of a VM under qvm, from its start to the end of a hundred of them.

  lifecycle.py FOLDER QVM PYTHON

FOLDER holds the programs `boot`, `relay`, `ratio` and `status`, and takes a cache and the sockets;
PYTHON has qemu.qmp, or is `-`. Says of each figure what it aims at. The contenders take turns, and a
ratio is the median over the turns: a machine that is busy for a while slows all of them.
"""

import ctypes
import glob
import json
import os
import select
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import time

FOLDER, QVM, PYTHON = sys.argv[1:]
HERE = os.path.dirname(os.path.abspath(__file__))
QEMU = shutil.which("qemu-system-x86_64")
TURNS = 25
VMS = int(os.environ.get("LIFECYCLE_VMS", "100"))
os.environ.update(
    QVM_CACHE=f"{FOLDER}/cache", XDG_RUNTIME_DIR=f"{FOLDER}/run", QVM_QEMU="system", QVM_ACCEL="tcg"
)
missed = []


def adopt_orphans():
    """Makes this process the parent of what its children leave behind, so that it is reaped."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER


def reap():
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def qvm(*words, **options):
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.run([QVM, *words], **{**quiet, **options})


def status(name):
    return json.loads(qvm("status", "--json", name, stdout=subprocess.PIPE).stdout or b"{}")


def boot_record(name):
    with open(f"{FOLDER}/cache/instances/{name}/boot.json") as file:
        return json.load(file)


def said(what, measured, aim, unit=""):
    is_met = measured <= aim
    if not is_met:
        missed.append(what)
    print(f"{what:<58} {measured:6.2f}{unit:<3} aim {aim:g}{unit}{'' if is_met else '  MISSED'}")


def milliseconds(begin, end=None):
    return ((end or time.monotonic_ns()) - begin) / 1e6


# MARK: - From the command to the monitor


def limit(command, descriptor, create):
    """Milliseconds that C takes to the reply to qmp_capabilities."""
    begin = time.monotonic_ns()
    program = [f"{FOLDER}/boot", descriptor, *create, "--", *command]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        replied = int(child.stdout.readline())
    for left in glob.glob(f"{FOLDER}/limit/*.sock") + glob.glob(f"{FOLDER}/limit/qemu.pid"):
        os.unlink(left)
    return milliseconds(begin, replied)


def started(*words):
    """Milliseconds that qvm takes to the same, and to where it starts QEMU."""
    log = f"{FOLDER}/relayed"
    relayed = dict(
        os.environ, QVM_QEMU=f"{FOLDER}/qemu", QVM_RELAY_QEMU=QEMU, QVM_RELAY_LOG=log
    )
    begin = time.monotonic_ns()
    qvm(*words, env=relayed, check=True)
    with open(log) as file:
        spawned, replied = (milliseconds(begin, int(word)) for word in file.read().split())
    os.unlink(log)
    qvm("stop", "--force", "boot" if words[0] == "start" else "new")
    reap()
    return replied, spawned


def start_up():
    qvm("run", "-d", "--name", "boot", "demo", "1", check=True)
    record = boot_record("boot")
    qvm("stop", "--force", "boot")
    instance = f"{FOLDER}/cache/instances/boot"
    base = f"{FOLDER}/cache/images/builtin/demo-1-x86-64.qcow2"
    os.mkdir(f"{FOLDER}/limit")
    shutil.copy(f"{instance}/disk.qcow2", f"{FOLDER}/limit/disk.qcow2")
    command = [
        word.replace(f"/.{record['boot'][:8]}/", "/").replace(instance, f"{FOLDER}/limit")
        for word in record["command"]
    ]
    descriptor = next(word for word in command if "id=supervisor" in word).split("fd=")[1]
    create = ["qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", base]
    create.append(f"{FOLDER}/limit/disk.qcow2")
    # Where qvm looks for QEMU, with the firmware that it has found.
    firmware = os.path.dirname(command[command.index("-bios") + 1])
    os.makedirs(f"{FOLDER}/qemu/bin")
    os.makedirs(f"{FOLDER}/qemu/share")
    os.symlink(firmware, f"{FOLDER}/qemu/share/qemu")
    shutil.copy(f"{FOLDER}/relay", f"{FOLDER}/qemu/bin/qemu-system-x86_64")
    rows = []
    for turn in range(-1, TURNS):
        row = (
            limit(command, descriptor, []),
            started("start", "-d", "boot"),
            limit(command, descriptor, create),
            started("run", "-d", "--rm", "--name", "new", "demo", "1"),
        )
        if turn >= 0:
            rows.append(row)
    bare, again, whole, new = zip(*rows)
    print("from the command to the reply to qmp_capabilities, in ms, medians:")
    print(f"  C, the disk there    {statistics.median(bare):.1f}")
    print(f"  qvm start            {statistics.median(a for a, _ in again):.1f}")
    print(f"  C with qemu-img      {statistics.median(whole):.1f}")
    print(f"  qvm run              {statistics.median(a for a, _ in new):.1f}")
    said("qvm start / C", statistics.median(a[0] / b for a, b in zip(again, bare)), 1.2)
    said("qvm run / C with qemu-img", statistics.median(a[0] / b for a, b in zip(new, whole)), 1.2)


# MARK: - How soon an end is known


def gone(*processes):
    """When each of the processes, given by their descriptors, was gone."""
    times = {}
    while len(times) < len(processes):
        ready, _, _ = select.select([p for p in processes if p not in times], [], [], 30)
        for process in ready:
            times[process] = time.monotonic_ns()
        if not ready:
            raise SystemExit("a process did not end")
    return [times[process] for process in processes]


def behind(name, command, end):
    """Milliseconds that a command ends after the QEMU of its VM."""
    with subprocess.Popen(
        [QVM, *command], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as child:
        while qvm("wait", name).returncode == 4:  # not there yet
            pass
        pid = status(name)["pid"]
        # A command that waits must be at it.
        time.sleep(0.05)
        qemu, own = os.pidfd_open(pid), os.pidfd_open(child.pid)
        end(pid)
        times = gone(qemu, own)
        os.close(qemu)
        os.close(own)
    reap()
    return milliseconds(times[0], times[1])


def ends():
    def press(pid):
        monitor = f"{FOLDER}/cache/instances/off/monitor.sock"
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(monitor)
            lines = client.makefile("rw")
            lines.readline()
            for word in ("qmp_capabilities", "system_powerdown"):
                lines.write(json.dumps({"execute": word}) + "\n")
                lines.flush()
                lines.readline()

    def kill(pid):
        os.kill(pid, signal.SIGKILL)

    off, crashed = [], []
    for _ in range(TURNS):
        off.append(behind("off", ["run", "--rm", "--name", "off", "demo", "1"], press))
    for _ in range(TURNS):
        qvm("run", "-d", "--name", "dead", "demo", "1")
        crashed.append(
            behind("dead", ["wait", "dead", "--for", "console:never shown"], kill)
        )
        qvm("rm", "dead")
    said("guest off: exit of qvm run after QEMU's", statistics.median(off), 20, " ms")
    said("QEMU killed: exit of qvm wait after QEMU's", statistics.median(crashed), 20, " ms")


# MARK: - What a running VM costs


def ratio(label, ours, theirs, runs, block=1):
    program = [f"{FOLDER}/ratio", str(runs), label, ours, theirs, str(block)]
    line = subprocess.run(program, stdout=subprocess.PIPE, text=True, check=True).stdout
    return float(line.split()[-1])


def idle():
    qvm("run", "-d", "--name", "idle", "demo", "1")
    qvm("wait", "idle")
    folder = f"{FOLDER}/cache/instances/idle"
    said(
        "qvm status / C",
        ratio("status", f"{QVM} status idle", f"{FOLDER}/status {folder}/control.sock", 200),
        2.0,
    )
    if PYTHON == "-":
        print("qemu.qmp is not to be had: no comparison of status with it")
    else:
        asked = f"{PYTHON} {HERE}/status.py {folder}/monitor.sock"
        # Each in a series of its own, so that each meets its own traces in the caches. In turn, one
        # by one, Python meets what 2 ms of qvm have left of its, and qvm what 60 ms of Python have.
        rival = ratio("qemu.qmp", asked, f"{QVM} status idle", 10, block=9)
        print(f"qvm status is {rival:.0f} times as fast as qemu.qmp (aim: at least 35)")
        if rival < 35:
            missed.append("status against qemu.qmp")
        mixed = ratio("qemu.qmp", asked, f"{QVM} status idle", 40)
        print(f"  one by one in turn: {mixed:.0f} times")
    supervisor = status("idle")["supervisorPid"]
    time.sleep(1)
    before = switches(supervisor)
    time.sleep(10)
    said("wake-ups of an idle supervisor in 10 s", switches(supervisor) - before, 0)
    own, program = memory(supervisor)
    said("its private memory", own / 1024, 1, " MiB")
    print(f"besides, it maps {program / 1024:.1f} MiB of the program's file, as every qvm does")
    qvm("stop", "--force", "idle")
    qvm("rm", "idle")
    reap()


def switches(pid):
    """How often the threads of a process were taken from waiting."""
    count = 0
    for path in glob.glob(f"/proc/{pid}/task/*/status"):
        with open(path) as file:
            lines = [line for line in file if line.startswith("voluntary_ctxt_switches")]
        count += int(lines[0].split()[1])
    return count


def mappings(pid):
    """What the kernel counts of a process, in KiB."""
    sizes = {}
    with open(f"/proc/{pid}/smaps_rollup") as file:
        for line in list(file)[1:]:
            name, size = line.split()[:2]
            sizes[name] = int(size)
    return sizes


def memory(pid):
    """KiB of a process that are its own, and KiB of files that it maps.

    The latter are the page cache's: they cost nothing more for a second process, and nothing at all
    where memory is short. The kernel calls them private, too, while only one process maps them.
    """
    sizes = mappings(pid)
    return sizes["Anonymous:"] + sizes["Swap:"], sizes["Rss:"] - sizes["Anonymous:"]


def kernel_private(pid):
    """KiB that the kernel calls private to a process: its own alone where many run the program."""
    sizes = mappings(pid)
    return sizes["Private_Clean:"] + sizes["Private_Dirty:"]


# MARK: - Many


def many():
    names = [f"vm-{number}" for number in range(VMS)]
    begin = time.monotonic_ns()
    for name in names:
        qvm("run", "-d", "--rm", "--name", name, "--memory", "64M", "demo", "1", check=True)
    print(f"{VMS} VMs started one after the other in {milliseconds(begin) / 1e3:.1f} s")
    running, slowest, supervisors = 0, 0, []
    for name in names:
        begin = time.monotonic_ns()
        told = status(name)
        slowest = max(slowest, milliseconds(begin))
        running += told.get("runState") == "running"
        supervisors.append(told.get("supervisorPid"))
    said("VMs that did not answer status with running", VMS - running, 0)
    print(f"the slowest status took {slowest:.1f} ms")
    for name in names:
        qvm("wait", name, "--timeout", "60", check=True)
    private = [kernel_private(pid) for pid in supervisors if pid] or [float("inf")]
    said("private memory of each supervisor", statistics.median(private) / 1024, 1, " MiB")
    begin = time.monotonic_ns()
    stopped = qvm("stop", *names)
    print(f"all stopped together in {milliseconds(begin) / 1e3:.1f} s")
    said("exit status of that", stopped.returncode, 0)
    time.sleep(1)
    reap()
    said("processes left", len(children()), 0)
    left = os.listdir(f"{FOLDER}/cache/instances")
    said("instances left", len([name for name in left if name != "boot"]), 0)


def children():
    """The living children of this process: what commands left behind has become one."""
    found = []
    for path in glob.glob("/proc/[0-9]*/stat"):
        try:
            with open(path) as file:
                fields = file.read().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[1]) == os.getpid() and fields[0] != "Z":
            found.append(path)
    return found


def end_everything():
    listed = json.loads(qvm("list", "--json", stdout=subprocess.PIPE).stdout or b"{}")
    names = [instance["name"] for instance in listed.get("instances", [])]
    if names:
        qvm("stop", "--force", *names)
    reap()


signal.signal(signal.SIGTERM, lambda *_: sys.exit(130))
adopt_orphans()
os.mkdir(f"{FOLDER}/run", 0o700)
try:
    start_up()
    ends()
    idle()
    many()
finally:
    end_everything()
print("missed: " + ", ".join(missed) if missed else "all aims are met")
