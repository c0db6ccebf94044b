#!/usr/bin/env python3
"""Blocks of a devnet before verifiers: CometBFT's own packages (tests/real/light), `stagger turns --verify`, and the
feed (feed_tool). 100 blocks with pauses, unpauses, stopped nodes and transactions; then the same blocks through a proxy
that alters one character of one reply.

    STAGGER=build/dev/stagger FEED_TOOL=build/dev/tests/feed_tool python3 tests/devnet/verify.py [--seed S] [--cases N]

$LIGHT is the built verifier; otherwise `go` builds it, into a temporary folder. Without Go 1.24 or newer, or without the
modules, this is skipped (77) behind the checks of the project's own.
"""
import argparse
import copy
import http.server
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from net import LONG, SOURCE, STAGGER, Devnet, fetch, need_stagger, poll, skip  # noqa: E402
from wire import Account, coins_to_self, disable, enable, pause, unpause  # noqa: E402

BLOCKS = 110
GO_LEAST = (1, 24)
BUILD_S = 600


# --- the verifier ---

def build_light(folder):
    """(path, why not)"""
    if os.environ.get("LIGHT"):
        return os.environ["LIGHT"], None
    try:
        said = subprocess.run(["go", "env", "GOVERSION"], stdout=subprocess.PIPE, text=True, check=True,
                              env={**os.environ, "GOTOOLCHAIN": "local"}).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None, "there is no go"
    found = re.match(r"go(\d+)\.(\d+)", said)
    if not found or tuple(map(int, found.groups())) < GO_LEAST:
        return None, f"go is {said}, older than {GO_LEAST[0]}.{GO_LEAST[1]}"
    source, path = SOURCE / "tests" / "real" / "light", Path(folder) / "light"
    environment = {**os.environ, "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=readonly -buildvcs=false", "CGO_ENABLED": "0"}
    done = subprocess.run(["go", "mod", "download"], cwd=source, env=environment, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=BUILD_S, check=False)
    if done.returncode:
        return None, f"its modules cannot be fetched: {done.stdout.strip().splitlines()[-1:]}"
    subprocess.run(["go", "build", "-o", str(path), "."], cwd=source, env=environment, timeout=BUILD_S, check=True)
    return str(path), None


class Light:
    def __init__(self, path):
        self.path = path

    def run(self, mode, url, witness, first, last):
        line = [self.path, mode, "--rpc", url, "--from", str(first), "--to", str(last)]
        line += ["--witness", witness] if mode != "blocks" else []
        return subprocess.run(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=150, check=False)

    def accepts(self, mode, *where):
        done = self.run(mode, *where)
        assert done.returncode == 0, f"light {mode} {where}: {done.stderr.strip()}"
        print(f"  {mode}: {done.stdout.strip()}", flush=True)
        return done.stdout

    def refuses(self, mode, *where):
        done = self.run(mode, *where)
        assert done.returncode == 1, f"light {mode} {where} accepts it: {done.stdout.strip()}"
        return done.stderr.strip()


# --- a proxy that alters one character ---

class Proxy:
    """alter(method, params, result) may change the result in place."""

    def __init__(self, target, alter):
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):  # noqa: N802
                body = self.rfile.read(int(self.headers["Content-Length"]))
                reply = json.loads(fetch(target, body)[1])
                asked = json.loads(body)
                if isinstance(asked, dict) and "result" in reply:
                    outer.alter(asked["method"], asked.get("params") or {}, reply["result"])
                self.answer(json.dumps(reply).encode())

            def answer(self, text):
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                pass
        self.alter = alter
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None  # who has seen enough goes away
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


def leaves(value, at=()):
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, (*at, key))
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            yield from leaves(inner, (*at, i))
    elif value not in (None, "") and not isinstance(value, bool):
        yield at, value


