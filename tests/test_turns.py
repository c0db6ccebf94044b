#!/usr/bin/env python3
"""`stagger turns` against nodes that tell the truth, and against nodes that do not.

    the draw      of made-up networks (make_history: the epochs are an oracle's) and of the recorded one in
                  ../shared, where it is there: every epoch line, key by key, and single epochs
    the checks    one character altered anywhere that a hash or signature covers: exit status 3, one line that names
                  height and endpoint, nothing on standard output; and answers of which something is missing, doubled or
                  of another kind: refused in one line, or the right draws
    the world     two endpoints of which one lies, lags, is silent or of another chain; pruned nodes; cut
                  connections; refusals

    STAGGER=build/dev/stagger MAKE_HISTORY=build/dev/tests/make_history python3 tests/test_turns.py [TEST...]

TURNS_SEED chooses which characters are altered, TURNS_CASES how many.
"""
import copy
import itertools
import json
import os
import random
import subprocess
import sys
import tempfile
import unittest
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from history_server import History, Node  # noqa: E402
from rpc_server import RpcServer  # noqa: E402

SOURCE = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("STAGGER_SHARED") or SOURCE.parent / "shared")
RECORDED = SHARED / "fixtures" / "sekai-0.4.13"
STAGGER = os.environ.get("STAGGER", "")
MAKE_HISTORY = os.environ.get("MAKE_HISTORY", "")
SEED = int(os.environ.get("TURNS_SEED", "1"))
CASES = int(os.environ.get("TURNS_CASES", "160"))
SECONDS_MAX = 60
NO_NETWORK, USAGE = 3, 1

FOLDER = tempfile.TemporaryDirectory()
MADE = {}


def read_lines(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def made(*arguments):
    """(history, trace) of a made-up network."""
    if arguments not in MADE:
        stem = Path(FOLDER.name) / str(len(MADE))
        files = [stem.with_suffix(".jsonl"), stem.with_suffix(".trace")]
        subprocess.run([MAKE_HISTORY, "--history", files[0], "--trace", files[1], *arguments], check=True)
        MADE[arguments] = History(*files), read_lines(files[1])
    return MADE[arguments]


def recorded():
    if not RECORDED.exists():
        raise unittest.SkipTest(f"{RECORDED} is not there")
    if "recorded" not in MADE:
        trace = RECORDED / "history.trace.jsonl"
        MADE["recorded"] = (History(RECORDED / "history.jsonl.gz", trace), read_lines(trace))
    return MADE["recorded"]


def charter_options(world):
    c = world["charter"]
    names = ("epoch_blocks", "live_blocks", "round_blocks", "joins_max", "reference_blocks", "phi")
    words = [word for name in names for word in ("--" + name.replace("_", "-"), str(c[name]))]
    if world["chain"] == "dcl":  # KIRA's is one of the network properties
        words += ["--min-validators", str(c["min_validators"])]
    return words + ["--chain", world["chain"], "--charter", c["hash"]]


class Ran:
    def __init__(self, words, done, urls):
        self.words, self.urls = words, urls
        self.status, self.out = done.returncode, done.stdout
        lines = done.stderr.splitlines()
        self.notes = [line for line in lines if line.startswith("stagger turns: note: ")]
        self.errors = [line for line in lines if line not in self.notes]

    def lines(self, kind=None):
        values = [json.loads(line) for line in self.out.splitlines()]
        return [v for v in values if kind is None or v["type"] == kind]

    def __str__(self):
        return "\n".join([" ".join(self.words), f"status {self.status}", *self.errors, *self.notes, self.out[:500]])


def turns(world, nodes, *words):
    """Runs `stagger turns` against servers for these nodes; the first is one's own."""
    with ExitStack() as stack:
        urls = [stack.enter_context(RpcServer(node.routes())).url if isinstance(node, Node) else node
                for node in nodes]
        command = [STAGGER, "turns", "--node", urls[0]]
        if len(urls) > 1:
            command += ["--others", ",".join(urls[1:])]
        command += [*charter_options(world), *words]
        environment = {k: v for k, v in os.environ.items() if not k.startswith("STAGGER_")}
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS_MAX, env=environment)
        return Ran(command, done, urls)


