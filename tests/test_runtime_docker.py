#!/usr/bin/env python3
"""The docker driver against a real Docker Engine, which is started here on a private socket.

    RUNTIME_TOOL=build/dev/tests/runtime_tool python3 -B tests/test_runtime_docker.py [TEST...]

Needs root and dockerd (apt-get install docker.io); without them nothing is tested, with status 77.
"""
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
from docker_engine import Engine, Missing, Proxy  # noqa: E402
from runtime_case import TOOL, Tool  # noqa: E402

ENGINE = None
NODE = b""
OLD = ".stagger-previous"
WAIT_S = 60


def node_program():
    """The node of the containers: it needs nothing but the kernel."""
    with tempfile.TemporaryDirectory(prefix="stagger-node-") as folder:
        out = os.path.join(folder, "node")
        words = [os.environ.get("CC", "cc"), "-static", "-O1", "-D_GNU_SOURCE", "-o", out,
                 str(HERE / "runtime_docker_node.c")]
        if shutil.which(words[0]) is None or subprocess.run(words, check=False).returncode != 0:
            raise Missing("no static program can be built with " + words[0])
        return Path(out).read_bytes()


def setUpModule():
    global ENGINE, NODE
    NODE = node_program()
    ENGINE = Engine()
    ENGINE.start()
    base = "FROM scratch\nCOPY node /node\nENTRYPOINT [\"/node\"]\nVOLUME /data\n"
    one = base + "ENV VERSION=v1 SHARED=same\nLABEL from=v1 keep=image\nCMD [\"one\"]\nSTOPSIGNAL SIGTERM\n"
    two = base + "ENV VERSION=v2 SHARED=new\nLABEL from=v2\nCMD [\"two\"]\nEXPOSE 26656\n"
    ENGINE.build("node:v1", one, {"node": NODE})
    ENGINE.build("node:v2", two, {"node": NODE})
    ENGINE.build("node:broken", two + "ENV MOOD=broken\n", {"node": NODE})
    check = two + "HEALTHCHECK --interval=1s --timeout=5s --retries=2 CMD [\"/node\", \"check\"]\n"
    ENGINE.build("node:checked", check, {"node": NODE})


def tearDownModule():
    if ENGINE is not None:
        ENGINE.close()


def memory_kb(tool):
    status = Path("/proc/%d/status" % tool.process.pid).read_text(encoding="ascii")
    return int(status.partition("VmRSS:")[2].split()[0])


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="stagger-runtime-")
        self.data = os.path.join(self.folder, "data")
        os.mkdir(self.data)
        self.tools, self.proxies = [], []
        ENGINE.remove_all()

    def tearDown(self):
        for tool in self.tools:
            if not tool.process.stdout.closed:
                tool.quit()
        for proxy in self.proxies:
            proxy.close()
        ENGINE.remove_all()
        shutil.rmtree(self.folder)

    def tool(self, path=None, name="node", grace="5s", environment=None):
        tool = Tool(self.folder, "--runtime=docker", "--docker-socket=%s" % (path or ENGINE.path),
                    "--docker-container=" + name, "--docker-grace=" + grace, environment=environment)
        self.tools.append(tool)
        return tool

    def create(self, image="node:v1", name="node", policy="unless-stopped", start=True, host=None, **config):
        host = {"NetworkMode": "host", "Binds": [self.data + ":/data"], "RestartPolicy": {"Name": policy}, **(host or {})}
        made = ENGINE.create(name, image, HostConfig=host, **config)
        if start:
            ENGINE.run(name)
            self.await_log("start")
        return made

    def log(self):
        path = os.path.join(self.data, "log")
        return Path(path).read_text(encoding="ascii").splitlines() if os.path.exists(path) else []

    def await_log(self, word):
        end = time.monotonic() + WAIT_S
        while not any(line.startswith(word) for line in self.log()):
            self.assertLess(time.monotonic(), end, self.log())
            time.sleep(0.02)  # a file written by another process

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

    def aim(self, tool, target):
        self.assertEqual(tool.ask("aim " + target, "aimed", "fault"), "aimed " + target)

    def turn(self, tool, target):
        self.aim(tool, target)
        for step in ("stop", "reinit", "start"):
            self.ok(tool, step)


