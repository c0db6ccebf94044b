#!/usr/bin/env python3
"""`stagger run`: what --check-config and --print-config say about good and bad configurations, what becomes of signals,
what the service manager is told; and `stagger gossip-key`.

No network is needed: an agent whose node does not answer waits for it.
"""
import os
import re
import signal
import socket
import subprocess
import time
import unittest
from pathlib import Path

import cli_case
from cli_case import KEY, SENT, STAGGER, WRONG, Case

SECRET = "hush-hush"
SEED = "02" * 32
WAIT_S = 60


class RunCase(Case):
    def configure(self, text="", account="key_file = key"):
        """agent.conf, with a key in it."""
        return self.write("agent.conf", f"[account]\n{account}\n{text}\n")

    def check(self, *words, env=None):
        return self.run_command(["run", "--check-config", "--config", "agent.conf", *words], env=env)

    def good(self, text="", *words, account="key_file = key", env=None):
        self.configure(text, account)
        done = self.check(*words, env=env)
        self.assertEqual(done.status, SENT, done)
        self.assertEqual(done.out, "ok\n", done)
        self.assert_printable(done)
        return done

    def bad(self, text, *parts, account="key_file = key", faults=1, words=(), env=None):
        """Each fault is one line; the parts stand in the first one."""
        self.configure(text, account)
        done = self.check(*words, env=env)
        self.assertEqual(done.status, WRONG, done)
        self.assertEqual(done.out, "", done)
        lines = [line for line in done.err.splitlines() if ": note: " not in line]
        self.assertEqual(len(lines), faults, done)
        for line in lines:
            self.assertTrue(line.startswith("stagger run: "), done)
            self.assertLess(len(line), 600, done)
        for part in parts:
            self.assertIn(part, lines[0], done)
        self.assert_printable(done)
        return done


