#!/usr/bin/env python3
"""Stands in for QEMU and misbehaves as FAULT says, in ways that a real one can't be made to.

It takes qvm's own arguments as QEMU does, as far as they matter here: the private monitor, the pid
file and the console's log. STATUS is what it answers to query-status, as it is.
"""
import json
import os
import re
import signal
import socket
import sys
import threading
import time

fault = os.environ.get("FAULT", "")
status = "prelaunch"
words = " ".join(sys.argv[1:])

if "-L help" in words:
  sys.exit(0)
if fault == "abort":
  sys.stderr.write("qemu: error: failed to set MSR 0x10a to 0x69\n")
  sys.stderr.flush()
  os.abort()
if fault == "exit":
  sys.exit("qemu: -device nonsense: there is no such device")
if fault == "deaf":
  for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
    signal.signal(number, signal.SIG_IGN)

# What doctor tries has none of these.
pid_file = sys.argv[sys.argv.index("-pidfile") + 1] if "-pidfile" in sys.argv else "/dev/null"
with open(pid_file, "w") as file:
  file.write(f"{os.getpid()}\n")
log = re.search(r"logfile=(.*),logappend=on", words)
log = open(log.group(1).replace(",,", ",") if log else "/dev/null", "ab", 0)
monitor = socket.socket(fileno=int(re.search(r"id=(?:supervisor|doctor),fd=(\d+)", words).group(1)))


def end(code=0):
  if pid_file != "/dev/null":
    os.unlink(pid_file)
  os._exit(code)


if fault != "deaf":
  signal.signal(signal.SIGTERM, lambda *_: end())


def stay():
  while True:
    time.sleep(3600)


def send(text):
  data = text.encode() if isinstance(text, str) else text
  if fault == "slow":
    for byte in data:
      monitor.sendall(bytes([byte]))
      time.sleep(0.0005)
  else:
    try:
      monitor.sendall(data)
    except OSError:
      # As QEMU does, it outlives the client that hung up.
      stay()


def change_monitor():
  """Hangs up, and goes on with the client of the other monitor."""
  path = re.search(r"id=monitor,path=(.*?),server=on", words).group(1).replace(",,", ",")
  # There before the first is closed, as with QEMU.
  listener = socket.socket(socket.AF_UNIX)
  listener.bind(path)
  listener.listen()
  monitor.close()
  connection = listener.accept()[0]
  listener.close()
  return connection


def say(value):
  send(json.dumps(value) + "\r\n")


def noise():
  """Writes 32 MiB to the console's log, then a last line."""
  for count in range(512):
    log.write((b"%07d " % count + b"x" * 55 + b"\n") * 1024)
  log.write(b"the last line\n")


if fault == "silent":
  stay()
if fault == "garbage":
  send(bytes(range(256)) * 256 + b"\n")
if fault == "long line":
  send('{"QMP":"' + "x" * 10_000_000 + '"}\n')
version = {"qemu": {"major": 99, "minor": 1, "micro": 0}, "package": ""}
greeting = {"QMP": {"version": version, "capabilities": ["oob"], "unheard-of": [1]}}
say(greeting)
log.write(b"ready: not a guest\r\n")

buffer = b""
while True:
  try:
    received = monitor.recv(1 << 16)
  except ConnectionResetError:
    # Hung up with something of this unread, which is an end like any other.
    received = b""
  if not received:
    stay()
  buffer += received
  while b"}" in buffer:
    try:
      request, length = json.JSONDecoder().raw_decode(buffer.decode().lstrip())
    except ValueError:
      break
    buffer = buffer.decode().lstrip()[length:].encode()
    command = request.get("execute")
    answer = {}
    if command == "query-accelerators":
      answer = {"enabled": "tcg", "present": ["tcg"]}
    if command == "query-kvm":
      answer = {"enabled": False, "present": False}
    # Before it is done, or once the question that follows tells that its reply has arrived.
    if fault == "drop early" and command == "cont" or (
      fault == "drop" and command == "query-status" and status != "prelaunch"):
      fault = ""
      monitor = change_monitor()
      say(greeting)
      break
    if command == "cont":
      status = os.environ.get("STATUS", "running")
    if command == "query-status" and fault == "held up":
      fault = ""
      time.sleep(7)
    if command == "query-status":
      answer = {"status": status, "running": status == "running", "unheard-of": True}
    if command == "cont" and fault == "flood":
      event = json.dumps({"event": "RTC_CHANGE", "data": {"offset": 1}, "timestamp": {
        "seconds": 1, "microseconds": 1}}) + "\r\n"
      for _ in range(100):
        send(event * 1000)
    if command == "cont" and fault == "noisy":
      threading.Thread(target=noise, daemon=True).start()
    if command == "cont" and fault == "dies at once":
      monitor.close()
      time.sleep(0.3)
      os.abort()
    if command == "cont" and fault == "babbling":
      send("this is no JSON\r\n")
    say({"return": answer, "id": request.get("id")})
    if command in ("system_powerdown", "quit") and fault != "deaf":
      if fault == "hang-up":
        monitor.close()
        stay()
      if fault == "drop when pressed":
        fault = ""
        monitor = change_monitor()
        say(greeting)
        break
      guest = command == "system_powerdown"
      reason = "guest-shutdown" if guest else "host-qmp-quit"
      say({"event": "SHUTDOWN", "data": {"guest": guest, "reason": reason}, "timestamp": {
        "seconds": 1, "microseconds": 1}})
      if fault == "hang":
        stay()
      end()
