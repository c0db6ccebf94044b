#!/usr/bin/env python3
"""An agent that is stopped in order, in whatever state of a turn: it says so, ends with 0 and leaves the node alone; the
next start finishes the work without being told anew. And SIGHUP, in the middle of it too.

A devnet of four; the agent's runtime is the process driver over `stagger devnet node run`, and a hook that waits where the
test wants to look.
"""
import os
import signal
import sys
import unittest

from agent_case import Agent
from net import STAGGER, Devnet, need_stagger, poll

QUICK = ("--block-time", "300ms", "--timeout-propose", "300ms", "--min-validators", "2")
PORT = 24100
STATES = ("JOINING", "WAITING", "PAUSING", "PAUSED", "OFFLINE", "SYNCING", "UNPAUSING", "SETTLING", "DONE")
AWAY = STATES[2:8]


class Life(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.net = cls.enterClassContext(Devnet("kira", 4, *QUICK, "--base-port", str(PORT)))
        cls.net.wait_height(4)
        cls.net.node("stop", 0)
        cls.agent = cls.enterClassContext(Agent(cls.net, 0, {
            "agent.log": "debug", "runtime.driver": "process", "process.home": "home", "process.name": "node",
            "process.restart": "300ms", "limits.retry": "300ms"}))
        for version in ("genesis", "upgrades/v2", "upgrades/v3"):
            cls.make_binary(cls.agent.place / "home/cosmovisor" / version / "bin")

    @classmethod
    def make_binary(cls, folder):
        folder.mkdir(parents=True)
        path = folder / "node"
        path.write_text(f'#!/bin/sh\nexec "{STAGGER}" devnet node run 0 --dir "{cls.net.dir}" '
                        f"--software {folder.parent.name}\n")
        path.chmod(0o700)

    @classmethod
    def tearDownClass(cls):
        cls.agent.kill()
        pid = cls.net.pid(0)
        if pid:
            os.kill(pid, signal.SIGTERM)

    def setUp(self):
        if not self.agent.process:
            self.agent.start()
        self.at_rest()

    def at_rest(self):
        self.agent.runs()
        self.agent.until(lambda s: s["in_set"] and s["errand"] == "none" and s["state"] in ("IDLE", "DONE") and
                         s["node"]["answers"] and not s["node"]["catching_up"], "the agent has nothing to do")
        status, said = self.agent.command("wait", "--for", "idle", "--timeout", "60s")
        self.assertEqual(status, 0, said)

    def software(self):
        return self.net.call(0, "abci_info")["response"]["version"]

    def other_version(self):
        return "v3" if self.software() == "v2" else "v2"

    def ends(self, state):
        """SIGTERM; the node runs on if it ran."""
        node = self.net.pid(0)
        self.assertEqual(self.agent.stop(), 0, self.agent.tail())
        self.assertFalse((self.agent.dir / "control").exists())
        if state in AWAY:
            self.assertIn("the next start finishes it", self.agent.lines()[-1])
        if state not in ("OFFLINE", "SYNCING", "LEFT"):  # there the driver may be at it
            self.assertEqual(self.net.pid(0), node)

    def finishes(self, version):
        """By itself, and the chain says so too."""
        poll(lambda: self.net.answers(0) and self.software() == version, f"the node runs {version}", 120)
        self.at_rest()
        head = self.net.height()
        self.assertIn(self.net.address(0), self.net.members(head + 1))

    def test_stop_in_every_state(self):
        """The states are seen in order; one that is over before it was seen is left for another turn."""
        seen, left = set(), set(STATES) - {"DONE"}
        for turn in range(4 * len(STATES)):
            wanted = [state for state in STATES if state in left]
            if not wanted:
                break
            state, version = wanted[turn % len(wanted)], self.other_version()
            self.agent.forget()
            self.assertEqual(self.agent.talk("reboot", to=version)["ok"], True)
            if self.stop_in(state):
                seen.add(state)
                left.discard(state)
                self.agent.start()
            self.finishes(version)
        self.assertLessEqual(left, {"JOINING", "PAUSED", "SETTLING"}, "these were never seen")
        self.assertGreaterEqual(len(seen), 5)

    def stop_in(self, state):
        """False: the turn was over before."""
        def there():
            now = self.agent.status()["state"]
            return now if now == state or now == "DONE" else None
        now = self.agent.asked(there, f"the turn is in {state}")
        if now == "DONE" != state:
            return False
        self.ends(state)
        return True

    def test_stop_again_and_again(self):
        """As somebody does who restarts a service that looks stuck."""
        version = self.other_version()
        self.assertEqual(self.agent.talk("reboot", to=version)["ok"], True)
        while self.agent.status()["errand"] != "none" or self.agent.status()["state"] not in ("IDLE", "DONE"):
            self.assertEqual(self.agent.stop(), 0)
            self.agent.start()
            self.agent.until(lambda s: s["stage"] == "running", "it runs")
            self.net.next_blocks(4, 1)  # a life of about a second
        self.finishes(version)

    def test_stop_while_paused_by_hand(self):
        """Maintenance: what the operator wants stands over any number of starts."""
        status, said = self.agent.command("pause", "--reason", "a new disk", "--wait", "--timeout", "60s")
        self.assertEqual(status, 0, said)
        for _ in range(3):
            self.ends("OFFLINE")
            self.agent.start()
            status = self.agent.until(lambda s: s["stage"] == "running", "it runs")
            self.assertEqual([status["state"], status["errand"], status["operator_reason"]],
                             ["OFFLINE", "maintenance", "a new disk"])
        status, said = self.agent.command("unpause", "--wait", "--timeout", "60s")
        self.assertEqual(status, 0, said)

    def test_settings_read_again_in_a_turn(self):
        """SIGHUP in every state that comes by; limits count at once."""
        version = self.other_version()
        self.agent.write(limits__hours="00:00-00:01")
        self.agent.signal(signal.SIGHUP)
        self.agent.says("settings read again")
        self.assertEqual(self.agent.talk("reboot", to=version)["ok"], True)
        self.agent.until(lambda s: s["why"] and s["why"]["code"] in ("hours",), "outside of the hours")
        self.agent.write(limits__hours="a while")
        self.agent.forget()
        self.agent.signal(signal.SIGHUP)
        self.agent.says("the settings stay as they were")
        self.agent.until(lambda s: s["why"] and s["why"]["code"] in ("hours",), "as before")
        self.agent.write(limits__hours=None, chain__others=self.net.urls[1])
        self.agent.forget()
        self.agent.signal(signal.SIGHUP)
        self.agent.says("chain.others has changed: it takes effect at the next start")
        states = set()
        while True:
            status = self.agent.status()
            states.add(status["state"])
            self.agent.signal(signal.SIGHUP)
            if status["errand"] == "none" and status["state"] in ("IDLE", "DONE"):
                break
            self.agent.until(lambda s, last=status["state"]: s["state"] != last or s["errand"] == "none", "it goes on")
        self.assertGreaterEqual(len(states), 4, states)
        self.finishes(version)
        self.agent.write(chain__others=None)


if __name__ == "__main__":
    need_stagger()
    unittest.main(verbosity=2 if sys.stdout.isatty() else 1)