def altered(rng, value):
    """Another value of the same look that differs in one character."""
    if isinstance(value, int):
        return value + 1
    places = [i for i, c in enumerate(value) if c.isalnum()]
    if value.endswith("="):
        places = places[:-2]  # the last character before '=' has bits that say nothing
    place = rng.choice(places)
    old = value[place]
    if re.fullmatch(r"[0-9A-F]{40,}", value):
        pool = "0123456789ABCDEF"
    elif old.isdigit() and not re.fullmatch(r"[A-Za-z0-9+/=]{20,}", value):
        pool = "0123456789"
    else:
        pool = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    return value[:place] + rng.choice([c for c in pool if c != old]) + value[place + 1:]


def put(value, path, new):
    for key in path[:-1]:
        value = value[key]
    value[path[-1]] = new


# What no hash or signature covers. In a block's results that is all but these.
BOUND = {"code", "data", "gas_wanted", "gas_used", "ed25519", "power"}
HEADERS_ONLY = re.compile(r"signed_header\.header\.|commit\.block_id\.hash|pub_key\.value|voting_power")


def candidates(method, result, mode):
    """The leaves of a reply on which the verifier's verdict must hang."""
    for path, value in leaves(result):
        words = ".".join(map(str, path))
        if method == "block_results" and path[-1] not in BOUND:
            continue
        if path[-1] in ("type", "count", "total", "block_height") or words.endswith("block_id_flag"):
            continue
        if "evidence" in words or "consensus_param" in words:
            continue
        if mode == "blocks" or HEADERS_ONLY.search(words):
            yield path, value


METHODS = {"blocks": ("block", "commit", "block_results", "validators"), "sequential": ("commit", "validators"),
           "skipping": ("commit", "validators")}


def choose(net, rng, mode, first, last):
    """One character of one reply: (method, height, path, new value)."""
    while True:
        method = rng.choice(METHODS[mode])
        height = last if mode == "skipping" else rng.randint(first + 1, last - 1)
        result = net.call(0, method, height=str(height))
        found = list(candidates(method, result, mode))
        if found:
            path, value = rng.choice(found)
            return method, height, path, altered(rng, value), value


def one_altered(net, light, rng, first, last):
    mode = rng.choice(["blocks", "blocks", "sequential", "skipping"])
    method, height, path, new, old = choose(net, rng, mode, first, last)

    def alter(asked, params, result):
        if asked == method and str(params.get("height")) == str(height):
            put(result, path, new)
    narrow = (max(first, height - 2), min(last, height + 2)) if mode == "blocks" else (first, last)
    with Proxy(net.urls[0], alter) as proxy:
        try:
            why = light.refuses(mode, proxy.url, proxy.url, *narrow)
        except AssertionError as error:
            raise AssertionError(f"{method} {height} {path}: {old!r} -> {new!r}: {error}") from None
    return f"{mode}: {method} {height} {'.'.join(map(str, path))}: {why[-90:]}"


# --- blocks worth looking at ---

def busy(net, last):
    """Sets change, a node is away for a while, transactions flow, until block `last` is there."""
    out_of, into, step = (pause, unpause, 24) if net.chain == "kira" else (disable, enable, 24)
    accounts = [Account(net, i) for i in range(net.count)]
    payer = accounts[0]
    for turn, height in enumerate(range(3, last, step)):
        net.wait_height(height)
        leaving = [accounts[1 + (turn + i) % (net.count - 1)] for i in range(1 if turn == 1 else 2)]
        sent = [a.send(out_of(a)) for a in leaving]
        for answer in sent:
            assert answer["code"] == 0, answer
            net.wait_tx(answer["hash"])
        if turn == 1:  # three of four: rounds that time out, and entries that are absent
            net.node("stop", 4)
        if net.chain == "kira":
            sequence = payer.state()[0]
            for i in range(5):
                payer.send(coins_to_self(payer), sequence=sequence + i)
        for account in leaving:
            account.run(into(account))
        if turn == 1:
            net.node("start", 4)
    net.wait_height(last + 2)


# --- the project's own ---