def leaves(value, path=""):
    """Every text and number of a reply, with its path; empty texts have nothing to alter."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from leaves(inner, f"{path}.{place}")
    elif isinstance(value, (str, int)) and not isinstance(value, bool) and value != "":
        yield path, value


# What neither hash nor signature covers.
UNBOUND = ("proposer_priority", "log", "codespace", "events", "info")


def is_bound(path):
    return not any(name in path.split(".") for name in UNBOUND)


class Draws(unittest.TestCase):
    """What is drawn."""

    def check_all(self, history, trace, *words, node=None):
        world = trace[0]
        ran = turns(world, [node or Node(history)], "--all", "--json", *words)
        self.assertEqual(ran.status, 0, ran)
        self.assertEqual(ran.lines("epoch"), [line for line in trace if line["type"] == "epoch"], ran)
        listed = {v["address"]: v["validator"] for v in ran.lines("world")[0]["validators"]}
        self.assertEqual(listed, {v["address"]: v["validator"] for v in world["validators"]}, ran)
        return ran

    def test_made_up_networks(self):
        for seed in range(1, 5):
            for kind in (["--chain", "kira"], ["--chain", "dcl"], ["--unequal"], ["--first", "41"]):
                for words in ([], ["--quick"]):
                    with self.subTest(seed=seed, kind=kind, words=words):
                        self.check_all(*made("--seed", str(seed), *kind), *words)

    def test_busy_and_quiet(self):
        for arguments in (["--busy", "25", "--validators", "20", "--late", "8"], ["--busy", "0"],
                          ["--busy", "40", "--validators", "5", "--late", "1", "--blocks", "400"]):
            with self.subTest(arguments=arguments):
                self.check_all(*made(*arguments))
        history, trace = made("--busy", "25", "--validators", "20", "--late", "8")
        claims = [v for v in trace[0]["validators"] if not v["in_set"]]
        self.assertEqual(len(claims), 8)

    def test_recorded_network(self):
        history, trace = recorded()
        for words in ([], ["--verify"], ["--quick"]):
            with self.subTest(words=words):
                ran = self.check_all(history, trace, *words)
                self.assertEqual(len(ran.lines("epoch")), 49)

    def test_single_epochs(self):
        for history, trace in (made("--seed", "3"), made("--seed", "4", "--chain", "dcl")):
            lines = {line["epoch"]: line for line in trace if line["type"] == "epoch"}
            for epoch in sorted(lines)[::9]:
                with self.subTest(chain=trace[0]["chain"], epoch=epoch):
                    ran = turns(trace[0], [Node(history)], "--epoch", str(epoch), "--json")
                    self.assertEqual(ran.status, 0, ran)
                    self.check_single(ran, lines[epoch])
            latest = turns(trace[0], [Node(history)], "--json")
            self.check_single(latest, lines[max(lines)])

    def check_single(self, ran, line):
        (got,) = ran.lines()
        self.assertEqual({key: got[key] for key in line}, line, ran)
        self.assertTrue(got["complete"])
        self.assertEqual(got["order"][:len(got["permits"])], got["permits"])
        rows = got["validators"]
        self.assertEqual([row["validator"] for row in rows], list(range(len(rows))))
        self.assertEqual(sorted(row["validator"] for row in rows if row["permit"]), sorted(got["permits"]))
        self.assertEqual(sum(row["member"] for row in rows), line["members"] if not got["by_power"] else
                         sum(row["member"] for row in rows))
        terms = got["terms"]
        self.assertEqual(terms["floor"], got["live"] - got["floor"] - terms["reserve"])
        self.assertEqual(terms["two_thirds"], got["members"] - 3 * (terms["away"] + terms["reserve"]) - 1)
        self.assertEqual(got["budget"], max(0, min(terms["floor"], terms["two_thirds"]) - got["foreign"]))
        out = {row["validator"] for row in got["out"]}
        self.assertEqual(out, {row["validator"] for row in rows if not row["live"]})

    def test_headers_where_sets_are_enough(self):
        """A draw whose reference looks back further than its joins: old blocks are read as headers."""
        arguments = ["--blocks", "4000", "--reference", "3000", "--validators", "6", "--busy", "2", "--no-epochs"]
        history, trace = made(*arguments)
        node = Node(history)
        everything = turns(trace[0], [node], "--all", "--json")
        self.assertEqual(everything.status, 0, everything)
        lines = {line["epoch"]: line for line in everything.lines("epoch")}
        for epoch in (1300, 1330, 1333):
            node = Node(history)
            ran = turns(trace[0], [node], "--epoch", str(epoch), "--json")
            self.assertEqual(ran.status, 0, ran)
            self.check_single(ran, lines[epoch])
            asked = [method for method, _ in node.asked]
            self.assertGreater(asked.count("blockchain"), 10)
            self.assertLess(asked.count("blockchain"), 60)
            self.assertLess(asked.count("block"), 2600)

    def test_tables(self):
        history, trace = recorded()
        ran = turns(trace[0], [Node(history)], "--epoch", "16")
        self.assertEqual(ran.status, 0, ran)
        for words in ("epoch 16 of localnet-1, charter 0123abcd", "budget 1: the floor decides", "v2", "862D7400",
                      "kira12qqjtehmr83ree3n6lzkh5hs6wd2vcs35lwwv8", "l - F - r", "it has paused since"):
            self.assertIn(words, ran.out)
        ran = turns(trace[0], [Node(history)], "--epoch", "17")
        self.assertRegex(ran.out, r"v2 +862D7400 +paused +block 51 +2026-11-21T19:16:1\d\.\d{3}Z")
        ran = turns(trace[0], [Node(history)], "--all")
        self.assertEqual(len(ran.out.splitlines()), 50)


class Checks(unittest.TestCase):
    """What is altered."""

    def alterations(self, history, count):
        """Some of everything that is bound: (height, reply, path, place)."""
        rng = random.Random(SEED)
        kinds = {}
        for height in range(history.first, history.last):
            for reply, value in (("block", history.blocks[height]), ("validators", {"validators": history.sets[height]}),
                                 ("block_results", {k: history.results[height][k] for k in ("height", "txs_results")})):
                for path, leaf in leaves(value):
                    if is_bound(path):
                        kind = reply, ".".join("#" if p.isdigit() else p for p in path.split("."))
                        kinds.setdefault(kind, []).append((height, reply, path, leaf))
        picked = [rng.choice(places) for places in kinds.values()]  # one of each kind at least
        rest = [place for places in kinds.values() for place in places]
        picked += rng.sample(rest, max(0, count - len(picked)))
        return [(h, r, p, rng.randrange(len(v)) if isinstance(v, str) else 0) for h, r, p, v in picked]

    def check(self, history, world, alteration):
        ran = turns(world, [Node(history, alter=[alteration])], "--all", "--json")
        complaint = None
        if ran.status != NO_NETWORK or len(ran.errors) != 1 or ran.out:
            complaint = "accepted, or not refused in one line"
        elif str(alteration[0]) not in ran.errors[0] or ran.urls[0] not in ran.errors[0]:
            complaint = "height or endpoint are not named"
        return complaint and f"{alteration}: {complaint}\n{ran}"

    def check_many(self, history, world, count):
        with ThreadPoolExecutor(2) as pool:
            alterations = self.alterations(history, count)
            complaints = [c for c in pool.map(lambda a: self.check(history, world, a), alterations) if c]
        self.assertGreaterEqual(len(alterations), min(count, 30))
        self.assertEqual(complaints, [], "\n".join(complaints))

    def test_made_up_kira(self):
        history, trace = made("--seed", "2")
        self.check_many(history, trace[0], CASES)

    def test_made_up_dcl(self):
        history, trace = made("--seed", "2", "--chain", "dcl")
        self.check_many(history, trace[0], CASES // 3)

    def test_recorded(self):
        history, trace = recorded()
        self.check_many(history, trace[0], CASES)

    def test_quick_reads_less_but_believes_nothing(self):
        """What --quick reads at all is checked as well."""
        history, trace = made("--seed", "2")
        for alteration in self.alterations(history, 0):
            node = Node(history, alter=[alteration])
            height, reply, path, _ = alteration
            ran = turns(trace[0], [node], "--all", "--json", "--quick")
            asked = (reply, str(height)) in node.asked
            signed_only = path == "block.last_commit.round"
            self.assertEqual(ran.status, NO_NETWORK if asked and not signed_only else 0, f"{alteration}\n{ran}")

    def test_top_commit(self):
        history, trace = made("--seed", "2")
        top = history.last - 1
        for path, leaf in leaves(history.commit(top)):
            if isinstance(leaf, int) and "canonical" in path:
                continue
            ran = turns(trace[0], [Node(history, top=top, alter=[(top, "commit", path, 0)])], "--json")
            self.assertEqual(ran.status, NO_NETWORK, f"{path}\n{ran}")
            self.assertIn(f"commit of block {top} from {ran.urls[0]}", ran.errors[0])

    def test_nobody_has_the_top_commit(self):
        history, trace = made("--seed", "2")
        ran = turns(trace[0], [Node(history)], "--all")
        self.assertEqual(ran.status, 0, ran)
        self.assertTrue(any("commit of block 200: not to be had" in note for note in ran.notes), ran)
        ran = turns(trace[0], [Node(history, top=199)], "--all")
        self.assertFalse(any("not to be had" in note for note in ran.notes), ran)


def places_of(value):
    """(container, key) of everything in a reply."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield value, key
        yield from places_of(inner)


