#!/usr/bin/env python3
"""The command line of `stagger sim` under attack.

Whatever is wrong with options, genesis, scenario or outputs: exit status 1, one line on standard
error that says what and where, nothing on standard output, little memory and time, and no file
that looks complete. And what is right stays parseable, with the exit status that belongs to it.

The executable is named by the environment variable STAGGER. Every failure prints the command.
"""
import base64
import hashlib
import json
import os
import random
import re
import shlex
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
import unittest

STAGGER = os.environ.get("STAGGER", "")
SECONDS_MAX = 60  # a hanging command is a failure, a slow machine is none
REFUSAL_MB_MAX = 160  # of memory at most, with sanitizers and what this script itself holds
LINE_MAX = 600
SMALL = ["--validators", "20", "--reboot", "60s"]

OUTPUTS = ("json", "trace", "html")
FILES = ("genesis", "scenario", "merge", *OUTPUTS)
LONG = "A" * 100_000
DIGITS = "9" * 100_000


class Done:
    """A command that has ended."""

    def __init__(self, words, status, out, err, peak_mb):
        self.words, self.status, self.out, self.err, self.peak_mb = words, status, out, err, peak_mb

    def __str__(self):
        shown = " ".join(shlex.quote(word if len(word) < 200 else word[:40] + "...")
                         for word in self.words)
        return f"\n{shown}\nstatus {self.status}, {self.peak_mb:.0f} MB\n{self.err[:1500]}"


def run(words, stdin=subprocess.DEVNULL, stdout=None, env=None, cwd=None):
    """Runs `stagger sim WORDS` and waits; its two streams go through files, so nothing blocks."""
    words = [STAGGER, "sim", *words]
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = subprocess.Popen(words, stdin=stdin, stdout=stdout or out, stderr=err, env=env,
                                 cwd=cwd)
        timer = threading.Timer(SECONDS_MAX, child.kill)
        timer.start()
        _, status, usage = os.wait4(child.pid, 0)
        timer.cancel()
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        return Done(words, child.returncode, out.read(), err.read().decode("utf-8", "replace"),
                    usage.ru_maxrss / 1024)


def shell(command, **names):
    """Runs a line of shell in which $S is the executable."""
    return subprocess.run(["sh", "-c", command], capture_output=True, text=True,
                          env=dict(os.environ, S=STAGGER, **names), timeout=SECONDS_MAX)


def is_device(path):
    return os.path.exists(path) and stat.S_ISCHR(os.stat(path).st_mode)


def write(path, data):
    with open(path, "wb") as file:
        file.write(data if isinstance(data, bytes) else data.encode("utf-8", "surrogateescape"))
    return path


def validator(number, **more):
    key = base64.b64encode(hashlib.sha256(b"%d" % number).digest()).decode()
    return {"pub_key": {"type": "tendermint/PubKeyEd25519", "value": key}, "power": "1", **more}


def plain(count, **more):
    return {"chain_id": "plain-1", "validators": [validator(i) for i in range(count)], **more}


