#!/usr/bin/env python3
"""Commands to a running agent, on a devnet: what they print, their exit statuses, and what the chain shows afterwards.

The agent's runtime is a script that asks the devnet to stop and start the node. The executable is named by the
environment variable STAGGER. Every failure prints the command.
"""
import json
import os
import pty
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import unittest

from test_devnet_cli import STAGGER, free_ports, run, until

DONE, USAGE, REFUSED, NO_AGENT, FAILED = range(5)
COMMANDS_PAGE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "node", "COMMANDS.md")

# The node's runtime: asks the devnet, says in `did` what it was told, and fails where a file `fail` says so.
RUNTIME = """#!/bin/sh
echo "$STAGGER_TURN_STEP target=$STAGGER_TURN_TARGET chain=$STAGGER_TURN_CHAIN" >> "{place}/did"
if [ -e "{place}/fail" ] && [ "$STAGGER_TURN_STEP" = reinit ]; then exit 3; fi
case $STAGGER_TURN_STEP in
stop) exec "{stagger}" devnet node stop 0 --dir "{place}/net" ;;
start | restore) exec "{stagger}" devnet node start 0 --dir "{place}/net" ;;
esac
"""


class Place:
    """A devnet of seven, and an agent beside node 0."""

    def __init__(self):
        self.path = tempfile.mkdtemp(prefix="stagger-control-")
        self.agent = None
        made = run("devnet", "--dir", self.file("net"), "--validators", 7, "--min-validators", 4, "--block-time",
                   "200ms", "--timeout-propose", "300ms", "--base-port", free_ports(16), "--detach")
        assert made.status == 0, made
        with open(self.file("runtime"), "w") as out:
            out.write(RUNTIME.format(place=self.path, stagger=STAGGER))
        os.chmod(self.file("runtime"), 0o700)
        with open(self.file("net", "agents", "0.conf")) as given, open(self.file("agent.conf"), "w") as out:
            out.write(given.read())
            out.write("[charter]\nblock_time = 200ms\njoins_max = 20\nround_blocks = 60\n[agent]\ndir = %s\nexpected = 5s\n[gossip]\noff = yes\n"
                      % self.file("agent"))
            out.write("[limits]\nretry = 200ms\nattempts = 2\n[runtime]\ndriver = command\n[command]\n")
            for step in ("stop", "reinit", "start", "restore"):
                out.write("%s = %s\n" % (step, self.file("runtime")))

    def file(self, *names):
        return os.path.join(self.path, *names)

    def start(self):
        self.log = open(self.file("agent.log"), "a")
        self.agent = subprocess.Popen([STAGGER, "run", "--config", self.file("agent.conf")], stdin=subprocess.DEVNULL,
                                      stdout=self.log, stderr=self.log)
        until(lambda: self.say("wait", "--for", "idle", "--timeout", "2s").status == DONE, "the agent runs")

    def end(self, how=signal.SIGTERM):
        if self.agent:
            self.agent.send_signal(how)
            self.agent.wait(30)
            self.log.close()
        self.agent = None

    def say(self, *words):
        return run(*words, "--config", self.file("agent.conf"))

    def background(self, *words):
        words = [STAGGER, *map(str, words), "--config", self.file("agent.conf")]
        return subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def status(self):
        done = self.say("status", "--json")
        return json.loads(done.out) if done.status == 0 else {}

    def on_chain(self):
        """Our validator as another node shows it."""
        done = run("chain", "validators", "--json", "--config", self.file("net", "agents", "1.conf"))
        return next(v for v in json.loads(done.out)["validators"] if v["moniker"] == "validator-0")

    def remove(self):
        self.end()
        run("devnet", "stop", "--dir", self.file("net"))
        shutil.rmtree(self.path)