def distorted(value, rng):
    """A copy of the reply with something in it missing, doubled, cut, moved or of another kind."""
    value = copy.deepcopy(value)
    places = list(places_of(value))
    container, key = rng.choice(places)
    how = rng.randrange(6)
    if how == 0:
        del container[key]
    elif how == 1 and isinstance(container, list):
        container.insert(key, copy.deepcopy(container[key]))
    elif how == 2 and isinstance(container, list):
        container.extend(copy.deepcopy(container) * 50)
    elif how == 3 and isinstance(container[key], str):
        container[key] = container[key][:rng.randrange(len(container[key]) + 1)]
    elif how == 4:
        other, name = rng.choice(places)
        container[key] = copy.deepcopy(other[name])
    else:
        container[key] = rng.choice([None, [], {}, 0, -1, "", "0", "-1", "9223372036854775807", "18446744073709551615",
                                     True, 1e300, "A" * 100000])
    return value


class Distorting(Node):
    """A node of which one answer to `method` is distorted."""

    def __init__(self, history, method, place, rng, **wrong):
        super().__init__(history, **wrong)
        self.method, self.place, self.rng = method, place, rng

    def routes(self):
        routes = super().routes()
        answer, calls = routes[self.method], itertools.count()

        def route(params):
            told = answer(params)
            return distorted(json.loads(told), self.rng) if next(calls) == self.place else told

        return {**routes, self.method: route}


