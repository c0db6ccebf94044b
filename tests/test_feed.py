#!/usr/bin/env python3
"""The feed of node/feed.h as a daemon uses it: a range, then block after block while the chain grows.

    FEED_TOOL=build/dev/tests/feed_tool MAKE_HISTORY=build/dev/tests/make_history python3 tests/test_feed.py [TEST...]

Where the head is decides the test: it moves on when the feed has told the block that was last, never by the clock.
"""
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import unittest
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from bech32 import bech32_bytes  # noqa: E402
from history_server import History, Node  # noqa: E402
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
    return bech32_bytes(address).hex()


def records_of(world, without=()):
    file = Path(FOLDER.name) / f"records-{len(os.listdir(FOLDER.name))}"
    file.write_text("".join(f"{account_hex(v['account'])} {v['address']}\n" for v in world["validators"]
                            if v["validator"] not in without))
    return file


class Feed:
    """A feed that runs; every line that it tells is given to `heard`."""

    def __init__(self, world, nodes, *words, without=(), heard=None):
        self.told, self.nodes = [], nodes
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
        return self.of("done")[-1]["fault"] if self.of("done") else ""

    @property
    def end(self):
        return self.of("done")[-1]["end"]


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


def journal():
    return tempfile.mkdtemp(dir=FOLDER.name)


