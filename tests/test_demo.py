#!/usr/bin/env python3
"""`stagger demo`: it comes out well, and what it says is true; it leaves nothing behind, however it is ended.

What it says is checked here once more, from the blocks of the network that it leaves with --dir: they are read from the
RPC of a devnet started again on that directory, and live counts, floor and permits' consequences are computed from them
by this file alone. DEMO_SEED repeats the moments at which it is ended; DEMO_ENDS says how many (12).
"""
import base64
import fcntl
import glob
import json
import os
import pty
import random
import re
import select
import shlex
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import unittest
from pathlib import Path

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "devnet"))
import net  # noqa: E402
from bech32 import bech32_bytes  # noqa: E402  pylint: disable=wrong-import-order

STAGGER = os.environ.get("STAGGER", "")
QUICK = ["--block-time", "500ms", "--reboot", "1s"]
SECONDS_MAX = 300
PAUSES = {"kira": (rb"/kira\.slashing\.MsgPause", rb"kiravaloper1[02-9ac-hj-np-z]{38}"),
          "dcl": (rb"MsgDisableValidator", rb"cosmosvaloper1[02-9ac-hj-np-z]{38}")}


def processes_of(folder):
    """Those that name the folder in their command line or stand in it."""
    found = {}
    for path in glob.glob("/proc/[0-9]*"):
        try:
            words = Path(path, "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            here = os.readlink(path + "/cwd")
        except OSError:
            continue
        if folder in words or here.startswith(folder):
            found[int(os.path.basename(path))] = words
    return found


def sockets():
    return set(glob.glob("/tmp/stagger-%d/*.sock" % os.geteuid()))


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="stagger demo's test ")
        self.temp = os.path.join(self.folder, "temp orary")
        os.mkdir(self.temp)
        self.page = os.path.join(self.folder, "a page.html")
        self.sockets = sockets()
        self.child = None

    def tearDown(self):
        if self.child and self.child.poll() is None:
            self.child.terminate()
            self.child.wait(60)
        for stream in (self.child.stdout, self.child.stderr) if self.child else ():
            stream.close()
        left = processes_of(self.folder)
        for pid in left:
            os.kill(pid, signal.SIGKILL)
        shutil.rmtree(self.folder)
        self.assertEqual(left, {})

    def words(self, *words):
        return [STAGGER, "demo", "--html", self.page, *map(str, words)]

    def environment(self):
        return dict(os.environ, TMPDIR=self.temp, STAGGER_CHAIN_NODE="http://192.0.2.1:1")

    def start(self, *words):
        self.child = subprocess.Popen(self.words(*words), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                      stderr=subprocess.PIPE, text=True, bufsize=1, env=self.environment())
        return self.child

    def done(self, *words):
        return subprocess.run(self.words(*words), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=SECONDS_MAX, env=self.environment())

    def nothing_left(self, why):
        self.assertEqual(processes_of(self.folder), {}, why)
        self.assertEqual(os.listdir(self.temp), [], why)
        self.assertEqual(sockets(), self.sockets, why)


# --- a run, and its blocks ---


class Blocks:
    """The chain of a finished demo, as a node tells it."""

    def __init__(self, chain, folder):
        self.chain, self.dir = chain, folder
        self.members, self.blocks, self.codes = {}, {}, {}

    def __enter__(self):
        subprocess.run([STAGGER, "devnet", "--dir", self.dir, "--detach"], check=True, stdout=subprocess.DEVNULL)
        public = json.loads(Path(self.dir, "devnet.json").read_text())
        self.url = public["validators"][0]["rpc"]
        self.address = {bech32_bytes(v["account"]): v["address"].upper() for v in public["validators"]}
        return self

    def wait(self, height):
        net.poll(lambda: int(net.ask(self.url, "status")["sync_info"]["latest_block_height"]) >= height,
                 f"block {height}")

    def __exit__(self, *_):
        subprocess.run([STAGGER, "devnet", "stop", "--dir", self.dir], check=True, stdout=subprocess.DEVNULL)

    def set_of(self, height):
        if height not in self.members:
            answer = net.ask(self.url, "validators", height=str(height), page="1", per_page="100")
            self.members[height] = [v["address"] for v in answer["validators"]]
        return self.members[height]

    def block(self, height):
        if height not in self.blocks:
            self.blocks[height] = net.ask(self.url, "block", height=str(height))["block"]
        return self.blocks[height]

    def signers(self, height):
        """Of block `height`, by the commit in the block behind it."""
        signatures = self.block(height + 1)["last_commit"]["signatures"]
        return {s["validator_address"] for s in signatures if s["block_id_flag"] == 2}

    def pauses(self, height):
        """(address, code) of every pause in the block."""
        message, name = PAUSES[self.chain]
        found = []
        for index, text in enumerate(self.block(height)["data"]["txs"] or []):
            tx = base64.b64decode(text)
            if not re.search(message, tx):
                continue
            results = net.ask(self.url, "block_results", height=str(height))["txs_results"]
            owner = self.address[bech32_bytes(re.search(name, tx)[0].decode())]
            found.append((owner, int(results[index].get("code", 0))))
        return found

    def live(self, height):
        """Of V(h+1), who is not going and signed one of the last three commits that block h knows."""
        going = {address for address, _ in self.pauses(height)}
        seen = set().union(*(self.signers(h) for h in range(height - 3, height)))
        return [a for a in self.set_of(height + 1) if a not in going and a in seen]


