"""Races `qvm pull` against curl and sha256sum, and a warm `qvm run` against qemu-img and QEMU.

  compare.py FOLDER QVM NGINX GIGABYTES

Prints what was aimed at and what was measured; the medians of interleaved rounds.
"""

import hashlib
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time

FOLDER, QVM, NGINX, GIGABYTES = sys.argv[1], os.path.abspath(sys.argv[2]), sys.argv[3], float(sys.argv[4])
ROUNDS = 3
WARM_ROUNDS = 15
TAG, NAME = "v1.0.0", "freebsd-14.2-x86-64.qcow2"
SITE = os.path.join(FOLDER, "site")
ASSET = f"freebsd-builder/releases/download/{TAG}/{NAME}"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def make_image():
    """A qcow2 image without holes, of bytes that nothing can compress."""
    raw, image = os.path.join(FOLDER, "raw"), os.path.join(SITE, ASSET)
    os.makedirs(os.path.dirname(image))
    with open("/dev/urandom", "rb") as source, open(raw, "wb") as target:
        for _ in range(int(GIGABYTES * 1000)):
            target.write(source.read(1_000_000))
        target.truncate((target.tell() + 511) // 512 * 512)
    subprocess.run(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", raw, image], check=True)
    os.remove(raw)
    digest = hashlib.sha256()
    with open(image, "rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    listing = [{"tag_name": TAG, "assets": [{
        "name": NAME, "size": os.path.getsize(image), "digest": "sha256:" + digest.hexdigest()}]}]
    with open(os.path.join(SITE, "freebsd-builder/releases.json"), "w") as file:
        json.dump(listing, file)
    return image


def serve():
    """nginx with the layout of the release server, as an ordinary process of this one."""
    port = free_port()
    prefix = os.path.join(FOLDER, "prefix")
    os.makedirs(prefix)
    with open(os.path.join(prefix, "nginx.conf"), "w") as file:
        file.write(f"""
daemon off; master_process off; pid {prefix}/pid; error_log {prefix}/error.log;
events {{ }}
http {{
  access_log off; sendfile on;
  client_body_temp_path {prefix}/a; proxy_temp_path {prefix}/b; fastcgi_temp_path {prefix}/c;
  uwsgi_temp_path {prefix}/d; scgi_temp_path {prefix}/e;
  server {{
    listen 127.0.0.1:{port}; root {SITE}; absolute_redirect off;
    location = /freebsd-builder/releases/latest {{
      return 302 /freebsd-builder/releases/tag/{TAG};
    }}
    location = /freebsd-builder/releases/tag/{TAG} {{ return 200 ""; }}
  }}
}}
""")
    process = subprocess.Popen(
        [NGINX, "-p", prefix, "-e", f"{prefix}/error.log", "-c", f"{prefix}/nginx.conf"],
        stdin=subprocess.DEVNULL)
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return process, f"http://127.0.0.1:{port}"
        except OSError:
            time.sleep(0.02)
    raise SystemExit("nginx did not start")


