#!/usr/bin/env python3
"""Sweeps in parts, what fails in them, and the small scenario that is made of it.

Three shards put together are what one process writes, in whatever order they are named; so are the
rows of several MPI processes, where this stagger was built with MPI and mpirun is there. What does
not belong together is refused in one line. A run that fails names the command that repeats it and
shrinks to a scenario that fails in the same way.

The executable is named by the environment variable STAGGER.
"""
import json
import os
import random
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

STAGGER = os.environ.get("STAGGER", "")
WORLD = ["--validators", "13", "--reboot", "60s", "--faults", "mixed", "--hostile", "0.1"]
SEEDS = ["--seeds", "3..36"]
SECONDS_MAX = 250
NOISY = """# The pair that kills the chain, among much that does not matter.
validators 20
reboot 60s
faults mixed
hostile 0.1
loss 0.1
every 60s crash-agent 10% for 5s until 10m
at 6m fatal-pair out
every 2m slow half by 2s for 1m until 40m
"""


def sim(*words, before=(), env=None):
    return subprocess.run([*before, STAGGER, "sim", *words], capture_output=True, text=True,
                          timeout=SECONDS_MAX, env=env, check=False)


def rows(path):
    """The objects of a results file without what depends on the machine."""
    found = [json.loads(line) for line in Path(path).read_text().splitlines()]
    for row in found:
        del row["wall_s"]
    return found


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="stagger-shard-")
        self.addCleanup(folder.cleanup)
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(folder.name)

    def good(self, *words, **how):
        done = sim(*words, **how)
        self.assertEqual(done.returncode, 0, done)
        return done

    def refused(self, *words_and_parts):
        """The last argument is the list of what the line says."""
        *words, parts = words_and_parts
        done = sim(*words)
        self.assertEqual((done.returncode, done.stdout), (1, ""), done)
        self.assertEqual(done.stderr.count("\n"), 1, done)
        self.assertTrue(done.stderr.startswith("stagger sim: "), done)
        for part in parts:
            self.assertIn(part, done.stderr)

    def shards(self, count, *more):
        names = [f"s{i}.json" for i in range(1, count + 1)]
        for i, name in enumerate(names, 1):
            self.good(*WORLD, *SEEDS, "--shard", f"{i}/{count}", "--json", name, "--quiet", *more)
        return names