class Whole(Case):
    def judge(self, chain, out, validators=7):
        """Once more what the demo has said, from the RPC."""
        heights = [int(h) for h in re.findall(r"block (\d+) +live", out)]
        begin = int(re.search(r"block (\d+) .*every agent is told", out)[1])
        floor = validators * 2 // 3 + 1
        paused, least = [], validators
        with Blocks(chain, os.path.join(self.folder, "net of the demo", "net")) as blocks:
            blocks.wait(heights[-1] + 2)
            for height in range(begin + 1, heights[-1] + 1):
                live = blocks.live(height)
                least = min(least, len(live))
                self.assertGreaterEqual(len(live), floor, f"block {height}")
                if height < heights[-1]:  # the last one's late votes were not waited for
                    self.assertEqual(set(blocks.set_of(height)) - blocks.signers(height), set(), f"block {height}")
                paused += [address for address, code in blocks.pauses(height) if code == 0]
            self.assertEqual(sorted(paused), sorted(blocks.address.values()))
            self.assertEqual(sorted(blocks.set_of(heights[-1] + 1)), sorted(blocks.address.values()))
        self.assertIn(f"never fewer than {least} live against a floor of {floor}", out)
        self.assertIn("0 blocks missed", out)
        self.assertIn(f"{validators} pauses, 0 of them without a permit", out)

    def run_whole(self, chain, *words):
        folder = os.path.join(self.folder, "net of the demo")
        done = self.done("--chain", chain, "--dir", folder, *QUICK, *words)
        said = done.stdout[-6000:] + done.stderr
        self.assertEqual(done.returncode, 0, said)
        self.assertEqual(done.stderr, "", said)
        self.assertIn("All of it is true", done.stdout)
        self.assertIn("7 of 7 nodes show v2 on their RPC", done.stdout)
        self.assertEqual(processes_of(self.folder), {})
        for node in range(7):
            current = os.readlink(os.path.join(folder, "node", str(node), "cosmovisor", "current"))
            self.assertEqual(os.path.basename(current), "v2")
        self.assertEqual(os.listdir(self.temp), [])
        page = Path(self.page).read_text()
        self.assertIn("The floor held:", page)
        self.assertIn("7 of 7 validators rebooted", page)
        self.assertEqual(page.count('<g class="v">'), 7)
        self.judge(chain, done.stdout)

    def test_kira(self):
        self.run_whole("kira")

    def test_dcl(self):
        self.run_whole("dcl")


# --- what goes wrong ---


