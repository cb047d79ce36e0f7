"""Kills the processes of `qvm pull`, `run` and `rm` at random moments, and looks at what is left.

  kills.py QVM GUEST [ROUNDS [SEED]]

GUEST is a raw disk that boots. After each kill nothing under a final name may be wrong, no process
be left, each instance be what it is said to be, and the next command of each kind succeed.
"""

import collections
import contextlib
import os
import random
import signal
import sys
import time

from stage import ALIVE, Broken, GUEST, PULL, Stage, end_on_signals

# Whom to kill during which command.
VICTIMS = {
    "pull": ["client", "curl", "openssl", "qemu-img"],
    "pull, managed": ["client", "curl", "tar", "openssl"],
    "run": ["client", "supervisor", "QEMU", "qemu-img"],
    "run --rm": ["client", "supervisor", "QEMU", "qemu-img"],
    "run, no image": ["client", "curl", "openssl", "supervisor"],
    "rm": ["client"],
    "rm --force": ["client", "supervisor", "QEMU"],
}
WEIGHTS = {"pull": 6, "pull, managed": 1, "run": 5, "run --rm": 5, "run, no image": 2, "rm": 4,
           "rm --force": 4}
# The commands that compute digests.
DIGESTS = {"openssl", "sha256sum", "shasum", "perl"}


def kill(stage, process, victim, lot):
    """Kills one process of a victim's kind while the command runs; whether there was one."""
    # Some moments are short: half of the kills come as soon as their victim is there.
    pause = lot.choice([0, lot.uniform(0, 0.02), lot.uniform(0, 0.15)])
    first = True
    while process.poll() is None:
        if victim == "client":
            pid = process.pid
        else:
            names = stage.processes.look(again=first)
            wanted = DIGESTS if victim == "openssl" else {victim}
            pid = next((pid for pid, name in names.items() if name in wanted), None)
        first = False
        if pid is not None:
            time.sleep(pause)
            # The client is this process's own child: its id goes to no other until it is waited for.
            if victim != "client" and pid not in stage.processes.look(again=False):
                continue
            try:
                os.kill(pid, signal.SIGKILL)
                return True
            except ProcessLookupError:
                continue
        time.sleep(0.001)
    return False


def prepare(stage, kind, lot):
    """Sets the scene for a command and gives its words."""
    stage.environment["QVM_QEMU"] = "managed" if "managed" in kind else "system"
    stage.slow(None)
    if kind.startswith("pull") or "no image" in kind:
        stage.forget_image()
        if "managed" in kind:
            stage.forget_tools()
        stage.slow(lot.choice([None, stage.size * 4, stage.size * 20]))
    else:
        stage.qvm(*PULL)
    if kind.startswith("pull"):
        return PULL
    run = ["run", "-q", "-d", "--name", "vm", "--memory", "64M", *GUEST]
    if kind.startswith("run"):
        return run[:3] + ["--rm"] + run[3:] if "--rm" in kind else run
    stage.qvm(*run)
    if kind == "rm":
        stage.qvm("stop", "--force", "vm")
        return ["rm", "vm"]
    return ["rm", "--force", "vm"]


def follow(stage, kind, words):
    """What must hold afterwards, and the next commands."""
    stage.check_files()
    stage.check_processes()
    stage.slow(None)
    if kind.startswith("rm") and stage.phases().get("vm") not in ALIVE:
        stage.qvm(*words, expecting=(0,) if stage.phases() else (4,))
    stage.check_instances()
    stage.qvm(*(words if kind.startswith("pull") else PULL))
    stage.check_files()
    if kind.startswith("run"):
        stage.qvm(*words)
        if stage.phases() != {"vm": "running"}:
            raise Broken(f"after a run that wasn't disturbed: {stage.phases()}")
        stage.check_disk("vm")
        stage.qvm("rm", "--force", "vm")
    stage.check_clean()


def main():
    qvm, guest = sys.argv[1:3]
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 500
    seed = int(sys.argv[4]) if len(sys.argv) > 4 else random.randrange(1 << 32)
    print(f"{rounds} kills with seed {seed}", flush=True)
    end_on_signals()
    lot = random.Random(seed)
    tried, killed, failures = collections.Counter(), collections.Counter(), 0
    start = time.monotonic()

    def summarize():
        for (kind, victim), count in sorted(tried.items()):
            print(f"  {kind:14} {victim:10} {killed[kind, victim]:4} killed of {count:4}")
        print(f"{killed.total()} kills in {time.monotonic() - start:.0f} s, {failures} went wrong")

    with Stage(qvm, guest, managed=True) as stage, contextlib.ExitStack() as last:
        last.callback(summarize)
        for number in range(rounds):
            kind = lot.choices(list(WEIGHTS), WEIGHTS.values())[0]
            victim = lot.choice(VICTIMS[kind])
            try:
                words = prepare(stage, kind, lot)
                process = stage.start(words)
                tried[kind, victim] += 1
                killed[kind, victim] += kill(stage, process, victim, lot)
                status, said = stage.end(process)
                if status > 0 and not said:
                    raise Broken(f"ended with {status} without a word")
                follow(stage, kind, words)
            except Broken as problem:
                failures += 1
                print(f"round {number}: {kind}, {victim} killed: {problem}", flush=True)
                stage.reset()
    sys.exit(1 if failures else 0)


main()