class Merge(Case):
    def test_three_shards_are_one_process(self):
        one = self.good(*WORLD, *SEEDS, "--json", "one.json")
        names = self.shards(3)
        self.assertEqual([len(rows(name)) - 1 for name in names], [12, 11, 11])
        merged = self.good("--merge", names[2], names[0], names[1], "--json", "all.json")
        self.assertEqual(rows("all.json"), rows("one.json"))
        self.assertEqual(merged.stdout, one.stdout)
        self.assertFalse([name for name in os.listdir() if name.endswith(".part")])

    def test_any_number_of_shards(self):
        self.good(*WORLD, *SEEDS, "--json", "one.json", "--quiet")
        for count in (1, 7, 34):
            names = self.shards(count)
            random.Random(count).shuffle(names)
            self.good("--json", "all.json", "--quiet", "--merge", *names)
            self.assertEqual(rows("all.json"), rows("one.json"))

    def test_compared_strategies(self):
        words = ["--validators", "7", "--reboot", "60s", "--compare", "--seeds", "1..6", "--json"]
        one = self.good(*words, "one.json")
        for i in (1, 2):
            self.good(*words, f"s{i}.json", "--shard", f"{i}/2", "--quiet")
        merged = self.good("--merge", "s2.json", "s1.json", "--json", "all.json")
        self.assertEqual(rows("all.json"), rows("one.json"))
        self.assertEqual(merged.stdout, one.stdout)

    def test_ranges_without_shards(self):
        self.good(*WORLD, *SEEDS, "--json", "one.json", "--quiet")
        self.good(*WORLD, "--seeds", "3..9", "--json", "a.json", "--quiet")
        self.good(*WORLD, "--seeds", "10..36", "--json", "b.json", "--quiet")
        self.good("--merge", "b.json", "a.json", "--json", "all.json", "--quiet")
        self.assertEqual(rows("all.json"), rows("one.json"))

    def test_highest_seeds(self):
        last = 2**64 - 1
        words = ["--validators", "4", "--seeds", f"{last - 4}..{last}", "--quiet", "--json"]
        self.good(*words, "one.json")
        for i in (1, 2):
            self.good(*words, f"s{i}.json", "--shard", f"{i}/2")
        self.good("--merge", "s1.json", "s2.json", "--json", "all.json", "--quiet")
        self.assertEqual(rows("all.json"), rows("one.json"))

    def test_exit_status_and_expectations(self):
        Path("x.scn").write_text("validators 7\nreboot 60s\nexpect blocks <= 3\n")
        for i in (1, 2):
            done = sim("--scenario", "x.scn", "--seeds", "1..4", "--shard", f"{i}/2", "--json",
                       f"s{i}.json", "--quiet")
            self.assertEqual(done.returncode, 3, done)
        self.assertEqual(sim("--merge", "s1.json", "s2.json", "--quiet").returncode, 3)

    def test_what_does_not_belong_together(self):
        self.shards(3)
        self.refused("--merge", "s1.json", "s3.json",
                     ["seed 4 is missing, and 10 more", "shard 2/3"])
        self.refused("--merge", "s1.json", "s2.json", "s3.json", "s2.json",
                     ["seed 4 is in s2.json and in s2.json", "once"])
        self.good("--validators", "13", "--reboot", "61s", *SEEDS, "--shard", "2/3", "--json",
                  "other.json", "--quiet")
        self.refused("--merge", "s1.json", "other.json", "s3.json", ["other.json", "another world"])
        self.good("--validators", "14", *SEEDS, "--shard", "2/3", "--json", "size.json", "--quiet")
        self.refused("--merge", "s1.json", "size.json", ["size.json:1", "14 validators", "has 13"])
        self.good(*WORLD, "--seeds", "3..37", "--shard", "2/3", "--json", "long.json", "--quiet")
        self.refused("--merge", "s1.json", "long.json", "s3.json", ["long.json", "other --seeds"])
        self.good(*WORLD, *SEEDS, "--shard", "2/4", "--json", "four.json", "--quiet")
        self.refused("--merge", "s1.json", "four.json", ["four.json", "other shards"])

    def test_broken_files(self):
        names = self.shards(2)
        whole = Path("s1.json").read_text()
        lines = whole.splitlines(keepends=True)
        broken = {
            "".join(lines[:4]): ["x.json", "without a summary"],
            "".join(lines[1:]): ["x.json", "16 rows of draw", "17 runs"],
            "".join(lines[:3] + lines[4:]): ["16 rows of draw"],
            lines[0][:40] + "\n" + "".join(lines[1:]): ["x.json:1", "broken off"],
            lines[0] + "[]\n" + "".join(lines[1:]): ["x.json:2", "no JSON object"],
            lines[0] + "{}\n" + "".join(lines[1:]): ["x.json:2", "strategy"],
            whole + lines[0]: ["x.json:19", "behind the summary"],
            whole.replace('"seed":3,', '"seed":"3",'): ["x.json:1", "seed"],
            whole.replace('"seed":3,', '"seed":-3,'): ["x.json:1", "seed"],
            whole.replace('"seed":3,', '"seed":1,'): ["x.json", "outside of its --seeds 3..36"],
            whole.replace('"undone":false', '"undone":0', 1): ["x.json:1", "undone"],
            whole.replace('"number":1', '"number":9'): ["x.json:18", "shard"],
            lines[-1].replace('"runs":17', '"runs":0'): ["seed 3 is missing, and 16 more"],
            "x" * 70000: ["x.json:1", "too long"],
            "\0" * 100: ["x.json:1", "no JSON"],
            "": ["x.json", "it is empty"],
        }
        for text, parts in broken.items():
            Path("x.json").write_text(text)
            with self.subTest(parts=parts):
                self.refused("--merge", "x.json", names[1], "--json", "all.json", parts)
                self.assertFalse(Path("all.json").exists())
        self.refused("--merge", "nowhere.json", ["nowhere.json", "cannot be read"])
        self.refused("--merge", ".", ["no regular file"])

    def test_options(self):
        self.shards(2)
        before = Path("s1.json").read_bytes()
        self.refused("--merge", "s1.json", "s2.json", "--json", "s1.json", ["name another file"])
        self.assertEqual(Path("s1.json").read_bytes(), before)
        self.refused("--merge", "s1.json", "--validators", "13", ["--merge and --validators"])
        self.refused("--merge", ["--merge: its value is missing"])
        self.refused("s1.json", "--merge", "s2.json", ["unexpected word 's1.json'"])
        self.refused("--shard", "1/2", ["--shard", "--seeds"])
        self.refused(*SEEDS, "--shard", "35/35", ["35/35 of 34 seeds is empty"])
        self.refused("--merge", "", ["--merge: given ''", "s1.json s2.json"])
        for wrong in ("0/2", "3/2", "1", "1/", "/2", "1/0", "-1/2", "a/b", "1/2/3"):
            self.refused(*SEEDS, "--shard", wrong, [f"given '{wrong}'", "1/8"])


