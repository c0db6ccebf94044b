"""What the tests of `stagger tx` and `stagger chain` share: running the command, a key, a small network of chain_model.

The executable is named by the environment variable STAGGER. Every failure prints the command.
"""
import base64
import json
import os
import re
import shlex
import subprocess
import tempfile
import unittest

from chain_model import Ledger, Node, account_of

STAGGER = os.environ.get("STAGGER", "")
SECONDS_MAX = 60
# reference vectors are made with this key, which is no secret
KEY = "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20"
PUBLIC = "0284bf7562262bbd6940085748f3be6afa52ae317155181ece31b66351ccffa4b0"
ACCOUNT = account_of(bytes.fromhex(PUBLIC))
SENT, WRONG, GUARDED, UNREACHABLE, FAILED = range(5)


class Done:
    """A command that has ended."""

    def __init__(self, words, status, out, err):
        self.words, self.status, self.out, self.err = words, status, out, err

    def __str__(self):
        return "\n%s\nstatus %d\n%s\n%s" % (" ".join(shlex.quote(w[:200]) for w in self.words), self.status,
                                            self.out[:1500], self.err[:1500])

    @property
    def json(self):
        return json.loads(self.out)

    @property
    def notes(self):
        return [line for line in self.err.splitlines() if ": note: " in line]


class Case(unittest.TestCase):
    """A test in a folder of its own, which is the working directory."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="stagger-cli-")
        self.home = os.getcwd()
        os.chdir(self.folder.name)
        self.write("key", KEY + "\n")
        self.nodes = []

    def tearDown(self):
        for node in self.nodes:
            node.server.stop()
        os.chdir(self.home)
        self.folder.cleanup()

    @staticmethod
    def write(path, text, mode=0o600):
        with open(path, "wb") as file:
            file.write(text if isinstance(text, bytes) else text.encode())
        os.chmod(path, mode)
        return path

    def run_command(self, words, env=None, stdin=subprocess.DEVNULL, pass_fds=()):
        words = shlex.split(words) if isinstance(words, str) else words
        clean = {name: value for name, value in os.environ.items() if not name.startswith("STAGGER_")}
        done = subprocess.run([STAGGER, *words], stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              env={**clean, **(env or {})}, timeout=SECONDS_MAX, pass_fds=pass_fds)
        return Done(words, done.returncode, done.stdout.decode(), done.stderr.decode())

    def succeeds(self, words, **how):
        done = self.run_command(words, **how)
        self.assertEqual(done.status, SENT, done)
        self.assertEqual(len(done.notes), done.err.count("\n"), done)
        self.assert_printable(done)
        return done

    def fails(self, status, words, *parts, **how):
        """Ends so, with one line that is no note, which holds the parts."""
        done = self.run_command(words, **how)
        self.assertEqual(done.status, status, done)
        lines = [line for line in done.err.splitlines() if ": note: " not in line]
        self.assertEqual(len(lines), 1, done)
        self.assertTrue(lines[0].startswith("stagger "), done)
        self.assertLess(len(lines[0]), 600, done)
        for part in parts:
            self.assertIn(part, lines[0], done)
        self.assert_printable(done)
        return done

    def assert_printable(self, done):
        self.assertIsNone(re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", done.out + done.err), done)

    # --- a network ---

    def network(self, kind="kira", validators=4, registered=True, **how):
        """A network whose first validator is ours."""
        ledger = Ledger(kind, validators, **how)
        if registered:
            ledger.validators[0].account = ACCOUNT
        ledger.add_account(ACCOUNT)
        for _ in range(4):
            ledger.produce()
        return ledger

    def node(self, ledger, validator=0):
        node = Node(ledger, validator)
        node.server.routes["unconfirmed_txs"] = lambda params: {
            "n_txs": str(len(ledger.mempool)), "total": str(len(ledger.mempool)), "total_bytes": "0",
            "txs": [base64.b64encode(raw).decode() for raw in ledger.mempool]}
        node.server.start()
        self.nodes.append(node)
        return node


def main():
    if not STAGGER:
        raise SystemExit("STAGGER names no executable")
    unittest.main()
