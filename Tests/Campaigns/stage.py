"""What both campaigns stand on: a cache of their own, a release server, and what must hold of them
whatever was killed or failed."""

import contextlib
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SERVER = os.path.join(HERE, "../TestSupport/release_server.py")
IMAGE, TAG = "haiku-r1beta5-x86-64", "v0.1.0"
GUEST = ["haiku", "r1beta5", "--platform", "x86-64"]
PULL = ["pull", "-q", *GUEST]
ALIVE = {"starting", "running", "paused", "stopping", "orphaned", "unresponsive"}
SHARE = {
    "bios-256k.bin": "/usr/share/seabios/bios-256k.bin",
    "vgabios-stdvga.bin": "/usr/share/seabios/vgabios-stdvga.bin",
    "kvmvapic.bin": "/usr/share/qemu/kvmvapic.bin",
    "efi-virtio.rom": "/usr/lib/ipxe/qemu/efi-virtio.rom",
    "efi-e1000.rom": "/usr/lib/ipxe/qemu/efi-e1000.rom",
}


class Broken(Exception):
    """Something that must hold does not."""


def sha256(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def end_on_signals():
    numbers = (signal.SIGTERM, signal.SIGHUP)

    def end(*_):
        # A second one would cut the tidying short.
        for number in numbers:
            signal.signal(number, signal.SIG_IGN)
        sys.exit(130)

    for number in numbers:
        signal.signal(number, end)


class Processes:
    """The processes that were started in a folder, by their working folder: what qvm starts for
    itself has neither its environment nor always the cache among its words."""

    def __init__(self, folder, qvm):
        self.folder, self.qvm = folder, os.path.realpath(qvm)
        self.strange = set()

    def look(self, again=True):
        """Each process's pid and name; those seen to be strange before are not asked again."""
        if again:
            self.strange.clear()
        found = {}
        for entry in os.listdir("/proc"):
            if not entry.isdigit() or int(entry) in self.strange:
                continue
            pid = int(entry)
            try:
                if not self.is_ours(pid):
                    self.strange.add(pid)
                    continue
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    words = file.read().split(b"\0")
                program = os.readlink(f"/proc/{pid}/exe")
                name = os.path.basename(program)
                if program == self.qvm:
                    name = "supervisor" if b"__supervise" in words else "client"
                found[pid] = "QEMU" if name.startswith(("qemu-system", "qemu-x86")) else name
            except OSError:
                continue
        return found

    def is_ours(self, pid):
        if os.readlink(f"/proc/{pid}/cwd").startswith(self.folder):
            return True
        # One that went elsewhere.
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return self.folder.encode() in file.read() and pid != os.getpid()


class Stage:
    def __init__(self, qvm, guest, managed=False):
        self.qvm_program = os.path.abspath(qvm)
        self.folder = os.path.realpath(tempfile.mkdtemp(prefix="qvm-campaign-"))
        # The server works elsewhere: it is none of those who must have gone.
        self.place = os.path.join(self.folder, "place")
        self.cache = os.path.join(self.place, "cache")
        self.runtime = os.path.join(self.place, "run")
        for folder in (self.place, self.runtime):
            os.mkdir(folder, 0o700)
        self.releases = os.path.join(self.folder, "releases")
        os.makedirs(os.path.join(self.releases, ".faults"))
        self.image = os.path.join(self.cache, "images", TAG, f"{IMAGE}.qcow2")
        self.processes = Processes(self.place, self.qvm_program)
        self.server = None
        self.publish(guest, managed)
        self.server = subprocess.Popen(
            [sys.executable, SERVER, self.releases], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True, cwd=self.folder)
        port = int(self.server.stdout.readline())
        self.environment = {
            "PATH": os.environ["PATH"], "HOME": self.place, "LC_ALL": "C",
            "QVM_CACHE": self.cache, "QVM_QEMU": "system", "QVM_ACCEL": "tcg",
            "QVM_BASE_URL": f"http://127.0.0.1:{port}/cross-platform-actions",
            "XDG_RUNTIME_DIR": self.runtime,
        }

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for pid in self.processes.look():
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        if self.server:
            self.server.stdin.close()
            self.server.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    # What is published

    def publish(self, guest, managed):
        release = os.path.join(self.releases, "haiku-builder", TAG)
        os.makedirs(release)
        image = os.path.join(release, f"{IMAGE}.qcow2")
        subprocess.run(["qemu-img", "convert", "-O", "qcow2", guest, image], check=True)
        self.digest = sha256(image)
        self.size = os.path.getsize(image)
        self.set_latest("haiku-builder", TAG)
        if managed:
            self.publish_resources()

    def publish_resources(self):
        release = os.path.join(self.releases, "resources", "v2.0.0")
        os.makedirs(release)
        content = os.path.join(self.folder, "content")
        os.makedirs(os.path.join(content, "bin"))
        os.makedirs(os.path.join(content, "share/qemu"))
        qemu = os.path.realpath(shutil.which("qemu-system-x86_64"))
        shutil.copy(qemu, os.path.join(content, "bin/qemu"))
        for name, source in SHARE.items():
            shutil.copy(source, os.path.join(content, "share/qemu", name))
        archive = os.path.join(release, "qemu-system-x86_64-linux.tar")
        subprocess.run(["tar", "-cf", archive, "-C", content, "."], check=True)
        shutil.rmtree(content)
        os.mkdir(content)
        shutil.copy(os.path.realpath(shutil.which("qemu-img")), content)
        archive = os.path.join(release, "resources-linux.tar")
        subprocess.run(["tar", "-cf", archive, "-C", content, "."], check=True)
        shutil.rmtree(content)
        self.set_latest("resources", "v2.0.0")

    def set_latest(self, repository, tag):
        with open(os.path.join(self.releases, repository, "latest"), "w") as file:
            file.write(tag)

    def slow(self, rate):
        """How many bytes of the image the server sends in a second; None for as fast as it can."""
        path = os.path.join(self.releases, ".faults", f"{IMAGE}.qcow2")
        if rate is None:
            with contextlib.suppress(FileNotFoundError):
                os.remove(path)
        else:
            with open(path, "w") as file:
                file.write(f"slow {rate}")

    # Commands

    def start(self, words, before=()):
        # A file: a pipe would be held open by a process that is left behind.
        with open(os.path.join(self.folder, "words"), "w") as errors:
            return subprocess.Popen(
                [*before, self.qvm_program, *words], env=self.environment, cwd=self.place,
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors)

    def end(self, process, seconds=60):
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            raise Broken(f"a command hung: {process.args}") from None
        with open(os.path.join(self.folder, "words"), errors="replace") as file:
            return process.returncode, file.read()

    def qvm(self, *words, expecting=(0,)):
        try:
            result = subprocess.run(
                [self.qvm_program, *words], env=self.environment, cwd=self.place, timeout=60,
                stdin=subprocess.DEVNULL, capture_output=True, text=True)
        except subprocess.TimeoutExpired:
            raise Broken(f"'qvm {' '.join(words)}' hung") from None
        if result.returncode not in expecting:
            raise Broken(f"'qvm {' '.join(words)}' ended with {result.returncode}: {result.stderr}")
        return result

    def phases(self):
        listed = json.loads(self.qvm("list", "--json").stdout)["instances"]
        return {instance["name"]: instance["phase"] for instance in listed}

    # What must hold

    def check_files(self):
        """Nothing under a final name is wrong."""
        for folder, _, names in os.walk(self.cache):
            for name in names:
                path = os.path.join(folder, name)
                if name.startswith(".") or "/downloads" in path:
                    continue
                if name.endswith(".json") and "/.removed-" not in path and "/.new-" not in path:
                    try:
                        with open(path) as file:
                            json.load(file)
                    except ValueError:
                        raise Broken(f"{path} is torn") from None
                if "/images/" in path and name.endswith(".qcow2"):
                    if sha256(path) != self.digest:
                        raise Broken(f"{path} is not what was published")
                    if os.stat(path).st_mode & 0o777 != 0o444:
                        raise Broken(f"{path} can be written to")

    def check_processes(self):
        """Only VMs that are said to live are left, soon."""
        deadline = time.monotonic() + 20
        while True:
            left = self.processes.look()
            if left and all(name in ("QEMU", "supervisor", "strace") for name in left.values()):
                if ALIVE & set(self.phases().values()):
                    return
            elif not left:
                return
            if time.monotonic() > deadline:
                raise Broken(f"left running: {left}; instances: {self.phases()}")
            time.sleep(0.01)

    def check_disk(self, name):
        disk = os.path.join(self.cache, "instances", name, "disk.qcow2")
        result = subprocess.run(["qemu-img", "check", "-q", "-U", disk], capture_output=True,
                                text=True, cwd=self.folder)
        if result.returncode != 0:
            raise Broken(f"{disk}: {result.stderr or result.returncode}")

    def check_instances(self, boots=True):
        """Each instance is what it is said to be: it ends, it boots again, it can be removed."""
        for name, phase in self.phases().items():
            if phase == "broken":
                raise Broken(f"{name} is broken: {self.qvm('list').stdout}")
            try:
                self.check_disk(name)
            except Broken:
                # Whose launch was cut short is shut down meanwhile, and --rm carried out.
                if self.phases().get(name):
                    raise
                continue
            if phase in ALIVE:
                # Another process may be faster, and have carried out --rm. QEMU before its first
                # instruction counts as one that had to be killed.
                self.qvm("stop", "--force", name, expecting=(0, 1, 4))
            phase = self.phases().get(name)
            if phase in ALIVE:
                raise Broken(f"{name} is {phase} after 'stop --force'")
            if phase and boots:
                self.check_disk(name)
                self.qvm("start", "-d", name)
                if self.phases().get(name) != "running":
                    raise Broken(f"{name} is {self.phases().get(name)} after 'start'")
                self.qvm("stop", "--force", name)
            if phase:
                self.qvm("rm", name)
        if self.phases():
            raise Broken(f"left after 'rm': {self.phases()}")

    def check_clean(self):
        """Nothing is left of what was in the making, once the minute is over that it is given."""
        self.check_processes()
        long_ago = time.time() - 120
        sockets = os.path.join(self.runtime, "qvm")
        for parent in (os.path.join(self.cache, "instances"), sockets):
            if os.path.isdir(parent):
                for name in os.listdir(parent):
                    os.utime(os.path.join(parent, name), (long_ago, long_ago))
        self.qvm("prune", "--yes")
        left = [*self.entries(sockets), *self.entries(os.path.join(self.cache, "instances")),
                *self.entries(os.path.join(self.cache, "downloads"))]
        for folder, folders, names in os.walk(self.cache):
            left += [os.path.join(folder, name) for name in folders + names
                     if name.startswith(".") and name != ".lock"]
        if left:
            raise Broken(f"litter: {left}")

    @staticmethod
    def entries(folder):
        with contextlib.suppress(FileNotFoundError):
            return [os.path.join(folder, name) for name in os.listdir(folder)]
        return []

    # Scenes

    def forget_image(self):
        for name in ("images", "downloads"):
            shutil.rmtree(os.path.join(self.cache, name), ignore_errors=True)

    def forget_tools(self):
        shutil.rmtree(os.path.join(self.cache, "qemu"), ignore_errors=True)

    def reset(self):
        """An empty cache, for the next attempt after one that went wrong."""
        for pid in self.processes.look():
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        for folder in (self.cache, os.path.join(self.runtime, "qvm")):
            shutil.rmtree(folder, ignore_errors=True)
