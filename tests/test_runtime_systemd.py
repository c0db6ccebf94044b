#!/usr/bin/env python3
"""The systemd driver against a stand-in for systemd on a private bus (tests/systemd_standin.c): a machine where systemd
is not process 1 has no other. What is shown is that the driver speaks the protocol and survives what can go wrong on
the way; not that systemd does what the stand-in does.

    RUNTIME_TOOL=build/dev/tests/runtime_tool SYSTEMD_STANDIN=build/dev/tests/systemd_standin \\
        python3 -B tests/test_runtime_systemd.py [TEST...]

Needs dbus-daemon (apt-get install dbus-daemon); without it nothing is tested, with status 77.
"""
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from runtime_case import TOOL, Tool  # noqa: E402

STANDIN = os.environ.get("SYSTEMD_STANDIN", "")
CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><listen>%s</listen><auth>EXTERNAL</auth><policy context="default">
<allow user="*"/><allow own="*"/><allow send_destination="*"/><allow receive_sender="*"/></policy></busconfig>
"""


class Bus:
    """dbus-daemon and the stand-in."""

    def __init__(self, folder):
        self.address = "unix:path=" + os.path.join(folder, "bus")
        self.config = os.path.join(folder, "bus.conf")
        Path(self.config).write_text(CONFIG % self.address, encoding="ascii")
        self.daemon = self.standin = None
        self.lines = []

    def start(self):
        self.daemon = subprocess.Popen(["dbus-daemon", "--config-file=" + self.config, "--nofork", "--print-address"],
                                       stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        assert self.daemon.stdout.readline(), "dbus-daemon does not start"
        self.start_standin()

    def start_standin(self):
        self.standin = subprocess.Popen([STANDIN, self.address], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.until("ready")

    def until(self, beginning):
        for line in self.standin.stdout:
            self.lines.append(line.rstrip("\n"))
            if line.startswith(beginning):
                return line.rstrip("\n")
        raise AssertionError("the stand-in ended; it said %r" % self.lines)

    def tell(self, line):
        self.standin.stdin.write(line + "\n")
        self.standin.stdin.flush()
        self.until("took " + line)

    def called(self):
        """What was called up to now, but for looks."""
        self.tell("mark x")
        calls = [line.split()[1] for line in self.lines if line.startswith("called")]
        return [call for call in calls if call != "LoadUnit"]

    def stop(self):
        for process in (self.daemon, self.standin):
            if process is None:
                continue
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe:
                    try:
                        pipe.close()
                    except BrokenPipeError:
                        pass
        self.standin = self.daemon = None


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="stagger-systemd-")
        self.bus = Bus(self.folder)
        self.bus.start()
        self.tools = []

    def tearDown(self):
        for tool in self.tools:
            if not tool.process.stdout.closed:
                tool.quit()
        self.bus.stop()
        shutil.rmtree(self.folder)

    def tool(self, *flags, unit="node", address=None):
        tool = Tool(self.folder, "--runtime=systemd", "--systemd-unit=" + unit,
                    "--systemd-bus=" + (address or self.bus.address), *flags)
        self.tools.append(tool)
        return tool

    def ok(self, tool, step):
        ended = tool.step(step)
        self.assertTrue(ended and ended.startswith("ended %s ok" % step), tool.lines)
        return ended

    def fails(self, tool, step, *parts):
        ended = tool.step(step)
        self.assertTrue(ended and ended.startswith("ended %s failed" % step), tool.lines)
        for part in parts:
            self.assertIn(part, ended)
        return ended

    def script(self, text):
        path = os.path.join(self.folder, "reinit")
        Path(path).write_text("#!/bin/sh\n" + text, encoding="ascii")
        os.chmod(path, 0o700)
        return "--systemd-reinit=" + path


class Turns(Case):
    def test_a_turn(self):
        out = os.path.join(self.folder, "out")
        tool = self.tool(self.script('echo "$STAGGER_TURN_STEP $STAGGER_TURN_TARGET" >> %s\necho working\n' % out))
        self.assertIn("is active (running)", tool.until("changed up"))
        self.assertIn("node.service is active", tool.ask("check v2", "checked ok"))
        tool.ask("aim v2", "aimed")
        self.assertIn("is stopped", self.ok(tool, "stop"))
        self.ok(tool, "stop")
        self.ok(tool, "reinit")
        self.assertIn("working", "".join(tool.lines))
        self.ok(tool, "start")
        self.ok(tool, "start")
        self.assertEqual(self.bus.called(), ["StopUnit", "StartUnit"])
        self.assertEqual(Path(out).read_text(encoding="ascii"), "reinit v2\n")
        self.ok(tool, "restore")
        self.assertEqual(Path(out).read_text(encoding="ascii"), "reinit v2\nrestore v2\n")
        self.assertEqual(self.bus.called(), ["StopUnit", "StartUnit", "StopUnit", "StartUnit"])

    def test_without_a_command(self):
        tool = self.tool()
        self.assertIn("systemd.reinit", tool.ask("check v2", "checked failed"))
        self.assertIn("", tool.ask("check ", "checked ok"))
        for step in ("stop", "reinit", "start", "stop", "restore", "restore"):
            self.ok(tool, step)
        self.assertEqual(self.bus.called(), ["StopUnit", "StartUnit", "StopUnit", "StartUnit"])

    def test_reinit_stops_first_and_reloads_after(self):
        tool = self.tool(self.script("exit 0\n"))
        self.bus.tell("mood stale")
        self.ok(tool, "reinit")
        self.assertEqual(self.bus.called(), ["StopUnit", "Reload"])

    def test_a_command_that_fails(self):
        tool = self.tool(self.script("exit 3\n"))
        self.ok(tool, "stop")
        self.fails(tool, "reinit", "systemd.reinit: ended with status 3")

    def test_a_failed_unit_is_started(self):
        self.bus.tell("state failed failed exit-code")
        tool = self.tool()
        self.assertIn("(exit-code)", tool.until("changed down"))
        self.ok(tool, "start")
        self.assertEqual(self.bus.called(), ["ResetFailedUnit", "StartUnit"])

    def test_a_stop_that_takes_its_time(self):
        self.bus.tell("mood stuck")
        tool = self.tool()
        tool.say("step stop")
        self.bus.until("state deactivating")
        self.bus.tell("finish done")
        self.assertIn("is stopped", tool.until("ended stop ok"))

    def test_lost_signals(self):
        self.bus.tell("mood deaf")
        tool = self.tool()
        for step in ("stop", "start"):
            self.ok(tool, step)

    def test_changes_without_a_step(self):
        tool = self.tool()
        tool.until("changed up")
        self.bus.tell("state activating auto-restart exit-code")
        tool.until("changed starting")
        self.bus.tell("state failed failed signal")
        self.assertIn("(signal)", tool.until("changed down"))


class Faults(Case):
    def test_starts_that_fail(self):
        for mood, words in (("crash", "failed (exit-code)"), ("loop", "activating (exit-code)")):
            self.bus.tell("state inactive dead success")
            self.bus.tell("mood " + mood)
            tool = self.tool()
            self.fails(tool, "start", words, "journalctl -u node.service")

    def test_jobs_that_fail(self):
        self.bus.tell("mood stuck")
        tool = self.tool()
        for step, before, result in (("stop", "deactivating", "timeout"), ("start", "activating", "timeout"),
                                     ("stop", "deactivating", "canceled")):
            self.bus.tell("state %s x success" % ("active" if step == "stop" else "inactive"))
            tool.say("step " + step)
            self.bus.until("state " + before)
            self.bus.tell("finish " + result)
            ended = tool.until("ended")
            self.assertIn("ended %s failed" % step, ended)
            self.assertIn(result, ended)

    def test_refusals(self):
        for mood, *words in (("denied", "polkit", "manage-units"), ("password", "polkit"), ("nounit", "no unit", "systemd.unit"),
                             ("odd", "systemd says about node.service: it is ? refused")):
            self.bus.tell("mood good")
            self.bus.tell("state active running success")
            tool = self.tool()
            tool.until("changed up")
            self.bus.tell("mood " + mood)
            self.fails(tool, "stop", *words)
            tool.quit()

    def test_units_that_are_none(self):
        for load, word in (("not-found", "there is no unit"), ("masked", "unmask"), ("bad-setting", "systemctl status")):
            self.bus.tell("load " + load)
            self.bus.tell("state inactive dead success")
            tool = self.tool()
            self.fails(tool, "start", word)
            self.assertIn(word, tool.ask("check ", "checked failed"))
            tool.quit()
        self.bus.tell("load not-found")
        self.fails(self.tool(), "stop", "there is no unit")

    def test_garbled(self):
        self.bus.tell("mood garbled")
        self.fails(self.tool(), "stop", "systemd says about node.service")

    def test_no_systemd_on_the_bus(self):
        self.bus.standin.kill()
        self.bus.standin.wait()
        tool = self.tool()
        self.fails(tool, "stop", "systemd is not on this bus", "runtime.driver")
        self.assertEqual(tool.ask("state", "state").split()[1], "unknown")

    def test_settings(self):
        for flags, words in (((), "systemd.unit is not set"), (("--systemd-unit=a b",), "is no unit's name"),
                             (("--systemd-unit=a", "--systemd-bus=nonsense"), "is no address")):
            tool = Tool(self.folder, "--runtime=systemd", *flags)
            self.assertIn(words, tool.until("fault"))
            tool.close()

    def test_no_answer(self):
        tool = self.tool()
        tool.until("changed up")
        self.bus.tell("mood silent")
        self.fails(tool, "stop", "systemd did not answer about node.service")

    def test_the_bus_goes_and_comes_back(self):
        tool = self.tool()
        tool.until("changed up")
        self.bus.stop()
        self.assertIn("is lost", tool.until("changed unknown"))
        tool.say("step stop")
        self.assertIn("there is no D-Bus at", tool.until("progress"))
        self.bus.start()
        tool.until("ended stop ok")
        self.bus.tell("mood stuck")
        tool.say("step start")
        self.bus.until("called StartUnit")
        self.bus.stop()
        tool.until("changed unknown")
        self.bus.start()
        self.bus.tell("state active running success")
        tool.until("ended start ok")

    def test_no_bus_at_all(self):
        self.bus.stop()
        tool = self.tool()
        self.assertIn("there is no D-Bus at", tool.until("changed unknown"))
        self.assertIn("there is no D-Bus at", tool.ask("check ", "checked failed"))

    def test_killed_in_the_middle(self):
        self.bus.tell("mood stuck")
        for step, before, after in (("stop", "deactivating", "inactive"), ("start", "activating", "active")):
            tool = self.tool()
            tool.say("step " + step)
            self.bus.until("state " + before)
            tool.kill()
            tool = self.tool()
            tool.say("step " + step)
            self.bus.until("called LoadUnit")
            self.bus.tell("mood good")
            self.bus.tell("finish done")
            self.assertIn("ok", tool.until("ended " + step))
            self.assertIn("changed %s" % ("down" if after == "inactive" else "up"), "\n".join(tool.lines))
            self.bus.tell("mood stuck")
            tool.quit()


if __name__ == "__main__":
    if not TOOL or not STANDIN:
        raise SystemExit("RUNTIME_TOOL and SYSTEMD_STANDIN name executables")
    if shutil.which("dbus-daemon") is None:
        print("skipped: there is no dbus-daemon; apt-get install dbus-daemon")
        raise SystemExit(77)
    unittest.main(verbosity=2)
