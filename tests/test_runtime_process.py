#!/usr/bin/env python3
"""The driver "process": a node that outlives its agent, in cosmovisor's tree.

    RUNTIME_TOOL=build/dev/tests/runtime_tool python3 tests/test_runtime_process.py [TEST...]

$COSMOVISOR names cosmovisor 1.5.0, if it is there: then it runs the tree that we have switched.
"""
import json
import os
import signal
import subprocess
import sys
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from runtime_case import Home, alive, wait_for  # noqa: E402

AT_ONCE = 8
NEVER = 1000000


def up(home, *flags, **more):
    """A tool whose node runs, and its process number."""
    tool = home.node(*flags, **more)
    tool.say("supervise")
    assert tool.until("changed up"), tool.lines
    wait_for(home.running, "a node runs")
    return tool, home.running()[0][0]


class Steps(unittest.TestCase):
    def test_a_turn(self):
        with Home("v2") as home:
            tool, first = up(home)
            self.assertEqual(tool.ask("aim v2", "aimed", "fault"), "aimed v2")
            self.assertEqual(tool.step("stop"), "ended stop ok noded is down")
            self.assertFalse(alive(first))
            self.assertEqual(tool.step("reinit"), "ended reinit ok current is v2")
            self.assertEqual(home.current(), "upgrades/v2")
            self.assertRegex(tool.step("start"), r"^ended start ok noded runs \(pid \d+\)$")
            self.assertEqual([version for _, version in home.running()], ["upgrades/v2"])
            self.assertEqual([word for word, _, _ in home.events()], ["start", "end", "start"])

    def test_each_step_again_is_harmless(self):
        with Home("v2") as home:
            tool, _ = up(home)
            tool.ask("aim v2", "aimed")
            for step in ("stop", "stop", "reinit", "reinit", "start", "start", "restore", "restore"):
                self.assertRegex(tool.step(step), f"^ended {step} ok")
            self.assertEqual(home.current(), "genesis")
            self.assertEqual(len(home.running()), 1)

    def test_restore_goes_back_to_what_was_there_before(self):
        with Home("v2", "v3") as home:
            tool, _ = up(home)
            for version in ("v2", "v3"):
                tool.ask(f"aim {version}", "aimed")
                for step in ("stop", "reinit", "start"):
                    self.assertIn(" ok ", tool.step(step))
            tool.kill()
            tool = home.node()
            self.assertRegex(tool.step("restore"), r"^ended restore ok noded runs \(pid \d+\), restored: v2$")
            self.assertEqual(home.running()[0][1], "upgrades/v2")

    def test_a_plain_reboot_changes_nothing(self):
        with Home("v2") as home:
            tool, first = up(home)
            for step in ("stop", "reinit", "start"):
                self.assertIn(" ok ", tool.step(step))
            (second, version), = home.running()
            self.assertEqual((version, first == second), ("genesis", False))
            self.assertIn(" ok ", tool.step("restore"))
            self.assertEqual(home.current(), "genesis")

    def test_what_was_replaced_is_of_one_turn(self):
        """A later turn with nothing new must not bring the version before the last one back."""
        with Home("v2") as home:
            tool, _ = up(home)
            tool.ask("aim v2", "aimed")
            for step in ("stop", "reinit", "start", "stop", "reinit", "start", "restore"):
                self.assertIn(" ok ", tool.step(step))
            self.assertEqual(home.current(), "upgrades/v2")

    def test_nothing_is_switched_when_it_cannot_be_noted(self):
        with Home("v2") as home:
            tool, _ = up(home)
            tool.ask("aim v2", "aimed")
            tool.step("stop")
            tool.quit()
            tool = home.node(environment={"RUNTIME_TOOL_FORGETS": "1"})
            self.assertRegex(tool.step("reinit"), "^ended reinit failed nothing was done: .* journal")
            self.assertEqual(home.current(), "genesis")
            self.assertRegex(tool.ask("aim genesis", "aimed", "fault"), "^fault the target cannot be kept")