class Values(RunCase):
    """Line 1 of the file is [account], line 2 the key; the text begins in line 3."""

    def test_defaults(self):
        self.good()

    def test_nothing_is_made(self):
        self.good("[agent]\ndir = a/b/c\n")
        self.assertEqual(sorted(os.listdir(".")), ["agent.conf", "key"])

    def test_values(self):
        wrong = {
            "[limits]\nhours = 25:00-04:00": ("agent.conf:4: limits.hours: ", "22:00-04:00"),
            "[limits]\nhours = 22:00": ("agent.conf:4: limits.hours: ",),
            "[limits]\nhours = 04:00-04:00": ("agent.conf:4: limits.hours: ", "leave it out"),
            "[limits]\nfloor = -1": ("agent.conf:4: limits.floor: ", "whole number"),
            "[limits]\nfreeze = many": ("agent.conf:4: limits.freeze: ", "from 0 to 16384"),
            "[limits]\nflor = 1": ("agent.conf:4: limits.flor: ", "did you mean floor?"),
            "[limit]\nfloor = 1": ("agent.conf:4: ", "[limits]"),
            "[limits]\nfloor = 1\nfloor = 2": ("agent.conf:5: limits.floor: ", "line 4"),
            "[agent]\nlog = loud": ("agent.conf:4: agent.log: ", "debug or info or unusual or broken"),
            "[agent]\nexpected = 5": ("agent.conf:4: agent.expected: ", "duration"),
            "[agent]\nexpected = 5h": ("agent.conf:4: agent.expected: ", "4h"),
            "[agent]\nfloor = 5": ("agent.conf:4: agent.floor: ", "belongs to [limits]"),
            "[gossip]\nlisten = 0.0.0.0:26670": ("agent.conf:4: gossip.listen: ", "tcp://0.0.0.0:26670"),
            "[gossip]\nlisten = tcp://0.0.0.0:0": ("agent.conf:4: gossip.listen: ",),
            "[gossip]\nadvertise = tcp://a:1,tcp://b:2,tcp://c:3": ("agent.conf:4: gossip.advertise: ", "at most 2"),
            "[gossip]\nseeds = tcp://a:1": ("agent.conf:4: gossip.seeds: ", "number 1", "KEY@tcp://host:port"),
            f"[gossip]\nseeds = {SEED}@tcp://a:1, {SEED[2:]}@tcp://b:1":
                ("agent.conf:4: gossip.seeds: ", "number 2", "64 hex digits"),
            f"[gossip]\nseeds = {SEED}@tcp://a": ("agent.conf:4: gossip.seeds: ", "number 1"),
            "[gossip]\nproxy = tor": ("agent.conf:4: gossip.proxy: ", "127.0.0.1:9050"),
            "[gossip]\nproxy = tor:0": ("agent.conf:4: gossip.proxy: ",),
            "[gossip]\noff = maybe": ("agent.conf:4: gossip.off: ", "yes or no"),
            "[runtime]\ndriver = dockr": ("agent.conf:4: runtime.driver: ", "did you mean docker?"),
            "[process]\non_stop = kill": ("agent.conf:4: process.on_stop: ", "leave or stop"),
            "[process]\nargs = start 'x": ("agent.conf:4: process.args: ", "quotation mark"),
            "[hooks]\npre_stop = ''x\"": ("agent.conf:4: hooks.pre_stop: ", "quotation mark"),
            "[charter]\nepoch_blocks = 100": ("charter: round_blocks",),
            "[chain]\nnode = 127.0.0.1:26657": ("agent.conf:4: chain.node: ", "http://127.0.0.1:26657"),
            "[chain]\nkind = cosmos": ("agent.conf:4: chain.kind: ", "kira or dcl"),
        }
        for text, parts in wrong.items():
            with self.subTest(text):
                self.bad(text, *parts)

    def test_flags_and_variables(self):
        self.bad("", "--hours: ", words=("--hours", "22:00-25:00"))
        self.bad("", "STAGGER_LIMITS_HOURS: limits.hours: ", env={"STAGGER_LIMITS_HOURS": "22:00-25:00"})
        self.bad("", "STAGGER_LIMITS_HUORS", "did you mean hours?", env={"STAGGER_LIMITS_HUORS": "1"})
        self.bad("", "--flor", words=("--flor", "1"))
        self.good("[limits]\nhours = 22:00-25:00\n", "--hours", "22:00-02:00")

    def test_fragments(self):
        os.mkdir("conf.d")
        self.write("conf.d/10.conf", "[limits]\nfloor = 5\nhours = 1\n")
        self.bad("", "conf.d/10.conf:3: limits.hours: ")

    def test_all_faults_are_told(self):
        done = self.bad("[limits]\nhours = 22:00-25:00\n[chain]\nca_file = gone\n[hooks]\npre_stop = gone\n",
                        "limits.hours", faults=3)
        self.assertIn("agent.conf:6: chain.ca_file: ", done.err)
        self.assertIn("agent.conf:8: hooks.pre_stop: ", done.err)


class Accounts(RunCase):
    def test_nobody(self):
        self.bad("", "nothing says who signs", account="")

    def test_several(self):
        self.bad("", "several", account="key_file = key\nkey = validator")

    def test_a_flag_wins(self):
        self.configure()
        self.bad("", "--key: there is no key validator", words=("--key", "validator", "--keys-dir", "keys"))
        self.write("other", KEY + "\n")
        self.good("", "--key-file", "other", account="key = validator")
        self.good("", account="key = validator", env={"STAGGER_ACCOUNT_KEY_FILE": "key"})
        self.bad("", "several", words=("--key", "validator", "--key-file", "key"))

    def test_key_files(self):
        self.bad("", "agent.conf:2: account.key_file: ", "gone", account="key_file = gone")
        self.write("open", KEY + "\n", mode=0o644)
        self.bad("", "agent.conf:2: account.key_file: ", "0600", account="key_file = open")
        self.write("short", KEY[2:] + "\n")
        done = self.bad("", "agent.conf:2: account.key_file: ", account="key_file = short")
        self.assertNotIn(KEY[2:20], done.err)

    def test_stores(self):
        self.write("pass", SECRET + "\n")
        self.write("wrong", "another\n")
        self.succeeds("keys import validator --keys-dir keys --file key --passphrase-file pass")
        self.good("", account="key = validator\nkeys_dir = keys\npassphrase_file = pass")
        self.assertIn("passphrase_file", self.good("", account="key = validator\nkeys_dir = keys").err)
        done = self.bad("", "agent.conf:2: account.key: ", "passphrase",
                        account="key = validator\nkeys_dir = keys\npassphrase_file = wrong")
        self.assertNotIn("another", done.err)
        self.bad("", "agent.conf:2: account.key: ", "gone",
                 account="key = validator\nkeys_dir = keys\npassphrase_file = gone")
        os.chmod("pass", 0o644)
        self.bad("", "agent.conf:2: account.key: ", "pass",
                 account="key = validator\nkeys_dir = keys\npassphrase_file = pass")

    def test_signers(self):
        done = self.bad("", "agent.conf:2: account.signer: ", "sign-gone",
                        account=f"signer = sign-gone --token {SECRET}")
        self.assertNotIn(SECRET, done.err)
        self.write("sign", "#!/bin/sh\ntouch ran\n", mode=0o600)
        self.bad("", "agent.conf:2: account.signer: ", account="signer = ./sign")
        os.chmod("sign", 0o700)
        self.good("", account="signer = ./sign")
        self.assertFalse(os.path.exists("ran"))


