"""A runtime on its own (tests/runtime_tool.c) and a home for a node, for the tests of the drivers.

    with Home() as home:
        tool = home.tool("--runtime=process", ...)
        tool.say("step stop")
        tool.until("ended stop ok")
"""
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path

TOOL = os.environ.get("RUNTIME_TOOL", "")
SECONDS_MAX = 60  # nothing takes as long; only a test that has failed reaches it
VARIABLES = ("DAEMON_HOME", "DAEMON_NAME", "DAEMON_SHUTDOWN_GRACE", "DAEMON_RESTART_DELAY", "JOURNAL_STREAM",
             "COSMOVISOR_DISABLE_RECASE")


def alive(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"


def wait_for(condition, what):
    """What the tests' own processes do to files is nothing that could be waited for otherwise."""
    end = time.monotonic() + SECONDS_MAX
    while not condition():
        assert time.monotonic() < end, f"it never came true that {what}"
        time.sleep(0.005)


class Tool:
    """A runtime that runs; its lines are kept."""

    def __init__(self, folder, *flags, environment=None):
        variables = {k: v for k, v in os.environ.items() if k not in VARIABLES}
        variables.update(environment or {})
        self.process = subprocess.Popen([TOOL, str(folder), *flags], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, encoding="ascii", env=variables)
        self.lines, self.seen = [], 0
        self.news = threading.Condition()
        self.ended = False
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            with self.news:
                self.lines.append(line.rstrip("\n"))
                self.news.notify_all()
        with self.news:
            self.ended = True
            self.news.notify_all()

    def say(self, *lines):
        with suppress(BrokenPipeError):  # it was killed, as was wished
            self.process.stdin.write("".join(f"{line}\n" for line in lines))
            self.process.stdin.flush()

    def until(self, *beginnings):
        """The next line that begins so; those before it are passed over. None: the tool has ended."""
        with self.news:
            end = time.monotonic() + SECONDS_MAX
            while True:
                while self.seen < len(self.lines):
                    line = self.lines[self.seen]
                    self.seen += 1
                    if line.startswith(beginnings):
                        return line
                if self.ended:
                    return None
                assert self.news.wait(end - time.monotonic()), f"none of {beginnings} after {self.lines}"

    def step(self, name):
        self.say(f"step {name}")
        return self.until(f"ended {name}")

    def ask(self, line, *beginnings):
        self.say(line)
        return self.until(*beginnings)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.close()

    def close(self):
        self.process.wait(SECONDS_MAX)
        self.reader.join(SECONDS_MAX)
        with suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.stdout.close()

    def quit(self, word="quit"):
        self.say(word)
        self.close()
        return self.process.returncode


class Home:
    """A folder for the agent, and cosmovisor's tree with versions whose binary is the tool's own node."""

    def __init__(self, *versions):
        self.folder = Path(tempfile.mkdtemp(prefix="stagger runtime "))
        self.agent, self.home = self.folder / "agent", self.folder / "home"
        self.tree = self.home / "cosmovisor"
        self.agent.mkdir()
        (self.home / "data").mkdir(parents=True)
        for version in ("genesis", *(f"upgrades/{v}" for v in versions)):
            self.add(version)
        self.tools = []

    def add(self, version):
        binary = self.tree / version / "bin" / "noded"
        binary.parent.mkdir(parents=True)
        os.symlink(TOOL, binary)
        return binary

    def tool(self, *flags, environment=None):
        self.tools.append(Tool(self.agent, *flags, environment=environment))
        return self.tools[-1]

    def node(self, *flags, environment=None):
        return self.tool("--runtime=process", f"--process-home={self.home}", "--process-name=noded",
                         "--process-args=node", "--process-restart=10ms", *flags, environment=environment)

    def behave(self, words):
        (self.home / "data" / "behave").write_text(words, encoding="ascii")

    def events(self):
        """[word, pid, version] of whatever nodes did, oldest first"""
        try:
            text = (self.home / "data" / "events").read_text(encoding="ascii")
        except FileNotFoundError:
            return []
        whole = text[:text.rfind("\n") + 1].splitlines()
        return [[word, int(pid), path.partition("/cosmovisor/")[2].removesuffix("/bin/noded")]
                for word, pid, path in (line.split(" ", 2) if line.count(" ") > 1 else [*line.split(" "), ""]
                                        for line in whole)]

    def running(self):
        """(pid, version) of the nodes that run"""
        return [(pid, version) for word, pid, version in self.events() if word == "start" and alive(pid)]

    def current(self):
        return os.path.relpath(os.path.realpath(self.tree / "current"), os.path.realpath(self.tree))

    def end_nodes(self):
        """Those that have told us, and those that were executed a moment ago."""
        mine = str(self.folder).encode()
        for folder in Path("/proc").glob("[1-9]*"):
            with suppress(OSError):
                if mine in (folder / "cmdline").read_bytes():
                    os.kill(int(folder.name), signal.SIGKILL)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for tool in self.tools:
            if tool.process.poll() is None:
                tool.kill()
        self.end_nodes()
        shutil.rmtree(self.folder)
