#!/usr/bin/env python3
"""`stagger keys` as a person and as a script use it: at a terminal, with files and descriptors.

After everything else the last test looks through all that the command has ever printed in here for
keys, mnemonics and passphrases. The executable is named by the environment variable STAGGER.
"""
import json
import os
import pty
import re
import select
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import termios
import time
import unittest

STAGGER = os.environ.get("STAGGER", "")
SECONDS_MAX = 120  # a hanging command is a failure, a slow machine is none

RAW = "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20"
RAW_ACCOUNT = "kira1tp7fhly84qm6q4hhzmp0nh5frtdugmysv9fm3y"
RAW_VALOPER = "kiravaloper1tp7fhly84qm6q4hhzmp0nh5frtdugmyslr4cfg"
RAW_PUBLIC = "0284bf7562262bbd6940085748f3be6afa52ae317155181ece31b66351ccffa4b0"
MNEMONIC = "abandon " * 11 + "about"
MNEMONIC_COSMOS = "cosmos19rl4cm2hmr8afy4kldpxz3fka4jguq0auqdal4"
MNEMONIC_COSMOS_VALOPER = "cosmosvaloper19rl4cm2hmr8afy4kldpxz3fka4jguq0ae5egnx"
PASSPHRASE = "Tr0ub4dor and three more"
ARMOUR = "-----BEGIN TENDERMINT PRIVATE KEY-----\nkdf: bcrypt\nsalt: 00\n\nAAAA\n"

printed = []  # everything but the mnemonics that `add` hands over


def environment():
    kept = {name: value for name, value in os.environ.items() if not name.startswith("STAGGER")}
    return dict(kept, XDG_DATA_HOME="/nonexistent")


class Done:
    def __init__(self, words, status, out, err):
        self.words, self.status, self.out, self.err = words, status, out, err

    def __str__(self):
        return f"\nstagger {' '.join(self.words)}\nstatus {self.status}\n{self.out}\n{self.err}"


