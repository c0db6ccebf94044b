#!/usr/bin/env python3
"""`stagger devnet` as one uses it: start, look, stop by hand, kill, start again, and everything that can be in the way.

The executable is named by the environment variable STAGGER. Every failure prints the command.
"""
import json
import os
import shlex
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request

STAGGER = os.environ.get("STAGGER", "")
SECONDS_MAX = 90
QUICK = ["--block-time", "200ms", "--timeout-propose", "300ms"]


class Done:
    """A command that has ended."""

    def __init__(self, words, done):
        self.words, self.status, self.out, self.err = words, done.returncode, done.stdout, done.stderr

    def __str__(self):
        return "\n%s\nstatus %d\n%s\n%s" % (shlex.join(self.words), self.status, self.out[:2000], self.err[:2000])


def run(*words, **how):
    words = [STAGGER, *map(str, words)]
    return Done(words, subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                      text=True, timeout=SECONDS_MAX, **how))


def alive(pid):
    """A zombie is not."""
    try:
        with open("/proc/%d/stat" % pid) as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def until(condition, what, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError("did not come true in %d s: %s" % (seconds, what))
        time.sleep(0.02)


def text(*path):
    with open(os.path.join(*path)) as file:
        return file.read()


def get(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)["result"]


def free_ports(count):
    """The first of so many in a row, below those that the kernel gives to anybody."""
    for first in range(20000 + os.getpid() % 500 * 10, 26000, count):
        sockets = [socket.socket() for _ in range(count)]
        try:
            for offset, one in enumerate(sockets):
                one.bind(("127.0.0.1", first + offset))
            return first
        except OSError:
            pass
        finally:
            for one in sockets:
                one.close()
    raise AssertionError("no free ports")


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="stagger-devnet-")
        self.dir = os.path.join(self.folder, "a net's dir")
        self.dirs = [self.dir]
        self.children = []

    def tearDown(self):
        for child in self.children:
            if child.poll() is None:
                child.terminate()
            child.communicate()
        for path in self.dirs:
            if os.path.exists(os.path.join(path, "settings.json")):
                run("devnet", "stop", "--dir", path)
        shutil.rmtree(self.folder)

    def well(self, *words):
        done = run(*words)
        self.assertEqual(done.status, 0, done)
        return done

    def refused(self, *words, says=()):
        done = run("devnet", *words)
        self.assertEqual(done.status, 1, done)
        self.assertEqual(done.err.count("\n"), 1, done)
        self.assertTrue(done.err.startswith("stagger devnet: "), done)
        for part in [says] if isinstance(says, str) else says:
            self.assertIn(part, done.err, done)
        return done

    def up(self, *words, path=None):
        path = path or self.dir
        if path not in self.dirs:
            self.dirs.append(path)
        return self.well("devnet", "--dir", path, *QUICK, "--detach", *words)

    def hand(self, *words):
        return self.well("devnet", *words, "--dir", self.dir)

    def public(self, path=None):
        with open(os.path.join(path or self.dir, "devnet.json")) as file:
            return json.load(file)

    def pids(self):
        public = self.public()
        return [public["supervisor_pid"], public["chain_pid"]] + [one["node_pid"] for one in public["validators"]]

    def node_pid(self, node):
        return self.public()["validators"][node]["node_pid"]

    def height(self, node=0):
        url = self.public()["validators"][node]["rpc"]
        return int(get(url + "/status")["sync_info"]["latest_block_height"])

    def grows(self, node=0):
        first = self.height(node)
        until(lambda: self.height(node) > first, "height above %d" % first)


