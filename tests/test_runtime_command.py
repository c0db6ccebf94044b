#!/usr/bin/env python3
"""Hooks, and the driver "command": also where what it reboots is the host itself.

    RUNTIME_TOOL=build/dev/tests/runtime_tool python3 tests/test_runtime_command.py [TEST...]

The commands are small shell scripts that write down that they were called. A host is rebooted by giving it another
boot id, in the file that $STAGGER_BOOT_ID_FILE names.
"""
import os
import signal
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from runtime_case import Home, alive, wait_for  # noqa: E402

BOOT = "11111111-2222-3333-4444-555555555555"
HOOKS = [f"{when}-{step}" for step in ("stop", "reinit", "start") for when in ("pre", "post")]
STEPS = ("stop", "reinit", "start", "restore")


class World(Home):
    """Commands that write their name into `calls`."""

    def __init__(self):
        super().__init__("v2")
        self.calls = self.folder / "calls"
        self.boot = self.folder / "boot"
        self.boot.write_text(BOOT, encoding="ascii")
        self.environment = {"STAGGER_BOOT_ID_FILE": str(self.boot)}

    def script(self, name, more=""):
        file = self.folder / f"{name}.sh"
        file.write_text(f'#!/bin/sh\necho {name} >> "{self.calls}"\n{more}\n', encoding="ascii")
        file.chmod(0o755)
        return f"'{file}' --for 'a turn'"

    def commands(self, *flags, environment=None):
        own = [f"--command-{step}={self.script(step)}" for step in STEPS
               if not any(f.startswith(f"--command-{step}=") for f in flags)]
        return self.tool("--runtime=command", *own, *flags, environment={**self.environment, **(environment or {})})

    def called(self):
        return self.calls.read_text(encoding="ascii").split() if self.calls.exists() else []


