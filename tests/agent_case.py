"""`stagger run` for tests: one agent beside one validator of a devnet, its folder, its configuration and what it says.

    net = Devnet("kira", 4, "--base-port", 23000, ...)      # devnet/net.py
    with Agent(net, 0, {"limits.hours": "01:00-02:00"}) as agent:
        agent.start()
        agent.says("hours", "UTC")              # a line of the log that holds all of these
        agent.until(lambda status: status["state"] == "IDLE", "it has nothing to do")
        agent.stop()

    Proxy(net.urls[0])                          # a node's RPC with changes of one's own

A file STAGGER names the executable. Waiting is asking again, never a length of time (net.poll).
"""
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent / part) for part in ("devnet", "")]
from net import PATIENCE_S, STAGGER, ask, poll, Refused  # noqa: E402
from rpc_server import RpcError, RpcServer  # noqa: E402

CLEAN = {name: value for name, value in os.environ.items()
         if not name.startswith("STAGGER_") and name not in ("NOTIFY_SOCKET", "JOURNAL_STREAM")}


class Agent:
    def __init__(self, net, number, settings=None, env=None):
        self.net, self.number, self.env = net, number, env or {}
        self.place = Path(tempfile.mkdtemp(prefix="stagger-agent-"))
        self.dir, self.conf, self.log_path = self.place / "agent", self.place / "agent.conf", self.place / "log"
        self.process, self.mark = None, 0
        self.settings = {
            "chain.kind": net.chain, "chain.id": net.public["chain_id"], "chain.node": net.urls[number],
            "account.key_file": net.dir / "node" / str(number) / "account.key", "charter.block_time": "1s", "charter.joins_max": "20",
            "charter.round_blocks": "120",
            "agent.dir": self.dir, "agent.expected": "5s", "gossip.off": "yes", "limits.retry": "1s", **(settings or {})}
        self.write()

    def write(self, **changes):
        """The configuration anew; a setting that is None is left out. Names have __ for the dot."""
        self.settings.update({name.replace("__", "."): value for name, value in changes.items()})
        sections = {}
        for name, value in self.settings.items():
            section, key = name.split(".", 1)
            if value is not None:
                sections.setdefault(section, []).append(f"{key} = {value}\n")
        self.conf.write_text("".join(f"[{section}]\n" + "".join(lines) for section, lines in sections.items()))

    # --- its life ---

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()
        shutil.rmtree(self.place, ignore_errors=True)

    def words(self):
        return [STAGGER, "run", "--config", str(self.conf)]

    def start(self, **env):
        assert not self.process, "it runs"
        self.mark = len(self.log())
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(self.words(), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            cwd=self.place, env={**CLEAN, **self.env, **env})
        return self

    def run(self, **how):
        """One that cannot start: its one line."""
        done = subprocess.run(self.words(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, timeout=PATIENCE_S, cwd=self.place, env={**CLEAN, **self.env}, check=False, **how)
        lines = [line for line in done.stdout.splitlines() if line.startswith("stagger run: ")]
        assert done.returncode == 1 and len(lines) == 1, f"status {done.returncode}: {done.stdout}"
        return lines[0]

    def signal(self, number):
        self.process.send_signal(number)

    def stop(self):
        """SIGTERM; returns the status."""
        self.signal(signal.SIGTERM)
        status, self.process = self.process.wait(PATIENCE_S), None
        return status

    def kill(self):
        if self.process:
            self.process.kill()
            self.process.wait()
        self.process = None

    # --- what it says ---

    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def lines(self):
        """Since its latest start, or since forget()."""
        return self.log()[self.mark:].splitlines()

    def forget(self):
        self.mark = len(self.log())

    def says(self, *parts):
        def said():
            assert self.process and self.process.poll() is None, f"the agent has ended; it said: {self.tail()}"
            return next((line for line in self.lines() if all(part in line for part in parts)), None)
        return self.asked(said, f"the agent says {parts}")

    def tail(self):
        return "\n".join(self.lines()[-20:])

    def asked(self, question, what):
        try:
            return poll(question, what)
        except AssertionError as error:
            raise AssertionError(f"{error}\n--- log\n{self.tail()}\n--- status\n{self.told()}") from None

    # --- what it is asked ---

    def talk(self, command, **more):
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(PATIENCE_S)
            line.connect(str(self.settings.get("agent.control") or self.dir / "control"))
            line.sendall((json.dumps({"command": command, **more}) + "\n").encode())
            with line.makefile() as answers:
                for text in answers:
                    answer = json.loads(text)
                    if not answer.get("more"):
                        return answer
        raise ConnectionError("it has ended")

    def told(self):
        try:
            return json.dumps(self.talk("status"))
        except (OSError, ValueError) as error:
            return str(error)

    def status(self):
        try:
            return self.talk("status")
        except FileNotFoundError:
            raise ConnectionError("not yet") from None

    def until(self, condition, what):
        """The status for which the condition holds."""
        def seen():
            status = self.status()
            return status if condition(status) else None
        return self.asked(seen, what)

    def runs(self):
        """Nothing is waited for, and the chain has told of our state."""
        def so():
            status, reasons = self.status(), self.talk("ok-to-stop")["reasons"]
            return status["stage"] == "running" and not status["waiting_for"] and all(
                reason["code"] != "recovering" for reason in reasons) and status
        return self.asked(so, "the agent runs")

    def command(self, *words):
        """A command of the command line: what it printed, its status first."""
        done = subprocess.run([STAGGER, *words, "--config", str(self.conf)], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=PATIENCE_S, check=False)
        return done.returncode, done.stdout


# --- a node that is not what it should be ---

METHODS = ("status", "block", "block_results", "validators", "commit", "header", "blockchain", "abci_query", "abci_info",
           "health", "broadcast_tx_sync", "tx", "unconfirmed_txs", "num_unconfirmed_txs", "consensus_params", "net_info",
           "block_by_hash", "header_by_hash", "tx_search", "check_tx", "genesis")


class Proxy:
    """Passes on what a node answers; changes[method](params, answer) may make something else of it."""

    def __init__(self, url, changes=None):
        self.url, self.changes = url, changes or {}
        self.server = RpcServer({method: lambda params, method=method: self.answer(method, params) for method in METHODS})

    def answer(self, method, params):
        try:
            result = ask(self.url, method, **params)
        except Refused as refused:
            raise RpcError(refused.error.get("data", ""), refused.error["code"], refused.error["message"]) from None
        change = self.changes.get(method)
        return change(params, result) if change else result

    def __enter__(self):
        self.server.__enter__()
        return self

    def __exit__(self, *how):
        self.server.__exit__(*how)

    @property
    def here(self):
        return self.server.url


@contextlib.contextmanager
def node_down(net, number):
    net.node("stop", number)
    try:
        yield
    finally:
        net.node("start", number)
