#!/usr/bin/env python3
"""What the agent costs a validator: time beyond the chain's own on the way out of the set, and CPU and memory while there
is nothing to do.

    STAGGER=... python3 tests/bench/agent.py leave [--validators 7] [--turns 35] [--block-time 1s]
    STAGGER=... MAKE_HISTORY=... python3 tests/bench/agent.py idle [--validators 100] [--blocks 14400]
                                                                  [--seconds 120] [--block-s 6]

leave: agents of a devnet reboot one after the other. Of each turn: the boundary block E that gave the permit, the block that
holds the pause, when the own node's RPC first showed which block (a client that asks without a pause), and when the agent
began to stop the node. The least that the chain allows: the pause in E + 1, and E + 2 seen. What the agent adds is the time
from the sight of E + 2 to the stop. Baseline, on the same network: an operator's script, `stagger tx pause --wait` and a
look at the set every half second.

idle: the agent beside a node with a day of history of so many validators and a block every so many seconds, gossip on.
Memory and CPU over the last part. Baseline: a shell that asks the same node for its status with curl, once a second.

Status 1 when a limit is missed: 200 ms in the median, 8 MB, 0.3 % of a core.
"""
import argparse
import base64
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from datetime import datetime
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "fleet"), str(HERE.parent), str(HERE.parent / "devnet")]
from bech32 import bech32_bytes  # noqa: E402
from chain_model import Ledger, Node  # noqa: E402
from cli_case import ACCOUNT, KEY  # noqa: E402
from devnet import cpu_s  # noqa: E402
from feed import Tape, percentile  # noqa: E402
from fleet import Fleet  # noqa: E402
from net import GONE, STAGGER, ask, need_stagger, poll  # noqa: E402
from place import Place  # noqa: E402
from rpc_server import RpcServer  # noqa: E402

LOOK_S = 0.005
LIMIT_MS, LIMIT_MB, LIMIT_PERCENT = 200, 8, 0.3
VERSIONS = ("v2", "v3")
STAMP = re.compile(r"^(\S+)Z (\w+): (.*)$")


def stamp(text):
    return datetime.fromisoformat(text + "+00:00").timestamp()


# --- leaving ---

class Watch(threading.Thread):
    """When the node showed each height first, in ns of the day's clock; it may be away in between."""

    def __init__(self, url):
        super().__init__(daemon=True)
        self.url, self.seen, self.going = url, {}, True

    def run(self):
        while self.going:
            try:
                height = int(ask(self.url, "status")["sync_info"]["latest_block_height"])
            except GONE:
                time.sleep(0.2)
                continue
            self.seen.setdefault(height, time.time_ns())
            time.sleep(LOOK_S)


def lines_of(host):
    for line in (host.dir / "agent.log").read_text(errors="replace").splitlines():
        found = STAMP.match(line)
        if found:
            yield stamp(found[1]), found[3]


def turns_of(host, watch, width):
    """(blocks from E to the pause, ms from the sight of E + 2 to the stop, ms from that of E to the pause's sending)"""
    pause, sent, wanted = None, None, None
    for when, text in lines_of(host):
        if "-> permit" in text:
            wanted, sent = when, None
        elif text.endswith("has taken it") and wanted and not sent:
            sent = when
        elif "our pause happened in block" in text:
            pause = int(text.rsplit(" ", 1)[1])
        elif "stopping the node" in text and pause:
            boundary = (pause - 1) // width * width
            seen = watch.seen.get(pause + 1)
            if seen and boundary in watch.seen and sent:
                yield pause - boundary, 1e3 * when - seen / 1e6, 1e3 * sent - watch.seen[boundary] / 1e6
            pause = None