class Distortions(unittest.TestCase):
    def check(self, seed):
        rng = random.Random(seed)
        history, trace = made("--seed", "2", "--blocks", "60", "--chain", rng.choice(["kira", "dcl"]))
        method = rng.choice(["status", "block", "block", "block_results", "validators", "commit", "abci_query"])
        place = rng.randrange(60 if method in ("block", "block_results", "validators") else 3)
        ran = turns(trace[0], [Distorting(history, method, place, rng, top=59)], "--all", "--json",
                    *rng.choice([["--quick"], []]))
        if ran.status not in (0, USAGE, NO_NETWORK) or len(ran.errors) != (ran.status != 0):
            return f"seed {seed}, {method} number {place}\n{ran}"
        if ran.status == 0 and method not in ("status", "abci_query"):
            lines = [line for line in trace if line["type"] == "epoch" and 3 * line["epoch"] <= 59]
            return None if ran.lines("epoch") == lines else f"seed {seed}, {method} number {place}: other draws\n{ran}"
        return None

    def test_every_answer_may_be_distorted(self):
        for chain in ("kira", "dcl"):
            made("--seed", "2", "--blocks", "60", "--chain", chain)
        with ThreadPoolExecutor(2) as pool:
            complaints = [c for c in pool.map(self.check, range(1000 * SEED, 1000 * SEED + CASES)) if c]
        self.assertEqual(complaints, [], "\n".join(complaints))