class Supervision(unittest.TestCase):
    def test_adopts_after_kill(self):
        with Home() as home:
            tool, pid = up(home)
            tool.kill()
            self.assertTrue(alive(pid))
            tool = home.node()
            tool.say("supervise")
            self.assertEqual(tool.until("changed"), f"changed up noded runs (pid {pid})")
            self.assertIn(" ok ", tool.step("stop"))
            self.assertFalse(alive(pid))
            self.assertEqual([word for word, _, _ in home.events()], ["start", "end"])

    def test_a_stopped_agent_leaves_it(self):
        with Home() as home:
            tool, pid = up(home)
            self.assertEqual(tool.quit("stop"), 0)
            self.assertTrue(alive(pid))

    def test_on_stop(self):
        with Home() as home:
            tool, pid = up(home, "--process-on-stop=stop")
            tool.kill()
            self.assertTrue(alive(pid), "only a stop that was asked for takes it down")
            tool = home.node("--process-on-stop=stop")
            self.assertEqual(tool.quit("stop"), 0)
            self.assertFalse(alive(pid))
            self.assertEqual(home.events()[-1][0], "end")

    def test_on_stop_of_a_deaf_one(self):
        with Home() as home:
            home.behave("deaf")
            tool, pid = up(home, "--process-on-stop=stop", "--process-grace=50ms")
            self.assertEqual(tool.quit("stop"), 0)
            self.assertFalse(alive(pid))

    def test_starts_again_what_ended(self):
        with Home() as home:
            tool, first = up(home)
            os.kill(first, signal.SIGKILL)
            self.assertRegex(tool.until("changed starting"), r"was ended by signal 9 \(Killed\); it is started again in")
            tool.until("changed up")
            wait_for(lambda: home.running() and home.running()[0][0] != first, "another one runs")
            # the same for one that was taken over
            tool.kill()
            tool = home.node()
            second = home.running()[0][0]
            tool.say("supervise")
            tool.until("changed up")
            os.kill(second, signal.SIGKILL)
            self.assertRegex(tool.until("changed starting"), "noded ended; it is started again in")
            tool.until("changed up")
            wait_for(lambda: home.running() and home.running()[0][0] != second, "another one runs")
            self.assertNotIn("second", [word for word, _, _ in home.events()])

    def test_pauses_double(self):
        with Home() as home:
            home.behave("crash")
            tool = home.node()
            tool.say("supervise")
            pauses = [tool.until("changed starting").rpartition(" ")[2] for _ in range(6)]
            self.assertEqual(pauses, ["10ms", "20ms", "40ms", "80ms", "160ms", "320ms"])

    def test_not_while_it_is_meant_to_be_down(self):
        with Home() as home:
            tool, first = up(home)
            tool.say("rest")
            tool.ask("state", "state")
            os.kill(first, signal.SIGKILL)
            self.assertEqual(tool.until("changed"), "changed down noded was ended by signal 9 (Killed)")
            self.assertEqual(tool.ask("state", "state").split()[1], "down")
            home.behave("crash")
            tool.say("supervise")
            tool.until("changed starting")
            self.assertIn(" ok ", tool.step("stop"))
            begun = len(home.events())
            tool.kill()
            tool = home.node()
            self.assertEqual(tool.ask("state", "state").split()[1], "down")
            self.assertEqual(len(home.events()), begun)

    def test_start_waits_for_the_pause_of_one_that_crashes(self):
        with Home() as home:
            home.behave("crash")
            tool = home.node("--process-restart=300ms")
            tool.say("supervise")
            tool.until("changed starting")
            home.behave("")
            begun = len(home.events())
            self.assertIn("ended start ok", tool.step("start"))
            self.assertEqual(len(home.events()), begun + 1)

    def test_a_start_that_does_not_last(self):
        with Home() as home:
            home.behave("crash")
            tool = home.node()
            self.assertEqual(tool.step("start"), "ended start failed noded ended with status 3 right after its start;"
                             " its last line: no such ? database")
            self.assertEqual(tool.ask("state", "state").split()[1], "down")
            self.assertEqual(len(home.events()), 1)

    def test_deaf(self):
        with Home() as home:
            home.behave("deaf")
            tool, pid = up(home, "--process-grace=50ms")
            self.assertIn("ended stop ok", tool.step("stop"))
            self.assertFalse(alive(pid))
            self.assertIn("changed down noded was ended by signal 9 (Killed)", tool.lines)

    def test_no_grace(self):
        with Home() as home:
            tool, _ = up(home, "--process-grace=0ms")
            self.assertIn("ended stop ok", tool.step("stop"))
            self.assertEqual([word for word, _, _ in home.events()], ["start"], "it had no time to say farewell")

    def test_children_are_part_of_it(self):
        for how in ("step", "crash", "crash without us"):
            with self.subTest(how), Home() as home:
                home.behave("child")
                tool, pid = up(home, "--process-grace=100ms")
                wait_for(lambda: any(e[0] == "child" for e in home.events()), "there is a child")
                child = next(e[1] for e in home.events() if e[0] == "child")
                home.behave("")
                if how == "step":
                    self.assertIn("ended stop ok", tool.step("stop"))
                elif how == "crash":
                    os.kill(pid, signal.SIGKILL)
                    tool.until("changed starting")
                else:
                    tool.kill()
                    os.kill(pid, signal.SIGKILL)
                    wait_for(lambda: not alive(pid), "it is gone")
                    tool = home.node("--process-grace=100ms")
                    self.assertIn("ended stop ok", tool.step("stop"))
                self.assertFalse(alive(child))

    def test_a_torn_file(self):
        for text in ("", "pid 1", "pid 999999999999 start x", "pid -5 start 1 boot 0\n", "\0" * 100, "x" * 5000,
                     "pid 1 start 1 boot 00000000-0000-0000-0000-000000000000\n"):
            with self.subTest(text=text[:20]), Home() as home:
                tool, pid = up(home)
                tool.kill()
                (home.home / "stagger.pid").write_text(text, encoding="ascii")
                tool = home.node()
                tool.say("supervise")
                self.assertEqual(tool.until("changed"), f"changed up noded runs (pid {pid})")
                self.assertIn(" ok ", tool.step("stop"))
                self.assertFalse(alive(pid))

    def test_a_number_that_somebody_else_has(self):
        """The same number, and not the same start or boot: it is left alone."""
        with Home() as home, subprocess.Popen(["sleep", "1000"]) as other:
            try:
                tool, pid = up(home)
                text = (home.home / "stagger.pid").read_text(encoding="ascii")
                self.assertIn("ended stop ok", tool.step("stop"))
                tool.quit()
                words = text.split(" ")
                words[1], words[3] = str(other.pid), str(int(words[3]) + 1000)
                (home.home / "stagger.pid").write_text(" ".join(words), encoding="ascii")
                tool, _ = up(home)
                self.assertIn("ended stop ok", tool.step("stop"))
                self.assertIsNone(other.poll())
            finally:
                other.kill()

    def test_two_agents(self):
        """Each has a folder of its own; the node's home has one node."""
        with Home() as home:
            up(home)
            home.agent = home.folder / "another"
            home.agent.mkdir()
            other = home.node()
            other.say("supervise")
            self.assertIn("changed up", other.until("changed"))
            self.assertEqual(len(home.events()), 1)

    def test_the_journal_of_systemd_is_shared(self):
        with Home() as home:
            about = os.stat("/proc/self/fd/2")
            up(home, environment={"JOURNAL_STREAM": f"{about.st_dev}:{about.st_ino}"})
            self.assertFalse((home.agent / "node.log").exists())

    def test_the_log(self):
        with Home() as home:
            log = home.agent / "node.log"
            log.write_bytes(b"old\n" * (5 << 20))
            up(home)
            wait_for(lambda: log.read_text(encoding="ascii") == "a node begins\n", "the node has begun")
            self.assertEqual((home.agent / "node.log.1").stat().st_size, 20 << 20)