class Keys(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="stagger-test-keys-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.store = os.path.join(self.folder, "keys")
        self.passphrase = self.write("passphrase", PASSPHRASE + "\n")

    def write(self, name, text, mode=0o600):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, mode)
        return path

    def run_keys(self, *words, text="", status=0, remember=True, **how):
        words = ["keys", *words, "--keys-dir", self.store]
        done = subprocess.run([STAGGER, *words], input=text, capture_output=True, text=True,
                              timeout=SECONDS_MAX, env=environment(), check=False,
                              start_new_session=True, **how)
        if remember:
            printed.append(done.stdout)
        printed.append(done.stderr)
        result = Done(words, done.returncode, done.stdout, done.stderr)
        self.assertEqual(done.returncode, status, result)
        return result

    def refused(self, *words, said, **how):
        done = self.run_keys(*words, status=1, **how)
        self.assertEqual(done.out, "", done)
        self.assertEqual(done.err.count("\n"), 1, done)
        self.assertTrue(done.err.startswith("stagger keys"), done)
        self.assertIn(said, done.err, done)

    def sealed(self, *words, **how):
        return self.run_keys(*words, "--passphrase-file", self.passphrase, **how)

    def names(self):
        return sorted(os.listdir(self.store)) if os.path.isdir(self.store) else []

    # --- making keys ---

    def test_add_and_import_again(self):
        for count in (12, 24):
            words = [] if count == 24 else ["--words", "12"]
            done = self.sealed("add", f"new{count}", *words, remember=False)
            found = re.search(r"^mnemonic +(.*)$", done.out, re.MULTILINE)
            account = re.search(r"^account +(kira1\w+)$", done.out, re.MULTILINE)[1]
            self.assertEqual(len(found[1].split()), count, done)
            self.assertIn("write them down", done.err)
            self.assertNotIn(found[1], done.err)
            again = self.sealed("import", f"again{count}", text=found[1] + "\n")
            self.assertIn(account, again.out)
            self.assertNotIn(found[1], again.out + again.err)
        self.assertEqual(self.names(), ["again12.key", "again24.key", "new12.key", "new24.key"])

    def test_files_of_keys(self):
        self.sealed("import", "raw", text=RAW)
        path = os.path.join(self.store, "raw.key")
        self.assertEqual(stat.S_IMODE(os.stat(self.store).st_mode), 0o700)
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        with open(path, encoding="ascii") as file:
            text = file.read()
        self.assertNotIn(RAW, text)
        self.assertEqual(json.loads(text)["kdf"]["n"], 1 << 17)
        self.assertEqual(json.loads(text)["public_key"], RAW_PUBLIC)

    def test_import_finds_out_what_it_is(self):
        self.sealed("import", "a", text=f"0x{RAW}\n")
        self.sealed("import", "b", "--file", self.write("raw", RAW.upper()))
        done = self.sealed("import", "c", "--file", self.write("words", MNEMONIC + "\n"),
                           "--prefix", "cosmos")
        self.assertIn(MNEMONIC_COSMOS, done.out)
        self.assertIn(MNEMONIC_COSMOS_VALOPER, done.out)
        done = self.sealed("import", "d", "--file", "-", "--chain", "dcl",
                           text="\n".join(MNEMONIC.upper().split()))
        self.assertIn(MNEMONIC_COSMOS, done.out)
        other = self.sealed("import", "e", "--path", "m/44'/118'/0'/0/1", text=MNEMONIC)
        self.assertNotIn("19rl4cm2hmr8afy4kldpxz3fka4jguq0a", other.out)
        for name in "ab":
            self.assertIn(RAW_ACCOUNT, self.run_keys("show", name).out)

    def test_import_refuses(self):
        words = MNEMONIC.split()
        for text, said in [
                (ARMOUR, "sekaid keys export NAME --unarmored-hex --unsafe"),
                ("", "is empty"),
                (RAW[1:], "has 63 hex digits; expected 64"),
                (RAW + "0", "has 65 hex digits; expected 64"),
                (RAW[:-1] + "g", "character 64 is no hex digit"),
                ("0" * 64, "zero, or not below the order"),
                (" ".join(words[:11]), "has 11 words"),
                (" ".join(words[:6] + ["abandom"] + words[7:]),
                 'word 7 is not in the English list of BIP-39; did you mean "abandon"?'),
                (" ".join(words[:11] + ["zoo"]), "its checksum does not match"),
                ('{"priv_key": {}}', "is JSON"),
                ("x" * 100_000, "holds more than 4096 bytes")]:
            self.refused("import", "bad", "--passphrase-file", self.passphrase, text=text, said=said)
        self.refused("import", "bad", "--passphrase-file", self.passphrase, "--path", "1", text=RAW,
                     said="--path is for mnemonics")
        self.assertEqual(self.names(), [])

    def test_names_that_are_taken(self):
        self.sealed("import", "raw", text=RAW)
        path = os.path.join(self.store, "raw.key")
        with open(path, "rb") as file:
            before = file.read()
        for word in ("add", "import"):
            self.refused(word, "raw", "--passphrase-file", self.passphrase, text=MNEMONIC,
                         said="there is a key raw already")
        with open(path, "rb") as file:
            self.assertEqual(file.read(), before)

    def test_a_mnemonic_that_nobody_sees_makes_no_key(self):
        if not os.path.exists("/dev/full"):
            self.skipTest("there is no /dev/full")
        with open("/dev/full", "w", encoding="ascii") as full:
            words = [STAGGER, "keys", "add", "new", "--keys-dir", self.store,
                     "--passphrase-file", self.passphrase]
            done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=full,
                                  stderr=subprocess.PIPE, text=True, timeout=SECONDS_MAX,
                                  env=environment(), check=False)
        printed.append(done.stderr)
        self.assertEqual(done.returncode, 1)
        self.assertIn("was not kept", done.stderr)
        self.assertEqual(self.names(), [])

    # --- passphrases ---

    def test_passphrase_descriptors(self):
        for name, sent in (("pipe", PASSPHRASE + "\n"), ("bare", PASSPHRASE),
                           ("more", PASSPHRASE + "\r\nanother line\n")):
            read, write = os.pipe()
            os.write(write, sent.encode())
            os.close(write)
            self.run_keys("import", name, "--passphrase-fd", str(read), text=RAW, pass_fds=[read])
            os.close(read)
        self.run_keys("import", "both", "--passphrase-fd", "0", text=f"{PASSPHRASE}\n{MNEMONIC}\n")
        self.assertIn("19rl4cm2hmr8afy4kldpxz3fka4jguq0a", self.run_keys("show", "both").out)

    def test_passphrases_that_are_refused(self):
        for mode in (0o644, 0o640, 0o604, 0o620):
            path = self.write("open", PASSPHRASE, mode)
            self.refused("import", "x", "--passphrase-file", path, text=RAW,
                         said="others can read it or write to it")
        for text, said in (("", "is empty"), ("\n" + PASSPHRASE, "is empty"),
                           ("a\0b", "has a zero byte"), ("p" * 2000, "holds more than 1024 bytes")):
            self.refused("import", "x", "--passphrase-file", self.write("odd", text), text=RAW,
                         said=said)
        self.refused("import", "x", "--passphrase-file", "/nonexistent", text=RAW, said="No such file")
        self.refused("import", "x", "--passphrase-file", "/tmp", text=RAW, said="is no file")
        self.refused("import", "x", "--passphrase-fd", "200", text=RAW, said="Bad file descriptor")
        self.refused("import", "x", "--passphrase-fd", "0", "--passphrase-file", self.passphrase,
                     text=RAW, said="exclude each other")
        self.refused("import", "x", text=RAW, said="there is no terminal to ask at")
        self.refused("import", "x", f"--passphrase={PASSPHRASE}", text=RAW, said="unknown option")
        self.assertEqual(self.names(), [])

    # --- the terminal ---

    def terminal(self, *words):
        return Terminal(self, ["keys", *words, "--keys-dir", self.store])

    def test_terminal_import(self):
        with self.terminal("import", "val") as terminal:
            terminal.answer("Mnemonic or private key (not shown): ", MNEMONIC)
            terminal.answer("Passphrase that shall seal key val: ", PASSPHRASE)
            terminal.answer("The same once more: ", PASSPHRASE)
            self.assertEqual(terminal.end(), 0, terminal.seen)
            self.assertNotIn("abandon", terminal.seen)
            self.assertNotIn(PASSPHRASE, terminal.seen)
            self.assertTrue(terminal.echoes())
        self.assertEqual(self.names(), ["val.key"])

    def test_terminal_add(self):
        with self.terminal("add", "val") as terminal:
            terminal.answer("seal key val: ", PASSPHRASE)
            terminal.answer("The same once more: ", PASSPHRASE + "x")
            self.assertEqual(terminal.end(), 1)
            self.assertIn("the two passphrases differ", terminal.seen)
        self.assertEqual(self.names(), [])
        with self.terminal("add", "val") as terminal:
            terminal.secret_output = True
            terminal.answer("seal key val: ", PASSPHRASE)
            terminal.answer("The same once more: ", PASSPHRASE)
            self.assertEqual(terminal.end(), 0, terminal.seen)
            self.assertRegex(terminal.seen, r"mnemonic +(\w+ ){23}\w+")
            self.assertNotIn("is no terminal", terminal.seen)
            self.assertNotIn(PASSPHRASE, terminal.seen)

    def test_terminal_delete(self):
        self.sealed("import", "raw", text=RAW)
        for said, status, left in (("no", 1, ["raw.key"]), ("", 1, ["raw.key"]), ("yes", 0, [])):
            with self.terminal("delete", "raw") as terminal:
                terminal.answer("Type yes: ", said)
                self.assertEqual(terminal.end(), status, terminal.seen)
                self.assertIn(f"Delete key raw ({RAW_ACCOUNT})?", terminal.seen)
            self.assertEqual(self.names(), left)

    def test_terminal_interrupted(self):
        """The terminal shows again what is typed, whatever ends the question."""
        with self.terminal("add", "val") as terminal:
            terminal.wait("seal key val: ")
            self.assertFalse(terminal.echoes())
            self.assertEqual(terminal.core_limit(), "0")
            terminal.send("half a pass\x03")
            self.assertEqual(terminal.end(), -signal.SIGINT, terminal.seen)
            self.assertTrue(terminal.echoes())
        with self.terminal("add", "val") as terminal:
            terminal.wait("seal key val: ")
            os.kill(terminal.pid, signal.SIGTERM)
            self.assertEqual(terminal.end(), -signal.SIGTERM)
            self.assertTrue(terminal.echoes())
        with self.terminal("add", "val") as terminal:
            terminal.answer("seal key val: ", "typed before the stop\x1a", line="")
            terminal.wait("seal key val: ")  # put again; of an orphan like this the stop is left out
            self.assertFalse(terminal.echoes())
            terminal.send("\x04")
            self.assertEqual(terminal.end(), 1)
            self.assertIn("is empty", terminal.seen)
        self.assertEqual(self.names(), [])

    # --- looking at keys ---

    def test_show_and_list(self):
        self.assertEqual(json.loads(self.run_keys("list", "--json").out), [])
        self.sealed("import", "raw", text=RAW)
        self.sealed("import", "and", text=MNEMONIC)
        shown = json.loads(self.run_keys("show", "--json", "raw").out)
        self.assertEqual(shown, {"name": "raw", "account": RAW_ACCOUNT, "valoper": RAW_VALOPER,
                                 "public_key": RAW_PUBLIC})
        text = self.run_keys("show", "raw").out
        for part in (RAW_ACCOUNT, RAW_VALOPER, RAW_PUBLIC):
            self.assertIn(part, text)
        self.assertIn("cosmos1tp7fhly84qm6q4hhzmp0nh5frtdugmysu2r4sf",
                      self.run_keys("show", "raw", "--prefix", "cosmos").out)
        listed = json.loads(self.run_keys("list", "--json", "--prefix", "cosmos").out)
        self.assertEqual([key["name"] for key in listed], ["and", "raw"])
        self.assertEqual(listed[0]["account"], MNEMONIC_COSMOS)
        self.assertIn(RAW_ACCOUNT, self.run_keys("list").out)

    def test_damaged_files(self):
        self.sealed("import", "raw", text=RAW)
        path = os.path.join(self.store, "raw.key")
        with open(path, "rb") as file:
            whole = file.read()
        shutil.copy(path, os.path.join(self.store, "copy.key"))
        os.chmod(os.path.join(self.store, "copy.key"), 0o600)
        done = self.run_keys("list", status=1)
        self.assertIn(RAW_ACCOUNT, done.out)
        self.assertIn("copy.key: is the file of key raw", done.err)
        self.assertIn("1 of 2 keys cannot be read", done.err)
        for at in range(0, len(whole), 7):
            with open(path, "wb") as file:
                file.write(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1:])
            self.refused("show", "raw", said="is damaged")
        os.chmod(path, 0o644)
        self.refused("show", "raw", said="others can read it")
        self.run_keys("delete", "raw", "--yes")
        self.refused("delete", "raw", "--yes", said="there is no key raw")
        self.refused("show", "raw", said="there is no key raw")

    # --- the command line ---

    def test_usage(self):
        for words, said in [
                ([], "expected one of add, import, show, list and delete"),
                (["make"], "expected one of add"),
                (["add"], "the NAME of a key is missing"),
                (["list", "x"], "more words than expected"),
                (["show", "a", "b"], "more words than expected"),
                (["show", "Upper"], "the name of a key is 1 to 32 characters"),
                (["show", "../x"], "the name of a key is 1 to 32 characters"),
                (["show", "a", "--prefix", "KIRA"], "--prefix: no address can begin so"),
                (["add", "a", "--words", "13"], "--words: expected 12 or 24"),
                (["add", "a", "--path", "44/x"], "--path: is no derivation path"),
                (["add", "a", "--yes"], "unknown option"),
                (["delete", "a"], "there is no key a")]:
            self.refused(*words, said=said)
        self.sealed("import", "raw", text=RAW)
        self.refused("delete", "raw", said="--yes deletes without asking")
        for words in (["--help"], ["add", "--help"], ["import", "x", "--help"], ["list", "--help"]):
            self.assertIn("usage: stagger keys", self.run_keys(*words).out)

    def test_secrets_on_the_command_line_are_not_repeated(self):
        for words in (["import", "x", RAW], ["import", RAW], ["import", "x", "0x" + RAW],
                      ["import", "x", MNEMONIC], ["import", "x", *MNEMONIC.split()],
                      ["import", "x", "--file", RAW], ["import", "x", "--file=" + RAW],
                      ["import", "x", "--key", RAW], ["import", "x", "--key=" + RAW],
                      ["show", RAW], ["show", MNEMONIC], ["delete", RAW, "--yes"],
                      [RAW], ["import", "x", "--passphrase-file", RAW],
                      ["import", "x", "--words", MNEMONIC]):
            done = self.run_keys(*words, status=1, text=RAW)
            self.assertEqual(done.out, "")
            self.assertEqual(done.err.count("\n"), 1, done)
            for secret in (RAW, RAW[:16], "abandon"):
                self.assertNotIn(secret, done.err, done)

    def test_directories(self):
        self.sealed("import", "raw", text=RAW)
        os.chmod(self.store, 0o750)
        for words in (["show", "raw"], ["list"], ["delete", "raw", "--yes"]):
            self.refused(*words, said="others can look into it (mode 0750); expected 0700")
        home = os.path.join(self.folder, "home")
        done = subprocess.run([STAGGER, "keys", "import", "x", "--passphrase-file", self.passphrase],
                              input=RAW, text=True, timeout=SECONDS_MAX, check=False,
                              capture_output=True, env=dict(environment(), XDG_DATA_HOME=home))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(os.listdir(os.path.join(home, "stagger", "keys")), ["x.key"])

    def test_zz_nothing_secret_was_printed(self):
        self.assertGreater(len(printed), 20)
        for text in printed:
            for secret in (RAW, RAW.upper(), RAW[:32], MNEMONIC, "abandon abandon", PASSPHRASE):
                self.assertNotIn(secret, text)