class Commands(unittest.TestCase):
    def test_a_turn(self):
        with World() as world:
            tool = world.commands()
            self.assertIn("checked ok", tool.ask("check v2", "checked"))
            tool.ask("aim v2", "aimed")
            for step in STEPS:
                self.assertIn(f"ended {step} ok", tool.step(step))
            self.assertEqual(world.called(), ["stop", "reinit", "start", "restore", "start"])

    def test_what_is_not_set(self):
        with World() as world:
            at = [f"--command-{step}=true" for step in ("stop", "start")]
            for flags, fault in (
                    ([], "^fault command.stop: not set, but runtime.driver is command"),
                    (at[:1], "^fault command.start: not set, but runtime.driver is command"),
                    (at + ["--command-reboots-host=yes"], "^fault command.reinit: not set, but command.reboots_host is yes"),
                    (at + ["--command-health='x"], "^fault .*command.health: a quotation mark")):
                with self.subTest(flags):
                    tool = world.tool("--runtime=command", *flags)
                    self.assertRegex(tool.until("fault", "ready"), fault)
                    self.assertEqual(tool.quit(), 1)
            tool = world.tool("--runtime=command", *at)
            for step in STEPS:
                self.assertIn(" ok ", tool.step(step))

    def test_what_goes_wrong(self):
        with World() as world:
            for more, text in (("exit 3", "ended with status 3"), ("kill -9 $$", "was ended by signal 9 (Killed)"),
                               ("kill -15 $$", "was ended by signal 15 (Terminated)")):
                tool = world.commands(f"--command-stop={world.script('bad', more)}")
                self.assertEqual(tool.step("stop"), f"ended stop failed command.stop: {text}")
                self.assertIn("ended start ok", tool.step("start"))
                tool.quit()
            for command, text in (("/no/such/thing", "No such file or directory"), ("no-such-thing-anywhere", "No such file"),
                                  (world.folder, "Permission denied"), (world.boot, "Permission denied")):
                tool = world.commands(f"--command-stop='{command}'")
                self.assertRegex(tool.step("stop"), f"^ended stop failed command.stop: .*: cannot be run: {text}")
                tool.quit()

    def test_too_long(self):
        for more in ("sleep 1000", "trap '' TERM; while true; do sleep 1000 & wait; done", "sleep 1000 & wait"):
            with self.subTest(more), World() as world:
                command = world.script("slow", f"echo $$ > '{world.folder}/pid'\n{more}")
                tool = world.commands(f"--command-stop={command}", "--hooks-timeout=300ms")
                self.assertEqual(tool.step("stop"), "ended stop failed command.stop: took longer than 300ms")
                self.assertFalse(alive(int((world.folder / "pid").read_text(encoding="ascii"))))

    def test_output(self):
        with World() as world:
            more = r"printf 'one\n\ntw\001o\r\n%0400d\nlast' 7; echo oops >&2"
            tool = world.commands(f"--command-stop={world.script('loud', more)}")
            tool.step("stop")
            lines = [l.removeprefix("progress command.stop: ") for l in tool.lines if l.startswith("progress")]
            self.assertEqual([lines[0], lines[1], lines[-1]], ["one", "tw?o", "lastoops"])
            self.assertEqual(set(lines[2]), {"0"})
            self.assertLess(len(lines[2]), 300)

    def test_output_without_end(self):
        """It fills neither the disk nor our time."""
        with World() as world:
            tool = world.commands(f"--command-stop={world.script('loud', 'exec yes')}", "--hooks-timeout=2s")
            self.assertIn("took longer than 2s", tool.step("stop"))
            self.assertLess((world.agent / "commands.log").stat().st_size, 256 << 20)
            self.assertIn("ended start ok", tool.step("start"))

    def test_what_a_start_leaves_behind(self):
        """A node in the background, whose output nobody reads any more."""
        with World() as world:
            pid = world.folder / "pid"
            loop = f"(while true; do echo alive; sleep 0.02; done) & echo $! > '{pid}'"
            tool = world.commands(f"--command-start={world.script('start', loop)}")
            self.assertIn("ended start ok", tool.step("start"))
            node = int(pid.read_text(encoding="ascii"))
            try:
                tool.kill()
                size = (world.agent / "commands.log").stat().st_size
                wait_for(lambda: (world.agent / "commands.log").stat().st_size > size + 50, "it goes on")
                self.assertTrue(alive(node))
            finally:
                os.kill(node, signal.SIGKILL)

    def test_health(self):
        with World() as world:
            mark = world.folder / "up"
            health = world.script("health", f"test -e '{mark}'")
            tool = world.commands(f"--command-health={health}", f"--command-start={world.script('start', f'touch {chr(39)}{mark}{chr(39)}')}")
            tool.say("supervise")
            self.assertEqual(tool.until("changed"), "changed down command.health: ended with status 1")
            self.assertEqual(tool.step("start"), "ended start ok started, and command.health says that it runs")
            self.assertIn("changed up the node runs", tool.lines)
            tool.quit()
            mark.unlink()
            tool = world.commands(f"--command-health={health}", "--hooks-timeout=200ms")
            self.assertEqual(tool.step("start"), "ended start failed command.health: ended with status 1")

    def test_one_that_was_left_behind_is_waited_for(self):
        for ends in (True, False):
            with self.subTest(ends=ends), World() as world:
                go = world.folder / "go"
                more = f"echo $$ >> '{world.folder}/pids'\nwhile ! test -e '{go}'; do sleep 0.02; done\necho done >> '{world.calls}'"
                flags = [f"--command-stop={world.script('stop', more)}", f"--hooks-timeout={'60s' if ends else '400ms'}"]
                tool = world.commands(*flags)
                tool.say("step stop")
                wait_for(lambda: world.called() == ["stop"], "it runs")
                tool.kill()
                tool = world.commands(*flags)
                tool.say("step stop")
                tool.ask("state", "state")
                self.assertEqual(world.called(), ["stop"])
                if ends:
                    go.touch()
                    self.assertIn("ended stop ok", tool.until("ended"))
                    self.assertEqual(world.called(), ["stop", "done", "stop", "done"])
                else:
                    self.assertIn("took longer", tool.until("ended"))
                    self.assertEqual(world.called(), ["stop", "stop"])
                for pid in (world.folder / "pids").read_text(encoding="ascii").split():
                    self.assertFalse(alive(int(pid)))

    def test_never_two_at_once(self):
        """The agent is killed before each call that changes something, and the next one begins at once."""
        point = 0
        while True:
            point += 1
            with self.subTest(point), World() as world:
                more = f"mkdir '{world.folder}/busy' || echo overlap >> '{world.calls}'\nsleep 0.1\nrmdir '{world.folder}/busy'"
                flag = f"--command-stop={world.script('stop', more)}"
                tool = world.commands(flag, environment={"RUNTIME_TOOL_DIE": str(point)})
                if tool.step("stop"):
                    break
                tool.close()
                tool = world.commands(flag)
                self.assertIn("ended stop ok", tool.step("stop"))
                self.assertNotIn("overlap", world.called())
        self.assertGreater(point, 4)


