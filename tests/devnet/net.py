"""A devnet for tests: its processes, its RPC, and the patience that machines under load need.

    with Devnet("kira", 4, "--block-time", "200ms") as net:
        net.wait_height(5)
        net.call(0, "status")                   # POST, JSON-RPC; raises Refused
        net.get(0, "block?height=2")            # GET
        net.node("stop", 3)                     # stagger devnet node stop 3
        net.restart()                           # of everything

Each lies in a folder of its own under a temporary one. Leaving the block stops and removes it, however it is left; a
test that is killed takes its devnet along (PR_SET_PDEATHSIG). $DEVNET_KEEP keeps the folders.

Nothing here waits for a length of time: poll() asks again until something is so, and fails after PATIENCE_S.
"""
import ctypes
import http.client
import itertools
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent.parent
SHARED = Path(os.environ.get("STAGGER_SHARED") or SOURCE.parent / "shared")
STAGGER = os.environ.get("STAGGER", "")
PATIENCE_S = float(os.environ.get("DEVNET_PATIENCE", "60"))
LONG = os.environ.get("DEVNET_LONG", "") not in ("", "0")
SKIP = 77
AGAIN_S = 0.01
PR_SET_PDEATHSIG = 1

GONE = (urllib.error.URLError, http.client.HTTPException, ConnectionError, socket.timeout)


class Refused(Exception):
    """A JSON-RPC error: {code, message, data}."""

    def __init__(self, error):
        super().__init__(json.dumps(error))
        self.error = error


def skip(why):
    print(f"skipped: {why}")
    sys.exit(SKIP)


def need_stagger():
    if not STAGGER or not os.access(STAGGER, os.X_OK):
        skip("$STAGGER is not the executable")
    said = subprocess.run([STAGGER, "--help"], stdout=subprocess.PIPE, text=True, check=True).stdout
    if "devnet" not in said:
        skip("this stagger has no devnet")


def poll(question, what, patience_s=None, again_s=AGAIN_S):
    """Asks until the answer is true, and returns it. Whoever does not answer is asked again."""
    end = time.monotonic() + (patience_s or PATIENCE_S)
    last = None
    while time.monotonic() < end:
        try:
            answer = question()
            if answer:
                return answer
        except GONE as gone:
            last = gone
        time.sleep(again_s)
    raise AssertionError(f"in {patience_s or PATIENCE_S:g} s not: {what}" + (f" ({last})" if last else ""))


def dies_with_me():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def fetch(url, body=None, timeout=10):
    """(status, text)"""
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"} if body else {})
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        if error.code == 503:
            raise ConnectionError("it is stopping") from None
        return error.code, error.read().decode()


def result_of(text):
    answer = json.loads(text)
    if "error" in answer:
        raise Refused(answer["error"])
    return answer["result"]


def ask(url, method, /, **params):
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
    return result_of(fetch(url, body)[1])


# A hundred ports each, so that none is taken by another devnet between a stop and the next start.
BASE_PORTS = itertools.count(27000, 100)