class Surroundings(RunCase):
    def test_folder(self):
        self.write("file", "")
        self.bad("[agent]\ndir = file\n", "agent.conf:4: agent.dir: ", "no directory")
        os.mkdir("open", 0o755)
        os.chmod("open", 0o755)
        self.bad("[agent]\ndir = open\n", "agent.conf:4: agent.dir: ", "0700")
        self.bad(f"[agent]\ndir = {'d' * 120}\n", "agent.conf:4: agent.dir: ", "agent.control")
        self.good(f"[agent]\ndir = {'d' * 120}\ncontrol = /tmp/c\n")

    def test_gossip_key(self):
        self.succeeds("gossip-key --dir agent")
        self.good("[agent]\ndir = agent\n")
        self.write("agent/gossip.key", "nonsense\n")
        self.bad("[agent]\ndir = agent\n", "agent/gossip.key: ", "damaged")
        self.good("[agent]\ndir = agent\n[gossip]\noff = yes\n")

    def test_endpoints(self):
        self.bad("[gossip]\nlisten = tcp://0.0.0.0:26670\nadvertise = tcp://0.0.0.0:26670\n",
                 "agent.conf:5: gossip.advertise: ", "nobody can dial")
        self.bad("[gossip]\nadvertise = tcp://192.0.2.1:26670\n", "agent.conf:4: gossip.advertise: ", "gossip.listen")
        done = self.good("[gossip]\nlisten = tcp://0.0.0.0:26670\n")
        self.assertIn("gossip.advertise", done.err)

    def test_many_seeds(self):
        lines = ",\n    ".join(f"{SEED}@tcp://[2001:db8:0:0:0:0:0:{i}]:26670" for i in range(15))
        self.good(f"[gossip]\nseeds = {lines}\n")
        self.bad(f"[gossip]\nseeds = {lines},\n    {SEED}@tcp://a:1\n", "gossip.seeds: ", "at most 15")

    def test_programs(self):
        self.write("hook", "#!/bin/sh\ntouch ran\n", mode=0o700)
        self.good("[hooks]\npre_stop = ./hook 'a b'\npost_start = true\n")
        self.bad("[hooks]\npost_start = no-such-program x\n", "agent.conf:4: hooks.post_start: ", "PATH")
        self.bad("[hooks]\npost_start = .\n", "agent.conf:4: hooks.post_start: ")
        self.assertFalse(os.path.exists("ran"))

    def test_process(self):
        self.bad("[runtime]\ndriver = process\n", "process.home: ", "DAEMON_HOME", faults=2)
        self.bad("[runtime]\ndriver = process\n[process]\nhome = gone\nname = node\n", "process.home")
        os.makedirs("home/cosmovisor/genesis/bin")
        text = "[runtime]\ndriver = process\n[process]\nhome = home\nname = node\n"
        self.bad(text, "cosmovisor/genesis/bin/node")
        self.write("home/cosmovisor/genesis/bin/node", "#!/bin/sh\n", mode=0o700)
        self.good(text)
        self.good("[runtime]\ndriver = process\n", env={"DAEMON_HOME": os.path.abspath("home"), "DAEMON_NAME": "node"})

    def test_others(self):
        self.bad("[runtime]\ndriver = docker\n[docker]\nsocket = gone\n", "docker.container: ", faults=2)
        self.bad("[runtime]\ndriver = docker\n[docker]\nsocket = key\ncontainer = c\n", "agent.conf:6: docker.socket: ",
                 "no socket")
        self.bad("[runtime]\ndriver = systemd\n", "systemd.unit: ", "expected")
        self.bad("[runtime]\ndriver = command\n", "command.stop: ", faults=2)
        self.good("[runtime]\ndriver = command\n[command]\nstop = true\nstart = true\n")


