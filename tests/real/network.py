#!/usr/bin/env python3
"""A network of real sekaid validators on loopback, in one folder, made and ready in seconds.

    with RealNet("kira", 7, "--block-time", "1s") as net:       # as Devnet of tests/devnet/net.py, and asked the same
        net.wait_height(5)
        net.stop_node(3); net.start_node(3)

    python3 tests/real/network.py --validators 7 [--dir DIR]        stays in front; Ctrl-C ends and removes it

DIR is shaped as `stagger devnet` makes it: devnet.json, agents/N.conf for --config, node/N/account.key, and
node/N/priv_validator_key.json; node/N is the home of node N. With --external-nodes nodes are whoever runs

    DIR/node/N/run [VERSION]        in the foreground; VERSION is shown as the moniker in /status

Leaving ends everything that runs in the folder, whoever started it, however it is left: the end of the block, an
exception, SIGINT, SIGTERM or SIGHUP; a network whose script was killed is ended with it (PR_SET_PDEATHSIG), but for
nodes of others: those are ended where the script runs in a process namespace (tests/fleet/place.py).
"""
import argparse
import atexit
import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "devnet")]
from net import Devnet, dies_with_me, poll  # noqa: E402
from peers import peer  # noqa: E402

HOST = "127.0.0.1"
PORTS = range(20000, 26000, 100)  # of one network: RPC from the first on, p2p from P2P_PORT on; others are left alone
P2P_PORT = 25
VALIDATORS_MAX = 25
UKEX = 150_000_000_000_000
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def is_free(port):
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind((HOST, port))
        except OSError:
            return False
    return True


def free_base(count):
    """The first hundred ports of which those that are needed are free."""
    return next(base for base in PORTS
                if all(is_free(base + first + i) for first in (0, P2P_PORT) for i in range(count)))


def set_values(path, values):
    """Lines of a TOML file: {(section or "", name): value as it is to be written}."""
    section, done, lines = "", set(), []
    for line in path.read_text().splitlines():
        if line.startswith("["):
            section = line.strip("[] ")
        name = re.match(r"([\w-]+) *=", line)
        if name and (section, name[1]) in values:
            line = f"{name[1]} = {values[section, name[1]]}"
            done.add((section, name[1]))
        lines.append(line)
    assert done == set(values), f"{path} has no {set(values) - done}"
    path.write_text("\n".join(lines) + "\n")