class Turns(Case):
    def test_a_turn(self):
        old = self.create(Env=["OWN=1", "SHARED=mine"], Labels={"mine": "yes"},
                          host={"Binds": [self.data + ":/data", "named:/named:ro"], "Memory": 64 << 20,
                                "Ulimits": [{"Name": "nofile", "Soft": 1000, "Hard": 2000}]})
        tool = self.tool()
        self.assertEqual(tool.ask("check node:v2", "checked").split()[1], "ok")
        self.aim(tool, "node:v2")
        self.ok(tool, "stop")
        self.assertEqual(ENGINE.running(), [])
        self.assertEqual(self.log(), ["start v1", "stop"])
        self.ok(tool, "stop")  # once more is no harm
        self.ok(tool, "reinit")
        self.assertEqual(ENGINE.running(), [])
        kept, new = ENGINE.container("node" + OLD), ENGINE.container("node")
        self.assertEqual(kept["Id"], old)
        self.assertEqual(kept["HostConfig"]["RestartPolicy"]["Name"], "no")
        self.assertEqual(new["Config"]["Image"], "node:v2")
        self.assertEqual({one for one in new["Config"]["Env"] if not one.startswith("PATH=")},
                         {"OWN=1", "SHARED=mine", "VERSION=v2"})
        self.assertEqual(new["Config"]["Cmd"], ["two"])
        self.assertEqual(new["Config"]["Labels"], {
            "mine": "yes", "from": "v2", "stagger.replaces": old, "stagger.restart": "unless-stopped"})
        self.assertEqual(new["HostConfig"]["Memory"], 64 << 20)
        self.assertEqual(new["HostConfig"]["RestartPolicy"]["Name"], "unless-stopped")
        self.assertEqual(new["HostConfig"]["Binds"], [self.data + ":/data", "named:/named:ro"])
        self.assertEqual(new["HostConfig"]["Ulimits"], kept["HostConfig"]["Ulimits"])
        self.assertEqual(new["HostConfig"]["NetworkMode"], "host")
        self.ok(tool, "start")
        self.assertEqual(ENGINE.running(), ["node"])
        self.assertEqual(self.log(), ["start v1", "stop", "start v2"])
        self.assertTrue(tool.ask("state", "state").startswith(
            "state up target=node:v2 installed=node:v2@%s kept=%s" % (new["Image"], old)), tool.lines)
        self.ok(tool, "start")
        self.assertEqual(self.log(), ["start v1", "stop", "start v2"])

    def test_the_next_turn_removes_the_previous_one(self):
        first = self.create()
        tool = self.tool()
        self.turn(tool, "node:v2")
        second = ENGINE.container("node")["Id"]
        self.turn(tool, "node:v1")
        self.assertIsNone(ENGINE.container(first))
        self.assertEqual(ENGINE.container("node" + OLD)["Id"], second)
        self.assertEqual(ENGINE.container("node")["Config"]["Labels"]["from"], "v1")
        self.assertEqual(ENGINE.container("node")["Config"]["Labels"]["stagger.restart"], "unless-stopped")
        self.assertEqual(len(ENGINE.containers()), 2)

    def test_without_a_target_the_container_is_made_anew_from_its_image(self):
        old = self.create()
        image = ENGINE.container("node")["Image"]
        tool = self.tool()
        for step in ("stop", "reinit", "start"):
            self.ok(tool, step)
        new = ENGINE.container("node")
        self.assertNotEqual(new["Id"], old)
        self.assertEqual((new["Image"], new["Config"]["Image"]), (image, "node:v1"))
        # the tag moves on, and the image stays
        ENGINE.must("POST", "/images/node:v2/tag?repo=node&tag=moving")
        self.turn(tool, "node:moving")
        image = ENGINE.container("node")["Image"]
        ENGINE.must("POST", "/images/node:v1/tag?repo=node&tag=moving")
        self.aim(tool, "")
        for step in ("stop", "reinit", "start"):
            self.ok(tool, step)
        self.assertEqual(ENGINE.container("node")["Image"], image)

    def test_by_digest(self):
        self.create()
        image = ENGINE.get("/images/node:v2/json")["Id"]
        tool = self.tool()
        self.turn(tool, image)
        self.assertEqual(ENGINE.container("node")["Image"], image)
        self.assertTrue(tool.ask("state", "state").startswith("state up target=%s installed=%s " % (image, image)))

    def test_nameless_volumes_stay(self):
        volume = "/data"
        ENGINE.create("node", "node:v1", HostConfig={"NetworkMode": "host", "Mounts": [
            {"Type": "volume", "Target": "/other"}]}, Volumes={"/third": {}})
        ENGINE.run("node")
        tool = self.tool()
        before = {m["Destination"]: m["Name"] for m in ENGINE.container("node")["Mounts"]}
        self.assertEqual(set(before), {volume, "/other", "/third"})
        self.turn(tool, "node:v2")
        self.turn(tool, "node:v1")
        after = {m["Destination"]: m["Name"] for m in ENGINE.container("node")["Mounts"]}
        self.assertEqual(before, after)
        self.assertEqual({v["Name"] for v in ENGINE.get("/volumes")["Volumes"]} & set(before.values()),
                         set(before.values()))

    def test_own_commands_stay(self):
        self.create(Cmd=["mine"], Entrypoint=["/node", "first"], Healthcheck={"Test": ["NONE"]}, User="0:0")
        tool = self.tool()
        self.turn(tool, "node:checked")
        config = ENGINE.container("node")["Config"]
        self.assertEqual((config["Entrypoint"], config["Cmd"]), (["/node", "first"], ["mine"]))
        self.assertEqual((config["Healthcheck"]["Test"], config["User"]), (["NONE"], "0:0"))

    def test_an_old_image_that_is_gone(self):
        ENGINE.build("node:gone", "FROM scratch\nCOPY node /node\nENTRYPOINT [\"/node\"]\nENV X=1\n", {"node": NODE})
        self.create("node:gone")
        ENGINE.must("DELETE", "/images/node:gone?force=1")
        tool = self.tool()
        self.turn(tool, "node:v2")
        self.assertEqual(ENGINE.running(), ["node"])

    def test_compose_never_sees_two(self):
        old = self.create(Labels={"com.docker.compose.project": "p", "com.docker.compose.service": "s"})
        tool = self.tool()
        self.turn(tool, "node:v2")
        self.assertIsNone(ENGINE.container(old))
        self.assertEqual(ENGINE.running(), ["node"])

    def test_a_stubborn_node_is_killed(self):
        self.create(Env=["MOOD=stubborn"])
        tool = self.tool(grace="1s")
        self.ok(tool, "stop")
        self.assertEqual(ENGINE.running(), [])
        self.assertEqual(ENGINE.container("node")["State"]["ExitCode"], 137)

    def test_what_docker_would_start_itself_stays_away(self):
        """The Engine starts `always` containers when it starts, stopped ones too."""
        self.create(policy="always")
        tool = self.tool()
        self.aim(tool, "node:v2")
        self.ok(tool, "stop")
        self.ok(tool, "reinit")
        ENGINE.stop()
        ENGINE.start()
        self.assertEqual(ENGINE.running(), [])
        tool.until("changed down")
        self.ok(tool, "start")
        self.assertEqual(ENGINE.container("node")["HostConfig"]["RestartPolicy"]["Name"], "always")
        ENGINE.stop()
        tool.until("changed unknown")
        ENGINE.start()
        self.assertEqual(ENGINE.running(), ["node"])
        tool.until("changed up")
        self.assertNotIn("TWO", self.log())