class Mpi(Case):
    ENV = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1",
               OMPI_MCA_rmaps_base_oversubscribe="1", OMPI_MCA_btl_vader_single_copy_mechanism="none")

    def setUp(self):
        super().setUp()
        alone = sim("--validators", "4", "--seeds", "1..2", "--mpi", "--quiet")
        if "built without MPI" in alone.stderr:
            self.assertIn("-DSTAGGER_MPI=ON", alone.stderr)
            self.assertEqual(alone.returncode, 1)
            self.skipTest("this stagger was built without MPI")
        if not shutil.which("mpirun"):
            self.skipTest("there is no mpirun")

    def mpi(self, ranks, *words):
        return sim(*words, "--mpi", before=["mpirun", "-n", str(ranks)], env=self.ENV)

    def test_ranks_are_one_process(self):
        one = self.good(*WORLD, *SEEDS, "--json", "one.json")
        for ranks in (1, 2, 3):
            done = self.mpi(ranks, *WORLD, *SEEDS, "--json", f"{ranks}.json")
            self.assertEqual((done.returncode, done.stdout), (0, one.stdout), done)
            self.assertEqual(rows(f"{ranks}.json"), rows("one.json"))

    def test_failing_seeds(self):
        Path("x.scn").write_text(NOISY)
        one = sim("--scenario", "x.scn", "--seeds", "1..5", "--json", "one.json", "--quiet")
        done = self.mpi(2, "--scenario", "x.scn", "--seeds", "1..5", "--json", "two.json", "--quiet")
        self.assertEqual(done.returncode, one.returncode)
        self.assertEqual(rows("two.json"), rows("one.json"))
        self.assertEqual([line for line in done.stderr.splitlines() if line.startswith("seed ")],
                         one.stderr.splitlines())

    def test_errors_are_said_once(self):
        for words in (["--validators", "0"], ["--genesis", "nowhere.json"], ["--json", "no/where"],
                      ["--scenario", "nowhere.scn"]):
            done = self.mpi(2, *words, "--seeds", "1..5")
            self.assertEqual(done.returncode, 1, done)
            self.assertEqual(done.stderr.count("stagger sim: "), 1, done)


