#!/usr/bin/env python3
"""The docker driver against a stand-in for the Docker Engine that answers badly: garbled, cut off, huge, in pieces, slowly,
never. What a real one does is for tests/test_runtime_docker.py.

    RUNTIME_TOOL=build/dev/tests/runtime_tool python3 -B tests/test_runtime_docker_faults.py [TEST...]
"""
import copy
import json
import os
import random
import shutil
import socket
import socketserver
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from runtime_case import TOOL, Tool  # noqa: E402

SEED = int(os.environ.get("DOCKER_SEED", "1"))
MUTATIONS = 400
VERSION = {"ApiVersion": "1.41", "MinAPIVersion": "1.12"}
NONE = {"message": "No such container"}
INSPECTED = {
    "Id": "ab" * 32, "Name": "/node", "Image": "sha256:" + "cd" * 32, "RestartCount": 0,
    "State": {"Status": "exited", "Running": False, "Paused": False, "Restarting": False, "ExitCode": 0, "Error": "",
              "StartedAt": "2026-11-22T02:03:44.056770348Z", "Health": {"Status": "healthy"}},
    "HostConfig": {"AutoRemove": False, "NetworkMode": "host", "RestartPolicy": {"Name": "always", "MaximumRetryCount": 0},
                   "Binds": ["/a:/b"], "Links": ["/x:/node/y"], "Mounts": [{"Type": "volume", "Target": "/m"}]},
    "Config": {"Image": "node:v1", "Labels": {"a": "b"}, "Env": ["A=1"], "Cmd": ["x"], "Hostname": "abababababab"},
    "Mounts": [{"Type": "volume", "Name": "v", "Destination": "/m", "RW": True}],
    "NetworkSettings": {"Networks": {"one": {"Aliases": ["abababababab", "z"]}}},
}


def answer(status, body, head=""):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return ("HTTP/1.1 %d X\r\nContent-Type: application/json\r\n%sContent-Length: %d\r\n\r\n" % (
        status, head, len(raw))).encode() + raw


class Engine:
    """Answers by `rules`, a list of (part of the request's first line, bytes or a function of connection and line)."""

    def __init__(self, path):
        self.path, self.rules, self.lines = path, [], []
        engine = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                try:
                    while engine.serve(self):
                        pass
                except OSError:
                    pass

        class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
            daemon_threads, request_queue_size = True, 64

        self.ended = threading.Event()
        self.server = Server(path, Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def serve(self, handler):
        line = handler.rfile.readline().decode()
        if not line:
            return False
        size = 0
        while (head := handler.rfile.readline()) not in (b"\r\n", b""):
            if head.lower().startswith(b"content-length:"):
                size = int(head.split(b":")[1])
        handler.rfile.read(size)
        self.lines.append(line.split(" HTTP")[0])
        for part, what in [*self.rules, ("/events", self.hang), ("/version", answer(200, VERSION)),
                           (".stagger-previous/json", answer(404, NONE)), ("/containers/node/json", answer(200, INSPECTED)),
                           ("", answer(500, {"message": "unexpected"}))]:
            if part in line:
                if callable(what):
                    return what(handler.connection)
                handler.connection.sendall(what)
                return True
        return False

    def hang(self, _):
        self.ended.wait()
        return False

    def close(self):
        self.ended.set()
        self.server.shutdown()
        self.server.server_close()


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="stagger-docker-faults-")
        self.engine = Engine(os.path.join(self.folder, "docker.sock"))
        self.tools = []

    def tearDown(self):
        for tool in self.tools:
            if not tool.process.stdout.closed:
                self.assertEqual(tool.quit(), 0, tool.lines)
        self.engine.close()
        shutil.rmtree(self.folder)

    def tool(self, *flags):
        self.tools.append(Tool(self.folder, "--runtime=docker", "--docker-socket=" + self.engine.path,
                               "--docker-container=node", *flags))
        return self.tools[-1]

    def stop_with(self, rules, *words):
        """A STOP that fails with these words."""
        self.engine.rules = rules
        tool = self.tool()
        ended = tool.step("stop")
        self.assertTrue(ended and ended.startswith("ended stop failed"), (rules, tool.lines))
        for word in words:
            self.assertIn(word, ended)
        self.assertEqual(tool.quit(), 0)