class Worlds(unittest.TestCase):
    """Whom is asked."""

    def setUp(self):
        self.history, self.trace = made("--seed", "5")
        self.world = self.trace[0]
        self.epochs = [line for line in self.trace if line["type"] == "epoch"]

    def run_all(self, *nodes, words=()):
        return turns(self.world, nodes, "--all", "--json", *words)

    def assert_right(self, ran):
        self.assertEqual(ran.status, 0, ran)
        self.assertEqual(ran.lines("epoch"), self.epochs, ran)

    def assert_told(self, ran, endpoint):
        """The endpoint is named, in a note or as the error."""
        self.assertTrue(any(ran.urls[endpoint] in line for line in ran.notes + ran.errors), ran)

    def test_other_lies(self):
        liar, _ = made("--seed", "5", "--fork", "120", "--no-epochs")
        ran = self.run_all(Node(self.history, top=199), Node(liar, top=199))
        self.assert_right(ran)
        self.assert_told(ran, 1)

    def test_own_lies(self):
        liar, _ = made("--seed", "5", "--fork", "120", "--no-epochs")
        ran = self.run_all(Node(liar, top=199), Node(self.history, top=199))
        self.assert_told(ran, 0)
        if ran.status == 0:
            self.assertEqual(ran.lines("epoch"), self.epochs, ran)
        ran = self.run_all(Node(liar, top=199))
        self.assertEqual(ran.status, NO_NETWORK, ran)
        self.assertIn("block 121", ran.errors[0])

    def test_own_lags(self):
        ran = self.run_all(Node(self.history, top=199, lag=10), Node(self.history, top=199))
        self.assert_told(ran, 0)

    def test_other_lags(self):
        ran = self.run_all(Node(self.history, top=199), Node(self.history, top=199, lag=10))
        self.assert_right(ran)
        self.assert_told(ran, 1)

    def test_altered_by_own_and_right_elsewhere(self):
        for alteration in ((77, "block", "block.header.app_hash", 3), (50, "validators", "validators.1.pub_key.value", 3),
                           (150, "block", "block.last_commit.signatures.0.timestamp", 5)):
            ran = self.run_all(Node(self.history, alter=[alteration]), Node(self.history))
            self.assert_right(ran)
            self.assert_told(ran, 0)
            self.assertTrue(any(str(alteration[0]) in note for note in ran.notes), ran)

    def test_results_altered_by_own(self):
        height = next(h for h in range(20, 200) if self.history.results[h]["txs_results"])
        alteration = (height, "block_results", "txs_results.0.gas_used", 0)
        ran = self.run_all(Node(self.history, alter=[alteration]), Node(self.history))
        self.assert_right(ran)
        self.assertTrue(any(f"results of block {height} from {ran.urls[0]}" in note for note in ran.notes), ran)

    def test_other_is_not_there(self):
        ran = self.run_all(Node(self.history), "http://127.0.0.1:9")
        self.assert_right(ran)
        self.assert_told(ran, 1)

    def test_own_is_not_there(self):
        ran = self.run_all("http://127.0.0.1:9", Node(self.history))
        self.assert_told(ran, 0)
        if ran.status == 0:
            self.assert_right(ran)

    def test_nobody_is_there(self):
        ran = self.run_all("http://127.0.0.1:9")
        self.assertEqual(ran.status, NO_NETWORK, ran)
        self.assert_told(ran, 0)

    def test_own_is_pruned(self):
        ran = turns(self.world, [Node(self.history, below=100)], "--json")
        (got,) = ran.lines()
        self.assertEqual(got["first_block"], 100)
        self.assertFalse(got["complete"])
        self.assertGreater(got["complete_from"], 2400)
        ran = turns(self.world, [Node(self.history, below=100)])
        self.assertIn("NOT COMPLETE: the nodes have blocks from 100 on only", ran.out)
        ran = self.run_all(Node(self.history, below=100))
        self.assertTrue(any("draws are complete from" in note for note in ran.notes), ran)

    def test_pruned_blocks_come_from_another(self):
        for words in ((), ("--quick",)):
            ran = self.run_all(Node(self.history, below=100), Node(self.history), words=words)
            self.assert_right(ran)
        altered = Node(self.history, alter=[(60, "block", "block.header.data_hash", 3)])
        ran = self.run_all(Node(self.history, below=100), altered)
        self.assertEqual(ran.status, NO_NETWORK, ran)
        self.assertIn(f"block 60 from {ran.urls[1]}", ran.errors[0])

    def test_connections_are_cut(self):
        ran = self.run_all(Node(self.history, drop=9))
        self.assert_right(ran)

    def test_answers_are_late(self):
        history, trace = made("--seed", "5", "--blocks", "40")
        ran = turns(trace[0], [Node(history, delay_s=0.01)], "--all", "--json")
        self.assertEqual(ran.lines("epoch"), [line for line in trace if line["type"] == "epoch"], ran)

    def test_methods_are_missing(self):
        for method in ("block", "validators", "block_results", "abci_query", "status"):
            ran = self.run_all(Node(self.history, refuse=(method,)))
            self.assertEqual(ran.status, NO_NETWORK, ran)
            self.assertEqual(len(ran.errors), 1, ran)
            self.assert_told(ran, 0)
        self.assert_right(self.run_all(Node(self.history, refuse=("commit",))))

    def test_properties_are_missing(self):
        ran = self.run_all(Node(self.history, refuse=("/kira.gov.Query/NetworkProperties",)))
        self.assertTrue(any("min_validators is taken for 1" in note for note in ran.notes), ran)
        self.assert_right(ran)  # the floor is above both
        ran = self.run_all(Node(self.history, refuse=("/kira.gov.Query/NetworkProperties",)),
                           words=("--min-validators", "2"))
        self.assertFalse(any("min_validators" in note for note in ran.notes), ran)
        self.assert_right(ran)

    def test_two_chains(self):
        other, _ = made("--seed", "6", "--chain", "dcl", "--blocks", "50")
        for height in other.blocks.values():
            height["block"]["header"]["chain_id"] = "other-1"
        ran = self.run_all(Node(self.history), Node(other))
        self.assert_told(ran, 1)
        MADE.pop(("--seed", "6", "--chain", "dcl", "--blocks", "50"))


