#!/usr/bin/env python3
"""How long `stagger turns` takes for the history of a chain, from a local node that is never the bottleneck.

    make_history      10,000 blocks of a made-up network, hash-correct and signed (made once, a few seconds)
    history_server    the same from memory, in C
    stagger turns     --all: every block read whole, verified header by header, drawn epoch by epoch
                      (latest): only what the latest draw needs, older blocks as headers
    baseline          a bare client that asks for the same blocks over as many connections and throws them away

usage: history.py --stagger FILE --tools DIRECTORY [--blocks N] [--validators N] [--busy N] [--limit SECONDS]

DIRECTORY holds make_history and history_server. Exit status 1 when `--all` takes longer than the limit.
"""
import argparse
import json
import os
import resource
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from history_server import History, Node  # noqa: E402
from rpc_server import encode  # noqa: E402

CONNECTIONS = 8
RECORDS = "/kira.staking.Query/Validators"
PROPERTIES = "/kira.gov.Query/NetworkProperties"


class Ends(History):
    """The two ends of a long history: all that the answers beside the blocks need."""

    def __init__(self, path, trace, folder):
        with open(path, encoding="utf-8") as lines:
            first = next(lines)
            last = before = first
            for line in lines:
                before, last = last, line
        short = folder / "ends.jsonl"
        short.write_text(first + before + last)
        super().__init__(short, trace)


def extras(history, top):
    """Answers of calls that are not for blocks, one a line: METHOD MATCH RESULT."""
    node = Node(history, top=top)
    yield "status", "-", node.status({})
    yield "commit", f'"height":"{top}"', node.commit({"height": str(top)})
    yield "abci_query", RECORDS, node.abci_query({"path": RECORDS})
    yield "abci_query", PROPERTIES, node.abci_query({"path": PROPERTIES})


def children_s():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class Server:
    def __init__(self, tools, history, extra):
        self.child = subprocess.Popen([tools / "history_server", history, extra], stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, text=True)
        self.url = self.child.stdout.readline().strip()

    def stop(self):
        """The number of requests that it answered, and its seconds of CPU."""
        before = children_s()
        self.child.stdin.close()
        requests = int(self.child.stdout.read())
        self.child.wait()
        return requests, children_s() - before


def ask_blocks(url, heights):
    """One connection's share of the baseline."""
    host, port = url.rsplit("/", 1)[1].split(":")
    with socket.create_connection((host, int(port))) as connection:
        stream = connection.makefile("rb")
        for height in heights:
            body = '{"jsonrpc":"2.0","id":1,"method":"block","params":{"height":"%d"}}' % height
            connection.sendall(b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body.encode()))
            length = 0
            while (line := stream.readline()) != b"\r\n":
                if line.startswith(b"Content-Length:"):
                    length = int(line[15:])
            stream.read(length)


def baseline(url, top):
    start = time.monotonic()
    threads = [threading.Thread(target=ask_blocks, args=(url, range(1 + i, top + 1, CONNECTIONS)))
               for i in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.monotonic() - start


def measure(options, tools, files, words):
    """(seconds, CPU seconds of stagger, requests, server's CPU, output)"""
    server = Server(tools, files[0], files[2])
    with open(files[1], encoding="utf-8") as trace:
        charter = json.loads(next(trace))["charter"]
    names = ("epoch_blocks", "live_blocks", "round_blocks", "joins_max", "reference_blocks")
    command = [options.stagger, "turns", "--node", server.url, "--json", *words]
    command += [word for name in names for word in ("--" + name.replace("_", "-"), str(charter[name]))]
    before, start = children_s(), time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    seconds, cpu = time.monotonic() - start, children_s() - before
    requests, server_cpu = server.stop()
    if done.returncode != 0:
        sys.exit(f"stagger turns: exit status {done.returncode}\n{done.stderr[-1000:]}")
    return seconds, cpu, requests, server_cpu, done.stdout


def main():
    parser = argparse.ArgumentParser(description="Measures how fast a chain's history is read.")
    parser.add_argument("--stagger", required=True, type=Path)
    parser.add_argument("--tools", required=True, type=Path)
    parser.add_argument("--blocks", type=int, default=10000)
    parser.add_argument("--validators", type=int, default=21)
    parser.add_argument("--busy", type=int, default=2)
    parser.add_argument("--limit", type=float, default=10)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        files = [folder / "history.jsonl", folder / "trace.jsonl", folder / "extra"]
        start = time.monotonic()
        subprocess.run([options.tools / "make_history", "--history", files[0], "--trace", files[1], "--no-epochs",
                        "--blocks", str(options.blocks + 1), "--validators", str(options.validators),
                        "--reference", "7200", "--late", "1", "--busy", str(options.busy)], check=True)
        print(f"made: {options.blocks} blocks of {options.validators} validators,"
              f" {os.path.getsize(files[0]) / 1e6:.0f} MB, in {time.monotonic() - start:.1f} s")
        history = Ends(files[0], files[1], folder)
        with open(files[2], "w", encoding="utf-8") as out:
            for method, match, result in extras(history, options.blocks):
                print(method, match, encode(result), file=out)
        worst = 0
        for words in (["--all"], []):
            seconds, cpu, requests, server_cpu, output = measure(options, options.tools, files, words)
            worst = max(worst, seconds)
            print(f"turns {' '.join(words) or '(latest)':9}: {seconds:6.2f} s, {requests} requests, CPU of stagger"
                  f" {cpu:.2f} s, of the server {server_cpu:.2f} s, {len(output.splitlines())} lines")
        server = Server(options.tools, files[0], files[2])
        print(f"baseline       : {baseline(server.url, options.blocks):6.2f} s for the blocks alone")
        server.stop()
    print(f"{'within' if worst <= options.limit else 'BEYOND'} {options.limit:g} s")
    return worst > options.limit


if __name__ == "__main__":
    sys.exit(main())