class Case(unittest.TestCase):
    """A test in a folder of its own, which is the working directory."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="stagger-cli-")
        self.home = os.getcwd()
        os.chdir(self.folder.name)

    def tearDown(self):
        os.chdir(self.home)
        self.folder.cleanup()

    def check_refused(self, done, parts):
        self.assertEqual(done.status, 1, done)
        self.assertEqual(done.err.count("\n"), 1, done)
        self.assertTrue(done.err.startswith("stagger sim: ") and done.err.endswith("\n"), done)
        self.assertLess(len(done.err), LINE_MAX, done)
        self.assertIsNone(re.search(r"[\x00-\x09\x0b-\x1f\x7f]", done.err), done)
        self.assertEqual(done.out, b"", done)
        self.assertLess(done.peak_mb, REFUSAL_MB_MAX, done)
        for part in parts:
            self.assertIn(part, done.err, done)

    def refused(self, words, *parts, **how):
        words = shlex.split(words) if isinstance(words, str) else words
        with self.subTest(words=[word[:60] for word in words]):
            self.check_refused(run(words, **how), parts)

    def accepted(self, words, status=0, **how):
        words = shlex.split(words) if isinstance(words, str) else words
        done = run(words, **how)
        self.assertEqual(done.status, status, done)
        return done


# --- options ---

NUMBERS = ["", "nan", "inf", "-1", "1e400", "0x10", " 5", "5 ", "+5", "18446744073709551616",
           "\u0663", LONG, DIGITS, "a\nb", "\x1b[31m"]
OPTIONS = [
    # words, then what the line must say
    ("--vlidators 4", "unknown option '--vlidators'", "did you mean '--validators'", "--help"),
    ("--min_validators 4", "did you mean '--min-validators'"),
    ("--qiet", "did you mean '--quiet'"),
    ("-x", "unknown option '-x'"),
    ("--s", "unknown option '--s'"),
    ("--compare=3", "--compare takes no value"),
    ("100", "unexpected word '100'", "--validators 100", "--help"),
    ("--validators 10 foo", "unexpected word 'foo'"),
    ("-- foo", "unexpected word 'foo'"),
    ("''", "unexpected word ''"),
    ("--json", "--json: its value is missing", "for example '--json results.json'"),
    ("--json --compare", "--json: its value is missing", "'--compare'"),
    ("--genesis --seed 7", "--genesis: its value is missing", "'--seed'"),
    ("--validators 5 --genesis x", "--validators and --genesis exclude each other"),
    ("--seed 1 --seeds 1..2", "--seed and --seeds exclude each other"),
    ("--compare --strategy draw", "--compare and --strategy exclude each other"),
    ("--agents 3 --no-agent 0.1", "--agents and --no-agent exclude each other"),
    ("--seeds 5..1", "--seeds: the first seed 5 is above the last 1"),
    ("--seeds 1...5", "--seeds: given '1...5'", "a range A..B"),
    ("--seeds 1..", "a range A..B"),
    ("--seeds ..5", "a range A..B"),
    ("--seeds 1..-5", "a range A..B"),
    ("--seeds 1.5..3", "a range A..B"),
    ("--seeds 0..18446744073709551615", "more than 10000000 seeds", "in parts"),
    ("--jobs 0", "--jobs: given '0'", "from 1 to 1024"),
    ("--jobs 1025", "--jobs: given '1025'", "from 1 to 1024"),
    ("--trace t --seeds 1..2", "--trace: a trace holds one run", "--seed "),
    ("--until 10s --open 20s", "--until: the run ends at 10s", "end it later"),
    ("--empty-blocks 1s", "--empty-blocks: 1s is below the --block-time of 6s", "raise it"),
    ("--strategy drw", "--strategy: given 'drw'", "did you mean 'draw'",
     "one of draw, all-at-once"),
    ("--chain kirra", "did you mean 'kira'"),
    ("--faults mixd", "unknown fault set 'mixd'", "did you mean 'mixed'", "--list-faults"),
    ("--hostile-kinds pause,foo", "--hostile-kinds: given 'pause,foo'", "no-show"),
    ("--floor-fraction 1/2", "at least 2/3 and below 1"),
    ("--floor-fraction 1", "at least 2/3 and below 1"),
    ("--loss 1.5", "--loss: given '1.5'", "a fraction from 0 to 1"),
    ("--ramp 0,1", "--ramp: given '0,1'", "A from 1"),
    ("--reboot 0s", "--reboot: given '0s'", "from 1s to 7d"),
    ("--reboot lognormal:300s,nan", "lognormal:MEDIAN,SIGMA"),
    ("--reboot lognormal:300s,3", "a sigma from 0 to 2"),
    ("--reboot list:", "--reboot: the list is empty"),
    ("--reboot list:300s,foo", "entry 2 of the list, at 'foo'"),
    ("--reboot list:@nowhere", "file 'nowhere'", "No such file", "name a text file"),
    ("--reboot list:@.", "file '.'", "a directory"),
    ("--reboot list:@/dev/zero", "file '/dev/zero'", "no regular file"),
    # sizes
    ("--validators 10 --min-validators 11", "--min-validators: 11 is above the 10 validators",
     "lower it"),
    ("--validators 10 --own-floor 11", "--own-floor: 11 is above the 10 validators", "lower it"),
    ("--validators 10 --agents 11", "--agents: 11 is above the 10 validators", "lower it"),
    # the charter: what is wrong, with which bounds, and what to give instead
    ("--epoch-blocks 100 --round-blocks 1200", "--round-blocks: 1200 is below 20 epochs",
     "--epoch-blocks 100", "give --round-blocks 2000 to 2300, or --epoch-blocks 60 or less"),
    ("--epoch-blocks 114", "--round-blocks: 1200", "2280 to 2286"),
    ("--round-blocks 50", "--round-blocks: 50", "give --round-blocks 60 to 2397"),
    ("--round-blocks 2398", "--epoch-blocks 3 are above 2400 blocks together", "60 to 2397"),
    ("--reference-blocks 100", "--reference-blocks: 100 is below two rounds",
     "give --reference-blocks 2400 or more"),
    ("--round-blocks 2398 --epoch-blocks 2 --reference-blocks 4795", "--reference-blocks 4796"),
    ("--epoch-blocks 2 --empty-blocks 600s", "--epoch-blocks: 2 is below the 3",
     "give --epoch-blocks 3 or more"),
    ("--epoch-blocks 1", "--epoch-blocks: given '1'", "from 2 to 114"),
    ("--live-blocks 11", "from 1 to 10"),
    ("--joins-max 2", "from 3 to 20"),
    # the same trouble between a scenario and an option names the scenario
    ("--scenario clean --min-validators 101", "scenario 'clean': --min-validators: 101"),
    ("--scenario clean --epoch-blocks 100", "scenario 'clean': --round-blocks: 1200"),
]


class Options(Case):
    def names(self):
        text = self.accepted("--help").out.decode()
        return re.findall(r"^  --([a-z-]+) [A-Za-z0-9]", text, re.M)

    def test_absurd_values(self):
        names = [name for name in self.names() if name not in (*OUTPUTS, "shrink")]
        self.assertGreater(len(names), 30)
        for i, name in enumerate(names):
            for value in NUMBERS[i % 3::3]:
                self.refused([f"--{name}={value}"], "" if name in FILES else f"--{name}: ")

    def test_missing_values(self):
        for name in self.names():
            self.refused(["--" + name], f"--{name}: its value is missing; expected ",
                         f"for example '--{name} ")

    def test_bad_words(self):
        for words, *parts in OPTIONS:
            self.refused(words, *parts)
        self.refused(["--" + LONG], "unknown option", "...")
        self.refused([LONG], "unexpected word", "...")
        self.refused(["--json=" + LONG], "--json: given", "a name of 1 to 511 characters")
        self.refused(["a\nb"], "unexpected word 'a?b'")

    def test_the_last_of_two_counts(self):
        row = json.loads(self.accepted("--validators 7 --validators 5 --reboot list:60s,70s "
                                       "--reboot list:50s --quiet --json -").out)
        self.assertEqual(row["validators"], 5)

    def test_texts_fit_a_terminal(self):
        text = self.accepted("--help").out.decode()
        self.assertLessEqual(max(map(len, text.splitlines())), 80)
        text = self.accepted("--list-faults").out.decode()
        self.assertLessEqual(max(map(len, text.splitlines())), 100)
        names = [line.split()[0] for line in
                 self.accepted("--list-scenarios").out.decode().splitlines()]
        self.assertGreaterEqual(len(names), 15)
        self.assertEqual(names, sorted(set(names)))


# --- the genesis ---

SHAPES = [
    # text, then what the line must say beside the name of the file
    ("", "byte 0", "the file is empty", "JSON expected", "export the file again"),
    (" \n", "ends too early"),
    ("[" * 200_000, "the file is a list", "a genesis object"),
    ('{"a":' * 200_000, "nested deeper than 256 levels", "check the file"),
    ("\ufeff{}", "invalid char"),
    (b"\0" * 100, "byte 1", "invalid char"),
    (b'{"chain_id":"\xc3("}', "byte 15 (chain_id)", "UTF8"),
    (b'{"\xff":1}', "byte 3", "UTF8"),
    ('{"a":1}x', "byte 8", "trailing garbage"),
    ("null", "the file is null", "a genesis object"),
    ("3", "the file is 3"),
    ("{}", "no validators", "app_state.customstaking.validators is missing", "export a network"),
    ('{"validators":[]}', "validators is empty"),
    ('{"validators":3}', "validators: 3 is given", "a list expected"),
    ('{"validators":[3]}', "validators[0]: 3 is given", "an object expected"),
    ('{"validators":[{}]}', "validators[0].pub_key: missing", "ed25519"),
    ('{"app_state":{"customstaking":{"validators":{}}}}', "validators: an object is given"),
    ('{"app_state":{"customstaking":{"validators":[null]}}}', "validators[0]: null is given"),
    ('{"app_state":{"customstaking":{"validators":[{"status":"FOO"}]}}}',
     "app_state.customstaking.validators[0].status", '"FOO" is no status', "ACTIVE, INACTIVE"),
    ('{"app_state":{"customgov":{"network_properties":{"min_validators":"-1"}}}}',
     "app_state.customgov.network_properties.min_validators", '"-1" is out of bounds', "0 to 2^62"),
    ('{"app_state":{"upgrade":{"next_plan":{"name":"x"}}}}', "upgrade_time: missing",
     "Unix seconds"),
    ('{"chain_id":"' + "x" * 64 + '"}', "chain_id", "1 to 63 printable characters"),
    ('{"chain_id":"a\\nb"}', "chain_id", "printable"),
    ('{"initial_height":"1e3"}', "initial_height", "a whole number"),
    ('{"genesis_time":"yesterday"}', "genesis_time", "is no time"),
    ('{"a":tru}', "(a)", "JSON expected"),
    ("{'a':1}", "byte 2", "JSON expected"),
    ('{"a":1,}', "JSON expected"),
]
# five megabytes each: the limits on tokens and blanks are met by tests of the reader itself
BIG = 5 << 20
MANY = [
    (b"\x80" + random.Random(7).randbytes(BIG), "JSON expected"),
    (" " * BIG, "ends too early"),
    ('{"a":' + "7" * BIG, "ends too early"),
    ('{"chain_id":"' + "x" * BIG + '"}', "is no name"),
    ('{"chain_id":"' + "\\n" * (BIG // 2) + '"}', "is no name"),
    ('{"' + "k" * BIG + '":1}', "no validators"),
    ("{" + '"aa":1,' * (BIG // 7), "ends too early"),
    ('{"a":[' + "0," * (BIG // 2), "ends too early"),
]


class Genesis(Case):
    def refused_file(self, name, *parts, words=()):
        self.refused(["--genesis", name, "--until", "1s", *words], name, *parts)

    def test_shapes(self):
        for i, (text, *parts) in enumerate(SHAPES):
            self.refused_file(write(f"g{i}.json", text), *parts)

    def test_many_megabytes(self):
        for i, (text, *parts) in enumerate(MANY):
            self.refused_file(write("big.json", text), *parts)

    def test_what_is_no_file(self):
        os.mkfifo("fifo")
        self.refused_file("nowhere", "No such file", "check the path")
        self.refused_file(".", "a directory", "name the file in it")
        self.refused_file("fifo", "no regular file", "save it to disk")
        for device in filter(is_device, ("/dev/zero", "/dev/null")):
            self.refused_file(device, "no regular file")
        if os.geteuid() != 0:
            os.chmod(write("secret", "{}"), 0)
            self.refused_file("secret", "Permission denied")

    def test_every_truncation(self):
        text = json.dumps(plain(3))
        for cut in range(0, len(text), 23):
            self.refused_file(write("cut.json", text[:cut]), "byte ", "JSON expected")

    def network(self, **more):
        return write("n.json", json.dumps(plain(5, **more)))

    def test_validators(self):
        def with_fourth(**more):
            return [validator(i) for i in range(3)] + [validator(3, **more)]

        twice = [validator(i) for i in range(4)] + [validator(2)]
        self.refused_file(self.network(validators=twice), "validators[4]", "the same as that of",
                          "validators[2]", "drop one")
        self.refused_file(self.network(validators=with_fourth(power="0")), "validators[3].power",
                          "0 is no power")
        self.refused_file(self.network(validators=with_fourth(power=str(2**61))), "2^60")
        self.refused_file(self.network(validators=with_fourth(address="00" * 20)), "address",
                          "does not belong to pub_key")
        crowd = [{"address": f"{i:040x}", "power": "1"} for i in range(16385)]
        self.refused_file(self.network(validators=crowd), "more than 16384 records")

    def test_networks_and_options(self):
        name = self.network()
        self.refused(f"--genesis {name} --min-validators 6", "--min-validators: 6 is above the 5")
        self.refused(f"--genesis {name} --agents 6", "--agents: 6 is above the 5")
        self.refused(f"--genesis {name} --own-floor 6", "--own-floor: 6 is above the 5")
        write("s.scn", f"genesis {name}\nat 1m crash-agent 5\n")
        self.refused("--scenario s.scn", "s.scn:2: crash-agent", "no validator 5 among 5")
        write("s.scn", f"genesis {name}\nat 1m min-validators 6\n")
        self.refused("--scenario s.scn", "s.scn:2: min-validators: 6 is above the 5")

    def test_kira_networks_and_options(self):
        record = {"val_key": "kiravaloper1dm6y7nf2zey39x43jrs7ymx2lxgtt9ec0xf57s",
                  "status": "ACTIVE", "pub_key": validator(1)["pub_key"], "rank": "0"}
        properties = {"min_validators": "4611686018427387904"}
        state = {"customstaking": {"validators": [record]},
                 "customgov": {"network_properties": properties}}
        name = write("k.json", json.dumps({"chain_id": "kira-1", "app_state": state}))
        self.refused(f"--genesis {name}", name, "min_validators is 4611686018427387904",
                     "above its 1 active", "--min-validators 1")
        self.refused(f"--genesis {name} --min-validators 1 --chain dcl", "--chain", name,
                     "KIRA genesis")
        self.accepted(f"--genesis {name} --min-validators 1 --until 1m --quiet --agents 0")


# --- scenarios ---

LINES = [
    ("vlidators 100", ":1: unknown word 'vlidators'", "did you mean 'validators'", "SCENARIOS.md"),
    ("\n\nvalidators", ":3: validators: given ''", "from 1 to 16384", "for example '100'"),
    ("validators 10 20", "given '10 20'"),
    ("validators 5\nvalidators 6", ":2: validators: line 1 says"),
    ("validators \uff11", "given '???'"),
    ("json x", "json belongs on the command line, as --json"),
    ("genesis x\nvalidators 5", ":2: validators: line 1 says 'genesis' already"),
    ("strategy drw", ":1: strategy: given 'drw'", "did you mean 'draw'"),
    ("at", "expected a time from 0s to 30d"),
    ("at -5m agree", "given '-5m'"),
    ("at nan agree", "given 'nan'"),
    ("at 5m crash", "unknown fault 'crash'", "did you mean 'crash-agent'", "--list-faults"),
    ("at 5m crash-host 3", "'for DURATION' is missing", "for example 'at 10m crash-host 3 for 2m'"),
    ("at 5m crash-agent 3 for 5s for 6s", "given twice"),
    ("at 5m crash-agent 200", "no validator 200 among 100"),
    ("at 5m crash-agent 101%", "WHO is"),
    ("at 5m lag 3 by 41 blocks for 5s", "1 to 40 blocks"),
    ("at 5m skew 3 by --5s", "-1ms to -1d"),
    ("at 5m loss 2", "FRACTION is 0 to 1"),
    ("at 5m min-validators 101", ":1: min-validators: 101 is above the 100 validators"),
    ("at 5m trustees 3", "KIRA has no trustees", "chain dcl"),
    ("chain dcl\nat 5m vote 3", ":2: vote: DCL has nothing of the kind"),
    ("every 1s agree until 20m", "more than 1000 faults"),
    ("every 5m agree until 1m", "it would never happen"),
    ("every 1s agree", "'until TIME' is missing"),
    ("expect dne all", "unknown result 'dne'", "did you mean 'done'"),
    ("expect done > 3", "unknown comparison '>'"),
    ("expect done nan", "no number: 'nan'"),
    ("expect exit 2", "exit is 0, 1, 3, 4 or 5"),
    ("expect exit all", "exit is 0, 1, 3, 4 or 5"),
    ("expect done all\n" * 201, ":201: more than 200 expectations", "drop some"),
    ("epoch-blocks 100", "scenario 'x.scn': --round-blocks: 1200"),
    ("reboot list:@nowhere", ":1: reboot:", "file 'nowhere'", "No such file"),
    ("genesis nowhere", "nowhere", "No such file"),
    ("", "x.scn: the file is empty", "SCENARIOS.md"),
    ("x" * 1001, "more than 1000 characters"),
    ("\n" * 10_001, "more than 10000 lines"),
    ("#" * BIG, "larger than the 1048576 bytes allowed"),
    (random.Random(8).randbytes(1000), "is no text"),
    (b"\0", "byte 0x00 in column 1"),
    ("\x1b[31mfoo", "byte 0x1b"),
    (b"\xff\xfe", "unknown word '??'"),
]


class Scenarios(Case):
    def test_lines(self):
        for text, *parts in LINES:
            write("x.scn", text)
            self.refused("--scenario x.scn", *parts)

    def test_what_is_no_scenario(self):
        os.mkfifo("fifo")
        self.refused("--scenario losy", "losy: no shipped scenario", "did you mean 'lossy'",
                     "--list-scenarios")
        self.refused("--scenario .", "a directory")
        self.refused("--scenario fifo", "fifo: the file is empty")
        self.refused(["--scenario", "a\nb"], "a?b: no shipped scenario")
        if is_device("/dev/zero"):
            self.refused("--scenario /dev/zero", "larger than the 1048576 bytes allowed")

    def test_a_pipe_is_read(self):
        done = shell("echo 'validators 9' | \"$S\" sim --scenario /dev/stdin --quiet --json -")
        self.assertEqual(json.loads(done.stdout)["validators"], 9, done)


# --- what is written ---


class Outputs(Case):
    def test_places_that_cannot_be_written(self):
        write("file", "")
        for name in OUTPUTS:
            self.refused([*SMALL, f"--{name}", "no/x"], f"--{name}: no/x", "No such file",
                         "name a file")
            self.refused([*SMALL, f"--{name}", "."], f"--{name}: .", "Is a directory")
            self.refused([*SMALL, f"--{name}", "file/x"], "Not a directory")
            self.refused([*SMALL, f"--{name}", "no\n\x1b/x"], "no??/x")
        self.assertEqual(os.listdir(), ["file"])

    @unittest.skipUnless(is_device("/dev/full"), "no /dev/full")
    def test_full_disk(self):
        for name in OUTPUTS:
            self.refused([*SMALL, "--quiet", f"--{name}", "/dev/full"], f"--{name}: /dev/full",
                         "free the disk")
            with open("/dev/full", "wb") as full:
                self.refused([*SMALL, "--quiet", f"--{name}", "-"], f"--{name}: -", "free the disk",
                             stdout=full)
        for words in (SMALL, ["--help"], ["--list-faults"], ["--list-scenarios"]):
            with open("/dev/full", "wb") as full:
                self.refused(words, "standard output", "free the disk", stdout=full)

    def test_one_file_for_two(self):
        self.refused("--json x --trace x", "--json and --trace would both write 'x'", "two files")
        self.refused("--json - --html -", "would both write '-'")
        self.refused([*SMALL, "--json", "x", "--trace", "./x"], "would both write './x'")
        os.symlink("a", "b")
        self.refused([*SMALL, "--json", "a", "--html", "b"], "would both write")

    def test_inputs_stay(self):
        text = json.dumps(plain(5))
        write("g.json", text)
        write("s.scn", "validators 5\n")
        self.refused("--genesis g.json --json ./g.json",
                     "--json: ./g.json is what the run is read from")
        self.refused("--scenario s.scn --html s.scn", "--html: s.scn is what the run is read from")
        with open("g.json", encoding="utf-8") as file:
            self.assertEqual(file.read(), text)

    def test_a_failed_run_leaves_the_old_file(self):
        write("old", "old")
        write("g.json", json.dumps(plain(5)))
        self.refused("--genesis g.json --agents 9 --json old", "--agents")
        with open("old", encoding="utf-8") as file:
            self.assertEqual(file.read(), "old")
        self.assertEqual(sorted(os.listdir()), ["g.json", "old"])

    def test_an_interrupted_run_completes_no_file(self):
        words = shlex.split("--validators 3000 --json j --trace t --html h")
        with subprocess.Popen([STAGGER, "sim", *words], stderr=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL) as child:
            begin = time.monotonic()
            while not os.path.exists("h.part") and time.monotonic() < begin + SECONDS_MAX:
                time.sleep(0.01)
            child.send_signal(signal.SIGINT)
            self.assertNotEqual(child.wait(SECONDS_MAX), 0)
        self.assertEqual([name for name in os.listdir() if not name.endswith(".part")], [])

    def test_closed_streams(self):
        small = " ".join(SMALL)
        done = shell(f'"$S" sim {small} --json j --html h >&-')
        self.assertEqual((done.returncode, done.stderr.count("\n")), (1, 1), done)
        done = shell(f'"$S" sim {small} --json - >&-')
        self.assertEqual((done.returncode, done.stderr.count("\n")), (1, 1), done)
        done = shell('"$S" sim --foo 2>&-')
        self.assertEqual((done.returncode, done.stdout), (1, ""), done)
        done = shell(f'"$S" sim {small} --json e --html f >&- 2>&- <&-')
        self.assertEqual(done.returncode, 1, done)
        for name in "je":
            with open(name, encoding="utf-8") as file:
                json.loads(file.read())
        for name in "hf":
            with open(name, encoding="utf-8") as file:
                self.assertTrue(file.read().rstrip().endswith("</html>"))

    def test_broken_pipe(self):
        small = " ".join(SMALL)
        for name in OUTPUTS:
            done = shell(f'"$S" sim {small} --quiet --{name} - | head -c 10')
            self.assertEqual((len(done.stdout), done.stderr), (10, ""), done)
        done = shell(f'"$S" sim {small} --json j | head -1')
        self.assertTrue(os.path.exists("j"), done)


# --- what is right ---

def lines_of(done):
    return [json.loads(line) for line in done.out.decode().splitlines()]


class Results(Case):
    def test_standard_output_stays_parseable(self):
        row, = lines_of(self.accepted([*SMALL, "--json", "-"]))
        self.assertEqual((row["strategy"], row["seed"], row["done"]), ("draw", 1, 20))
        rows = lines_of(self.accepted([*SMALL, "--compare", "--json", "-"]))
        self.assertEqual([rows[0]["strategy"], len(rows)], ["draw", 6])
        done = self.accepted([*SMALL, "--seeds", "3..5", "--json", "-"])
        rows = lines_of(done)
        self.assertEqual([row.get("seed") for row in rows], [3, 4, 5, None])
        self.assertEqual((rows[3]["summary"], rows[3]["runs"]), (True, 3))
        self.assertIn("makespan", done.err)
        lines = lines_of(self.accepted([*SMALL, "--trace", "-"]))
        self.assertEqual(lines[0]["type"], "world")
        page = self.accepted([*SMALL, "--html", "-"]).out
        self.assertTrue(page.startswith(b"<!DOCTYPE html>") and page.rstrip().endswith(b"</html>"))

    def test_seeds_of_every_strategy_and_their_page(self):
        words = ["--compare", "--seeds=1..2", "--quiet", "--json", "-", "--html", "h'1.html"]
        rows = lines_of(self.accepted([*SMALL, *words]))
        self.assertEqual(len(rows), 6 * 2 + 1)
        self.assertEqual(len({row["strategy"] for row in rows[:-1]}), 6)
        self.assertEqual((rows[-1]["summary"], rows[-1]["runs"]), (True, 2))
        with open("h'1.html", encoding="utf-8") as file:
            page = file.read()
        self.assertIn("--seed 1", page)
        self.assertNotIn("--seeds", page)

    def test_jobs_change_nothing(self):
        def rows(jobs):
            words = [*SMALL, "--seeds", "1..9", "--jobs", jobs, "--quiet", "--json", "-"]
            return [dict(row, wall_s=0) for row in lines_of(self.accepted(words))]

        self.assertEqual(rows("1"), rows("1000"))
        last = str(2**64 - 1)
        words = ["--validators", "4", "--seeds", f"{2**64 - 2}..{last}", "--quiet", "--json", "-"]
        self.assertEqual(lines_of(self.accepted(words))[1]["seed"], 2**64 - 1)

    def test_locale_and_folder_change_nothing(self):
        words = [*SMALL, "--digest", "--quiet", "--json", "-"]
        turkish = dict(os.environ, LC_ALL="tr_TR.UTF-8", LANG="de_DE.UTF-8")
        hashes = {lines_of(done)[0]["trace_sha256"] for done in
                  (run(words), run(words, env=turkish), run(words, cwd="/"))}
        self.assertEqual(len(hashes), 1)
        self.assertRegex(hashes.pop(), "^[0-9a-f]{64}$")

    def test_names_with_blanks_and_line_breaks(self):
        name = "a b\nc'd.json"
        write(name, json.dumps(plain(5)))
        self.accepted(["--genesis", name, "--reboot", "60s", "--quiet", "--html", "h\n.html",
                       "--json", "j '\n"])
        self.assertEqual(sorted(os.listdir()), sorted([name, "h\n.html", "j '\n"]))
        write(name, "x")
        self.refused(["--genesis", name], "a b?c'd.json: byte 1")
        self.refused(["--scenario", name], "a b?c'd.json:1: unknown word")

    def test_exit_statuses(self):
        self.accepted([*SMALL, "--quiet"])
        write("x.scn", "validators 20\nreboot 60s\nexpect done 3\n")
        done = self.accepted("--scenario x.scn --quiet", 3)
        self.assertIn("x.scn:3: expected done = 3, it is 20", done.err)
        self.accepted([*SMALL, "--quiet", "--until", "1m"], 4)
        self.accepted("--scenario fatal-pair --quiet", 5)
        self.accepted([*SMALL, "--quiet", "--strategy", "all-at-once"])


if __name__ == "__main__":
    if not STAGGER:
        sys.exit("STAGGER names the executable to test: STAGGER=build/dev/stagger " + sys.argv[0])
    STAGGER = os.path.abspath(STAGGER)
    unittest.main()