class Commands(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.place = Place()
        cls.addClassCleanup(cls.place.remove)
        cls.place.start()

    def tearDown(self):
        """Every test leaves an agent that runs and has nothing to do."""
        if not self.place.agent:
            self.place.start()
        if os.path.exists(self.place.file("fail")):
            os.unlink(self.place.file("fail"))
        self.place.say("unhold")
        self.place.say("unpause")
        self.good("wait", "--for", "idle", "--timeout", "60s")

    def expect(self, status, *words):
        done = self.place.say(*words)
        self.assertEqual(done.status, status, done)
        return done

    def good(self, *words):
        done = self.expect(DONE, *words)
        self.assertEqual(done.err, "", done)
        return done

    def refused(self, status, part, *words):
        done = self.expect(status, *words)
        self.assertEqual(len(done.err.splitlines()), 1, done)
        self.assertIn("stagger %s: " % words[0], done.err)
        self.assertIn(part, done.err, done)
        return done

    # --- asking ---

    def test_status(self):
        done = self.good("status")
        for part in ("validator ", "state ", "budget 2, floor 5", "7 of 7 members are live", "down       nobody"):
            self.assertIn(part, done.out, done)
        status = self.place.status()
        self.assertEqual([status["ok"], status["errand"]], [True, "none"])
        self.assertIn(status["state"], ("IDLE", "DONE"))
        self.assertEqual([status["live"], status["draw"]["budget"], status["draw"]["floor"]], [7, 2, 5])
        self.assertEqual([status["why"], status["estimate"]], [None, None])
        # an endpoint that was looked at before it was up is looked at again within half a minute
        self.assertEqual([line for line in status["warnings"] if "Failed to connect" not in line], [])
        self.assertEqual(status["node"]["answers"], True)

    def test_status_keys_are_documented(self):
        with open(COMMANDS_PAGE) as file:
            page = file.read()
        section = page[page.index("## Commands to the agent"):]
        known = set(re.findall(r"\b[a-z][a-z0-9_]*\b", section))
        self.good("pause", "--reason", "keys", "--wait")

        def look(value):
            if isinstance(value, dict):
                for key, inner in value.items():
                    self.assertIn(key, known, "a key that node/COMMANDS.md does not name")
                    look(inner)
            elif isinstance(value, list):
                for inner in value:
                    look(inner)
        for words in (["status"], ["ok-to-stop"], ["turns", "--agent"], ["explain"], ["unpause"]):
            look(json.loads(self.place.say(*words, "--json").out))

    def test_ok_to_stop(self):
        self.assertIn("yes: ", self.good("ok-to-stop").out)
        self.good("hold")
        done = self.expect(1, "ok-to-stop")
        self.assertIn("  hold: ", done.out)
        done = self.expect(1, "ok-to-stop", "--json")
        self.assertEqual([r["code"] for r in json.loads(done.out)["reasons"]], ["hold"])
        self.good("unhold")
        self.assertEqual(json.loads(self.good("ok-to-stop", "--json").out)["ok_to_stop"], True)

    def test_turns_and_explain(self):
        done = self.good("turns", "--agent")
        self.assertRegex(done.out, r"^epoch \d+ of \S+: budget 2, floor 5, 7 live; 0 in line")
        self.assertRegex(done.out, r"\nwe: .* \[(no-join|paused-since|old-round)\]\n")
        turns = json.loads(self.good("turns", "--agent", "--json").out)
        self.assertEqual([turns["order"], turns["place"]], [[], None])
        self.good("hold")
        done = self.good("explain")
        self.assertIn("the operator says hold", done.out)
        self.assertIn("[hold]", done.out)
        epoch = json.loads(self.good("explain", "--json").out)["epoch"]
        self.assertIn("budget 2", self.good("explain", epoch - 1).out)
        self.refused(NO_AGENT, "has not begun", "explain", epoch + 1000)
        self.refused(USAGE, "expected an epoch", "explain", "soon")

    def test_wrong_words(self):
        self.refused(USAGE, "--reason is missing", "pause")
        self.refused(USAGE, "--expected", "pause", "--reason", "x", "--expected", "fast")
        self.refused(USAGE, "--reason", "pause", "--reason", "")
        self.refused(USAGE, "--reason", "pause", "--reason", "x" * 200)
        self.refused(USAGE, "--wait", "pause", "--reason", "x", "--timeout", "5s")
        self.refused(USAGE, "--for", "wait", "--for", "rain")
        self.refused(USAGE, "--to", "reboot", "--to", "a b")
        self.refused(USAGE, "--agent", "turns", "--agent", "--all")
        for command in ("status", "ok-to-stop", "hold", "unhold", "unfreeze", "unpause", "reboot", "explain", "wait"):
            self.refused(USAGE, "unknown option", command, "--nonsense")
            self.assertIn("usage: stagger " + command, run(command, "--help").out)

    # --- turns by hand ---

    def test_pause_and_unpause(self):
        done = self.good("pause", "--reason", "a new disk", "--expected", "20s", "--wait")
        self.assertIn("the node may be stopped now", done.out)
        ours = self.place.on_chain()
        self.assertEqual([ours["status"], ours["in_set"]], ["PAUSED", False])
        status = self.place.status()
        self.assertEqual([status["state"], status["operator_reason"]], ["OFFLINE", "a new disk"])
        self.assertEqual([d["me"] for d in status["down"]], [True])
        self.assertEqual(status["estimate"]["what"], "return")
        self.assertLess(status["estimate"]["in_ms"], 25000)
        self.good("ok-to-stop")
        self.refused(REFUSED, "under way", "pause", "--reason", "again")
        self.assertIn("in the set", self.good("unpause", "--wait", "--timeout", "60s").out)
        ours = self.place.on_chain()
        self.assertEqual([ours["status"], ours["in_set"]], ["ACTIVE", True])
        self.refused(REFUSED, "nothing to unpause", "unpause", "--wait")

    def test_pause_by_force(self):
        done = self.good("pause", "--reason", "smoke", "--force", "--wait")
        self.assertIn("without a permit", done.out)
        if "-> permit" not in done.out:  # it came too late for its epoch, and was asked for again with a permit
            self.assertEqual(self.place.status()["forced"], True)
        self.good("unpause", "--wait")

    def test_a_pause_that_has_to_wait(self):
        self.good("hold")
        waiting = self.place.background("pause", "--reason", "disk", "--wait")
        line = waiting.stdout.readline()
        self.assertIn("the operator says pause", line)
        status = self.place.status()
        self.assertEqual([status["errand"], status["why"]["code"]], ["maintenance", "hold"])
        self.assertEqual(status["estimate"]["known"], False)
        self.good("unpause")
        out, err = waiting.communicate(timeout=60)
        self.assertEqual([waiting.returncode, "called off" in err], [FAILED, True], out + err)

    # --- reboots ---

    def test_reboot(self):
        open(self.place.file("did"), "w").close()
        done = self.good("reboot", "--to", "v2", "--wait", "--timeout", "90s")
        self.assertIn("rebooted, and in the set again", done.out)
        with open(self.place.file("did")) as file:
            lines = file.read().splitlines()
        self.assertEqual([line.split()[0] for line in lines], ["stop", "reinit", "start"])
        self.assertTrue(all("target=v2" in line for line in lines), lines)
        self.assertEqual(self.place.on_chain()["in_set"], True)

    def test_reboot_that_fails(self):
        open(self.place.file("fail"), "w").close()
        done = self.expect(FAILED, "reboot", "--to", "v3", "--wait", "--timeout", "90s")
        self.assertIn("given up", done.err)
        self.assertIn("restoring", done.out)
        self.assertEqual(self.place.status()["gave_up"], True)
        self.assertEqual(self.place.on_chain()["in_set"], True)
        self.assertIn("gave up", self.good("status").out)
        os.unlink(self.place.file("fail"))
        self.good("reboot", "--wait", "--timeout", "90s")
        self.assertEqual(self.place.status()["gave_up"], False)

    # --- waiting ---

    def test_wait(self):
        self.assertIn("nothing is open", self.good("wait").out)
        self.refused(FAILED, "--timeout", "wait", "--for", "out", "--timeout", "300ms")
        out = self.place.background("wait", "--for", "out", "--json")
        first = json.loads(out.stdout.readline())
        self.assertEqual([first["ok"], first["more"]], [True, True])
        self.good("pause", "--reason", "disk")
        rest, err = out.communicate(timeout=60)
        self.assertEqual([out.returncode, json.loads(rest.splitlines()[-1])["code"]], [DONE, "out"], rest + err)
        back = self.place.background("wait", "--for", "back")
        back.stdout.readline()
        self.good("unpause")
        self.assertEqual([back.wait(60), back.stderr.read()], [DONE, ""])
        back.stdout.close()
        back.stderr.close()

    def test_watch(self):
        watch = self.place.background("status", "--watch")
        while "gossip" not in watch.stdout.readline():
            pass
        self.good("hold")
        while "the operator says hold" not in watch.stdout.readline():
            pass
        watch.terminate()
        watch.communicate()

    def test_watch_on_a_terminal(self):
        main, other = pty.openpty()
        words = [STAGGER, "status", "--watch", "--config", self.place.file("agent.conf")]
        watch = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=other, stderr=other)
        os.close(other)
        seen = b""
        while seen.count(b"\x1b[H") < 3:  # a page for every block
            seen += os.read(main, 65536)
        watch.terminate()
        watch.wait(30)
        os.close(main)
        self.assertIn(b"7 of 7 members are live", seen)

    # --- agents that come and go ---

    def test_no_agent(self):
        self.place.end()
        self.assertFalse(os.path.exists(self.place.file("agent", "control")))
        for words in (["status"], ["ok-to-stop"], ["pause", "--reason", "x"], ["unpause"], ["hold"], ["unhold"], ["wait"],
                      ["unfreeze"], ["reboot"], ["explain"], ["turns", "--agent"]):
            self.refused(NO_AGENT, "stagger run", *words)
        done = run("status", "--dir", self.place.file("nowhere"))
        self.assertEqual(done.status, NO_AGENT, done)

    def test_killed_while_somebody_waits(self):
        waiting = self.place.background("wait", "--for", "out")
        waiting.stdout.readline()
        self.place.end(signal.SIGKILL)
        out, err = waiting.communicate(timeout=60)
        self.assertEqual(waiting.returncode, NO_AGENT, out + err)
        self.refused(NO_AGENT, "does not run", "status")
        self.place.start()
        self.good("status")

    def test_stopped_while_somebody_waits(self):
        waiting = self.place.background("wait", "--for", "out")
        waiting.stdout.readline()
        self.place.end()
        out, err = waiting.communicate(timeout=60)
        self.assertEqual([waiting.returncode, "the agent stops" in err], [FAILED, True], out + err)

    def test_the_socket_is_ours_alone(self):
        mode = os.stat(self.place.file("agent", "control")).st_mode
        self.assertEqual([stat.S_ISSOCK(mode), stat.S_IMODE(mode)], [True, 0o600])
        self.assertEqual(stat.S_IMODE(os.stat(self.place.file("agent")).st_mode), 0o700)
        second = run("run", "--config", self.place.file("agent.conf"))
        self.assertEqual(second.status, USAGE, second)
        self.assertIn("another agent", second.err)
        self.good("status")


if __name__ == "__main__":
    if not STAGGER:
        print("STAGGER is not set")
        sys.exit(77)
    unittest.main(verbosity=2)