class Journals(FeedTest):
    """What the feed gives the view, written down, is the view; and a feed goes on from there as if nothing had been."""

    WORDS = ("--everything", "--follow", "--poll", "5")
    HISTORIES = (("--seed", "1"), ("--seed", "2", "--chain", "dcl"), ("--seed", "7", "--late", "4", "--busy", "15"),
                 ("--seed", "7", "--late", "4", "--busy", "15", "--chain", "dcl"),
                 ("--seed", "5", "--unequal", "--busy", "10", "--blocks", "120"))

    def test_the_journal_holds_the_view_at_every_block(self):
        for arguments in self.HISTORIES:
            history, trace = made(*arguments)
            late = [v["validator"] for v in trace[0]["validators"] if not v["in_set"]]
            grower = Growing(history, 60, step=3)
            feed = Feed(trace[0], [grower.node], *self.WORDS, "--until", history.last, "--journal", journal(),
                        "--compare", "--begun", without=late, heard=grower.heard)
            self.assertEqual((feed.status, feed.fault), (0, ""))
            self.assertEqual(feed.of("differs"), [])
            self.assertEqual([line["first"] for line in feed.of("begun")], [history.first])
            self.assert_draws(feed, expected(trace))

    @staticmethod
    def unclaimed(history, world, height):
        """Who has no record yet at this height: who claims one is in the set two blocks later."""
        seen = {m["address"].lower() for h in range(history.first, height + 3) for m in history.sets.get(h, ())}
        return [v["validator"] for v in world["validators"] if v["address"] not in seen]

    def lives(self, arguments, deaths, *, compare=()):
        """The feeds of one journal: each dies where it is told to, the last one reads to the end."""
        history, trace = made(*arguments)
        folder, feeds, top = journal(), [], 20
        for where, height in [*deaths, (None, None)]:
            top = min(max(top, (height or history.last) - 7), history.last)
            grower = Growing(history, top, step=2)
            words = ["--die", f"{where}:{height}"] if where else ["--until", history.last]
            feed = Feed(trace[0], [grower.node], *self.WORDS, *compare, *words, "--journal", folder, "--begun",
                        without=self.unclaimed(history, trace[0], top), heard=grower.heard)
            self.assertEqual(feed.status, 9 if where else 0, feed.told[-3:])
            top = max(grower.node.latest, height or 0) + 1  # what was last was not told
            feeds.append(feed)
        return feeds, trace, history

    def assert_one_story(self, feeds, trace, history, deaths):
        """Every block and draw once, in order: but for those that a life was about to tell when it ended."""
        untold = {height for where, height in deaths if where == "taken"}
        heights = [line["height"] for feed in feeds for line in feed.of("block")]
        self.assertEqual(heights, [h for h in range(history.first, history.last + 1) if h not in untold])
        draws = [{k: v for k, v in line.items() if k != "complete"} for feed in feeds for line in feed.of("epoch")]
        self.assertEqual(draws, [line for line in expected(trace) if 3 * line["epoch"] not in untold])
        self.assertEqual([len(feed.of("begun")) for feed in feeds], [1] + [0] * (len(feeds) - 1))
        self.assertEqual([line for feed in feeds for line in feed.of("differs")], [])

    def test_dying_at_random_blocks(self):
        for number, arguments in enumerate(self.HISTORIES):
            chance = random.Random(int(os.environ.get("FEED_SEED", "1")) * 100 + number)
            last = made(*arguments)[0].last
            heights = sorted(chance.sample(range(30, last), 6))
            deaths = [(chance.choice(("taken", "resulted", "block")), height) for height in heights]
            with self.subTest(arguments=arguments, deaths=deaths):
                feeds, trace, history = self.lives(arguments, deaths, compare=("--compare",))
                self.assert_one_story(feeds, trace, history, deaths)

    def test_dying_with_blocks_at_once(self):
        """Each time the block behind the last one, so that hardly anything lies between two lives."""
        arguments = self.HISTORIES[2]
        deaths = [(("taken", "resulted", "block")[h % 3], h) for h in range(100, 112)]
        feeds, trace, history = self.lives(arguments, deaths)
        self.assert_one_story(feeds, trace, history, deaths)

    def read_to(self, height, arguments=("--seed", "1")):
        """A journal that ends at this height."""
        history, trace = made(*arguments)
        folder = journal()
        feed = Feed(trace[0], [Node(history, top=height)], *self.WORDS, "--journal", folder, "--die", f"block:{height}")
        self.assertEqual(feed.status, 9)
        return history, trace, folder

    def test_only_what_is_new_is_asked_for(self):
        history, trace, folder = self.read_to(150)
        node = Node(history, top=160)
        feed = Feed(trace[0], [node], *self.WORDS, "--journal", folder, "--until", "160")
        self.assert_heights(feed, 151, 160)
        self.assertEqual(sorted({int(h) for method, h in node.asked if method in ("block", "block_results")}),
                         list(range(150, 161)))

    def test_at_the_head_already(self):
        history, trace, folder = self.read_to(150)
        node = Node(history, top=150)

        def heard(line):
            if line["type"] == "done":
                node.latest = 152

        feed = Feed(trace[0], [node], *self.WORDS, "--journal", folder, "--until", "152", heard=heard)
        self.assertEqual(feed.fault, "")
        self.assert_heights(feed, 151, 152)

    def test_another_chain_is_never_gone_on_with(self):
        _, trace, folder = self.read_to(150)
        for arguments in (("--seed", "1", "--fork", "149"), ("--seed", "3")):
            for top in (150, 151, 200):
                other = made(*arguments)[0]
                feed = Feed(trace[0], [Node(other, top=top)], *self.WORDS, "--journal", folder)
                self.assertEqual((feed.end, feed.of("block")), ("fork", []), feed.told)
                self.assertIn("block 150 has hash", feed.fault)
                self.assertIn("move the journal away", feed.fault)
        for top in (110, 149):
            feed = Feed(trace[0], [Node(other, top=top)], *self.WORDS, "--journal", folder)
            self.assertEqual(feed.end, "fork")
            self.assertIn(f"block {top} has hash", feed.fault)

    def test_a_chain_that_is_far_too_short(self):
        history, trace, folder = self.read_to(150)
        feed = Feed(trace[0], [Node(history, top=100)], *self.WORDS, "--journal", folder)
        self.assertEqual(feed.end, "fork")
        self.assertIn("the journal knows block 150, but the chain of", feed.fault)
        self.assertIn("ends with block 100", feed.fault)

    def test_another_chain_id(self):
        history, trace, folder = self.read_to(150)
        world = {**trace[0], "chain_id": "another-7"}
        feed = Feed(world, [Node(history)], *self.WORDS, "--journal", folder)
        self.assertEqual(feed.end, "fork")
        self.assertIn("expected \"another-7\"", feed.fault.replace("'", '"'))

    def test_a_node_that_is_a_little_behind_is_waited_for(self):
        history, trace, folder = self.read_to(150)
        node = Node(history, top=140)

        def heard(line):
            if line["type"] == "note":
                node.latest = 160

        feed = Feed(trace[0], [node], *self.WORDS, "--journal", folder, "--until", "160", heard=heard)
        self.assertEqual(len(feed.of("note")), 1)
        self.assert_heights(feed, 151, 160)

    def test_blocks_that_exist_nowhere_any_more(self):
        history, trace, folder = self.read_to(150)
        feed = Feed(trace[0], [Node(history, below=170), Node(history, below=151)], *self.WORDS, "--journal", folder)
        self.assertEqual((feed.end, feed.of("block")), ("gap", []))
        self.assertIn("block 150", feed.fault)
        feed = Feed(trace[0], [Node(history, below=170), Node(history, below=150)], *self.WORDS, "--until", "200",
                    "--journal", folder)
        self.assertEqual(feed.fault, "")
        self.assert_heights(feed, 151, 200)

    def test_pruned_while_it_follows(self):
        history, trace = made("--seed", "1")
        node = Node(history, top=100)

        def heard(line):
            if line["type"] == "block" and line["height"] == 100:
                node.earliest, node.latest = 120, 130

        feed = Feed(trace[0], [node], *self.WORDS, heard=heard)
        self.assertEqual([line["end"] for line in feed.of("done")], ["reads", "gap"])
        self.assert_heights(feed, 1, 100)