class RealNet(Devnet):
    """Options: those of `stagger devnet` that mean something here, as words."""

    def __init__(self, chain, count, *options, folder=None):
        super().__init__(chain, count, *options, *([] if "--base-port" in options else ["--base-port", "0"]))
        if folder:
            self.home.rmdir()
            self.home = self.dir = Path(folder).resolve()
            if self.dir.exists():  # it is removed at the end, and everything that names it is ended
                sys.exit(f"{self.dir} is there already; a new folder is needed")
        self.settings = parse(self.options[2:])
        assert count <= VALIDATORS_MAX, f"ports suffice for {VALIDATORS_MAX} validators"
        self.base_port = self.settings.base_port or free_base(count)
        self.options[self.options.index("--base-port") + 1] = str(self.base_port)
        self.urls = [f"http://{HOST}:{self.base_port + i}" for i in range(count)]
        self.sekaid, self.children, self.ended = peer("sekaid"), {}, False

    # --- made once ---

    def home_of(self, number):
        return self.dir / "node" / str(number)

    def run_sekaid(self, *words, home=0):
        done = subprocess.run([self.sekaid, *words, "--home", str(self.home_of(home))], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
        assert done.returncode == 0, f"sekaid {' '.join(words[:2])}: status {done.returncode}: {done.stderr[-800:]}"
        return done.stdout

    def make(self):
        (self.dir / "agents").mkdir(parents=True)
        self.dir.chmod(0o700)
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(self.make_home, range(self.count)))
        accounts = self.make_accounts()
        self.make_genesis(accounts)
        for number in range(self.count):
            self.configure_node(number)
            self.write_run(number)
        self.public = {"chain": "kira", "chain_id": self.settings.chain_id, "validators": [
            {"validator": number, "account": account, "address": self.consensus_key(number)["address"],
             "rpc": self.urls[number], "key_file": f"node/{number}/account.key", "node_pid": 0}
            for number, account in enumerate(accounts)], "chain_pid": 0, "supervisor_pid": os.getpid()}
        for number in range(self.count):
            self.write_conf(number)

    def make_home(self, number):
        home = self.home_of(number)
        self.run_sekaid("init", "--overwrite", f"--chain-id={self.settings.chain_id}", f"node{number}", home=number)
        (home / "priv_validator_key.json").symlink_to("config/priv_validator_key.json")
        (home / "account.key").touch(mode=0o600)
        (home / "account.key").write_text(f"{1 + secrets.randbelow(2**255):064x}\n")

    def consensus_key(self, number):
        return json.loads((self.home_of(number) / "priv_validator_key.json").read_text())

    def make_accounts(self):
        """Into the first home's keyring, as gentx-claim wants them; the addresses."""
        for number in range(self.count):
            key = (self.home_of(number) / "account.key").read_text().strip()
            self.run_sekaid("keys", "import-hex", f"v{number:02}", key, "--keyring-backend", "test")
        listed = json.loads(self.run_sekaid("keys", "list", "--keyring-backend", "test", "--output", "json"))
        address = {key["name"]: key["address"] for key in listed}
        return [address[f"v{number:02}"] for number in range(self.count)]

    def make_genesis(self, accounts):
        """gentx-claim leaves only its own entry among the validators, so each is kept and all are put in at the end."""
        path, entries = self.home_of(0) / "config" / "genesis.json", []
        for number, account in enumerate(accounts):
            public = {"@type": "/cosmos.crypto.ed25519.PubKey", "key": self.consensus_key(number)["pub_key"]["value"]}
            self.run_sekaid("add-genesis-account", account, f"{UKEX}ukex", "--keyring-backend", "test")
            self.run_sekaid("gentx-claim", f"v{number:02}", "--keyring-backend", "test", "--moniker", f"node{number}",
                            "--pubkey", json.dumps(public))
            entries += json.loads(path.read_text())["app_state"]["customstaking"]["validators"]
        genesis = json.loads(path.read_text())
        genesis["app_state"]["customstaking"]["validators"] = entries
        genesis["app_state"]["customgov"]["network_properties"] |= {
            "min_validators": str(self.settings.min_validators),
            "minimum_proposal_end_time": str(self.settings.proposal_time),
            "proposal_enactment_time": str(self.settings.enactment_time)}
        text = json.dumps(genesis, indent=1)
        for number in range(self.count):
            (self.home_of(number) / "config" / "genesis.json").write_text(text)
        (self.dir / "genesis.json").write_text(text)

    def configure_node(self, number):
        peers = ",".join(f"{self.node_id(i)}@{HOST}:{self.base_port + P2P_PORT + i}"
                         for i in range(self.count) if i != number)
        config = self.home_of(number) / "config"
        set_values(config / "config.toml", {
            ("rpc", "laddr"): f'"tcp://{HOST}:{self.base_port + number}"', ("rpc", "pprof_laddr"): '""',
            ("p2p", "laddr"): f'"tcp://{HOST}:{self.base_port + P2P_PORT + number}"',
            ("p2p", "persistent_peers"): f'"{peers}"', ("p2p", "pex"): "false",
            ("p2p", "addr_book_strict"): "false", ("p2p", "allow_duplicate_ip"): "true",
            ("consensus", "timeout_commit"): f'"{self.settings.block_time}"',
            ("consensus", "timeout_propose"): f'"{self.settings.timeout_propose}"'})
        set_values(config / "app.toml", {(part, "enable"): "false" for part in ("api", "grpc", "grpc-web", "rosetta")})

    def node_id(self, number):
        return self.run_sekaid("tendermint", "show-node-id", home=number).strip()

    def write_run(self, number):
        """Whoever runs it stands in the lock, by process and start: what Devnet.pid() reads."""
        path = self.home_of(number) / "run"
        path.write_text(f'#!/bin/sh\necho "$$ $(cut -d " " -f 22 /proc/$$/stat)" >"{path.parent}/lock"\n'
                        f'exec "{self.sekaid}" start --home "{path.parent}" --moniker "${{1:-node{number}}}"\n')
        path.chmod(0o700)

    def write_conf(self, number):
        others = ", ".join(self.urls[(number + i) % self.count] for i in (1, 2) if self.count > i)
        (self.dir / "agents" / f"{number}.conf").write_text(
            f"[chain]\nkind = kira\nid = {self.settings.chain_id}\nnode = {self.urls[number]}\nothers = {others}\n"
            f"[account]\nkey_file = {self.home_of(number)}/account.key\n")

    def write_public(self):
        for entry in self.public["validators"]:
            entry["node_pid"] = self.pid(entry["validator"])
        new = self.dir / "devnet.json.new"
        new.write_text(json.dumps(self.public, indent=1))
        new.rename(self.dir / "devnet.json")

    # --- processes ---

    def start(self, *_, wait=True):
        """Made, and running, unless the nodes are those of others."""
        self.guard()
        self.make()
        if not self.settings.external_nodes:
            for number in range(self.count):
                self.start_node(number, wait=False)
            if wait:
                self.wait_up()
        self.write_public()

    def guard(self):
        atexit.register(self.__exit__)
        for number in SIGNALS:
            if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
                signal.signal(number, lambda which, _: sys.exit(128 + which))

    def wait_up(self):
        """Every node answers and has a block."""
        for number in range(self.count):
            poll(lambda number=number: self.height(number) >= 1, f"node {number} has a block")

    def start_node(self, number, *version, wait=True):
        with open(self.home_of(number) / "log", "ab") as log:
            self.children[number] = subprocess.Popen([str(self.home_of(number) / "run"), *version], stdout=log,
                                                     stderr=log, stdin=subprocess.DEVNULL, start_new_session=True,
                                                     preexec_fn=dies_with_me)
        if wait:
            poll(lambda: self.answers(number), f"node {number} answers")

    def end_node(self, number, how):
        """Of this script or of others; back when it is gone."""
        pid = self.pid(number)
        if pid:
            os.kill(pid, how)
        if number in self.children:
            self.children.pop(number).wait()
        poll(lambda: not self.pid(number), f"node {number} is gone")

    def stop_node(self, number):
        self.end_node(number, signal.SIGTERM)

    def kill_node(self, number):
        self.end_node(number, signal.SIGKILL)

    def stop(self):
        for number in range(self.count):
            self.stop_node(number)

    def restart(self, *_, wait=True):
        self.stop()
        for number in range(self.count):
            self.start_node(number, wait=False)
        if wait:
            self.wait_up()

    def here(self):
        """Processes with a word in the folder: nodes, agents and what they have started, but no script that asked for it."""
        own, found = str(self.home).encode() + b"/", []
        for entry in Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and int(entry.name) != os.getpid() and own in (entry / "cmdline").read_bytes():
                    found.append(int(entry.name))
            except OSError:
                pass
        return found

    def __exit__(self, *_):
        if self.ended:
            return
        self.ended = True
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)  # a second Ctrl-C is not to leave half of it
        for child in self.children.values():
            child.kill()
        for child in self.children.values():
            child.wait()
        end = time.monotonic() + 10
        while (found := self.here()) and time.monotonic() < end:
            for pid in found:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            time.sleep(0.05)
        if os.environ.get("DEVNET_KEEP"):
            print(f"kept: {self.dir}")
        else:
            shutil.rmtree(self.home, ignore_errors=True)
        for number in SIGNALS:
            signal.signal(number, signal.SIG_DFL if number != signal.SIGINT else signal.default_int_handler)