class Health(Case):
    def test_waits_for_the_health_check(self):
        self.create()
        tool = self.tool()
        self.aim(tool, "node:checked")
        self.ok(tool, "stop")
        self.ok(tool, "reinit")
        tool.say("step start")
        tool.until("changed starting")
        Path(self.data, "healthy").touch()
        self.assertIn("is healthy", tool.until("ended start ok"))
        self.assertEqual(tool.ask("state", "state").split()[1], "up")
        os.unlink(os.path.join(self.data, "healthy"))
        self.assertIn("unhealthy", tool.until("changed up the container node runs, and its"))
        self.fails(tool, "start", "unhealthy")

    def test_unhealthy_is_restored(self):
        old = self.create()
        tool = self.tool()
        self.aim(tool, "node:checked")
        self.ok(tool, "stop")
        self.ok(tool, "reinit")
        self.fails(tool, "start", "unhealthy", "docker logs node")
        self.ok(tool, "restore")
        back = ENGINE.container("node")
        self.assertEqual((back["Id"], back["HostConfig"]["RestartPolicy"]["Name"]), (old, "unless-stopped"))
        self.assertEqual(len(ENGINE.containers()), 1)
        self.assertEqual(self.log(), ["start v1", "stop", "start v2", "stop", "start v1"])
        self.ok(tool, "restore")
        self.ok(tool, "start")
        self.assertEqual(self.log()[-1], "start v1")
        self.assertEqual(len(self.log()), 5)

    def test_a_node_that_ends_at_once(self):
        for policy, words in (("no", "ended as soon as it was started"), ("always", "ends again and again")):
            with self.subTest(policy):
                ENGINE.remove_all()
                self.create(policy=policy)
                tool = self.tool()
                self.aim(tool, "node:broken")
                self.ok(tool, "stop")
                self.ok(tool, "reinit")
                self.fails(tool, "start", words, "exit status 3", "docker logs node")
                self.ok(tool, "restore")
                self.assertEqual(ENGINE.running(), ["node"])
                self.assertEqual(ENGINE.container("node")["HostConfig"]["RestartPolicy"]["Name"], policy)
                tool.quit()

    def test_the_watch(self):
        tool = self.tool()
        self.assertIn("there is no container node", tool.until("changed down"))
        self.create(start=False)
        self.assertIn("is stopped", tool.until("changed down"))
        ENGINE.run("node")
        tool.until("changed up")
        ENGINE.must("POST", "/containers/node/pause")
        self.assertIn("paused", tool.until("changed down"))
        self.ok(tool, "start")
        ENGINE.must("POST", "/containers/node/kill")
        self.assertIn("exit status is 137", tool.until("changed down"))

    def test_memory(self):
        self.create()
        tool = self.tool()
        tool.until("changed up")
        self.turn(tool, "node:v2")
        print("docker driver, after a turn: %d KB" % memory_kb(tool))