class Elsewhere(FeedTest):
    """One's own node is not always there: others show the way, but are not believed."""

    LAST = 199  # nobody has the commit of the recorded history's last block
    WORDS = ("--everything", "--follow", "--poll", "5", "--until", str(LAST), "--own-node")

    def follow(self, nodes, change, *words, arguments=("--seed", "1"), step=1, top=60):
        """Every node grows when the last block has been told; `change` hears every line."""
        history, trace = made(*arguments)

        def heard(line):
            if line["type"] == "block":
                for node in nodes:
                    if node.latest == line["height"] and not getattr(node, "still", False):
                        node.latest = min(node.latest + step, self.LAST)
            change(line)

        for node in nodes:
            node.latest = top
        feed = Feed(trace[0], nodes, *self.WORDS, *words, heard=heard)
        self.assert_heights(feed, 1, self.LAST)
        self.assert_draws(feed, expected(trace, self.LAST))
        return feed

    def at(self, actions):
        """{height: what to do when that block is told}"""
        def change(line):
            if line["type"] == "block" and line["height"] in actions:
                actions[line["height"]]()
        return change

    def test_own_node_is_away(self):
        history, _ = made("--seed", "1")
        own, other = Node(history), Node(history)
        for name, away, back in (("drop", 1, 0), ("refuse", ("status",), ()), ("delay_s", 8, 0)):
            def leave():
                setattr(own, name, away)

            def come():
                setattr(own, name, back)
                own.latest = 140

            with self.subTest(name=name):
                feed = self.follow([own, other], self.at({100: leave, 140: come}), step=10)
                states = [line["answers"] for line in feed.of("own") if 100 <= line["head"] <= 200]
                if name != "delay_s":
                    self.assertIn(False, states)
                    self.assertLessEqual(len(feed.of("note")), 2)
                self.assertEqual(feed.of("done"), feed.of("done")[:1])

    def test_others_are_left_alone_while_own_node_leads(self):
        history, _ = made("--seed", "1")
        own, other = Node(history), Node(history)
        self.follow([own, other], lambda line: None, step=20)
        self.assertLess(len(other.asked), 8, other.asked)

    def test_a_head_that_nobody_signed(self):
        """Another story with forged commits, from the only one who is awake; then from one of two."""
        history, _ = made("--seed", "1")
        forged = made("--seed", "1", "--fork", "120")[0]
        own, liar = Node(history), Node(forged)

        def own_leaves():
            own.drop = 1

        def heard(line):
            if line["type"] == "block" and line["height"] == 110:
                own_leaves()
            if line["type"] == "note" and "120" in line["text"]:
                own.drop = 0
                own.latest = max(own.latest, 125)
            if line["type"] == "block" and line["height"] > 125:
                own.drop = 0

        feed = self.follow([own, liar], heard, step=10)
        self.assertTrue(any("120" in line["text"] or "121" in line["text"] for line in feed.of("note")), feed.of("note"))
        own, liar, other = Node(history), Node(forged), Node(history)
        self.follow([own, liar, other], self.at({110: own_leaves}), step=10)
        self.assertTrue(other.asked)

    def test_a_leap_over_forged_sets(self):
        """The liar is far ahead at once: its own sets, signed by its own keys, lie between."""
        history, _ = made("--seed", "1")
        forged = made("--seed", "1", "--fork", "120")[0]
        own, liar, other = Node(history), Node(forged), Node(history)

        def leave():
            own.drop = 1
            liar.latest, other.latest = 190, 150

        self.follow([own, liar, other], self.at({110: leave}), step=10)

    def test_own_node_on_a_fork(self):
        """What it shows is told and not followed."""
        history, trace = made("--seed", "1")
        forged = made("--seed", "1", "--fork", "120")[0]
        own, other = Node(history), Node(history)

        def change(line):
            if line["type"] == "block" and line["height"] == 110:
                own.drop = 1
            if line["type"] == "block" and line["height"] == 150:
                own.history, own.drop, own.latest = forged, 0, 145

        feed = self.follow([own, other], change, step=5)
        self.assertTrue(any(line["conflict"] and line["latest"] == 145 for line in feed.of("own")))
        self.assertTrue(any("not that of the chain" in line["text"] for line in feed.of("note")))

    def test_own_node_goes_back(self):
        history, _ = made("--seed", "1")
        own, other = Node(history), Node(history)

        def back():
            own.latest = 20

        def again():
            own.latest = 160

        feed = self.follow([own, other], self.at({100: back, 150: again}), step=10)
        self.assertIn(20, [line["latest"] for line in feed.of("own")])
        own = Node(history)

        def change(line):
            if line["type"] == "block" and line["height"] == 100:
                own.latest = 20
            if line["type"] == "own" and line["latest"] == 20:
                own.latest = 101

        self.follow([own], change)

    def test_own_node_stands_still(self):
        """It answers, but its head does not move while the chain does."""
        history, _ = made("--seed", "1")
        own, other = Node(history), Node(history)

        def stand():
            own.still, own.latest = True, 100

        def move():
            own.still, own.latest = False, 111

        self.follow([own, other], self.at({100: stand, 110: move}), step=5)

    def test_everybody_is_away(self):
        """Before the first block, in the middle of the range, and at the head."""
        history, trace = made("--seed", "1")
        for moment in ("start", "range", "head"):
            node = Node(history, top=60, drop=1 if moment == "start" else 0)

            def heard(line):
                if line["type"] == "note":
                    node.drop = 0
                if line["type"] == "block" and line["height"] == node.latest:
                    node.latest = min(node.latest + 1, 200)
                    node.drop = 1 if moment == "head" and line["height"] == 100 else 0

            if moment == "range":
                plain, count = node.block, [0]

                def block(params):
                    count[0] += 1
                    node.drop = 1 if count[0] == 30 else node.drop
                    return plain(params)

                node.block = block
            with self.subTest(moment=moment):
                feed = Feed(trace[0], [node], *Following.WORDS, heard=heard)
                self.assertEqual(len(feed.of("note")), 1, feed.of("note"))
                self.assert_heights(feed, 1, 200)
                self.assert_draws(feed, expected(trace))

    def test_hashes(self):
        history, _ = made("--seed", "1")
        feed = self.follow([Node(history)], lambda line: None, "--hashes")
        for line in feed.of("hashes"):
            wanted = {str(h): history.blocks[h]["block_id"]["hash"]
                      for h in range(line["height"], max(line["height"] - 100, 0), -1)}
            self.assertEqual(line["known"], wanted)

    def test_records_told_later(self):
        """The list of those who claimed their seats meanwhile changes no draw, whenever it comes."""
        arguments = ("--seed", "7", "--late", "4", "--busy", "15")
        for chain in ("kira", "dcl"):
            history, trace = made(*arguments, "--chain", chain)
            late = [v["validator"] for v in trace[0]["validators"] if not v["in_set"]]
            everybody = records_of(trace[0])
            for height in (61, 120, 199):
                grower = Growing(history, 60)
                feed = Feed(trace[0], [grower.node], *Following.WORDS, "--refresh", f"{height}:{everybody}",
                            without=late, heard=grower.heard)
                self.assert_draws(feed, expected(trace))

    def test_pace(self):
        """A poll of an hour would wait for that; another pace, told while it waits, does not."""
        history, trace = made("--seed", "1")
        grower = Growing(history, 60)
        feed = Feed(trace[0], [grower.node], "--everything", "--follow", "--poll", "3600000", "--until", "200", "--pace",
                    "60:5", heard=grower.heard)
        self.assert_heights(feed, 1, 200)


if __name__ == "__main__":
    if not FEED_TOOL or not MAKE_HISTORY:
        sys.exit("FEED_TOOL and MAKE_HISTORY must name the programs")
    unittest.main(verbosity=2 if len(sys.argv) > 1 else 1)