class Versions(Case):
    def test_negotiation(self):
        for newest, oldest, used in (("1.41", "1.12", "/v1.41/"), ("1.51", "1.24", "/v1.44/"), ("1.60", "1.50", "/v1.50/"),
                                     ("1.30", None, "/v1.30/")):
            body = {"ApiVersion": newest, **({"MinAPIVersion": oldest} if oldest else {})}
            self.engine.rules, self.engine.lines = [("/version", answer(200, body))], []
            tool = self.tool()
            self.assertIn("ended stop ok", tool.step("stop"))
            tool.quit()
            asked = [line for line in self.engine.lines if "containers" in line]
            self.assertTrue(asked and all(used in line for line in asked), (newest, self.engine.lines))

    def test_an_engine_that_was_replaced(self):
        """400 is "client version is too new": the version is asked for anew."""
        self.engine.rules = [("/v1.41/", answer(400, {"message": "client version 1.41 is too new"}))]
        tool = self.tool()
        self.assertIn("too new", tool.step("stop"))
        self.engine.rules.append(("/version", answer(200, {"ApiVersion": "1.40"})))
        tool.step("stop")  # the watch may have asked for the version before the engine was replaced
        self.assertIn("ended stop ok", tool.step("stop"))

    def test_what_is_no_engine(self):
        for body in (b"", b"hello", b"[]", b"{}", b'{"ApiVersion":"2.0"}', b'{"ApiVersion":41}', b'{"ApiVersion":"1.9999999"}',
                     b'{"ApiVersion":"1."}', b'{"ApiVersion":"1.41x"}', b"\xff\xfe"):
            self.stop_with([("/version", answer(200, body))], "Docker Engine")
        self.stop_with([("/version", answer(200, {"ApiVersion": "1.12"}))], "too old", "upgrade")