class Faults(Case):
    def test_sentences(self):
        tool = self.tool()
        for step in ("stop", "reinit", "start", "restore"):
            self.fails(tool, step, "there is no container \"node\"", "docker.container")
        self.assertEqual(tool.ask("check node:v2", "checked").split()[1], "failed")
        self.create()
        self.assertEqual(tool.ask("check 127.0.0.1:1/nowhere:v9", "checked"), "checked failed the image "
                         "127.0.0.1:1/nowhere:v9 is not on this host: docker pull 127.0.0.1:1/nowhere:v9")
        for bad in ("../../x", "a//b", "a?b", "-x", "a%2fb"):
            self.assertIn("is no image", tool.ask("check " + bad, "checked failed"))
        self.aim(tool, "127.0.0.1:1/nowhere:v9")
        self.ok(tool, "stop")
        self.fails(tool, "reinit", "could not be fetched: docker pull 127.0.0.1:1/nowhere:v9", "refused")
        self.assertIsNone(ENGINE.container("node" + OLD))
        self.ok(tool, "restore")
        self.assertEqual(self.log(), ["start v1", "stop", "start v1"])

    def test_what_cannot_be_taken_through_a_turn(self):
        self.create(policy="no", host={"AutoRemove": True})
        tool = self.tool()
        self.fails(tool, "stop", "--rm")
        self.assertEqual(ENGINE.running(), ["node"])
        ENGINE.remove_all()
        self.create(Labels={"com.docker.swarm.service.name": "s"})
        self.fails(tool, "stop", "swarm")
        self.assertEqual(ENGINE.running(), ["node"])

    def test_a_name_that_is_an_id_is_another(self):
        made = self.create(name="other")
        tool = self.tool(name=made[:12])
        self.fails(tool, "stop", "there is no container")
        self.assertEqual(ENGINE.running(), ["other"])

    def test_a_full_disk(self):
        self.create()
        tool = self.tool()
        self.aim(tool, "node:v2")
        self.ok(tool, "stop")
        tool.quit()
        tool = self.tool(environment={"RUNTIME_TOOL_FORGETS": "1"})
        self.fails(tool, "reinit", "journal cannot be written")
        self.assertEqual(len(ENGINE.containers()), 1)
        tool.quit()
        tool = self.tool()
        self.ok(tool, "reinit")
        self.ok(tool, "start")

    def test_nobody_there(self):
        with tempfile.NamedTemporaryFile(dir=self.folder) as file:
            tool = self.tool(path=os.path.join(self.folder, "none"))
            self.fails(tool, "stop", "there is no socket", "systemctl start docker", "docker.socket")
            tool.quit()
            tool = self.tool(path=file.name)
            self.fails(tool, "stop", "is no socket")
        with socket.socket(socket.AF_UNIX) as dead:
            dead.bind(os.path.join(self.folder, "dead"))
            tool = self.tool(path=os.path.join(self.folder, "dead"))
            self.fails(tool, "stop", "nothing listens on", "systemctl start docker")