class Failing(Case):
    def check_scenario(self, path, status):
        done = sim("--scenario", path, "--quiet")
        self.assertEqual(done.returncode, status, Path(path).read_text())
        again = sim("--scenario", path, "--json", "-", "--quiet")
        seed = json.loads(again.stdout.splitlines()[0])["seed"]
        self.assertIn(f"stagger sim --scenario FILE --seed {seed}", Path(path).read_text())
        self.assertEqual(sim("--scenario", path, "--seed", str(seed)).returncode, status)

    def test_faults_are_taken_out(self):
        Path("x.scn").write_text(NOISY)
        done = sim("--scenario", "x.scn", "--seeds", "1..6", "--json", "x.json", "--shrink", "y.scn")
        self.assertEqual(done.returncode, 5, done)
        found = re.findall(r"^seed (\d+): exit status 5; repeat it with: (.*)$", done.stderr, re.M)
        self.assertTrue(found)
        for seed, command in found:
            self.assertEqual(shlex.split(command),
                             ["stagger", "sim", "--scenario", "x.scn", "--seed", seed])
            self.assertEqual(sim(*shlex.split(command)[2:]).returncode, 5)
        self.check_scenario("y.scn", 5)
        text = Path("y.scn").read_text()
        self.assertIn("at 6m fatal-pair", text)
        self.assertLessEqual(text.count("\nat "), 4, text)
        self.assertNotIn("faults", text.split("\n", 3)[3])

    def test_people_are_taken_out(self):
        words = ["--validators", "30", "--fail", "0.4", "--freeze", "1", "--faults", "mixed",
                 "--hostile", "0.1", "--loss", "0.05", "--quiet"]
        done = sim(*words, "--seeds", "1..2", "--shrink", "y.scn")
        self.assertEqual(done.returncode, 4, done)
        self.check_scenario("y.scn", 4)
        self.assertEqual(Path("y.scn").read_text().split("\n", 3)[3],
                         "validators 30\nfail 0.4\nfreeze 1\nseed 1\n")
        single = sim(*words, "--seed", "2", "--shrink", "z.scn")
        self.assertEqual(single.returncode, 4, single)
        self.check_scenario("z.scn", 4)

    def test_without_a_file_it_is_shown(self):
        words = ["--validators", "30", "--fail", "0.4", "--freeze", "1", "--seeds", "1..2"]
        shown = sim(*words).stderr
        Path("shown.scn").write_text(shown[shown.index("# Seed 1 "):])
        self.check_scenario("shown.scn", 4)
        self.assertNotIn("# Seed", sim(*words, "--quiet").stderr)

    def test_nothing_fails(self):
        self.good(*WORLD, *SEEDS, "--shrink", "y.scn", "--quiet")
        self.assertFalse(Path("y.scn").exists() or Path("y.scn.part").exists())
        self.good("--validators", "4", "--seed", "1", "--shrink", "y.scn", "--quiet")
        self.assertFalse(Path("y.scn").exists() or Path("y.scn.part").exists())

    def test_every_fault_survives_the_way_back(self):
        """Each example of --list-faults, with a run that fails for another reason."""
        forms = sim("--list-faults").stdout
        self.assertIn("fatal-pair", forms)
        lines = """at 1m crash-agent 3 for 6s\nat 1m crash-host 3,4 for 2m\nat 1m lose-host 5
            at 1m lose-journal 10% for 10s\nat 1m damage-journal 3\nat 2m partition half for 60s
            at 2m deaf 5% for 1m\nat 2m mute 5% for 1m\nat 3m slow 20% by 2s for 5m
            at 0s catch-up 20% by 2m for 1h\nat 2m lag 5% by 4 blocks for 3m
            at 0s skew 10% by -90s\nat 0s loss 1/3 for 5m\nat 3m operator-pause 3 for 10m
            at 5m maintenance 3,7 for 10m\nat 1m hold 10% for 15m\nat 2m unfreeze
            at 10m min-validators 8\nat 5m upgrade in 40m votes 2/3\nat 20m vote 3,5
            at 1m bad-image 0.25\nat 20m agree"""
        for line in lines.split("\n"):
            with self.subTest(line=line.strip()):
                Path("x.scn").write_text(f"validators 12\nreboot lognormal:60s,0.35\n{line}\n"
                                         "at 20m fatal-pair 1\nat 21m fatal-pair out\nuntil 25m\n")
                done = sim("--scenario", "x.scn", "--shrink", "y.scn", "--quiet", "--json", "x.json")
                if done.returncode != 0:
                    self.assertNotIn("but not as the text", Path("y.scn").read_text())
                    self.check_scenario("y.scn", done.returncode)


if __name__ == "__main__":
    if not STAGGER:
        sys.exit("set STAGGER to the executable")
    unittest.main(verbosity=1)
