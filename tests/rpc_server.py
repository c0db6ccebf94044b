#!/usr/bin/env python3
"""A scripted JSON-RPC server as CometBFT's, for tests: canned results, refusals and misbehaviour.

    routes = {"status": lambda params: {...}}           # params: a dict, however they came
    with RpcServer(routes) as server:                   # a thread of its own; port 0 is any free one
        print(server.url)                               # http://127.0.0.1:PORT

A route returns a JSON value, which becomes the result; a Text, JSON that is already written; or a Reply,
raw bytes with all the ways in which a server can go wrong. It raises RpcError for a JSON-RPC error. Both
forms of asking work: POST / with {"jsonrpc":"2.0","id":7,"method":"block","params":{"height":"5"}}, and
GET /block?height=5 (values in quotation marks lose them). Whole numbers arrive as text in both; whole(),
data_bytes() and hash_bytes() read them. `server.asked` counts the calls of each method.

Run as a program it serves the routes of tricks() on as many ports as wanted, prints one line of JSON,
{"urls":[...],"ca_file":...}, and ends when its standard input does:

usage: rpc_server.py [--servers N] [--tls]
"""
import argparse
import asyncio
import base64
import collections
import dataclasses
import json
import os
import shutil
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import urllib.parse

BODY_MAX = 16 << 20  # of a request


class RpcError(Exception):
    """An answer with an error, as CometBFT words it."""

    def __init__(self, data, code=-32603, message="Internal error", status=200):
        super().__init__(data)
        self.error = {"code": code, "message": message, "data": data}
        self.status = status


class Text(str):
    """A result that is JSON text already."""


@dataclasses.dataclass
class Reply:
    """What goes over the wire instead of a proper answer."""
    body: bytes = b""
    status: int = 200
    headers: tuple = ()         # of (name, value)
    length: object = True       # True: the right Content-Length; a number: that; None: none, the end closes
    chunked: bool = False       # Transfer-Encoding: chunked instead
    delay_s: float = 0          # before the first byte
    drip: tuple = ()            # (bytes, seconds): so many at a time, so long between
    cut: object = None          # after so many bytes of the body the connection is closed
    reset: bool = False         # ... or reset, so that the other side sees no proper end
    close: bool = False         # close behind a whole answer
    silent: bool = False        # no answer at all, the connection stays open


def whole(params, name, default=None):
    """The whole number at `name`, sent as text, as a number or not at all."""
    value = params.get(name)
    if value is None or value == "":
        return default
    return int(value)


def data_bytes(params, name="data"):
    """Bytes in hex, with or without 0x: `data` of abci_query."""
    text = params.get(name) or ""
    return bytes.fromhex(text[2:] if text[:2] == "0x" else text)


def hash_bytes(params, name):
    """Bytes that are base64 in POST and 0xHEX in GET: `tx` and `hash`."""
    text = params.get(name) or ""
    return bytes.fromhex(text[2:]) if text[:2] == "0x" else base64.b64decode(text, validate=True)


def self_signed(folder, names=("DNS:localhost", "IP:127.0.0.1")):
    """(certificate, key): files of a new self-signed certificate."""
    certificate, key = os.path.join(folder, "certificate.pem"), os.path.join(folder, "key.pem")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=" + ",".join(names),
         "-out", certificate, "-keyout", key],
        check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return certificate, key


def encode(value):
    return json.dumps(value, separators=(",", ":"))