class Crashes(Case):
    """The agent is killed at every request that a turn makes, before the Engine hears it and before its answer."""

    SCRIPT = ("stop", "reinit", "start")

    def never_two(self):
        self.assertLessEqual(len(ENGINE.running()), 1)

    def run_killed(self, script, point, target):
        """True when there was such a point. `point` is (number of the request that changes something, before or after)."""
        number, when = point
        path = os.path.join(self.folder, "proxy-%d" % len(self.proxies))
        state = {"count": 0, "killed": False, "tool": None}

        def at(moment):
            def hook(_, line):
                if line.startswith("GET") or state["tool"] is None:  # what is only asked changes nothing
                    return
                if moment == "before":
                    state["count"] += 1
                self.never_two()
                if moment == when and state["count"] == number + 1 and not state["killed"]:
                    state["killed"] = True
                    state["tool"].process.kill()
                    raise Proxy.Cut
            return hook

        proxy = Proxy(path, ENGINE.path, at("before"), at("after"))
        self.proxies.append(proxy)
        state["tool"] = self.tool(path=path)
        if target is not None:
            self.aim(state["tool"], target)
        for step in script:
            ended = state["tool"].step(step)
            if ended is None:  # killed: the next one does the same step again
                self.assertTrue(state["killed"])
                state["tool"] = self.tool(path=path)
                ended = state["tool"].step(step)
            self.assertIn(" ok ", ended, (point, step, state["tool"].lines, proxy.lines[-12:]))
            self.never_two()
        state["tool"].quit()
        return state["killed"]

    def every_point(self, prepare, script, target, judge):
        number = 0
        while True:
            any_killed = False
            for when in ("before", "after"):
                ENGINE.remove_all()
                prepare()
                any_killed |= self.run_killed(script, (number, when), target)
                judge((number, when))
                self.assertNotIn("TWO", self.log())
            if not any_killed:
                return number
            number += 1

    def test_a_turn_killed_anywhere(self):
        def prepare():
            self.create(policy="always")
            # a turn before this one has left its own
            ENGINE.create("node" + OLD, "node:v1", HostConfig={"NetworkMode": "host"})

        def judge(point):
            new, old = ENGINE.container("node"), ENGINE.container("node" + OLD)
            self.assertEqual(new["Config"]["Image"], "node:v2", point)
            self.assertTrue(new["State"]["Running"], point)
            self.assertEqual(new["HostConfig"]["RestartPolicy"]["Name"], "always", point)
            self.assertEqual(old["Config"]["Image"], "node:v1", point)
            self.assertEqual(old["Id"], new["Config"]["Labels"]["stagger.replaces"], point)
            self.assertEqual(old["HostConfig"]["RestartPolicy"]["Name"], "no", point)
            self.assertFalse(old["State"]["Running"], point)
            self.assertEqual(len(ENGINE.containers()), 2, point)

        points = self.every_point(prepare, self.SCRIPT, "node:v2", judge)
        print("a turn was killed at %d requests, before and after each" % points)
        self.assertGreaterEqual(points, 5)  # stop, remove, rename, create, update, start

    def test_a_restore_killed_anywhere(self):
        state = {}

        def prepare():
            state["old"] = self.create(policy="always")
            tool = self.tool()
            self.aim(tool, "node:v2")
            for step in ("stop", "reinit", "start"):
                self.ok(tool, step)
            tool.quit()

        def judge(point):
            back = ENGINE.container("node")
            self.assertEqual(back["Id"], state["old"], point)
            self.assertEqual(back["HostConfig"]["RestartPolicy"]["Name"], "always", point)
            self.assertEqual(len(ENGINE.containers()), 1, point)
            self.assertEqual(ENGINE.running(), ["node"], point)

        points = self.every_point(prepare, ("restore",), None, judge)
        self.assertGreaterEqual(points, 6)  # stop, two updates, remove, rename, start

    def test_without_the_kept_line(self):
        """The journal is lost in the middle: the labels tell."""
        old = self.create()
        tool = self.tool()
        self.aim(tool, "node:v2")
        self.ok(tool, "stop")
        self.ok(tool, "reinit")
        tool.quit()
        os.unlink(os.path.join(self.folder, "kept"))
        tool = self.tool()
        self.aim(tool, "node:v2")
        self.ok(tool, "reinit")
        self.ok(tool, "start")
        self.assertEqual(ENGINE.container("node" + OLD)["Id"], old)


if __name__ == "__main__":
    if not TOOL:
        raise SystemExit("RUNTIME_TOOL names no executable")
    try:
        setUpModule()
    except Missing as why:
        if ENGINE is not None:
            ENGINE.close()
        print("skipped: %s" % why)
        raise SystemExit(77)
    setUpModule = None  # done already, so that its failure could be told apart
    unittest.main(verbosity=2)
