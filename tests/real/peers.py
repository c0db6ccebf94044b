#!/usr/bin/env python3
"""The real programs that tests of label `real` run: each built from the module in peers/NAME, whose go.mod and go.sum
say to the last byte what it is made of. Versions of CometBFT exclude each other, so each has a module of its own.

    python3 tests/real/peers.py [NAME...]       builds what is missing; `cmake --build BUILD --target peers` is the same
    python3 tests/real/peers.py --where NAME    the path of its program

A build goes into $STAGGER_PEERS/NAME-VERSION, by default ~/.cache/stagger/peers/NAME-VERSION, and is made again only
when the module's files change. Exit status 77: there is no Go, or one that is too old for the module.
"""
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

MODULES = Path(__file__).resolve().parent / "peers"
SKIP = 77
TRIES = 3  # at fetching modules
FLAGS = {"sekaid": ["-ldflags=-checklinkname=0"]}  # bytedance/sonic of that time links to names Go has since locked
GO = {**os.environ, "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=readonly -buildvcs=false -trimpath", "CGO_ENABLED": "0"}


class NoGo(Exception):
    """Why a peer cannot be built on this machine."""


def cache():
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("STAGGER_PEERS") or Path(base) / "stagger" / "peers")


def numbers(text):
    return tuple(int(part) for part in re.findall(r"\d+", text)[:2])


class Peer:
    def __init__(self, name):
        self.name, self.module = name, MODULES / name
        text = (self.module / "go.mod").read_text(encoding="ascii")
        self.package = re.search(r"^tool (\S+)$", text, re.MULTILINE)[1]
        self.go = re.search(r"^go (\S+)$", text, re.MULTILINE)[1]
        # the module that is required and has the package: the longest one of those that begin its name
        required = re.findall(r"^(?:require)?\s+(\S+) v(\S+)", text, re.MULTILINE)
        self.version = max((path, version) for path, version in required
                           if self.package.startswith(path + "/") or self.package == path)[1]
        self.folder = cache() / f"{name}-{self.version}"
        self.path = self.folder / self.package.rpartition("/")[2]
        self.stamp = self.folder / "made-of"

    def made_of(self):
        parts = [(self.module / file).read_bytes() for file in ("go.mod", "go.sum")]
        return hashlib.sha256(b"\0".join([*parts, repr(FLAGS.get(self.name)).encode()])).hexdigest()

    def is_built(self):
        return self.path.exists() and self.stamp.exists() and self.stamp.read_text() == self.made_of()

    def need_go(self):
        try:
            said = subprocess.run(["go", "env", "GOVERSION"], stdout=subprocess.PIPE, text=True, check=True, env=GO)
        except (OSError, subprocess.CalledProcessError):
            raise NoGo(f"{self.name} {self.version}: there is no go; {self.go} or newer is needed") from None
        if numbers(said.stdout) < numbers(self.go):
            raise NoGo(f"{self.name} {self.version}: go is {said.stdout.strip()}, {self.go} or newer is needed")

    def fetch(self):
        for left in reversed(range(TRIES)):
            done = subprocess.run(["go", "mod", "download"], cwd=self.module, env=GO, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True, check=False)
            if done.returncode == 0:
                return
            if left == 0:
                raise RuntimeError(f"the modules of {self.name} cannot be fetched: {done.stdout.strip()[-500:]}")
            time.sleep(2)

    def build(self):
        """Whole or not at all: another run may look at any moment."""
        self.need_go()
        self.fetch()
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self.folder.parent, prefix=".new-") as new:
            made = Path(new, "made")
            made.mkdir()
            subprocess.run(["nice", "go", "build", *FLAGS.get(self.name, []), "-o", str(made / self.path.name),
                            self.package], cwd=self.module, env=GO, check=True)
            (made / "made-of").write_text(self.made_of())
            shutil.rmtree(self.folder, ignore_errors=True)
            made.rename(self.folder)

    def ready(self):
        """The program's path, built now if it must be."""
        if not self.is_built():
            cache().mkdir(parents=True, exist_ok=True)
            with open(cache() / f".lock-{self.name}", "w", encoding="ascii") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                if not self.is_built():
                    print(f"building {self.name} {self.version}", file=sys.stderr, flush=True)
                    self.build()
        return str(self.path)


def names():
    return sorted(path.parent.name for path in MODULES.glob("*/go.mod"))


def peer(name):
    """For tests: the path of a peer's program. Where it cannot be had, the test ends as skipped."""
    try:
        return Peer(name).ready()
    except NoGo as why:
        print(f"skipped: {why}")
        sys.exit(SKIP)


def main():
    words = sys.argv[1:]
    if words[:1] == ["--where"]:
        print(*(peer(name) for name in words[1:]), sep="\n")
        return
    missing = []
    for name in words or names():
        began = time.monotonic()
        try:
            path = Peer(name).ready()
            print(f"{Path(path).parent.name}: {path} ({time.monotonic() - began:.0f} s)", flush=True)
        except NoGo as why:
            missing.append(str(why))
    print(*missing, sep="\n")
    sys.exit(SKIP if missing else 0)


if __name__ == "__main__":
    main()
