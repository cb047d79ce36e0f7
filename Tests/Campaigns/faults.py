"""Lets every system call of `qvm pull`, `run` and `rm` fail once, and looks at what is left.

  faults.py QVM GUEST [COMMAND...]

GUEST is a raw disk that boots; COMMANDs are among pull, run, rm (default: all). For each kind of
call, and for being killed at it and for each error that a disk may give, the command is run under
strace with the fault at the first call, the second, …, until one run has no such call any more. Each
thread and program counts for itself, so that a run may meet the fault more than once; those that
qvm starts have it too, except for writing.

FAULTS_STRIDE (default: 1) takes only every so manieth call of those that there are many of;
FAULTS_CALLS (default: all) names the calls, such as "write openat".
"""

import collections
import contextlib
import itertools
import os
import shutil
import sys
import time

from stage import Broken, GUEST, PULL, Stage, end_on_signals

CALLS = ["fsync", "rename", "renameat,renameat2", "unlink", "unlinkat", "mkdir", "flock", "write",
         "openat"]
MANY = {"openat", "write"}
FAULTS = ["signal=KILL", "error=ENOSPC", "error=EIO", "error=EROFS"]
RUN = ["run", "-q", "-d", "--name", "vm", "--memory", "64M", *GUEST]
WORDS = {"pull": PULL, "run": RUN, "rm": ["rm", "vm"]}


class Scene:
    def __init__(self, stage, command):
        self.stage, self.command, self.words = stage, command, WORDS[command]
        self.log = os.path.join(stage.folder, "strace.log")
        self.seed = os.path.join(stage.folder, "seed")
        self.instance = os.path.join(stage.cache, "instances/vm")

    def prepare_all(self):
        self.stage.qvm(*PULL)
        if self.command == "rm":
            self.stage.qvm(*RUN)
            self.stage.qvm("stop", "--force", "vm")
            shutil.rmtree(self.seed, ignore_errors=True)
            shutil.copytree(self.instance, self.seed)
            self.stage.qvm("rm", "vm")

    def prepare(self):
        if self.command == "pull":
            self.stage.forget_image()
            self.stage.forget_tools()
            return
        # It was not needed any more when the cache was tidied.
        if not os.path.exists(self.stage.image):
            self.stage.qvm(*PULL)
        if self.command == "rm" and not os.path.exists(self.instance):
            shutil.copytree(self.seed, self.instance)

    def attempt(self, call, fault, number):
        """Runs the command with one fault; whether there was a call to fail."""
        with contextlib.suppress(FileNotFoundError):
            os.remove(self.log)
        # -D: the command is the child that is waited for, also where its VM is traced further on.
        before = ["strace", "-D", "-f", "-qq", "-o", self.log, "-e", f"trace={call}", "-e",
                  "signal=KILL", "-e", f"inject={call}:{fault}:when={number}"]
        # What wakes QEMU's threads are writes too, and it may wait for ever where one is lost, as
        # no disk can lose it: only qvm's own fail.
        if call == "write":
            before += ["-b", "execve"]
        status, said = self.stage.end(self.stage.start(self.words, before))
        hit = self.is_hit(fault)
        if status > 0 and not said.strip() and call != "write":
            raise Broken(f"ended with {status} without a word")
        self.check_answer(status, said)
        return hit

    def is_hit(self, fault):
        mark = "killed by SIGKILL" if fault == "signal=KILL" else "INJECTED"
        # strace may hear of the end a moment later than this.
        for pause in (0, 0.1):
            time.sleep(pause)
            with open(self.log, errors="replace") as file:
                if mark in file.read():
                    return True
        return False

    def check_answer(self, status, said):
        """A command that says that it is done has done it."""
        if status != 0:
            return
        phases = self.stage.phases()
        if self.command == "pull" and not os.path.exists(self.stage.image):
            raise Broken("pull says that it is done, and there is no image")
        if self.command == "run" and "vm" not in phases:
            raise Broken(f"run says that it is done, and there is no instance: {said}")
        if self.command == "rm" and "vm" in phases:
            raise Broken(f"rm says that it is done, and the instance is {phases['vm']}")

    def follow(self):
        """What must hold afterwards, and the next command without a fault."""
        stage = self.stage
        stage.check_files()
        stage.check_processes()
        stage.check_instances(boots=self.command == "run")
        if self.command == "pull":
            stage.qvm(*PULL)
            stage.check_files()
        elif self.command == "run":
            stage.qvm(*RUN)
            if stage.phases() != {"vm": "running"}:
                raise Broken(f"after a run that wasn't disturbed: {stage.phases()}")
            stage.check_disk("vm")
            stage.qvm("rm", "--force", "vm")
        stage.check_clean()


def main():
    qvm, guest = sys.argv[1:3]
    stride = int(os.environ.get("FAULTS_STRIDE", "1"))
    calls = os.environ.get("FAULTS_CALLS", "").split() or CALLS
    end_on_signals()
    failures, points, start = 0, collections.Counter(), time.monotonic()
    with Stage(qvm, guest) as stage:
        for command in sys.argv[3:] or list(WORDS):
            scene = Scene(stage, command)
            scene.prepare_all()
            for call, fault in itertools.product(calls, FAULTS):
                for number in itertools.count(1, stride if call in MANY else 1):
                    try:
                        scene.prepare()
                        if not scene.attempt(call, fault, number):
                            break
                        points[command, call, fault] += 1
                        scene.follow()
                    except Broken as problem:
                        failures += 1
                        print(f"{command}: {call} {fault} when={number}: {problem}", flush=True)
                        stage.reset()
                        scene.prepare_all()
                if count := points[command, call, fault]:
                    print(f"  {command:4} {call:18} {fault:12} {count:4} points", flush=True)
                stage.reset()
                scene.prepare_all()
    print(f"{points.total()} points in {time.monotonic() - start:.0f} s, {failures} went wrong")
    sys.exit(1 if failures else 0)


main()