class Wrong(Case):
    def lines_until(self, pattern):
        """Reads on until a line matches; what is read is kept."""
        for line in self.child.stdout:
            self.said.append(line)
            if re.search(pattern, line):
                return line
        self.fail("it ended: " + "".join(self.said)[-2000:] + self.child.stderr.read())

    def begin(self, *words):
        self.said = []
        self.start("--keep", *QUICK, *words)

    def net_dir(self):
        return glob.glob(os.path.join(glob.escape(self.temp), "*", "net"))[0]

    def pid_of(self, *process):
        return int(Path(self.net_dir(), *process, "lock").read_text().split()[0])

    def ended(self):
        out, err = self.child.communicate(timeout=SECONDS_MAX)
        out = "".join(self.said) + out
        self.assertEqual(processes_of(self.folder), {}, out + err)
        return self.child.returncode, out, err

    def test_an_agent_that_dies(self):
        self.begin()
        self.lines_until("they go in turns")
        agent = [pid for pid, words in processes_of(self.temp).items() if " run --config" in words and "/agent/3/" in words]
        os.kill(agent[0], signal.SIGKILL)
        status, out, err = self.ended()
        self.assertEqual(status, 1, out + err)
        self.assertRegex(err, r"^stagger demo: agent 3 was ended by signal 9[^\n]*\n$")

    def test_a_chain_process_that_dies(self):
        self.begin()
        self.lines_until("every agent is told")
        os.kill(self.pid_of("chain"), signal.SIGKILL)
        status, out, err = self.ended()
        self.assertEqual(status, 1, out + err)
        self.assertRegex(err, r"^stagger demo: the chain process has ended: [^\n]*signal 9\n$")

    def test_a_member_that_misses_blocks_is_told(self):
        """Its agent starts the node again, and everybody is upgraded; but it was away without a permit."""
        self.begin()
        self.lines_until("every agent is told")
        os.kill(self.pid_of("node", "5"), signal.SIGKILL)
        status, out, err = self.ended()
        self.assertEqual((status, err), (3, ""), out)
        self.assertIn("Not all of it is true", out)
        self.assertRegex(out, r"NO  signatures +[1-9]")
        self.assertRegex(out, r"no-missed-block at block \d+, validator 5")
        self.assertIn("missed", Path(self.page).read_text())

    def test_ends_at_any_moment(self):
        seed = int(os.environ.get("DEMO_SEED", random.randrange(1 << 32)))
        chance = random.Random(seed)
        for turn in range(int(os.environ.get("DEMO_ENDS", "12"))):
            number = chance.choice([signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
            lines = chance.choice([0, 1, 2, 3, chance.randrange(4, 60)])
            with self.subTest(repeat=f"DEMO_SEED={seed}, number {turn}", signal=number, lines=lines):
                self.start(*QUICK)
                for _ in range(lines):
                    self.child.stdout.readline()
                self.child.send_signal(number)
                _, err = self.child.communicate(timeout=60)
                self.assertEqual(err, "")
                early = [-number] if lines == 0 else []  # it had not begun
                self.assertIn(self.child.returncode, [0] if self.over() else [128 + number, *early])
                self.nothing_left(f"DEMO_SEED={seed}")

    def over(self):
        return os.path.exists(self.page) and os.path.getsize(self.page) > 0

    def test_a_kill_leaves_no_process(self):
        self.start(*QUICK)
        for _ in range(12):
            self.child.stdout.readline()
        self.child.kill()
        self.child.wait()
        net.poll(lambda: not processes_of(self.folder), "everything has ended")


class Terminal(Case):
    def test_table_and_ctrl_c(self):
        """In a terminal of its own, where Ctrl-C reaches the whole group in front."""
        pid, terminal = pty.fork()
        if pid == 0:
            os.execve(STAGGER, self.words(*QUICK), self.environment())
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 60, 0, 0))
        out = b""
        while b"out  v2" not in out:  # somebody is on its way back
            self.assertTrue(select.select([terminal], [], [], 60)[0], out[-3000:])
            out += os.read(terminal, 65536)
        os.write(terminal, b"\x03")
        try:
            while more := os.read(terminal, 65536):
                out += more
        except OSError:  # the other side is closed
            pass
        os.close(terminal)
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 128 + signal.SIGINT)
        table = re.split(rb"\x1b\[J", out)[-3].decode()
        self.assertRegex(table, r"live \d of 7  \[#+-*\]  floor 5")
        self.assertEqual(len(re.findall(r"^\x1b\[K\d +(?:in|out) +(?:v1|v2|down|starts) ", table, re.M)), 7, table)
        self.assertLess(max(len(line) for line in table.replace("\x1b[K", "").splitlines()), 65)
        self.nothing_left(table)


class Options(Case):
    def test_what_is_refused(self):
        full = os.path.join(self.folder, "full")
        os.mkdir(full)
        Path(full, "mine").write_text("")
        for words, says in ((["--validators", "3"], "4 to 40"), (["--chain", "cosmos"], "kira or dcl"),
                            (["--block-time", "1ms"], "250ms"), (["--reboot", "soon"], "duration"), (["now"], "'now'"),
                            (["--validator", "7"], "did you mean '--validators'"), (["--dir", full], "not empty"),
                            (["--dir", os.path.join(self.folder, "no", "such")], "No such"),
                            (["--dir", os.path.join(self.folder, "x" * 100)], "shorter"), (["--keep=1"], "no value"),
                            (["--dir", os.path.join(self.folder, "a;b")], "';'")):
            with self.subTest(words):
                done = self.done(*words)
                self.assertEqual((done.returncode, done.stdout), (1, ""), shlex.join(words) + done.stderr)
                self.assertRegex(done.stderr, r"^stagger demo: [^\n]+\n$")
                self.assertIn(says, done.stderr)
        self.page = os.path.join(self.folder, "no", "page.html")
        done = self.done()
        self.assertEqual(done.returncode, 1)
        self.assertIn("--html", done.stderr)

    def test_a_temporary_folder_that_is_none(self):
        self.temp = os.path.join(self.folder, "missing")
        done = self.done()
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"^stagger demo: [^\n]*TMPDIR[^\n]*\n$")

    def test_help(self):
        done = self.done("--help")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for word in ("--validators", "--keep", "--html", "Ctrl-C"):
            self.assertIn(word, done.stdout)


if __name__ == "__main__":
    net.need_stagger()
    unittest.main(verbosity=2)