class Settings(unittest.TestCase):
    def refuse(self, home, pattern, *flags, environment=None):
        tool = home.tool("--runtime=process", *flags, environment=environment)
        self.assertRegex(tool.until("fault", "ready"), pattern)
        self.assertEqual(tool.quit(), 1)

    def test_wrong_ones(self):
        with Home() as home:
            at, name = f"--process-home={home.home}", "--process-name=noded"
            self.refuse(home, "^fault process.home: not set, and neither is DAEMON_HOME", name)
            self.refuse(home, "^fault process.name: not set, and neither is DAEMON_NAME", at)
            self.refuse(home, "^fault process.name: .*is no name of a file", at, "--process-name=bin/noded")
            self.refuse(home, "^fault process.name: .*is no name of a file", at, "--process-name=..")
            self.refuse(home, "^fault process.home: .*No such file.*cosmovisor/genesis/bin", name, "--process-home=/nowhere")
            self.refuse(home, "^fault process.home: its path is longer", name, "--process-home=/" + "x" * 3000)
            self.refuse(home, "^fault .*args: a quotation mark", at, name, "--process-args=start 'x")
            self.refuse(home, "^fault .*pre.stop: a quotation mark", at, name, "--pre-stop='x")
            for grace in ("30", "-1s", "0s", "11m", "1x", "1m60", "9999999999h"):
                self.refuse(home, '^fault DAEMON_SHUTDOWN_GRACE in the environment: "', at, name,
                            environment={"DAEMON_SHUTDOWN_GRACE": grace})
            self.refuse(home, "^fault COSMOVISOR_DISABLE_RECASE in the environment: .*expected true or false", at, name,
                        environment={"COSMOVISOR_DISABLE_RECASE": "yes"})

    def test_cosmovisors_variables(self):
        with Home() as home:
            home.behave("deaf")
            variables = {"DAEMON_HOME": f"{home.home}/", "DAEMON_NAME": "noded", "DAEMON_SHUTDOWN_GRACE": "0.01s40ms",
                         "DAEMON_RESTART_DELAY": "7ms", "NOTIFY_SOCKET": "/nowhere"}
            tool = home.tool("--runtime=process", "--process-args=node", environment=variables)
            tool.say("supervise")
            tool.until("changed up")
            wait_for(home.running, "it runs")
            pid = home.running()[0][0]
            given = dict(v.split("=", 1) for v in
                         Path(f"/proc/{pid}/environ").read_text(encoding="utf-8").split("\0") if v)
            self.assertEqual((given["DAEMON_HOME"], given["DAEMON_NAME"]), (str(home.home), "noded"))
            self.assertNotIn("NOTIFY_SOCKET", given)
            self.assertEqual(os.getsid(pid), pid)
            os.kill(pid, signal.SIGKILL)
            self.assertTrue(tool.until("changed starting").endswith("in 10ms"))
            tool.until("changed up")
            self.assertIn("ended stop ok", tool.step("stop"))

    def test_settings_win(self):
        with Home() as home:
            up(home, environment={"DAEMON_HOME": "/nowhere", "DAEMON_NAME": "nothing", "DAEMON_RESTART_DELAY": "5x"})

    def test_targets(self):
        with Home("v2", "v%2B1%23", "v+3") as home:
            (home.tree / "upgrades" / "Cased" / "bin").mkdir(parents=True)
            (home.tree / "upgrades" / "empty" / "bin" / "noded").mkdir(parents=True)
            locked = home.add("upgrades/locked")
            locked.unlink()
            locked.write_text("x", encoding="ascii")
            tool = home.node()
            for target, answer in (
                    ("v2", "^checked ok .*/upgrades/v2/bin/noded is there"),
                    ("V2", "^checked ok .*/upgrades/v2/bin/noded is there"),
                    ("", "^checked ok .*/genesis/bin/noded is there"),
                    ("genesis", "^checked ok .*/genesis/bin/noded is there"),
                    ("v+3", "^checked ok .*/upgrades/v[+]3/bin/noded is there"),
                    ("v9", "^checked failed .*/upgrades/v9/bin/noded: there is no such file; put the binary there"),
                    ("Cased", "^checked failed .*/cased/bin/noded: .*/Cased is there: rename it to lower case"),
                    ("empty", "^checked failed .*/noded: is no file"),
                    ("locked", "^checked failed .*cannot be executed: Permission denied; chmod"),
                    ("..", "^checked failed .*is no version"),
                    (".", "^checked failed .*is no version"),
                    ("../../x", "^checked failed .*is no version"),
                    ("/bin/sh", "^checked failed .*is no version"),
                    ("x" * 250, "^checked failed .*is no target"),
                    ("a b", "^checked failed .*is no target")):
                with self.subTest(target):
                    self.assertRegex(tool.ask(f"check {target}", "checked"), answer)
            self.assertRegex(tool.ask("aim a b", "aimed", "fault"), "^fault .*is no target")
            tool.ask("aim ../../x", "aimed")
            self.assertRegex(tool.step("reinit"), "^ended reinit failed .*is no version")
            self.assertFalse((home.tree / "current").is_symlink())

    def test_as_written(self):
        with Home("V2") as home:
            tool = home.node(environment={"COSMOVISOR_DISABLE_RECASE": "True"})
            self.assertIn("ok", tool.ask("check V2", "checked"))
            self.assertIn("failed", tool.ask("check v2", "checked"))

    def test_what_cannot_be_run(self):
        with Home() as home:
            binary = home.tree / "genesis" / "bin" / "noded"
            binary.unlink()
            binary.write_text("no program\n", encoding="ascii")
            binary.chmod(0o755)
            tool = home.node()
            self.assertRegex(tool.step("start"), "^ended start failed .*/genesis/bin/noded: cannot be run: Exec format error")
            tool.say("supervise")
            self.assertRegex(tool.until("changed starting"), "cannot be run: Exec format error; it is started again in 10ms")
            binary.unlink()
            self.assertRegex(tool.until("changed starting .*", "changed starting"), "noded: ")
            os.symlink(os.environ["RUNTIME_TOOL"], binary)
            self.assertRegex(tool.until("changed up"), "runs")