def many_turns(fleet, count):
    """Whoever has come back is asked again."""
    left, lock, errors = [count], threading.Lock(), []

    def work(host):
        while True:
            with lock:
                left[0] -= 1
                if left[0] < 0 or errors:
                    return
            try:
                host.reboot(VERSIONS[host.version() == VERSIONS[0]])
                host.wait_done()
            except Exception as error:  # noqa: BLE001: told below
                errors.append(error)
    threads = [threading.Thread(target=work, args=(host,)) for host in fleet.hosts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def script_turn(fleet, host, watch, poll_s):
    """The operator's script: ms from the sight of the second block behind the pause to where it would stop the node."""
    url, address = fleet.url(host.number), fleet.net.address(host.number)
    done = subprocess.run([STAGGER, "tx", "pause", "--wait", "--config", str(host.conf)], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    assert done.returncode == 0, done.stdout
    while True:
        head = int(ask(url, "status")["sync_info"]["latest_block_height"])
        if address not in {v["address"] for v in ask(url, "validators", height=str(head + 1), per_page="100")["validators"]}:
            break
        time.sleep(poll_s)
    stop_ns = time.time_ns()
    first = next(h for h in range(head - 5, head + 2)
                 if address not in fleet.net.members(h + 1))  # the first block behind which we are no member
    return (stop_ns - watch.seen[first]) / 1e6


def leave(options):
    need_stagger()
    with Place(options.validators, cables=False) as place, \
            Fleet(place, options.block_time, VERSIONS, charter={"joins_max": 20}) as fleet:
        fleet.wait_all_sign()
        watches = [Watch(fleet.url(host.number)) for host in fleet.hosts]
        for watch in watches:
            watch.start()
        many_turns(fleet, options.turns)
        width = 3
        found = [turn for host, watch in zip(fleet.hosts, watches) for turn in turns_of(host, watch, width)]
        host, script = fleet.hosts[0], []
        host.end()
        for _ in range(options.scripted):
            script.append(script_turn(fleet, host, watches[0], 0.5))
            subprocess.run([STAGGER, "tx", "unpause", "--wait", "--config", str(host.conf)], check=True, stdout=subprocess.DEVNULL)
            fleet.net.wait_height(fleet.net.height(1) + 4, 1)
        for watch in watches:
            watch.going = False
    late = sum(turn[0] > 1 for turn in found)
    over, send = sorted(turn[1] for turn in found), sorted(turn[2] for turn in found)
    print(f"{options.validators} validators, blocks of {options.block_time}, {len(found)} turns; pause in E + 1: "
          f"{len(found) - late}, later: {late}")
    for what, values in (("sight of E -> pause in the mempool", send), ("sight of E + 2 -> stop (beyond the chain's own)", over),
                         ("the same of a script that looks every 0.5 s", script)):
        print(f"{what}: median {statistics.median(values):.0f} ms, p99 {percentile(values, 0.99):.0f} ms, most "
              f"{max(values):.0f} ms, of {len(values)}")
    return statistics.median(over) <= LIMIT_MS and late == 0


# --- nothing to do ---

class Stage:
    """A made-up day, told by a node that goes on with a block every so many seconds."""

    def __init__(self, folder, options):
        files = [f"{folder}/history", f"{folder}/trace"]
        spare = int(options.seconds * 3 / options.block_s) + 100
        subprocess.run([os.environ["MAKE_HISTORY"], "--history", files[0], "--trace", files[1], "--no-epochs", "--late", "0",
                        "--validators", str(options.validators), "--blocks", str(options.blocks + spare)], check=True)
        with open(files[1], encoding="utf-8") as trace:
            self.world = json.loads(next(trace))
        self.tape, self.block_s, self.begun = Tape(files[0]), options.block_s, time.monotonic()
        self.start = self.tape.first + options.blocks
        self.tape.latest = self.start
        routes = {**self.tape.routes(), **self.queries()}
        status = routes["status"]
        routes["status"] = lambda params: self.status(status, params)
        self.server = RpcServer(routes)

    def status(self, usual, params):
        passed = int((time.monotonic() - self.begun) / self.block_s)
        self.tape.latest = min(self.start + passed, self.tape.last) - 1  # it goes one further by itself
        return usual(params)

    def queries(self):
        """Records and accounts as the history has them, the first one ours."""
        ledger = Ledger("kira", len(self.world["validators"]), self.world["chain_id"])
        members = {m["address"]: m for m in self.tape.entry_at(0)["next_validators"]["validators"]}
        for given, v in zip(self.world["validators"], ledger.validators):
            v.consensus, v.account = bytes.fromhex(given["address"]), bech32_bytes(given["account"])
            v.moniker = given["moniker"]
            v.key = base64.b64decode(members[v.consensus.hex().upper()]["pub_key"]["value"])
        ours = ledger.validators[0]
        ours.account = ACCOUNT
        ledger.accounts[ours.account] = [3, 7, 10_000_000]
        return {"abci_query": Node(ledger).abci_query}


def configure(folder, stage):
    place = Path(folder)
    (place / "account.key").write_text(KEY + "\n")
    (place / "account.key").chmod(0o600)
    conf = place / "agent.conf"
    conf.write_text(f"[chain]\nkind = kira\nid = {stage.world['chain_id']}\nnode = {stage.server.url}\n"
                    f"[account]\nkey_file = {place}/account.key\n[agent]\ndir = {place}/agent\n"
                    "[gossip]\nlisten = tcp://127.0.0.1:25970\nadvertise = tcp://127.0.0.1:25970\n")
    return conf


def memory(pid):
    rows = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:])
    return [int(rows[name].split()[0]) / 1024 for name in ("Rss", "Pss", "Pss_Dirty")]