class Hooks(unittest.TestCase):
    def flags(self, world):
        return [f"--{hook}={world.script(hook)}" for hook in HOOKS]

    def test_order(self):
        with World() as world:
            tool = world.commands(*self.flags(world))
            for step in STEPS:
                self.assertIn(" ok ", tool.step(step))
            self.assertEqual(world.called(), [
                "pre-stop", "stop", "post-stop", "pre-reinit", "reinit", "post-reinit", "pre-start", "start",
                "post-start", "restore", "start"])

    def test_with_the_process_driver(self):
        with World() as world:
            tool = world.node(*self.flags(world))
            tool.say("supervise")
            tool.until("changed up")
            for step in STEPS[:3]:
                self.assertIn(" ok ", tool.step(step))
            self.assertEqual(world.called(), ["pre-stop", "post-stop", "pre-reinit", "post-reinit", "pre-start", "post-start"])

    def test_one_that_fails(self):
        for hook in HOOKS:
            with self.subTest(hook), World() as world:
                when, step = hook.split("-")
                tool = world.commands(*self.flags(world), f"--{hook}={world.script('bad', 'exit 5')}")
                self.assertEqual(tool.step(step), f"ended {step} failed hooks.{when}_{step}: ended with status 5")
                self.assertEqual(world.called(), ["bad"] if when == "pre" else [f"pre-{step}", step, "bad"])

    def test_environment(self):
        with World() as world:
            out = world.folder / "out"
            tell = world.script("tell", f"env | grep STAGGER_TURN_ | sort > '{out}'; echo \"$@\" >> '{out}'")
            tool = world.node(f"--pre-reinit={tell}", f"--post-start={tell}")
            tool.ask("aim v2", "aimed")

            def told(hook, step, previous):
                return [
                    "STAGGER_TURN_ATTEMPT=2", "STAGGER_TURN_CHAIN=chain-1", "STAGGER_TURN_HEIGHT=4711",
                    f"STAGGER_TURN_HOOK={hook}", f"STAGGER_TURN_PREVIOUS={previous}", f"STAGGER_TURN_STEP={step}",
                    "STAGGER_TURN_TARGET=v2", "STAGGER_TURN_VALIDATOR=00112233445566778899AABBCCDDEEFF00112233",
                    "--for a turn"]
            tool.step("stop")
            self.assertIn(" ok ", tool.step("reinit"))
            self.assertEqual(out.read_text(encoding="ascii").splitlines(), told("pre", "reinit", "genesis"))
            self.assertIn(" ok ", tool.step("start"))
            self.assertEqual(out.read_text(encoding="ascii").splitlines(), told("post", "start", "genesis"))
            tool.quit()
            tool = world.commands(f"--command-stop={tell}", environment={"STAGGER_TURN_STEP": "not ours"})
            tool.step("stop")
            self.assertEqual(out.read_text(encoding="ascii").splitlines(), told("", "stop", ""))

    def test_none(self):
        """Without a driver nothing is rebooted; hooks do not change that, and nobody is left where he cannot go on."""
        with World() as world:
            tool = world.tool()
            self.assertRegex(tool.ask("check v2", "checked"), "^checked failed runtime.driver is none")
            for step, word in (("stop", "ok"), ("reinit", "failed"), ("restore", "ok"), ("start", "ok")):
                self.assertRegex(tool.step(step), f"^ended {step} {word} runtime.driver is none")