class Connection(asyncio.Protocol):
    """One connection: requests one behind the other, as HTTP/1.1 has them."""

    def __init__(self, server):
        self.server = server
        self.transport = None
        self.buffer = b""
        self.busy = False

    def connection_made(self, transport):
        self.transport = transport
        self.server.connections.add(transport)
        self.server.accepted += 1

    def connection_lost(self, error):
        self.server.connections.discard(self.transport)
        self.transport = None

    def data_received(self, data):
        self.buffer += data
        self.next_request()

    def next_request(self):
        while not self.busy and self.transport is not None:
            end = self.buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            head = self.buffer[:end].decode("latin-1").split("\r\n")
            length = 0
            for line in head[1:]:
                name, _, value = line.partition(":")
                if name.lower() == "content-length":
                    length = int(value)
            if length > BODY_MAX:
                self.transport.close()
                return
            if len(self.buffer) < end + 4 + length:
                return
            body = self.buffer[end + 4:end + 4 + length]
            self.buffer = self.buffer[end + 4 + length:]
            self.server.heads.append(head)
            self.answer(*self.server.answer(head[0], body))

    def answer(self, text, reply):
        if reply is None:
            data = text.encode()
            self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "
                                 + str(len(data)).encode() + b"\r\n\r\n" + data)
            return
        self.busy = True
        if not reply.silent:
            asyncio.get_running_loop().call_later(reply.delay_s, self.begin, reply)

    def begin(self, reply):
        if self.transport is None:
            return
        body = reply.body
        lines = [f"HTTP/1.1 {reply.status} Scripted", "Content-Type: application/json"]
        lines += [f"{name}: {value}" for name, value in reply.headers]
        if reply.chunked:
            lines.append("Transfer-Encoding: chunked")
            body = b"".join(b"%x\r\n%s\r\n" % (len(body[at:at + 4096]), body[at:at + 4096])
                            for at in range(0, len(body), 4096)) + b"0\r\n\r\n"
        elif reply.length is not None:
            lines.append(f"Content-Length: {len(body) if reply.length is True else reply.length}")
        data = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
        self.write(reply, data, body if reply.cut is None else body[:reply.cut])

    def write(self, reply, head, body):
        if self.transport is None:
            return
        if reply.drip and body:
            step, seconds = reply.drip
            self.transport.write(head + body[:step])
            asyncio.get_running_loop().call_later(seconds, self.write, reply, b"", body[step:])
            return
        self.transport.write(head + body)
        self.finish(reply)

    def finish(self, reply):
        self.busy = False
        if reply.reset:
            raw = self.transport.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.transport.abort()
        elif reply.cut is not None or reply.close or reply.length is None and not reply.chunked:
            self.transport.close()
        else:
            self.next_request()


class RpcServer:
    """The server and its thread. `tls` is (certificate, key) as files."""

    def __init__(self, routes, port=0, tls=None):
        self.routes = routes
        self.port = port
        self.tls = tls
        self.asked = collections.Counter()
        self.heads = collections.deque(maxlen=1000)  # request lines and headers, the newest last
        self.accepted = 0                            # connections so far
        self.connections = set()
        self.loop = None
        self.thread = None

    @property
    def url(self):
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    # --- answering ---

    def answer(self, request_line, body):
        """(text of a proper answer, None) or (None, Reply)"""
        verb, target, _ = request_line.split(" ", 2)
        try:
            request_id, method, params = self.question(verb, target, body)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            return self.refusal(None, RpcError(str(error), -32700, "Parse error. Invalid JSON", 500))
        self.asked[method] += 1
        route = self.routes.get(method)
        if route is None:
            return self.refusal(request_id, RpcError("", -32601, "Method not found"))
        try:
            result = route(params)
        except RpcError as error:
            return self.refusal(request_id, error)
        except (ValueError, KeyError, TypeError) as error:
            return self.refusal(request_id, RpcError(repr(error), -32602, "Invalid params"))
        if isinstance(result, Reply):
            return None, dataclasses.replace(
                result, body=result.body.replace(b"@ID@", encode(request_id).encode()))
        text = result if isinstance(result, Text) else encode(result)
        return f'{{"jsonrpc":"2.0","id":{encode(request_id)},"result":{text}}}', None

    @staticmethod
    def question(verb, target, body):
        """(id, method, params)"""
        if verb == "POST":
            request = json.loads(body)
            return request["id"], request["method"], request.get("params") or {}
        parts = urllib.parse.urlsplit(target)
        params = {name: values[-1].strip('"') for name, values in
                  urllib.parse.parse_qs(parts.query, keep_blank_values=True).items()}
        return -1, parts.path.strip("/"), params

    @staticmethod
    def refusal(request_id, error):
        envelope = {"jsonrpc": "2.0", "id": request_id, "error": error.error}
        if request_id is None:
            del envelope["id"]
        if error.status == 200:
            return encode(envelope), None
        return None, Reply(encode(envelope).encode(), status=error.status)

    # --- the thread ---

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        context = None
        if self.tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*self.tls)
        listener = socket.create_server(("127.0.0.1", self.port), backlog=512)
        self.port = listener.getsockname()[1]
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.serve, args=(listener, context), daemon=True)
        self.thread.start()

    def serve(self, listener, context):
        asyncio.set_event_loop(self.loop)
        serving = self.loop.run_until_complete(
            self.loop.create_server(lambda: Connection(self), sock=listener, ssl=context))
        self.loop.run_forever()
        serving.close()
        for transport in list(self.connections):
            transport.abort()
        self.loop.run_until_complete(asyncio.sleep(0))
        self.loop.close()

    def stop(self):
        """Refuses new connections and drops those that are open."""
        if self.thread is not None:
            self.loop.call_soon_threadsafe(self.loop.stop)
            self.thread.join()
            self.thread = None


# --- the tricks of the program ---

def envelope(result_text):
    return b'{"jsonrpc":"2.0","id":@ID@,"result":' + result_text + b"}"


ERROR = b'{"jsonrpc":"2.0","id":@ID@,"error":{"code":-32603,"message":"Internal error","data":"said"}}'