class Link(unittest.TestCase):
    def test_first_use(self):
        with Home() as home:
            up(home)
            self.assertEqual(os.readlink(home.tree / "current"), str(home.tree / "genesis"))

    def switch(self, home, target):
        tool = home.node()
        tool.ask(f"aim {target}", "aimed")
        answer = tool.step("reinit")
        tool.quit()
        return answer

    def test_the_form_stays(self):
        for link, after in (("{}/upgrades/v1", "{}/upgrades/v2"), ("upgrades/v1", "upgrades/v2"),
                            ("./genesis/", "upgrades/v2"), ("{}/genesis/", "{}/upgrades/v2")):
            with self.subTest(link), Home("v1", "v2") as home:
                os.symlink(link.format(home.tree), home.tree / "current")
                self.assertEqual(self.switch(home, "v2"), "ended reinit ok current is v2")
                self.assertEqual(os.readlink(home.tree / "current"), after.format(home.tree))

    def test_a_home_by_another_name(self):
        with Home("v1", "v2") as home:
            real = home.folder / "real"
            os.rename(home.home, real)
            os.symlink(real, home.home)
            os.symlink(real / "cosmovisor" / "upgrades" / "v1", home.tree / "current")
            self.assertEqual(self.switch(home, "v2"), "ended reinit ok current is v2")

    def test_leads_nowhere(self):
        with Home("v2") as home:
            os.symlink(home.tree / "upgrades" / "gone", home.tree / "current")
            tool = home.node()
            self.assertRegex(tool.step("start"), "^ended start failed .*/upgrades/gone/bin/noded: there is no such file")
            self.assertEqual(self.switch(home, "v2"), "ended reinit ok current is v2")

    def test_leads_elsewhere(self):
        for link in ("/bin", "../..", "upgrades/../genesis", "upgrades", "upgrades/a/b", "upgrades/%zz"):
            with self.subTest(link), Home("v2") as home:
                os.symlink(link, home.tree / "current")
                self.assertRegex(self.switch(home, "v2"), "^ended reinit failed .*/current leads to .*; expected")
                self.assertEqual(os.readlink(home.tree / "current"), link)

    def test_is_none(self):
        with Home("v2") as home:
            (home.tree / "current").mkdir()
            self.assertRegex(self.switch(home, "v2"), "^ended reinit failed .*/current: is no symbolic link; move it away")

    def info(self, home, version):
        file = home.tree / version / "upgrade-info.json"
        return json.loads(file.read_text(encoding="ascii"))["name"] if file.exists() else None

    def test_upgrade_info(self):
        """What cosmovisor compares when it starts."""
        chain = '{"name":"%s","time":"0001-01-01T00:00:00Z","height":66}'
        with Home("v1", "v2", "patch") as home:
            (home.home / "data" / "upgrade-info.json").write_text(chain % "V1", encoding="ascii")
            self.assertIn(" ok ", self.switch(home, "patch"))
            self.assertIsNone(self.info(home, "upgrades/patch"), "there was none before, and the chain's is of another")
            self.assertIn(" ok ", self.switch(home, "v1"))
            self.assertEqual(self.info(home, "upgrades/v1"), "V1")
            self.assertIn(" ok ", self.switch(home, "patch"))
            self.assertEqual(self.info(home, "upgrades/patch"), "V1", "cosmovisor would go back to v1")
            (home.home / "data" / "upgrade-info.json").write_text(chain % "v2", encoding="ascii")
            self.assertIn(" ok ", self.switch(home, "v2"))
            self.assertEqual(self.info(home, "upgrades/v2"), "v2")
            self.assertIn(" ok ", self.switch(home, "genesis"))
            self.assertIsNone(self.info(home, "genesis"))
            for rubbish in ("", "[", "[]", '{"name":7}', "\0"):
                (home.home / "data" / "upgrade-info.json").write_text(rubbish, encoding="ascii")
                self.assertIn(" ok ", self.switch(home, "v1"))
                self.assertEqual(self.info(home, "upgrades/v1"), "V1")

    @unittest.skipUnless(os.environ.get("COSMOVISOR"), "COSMOVISOR names no cosmovisor")
    def test_cosmovisor_runs_it(self):
        chain = '{"name":"v1","time":"0001-01-01T00:00:00Z","height":66}'
        with Home("v1", "patch") as home:
            (home.home / "data" / "upgrade-info.json").write_text(chain, encoding="ascii")
            for target in ("v1", "patch"):
                self.assertIn(" ok ", self.switch(home, target))
            variables = {**os.environ, "DAEMON_HOME": str(home.home), "DAEMON_NAME": "noded", "UNSAFE_SKIP_BACKUP": "true"}
            with subprocess.Popen([os.environ["COSMOVISOR"], "run", "node"], env=variables,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as cosmovisor:
                wait_for(home.running, "a node runs")
                for line in cosmovisor.stdout:
                    if "a node begins" in line:
                        break
                cosmovisor.terminate()
                cosmovisor.stdout.read()
            self.assertEqual([e[2] for e in home.events() if e[0] == "start"], ["upgrades/patch"])
            self.assertEqual(home.current(), "upgrades/patch")


class Death(unittest.TestCase):
    """The agent is killed before each of its calls that change something, and the next one goes on as the core has it do:
    the step that was under way again, then those that follow."""

    STEPS = ("supervise", "stop", "reinit", "start", "restore")

    def one(self, tool, step):
        tool.say(step if step == "supervise" else f"step {step}")
        return tool.until("changed up" if step == "supervise" else f"ended {step}")

    def go_on(self, home, first):
        tool = home.node()
        for step in self.STEPS[first:-1]:
            line = self.one(tool, step)
            self.assertTrue(line and " failed " not in line, (step, tool.lines))
        tool.quit()

    def at_point(self, point):
        """None, or how many points there are: it was not killed."""
        with Home("v2") as home:
            tool = home.node(environment={"RUNTIME_TOOL_DIE": str(point)})
            tool.say("aim v2")
            at = 0
            for at, step in enumerate(self.STEPS):
                if self.one(tool, step) is None:
                    break
                self.assertIn(home.current(), ("genesis", "upgrades/v2"))
            if not tool.ended:
                calls = tool.ask("quit", "calls")
                tool.close()
                return int(calls.split()[1])
            tool.close()
            try:
                if self.STEPS[at] != "supervise" or home.current() != "current":  # it was the first use
                    self.assertIn(home.current(), ("genesis", "upgrades/v2"))
                if self.STEPS[at] == "restore":
                    tool = home.node()
                    self.assertIn("ended restore ok", tool.step("restore"))
                    version = "genesis"
                else:
                    kept = home.agent / "kept"
                    aimed = kept.exists() and "v2" in kept.read_text(encoding="ascii")
                    version = "upgrades/v2" if aimed else "genesis"
                    self.go_on(home, at)
                wait_for(home.running, "a node runs")
                self.assertEqual([v for _, v in home.running()], [version])
                self.assertNotIn("second", [word for word, _, _ in home.events()])
                self.assertEqual(home.current(), version)
            except AssertionError as wrong:
                raise AssertionError(f"killed at call {point}, in {self.STEPS[at]}: {wrong}") from wrong
            return None

    def test_at_every_point(self):
        points = self.at_point(NEVER)
        self.assertGreater(points, 30)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            self.assertEqual(list(pool.map(self.at_point, range(1, points + 1))), [None] * points)


if __name__ == "__main__":
    if not os.environ.get("RUNTIME_TOOL"):
        sys.exit("RUNTIME_TOOL does not name tests/runtime_tool")
    unittest.main()
