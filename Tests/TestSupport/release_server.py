"""Serves a folder of releases on 127.0.0.1 with the layout of github.com, and its faults.

  release_server.py [ROOT [CERTIFICATE KEY]]

ROOT holds <repository>/<tag>/<asset> and, as <repository>/latest, the tag of the latest release.
Below /cross-platform-actions the server answers <repository>/releases/latest with a redirect,
<repository>/releases/download/<tag>/<asset> with one to an address that works once, and
<repository>/releases.json with what GitHub's API would say. ROOT/.faults/<name> changes the answers
for an asset, for "<repository>.latest" or for "<repository>.json"; ReleaseServer.swift lists the
faults. Each request is a line of ROOT/.requests.

Prints its port, and ends when its standard input does, so that no test can leave it behind.
Without ROOT it forks a server for each socket that is passed to it by its standard input, which is a
socket, too: from the socket that server reads its arguments as a line of JSON, and it takes it for
its standard input and output. Loading the modules below takes many times as long as a fork.
"""

import email.utils
import hashlib
import http.server
import json
import os
import re
import secrets
import signal
import socket
import ssl
import sys
import threading
import time

ROOT = sys.argv[1] if len(sys.argv) > 1 else None
PREFIX = "/cross-platform-actions/"
signed = {}
lock = threading.Lock()


def fault(name):
    """The words of a fault; one with a count goes away after so many requests."""
    path = os.path.join(ROOT, ".faults", name)
    with lock:
        try:
            with open(path) as file:
                words = file.read().split()
        except FileNotFoundError:
            return []
        if words and words[0] == "times":
            left = int(words[1]) - 1
            if left > 0:
                with open(path, "w") as file:
                    file.write(" ".join(["times", str(left)] + words[2:]))
            else:
                os.remove(path)
            return words[2:]
        return words