class Printing(RunCase):
    def test_sources(self):
        self.configure("[limits]\nfloor = 3\n")
        done = self.run_command("run --print-config --config agent.conf --freeze 2",
                                env={"STAGGER_LIMITS_ATTEMPTS": "5"})
        self.assertEqual(done.status, SENT, done)
        for line, where in (("floor = 3", "agent.conf:4"), ("freeze = 2", "--freeze"),
                            ("attempts = 5", "STAGGER_LIMITS_ATTEMPTS"), ("retry = 30s", "default")):
            self.assertRegex(done.out, rf"(?m)^{re.escape(line)} +; {re.escape(where)}$", done)
        self.assertIn("; hours: not set", done.out, done)

    def test_can_be_read_again(self):
        self.configure(f"[gossip]\nseeds = {SEED}@tcp://a:1,\n  {SEED}@tcp://b:2\nlisten = tcp://[::]:1\n"
                       "advertise = tcp://a:1\n[limits]\nhours = 22:00-04:00\n")
        first = self.succeeds("run --print-config --config agent.conf").out
        self.write("again.conf", first)
        second = self.succeeds("run --print-config --config again.conf").out
        values = [re.sub(r" *;.*", "", text) for text in (first, second)]
        self.assertEqual(*values)

    def test_secrets(self):
        commands = "".join(f"{key} = prog --token {SECRET}\n" for key in ("stop", "start", "reinit", "health", "restore"))
        hooks = "".join(f"{w}_{s} = '/a b/prog' {SECRET}\n" for w in ("pre", "post") for s in ("stop", "reinit", "start"))
        self.configure(f"[chain]\nnode = http://user:{SECRET}@a:1\nothers = https://{SECRET}@b, http://c\n"
                       f"[process]\nargs = start --pass {SECRET}\n[systemd]\nreinit = prog {SECRET}\n"
                       f"[command]\n{commands}[hooks]\n{hooks}", account=f"signer = prog {SECRET}")
        done = self.succeeds("run --print-config --config agent.conf")
        self.assertNotIn(SECRET, done.out)
        self.assertIn("stop = prog ...", done.out)
        self.assertIn("pre_stop = '/a b/prog' ...", done.out)
        self.assertIn("node = http://***@a:1", done.out)

    def test_bad_values_of_secrets(self):
        done = self.bad(f"[hooks]\npre_stop = '{SECRET}\n", "hooks.pre_stop")
        self.assertNotIn(SECRET, done.err)


class Keys(RunCase):
    def test_prints(self):
        one = self.succeeds("gossip-key --dir a/b").out
        self.assertRegex(one, r"^[0-9a-f]{64}\n$")
        self.assertEqual(os.stat("a/b").st_mode & 0o777, 0o700)
        two = self.succeeds("gossip-key --dir a/b --advertise tcp://h:1,tcp://[2001:db8::1]:2").out
        self.assertEqual(two, f"{one.strip()}@tcp://h:1\n{one.strip()}@tcp://[2001:db8::1]:2\n")
        self.assertNotEqual(self.succeeds("gossip-key --dir c").out, one)

    def test_what_is_printed_is_a_seed(self):
        seed = self.succeeds("gossip-key --dir a --advertise tcp://h:1").out.strip()
        self.good(f"[gossip]\nseeds = {seed}\n")

    def test_refusals(self):
        self.write("a", "")
        self.fails(WRONG, "gossip-key --dir a", "a: ")
        self.fails(WRONG, "gossip-key --dir b --advertise h:1", "--advertise", "tcp://")
        os.mkdir("c", 0o700)
        self.write("c/gossip.key", "x", mode=0o644)
        self.fails(WRONG, "gossip-key --dir c", "c/gossip.key", "0600")


