#!/usr/bin/env python3
"""kill -9 at random moments: nodes, the chain process, the supervisor, several at once, while transactions flow. Each is
started again by hand. No block that anybody has shown is lost or changes, nor a transaction that a block held; all nodes
agree on every hash; the height goes on.

    STAGGER=build/dev/stagger python3 tests/devnet/kill.py [--seed S] [--kills N] [--chain kira|dcl]

Which processes die, and after how long, follows from the seed; what they were doing then does not.
"""
import argparse
import os
import random
import signal
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from net import AGAIN_S, GONE, LONG, Devnet, Refused, need_stagger, poll  # noqa: E402
from wire import Account, broadcast, coins_to_self, create_validator, hash_of, pause, unpause  # noqa: E402

BLOCK_S = 0.2


class Flow(threading.Thread):
    """Sends, and remembers what nodes have shown: blocks by height, transactions by hash."""

    def __init__(self, net, rng):
        super().__init__(daemon=True)
        self.net, self.rng, self.stopping, self.wrong = net, rng, False, []
        self.blocks, self.txs, self.sent, self.pending = {}, {}, 0, []
        self.accounts = [Account(net, i) for i in range(net.count)]
        self.paused = False

    def run(self):
        while not self.stopping:
            try:
                self.turn()
            except GONE:
                pass
            except Refused as refusal:  # for a moment: no state, no room
                if "already" not in str(refusal) and "not ready" not in str(refusal):
                    self.pending.append(str(refusal))
            except Exception as error:  # noqa: BLE001
                self.wrong.append(repr(error))
                return
            time.sleep(AGAIN_S)

    def turn(self):
        node = self.rng.randrange(self.net.count)
        self.look(node)
        account = self.rng.choice(self.accounts[1:])
        message = coins_to_self(account) if self.net.chain == "kira" else create_validator(account)
        raw = account.tx(message, sequence=account.state(node)[0], memo=str(self.sent))
        if broadcast(self.net, raw, node)["code"] == 0:
            self.sent += 1
            self.pending.append(raw)
        for raw in self.pending[-20:]:
            if isinstance(raw, bytes):
                found = self.net.found(hash_of(raw), node)
                if found:
                    self.held(hash_of(raw), (int(found["height"]), found["tx_result"]["code"]))

    def held(self, hash_hex, where):
        if self.txs.setdefault(hash_hex, where) != where:
            self.wrong.append(f"transaction {hash_hex}: {where}, earlier {self.txs[hash_hex]}")

    def look(self, node):
        sync = self.net.call(node, "status")["sync_info"]
        height, block = int(sync["latest_block_height"]), sync["latest_block_hash"]
        if height and self.blocks.setdefault(height, block) != block:
            self.wrong.append(f"block {height} on node {node}: {block}, earlier {self.blocks[height]}")

    def members(self, rng):
        """One pauses, or comes back."""
        account = self.accounts[0]
        account.send((unpause if self.paused else pause)(account), node=rng.randrange(self.net.count))
        self.paused = not self.paused


def perhaps(action):
    """Who is asked may be gone, or have these bytes already."""
    try:
        action()
    except (*GONE, Refused):
        pass


def kill(net, dead):
    """Returns when they are gone, which takes a moment."""
    killed = {process: net.pid(process) for process in dead}
    for pid in filter(None, killed.values()):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    for process, pid in killed.items():
        poll(lambda: not pid or net.pid(process) != pid, f"{process} is gone")


def start(net, process):
    """By hand, as a person would."""
    if process == "supervisor":
        net.supervisor.wait()
        net.start()
        return
    words = ("chain", "start") if process == "chain" else ("node", "start", str(process))
    net.hand(*words)


def victims(rng, net):
    """Mostly one; sometimes several, sometimes everything."""
    dice = rng.random()
    nodes = list(range(net.count))
    if dice < 0.30:
        return ["chain"]
    if dice < 0.70:
        return [rng.choice(nodes)]
    if dice < 0.80:
        return ["chain", rng.choice(nodes)]
    if dice < 0.90:
        return rng.sample(nodes, rng.randint(2, net.count))
    return ["supervisor"] if dice < 0.95 else ["chain", *nodes, "supervisor"]