class Whole(Case):
    def test_start_look_stop_go_on(self):
        done = self.up("--validators", 4)
        self.assertIn("devnet kira-devnet-1 is up", done.out)
        self.assertEqual(done.err, "")
        public = self.public()
        self.assertEqual([public["chain"], public["chain_id"]], ["kira", "kira-devnet-1"])
        self.assertEqual([one["validator"] for one in public["validators"]], [0, 1, 2, 3])
        members = {one["address"] for one in get(public["validators"][0]["rpc"] + "/validators")["validators"]}
        for number, one in enumerate(public["validators"]):
            self.assertTrue(one["account"].startswith("kira1"))
            self.assertIn(one["address"], members)
            self.assertEqual(get(one["rpc"] + "/status")["validator_info"]["address"], one["address"])
            key = os.path.join(self.dir, one["key_file"])
            self.assertRegex(text(key), "^[0-9a-f]{64}\n$")
            self.assertEqual(stat.S_IMODE(os.stat(key).st_mode), 0o600)
            self.assertTrue(alive(one["node_pid"]))
            made = json.loads(text(self.dir, "node", str(number), "priv_validator_key.json"))
            self.assertEqual(made["address"], one["address"])
        self.assertEqual(stat.S_IMODE(os.stat(self.dir).st_mode), 0o700)
        self.grows()
        pids, height = self.pids(), self.height()
        self.assertEqual(self.hand("status").out.count("\n"), 3 + 4)
        self.hand("stop")
        self.assertFalse(any(map(alive, pids)))
        self.assertFalse(os.path.exists(os.path.join(self.dir, "devnet.json")))
        self.assertFalse(os.path.exists(os.path.join(self.dir, "chain", "chain.sock")))
        self.assertEqual(run("devnet", "status", "--dir", self.dir).status, 3)
        self.assertIn("does not run", self.hand("stop").out)
        done = self.well("devnet", "--dir", self.dir, "--detach")
        self.assertEqual(done.err, "")
        self.assertGreaterEqual(self.height(), height)
        again = self.public()
        for key in ("account", "address", "rpc", "key_file"):
            self.assertEqual([one[key] for one in again["validators"]], [one[key] for one in public["validators"]])
        self.grows()

    def test_agents_configurations_and_the_simulator(self):
        self.up("--validators", 3, "--min-validators", 1)
        conf = os.path.join(self.dir, "agents", "0.conf")
        done = self.well("chain", "status", "--config", conf, "--json")
        self.assertEqual(len(json.loads(done.out)["endpoints" if "endpoints" in done.out else "nodes"]), 3, done)
        self.grows()
        done = run("tx", "pause", "--config", conf, "--wait", "--force")
        self.assertEqual(done.status, 0, done)
        done = run("tx", "unpause", "--config", conf, "--wait")
        self.assertEqual(done.status, 0, done)
        self.well("sim", "--genesis", os.path.join(self.dir, "genesis.json"), "--json", "-")

    def test_one_validator(self):
        self.up("--validators", 1)
        self.grows()
        self.hand("node", "kill", 0)
        self.hand("node", "start", 0)
        self.grows()

    def test_dcl(self):
        self.up("--chain", "dcl", "--validators", 4, "--empty-blocks", "300ms")
        public = self.public()
        self.assertEqual([public["chain"], public["chain_id"]], ["dcl", "dcl-devnet-1"])
        self.assertTrue(public["validators"][0]["account"].startswith("cosmos1"))
        self.grows()
        self.well("chain", "status", "--config", os.path.join(self.dir, "agents", "3.conf"))
        self.well("sim", "--genesis", os.path.join(self.dir, "genesis.json"), "--json", "-")
        self.hand("stop")
        self.up("--empty-blocks", "10m")
        self.assertGreater(self.height(), 0)

    def test_in_front_until_a_signal(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            child = subprocess.Popen([STAGGER, "devnet", "--dir", self.dir, "--validators", "2", *QUICK],
                                     stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            self.children.append(child)
            until(lambda: os.path.exists(os.path.join(self.dir, "devnet.json")), "devnet.json")
            pids = self.pids()
            self.assertEqual(pids[0], child.pid)
            child.send_signal(number)
            out, err = child.communicate(timeout=30)
            self.assertEqual(child.returncode, 0, err)
            self.assertEqual(err, "")
            self.assertIn("Ctrl-C", out)
            self.assertFalse(any(map(alive, pids)))
            self.assertFalse(os.path.exists(os.path.join(self.dir, "devnet.json")))

    def test_a_signal_while_it_starts(self):
        child = subprocess.Popen([STAGGER, "devnet", "--dir", self.dir, "--validators", "2", *QUICK],
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.children.append(child)
        until(lambda: os.path.exists(os.path.join(self.dir, "node", "0", "log")), "node 0's log")
        child.send_signal(signal.SIGINT)
        _, err = child.communicate(timeout=30)
        self.assertEqual((child.returncode, err), (0, ""))
        self.assertEqual(run("devnet", "status", "--dir", self.dir).out.count("stopped"), 2)
        self.up()

    def test_two_at_once_have_ports_of_their_own(self):
        other = os.path.join(self.folder, "other")
        self.dirs.append(other)
        words = [[STAGGER, "devnet", "--dir", path, "--validators", "2", *QUICK, "--detach"] for path in self.dirs]
        children = [subprocess.Popen(one, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) for one in words]
        for child in children:
            self.assertEqual(child.communicate(timeout=60)[1], "")
            self.assertEqual(child.returncode, 0)
        ports = [one["rpc"] for path in self.dirs for one in self.public(path)["validators"]]
        self.assertEqual(len(set(ports)), 4, ports)

    def test_seeds_make_the_same_keys(self):
        keys = []
        for name, words in (("a", ("--seed", 7)), ("b", ("--seed", 7)), ("c", ("--seed", 8)), ("d", ()), ("e", ())):
            path = os.path.join(self.folder, name)
            self.up("--validators", 2, *words, path=path)
            self.well("devnet", "stop", "--dir", path)
            keys.append([text(path, "node", str(i), file) for i in (0, 1)
                         for file in ("account.key", "priv_validator_key.json", "node_key.json")])
        self.assertEqual(keys[0], keys[1])
        for one, two in ((0, 2), (0, 3), (3, 4)):
            self.assertFalse(set(keys[one]) & set(keys[two]))

    def test_a_long_name_has_its_socket_elsewhere(self):
        self.dir = os.path.join(self.folder, "d" * 120)
        self.up("--validators", 2)
        with open(os.path.join(self.dir, "settings.json")) as file:
            place = json.load(file)["socket"]
        self.assertTrue(place.startswith("/") and len(place) < 100 and os.path.exists(place), place)
        self.hand("chain", "kill")
        self.hand("chain", "start")
        self.grows()
        self.hand("stop")
        self.assertFalse(os.path.exists(place))

    def test_a_moved_directory_goes_on(self):
        self.up("--validators", 2)
        height = self.height()
        self.hand("stop")
        moved = os.path.join(self.folder, "moved")
        os.rename(self.dir, moved)
        self.dir = moved
        self.up()
        self.assertGreaterEqual(self.height(), height)


class ByHand(Case):
    def test_nodes_and_the_chain_process(self):
        self.up("--validators", 4)
        for how in ("stop", "kill"):
            pid = self.node_pid(2)
            self.assertIn("node 2 has", self.hand("node", how, 2).out)
            self.assertFalse(alive(pid))
            self.assertEqual(self.node_pid(2), 0)
            self.assertIn("does not run", self.hand("node", how, 2).out)
            self.grows()
            self.assertIn("node 2 runs", self.hand("node", "start", 2).out)
            self.assertTrue(alive(self.node_pid(2)))
            self.assertNotEqual(self.node_pid(2), pid)
            self.assertIn("runs already", self.hand("node", "start", 2).out)
            self.grows(2)
        for how in ("stop", "kill"):
            pid = self.public()["chain_pid"]
            self.hand("chain", how)
            self.assertFalse(alive(pid))
            self.assertEqual(self.public()["chain_pid"], 0)
            height = self.height()
            self.hand("chain", "start")
            self.assertTrue(alive(self.public()["chain_pid"]))
            until(lambda: self.height() > height, "a block after the chain process")
        self.refused("node", "stop", "4", "--dir", self.dir, says="the nodes are 0 to 3")

    def test_quick_changes(self):
        self.up("--validators", 4)
        for number in range(25):
            self.hand("node", ("kill", "stop")[number % 2], 3)
            self.hand("node", "start", 3)
        words = [STAGGER, "devnet", "node", "start", "1", "--dir", self.dir]
        self.hand("node", "kill", 1)
        for child in [subprocess.Popen(words, stdout=subprocess.DEVNULL) for _ in range(3)]:
            self.assertEqual(child.wait(timeout=60), 0)
        self.grows(1)

    def test_a_node_that_somebody_kills(self):
        self.up("--validators", 4)
        pid = self.node_pid(1)
        os.kill(pid, signal.SIGKILL)
        until(lambda: self.node_pid(1) == 0, "node_pid 0 in devnet.json")
        self.hand("node", "start", 1)
        self.grows(1)

    def test_without_a_devnet(self):
        self.refused("node", "start", "0", "--dir", self.dir, says=("no such directory", self.dir))
        self.up("--validators", 2)
        self.hand("stop")
        self.refused("node", "start", "0", "--dir", self.dir, says="no devnet runs here")
        self.assertIn("does not run", self.hand("node", "stop", 0).out)

    def test_the_port_of_a_node_that_starts_is_taken(self):
        self.up("--validators", 2)
        port = int(self.public()["validators"][1]["rpc"].rsplit(":", 1)[1])
        self.hand("node", "stop", 1)
        with socket.socket() as taken:
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            taken.bind(("127.0.0.1", port))
            taken.listen()
            self.refused("node", "start", "1", "--dir", self.dir, says=("port %d" % port, "--base-port"))
        self.hand("node", "start", 1)


class InTheWay(Case):
    def test_a_supervisor_that_was_killed(self):
        self.up("--validators", 3)
        self.grows()
        pids, height = self.pids(), self.height()
        os.kill(pids[0], signal.SIGKILL)
        until(lambda: not alive(pids[0]), "the supervisor's end")
        self.assertTrue(all(map(alive, pids[1:])))
        self.assertIn("no supervisor", run("devnet", "status", "--dir", self.dir).out)
        done = self.up()
        self.assertIn("the last run was killed; ended 4 processes", done.err)
        self.assertFalse(any(map(alive, pids)))
        self.assertTrue(all(map(alive, self.pids())))
        self.assertGreaterEqual(self.height(), height)
        self.grows()
        pids = self.pids()
        os.kill(pids[0], signal.SIGKILL)
        until(lambda: not alive(pids[0]), "the supervisor's end")
        self.assertIn("ended what was left, 4 processes", self.hand("stop").out)
        self.assertFalse(any(map(alive, pids)))

    def test_everything_killed(self):
        self.up("--validators", 3)
        self.grows()
        pids, height = self.pids(), self.height()
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        until(lambda: not any(map(alive, pids)), "their end")
        done = self.up()
        self.assertIn("cleaned up after it", done.err)
        self.assertGreaterEqual(self.height(), height)
        self.grows()

    def test_a_process_id_that_is_somebody_elses(self):
        self.up("--validators", 2)
        self.hand("stop")
        lock = os.path.join(self.dir, "node", "0", "lock")
        with open(lock, "w") as file:
            file.write("%d 1\n" % os.getpid())
        self.assertIn("does not run", self.hand("node", "kill", 0).out)
        self.up()
        self.grows()

    def test_the_directory_is_in_use(self):
        self.up("--validators", 2)
        pids = self.pids()
        self.refused("--dir", self.dir, says=("runs here already", "process %d" % pids[0], "stop"))
        self.refused("--dir", self.dir, "--detach", says="runs here already")
        self.assertEqual(self.pids(), pids)
        self.grows()

    def test_a_directory_with_other_things(self):
        os.mkdir(self.dir)
        with open(os.path.join(self.dir, "letter.txt"), "w") as file:
            file.write("dear")
        self.refused("--dir", self.dir, says=("other things", "letter.txt"))
        self.assertEqual(os.listdir(self.dir), ["letter.txt"])
        self.refused("--dir", os.path.join(self.dir, "letter.txt"), says="no directory")
        self.refused("--dir", os.path.join(self.folder, "no", "where"), says="No such file")
        self.refused("status", "--dir", self.folder, says="no devnet in it")

    def test_a_directory_that_is_half_made(self):
        self.up("--validators", 2)
        self.hand("stop")
        os.unlink(os.path.join(self.dir, "settings.json"))
        os.unlink(os.path.join(self.dir, "chain", "blocks.log"))
        shutil.rmtree(os.path.join(self.dir, "node", "1"))
        for name in ("log", "settings.json.77.part"):
            with open(os.path.join(self.dir, name), "w"):
                pass
        os.unlink(os.path.join(self.dir, "log"))
        self.up("--validators", 2)
        self.grows()

    def test_a_file_that_is_damaged(self):
        self.up("--validators", 2)
        self.hand("stop")
        path = os.path.join(self.dir, "settings.json")
        whole = text(path)
        for damaged, says in (("{", "no JSON"), ("{}", "version"), (whole.replace('"200ms"', '"soon"'), "block_time"),
                           (whole.replace('"node_id": "', '"node_id": "zz'), "nodes")):
            with open(path, "w") as file:
                file.write(damaged)
            self.refused("--dir", self.dir, "--detach", says=("settings.json", says))
        with open(path, "w") as file:
            file.write(whole)
        key = os.path.join(self.dir, "node", "1", "priv_validator_key.json")
        shutil.copy(os.path.join(self.dir, "node", "0", "priv_validator_key.json"), key)
        self.refused("--dir", self.dir, "--detach", says=("node 1", "priv_validator_key.json"))
        self.assertEqual(run("devnet", "status", "--dir", self.dir).out.count("stopped"), 2)

    def test_a_port_is_taken(self):
        first = free_ports(6)
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", first + 1))
            taken.listen()
            self.refused("--dir", self.dir, "--validators", 3, "--base-port", first, "--detach",
                         says=("port %d" % (first + 1), "node 1", "--base-port"))
            self.assertEqual(run("devnet", "status", "--dir", self.dir).out.count("stopped"), 3)
            self.refused("--dir", self.dir, "--detach", says="port %d" % (first + 1))
            self.up("--base-port", first + 3)
            self.assertEqual(self.public()["validators"][2]["rpc"], "http://127.0.0.1:%d" % (first + 5))
            self.assertIn("node = http://127.0.0.1:%d\n" % (first + 5), text(self.dir, "agents", "2.conf"))

    def test_options_that_contradict_the_directory(self):
        self.up("--validators", 2, "--seed", 3, "--min-validators", 2)
        self.hand("stop")
        for option, value, has in (("--validators", 3, "2"), ("--chain", "dcl", "kira"), ("--seed", 4, "3"),
                                   ("--chain-id", "else-1", "kira-devnet-1"), ("--min-validators", 1, "2"),
                                   ("--proposal-time", "6s", "5s"), ("--enactment-time", "3s", "2s")):
            self.refused("--dir", self.dir, option, value,
                         says=("%s %s:" % (option, value), "was made with %s;" % has, "another --dir"))
        self.refused("--dir", self.dir, "--guard", says="was made without it")
        self.assertFalse(os.path.exists(os.path.join(self.dir, "devnet.json")))
        self.up("--validators", 2, "--seed", 3, "--chain", "kira", "--chain-id", "kira-devnet-1", "--proposal-time", "5s")

    def test_a_dead_chain_stays_dead(self):
        self.up("--validators", 4)
        public = self.public()
        self.grows()
        for number, one in enumerate(public["validators"]):
            done = self.well("tx", "pause", "--offline", "--chain", "kira", "--chain-id", "kira-devnet-1",
                             "--account-number", number, "--sequence", 0, "--fee", "100ukex", "--gas", 200000,
                             "--timeout-height", 0, "--key-file", os.path.join(self.dir, one["key_file"]), "--json")
            get(public["validators"][0]["rpc"] + "/broadcast_tx_sync?tx=0x" + json.loads(done.out)["tx"])
        until(lambda: "empty set" in text(self.dir, "chain", "log"), "the chain's last words")
        self.assertGreater(self.height(), 0)
        self.hand("stop")
        done = run("devnet", "--dir", self.dir, "--detach")
        self.assertEqual(done.status, 1, done)
        self.assertIn("CONSENSUS FAILURE", done.err)
        self.assertIn("empty set", done.err)
        self.assertEqual(run("devnet", "status", "--dir", self.dir).out.count("stopped"), 4)


class ExternalNodes(Case):
    """Nodes that others start: here this test, in place of a process manager."""

    def run_node(self, node, *words):
        words = [STAGGER, "devnet", "node", "run", str(node), "--dir", self.dir, *words]
        with open(os.path.join(self.folder, "node-%d.log" % node), "ab") as log:
            child = subprocess.Popen(words, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        self.children.append(child)
        return child

    def follows(self, node, pid):
        until(lambda: self.node_pid(node) == pid, "devnet.json names process %d for node %d" % (pid, node))

    def version(self, node):
        return get(self.public()["validators"][node]["rpc"] + "/abci_info")["response"]["version"]

    def test_nodes_come_and_go(self):
        done = self.up("--validators", 4, "--external-nodes")
        self.assertIn("waits for its 4 nodes", done.out)
        self.assertEqual([self.node_pid(node) for node in range(4)], [0] * 4)
        nodes = [self.run_node(node, "--software", "v1") for node in range(4)]
        for node, child in enumerate(nodes):
            self.follows(node, child.pid)
        until(lambda: self.height() > 2, "blocks")
        self.assertEqual(self.version(2), "v1")
        for number, status in ((signal.SIGTERM, 0), (signal.SIGINT, 0), (signal.SIGKILL, -signal.SIGKILL)):
            nodes[2].send_signal(number)
            self.assertEqual(nodes[2].wait(10), status)
            self.follows(2, 0)
            self.grows()
            nodes[2] = self.run_node(2, "--software", "v2")
            self.follows(2, nodes[2].pid)
            until(lambda: self.height(2) > 0, "node 2 answers")
            self.assertEqual(self.version(2), "v2")

    def test_the_supervisor_leaves_them_alone(self):
        self.up("--validators", 4, "--external-nodes")
        nodes = [self.run_node(node) for node in range(4)]
        for node, child in enumerate(nodes):
            self.follows(node, child.pid)
        self.grows()
        self.assertEqual(self.version(0), "v0.4.13")
        public = self.public()
        for number in (signal.SIGTERM, signal.SIGKILL):
            os.kill(self.public()["supervisor_pid"], number)
            until(lambda: not alive(public["supervisor_pid"]), "the supervisor is gone")
            self.assertTrue(all(alive(child.pid) for child in nodes))
            self.up("--external-nodes")
            public = self.public()
            self.assertEqual([one["node_pid"] for one in public["validators"]], [child.pid for child in nodes])
            self.grows()
        self.hand("stop")
        self.assertEqual([child.wait(10) for child in nodes], [0] * 4)

    def test_what_is_refused(self):
        self.up("--validators", 2)
        for words, says in ((["node", "run", "0"], "runs already"), (["node", "run", "7"], "no node 7"),
                            (["node", "start", "0", "--software", "v2"], "--software is for"),
                            (["node", "run", "1", "--software", "a b"], "letters"),
                            (["status", "--external-nodes"], "only --dir")):
            with self.subTest(words):
                self.refused(*words, "--dir", self.dir, says=says)


class Stalled(Case):
    def test_who_hangs_proposes_nothing(self):
        """Its votes are missing, and so is the block that it would propose."""
        self.up("--validators", 4)
        public = self.public()["validators"]
        until(lambda: self.height() > 4, "blocks")
        os.kill(public[1]["node_pid"], signal.SIGSTOP)
        try:
            first = self.height() + 2
            until(lambda: self.height() >= first + 8, "blocks without it")
            for height in range(first, first + 9):
                header = get("%s/header?height=%d" % (public[0]["rpc"], height))["header"]
                self.assertNotEqual(header["proposer_address"], public[1]["address"], "block %d" % height)
        finally:
            os.kill(public[1]["node_pid"], signal.SIGCONT)
        self.grows(1)


class Options(Case):
    def test_what_is_refused(self):
        for words, says in (
                (["--validators", "0"], ("--validators", "1 to 200")), (["--validators", "201"], "1 to 200"),
                (["--validators", "-1"], "--validators"), (["--validators", "4x"], "'4x'"), (["--validators"], "missing"),
                (["--validators", "--detach"], "missing"), (["--validators=4", "--validators=4"], "twice"),
                (["--validator", "4"], "did you mean '--validators'"), (["--detach=yes"], "takes no value"),
                (["--chain", "cosmos"], "kira or dcl"), (["--chain-id", "a b"], "letters"), (["--chain-id", ""], "letters"),
                (["--chain-id", "x" * 51], "1 to 50"), (["--block-time", "0s"], "duration"), (["--block-time", "1"], "duration"),
                (["--block-time", "2s", "--empty-blocks", "1s"], "--empty-blocks"), (["--base-port", "80"], "1024"),
                (["--base-port", "65530"], "65535"), (["--proposal-time", "1500ms"], "whole seconds"),
                (["--chain", "dcl", "--guard"], "--chain kira"), (["--chain", "dcl", "--proposal-time", "5s"], "--chain kira"),
                (["--seed", "0x1"], "--seed"), (["--seed", "18446744073709551616"], "--seed"), (["--min-validators", "0"], "1 to"),
                (["--dir", ""], "--dir"), (["--dir", "a;b"], "--dir"), (["--dir", "a\nb"], "--dir"), (["node"], "start|stop|kill N"),
                (["node", "start"], "start|stop|kill N"), (["node", "start", "x"], "'x'"), (["node", "jump", "1"], "'jump'"),
                (["chain", "start", "1"], "start|stop|kill"), (["up"], "'up'"), (["stop", "--validators", "4"], "--validators"),
                (["a", "b", "c", "d"], "too many"), (["--timeout-propose", "1e3ms"], "--timeout-propose")):
            with self.subTest(words):
                done = run("devnet", *words, cwd=self.folder)
                self.assertEqual(done.status, 1, done)
                self.assertEqual((done.out, done.err.count("\n")), ("", 1), done)
                for part in [says] if isinstance(says, str) else says:
                    self.assertIn(part, done.err, done)
                self.assertEqual([name for name in os.listdir(self.folder) if name != "devnet"], [])

    def test_help(self):
        done = self.well("devnet", "--help")
        for word in ("--empty-blocks", "node start|stop|kill N", "node run N", "--external-nodes", "--detach"):
            self.assertIn(word, done.out)


if __name__ == "__main__":
    if not STAGGER:
        sys.exit("STAGGER names no executable")
    unittest.main(verbosity=2)
