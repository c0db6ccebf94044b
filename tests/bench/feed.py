#!/usr/bin/env python3
"""What the feed costs an agent: how long a block takes from the node's RPC to the view, and what a day of blocks leaves
in memory.

    FEED_TOOL=... STAGGER=... python3 tests/bench/feed.py delay [--validators 10] [--blocks 120] [--poll 50]
    FEED_TOOL=... MAKE_HISTORY=... python3 tests/bench/feed.py memory [--validators 64] [--blocks 14400]
                                                               [--history FILE --trace FILE]

delay: a devnet, and a client that asks its node for the status without a pause. A block's delay is the time from that
client's first answer with it to the feed's block(), so it holds the wait for the next look, which is poll / 2 in the middle.

memory: a made-up network whose head moves on by one block at each look. Resident memory every 50 blocks; and the
process's CPU time for each block.
"""
import argparse
import http.client
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "devnet")]
from bech32 import bech32_bytes  # noqa: E402
from history_server import PAGE_MAX  # noqa: E402
from rpc_server import RpcError, RpcServer, Text, encode  # noqa: E402

FEED_TOOL = os.environ.get("FEED_TOOL", "")


def percentile(values, part):
    return sorted(values)[min(len(values) - 1, int(part * len(values)))]


# --- delay ---

class Watch(threading.Thread):
    """When the node showed each height first, in ns of the day's clock."""

    def __init__(self, url):
        super().__init__(daemon=True)
        self.host, self.seen, self.gap_ns, self.going = url.rsplit("/", 1)[1], {}, [], True

    def run(self):
        connection = http.client.HTTPConnection(self.host)
        before = time.time_ns()
        while self.going:
            connection.request("GET", "/status")
            reply = json.loads(connection.getresponse().read())
            now = time.time_ns()
            height = int(reply["result"]["sync_info"]["latest_block_height"])
            if height not in self.seen:
                self.seen[height] = now
            self.gap_ns.append(now - before)
            before = now
            time.sleep(0.001)


def delay(options):
    from wire import Account
    from net import Devnet, need_stagger
    need_stagger()
    with Devnet(options.chain, options.validators, "--block-time", options.block_time) as net, \
            tempfile.NamedTemporaryFile("w", suffix=".records") as records:
        for i in range(net.count):
            records.write(f"{Account(net, i).bytes.hex()} {net.address(i)}\n")
        records.flush()
        watch = Watch(net.urls[0])
        watch.start()
        last = net.height() + options.blocks
        line = [FEED_TOOL, "--chain", net.chain, "--chain-id", net.public["chain_id"], "--records", records.name, "--url",
                net.urls[0], "--url", net.urls[1], "--everything", "--follow", "--stamp", "--poll", str(options.poll),
                "--until", str(last)]
        done = subprocess.run(line, stdout=subprocess.PIPE, text=True, check=True)
        watch.going = False
        watch.join()
    told = [json.loads(row) for row in done.stdout.splitlines()]
    delays = [(row["ns"] - watch.seen[row["height"]]) / 1e6 for row in told
              if row["type"] == "block" and row["height"] > last - options.blocks + 5 and row["height"] in watch.seen]
    print(f"{options.validators} validators, poll {options.poll} ms, {len(delays)} blocks: median "
          f"{statistics.median(delays):.1f} ms, p99 {percentile(delays, 0.99):.1f} ms, most {max(delays):.1f} ms; without "
          f"the wait for a look (median less poll / 2): {statistics.median(delays) - options.poll / 2:.1f} ms; the watch "
          f"looked every {statistics.median(watch.gap_ns) / 1e6:.1f} ms")


# --- memory ---