def tricks(number, server):
    """Routes of the server with this number. Those ending in _first misbehave at server 0 only."""
    good = envelope(b"%d" % number)

    def raw(body, **how):
        return lambda params: Reply(body, **how)

    def first(reply):
        return lambda params: reply if number == 0 else number

    def refuse(params):
        raise RpcError(params.get("data", "refused"))

    return {
        "who": lambda params: number,
        "echo": lambda params: params,
        "head": lambda params: server().heads[-1],
        "counts": lambda params: {"asked": dict(server().asked), "accepted": server().accepted,
                                  "open": len(server().connections)},
        "refuse": refuse,
        "error_500": raw(ERROR, status=500),
        "error_400": raw(ERROR, status=400),
        "error_429": raw(ERROR, status=429),
        "result_500": raw(good, status=500),
        "result_201": raw(good, status=201),
        "page_404": raw(b"<html>not found</html>", status=404),
        "unavailable_first": first(Reply(b"upstream is away", status=503)),
        "busy_first": first(Reply(b"slow down", status=429)),
        "moved": raw(b"", status=302, headers=(("Location", "http://127.0.0.1:1/"),)),
        "later": lambda params: Reply(good, delay_s=whole(params, "ms", 100) / 1000),
        "later_first": first(Reply(good, delay_s=30)),
        "silent": raw(b"", silent=True),
        "drip": raw(envelope(b'"' + b"x" * 4000 + b'"'), drip=(1, 0.05)),
        "chunked": raw(envelope(b'"' + b"c" * 20000 + b'"'), chunked=True),
        "chunked_cut": raw(envelope(b'"' + b"c" * 20000 + b'"'), chunked=True, cut=9000),
        "until_close": raw(good, length=None),
        "cut": raw(envelope(b'"' + b"x" * 4000 + b'"'), cut=1000),
        "cut_first": first(Reply(envelope(b'"' + b"x" * 4000 + b'"'), cut=1000)),
        "reset": raw(envelope(b'"' + b"x" * 4000 + b'"'), cut=1000, reset=True),
        "reset_first": first(Reply(b"", cut=0, reset=True)),
        "long_length": raw(good, length=len(good) + 1000, close=True),
        "short_length": raw(good, length=10, close=True),
        "wild_length": raw(good, length="-5", close=True),
        "close": raw(good, close=True),
        "huge": lambda params: Reply(envelope(b'"' + b"h" * whole(params, "size", 3 << 20) + b'"')),
        "huge_chunked": lambda params: Reply(
            envelope(b'"' + b"h" * whole(params, "size", 3 << 20) + b'"'), chunked=True),
        "many_headers": raw(good, headers=tuple((f"X-{i}", "y" * 1000) for i in range(300))),
        "deep": raw(envelope(b"[" * 10000 + b"]" * 10000)),
        "empty": raw(b""),
        "no_json": raw(b"<html>hello</html>"),
        "behind": raw(good + b"x"),
        "bytes": raw(b"\xff\xfe\x00\x01" * 64),
        "wrong_id": raw(good.replace(b"@ID@", b"987654321")),
        "text_id": raw(good.replace(b"@ID@", b'"@ID@"')),
        "no_id": raw(good.replace(b'"id":@ID@,', b"")),
        "version_1": raw(good.replace(b"2.0", b"1.0")),
        "neither": raw(b'{"jsonrpc":"2.0","id":@ID@}'),
        "both": raw(ERROR[:-1] + b',"result":1}'),
        "twice": raw(b'{"jsonrpc":"2.0","id":@ID@,"result":1,"result":2}'),
        "list": raw(b"[" + good + b"]"),
        "panic": raw(ERROR.replace(b"@ID@", b"-1"), status=500),
        "error_text": raw(ERROR.replace(b"-32603", b'"-32603"')),
        "not_http": raw(b"", headers=(("Broken\r\n\r\nHTTP", "x"),), length=5, cut=0),
    }


def main():
    parser = argparse.ArgumentParser(usage=__doc__.rsplit("usage: ", 1)[1])
    parser.add_argument("--servers", type=int, default=1)
    parser.add_argument("--tls", action="store_true")
    options = parser.parse_args()
    folder = tempfile.mkdtemp() if options.tls else None
    try:
        tls = self_signed(folder) if folder else None
        servers = []
        for number in range(options.servers):
            server = RpcServer({}, tls=tls)
            server.routes = tricks(number, lambda chosen=server: chosen)
            server.start()
            servers.append(server)
        line = {"urls": [server.url for server in servers], "ca_file": tls and tls[0]}
        sys.stdout.write(encode(line) + "\n")
        sys.stdout.flush()
        sys.stdin.read()
        for server in servers:
            server.stop()
    finally:
        if folder:
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()
