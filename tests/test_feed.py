#!/usr/bin/env python3
"""The feed of node/feed.h as a daemon uses it: a range, then block after block while the chain grows.

    FEED_TOOL=build/dev/tests/feed_tool MAKE_HISTORY=build/dev/tests/make_history python3 tests/test_feed.py [TEST...]

Where the head is decides the test: it moves on when the feed has told the block that was last, never by the clock.
"""
import json
import os
import subprocess
import sys
import tempfile
import threading
import unittest
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from history_server import CHARSET, History, Node  # noqa: E402
from rpc_server import RpcServer  # noqa: E402

FEED_TOOL = os.environ.get("FEED_TOOL", "")
MAKE_HISTORY = os.environ.get("MAKE_HISTORY", "")
SECONDS_MAX = 60
FOLDER = tempfile.TemporaryDirectory()
MADE = {}


def made(*arguments):
    """(history, lines of the trace)"""
    if arguments not in MADE:
        stem = Path(FOLDER.name) / str(len(MADE))
        files = [stem.with_suffix(".jsonl"), stem.with_suffix(".trace")]
        subprocess.run([MAKE_HISTORY, "--history", files[0], "--trace", files[1], *arguments], check=True)
        with open(files[1], encoding="utf-8") as lines:
            MADE[arguments] = History(*files), [json.loads(line) for line in lines]
    return MADE[arguments]


def account_hex(address):
    """The 20 bytes of a bech32 address."""
    value = 0
    words = [CHARSET.index(c) for c in address[address.rindex("1") + 1:-6]]
    for word in words:
        value = value << 5 | word
    return (value >> len(words) * 5 % 8).to_bytes(20, "big").hex()


def records_of(world, without=()):
    file = Path(FOLDER.name) / f"records-{len(os.listdir(FOLDER.name))}"
    file.write_text("".join(f"{account_hex(v['account'])} {v['address']}\n" for v in world["validators"]
                            if v["validator"] not in without))
    return file


class Feed:
    """A feed that runs; every line that it tells is given to `heard`."""

    def __init__(self, world, nodes, *words, without=(), heard=None):
        self.told = []
        with ExitStack() as stack:
            self.urls = [stack.enter_context(RpcServer(node.routes())).url for node in nodes]
            command = [FEED_TOOL, "--chain", world["chain"], "--chain-id", world["chain_id"],
                       "--records", records_of(world, without), *words]
            for url in self.urls:
                command += ["--url", url]
            child = subprocess.Popen([str(c) for c in command], stdout=subprocess.PIPE, text=True)
            timer = threading.Timer(SECONDS_MAX, child.kill)
            timer.start()
            for line in child.stdout:
                self.told.append(json.loads(line))
                if heard:
                    heard(self.told[-1])
            child.wait()
            timer.cancel()
            child.stdout.close()
            self.status = child.returncode

    def of(self, kind):
        return [line for line in self.told if line["type"] == kind]

    @property
    def fault(self):
        return self.of("done")[-1]["fault"]


def expected(trace, last=None):
    """The epoch lines of a trace, permits as addresses."""
    addresses = {v["validator"]: v["address"] for v in trace[0]["validators"]}
    lines = [line for line in trace if line["type"] == "epoch" and (last is None or 3 * line["epoch"] <= last)]
    return [{**line, "permits": [addresses[v] for v in line["permits"]]} for line in lines]


class FeedTest(unittest.TestCase):
    def assert_draws(self, feed, lines):
        self.assertEqual([{k: v for k, v in line.items() if k != "complete"} for line in feed.of("epoch")], lines)

    def assert_heights(self, feed, first, last):
        self.assertEqual([line["height"] for line in feed.of("block")], list(range(first, last + 1)))