def own_verifiers(net, last):
    line = [STAGGER, "turns", "--verify", "--all", "--json", "--chain", net.chain, "--node", net.urls[0],
            "--others", ",".join(net.urls[1:3])]
    done = subprocess.run(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120, check=False)
    assert done.returncode == 0, f"stagger turns --verify: {done.stderr.strip()}"
    print(f"  stagger turns --verify --all: {len(done.stdout.splitlines())} lines", flush=True)
    feed = os.environ.get("FEED_TOOL")
    if not feed:
        print("  no $FEED_TOOL")
        return
    with tempfile.NamedTemporaryFile("w", suffix=".records") as records:
        for i in range(net.count):
            records.write(f"{Account(net, i).bytes.hex()} {net.address(i)}\n")
        records.flush()
        line = [feed, "--chain", net.chain, "--chain-id", net.public["chain_id"], "--records", records.name,
                "--everything", "--thorough", "--url", net.urls[0], "--url", net.urls[1]]
        done = subprocess.run(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120, check=False)
    told = [json.loads(row) for row in done.stdout.splitlines()]
    assert done.returncode == 0 and told[-1]["fault"] == "", f"feed_tool: {told[-1:]} {done.stderr}"
    blocks = [row["height"] for row in told if row["type"] == "block"]
    assert blocks[0] == 1 and blocks == list(range(1, len(blocks) + 1)) and len(blocks) >= last, blocks[-1:]
    print(f"  the feed: {len(blocks)} blocks", flush=True)


def own_refuse(net, rng):
    """The project's own verifier, with one altered character of a header in a proxy."""
    height = rng.randint(20, 60)
    header = net.call(0, "commit", height=str(height))["signed_header"]["header"]
    path, value = rng.choice([(p, v) for p, v in leaves(header) if "parts" not in p])
    new = altered(rng, value)

    def alter(asked, params, result):
        if str(params.get("height")) == str(height):
            if asked == "commit":
                put(result["signed_header"]["header"], path, new)
            if asked == "block":
                put(result["block"]["header"], path, new)
    with Proxy(net.urls[0], alter) as proxy:
        line = [STAGGER, "turns", "--verify", "--all", "--chain", net.chain, "--node", proxy.url]
        done = subprocess.run(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120, check=False)
    assert done.returncode == 3 and not done.stdout, f"turns accepts header {height} {path}: {new!r}: {done}"
    print(f"  turns: header {height} {'.'.join(path)}: {done.stderr.strip()[:150]}", flush=True)


def run(chain, light, seed, cases, blocks):
    print(f"{chain}: {blocks} blocks, seed {seed}", flush=True)
    rng = random.Random(f"{seed} {chain}")
    extra = ("--empty-blocks", "150ms") if chain == "dcl" else ()
    with Devnet(chain, 5, "--block-time", "150ms", "--timeout-propose", "200ms", *extra) as net:
        busy(net, blocks)
        own_verifiers(net, blocks)
        own_refuse(net, rng)
        if not light:
            return
        light.accepts("blocks", net.urls[1], None, 20, 40)
        for mode in ("blocks", "sequential", "skipping"):
            said = light.accepts(mode, net.urls[0], net.urls[1], 1, blocks)
            sets = int(re.search(r"(\d+) sets", said)[1])
            assert sets >= (4 if mode != "skipping" else 1), said
        for _ in range(cases):
            print("  refused: " + one_altered(net, light, rng, 1, blocks), flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=int(os.environ.get("DEVNET_SEED", "1")))
    parser.add_argument("--cases", type=int, default=100 if LONG else 12)
    parser.add_argument("--chain", choices=("kira", "dcl", "both"), default="both" if LONG else "kira")
    args = parser.parse_args()
    need_stagger()
    with tempfile.TemporaryDirectory() as folder:
        path, why_not = build_light(folder)
        for chain in ("kira", "dcl") if args.chain == "both" else (args.chain,):
            run(chain, path and Light(path), args.seed, args.cases, 300 if LONG else BLOCKS)
    if why_not:
        skip(f"CometBFT's light client: {why_not}")


if __name__ == "__main__":
    main()