class Peaks(threading.Thread):
    """The peak resident sizes of a process and of all below it, in kilobytes, by program."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.peaks, self.done = pid, {}, False

    def run(self):
        while not self.done:
            parents = {}
            for entry in filter(str.isdigit, os.listdir("/proc") if os.path.isdir("/proc") else []):
                try:
                    with open(f"/proc/{entry}/status") as file:
                        status = dict(line.split(":", 1) for line in file if ":" in line)
                except OSError:
                    continue
                parents[int(entry)] = (int(status["PPid"]), status["Name"].strip(),
                                       int(status.get("VmHWM", "0").split()[0]))
            for pid, (_, name, peak) in parents.items():
                above = pid
                while above in parents and above != self.pid:
                    above = parents[above][0]
                if above == self.pid:
                    self.peaks[name] = max(self.peaks.get(name, 0), peak)
            time.sleep(0.05)


def timed(command, **options):
    os.sync()
    start = time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, **options)
    return time.monotonic() - start


def race_pull(base, environment):
    url, copy = f"{base}/{ASSET}", os.path.join(FOLDER, "copy")
    quoted = f"'{copy}'"
    fetch = f"curl -q -sS -f -o {quoted} '{url}'"
    rivals = {
        "curl alone": fetch,
        "curl, then sha256sum": f"{fetch} && sha256sum {quoted}",
        "curl, then sha256sum, sync": f"{fetch} && sha256sum {quoted} && sync {quoted}",
        "curl | tee | sha256sum": f"curl -q -sS -f '{url}' | tee {quoted} | sha256sum",
        "curl | tee | openssl": f"curl -q -sS -f '{url}' | tee {quoted} | openssl dgst -sha256",
    }
    times = {name: [] for name in ["qvm pull", *rivals]}
    peaks = {}
    for _ in range(ROUNDS):
        for name, command in rivals.items():
            times[name].append(timed(["sh", "-c", command]))
            os.remove(copy)
        shutil.rmtree(environment["QVM_CACHE"], ignore_errors=True)
        os.sync()
        start = time.monotonic()
        process = subprocess.Popen(
            [QVM, "pull", "-q", "freebsd", "14.2", "--platform", "x86-64"], env=environment,
            stdout=subprocess.DEVNULL)
        watcher = Peaks(process.pid)
        watcher.start()
        if process.wait() != 0:
            raise SystemExit("qvm pull failed")
        times["qvm pull"].append(time.monotonic() - start)
        watcher.done = True
        for name, peak in watcher.peaks.items():
            peaks[name] = max(peaks.get(name, 0), peak)
    shutil.rmtree(environment["QVM_CACHE"], ignore_errors=True)
    median = {name: statistics.median(values) for name, values in times.items()}
    print(f"{GIGABYTES:g} GB from a local nginx, median of {ROUNDS}:")
    for name, seconds in median.items():
        print(f"  {name:28} {seconds:6.2f} s   {median['qvm pull'] / seconds:5.2f} x")
    print(f"aim: at most 1.15 x of curl, then sha256sum / measured: "
          f"{median['qvm pull'] / median['curl, then sha256sum']:.2f} x")
    text = ", ".join(f"{name} {peak / 1024:.0f} MB" for name, peak in sorted(peaks.items()))
    print(f"aim: memory that doesn't grow with the image / measured peaks: {text}")


def race_run(environment):
    """The time until QEMU's program is executed: of `qvm run` with everything there, and of the two
    programs by hand."""
    real = shutil.which("qemu-system-x86_64")
    if real is None:
        return print("no qemu-system-x86_64: the warm run is not measured")
    tools, stamp = os.path.join(FOLDER, "qemu"), os.path.join(FOLDER, "stamp")
    os.makedirs(os.path.join(tools, "bin"))
    wrapper = os.path.join(tools, "bin/qemu-system-x86_64")
    with open(wrapper, "w") as file:
        file.write(f"#!/bin/sh\ndate +%s%N >'{stamp}'\nexec '{real}' \"$@\"\n")
    os.chmod(wrapper, 0o755)
    os.symlink(shutil.which("qemu-img"), os.path.join(tools, "bin/qemu-img"))
    share = os.path.join(tools, "share/qemu")
    os.makedirs(share)
    for name in ["/usr/share/seabios/bios-256k.bin", "/usr/share/qemu/bios-256k.bin"]:
        if os.path.exists(name) and not os.listdir(share):
            os.symlink(name, os.path.join(share, "bios-256k.bin"))
    environment = dict(environment, QVM_QEMU=tools)

    def until_executed(start_programs):
        if os.path.exists(stamp):
            os.remove(stamp)
        start = time.time_ns()
        start_programs()
        with open(stamp) as file:
            return (int(file.read()) - start) / 1e6

    def qvm(*words):
        subprocess.run([QVM, *words], env=environment, check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)

    def with_qvm():
        qvm("run", "-q", "-d", "--rm", "--name", "warm", "demo", "1")

    def by_hand():
        base = os.path.join(environment["QVM_CACHE"], "images/builtin/demo-1-x86-64.qcow2")
        overlay = os.path.join(FOLDER, "overlay.qcow2")
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-b", base, "-F", "qcow2",
                        overlay], check=True)
        subprocess.run([wrapper, "--version"], check=True, stdout=subprocess.DEVNULL)
        os.remove(overlay)

    qvm("pull", "demo", "1")
    ours, theirs = [], []
    for _ in range(WARM_ROUNDS):
        ours.append(until_executed(with_qvm))
        qvm("stop", "--force", "warm")
        theirs.append(until_executed(by_hand))
    one, other = statistics.median(ours), statistics.median(theirs)
    print(f"a warm run until QEMU is executed, median of {WARM_ROUNDS}: "
          f"{one:.0f} ms; qemu-img create and a spawn by hand: {other:.0f} ms")
    print(f"aim: at most 30 ms more / measured: {one - other:.0f} ms more")


def main():
    environment = dict(os.environ, QVM_CACHE=os.path.join(FOLDER, "cache"), QVM_QEMU="system",
                       QVM_ACCEL="tcg", XDG_RUNTIME_DIR=os.path.join(FOLDER, "run"))
    os.makedirs(environment["XDG_RUNTIME_DIR"], mode=0o700)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(130))
    make_image()
    server, base = serve()
    try:
        environment["QVM_BASE_URL"] = base
        race_pull(base, environment)
        race_run(environment)
    finally:
        server.terminate()
        server.wait()


main()