def curl_loop(url, seconds):
    """Percent of a core, with everything it starts; memory of the shell."""
    shell = subprocess.Popen(["sh", "-c", f"while sleep 1; do curl -s {url}/status >/dev/null; done"])
    time.sleep(seconds)
    rss = memory(shell.pid)[0]
    own = cpu_s(shell.pid)
    children = [int(x) for x in Path(f"/proc/{shell.pid}/stat").read_text().rsplit(")", 1)[1].split()[13:15]]
    shell.kill()
    shell.wait()
    return 100 * (own + sum(children) / os.sysconf("SC_CLK_TCK")) / seconds, rss


def measure(pid, options):
    begun, cpu, rows = time.monotonic(), cpu_s(pid), []
    while time.monotonic() < begun + options.seconds:
        time.sleep(5)
        rows.append(memory(pid))
    percent = 100 * (cpu_s(pid) - cpu) / (time.monotonic() - begun)
    return percent, [statistics.median(row[i] for row in rows) for i in range(3)], max(row[0] for row in rows)


def idle(options):
    need_stagger()
    if not os.environ.get("MAKE_HISTORY"):
        sys.exit("MAKE_HISTORY must name the program")
    with tempfile.TemporaryDirectory(prefix="stagger-bench-") as folder:
        stage = Stage(folder, options)
        with stage.server as server:
            conf = configure(folder, stage)
            with open(f"{folder}/log", "wb") as log:
                agent = subprocess.Popen([STAGGER, "run", "--config", str(conf)], stdout=log, stderr=log)
            try:
                def ready():
                    assert agent.poll() is None, Path(folder, "log").read_text()
                    done = subprocess.run([STAGGER, "status", "--json", "--config", str(conf)], stdout=subprocess.PIPE,
                                          stderr=subprocess.DEVNULL, text=True, check=False)
                    return done.returncode == 0 and json.loads(done.stdout)["stage"] == "running"
                begun = time.monotonic()
                poll(ready, "the agent has read the history", 1200, 1)
                read_s = time.monotonic() - begun
                time.sleep(70)  # the start's memory is given back within a minute
                percent, (rss, pss, dirty), most = measure(agent.pid, options)
                base = curl_loop(server.url, 30)
            finally:
                agent.terminate()
                agent.wait()
    print(f"{options.validators} validators, {options.blocks} blocks of history, read in {read_s:.0f} s, a block every "
          f"{options.block_s:g} s, {options.seconds} s: {percent:.2f} % of a core, RSS {rss:.1f} MB (most {most:.1f}), PSS "
          f"{pss:.1f} MB, its own {dirty:.1f} MB")
    print(f"a shell that asks with curl once a second: {base[0]:.2f} % of a core, RSS {base[1]:.1f} MB and curl's while it runs")
    return percent <= LIMIT_PERCENT and most <= LIMIT_MB


def main():
    parser = argparse.ArgumentParser(description="What the agent costs.")
    parser.add_argument("what", choices=("leave", "idle"))
    parser.add_argument("--validators", type=int)
    parser.add_argument("--turns", type=int, default=35)
    parser.add_argument("--scripted", type=int, default=10)
    parser.add_argument("--block-time", default="1s")
    parser.add_argument("--blocks", type=int, default=14400)
    parser.add_argument("--block-s", type=float, default=6)
    parser.add_argument("--seconds", type=int, default=120)
    options = parser.parse_args()
    options.validators = options.validators or (7 if options.what == "leave" else 100)
    sys.exit(0 if (leave if options.what == "leave" else idle)(options) else 1)


if __name__ == "__main__":
    main()