class Ranges(FeedTest):
    def test_everything(self):
        for arguments in (("--seed", "1"), ("--seed", "2", "--chain", "dcl")):
            for words in ((), ("--thorough",)):
                history, trace = made(*arguments)
                feed = Feed(trace[0], [Node(history)], "--everything", *words)
                self.assertEqual((feed.status, feed.fault), (0, ""))
                self.assert_heights(feed, 1, 200)
                self.assert_draws(feed, expected(trace))

    def test_claims_count_from_their_block(self):
        """Records that were claimed later than the range: the same draws with and without them in the list."""
        for arguments in (("--seed", "7", "--late", "4", "--busy", "15"), ("--seed", "7", "--late", "4", "--busy", "15",
                                                                          "--chain", "dcl")):
            history, trace = made(*arguments)
            late = [v["validator"] for v in trace[0]["validators"] if not v["in_set"]]
            self.assertEqual(len(late), 4)
            for without in ((), late):
                feed = Feed(trace[0], [Node(history)], "--everything", without=without)
                self.assert_draws(feed, expected(trace))

    def test_a_boundary_and_the_block_behind_it(self):
        history, trace = made("--seed", "1")
        feed = Feed(trace[0], [Node(history)], "--boundary", "120")
        self.assert_heights(feed, 1, 121)
        self.assert_draws(feed, expected(trace, 120))
        feed = Feed(trace[0], [Node(history)], "--boundary", "201")
        self.assertIn("the head of", feed.fault)

    def test_a_trusted_block(self):
        history, trace = made("--seed", "1")
        right = history.blocks[90]["block_id"]["hash"]
        self.assertEqual(Feed(trace[0], [Node(history)], "--everything", "--trusted", f"90:{right}").fault, "")
        wrong = Feed(trace[0], [Node(history)], "--everything", "--trusted", f"91:{right}")
        self.assertIn("block 91", wrong.fault)
        self.assertFalse(wrong.of("block"))

    def test_nothing_is_told_before_all_is_checked(self):
        history, trace = made("--seed", "1")
        node = Node(history, alter=[(199, "block", "block.header.app_hash", 2)])
        feed = Feed(trace[0], [node], "--everything")
        self.assertIn(f"block 199 from {feed.urls[0]}", feed.fault)
        self.assertEqual([line["type"] for line in feed.told], ["done"])

    def test_leaving_midway(self):
        history, trace = made("--seed", "1")
        for height in (1, 2, 50, 199, 200):
            feed = Feed(trace[0], [Node(history, delay_s=0.001)], "--everything", "--leave", str(height))
            self.assertEqual(feed.status, 0)

    def test_pruned_own_and_another(self):
        history, trace = made("--seed", "1")
        feed = Feed(trace[0], [Node(history), Node(history, below=150)], "--own", "1", "--everything", "--thorough")
        self.assertEqual(feed.fault, "")
        self.assert_draws(feed, expected(trace))


class Growing:
    """A node whose head moves on when the feed has told the block that was last."""

    def __init__(self, history, top, step=1):
        self.node, self.history, self.step = Node(history, top=top), history, step

    def heard(self, line):
        if line["type"] == "block" and line["height"] == self.node.latest:
            self.node.latest = min(self.node.latest + self.step, self.history.last)


class Following(FeedTest):
    WORDS = ("--everything", "--follow", "--poll", "5", "--until", "200")

    def test_block_by_block(self):
        for arguments in (("--seed", "1"), ("--seed", "2", "--chain", "dcl")):
            history, trace = made(*arguments)
            grower = Growing(history, 60)
            feed = Feed(trace[0], [grower.node], *self.WORDS, heard=grower.heard)
            self.assertEqual((feed.status, feed.fault), (0, ""))
            self.assert_heights(feed, 1, 200)
            self.assert_draws(feed, expected(trace))

    def test_in_leaps(self):
        history, trace = made("--seed", "1")
        grower = Growing(history, 60, step=17)
        feed = Feed(trace[0], [grower.node], *self.WORDS, heard=grower.heard)
        self.assert_heights(feed, 1, 200)
        self.assert_draws(feed, expected(trace))

    def test_a_claim_while_following(self):
        history, trace = made("--seed", "7", "--late", "4", "--busy", "15")
        late = [v["validator"] for v in trace[0]["validators"] if not v["in_set"]]
        grower = Growing(history, 8)
        feed = Feed(trace[0], [grower.node], *self.WORDS, without=late, heard=grower.heard)
        self.assert_draws(feed, expected(trace))

    def test_connections_are_cut(self):
        history, trace = made("--seed", "1")
        grower = Growing(history, 60)
        grower.node.drop = 7
        feed = Feed(trace[0], [grower.node], *self.WORDS, heard=grower.heard)
        self.assert_heights(feed, 1, 200)
        self.assert_draws(feed, expected(trace))

    def test_a_node_that_is_away_for_a_while(self):
        history, trace = made("--seed", "1")
        grower = Growing(history, 60)

        def heard(line):
            grower.heard(line)
            if line["type"] == "block" and line["height"] == 100:
                grower.node.refuse = ("block",)
            if line["type"] == "note":
                grower.node.refuse = ()

        feed = Feed(trace[0], [grower.node], *self.WORDS, heard=heard)
        self.assert_heights(feed, 1, 200)
        self.assert_draws(feed, expected(trace))
        self.assertEqual(len(feed.of("note")), 1)

    def test_a_new_block_that_is_wrong(self):
        history, trace = made("--seed", "1")
        results = next(h for h in range(120, 200) if history.results[h]["txs_results"])
        for alteration, words in (((150, "block", "block.header.app_hash", 1), "block 150"),
                                  ((150, "block", "block.last_commit.round", 0), "block 150"),
                                  ((results, "block_results", "txs_results.0.code", 0), f"results of block {results}")):
            grower = Growing(history, 60)
            grower.node.alter = {alteration[1::-1]: [alteration[2:]]}
            feed = Feed(trace[0], [grower.node], *self.WORDS, heard=grower.heard)
            self.assertIn(f"{words} from {feed.urls[0]}", feed.fault)


if __name__ == "__main__":
    if not FEED_TOOL or not MAKE_HISTORY:
        sys.exit("FEED_TOOL and MAKE_HISTORY must name the programs")
    unittest.main(verbosity=2 if len(sys.argv) > 1 else 1)
