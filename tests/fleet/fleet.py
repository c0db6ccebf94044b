"""A fleet for tests: a devnet whose nodes belong to agents, one agent a validator, each as `stagger run` with the process
driver and cosmovisor's tree, gossiping with the others.

    with Place(30, cables=False) as place, Fleet(place, "1s", ["v2"]) as fleet:
        fleet.reboot_all("v2")                  # every agent is told, and has said ok
        fleet.wait_done("v2")                   # every agent says done, every node shows v2
        judge_fleet(fleet)                      # judge.py: from the chain alone
        fleet.replay()                          # every journal decides the same again

An agent that dies is started again, as systemd's Restart=always would. What is done to a host is written down with
its time (Host.faults), for the judge. Leaving the block ends everything, however it is left.
"""
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent.parent / part) for part in ("devnet", "")]
from net import GONE, STAGGER, Devnet, fetch, poll, result_of  # noqa: E402

RESTART_S = 0.1
GOSSIP_PORT = 50  # above the devnet's first
HERE = "127.0.0.1"


class Refusal(Exception):
    """What an agent says when it does not do what it is asked."""


class Host:
    """One validator's machine: its node, its agent, and what keeps the agent alive."""

    def __init__(self, fleet, number):
        self.fleet, self.number = fleet, number
        self.dir = fleet.net.home / "host" / str(number)
        self.agent_dir, self.tree = self.dir / "agent", self.dir / "home"
        self.process, self.keeper, self.wanted = None, None, False
        self.starts, self.endings, self.faults = 0, [], []
        self.environments = []  # of the next starts, what is added to it
        self.lock = threading.Lock()

    # --- made once ---

    def make(self, versions):
        self.agent_dir.mkdir(parents=True, mode=0o700)
        self.dir.chmod(0o700)
        for version in ("v1", *versions):
            folder = "genesis" if version == "v1" else f"upgrades/{version}"
            self.make_binary(self.tree / "cosmovisor" / folder / "bin", version)
        listen = f"tcp://{self.fleet.place.address(self.number)}:{self.fleet.gossip_port(self.number)}"
        self.conf = self.dir / "agent.conf"
        self.conf.write_text(f"[agent]\ndir = {self.agent_dir}\n[gossip]\nadvertise = {listen}\n")
        said = subprocess.run([STAGGER, "gossip-key", "--config", str(self.conf)], stdout=subprocess.PIPE, text=True,
                              check=True)
        self.listen, self.seed = listen, said.stdout.strip()

    def make_binary(self, folder, version):
        """It takes no notice of what cosmovisor would tell it; and in pidfiles and locks it is the node itself."""
        folder.mkdir(parents=True)
        path = folder / "node"
        path.write_text(f'#!/bin/sh\nexec "{STAGGER}" devnet node run {self.number} --dir "{self.fleet.net.dir}" '
                        f"--software {version}\n")
        path.chmod(0o700)

    def configure(self, settings):
        fleet, count = self.fleet, self.fleet.count
        others = [fleet.url((self.number + i) % count) for i in (1, 2)]
        seeds = [fleet.hosts[(self.number + i) % count].seed for i in (1, 2, 3)]
        self.conf.write_text("\n".join([
            "[chain]", f"kind = {fleet.net.chain}", f"id = {fleet.net.public['chain_id']}",
            f"node = http://{HERE}:{fleet.rpc_port(self.number)}", f"others = {others[0]},", f"    {others[1]}",
            "[account]", f"key_file = {fleet.net.dir}/node/{self.number}/account.key",
            "[charter]", *(f"{key} = {value}" for key, value in fleet.charter.items()),
            "[gossip]", f"listen = {self.listen}", f"advertise = {self.listen}",
            f"seeds = {seeds[0]}", *(f"    {seed}" for seed in seeds[1:]),
            "[agent]", f"dir = {self.agent_dir}", "log = debug", f"expected = {settings.get('expected', '10s')}",
            "[runtime]", "driver = process",
            "[process]", f"home = {self.tree}", "name = node", "restart = 200ms",
            "[limits]", "retry = 1s",
            "[hooks]", f"pre_reinit = {settings.get('work', 'sleep 0.1')}", ""]))

    # --- its agent, kept alive ---

    def start(self):
        self.wanted = True
        self.keeper = threading.Thread(target=self.keep, daemon=True)
        self.keeper.start()

    def keep(self):
        with open(self.dir / "agent.log", "ab") as log:
            while self.wanted:
                self.spawn(log)
                self.endings.append((time.time(), self.process.wait()))
                log.write(f"--- the agent ended with status {self.process.returncode}\n".encode())
                log.flush()
                self.fleet.ending.wait(RESTART_S)

    def spawn(self, log):
        words = self.fleet.place.words(self.number, [STAGGER, "run", "--config", str(self.conf)])
        with self.lock:
            environment = self.environments.pop(0) if self.environments else {}
            self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            start_new_session=True, env={**os.environ, **environment})
            self.starts += 1

    def restart(self, *environments):
        """The agent is started again, and once more for each of these environments that it ends in."""
        with self.lock:
            starts, self.environments = self.starts, list(environments)
            self.process.kill()
        poll(lambda: self.starts > starts, f"agent {self.number} is started again")

    def kill(self):
        with self.lock:
            self.process.kill()

    def signal(self, number):
        """Whether there was somebody to get it."""
        with self.lock:
            if self.process.poll() is not None:
                return False
            self.process.send_signal(number)
            return True

    def end(self):
        self.wanted = False
        if self.process:
            self.signal(signal.SIGCONT)
            self.kill()
        if self.keeper:
            self.keeper.join()

    # --- what it is told ---

    def talk(self, request):
        """One command: its last answer. Whoever dies meanwhile is a ConnectionError."""
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(self.fleet.patience_s)
            try:
                line.connect(str(self.agent_dir / "control"))
            except FileNotFoundError:
                raise ConnectionError("not yet") from None
            line.sendall((json.dumps(request) + "\n").encode())
            with line.makefile() as lines:
                answers = [json.loads(text) for text in lines]
        if answers and not answers[-1].get("more"):
            return answers[-1]
        raise ConnectionError("it has ended")

    def tell(self, request):
        """Until it is taken; returns the answer. An agent that is only about to be ready is asked again."""
        def asked():
            answer = self.talk(request)
            if answer["ok"] or answer.get("code") == "not-ready":
                return answer if answer["ok"] else None
            raise Refusal(f"agent {self.number}: {answer}")
        return poll(asked, f"agent {self.number} takes {request}", self.fleet.patience_s)

    def reboot(self, version):
        return self.tell({"command": "reboot", "to": version})

    def wait_done(self):
        """Until nothing is open any more; asks again whenever the agent has died."""
        def asked():
            answer = self.talk({"command": "wait", "for": "done"})
            if not answer["ok"]:
                raise Refusal(f"agent {self.number}: {answer}")
            return True
        return poll(asked, f"agent {self.number} is done", self.fleet.patience_s, 0.05)

    # --- its node ---

    def node_pid(self):
        return self.fleet.net.pid(self.number)

    def node_signal(self, number):
        pid = self.node_pid()
        if pid:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                return False
        return bool(pid)

    def version(self):
        """What its node says that it is, None when it does not answer."""
        try:
            text = fetch(f"{self.fleet.url(self.number)}/abci_info", timeout=3)[1]
            return result_of(text)["response"]["version"]
        except GONE:
            return None

    def fault(self, what, begin, end):
        self.faults.append((begin, end, what))

    def log_tail(self, lines=25):
        return "\n".join((self.dir / "agent.log").read_text(errors="replace").splitlines()[-lines:])