class Usage(unittest.TestCase):
    """What is asked for."""

    def refused(self, *words, status=USAGE):
        history, trace = made("--seed", "5")
        ran = turns(trace[0], [Node(history)], *words)
        self.assertEqual((ran.status, len(ran.errors), ran.out), (status, 1, ""), ran)
        return ran.errors[0]

    def test_options(self):
        for words in (["--epoch", "x"], ["--epoch", "-1"], ["--epoch", "0"], ["--epoch", "99999999999999999999"],
                      ["--all", "--epoch", "4"], ["--verify", "--quick"], ["--charter=0123ABCD"], ["--epoch=4", "--wrong"]):
            with self.subTest(words=words):
                if "--charter=0123ABCD" in words:
                    words = ["--charter=0123ABCD"]
                    self.refused(*words)  # given twice, and no charter either
                else:
                    self.refused(*words)

    def test_epochs_that_are_not(self):
        self.assertIn("the head of", self.refused("--epoch", "68", status=NO_NETWORK))
        self.assertIn("the head of", self.refused("--epoch", "999999999999999", status=NO_NETWORK))
        self.assertIn("no draw is made", self.refused("--epoch", "1", status=NO_NETWORK))

    def test_epochs_that_are_too_large(self):
        for epoch in ("0", "1000000000000000", str(2 ** 64 - 1), str(2 ** 64)):
            self.assertIn("expected a whole number from 1 to 999999999999999", self.refused("--epoch", epoch))

    def test_full_disk(self):
        if not os.path.exists("/dev/full"):
            self.skipTest("there is no /dev/full")
        history, trace = made("--seed", "5")
        with open("/dev/full", "w", encoding="ascii") as full, RpcServer(Node(history).routes()) as server:
            done = subprocess.run([STAGGER, "turns", "--node", server.url, *charter_options(trace[0])], stdout=full,
                                  stderr=subprocess.PIPE, text=True, timeout=SECONDS_MAX, check=False)
        self.assertEqual(done.returncode, USAGE, done)
        self.assertIn("standard output", done.stderr)

    def test_help(self):
        done = subprocess.run([STAGGER, "turns", "--help"], capture_output=True, text=True, check=True)
        for word in ("--epoch", "--all", "--json", "--charter", "--verify", "--quick", "--node", "--min-validators"):
            self.assertIn(word, done.stdout)


if __name__ == "__main__":
    if not STAGGER or not MAKE_HISTORY:
        sys.exit("STAGGER and MAKE_HISTORY must name the programs")
    unittest.main(verbosity=2 if len(sys.argv) > 1 else 1)