class HostReboots(unittest.TestCase):
    def tool(self, world, more="", *flags):
        return world.commands("--command-reboots-host=yes", f"--command-reinit={world.script('reboot', more)}", *flags)

    def reboot(self, world, boot="99999999-2222-3333-4444-555555555555"):
        world.boot.write_text(boot, encoding="ascii")

    def test_is_done_once(self):
        with World() as world:
            tool = self.tool(world)
            self.assertIn(" ok ", tool.step("stop"))
            tool.say("step reinit")
            tool.until("progress waiting for the reboot")
            tool.kill()
            self.reboot(world)
            tool = self.tool(world)
            self.assertEqual(tool.step("reinit"), "ended reinit ok this host has been rebooted")
            self.assertEqual(tool.step("reinit"), "ended reinit ok this host has been rebooted")
            self.assertIn(" ok ", tool.step("start"))
            self.assertEqual(world.called(), ["stop", "reboot", "start"])

    def test_the_next_turn_reboots_again(self):
        with World() as world:
            for boot in ("a", "b", "c"):
                tool = self.tool(world)
                self.assertIn(" ok ", tool.step("stop"))
                tool.say("step reinit")
                tool.until("progress waiting for the reboot")
                tool.kill()
                self.reboot(world, boot)
                tool = self.tool(world)
                self.assertEqual(tool.step("reinit"), "ended reinit ok this host has been rebooted")
                self.assertIn(" ok ", tool.step("start"))
                tool.kill()
            self.assertEqual(world.called().count("reboot"), 3)

    def test_killed_in_the_command(self):
        """The host goes down while the command runs, or before it does: the reboot counts, a mere death does not."""
        with World() as world:
            tool = self.tool(world, "sleep 1000")
            tool.say("step reinit")
            wait_for(lambda: world.called() == ["reboot"], "the command runs")
            tool.kill()
            tool = self.tool(world, "sleep 1000", "--hooks-timeout=200ms")
            self.assertIn("took longer", tool.step("reinit"))
            self.assertEqual(world.called(), ["reboot", "reboot"])
            tool.kill()
            self.reboot(world)
            tool = self.tool(world)
            self.assertEqual(tool.step("reinit"), "ended reinit ok this host has been rebooted")

    def test_fails(self):
        with World() as world:
            tool = self.tool(world, "exit 4")
            self.assertEqual(tool.step("reinit"), "ended reinit failed command.reinit: ended with status 4")
            tool.quit()
            tool = self.tool(world, "", "--hooks-timeout=200ms")
            self.assertRegex(tool.step("reinit"), "^ended reinit failed command.reinit has ended well, but this host was not"
                             " rebooted within 200ms")

    def test_what_cannot_be_noted(self):
        with World() as world:
            tool = world.commands("--command-reboots-host=yes", environment={"RUNTIME_TOOL_FORGETS": "1"})
            self.assertRegex(tool.step("reinit"), "^ended reinit failed nothing was done: .*journal")
            tool.quit()
            world.boot.unlink()
            tool = self.tool(world)
            self.assertRegex(tool.step("reinit"), "^ended reinit failed command.reboots_host: .*boot_id cannot be read")
            self.assertEqual(world.called(), [])

    def test_what_another_driver_kept(self):
        for kept in ("", "process v2 genesis boot:old", "rubbish", "command", "command  ", "command a b " + "c" * 300,
                     "x" * 499, "command - - -", "\1\2 \3 \4 \5"):
            with self.subTest(kept=kept), World() as world:
                (world.agent / "kept").write_text(kept, encoding="ascii")
                tool = self.tool(world, "exit 4")
                self.assertIn("ended reinit failed command.reinit: ended with status 4", tool.step("reinit"))


if __name__ == "__main__":
    if not os.environ.get("RUNTIME_TOOL"):
        sys.exit("RUNTIME_TOOL does not name tests/runtime_tool")
    unittest.main()