class Devnet:
    def __init__(self, chain="kira", validators=4, *options):
        self.chain, self.count = chain, validators
        self.home = Path(tempfile.mkdtemp(prefix="stagger-net-test-"))
        self.dir = self.home / "net"
        self.options = ["--chain", chain, "--validators", str(validators), *map(str, options)]
        if "--base-port" not in self.options:
            self.options += ["--base-port", str(next(BASE_PORTS))]
        self.supervisor, self.public = None, None
        self.said = self.home / "said"

    # --- processes ---

    def __enter__(self):
        try:
            self.start(*self.options)
        except BaseException:
            self.__exit__()
            raise
        return self

    def start(self, *options, wait=True):
        """The supervisor, in the foreground; back when every node answers."""
        self.stale = self.written()  # of a run that was killed
        with open(self.said, "ab") as said:
            self.supervisor = subprocess.Popen([STAGGER, "devnet", "--dir", str(self.dir), *options], stdout=said,
                                               stderr=said, stdin=subprocess.DEVNULL, preexec_fn=dies_with_me)
        if wait:
            self.wait_up()

    def written(self):
        path = self.dir / "devnet.json"
        return path.stat().st_mtime_ns if path.exists() else None

    def is_up(self):
        if self.supervisor.poll() is not None:
            raise AssertionError(f"stagger devnet ended with status {self.supervisor.returncode}: {self.words()}")
        return self.written() not in (None, self.stale)

    def wait_up(self):
        poll(self.is_up, "stagger devnet writes devnet.json")
        self.public = json.loads((self.dir / "devnet.json").read_text())
        self.urls = [v["rpc"] for v in self.public["validators"]]

    def words(self):
        return self.said.read_text(errors="replace")[-2000:]

    def stop(self):
        """Ctrl-C."""
        if self.supervisor and self.supervisor.poll() is None:
            self.supervisor.send_signal(signal.SIGINT)
            self.supervisor.wait(PATIENCE_S)
        return self.supervisor.returncode if self.supervisor else None

    def restart(self, *options, wait=True):
        self.stop()
        self.start(*options, wait=wait)

    def command(self, *words):
        """`stagger devnet WORDS`; (status, all that it says)"""
        done = subprocess.run([STAGGER, "devnet", *words, "--dir", str(self.dir)], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True, timeout=2 * PATIENCE_S,
                              check=False)
        return done.returncode, done.stdout

    def hand(self, *words):
        status, said = self.command(*words)
        assert status == 0, f"stagger devnet {' '.join(words)}: status {status}: {said}"

    def node(self, what, number):
        self.hand("node", what, str(number))

    def log(self, process):
        name = "chain" if process == "chain" else f"node/{process}"
        path = self.dir / name / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    def pid(self, process):
        """Who holds the lock of a process: "chain", "supervisor" or a node's number; 0: nobody."""
        name = {"chain": "chain/lock", "supervisor": "lock"}.get(process, f"node/{process}/lock")
        try:
            pid, start = (self.dir / name).read_text().split()[:2]
            stat = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        except (OSError, ValueError):
            return 0
        return int(pid) if stat[19] == start and stat[0] not in "ZX" else 0

    def pids(self):
        who = {process: self.pid(process) for process in ["supervisor", "chain", *range(self.count)]}
        return {process: pid for process, pid in who.items() if pid}

    def kill_all(self):
        for pid in self.pids().values():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        poll(lambda: not self.pids(), "all processes are gone")

    def __exit__(self, *_):
        try:
            if self.supervisor and self.supervisor.poll() is None:
                self.supervisor.send_signal(signal.SIGTERM)
                self.supervisor.wait(20)
        except subprocess.TimeoutExpired:
            self.supervisor.kill()
            self.supervisor.wait()
        finally:
            self.kill_all()
            if os.environ.get("DEVNET_KEEP"):
                print(f"kept: {self.home}")
            else:
                shutil.rmtree(self.home, ignore_errors=True)

    # --- asking ---

    def call(self, node, method, /, **params):
        return ask(self.urls[node], method, **params)

    def get(self, node, path):
        return result_of(fetch(f"{self.urls[node]}/{path}")[1])

    def answers(self, node):
        try:
            return self.call(node, "status")
        except GONE:
            return None

    def height(self, node=0):
        return int(self.call(node, "status")["sync_info"]["latest_block_height"])

    def wait_height(self, height, node=0):
        poll(lambda: self.height(node) >= height, f"node {node} has block {height}")

    def next_blocks(self, count=1, node=0):
        height = self.height(node) + count
        self.wait_height(height, node)
        return height

    def members(self, height, node=0):
        """The consensus addresses of V(height), with their power."""
        poll(lambda: self.height(node) + 1 >= height, f"node {node} knows the set of {height}")
        answer = self.call(node, "validators", height=str(height), page="1", per_page="100")
        return {v["address"]: int(v["voting_power"]) for v in answer["validators"]}

    def address(self, validator):
        return self.public["validators"][validator]["address"].upper()

    def power(self, node):
        return self.call(node, "status")["validator_info"]["voting_power"]

    def header(self, height, node=0):
        return self.call(node, "header", height=str(height))["header"]

    def results(self, height, node=0):
        return self.call(node, "block_results", height=str(height))

    def found(self, hash_hex, node=0):
        """What /tx says of a transaction that stands in a block, None when it does not."""
        try:
            return self.get(node, f"tx?hash=0x{hash_hex}")
        except Refused as refused:
            assert "not found" in refused.error["data"], refused
            return None

    def wait_tx(self, hash_hex, node=0):
        return poll(lambda: self.found(hash_hex, node), f"transaction {hash_hex} stands in a block")
