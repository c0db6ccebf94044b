"""A Docker Engine of the tests' own: dockerd on a private socket, data root and exec root; and what speaks with one.

Engine.start() raises Missing with the reason where that cannot be done.
"""
import contextlib
import http.client
import io
import json
import os
import shutil
import socket
import socketserver
import subprocess
import tarfile
import tempfile
import threading
import time
import urllib.parse

STARTED_S = 60


class Missing(Exception):
    """There is no engine here, and why."""


class Connection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("docker", timeout=120)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        try:
            self.sock.connect(self.path)
        except OSError:
            self.sock.close()
            raise


class Client:
    """Requests to an engine, for tests: (status, parsed body)."""

    def __init__(self, path):
        self.path = path

    def ask(self, method, path, body=None, kind="application/json"):
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        with contextlib.closing(Connection(self.path)) as connection:
            connection.request(method, path, body, {"Content-Type": kind, "Host": "docker"})
            response = connection.getresponse()
            raw = response.read()
        try:
            return response.status, json.loads(raw) if raw else None
        except ValueError:
            return response.status, raw.decode(errors="replace")

    def get(self, path):
        status, body = self.ask("GET", path)
        return body if status == 200 else None

    def must(self, method, path, body=None, kind="application/json"):
        status, answer = self.ask(method, path, body, kind)
        if status >= 300 and status != 304:
            raise AssertionError("%s %s: %d %r" % (method, path, status, answer))
        return answer

    def container(self, name):
        return self.get("/containers/%s/json" % name)

    def containers(self):
        return self.get("/containers/json?all=1")

    def running(self):
        return [one["Names"][0].lstrip("/") for one in self.get("/containers/json")]

    def create(self, name, image, **config):
        return self.must("POST", "/containers/create?name=" + name, {"Image": image, **config})["Id"]

    def run(self, name):
        self.must("POST", "/containers/%s/start" % name)

    def remove_all(self):
        for one in self.containers():
            self.ask("DELETE", "/containers/%s?force=1&v=1" % one["Id"])

    def build(self, tag, dockerfile, files):
        """An image from a Dockerfile and files (name: bytes)."""
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as tar:
            for name, content in {**files, "Dockerfile": dockerfile.encode()}.items():
                info = tarfile.TarInfo(name)
                info.size, info.mode = len(content), 0o755
                tar.addfile(info, io.BytesIO(content))
        answer = self.must("POST", "/build?version=1&rm=1&t=" + urllib.parse.quote(tag), packed.getvalue(),
                           "application/x-tar")
        image = self.get("/images/%s/json" % tag)
        if image is None:
            raise AssertionError("build: %r" % (answer,))
        return image["Id"]


class Engine(Client):
    """dockerd itself."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="stagger-docker-")
        self.process = None
        super().__init__(os.path.join(self.folder, "docker.sock"))

    def _words(self):
        inside = lambda name: os.path.join(self.folder, name)  # noqa: E731
        return ["dockerd", "-H", "unix://" + self.path, "--data-root", inside("data"), "--exec-root", inside("exec"),
                "--pidfile", inside("pid"), "--bridge=none", "--iptables=false", "--ip6tables=false",
                "--ip-forward=false", "--ip-masq=false"]

    def start(self):
        if os.geteuid() != 0:
            raise Missing("dockerd needs root")
        if shutil.which("dockerd") is None:
            raise Missing("there is no dockerd; apt-get install docker.io")
        with open(os.path.join(self.folder, "log"), "ab") as log:
            self.process = subprocess.Popen(self._words(), stdout=log, stderr=log, start_new_session=True)
        end = time.monotonic() + STARTED_S
        while time.monotonic() < end and self.process.poll() is None:
            with contextlib.suppress(OSError):
                if self.ask("GET", "/_ping")[0] == 200:
                    return
            time.sleep(0.05)  # dockerd tells nobody when it is ready
        with open(os.path.join(self.folder, "log"), encoding="utf-8", errors="replace") as log:
            why = log.read()[-300:]
        self.stop()
        raise Missing("dockerd does not start here: " + why)

    def stop(self):
        """Ends dockerd in order; containers end with it."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(timeout=120)
            self.process = None

    def close(self):
        if self.process is not None:
            self.remove_all()
        self.stop()
        with open("/proc/mounts", encoding="utf-8") as file:  # dockerd leaves a network namespace mounted
            left = [line.split()[1] for line in file if line.split()[1].startswith(self.folder + "/")]
        for place in reversed(left):
            subprocess.run(["umount", place], check=False)
        shutil.rmtree(self.folder, ignore_errors=True)


class Proxy:
    """Between a client and an engine, request by request: before(n, request line) and after(n, request line) are called
    around each, and may raise Cut to drop the connection."""

    class Cut(Exception):
        pass

    def __init__(self, path, engine_path, before=None, after=None):
        self.path, self.engine_path = path, engine_path
        self.before, self.after = before, after
        self.lines, self.lock = [], threading.Lock()
        proxy = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                with contextlib.suppress(OSError, Proxy.Cut, ValueError):
                    proxy.serve(self.request)

        class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
            daemon_threads, request_queue_size = True, 64

        self.server = Server(path, Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    @staticmethod
    def _message(stream):
        """One request: its bytes, None at the end."""
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            line = stream.readline()
            if not line:
                return None
            head += line
        size = [int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
        return head + (stream.read(size[0]) if size else b"")

    def serve(self, client):
        stream = client.makefile("rb")
        while (request := self._message(stream)) is not None:
            line = request.split(b"\r\n")[0].decode()
            with self.lock:
                number = len(self.lines)
                self.lines.append(line)
            if self.before:
                self.before(number, line)
            self._forward(client, request, number, line)

    def _forward(self, client, request, number, line):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as engine:
            engine.connect(self.engine_path)
            engine.sendall(request.replace(b"\r\n", b"\r\nConnection: close\r\n", 1))
            answer = b""
            while chunk := engine.recv(65536):
                answer += chunk
                if "/events" in line:
                    client.sendall(chunk)
        if self.after:
            self.after(number, line)
        if "/events" not in line:
            client.sendall(answer)
        raise Proxy.Cut  # the engine's answer said "close"

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        os.unlink(self.path)