class Terminal:
    """A command with a terminal of its own, and somebody who reads and types."""

    def __init__(self, test, words):
        self.test, self.words, self.seen, self.secret_output = test, words, "", False

    def __enter__(self):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execve(STAGGER, [STAGGER, *self.words], environment())
        self.mark, self.status = 0, None
        return self

    def __exit__(self, *_):
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        if not self.secret_output:
            printed.append(self.seen)
        os.close(self.fd)

    def read(self, deadline):
        """Appends what comes; False at the end of the terminal."""
        ready, _, _ = select.select([self.fd], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            self.test.fail(f"nothing more within {SECONDS_MAX} s: {self.seen!r}")
        try:
            got = os.read(self.fd, 4096)
        except OSError:
            return False
        self.seen += got.decode()
        return bool(got)

    def wait(self, text):
        deadline = time.monotonic() + SECONDS_MAX
        while text not in self.seen[self.mark:]:
            if not self.read(deadline):
                self.test.fail(f"ended before {text!r}: {self.seen!r}")
        self.mark = self.seen.index(text, self.mark) + len(text)

    def send(self, text):
        os.write(self.fd, text.encode())

    def answer(self, question, text, line="\n"):
        self.wait(question)
        self.send(text + line)

    def echoes(self):
        return bool(termios.tcgetattr(self.fd)[3] & termios.ECHO)

    def core_limit(self):
        with open(f"/proc/{self.pid}/limits", encoding="ascii") as file:
            return re.search(r"^Max core file size +(\S+)", file.read(), re.MULTILINE)[1]

    def end(self):
        deadline = time.monotonic() + SECONDS_MAX
        while self.read(deadline):
            pass
        _, status = os.waitpid(self.pid, 0)
        self.status = os.waitstatus_to_exitcode(status)
        return self.status


def main():
    if not os.access(STAGGER, os.X_OK):
        sys.exit("test_keys.py: STAGGER must name the executable")
    unittest.main(verbosity=1)


if __name__ == "__main__":
    main()