class Fleet:
    net_class, host_class = Devnet, Host  # others in tests/real, where nodes are real ones

    def __init__(self, place, block_time, versions, patience_s=240, charter=None, **settings):
        self.place, self.count, self.versions, self.settings = place, place.count, versions, settings
        self.patience_s = patience_s
        self.charter = {"block_time": block_time, **(charter or {})}
        self.net = self.net_class("kira", self.count, "--external-nodes", "--min-validators", str(self.count * 2 // 3),
                                  "--block-time", block_time)
        self.base_port = int(self.net.options[self.net.options.index("--base-port") + 1])
        self.ending = threading.Event()
        self.hosts = []

    # --- where everybody is ---

    def rpc_port(self, number):
        return self.base_port + number

    def gossip_port(self, number):
        return self.base_port + GOSSIP_PORT + number

    def url(self, number):
        return f"http://{self.place.address(number)}:{self.rpc_port(number)}"

    # --- life ---

    def __enter__(self):
        self.net.__enter__()
        self.net.urls = [self.url(i) for i in range(self.count)]
        self.hosts = [self.host_class(self, number) for number in range(self.count)]
        try:
            for host in self.hosts:
                self.place.expose(host.number, self.rpc_port(host.number))
                host.make(self.versions)
            for host in self.hosts:
                host.configure(self.settings)
                host.start()
        except BaseException as error:
            self.__exit__(type(error), error, None)
            raise
        return self

    def __exit__(self, kind, error, _):
        if error:
            self.explain(error)
        self.ending.set()
        for host in self.hosts:
            host.end()
        for host in self.hosts:
            host.node_signal(signal.SIGCONT)
        self.net.__exit__()

    def explain(self, error):
        """What the agents last said: of those that the error names, or of who is not where it should be."""
        print(f"{type(error).__name__}: {error}", flush=True)
        for host in self.hosts:
            try:
                status = host.talk({"command": "status"})
                print(f"  agent {host.number}: {status.get('state')}, {status.get('state_sentence')}; in set: "
                      f"{status.get('in_set')}; why: {(status.get('why') or {}).get('sentence')}; waits: "
                      f"{status.get('waiting_for')}; node {host.version()}; {len(host.endings)} endings")
            except (OSError, ValueError) as trouble:
                print(f"  agent {host.number}: {trouble}; {host.log_tail(5)}")
            if f"agent {host.number}:" in str(error) or f"agent {host.number} " in str(error):
                print(host.log_tail())

    # --- all of them ---

    def each(self, what):
        """what(host) for all at once; the first error is raised."""
        errors = []

        def one(host):
            try:
                what(host)
            except Exception as error:  # noqa: BLE001: told below
                errors.append(error)
        threads = [threading.Thread(target=one, args=(host,)) for host in self.hosts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if errors:
            raise errors[0]

    def reboot_all(self, version):
        self.each(lambda host: host.reboot(version))

    def wait_done(self, version):
        self.each(Host.wait_done)
        self.each(lambda host: poll(lambda: host.version() == version, f"node of agent {host.number} shows {version}"))

    def wait_all_sign(self):
        """Everybody is in the set and has signed the latest block."""
        def whole():
            head = (self.net.call(0, "commit") or {}).get("signed_header")
            commit = head["commit"] if head else {"signatures": []}
            flags = [s["block_id_flag"] for s in commit["signatures"]]
            return len(flags) == self.count and set(flags) == {2} and int(commit["height"])
        return poll(whole, "all of them sign", self.patience_s, 0.1)

    def replay(self):
        """Every journal once more through the core: the same decisions."""
        for host in self.hosts:
            done = subprocess.run([STAGGER, "replay", str(host.agent_dir)], stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True, check=False)
            assert done.returncode == 0, f"stagger replay of agent {host.number}: {done.returncode}: {done.stdout[-1500:]}"

    def heard(self):
        """Gossip reaches everybody."""
        def all_heard():
            gossip = [host.talk({"command": "status"})["gossip"] for host in self.hosts]
            return all(g["heard"] >= self.count - 1 for g in gossip) or print(gossip)
        poll(all_heard, "every agent has heard of every other", self.patience_s, 0.5)

    def quiet(self, but="nothing at all"):
        """No agent found anything broken but for such a line, and none ended by itself."""
        for host in self.hosts:
            broken = [line for line in (host.dir / "agent.log").read_text(errors="replace").splitlines()
                      if (" broken: " in line or "ssertion" in line) and but not in line]
            assert not broken, f"agent {host.number} says: {broken[:3]}"
            ends = [status for _, status in host.endings if status != -signal.SIGKILL]
            assert not ends, f"agent {host.number} ended by itself: {ends}; {host.log_tail(5)}"