def restart(net, rng, dead):
    """In any order; the supervisor first, as it starts what is not there."""
    if "supervisor" in dead:
        start(net, "supervisor")
        dead = [p for p in dead if p != "supervisor"]
    for process in rng.sample(dead, len(dead)):
        if not net.pid(process):
            start(net, process)


def goes_on(net, flow):
    height = max(flow.blocks, default=0)
    poll(lambda: all(net.height(n) > height + 1 for n in range(net.count)), f"all nodes are beyond {height + 1}")
    assert not flow.wrong, flow.wrong


def all_the_same(net, flow):
    """Every node beside every other, and beside what was seen on the way."""
    last = min(net.height(n) for n in range(net.count))
    first = None
    for node in range(net.count):
        rows = {}
        for top in range(last, 0, -20):
            answer = net.get(node, f"blockchain?minHeight={max(1, top - 19)}&maxHeight={top}")
            rows.update({int(r["header"]["height"]): (r["block_id"]["hash"], r["header"]["app_hash"], r["num_txs"])
                         for r in answer["block_metas"]})
        assert sorted(rows) == list(range(1, last + 1)), f"node {node} has {len(rows)} blocks of {last}"
        first = first or rows
        assert rows == first, f"node {node} differs: {[h for h in rows if rows[h] != first[h]][:5]}"
        for height, block in flow.blocks.items():
            assert height > last or rows[height][0] == block, f"block {height} was {block}, is {rows[height][0]}"
        for hash_hex, where in flow.txs.items():
            found = net.found(hash_hex, node)
            assert found, f"transaction {hash_hex} of block {where[0]} is lost on node {node}"
            assert (int(found["height"]), found["tx_result"]["code"]) == where, f"{hash_hex}: {found}, {where}"
    hashes = {net.call(n, "abci_info")["response"]["last_block_height"]: set() for n in range(net.count)}
    for node in range(net.count):
        info = net.call(node, "abci_info")["response"]
        hashes.setdefault(info["last_block_height"], set()).add(info["last_block_app_hash"])
    assert all(len(each) <= 1 for each in hashes.values()), f"app hashes: {hashes}"
    return last


def trial(args):
    rng = random.Random(args.seed)
    extra = ("--empty-blocks", "200ms") if args.chain == "dcl" else ()
    with Devnet(args.chain, args.validators, "--block-time", "200ms", "--timeout-propose", "200ms", "--seed",
                args.seed, *extra) as net:
        net.wait_height(3)
        flow = Flow(net, random.Random(args.seed + 1))
        flow.start()
        begin, counts = time.monotonic(), {}
        try:
            for number in range(args.kills):
                time.sleep(rng.random() * 2 * BLOCK_S)  # a random moment of a block
                dead = victims(rng, net)
                if args.chain == "kira" and rng.random() < 0.3:
                    perhaps(lambda: flow.members(rng))
                kill(net, dead)
                for process in dead:
                    kind = process if isinstance(process, str) else "node"
                    counts[kind] = counts.get(kind, 0) + 1
                try:
                    restart(net, rng, dead)
                    goes_on(net, flow)
                except AssertionError as error:
                    raise AssertionError(f"after kill {number}, of {dead}: {error}") from None
        finally:
            flow.stopping = True
            flow.join(30)
        assert not flow.wrong, flow.wrong
        last = all_the_same(net, flow)
        killed = ", ".join(f"{n} {kind}" for kind, n in sorted(counts.items()))
        print(f"{args.kills} kills ({killed}) in {time.monotonic() - begin:.0f} s: {last} blocks, {len(flow.blocks)} of "
              f"them seen before, {len(flow.txs)} transactions, all there on {net.count} nodes")
        assert len(flow.txs) > args.kills / 4, "hardly a transaction went through"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=int(os.environ.get("DEVNET_SEED", "1")))
    parser.add_argument("--kills", type=int, default=100 if LONG else 12)
    parser.add_argument("--chain", choices=("kira", "dcl"), default="kira")
    parser.add_argument("--validators", type=int, default=4)
    args = parser.parse_args()
    need_stagger()
    try:
        trial(args)
    except BaseException:
        print(f"repeat with: kill.py --seed {args.seed} --kills {args.kills} --chain {args.chain} "
              f"--validators {args.validators}", flush=True)
        raise


if __name__ == "__main__":
    main()