def parse(words):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--validators", type=int, default=7)
    parser.add_argument("--dir", help="a new folder; without it a temporary one")
    parser.add_argument("--base-port", type=int, default=0, help="node N serves this port + N; without it free ones")
    parser.add_argument("--block-time", default="1s", help="CometBFT's timeout_commit")
    parser.add_argument("--timeout-propose", default="3s")
    parser.add_argument("--min-validators", type=int, default=1)
    parser.add_argument("--proposal-time", type=int, default=5, help="seconds")
    parser.add_argument("--enactment-time", type=int, default=2, help="seconds")
    parser.add_argument("--chain-id", default="localnet-1")
    parser.add_argument("--external-nodes", action="store_true")
    return parser.parse_args(words)


def main():
    options = parse(sys.argv[1:])
    began = time.monotonic()
    words = [word for word in sys.argv[1:]]
    for name in ("--validators", "--dir"):
        if name in words:
            del words[words.index(name):words.index(name) + 2]
    with RealNet("kira", options.validators, *words, folder=options.dir) as net:
        print(f"{options.chain_id} of {net.count} sekaid after {time.monotonic() - began:.1f} s, in {net.dir}\n")
        for entry in net.public["validators"]:
            print(f"  node {entry['validator']}  {entry['rpc']}  {entry['account']}  pid {entry['node_pid']}")
        print(f"\n  stagger chain status --config {net.dir}/agents/0.conf\n\nCtrl-C ends it.", flush=True)
        signal.pause()


if __name__ == "__main__":
    main()
