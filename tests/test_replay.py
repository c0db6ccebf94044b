#!/usr/bin/env python3
"""`stagger replay`: a recorded turn told again, falsified, damaged, torn, and while its agent writes.

The executables are named by the environment variables STAGGER and JOURNAL_TOOL.
"""
import json
import os
import re
import subprocess
import tempfile
import unittest

STAGGER = os.environ.get("STAGGER", "")
TOOL = os.environ.get("JOURNAL_TOOL", "")
RECORDS = 12288


def run(*words):
    done = subprocess.run([STAGGER, "replay", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr


class Replay(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="stagger replay ")
        self.path = self.folder.name
        self.events = self.record()

    def tearDown(self):
        self.folder.cleanup()

    def record(self, *words):
        for name in os.listdir(self.path):
            os.unlink(os.path.join(self.path, name))
        out = subprocess.run([TOOL, self.path, *words], stdout=subprocess.PIPE, text=True, timeout=60, check=True)
        return int(out.stdout)

    def journal(self):
        with open(os.path.join(self.path, "journal"), "rb") as file:
            return bytearray(file.read())

    def write(self, content):
        with open(os.path.join(self.path, "journal"), "wb") as file:
            file.write(content)

    def fails(self, status, text, *words):
        got, out, err = run(*(words or (self.path,)))
        self.assertEqual(got, status, err)
        self.assertRegex(err, text)
        self.assertEqual(err.count("\n"), 1, err)
        self.assertTrue(err.startswith("stagger replay: "))
        return out

    def test_story(self):
        status, out, err = run(self.path)
        self.assertEqual((status, err), (0, ""))
        lines = out.splitlines()
        self.assertIn("%d steps in 2 runs" % self.events, lines[-1])
        self.assertIn("the same effects in every one", lines[-1])
        form = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z  +(--- |reason: |\d+  [A-Z]+ +\S)")
        for line in lines[:-1]:
            self.assertRegex(line, form)
        for text in ("--- the agent starts, journal: none", "the operator says reboot", "reason: new kernel",
                     "> send: join, in a block up to", "-> permit", "> send: pause, in a block up to",
                     "out of the set; 9 live members, floor 7", "> runtime: reinitialise",
                     "the runtime failed to reinitialise, attempt 1", "--- the agent starts, journal: kept",
                     "started in SYNCING, as the journal says", "> send: unpause", "done, signing again"):
            self.assertIn(text, out)
        self.assertGreater(len(run("--all", self.path)[1]), len(out))

    def test_file_or_directory(self):
        self.assertEqual(run(self.path), run(os.path.join(self.path, "journal")))

    def test_json(self):
        status, out, err = run("--json", self.path)
        self.assertEqual((status, err), (0, ""))
        rows = [json.loads(line) for line in out.splitlines()]
        verdict = rows[-1]
        self.assertEqual((verdict["kind"], verdict["verdict"], verdict["steps"], verdict["runs"], verdict["torn_bytes"]),
                         ("verdict", "same", self.events, 2, 0))
        steps = [row for row in rows if row["kind"] == "step"]
        self.assertTrue(all(row["same"] and row["effects"] for row in steps))
        self.assertEqual([row["state"] for row in steps if row["event"] == "operator"], ["JOINING"])
        self.assertEqual(steps[-1]["state"], "DONE")
        sent = [effect["tx"] for row in steps for effect in row["effects"] if effect["effect"] == "send"]
        self.assertEqual([tx for tx in sent if tx != "join"], ["pause", "unpause"])
        self.assertEqual(len([row for row in json_rows("--json", "--all", self.path) if row["kind"] == "step"]),
                         self.events)

    def test_falsified(self):
        for event in (1, self.events // 2, self.events):
            self.record(str(event))
            self.fails(3, r"record \d+ at byte \d+: the step had \d+ effects in the agent, and has \d+ here")
            rows = json_rows("--json", "--all", self.path)
            self.assertEqual((rows[-1]["verdict"], rows[-1]["steps"]), ("differs", event))
            self.assertEqual([row["same"] for row in rows if row["kind"] == "step"], [True] * (event - 1) + [False])

    def test_damaged(self):
        content = self.journal()
        content[len(content) // 2 - len(content) // 2 % 4096 + 3] ^= 1
        self.write(content)
        self.fails(3, r"journal: is damaged at byte \d+, behind record \d+: it was whole up to byte \d+ once")
        self.write(self.journal()[:20000])
        self.fails(3, "damaged")

    def test_torn(self):
        content = self.journal()
        for tail in (b"\xb7", bytes(5000), b"anything at all"):
            self.write(content + tail)
            self.fails(0, "note: the last %d bytes are not complete" % len(tail))

    def test_no_journal(self):
        self.fails(1, "cannot be opened", os.path.join(self.path, "nothing"))
        self.fails(1, "expected the path of a journal", "--json")
        self.fails(1, "expected one journal", self.path, self.path)
        self.fails(1, "nonsense", self.path, "--nonsense")
        self.write(b"")
        self.fails(3, "no journal, or damaged")
        self.write(bytes(20000))
        self.fails(3, "no journal, or damaged")
        status, out, _ = run("--help")
        self.assertEqual(status, 0)
        self.assertIn("JOURNAL", out)

    def test_newer_format(self):
        content = self.journal()
        self.assertEqual(content[:16], b"stagger journal\n")
        content[16] = 9
        self.write(content)  # its check is wrong then: damage, not another format
        self.fails(3, "damaged")


def json_rows(*words):
    return [json.loads(line) for line in run(*words)[1].splitlines()]


if __name__ == "__main__":
    unittest.main()