class Tape:
    """A long history, read from the file block by block; its head moves on at each status."""

    def __init__(self, path):
        self.file, self.places, self.lines = open(path, "rb"), [], {}
        while line := self.file.readline():
            self.places.append(self.file.tell() - len(line))
        self.first = self.entry_at(0)["height"]
        self.last = self.first + len(self.places) - 2  # nobody has the last one's commit
        self.latest, self.hashes = self.first + 1, {}

    def entry_at(self, place):
        if place not in self.lines:
            self.file.seek(self.places[place])
            self.lines[place] = json.loads(self.file.readline())
            for old in [p for p in self.lines if p < place - 4]:
                del self.lines[old]
        return self.lines[place]

    def entry(self, params):
        height = int(params["height"])
        if not self.first <= height <= self.latest:
            raise RpcError(f"height {height} must be less than or equal to the current blockchain height")
        return self.entry_at(height - self.first)

    def status(self, _params):
        self.latest = min(self.latest + 1, self.last)
        block = self.entry_at(self.latest - self.first)["block"]
        header = block["block"]["header"]
        member = self.entry_at(0)["next_validators"]["validators"][0]
        return {"node_info": {"id": "00" * 20, "network": header["chain_id"], "version": "0.37.2", "moniker": "tape",
                              "other": {"tx_index": "on"}},
                "sync_info": {"latest_block_hash": block["block_id"]["hash"], "latest_app_hash": header["app_hash"],
                              "latest_block_height": str(self.latest), "latest_block_time": header["time"],
                              "earliest_block_height": str(self.first), "catching_up": False},
                "validator_info": {name: member[name] for name in ("address", "pub_key", "voting_power")}}

    def validators(self, params):
        members = self.entry_at(max(int(params["height"]) - 1 - self.first, 0))["next_validators"]["validators"]
        page = int(params["page"])
        part = members[(page - 1) * PAGE_MAX:page * PAGE_MAX]
        return {"block_height": params["height"], "validators": part, "count": str(len(part)), "total": str(len(members))}

    def commit(self, params):
        entry, after = self.entry(params), self.entry_at(int(params["height"]) + 1 - self.first)
        return {"signed_header": {"header": entry["block"]["block"]["header"],
                                  "commit": after["block"]["block"]["last_commit"]}, "canonical": True}

    def routes(self):
        answers = {"status": self.status, "block": lambda p: self.entry(p)["block"], "commit": self.commit,
                   "block_results": lambda p: self.entry(p)["block_results"], "validators": self.validators}
        return {name: lambda params, answer=answer: Text(encode(answer(params))) for name, answer in answers.items()}


def memory(options):
    with tempfile.TemporaryDirectory() as folder:
        files = [options.history, options.trace]
        if not options.history:
            files = [f"{folder}/history", f"{folder}/trace"]
            subprocess.run([os.environ["MAKE_HISTORY"], "--history", files[0], "--trace", files[1], "--no-epochs",
                            "--validators", str(options.validators), "--blocks", str(options.blocks)], check=True)
        with open(files[1], encoding="utf-8") as trace:
            world = json.loads(next(trace))
        records = Path(folder) / "records"
        records.write_text("".join(f"{bech32_bytes(v['account']).hex()} {v['address']}\n" for v in world["validators"]))
        tape = Tape(files[0])
        with RpcServer(tape.routes()) as server:
            begun = time.monotonic()
            done = subprocess.run([FEED_TOOL, "--chain", world["chain"], "--chain-id", world["chain_id"], "--records",
                                   records, "--url", server.url, "--everything", "--follow", "--poll", "1", "--memory",
                                   "--until", str(tape.last)], stdout=subprocess.PIPE, text=True, check=True)
    told = [json.loads(row) for row in done.stdout.splitlines()]
    rows = [(row["height"], row["kb"] / 1024, row["own_kb"] / 1024) for row in told
            if row["type"] == "memory" and row["height"]]
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    for height, mb, own in rows[::max(1, len(rows) // 12)] + rows[-1:]:
        print(f"block {height}: {mb:.1f} MB resident, {own:.1f} MB of it the heap's and stacks'")
    blocks = sum(row["type"] == "block" for row in told)
    print(f"{len(world['validators'])} validators, {blocks} blocks in {time.monotonic() - begun:.0f} s: most "
          f"{max(row[1] for row in rows):.1f} MB, at the end {rows[-1][1]:.1f} MB; CPU of all children for each block "
          f"{1000 * (used.ru_utime + used.ru_stime) / blocks:.2f} ms")


def main():
    parser = argparse.ArgumentParser(description="What the feed costs an agent.")
    parser.add_argument("what", choices=("delay", "memory"))
    parser.add_argument("--chain", default="kira")
    parser.add_argument("--validators", type=int, default=10)
    parser.add_argument("--blocks", type=int, default=120)
    parser.add_argument("--block-time", default="1s")
    parser.add_argument("--poll", type=int, default=50)
    parser.add_argument("--history")
    parser.add_argument("--trace")
    options = parser.parse_args()
    if not FEED_TOOL:
        sys.exit("FEED_TOOL must name the program")
    (delay if options.what == "delay" else memory)(options)


if __name__ == "__main__":
    main()