def version(tag):
    return [int(part) for part in re.findall(r"\d+", tag)]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def log_request(self, code="-", size="-"):
        line = {
            "time": time.time(),
            "method": self.command,
            "path": self.path,
            "status": int(code),
            "range": self.headers.get("Range"),
            "authorization": self.headers.get("Authorization"),
            "agent": self.headers.get("User-Agent"),
            "host": self.headers.get("Host"),
        }
        with lock, open(os.path.join(ROOT, ".requests"), "a") as file:
            file.write(json.dumps(line) + "\n")

    def answer(self, status, body=b"", headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def redirect(self, target):
        self.answer(302, headers=[("Location", target)])

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        try:
            self.route()
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def route(self):
        # As a proxy it serves every host itself.
        if self.path.startswith("http://"):
            self.path = "/" + self.path.split("/", 3)[3]
        path = self.path.split("?")[0]
        if path.startswith("/signed/"):
            return self.serve_signed()
        if path.startswith("/plain/"):
            return self.serve(os.path.join(ROOT, path[len("/plain/"):]), [])
        if not path.startswith(PREFIX):
            return self.answer(404, b"<html>Not Found</html>")
        parts = path[len(PREFIX):].split("/")
        if len(parts) == 2 and parts[1] == "releases.json":
            return self.serve_listing(parts[0])
        if len(parts) == 3 and parts[1:] == ["releases", "latest"]:
            return self.serve_latest(parts[0])
        if len(parts) == 4 and parts[1:3] == ["releases", "tag"]:
            return self.answer(200, b"<html>a release</html>")
        if len(parts) == 2 and parts[1] == "releases":
            return self.answer(200, b"<html>no releases</html>")
        if len(parts) == 5 and parts[1:3] == ["releases", "download"]:
            return self.serve_download(parts[0], parts[3], parts[4])
        return self.answer(404, b"<html>Not Found</html>")

    def serve_latest(self, repository):
        words = fault(repository + ".latest")
        if words[:1] == ["status"]:
            return self.answer(int(words[1]))
        if words[:1] == ["busy"]:
            return self.answer(int(words[1]), headers=[("Retry-After", words[2])])
        if words[:1] == ["redirect"]:
            return self.redirect(words[1])
        if words[:1] == ["html"]:
            return self.answer(200, b"<html>Please log in</html>")
        if words[:1] == ["hang"]:
            return time.sleep(3600)
        try:
            with open(os.path.join(ROOT, repository, "latest")) as file:
                self.redirect(PREFIX + repository + "/releases/tag/" + file.read().strip())
        except FileNotFoundError:
            if os.path.isdir(os.path.join(ROOT, repository)):
                return self.redirect(PREFIX + repository + "/releases")
            self.answer(404, b"<html>Not Found</html>")

    def serve_listing(self, repository):
        words = fault(repository + ".json")
        if words[:1] == ["status"]:
            return self.answer(int(words[1]), b'{"message": "API rate limit exceeded"}')
        if words[:1] == ["rate-limit"]:
            return self.answer(
                int(words[1]), b'{"message": "API rate limit exceeded"}',
                [("x-ratelimit-remaining", "0"), ("X-RateLimit-Reset", words[2])])
        if words[:1] == ["redirect"]:
            return self.redirect(words[1])
        if words[:1] == ["endless"]:
            return self.serve_endless()
        if words[:1] == ["bad-token"] and self.headers.get("Authorization"):
            return self.answer(401, b'{"message": "Bad credentials"}')
        if words[:1] == ["html"]:
            return self.answer(200, b"<html>Please log in</html>")
        if words[:1] == ["hang"]:
            return time.sleep(3600)
        folder = os.path.join(ROOT, repository)
        if not os.path.isdir(folder):
            return self.answer(404, b'{"message": "Not Found"}')
        tags = [tag for tag in os.listdir(folder) if os.path.isdir(os.path.join(folder, tag))]
        releases = []
        for tag in sorted(tags, key=version, reverse=True):
            assets = []
            for name in sorted(os.listdir(os.path.join(folder, tag))):
                with open(os.path.join(folder, tag, name), "rb") as file:
                    content = file.read()
                digest = "sha256:" + hashlib.sha256(content).hexdigest()
                if words[:1] == ["wrong-digest"]:
                    digest = "sha256:" + "0" * 64
                if words[:1] == ["no-digest"]:
                    digest = None
                assets.append({"name": name, "size": len(content), "digest": digest})
            releases.append({"tag_name": tag, "draft": False, "prerelease": False, "assets": assets})
        self.answer(200, json.dumps(releases).encode())

    def serve_endless(self):
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        entry = json.dumps({"tag_name": "v0.0.1", "assets": []}).encode() + b","
        chunk = entry * (1 << 14)
        chunk = b"%x\r\n" % len(chunk) + chunk + b"\r\n"
        self.wfile.write(b"1\r\n[\r\n")
        while True:
            self.wfile.write(chunk)

    def serve_download(self, repository, tag, asset):
        path = os.path.join(ROOT, repository, tag, asset)
        if not os.path.isfile(path):
            return self.answer(404, b"<html>Not Found</html>")
        words = fault(asset + ".redirect")
        if words:
            return self.redirect(words[0])
        key = secrets.token_hex(8)
        with lock:
            signed[key] = path
        self.redirect("/signed/" + asset + "?signature=" + key)

    def serve_signed(self):
        key = self.path.split("signature=")[-1]
        with lock:
            path = signed.pop(key, None)
        if path is None:
            return self.answer(403, b"<html>Signature expired</html>")
        words = fault(os.path.basename(path)) if self.command == "GET" else []
        if words == ["drop"]:
            # curl asks once more by itself where a connection that it kept turns out to be dead.
            with lock:
                signed[key] = path
            self.close_connection = True
            return
        self.serve(path, words)

    def serve(self, path, words):
        kind = words[0] if words else ""
        if kind == "status":
            return self.answer(int(words[1]), b"<html>trouble</html>")
        if kind == "busy":
            return self.answer(int(words[1]), headers=[("Retry-After", words[2])])
        if kind == "html":
            return self.answer(200, b"<!DOCTYPE html><html>Unicorn!</html>")
        if kind == "hang":
            return time.sleep(3600)
        asset = os.path.basename(path)
        is_vague = fault(asset + ".headers") == ["vague"]
        if kind == "other":
            path = os.path.join(ROOT, ".other", asset)
        with open(path, "rb") as file:
            content = file.read()
        tag = '"' + hashlib.sha256(content).hexdigest()[:16] + '"'
        if kind == "other-tag":
            tag = '"another"'
        start = self.range_start(tag, len(content), kind)
        if start is None:
            return self.answer(416)
        self.send_response(206 if start > 0 else 200)
        if not is_vague:
            modified = os.stat(path).st_mtime
            self.send_header("ETag", tag)
            self.send_header("Last-Modified", email.utils.formatdate(int(modified), usegmt=True))
        if kind == "no-length" or is_vague:
            self.send_header("Connection", "close")
            self.close_connection = True
        else:
            self.send_header("Content-Length", str(len(content) - start))
        if start > 0:
            self.send_header(
                "Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.end_headers()
        if self.command == "HEAD":
            return
        end = len(content)
        if kind in ("truncate", "no-length") and len(words) > 1:
            end = int(words[1])
        self.send(
            content[start:end], int(words[1]) if kind in ("slow", "other") else None, asset)
        if end < len(content):
            self.close_connection = True

    def range_start(self, tag, size, kind):
        """The first byte that is wanted; None where there is none."""
        match = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if not match or kind == "no-range":
            return 0
        condition = self.headers.get("If-Range")
        if condition is not None and condition != tag:
            return 0
        start = int(match.group(1))
        return start if start < size else None

    def send(self, content, rate, asset):
        """Sends so many bytes a second, until the fault is lifted; all the rest at once then."""
        if rate is None:
            return self.wfile.write(content)
        for offset in range(0, len(content), rate // 20):
            if not fault(asset):
                return self.wfile.write(content[offset:])
            self.wfile.write(content[offset:offset + rate // 20])
            time.sleep(0.05)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass


def end_with(source):
    while source.read(1 << 16):
        pass
    os._exit(0)


def serve(keys, source, sink):
    server = Server(("127.0.0.1", 0), Handler)
    if keys:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*keys)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=end_with, args=[source], daemon=True).start()
    sink.write(b"%d\n" % server.server_address[1])
    sink.flush()
    server.serve_forever()


def fork_servers():
    global ROOT
    # Nothing is left of a server that has ended.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    orders = socket.socket(fileno=0)
    orders.setblocking(True)
    while True:
        data, descriptors, _, _ = socket.recv_fds(orders, 1, 1)
        if not data:
            return
        if os.fork() == 0:
            orders.close()
            connection = socket.socket(fileno=descriptors[0])
            connection.setblocking(True)
            file = connection.makefile("rwb")
            ROOT, *keys = json.loads(file.readline())
            serve(keys, file, file)
        for descriptor in descriptors:
            os.close(descriptor)


if ROOT is None:
    fork_servers()
else:
    serve(sys.argv[2:], sys.stdin.buffer, sys.stdout.buffer)
