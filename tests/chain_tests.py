"""What the scripts that test node/chain.h share: running the probe, and cases that report by name."""
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from chain_model import account_of

KEY = "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20"
PUBLIC = "0284bf7562262bbd6940085748f3be6afa52ae317155181ece31b66351ccffa4b0"
ACCOUNT = account_of(bytes.fromhex(PUBLIC))
INCLUDED, REFUSED, TIMED_OUT, FAILED = range(4)
WELL, SILENT, LAGS, FOREIGN, DISPROVED, CONTRADICTED = range(6)


class Probe:
    """One run of chain_probe: its lines as they come."""

    def __init__(self, urls, **order):
        order = {"chain": "kira", "urls": urls, "poll_ms": 10, "timeout_ms": 3000, **order}
        self.lines = []
        self.process = subprocess.Popen([os.environ["CHAIN_PROBE"], json.dumps(order)], stdout=subprocess.PIPE,
                                        text=True)

    def next(self, event=None):
        """The next line, or the next with this event; None at the end."""
        for text in self.process.stdout:
            line = json.loads(text)
            self.lines.append(line)
            if event is None or line["event"] == event:
                return line
        return None

    def end(self, status=0):
        """All that is left; the process must end so."""
        while self.next() is not None:
            pass
        assert self.process.wait(60) == status, (self.process.returncode, self.lines)
        return self.lines

    def events(self, event):
        return [line for line in self.lines if line["event"] == event]

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def run(urls, status=0, **order):
    probe = Probe(urls, **order)
    try:
        probe.end(status)
    finally:
        probe.kill()
    return probe


def key_file():
    """A file with the raw key that only its owner can read."""
    handle, path = tempfile.mkstemp()
    os.write(handle, (KEY + "\n").encode())
    os.close(handle)
    return path


def main(cases, names):
    """Runs the cases, or those that are named."""
    if "CHAIN_PROBE" not in os.environ:
        print("CHAIN_PROBE names no program")
        return 77
    failed = 0
    for name, case in cases.items():
        if names and name not in names:
            continue
        begun = time.monotonic()
        try:
            case()
            print(f"ok   {name} {time.monotonic() - begun:.1f} s", flush=True)
        except AssertionError as error:
            failed += 1
            line = error.__traceback__
            while line.tb_next:
                line = line.tb_next
            print("FAIL", name, "line", line.tb_lineno, str(error)[:2000], flush=True)
            print("     repeat:", "CHAIN_PROBE=" + os.environ["CHAIN_PROBE"], sys.executable, Path(sys.argv[0]), name)
    return 1 if failed else 0