class Process(RunCase):
    """The agent's process, whose node does not answer."""

    def begin(self, text="", env=None):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.configure(f"[chain]\nnode = http://127.0.0.1:{port}\n[agent]\ndir = agent\n{text}")
        clean = {name: value for name, value in os.environ.items()
                 if not name.startswith("STAGGER_") and name not in ("NOTIFY_SOCKET", "JOURNAL_STREAM")}
        with open("log", "wb") as log:
            process = subprocess.Popen([STAGGER, "run", "--config", "agent.conf"], stdin=subprocess.DEVNULL,
                                       stdout=log, stderr=log, env={**clean, **(env or {})})
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    @staticmethod
    def log():
        return Path("log").read_text(encoding="utf-8")

    def wait_log(self, pattern):
        until = time.monotonic() + WAIT_S
        while time.monotonic() < until:
            if re.search(pattern, self.log(), re.M):
                return
            time.sleep(0.02)
        self.fail(f"{pattern!r} is not in\n{self.log()}")

    def test_stops(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            process = self.begin()
            self.wait_log("127.0.0.1")
            process.send_signal(number)
            self.assertEqual(process.wait(WAIT_S), 0, self.log())
            self.assertRegex(self.log(), r"^\d{4}-\d\d-\d\dT[\d:.]+Z (info|unusual): ")
            self.assertFalse(os.path.exists("agent/control"))

    def test_reload(self):
        process = self.begin()
        self.wait_log("127.0.0.1")
        text = Path("agent.conf").read_text(encoding="utf-8")
        self.write("agent.conf", text + "[limits]\nhours = 1\n")
        process.send_signal(signal.SIGHUP)
        self.wait_log(r"limits\.hours")
        self.wait_log("stay as they were")
        self.write("agent.conf", text + "[limits]\nfloor = 2\n[gossip]\noff = yes\n")
        process.send_signal(signal.SIGHUP)
        self.wait_log("settings read again")
        self.wait_log(r"gossip\.off has changed: it takes effect at the next start")
        self.assertNotIn("limits.floor has changed", self.log())
        process.terminate()
        self.assertEqual(process.wait(WAIT_S), 0)

    def test_second_agent(self):
        self.begin()
        self.wait_log("127.0.0.1")
        self.fails(WRONG, "run --config agent.conf", "agent")

    def test_service_manager(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind("notify")
            manager.settimeout(WAIT_S)
            process = self.begin(env={"NOTIFY_SOCKET": os.path.abspath("notify"), "WATCHDOG_USEC": "200000"})
            heard = []

            def wait_heard(text):
                while not any(text in message for message in heard):
                    heard.append(manager.recv(4096).decode())

            for _ in range(3):
                wait_heard("WATCHDOG=1")
                heard = [message for message in heard if "WATCHDOG" not in message]
            wait_heard("STATUS=")
            process.send_signal(signal.SIGHUP)
            wait_heard("RELOADING=1\nMONOTONIC_USEC=")
            wait_heard("READY=1")
            process.terminate()
            wait_heard("STOPPING=1")
            self.assertEqual(process.wait(WAIT_S), 0)

    def test_watchdog_of_another(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind("notify")
            manager.settimeout(WAIT_S)
            process = self.begin(env={"NOTIFY_SOCKET": os.path.abspath("notify"), "WATCHDOG_USEC": "1000",
                                      "WATCHDOG_PID": "1"})
            self.assertIn("STATUS=", manager.recv(4096).decode())
            process.terminate()
            rest = ""
            while "STOPPING=1" not in rest:
                rest += manager.recv(4096).decode()
            self.assertNotIn("WATCHDOG", rest)


class Journal(RunCase):
    def test_levels(self):
        """Standard error that is the journal's gets levels instead of times."""
        log = os.open("log", os.O_WRONLY | os.O_CREAT, 0o600)
        self.addCleanup(os.close, log)
        about = os.fstat(log)
        self.configure("[chain]\nnode = http://127.0.0.1:9\n[agent]\ndir = agent\n")
        env = {**os.environ, "JOURNAL_STREAM": f"{about.st_dev}:{about.st_ino}"}
        process = subprocess.Popen([STAGGER, "run", "--config", "agent.conf"], stderr=log, env=env)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        until = time.monotonic() + WAIT_S
        while time.monotonic() < until and os.fstat(log).st_size == 0:
            time.sleep(0.02)
        self.assertRegex(Path("log").read_text(encoding="utf-8"), r"^<[3467]>[^\n]+\n")


if __name__ == "__main__":
    cli_case.main()
