"""Times copies into a running guest and out of it: copy.py QVM FOLDER FILES MEGABYTES ROUNDS

Prints medians as ratios, each to its rival in the same run.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import time

qvm, folder = sys.argv[1:3]
files, megabytes, rounds = map(int, sys.argv[3:])
ciphers = "aes128-gcm@openssh.com,chacha20-poly1305@openssh.com,aes128-ctr"


def timed(command, **options):
    begin = time.monotonic()
    subprocess.run(command, check=True, **options)
    return time.monotonic() - begin


def in_guest(line):
    subprocess.run([qvm, "exec", "bench", line], check=True, stdin=subprocess.DEVNULL)


def report(name, own, rival):
    ratio = statistics.median(own) / statistics.median(rival)
    print(f"{name}: {ratio:.2f}  (medians of {len(own)}: {statistics.median(own):.2f} s"
          f" and {statistics.median(rival):.2f} s)", flush=True)


status = json.loads(subprocess.run(
    [qvm, "status", "--json", "bench"], check=True, capture_output=True).stdout)
ssh = (f"ssh -F none -p {status['sshPort']} -l runner -o Ciphers={ciphers} -o Compression=no"
       f" -o UserKnownHostsFile={folder}/known -o StrictHostKeyChecking=no -o LogLevel=ERROR 127.0.0.1")

small = os.path.join(folder, "small")
for number in range(files):
    place = os.path.join(small, str(number % 100))
    os.makedirs(place, exist_ok=True)
    with open(os.path.join(place, str(number)), "wb") as file:
        file.write(os.urandom(10240))
os.mkdir(os.path.join(folder, "large"))
with open(os.path.join(folder, "large", "file"), "wb") as file:
    for _ in range(megabytes):
        file.write(os.urandom(1 << 20))

for name in ["small", "large"]:
    own, rival = [], []
    for _ in range(rounds):
        rival.append(timed(
            ["sh", "-c", f"tar --format=gnu -cf - {name} | {ssh} 'tar -xpf -'"], cwd=folder))
        in_guest(f"rm -rf {name}")
        own.append(timed([qvm, "cp", "-q", name, "bench:"], cwd=folder))
        in_guest(f"rm -rf {name}")
    size = f"{files} files of 10 KB" if name == "small" else f"a file of {megabytes} MB"
    report(f"{size} in / tar and ssh by hand", own, rival)

# A run has copying and booting in one. So the two ways back are timed by the guest's own marks: what comes back of
# a volume begins when the command ends, and ends with the button.
subprocess.run([qvm, "cp", "-q", "small", "bench:"], cwd=folder, check=True)
rival = []
for _ in range(rounds):
    back = os.path.join(folder, "back")
    rival.append(timed([qvm, "cp", "-q", "bench:small", back]))
    shutil.rmtree(back)
subprocess.run([qvm, "stop", "--force", "bench"], check=True, stderr=subprocess.DEVNULL)
own = []
for _ in range(rounds):
    command = "for i in 0 1 2 3 4 5 6 7 8 9; do echo changed >$i/$i; done; echo end"
    run = subprocess.Popen(
        [qvm, "run", "--rm", "--memory", "2G", "--platform", "x86-64", "-v", "small:rw", "-w", "small",
         "freebsd", "14.2", "--", command],
        cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    run.stdout.read()
    # The output ends with the command: ssh holds it, and nothing else does.
    begin = time.monotonic()
    watched = os.path.join(folder, "small", "9", "9")
    while run.poll() is None and open(watched).read(8) != "changed\n":
        time.sleep(0.01)
    own.append(time.monotonic() - begin)
    run.stderr.read()
    if run.wait() != 0:
        sys.exit("the run failed")
    for number in range(10):
        with open(os.path.join(small, str(number), str(number)), "wb") as file:
            file.write(os.urandom(10240))
report(f"10 of {files} back / all", own, rival)