class Answers(Case):
    def test_bad_answers(self):
        json_path = "/containers/node/json"
        for raw, *words in (
                (answer(500, b""), "status 500 and no reason"),
                (answer(500, b"<html>"), "status 500 and no reason"),
                (answer(500, {"message": "disk\nfull \x1b[31m"}), "docker says: disk?full ?[31m"),
                (answer(500, {"message": "x" * 5000}), "docker says: xxxx"),
                (answer(301, b"", "Location: /elsewhere\r\n"), "status 301"),
                (answer(200, b"{"), "cannot be read"),
                (answer(200, b"[" * 100000), "deeper than"),
                (answer(200, b'{"a":' + b" " * 2000000 + b"1}"), "larger than 1048576 bytes"),
                (answer(200, INSPECTED)[:-40],),
                (b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{}",),
                (b"garbage\r\n\r\n",),
                (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 20000 + b"\r\n", "head"),
                (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}",)):
            def send(connection, raw=raw):
                connection.sendall(raw)
                connection.shutdown(socket.SHUT_WR)
                return False
            self.stop_with([(".stagger-previous", answer(404, NONE)), (json_path, send)], *words)

    def test_in_pieces(self):
        def chunked(connection):
            raw = json.dumps(INSPECTED).encode()
            connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            for at in range(0, len(raw), 7):
                part = raw[at:at + 7]
                connection.sendall(b"%x\r\n%s\r\n" % (len(part), part))
                if at % 350 == 0:
                    time.sleep(0.005)  # a slow engine
            connection.sendall(b"0\r\n\r\n")
            return True
        self.engine.rules = [(".stagger-previous", answer(404, NONE)), ("/containers/node/json", chunked)]
        self.assertIn("ended stop ok", self.tool().step("stop"))

    def test_no_answer(self):
        self.stop_with([("/containers/node/json", self.engine.hang)], "no answer from the Docker Engine", "timed out")

    def test_events_without_end(self):
        """A stream of lines too long, of no JSON and of nothing harms nobody."""
        def events(connection):
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 100000 + b"\n\n{}\n[1]\n\xff\n" + b'{"a":1}\n' * 1000)
            return self.engine.hang(connection)
        self.engine.rules = [("/events", events)]
        tool = self.tool()
        tool.until("changed down")
        self.assertIn("ended stop ok", tool.step("stop"))

    def test_a_pull_that_says_odd_things(self):
        lines = [b'{"status":"Downloading","progressDetail":{"current":5,"total":10}}', b"{", b"[]", b"x" * 100000,
                 b'{"status":7,"progressDetail":{"current":-5,"total":9223372036854775807}}', b'{"error":"no\\nspace"}', b""]
        self.engine.rules = [("/images/create", answer(200, b"\r\n".join(lines))), ("/images/", answer(404, NONE)),
                             ("/rename", answer(204, b""))]
        tool = self.tool()
        tool.ask("aim a/b:c", "aimed")
        ended = tool.step("reinit")
        self.assertIn("docker pull a/b:c", ended)
        self.assertIn("no?space", ended)
        self.assertTrue(any("pulling a/b:c: Downloading" in line for line in tool.lines), tool.lines)
        self.assertTrue(any("fromImage=a/b:c" in line for line in self.engine.lines))

    def test_an_image_without_a_tag_is_not_all_of_them(self):
        self.engine.rules = [("/images/create", answer(200, b"")), ("/images/", answer(404, NONE))]
        tool = self.tool()
        tool.ask("aim localhost:5000/b", "aimed")
        self.assertIn("fetched, and is not there", tool.step("reinit"))
        self.assertTrue(any("fromImage=localhost:5000/b:latest" in line for line in self.engine.lines))

    def test_never_at_rest(self):
        """What is removed is there again each time: the step ends all the same."""
        self.engine.rules = [("POST", answer(204, b"")), ("DELETE", answer(204, b"")),
                             ("/containers/node/json", answer(200, {**INSPECTED, "State": {
                                 **INSPECTED["State"], "Running": True}}))]
        self.assertIn("change without end", self.tool().step("stop"))

    def test_somebody_else_is_at_it(self):
        """A conflict is waited for."""
        state = {"busy": 2, "Running": True}

        def stop(connection):
            state["busy"] -= 1
            state["Running"] = state["busy"] >= 0
            connection.sendall(answer(409, {"message": "in progress"}) if state["busy"] >= 0 else answer(204, b""))
            return True

        def look(connection):
            connection.sendall(answer(200, {**INSPECTED, "State": {**INSPECTED["State"], "Running": state["Running"]}}))
            return True

        self.engine.rules = [("POST", stop), ("/containers/node/json", look)]
        self.assertIn("ended stop ok", self.tool().step("stop"))

    def test_mutations(self):
        """What was spoilt on the way ends a step in order, whatever it is."""
        chance = random.Random(SEED)
        spoilt = {"body": b""}

        def send(connection):
            connection.sendall(answer(200, spoilt["body"]))
            return True

        self.engine.rules = [(".stagger-previous", send), ("/containers/node/json", send), ("/images/create", answer(200, b"")),
                             ("/images/", send), ("POST", answer(200, b"{}")), ("DELETE", answer(204, b""))]
        tool = self.tool()
        tool.ask("aim node:v2", "aimed")
        for number in range(MUTATIONS):
            body = copy.deepcopy(INSPECTED)
            for _ in range(chance.randrange(1, 4)):
                self.mutate(body, chance)
            raw = json.dumps(body).encode()
            if chance.random() < 0.2:
                at = chance.randrange(len(raw))
                raw = raw[:at] + bytes([chance.randrange(256)]) + raw[at + 1:]
            spoilt["body"] = raw
            step = chance.choice(("stop", "reinit", "restore"))
            ended = tool.step(step)
            self.assertIsNotNone(ended, "DOCKER_SEED=%d, mutation %d: %s %r" % (SEED, number, step, raw))

    @staticmethod
    def mutate(body, chance):
        places = []

        def walk(value):
            for key in list(value) if isinstance(value, dict) else range(len(value)):
                places.append((value, key))
                if isinstance(value[key], (dict, list)):
                    walk(value[key])
        walk(body)
        value, key = chance.choice(places)
        if chance.random() < 0.2:
            del value[key]
        else:
            value[key] = chance.choice((None, True, -1, 1 << 62, 0.5, "", "x" * 3000, "\x00\x1b", [], {}, [[]], {"": None},
                                        ":", "/", "../../x", ["a:b:c"], [None], {"Name": 3}))


if __name__ == "__main__":
    if not TOOL:
        raise SystemExit("RUNTIME_TOOL names no executable")
    unittest.main(verbosity=2)
