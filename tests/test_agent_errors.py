#!/usr/bin/env python3
"""What operators get wrong, and what the agent says then: what is wrong, where, and what to do. Wherever the cause can go
away by itself the agent goes on when it has.

An agent that cannot begin ends with one line; one that waits says it in its log and in the first line of `stagger status`;
what would only show itself in the middle of a turn is a warning there. All of it on devnets, with real processes.
"""
import base64
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import unittest
from pathlib import Path

from agent_case import Agent, Proxy, node_down
from net import STAGGER, Devnet, need_stagger, poll
from protobuf import field
from rpc_server import RpcError
from tx_vectors import any_of
from wire import Account, balance_of, enable, pause, record_of, submit_upgrade, trustee, vote

QUICK = ("--block-time", "300ms", "--timeout-propose", "300ms")
PORT = 23000  # and the hundreds above; gossip takes the upper half of each
FAKETIME = next((path for path in Path("/usr/lib").glob("*/faketime/libfaketime.so.1")), None)


def write(path, text, mode=0o600):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


class Case(unittest.TestCase):
    chain, options, base = "kira", ("--min-validators", "2"), PORT

    @classmethod
    def setUpClass(cls):
        cls.net = cls.enterClassContext(Devnet(cls.chain, 4, *QUICK, *cls.options, "--base-port", str(cls.base)))
        cls.net.wait_height(4)

    def agent(self, number=0, settings=None, **how):
        return self.enterContext(Agent(self.net, number, settings, **how))

    def gossip(self, place, **more):
        address = f"tcp://127.0.0.1:{self.base + 50 + place}"
        return {"gossip.off": None, "gossip.listen": address, "gossip.advertise": address,
                **{name.replace("__", "."): value for name, value in more.items()}}

    def refuses(self, agent, *parts):
        """It ends at once, with one line."""
        line = agent.run()
        for part in parts:
            self.assertIn(part, line)
        return line

    def waits(self, agent, *parts):
        """It goes on running; log and status say so."""
        if not agent.process:
            agent.start()
        line = agent.says(*parts)
        status = agent.until(lambda s: s["waiting_for"] and all(part in s["waiting_for"] for part in parts), f"it waits: {parts}")
        self.assertIn(status["waiting_for"].split(" ")[0], line)
        self.assertIn(status["waiting_for"], agent.command("status")[1])

    def explains(self, agent, code, *parts):
        """Why it does nothing."""
        def told(status):
            why = status["why"] or {"code": "none", "sentence": ""}
            return why["code"] == code and all(part in why["sentence"] for part in parts)
        status = agent.until(told, f"it says why: {code}, {parts}")
        self.assertIn(status["why"]["sentence"], agent.command("status")[1])
        return status["why"]["sentence"]

    def warns(self, agent, *parts):
        """In the log once, and in the status as long as it is so."""
        def warned(status):
            return any(all(part in line for part in parts) for line in status["warnings"])
        agent.until(warned, f"it warns: {parts}")
        agent.says(*parts)
        said = [line for line in agent.lines() if all(part in line for part in parts)]
        self.assertEqual(len(said), 1, said)

    def no_warning(self, agent, part):
        agent.until(lambda s: not any(part in line for line in s["warnings"]), f"the warning is gone: {part}")

    def pauses(self, agent):
        """Out of the set and back, as a sign that all is well."""
        status, said = agent.command("pause", "--reason", "a test", "--wait", "--timeout", "60s")
        self.assertEqual(status, 0, said + agent.tail())
        self.returns(agent)

    def returns(self, agent):
        status, said = agent.command("unpause", "--wait", "--timeout", "60s")
        self.assertEqual(status, 0, said + agent.tail())


# --- it cannot begin ---

class AtStart(Case):
    def test_typo(self):
        agent = self.agent(settings={"agent.expcted": "5s"})
        self.refuses(agent, "agent.conf:", "agent.expcted", "did you mean expected?")

    def test_typo_in_section(self):
        self.refuses(self.agent(settings={"agnt.expected": "5s"}), "agent.conf:", "[agnt]", "did you mean [agent]?")

    def test_nobody_signs(self):
        self.refuses(self.agent(settings={"account.key_file": None}), "[account]", "key_file", "--key-file")

    def test_key_missing(self):
        self.refuses(self.agent(settings={"account.key_file": "gone.key"}), "agent.conf:", "account.key_file", "gone.key",
                     "No such file")

    def test_key_garbled(self):
        agent = self.agent(settings={"account.key_file": "a.key"})
        write(agent.place / "a.key", "hello\n")
        self.refuses(agent, "account.key_file", "a.key", "expected 64 hex digits")

    def test_key_for_all_to_read(self):
        agent = self.agent(settings={"account.key_file": "a.key"})
        write(agent.place / "a.key", "11" * 32 + "\n", 0o644)
        self.refuses(agent, "account.key_file", "a.key", "mode 0644", "chmod 600")

    def test_wrong_passphrase(self):
        agent = self.agent(settings={"account.key_file": None, "account.key": "val", "account.keys_dir": "keys",
                                     "account.passphrase_file": "right"})
        write(agent.place / "right", "correct horse battery\n")
        write(agent.place / "wrong", "incorrect horse\n")
        done = subprocess.run([STAGGER, "keys", "import", "val", "--file", self.net.dir / "node/0/account.key", "--dir",
                               agent.place / "keys", "--passphrase-file", agent.place / "right"], check=False,
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done)
        agent.start().runs()
        agent.stop()
        agent.write(account__passphrase_file="wrong")
        self.refuses(agent, "account.key", "val", "passphrase")
        agent.write(account__passphrase_file="gone")
        self.refuses(agent, "account.key", "gone", "No such file")

    def test_no_such_key(self):
        agent = self.agent(settings={"account.key_file": None, "account.key": "vaal", "account.keys_dir": "keys"})
        (agent.place / "keys").mkdir(mode=0o700)
        self.refuses(agent, "account.key", "vaal")

    def test_folder_open_to_all(self):
        agent = self.agent()
        agent.dir.mkdir(mode=0o755)
        agent.dir.chmod(0o755)
        self.refuses(agent, "agent.dir", str(agent.dir), "mode 0755", "chmod 700")

    def test_folder_is_a_file(self):
        agent = self.agent()
        write(agent.dir, "")
        self.refuses(agent, "agent.dir", str(agent.dir), "Not a directory")

    def test_folder_cannot_be_written(self):
        agent = self.agent()
        agent.dir.mkdir(mode=0o700)
        with small_disk(agent.dir, "ro"):
            self.refuses(agent, str(agent.dir), "expected a directory that the agent may write to")

    def test_folder_of_another_validator(self):
        other, agent = self.agent(1), self.agent()
        other.start().runs()
        other.stop()
        shutil.copytree(other.dir, agent.dir)
        self.refuses(agent, str(agent.dir), "agent.json is of another account", "agent.dir of its own")

    def test_control_path(self):
        agent = self.agent(settings={"agent.control": "/tmp/" + "x" * 120})
        self.refuses(agent, "agent.control", "longer than 107 bytes", "shorter")

    def test_seeds(self):
        for seed in ("127.0.0.1:26670", "abcd@tcp://127.0.0.1:26670", "gg" * 32 + "@tcp://127.0.0.1:26670"):
            agent = self.agent(settings=self.gossip(0, gossip__seeds=seed))
            self.refuses(agent, "agent.conf:", "gossip.seeds", "KEY@tcp://host:port", "stagger gossip-key")

    def test_home_missing(self):
        agent = self.agent(settings={"runtime.driver": "process", "process.home": "gone", "process.name": "node"})
        self.refuses(agent, "process.home", "gone", "cosmovisor/genesis/bin/")

    def test_same_folder_twice(self):
        agent = self.agent()
        agent.start().runs()
        self.refuses(agent, "another agent answers at", str(agent.dir), "stop it")
        again = self.agent(settings={"agent.dir": agent.dir, "agent.control": "control"})
        self.refuses(again, str(agent.dir), "another agent uses this journal", f"process {agent.process.pid}", "stop the other one")
        agent.runs()


# --- it waits, and goes on by itself ---

class Waiting(Case):
    base = PORT + 100

    def test_wrong_key(self):
        agent = self.agent(settings={"account.key_file": "other.key"})
        write(agent.place / "other.key", "11" * 32 + "\n")
        self.waits(agent, "account kira1", "has no validator on chain kira-devnet-1", "account.key", "claim a seat")

    def test_wrong_chain_id(self):
        agent = self.agent(settings={"chain.id": "kira-devnet-2"})
        self.waits(agent, self.net.urls[0], '"kira-devnet-1", not to "kira-devnet-2"', "[chain] id")

    def test_wrong_kind(self):
        agent = self.agent(settings={"chain.kind": "dcl"})
        self.waits(agent, "unknown query path", "chain.kind")

    def test_node_down(self):
        agent = self.agent()
        with node_down(self.net, 0):
            self.waits(agent, self.net.urls[0], "Failed to connect", "start it, or correct its address")
        agent.runs()
        with node_down(self.net, 0):
            agent.talk("pause", reason="a test")
            self.explains(agent, "catching-up", "our node does not answer", "start it", "chain.node")
            agent.talk("unpause")
        self.pauses(agent)

    def test_address_of_nobody(self):
        agent = self.agent(settings={"chain.node": "http://node.invalid:26657"})
        self.waits(agent, "http://node.invalid:26657", "Could not resolve host", "correct its address")

    def test_chain_at_two(self):
        """An endpoint of another network with the same id, and nobody to tell who is right."""
        with Devnet("kira", 4, *QUICK, "--base-port", str(self.base + 900)) as other:
            agent = self.agent(settings={"chain.others": other.urls[0]})
            self.waits(agent, self.net.urls[0], other.urls[0], "one of them lies or the chain has split", "remove the wrong one")
            height = self.net.height()
            self.net.wait_height(height + 10)
            said = [line for line in agent.lines() if "the chain has split" in line]
            self.assertLessEqual(len(said), 2, said)  # whichever comes first

    def test_gossip_port_taken(self):
        agent = self.agent(settings=self.gossip(0))
        with socket.socket() as taken:
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            taken.bind(("127.0.0.1", self.base + 50))
            taken.listen()
            self.waits(agent, f"tcp://127.0.0.1:{self.base + 50}", "Address already in use", "ss -ltnp", "gossip.listen")
        agent.runs()

    def test_gossip_address_of_another_machine(self):
        agent = self.agent(settings={**self.gossip(1), "gossip.listen": "tcp://192.0.2.1:26670"})
        self.waits(agent, "tcp://192.0.2.1:26670", "gossip.listen", "of this machine")

    def test_second_agent(self):
        """Another folder, so other keys: the one that started later goes on, the other one stands back."""
        first, second, other = (self.agent(number, self.gossip(2 + i)) for i, number in enumerate((0, 0, 1)))
        other.start().runs()
        seed = seed_of(other)
        for agent in (first, second):
            agent.write(gossip__seeds=seed)
        first.start().runs()
        first.until(lambda s: s["gossip"]["heard"] == 2, "the first one speaks")
        second.start().runs()
        self.waits(first, "another agent runs for this validator", f"127.0.0.1:{self.base + 53}", "stop one of them")
        self.assertEqual(first.status()["held"], True)
        self.pauses(second)

    def test_second_agent_that_met(self):
        """Nobody else is there to tell."""
        first, second = self.agent(0, self.gossip(5)), self.agent(0, self.gossip(6))
        first.start()
        second.write(gossip__seeds=seed_of(first))
        first.runs()
        second.start().runs()
        self.waits(first, "another agent runs for this validator", "stop one of them")

    def test_own_journal_on_a_full_disk(self):
        agent = self.agent()
        agent.dir.mkdir(mode=0o700)
        with small_disk(agent.dir, "size=256k"):
            agent.start().runs()
            fill = agent.dir / "fill"
            with contextlib.suppress(OSError), open(fill, "wb", buffering=0) as file:
                while file.write(bytes(4096)):
                    pass
            agent.talk("pause", reason="a test")
            self.explains(agent, "store", "the journal cannot be written", "disk")
            agent.says("broken: ", "No space left on device", str(agent.dir))
            fill.unlink()
            agent.says("the journal can be written again")
            status, said = agent.command("wait", "--for", "out", "--timeout", "60s")
            self.assertEqual(status, 0, said)
            self.returns(agent)
            agent.stop()


# --- it runs, and could not have its turn ---

class Warnings(Case):
    base = PORT + 200

    def test_node_of_another_validator(self):
        agent = self.agent(settings={"chain.node": self.net.urls[1]})
        agent.start().runs()
        self.warns(agent, self.net.urls[1], self.net.address(1), self.net.address(0), "chain.node", "priv_validator_key.json")
        agent.talk("pause", reason="a test")
        self.explains(agent, "catching-up", "another key", "priv_validator_key.json")

    def test_other_node_down(self):
        agent = self.agent(settings={"chain.others": f"http://127.0.0.1:{self.base + 40}"})
        agent.start().runs()
        self.warns(agent, f"http://127.0.0.1:{self.base + 40}", "Failed to connect", "start it, or correct its address")
        self.pauses(agent)

    def test_node_stands_still(self):
        """It answers, and its head does not move."""
        still = {}
        with Proxy(self.net.urls[0]) as node:
            agent = self.agent(settings={"chain.node": node.here, "chain.others": self.net.urls[1]})
            agent.start().runs()
            node.changes["status"] = lambda params, answer: still.setdefault("answer", answer)
            self.warns(agent, node.here, "blocks behind the others", "its log")
            del node.changes["status"]
            self.no_warning(agent, "blocks behind")
            self.pauses(agent)

    def test_node_stands_still_alone(self):
        still = {}
        with Proxy(self.net.urls[0]) as node:
            agent = self.agent(settings={"chain.node": node.here})
            agent.start().runs()
            node.changes["status"] = lambda params, answer: still.setdefault("answer", answer)
            self.warns(agent, "no new block for", node.here, "chain.others")
            del node.changes["status"]
            self.no_warning(agent, "no new block")

    def test_node_catches_up(self):
        def behind(_params, answer):
            answer["sync_info"]["catching_up"] = True
            return answer
        with Proxy(self.net.urls[0], {"status": behind}) as node:
            agent = self.agent(settings={"chain.node": node.here})
            agent.start().runs()
            agent.talk("pause", reason="a test")
            self.explains(agent, "catching-up", "catching up")
            del node.changes["status"]
            self.assertEqual(agent.command("wait", "--for", "out", "--timeout", "60s")[0], 0, agent.tail())
            self.returns(agent)

    def test_node_pruned(self):
        first = {"height": self.net.height()}

        def refuse(params, answer):
            if params.get("height") and int(params["height"]) < first["height"]:
                raise RpcError(f"height {params['height']} is not available, lowest height is {first['height']}")
            return answer

        def status(_params, answer):
            answer["sync_info"]["earliest_block_height"] = str(first["height"])
            return answer
        changes = {"status": status, **{method: refuse for method in ("block", "block_results", "commit", "validators")}}
        with Proxy(self.net.urls[0], changes) as node:
            agent = self.agent(settings={"chain.node": node.here, "charter.reference_blocks": "14400"})
            self.net.wait_height(first["height"] + 10)
            agent.start().runs()
            agent.talk("pause", reason="a test")
            self.explains(agent, "history", "blocks that the draw needs are missing", "use a node that keeps more")
            agent.stop()
            agent.write(chain__others=self.net.urls[1])
            agent.start().runs()
            self.assertEqual(agent.command("wait", "--for", "out", "--timeout", "60s")[0], 0, agent.tail())
            self.returns(agent)

    def test_others_lie(self):
        """About a block, or about how far the chain is: nobody is misled, and turns go on."""
        def other_block(_params, answer):
            answer["block"]["header"]["app_hash"] = "00" * 32
            return answer

        def far_ahead(_params, answer):
            answer["sync_info"]["latest_block_height"] = str(int(answer["sync_info"]["latest_block_height"]) + 1000)
            return answer

        def other_hash(_params, answer):
            answer["sync_info"]["latest_block_hash"] = "AB" * 32
            return answer
        for change in ({"block": other_block}, {"status": far_ahead}, {"status": other_hash, "block": other_block}):
            with self.subTest(change=list(change)), Proxy(self.net.urls[1], change) as other:
                agent = self.agent(settings={"chain.others": other.here})
                agent.start().runs()
                if len(change) == 2:
                    self.warns(agent, other.here, "do not use it")
                self.pauses(agent)
                agent.stop()

    def test_own_node_lies(self):
        def other_block(_params, answer):
            answer["block"]["header"]["app_hash"] = "00" * 32
            return answer
        with Proxy(self.net.urls[0], {"block": other_block}) as node:
            agent = self.agent(settings={"chain.node": node.here, "chain.others": self.net.urls[1]})
            agent.start()
            agent.says(node.here, "its header does not match block_id.hash", "ask another node")
            agent.runs()

    def test_other_charter(self):
        one, two = self.agent(0, self.gossip(0)), self.agent(1, self.gossip(1, charter__epoch_blocks="5"))
        one.start()
        two.write(gossip__seeds=seed_of(one))
        two.start()
        for agent in (one, two):
            self.warns(agent, "of 1 other members", "is not ours", "[charter]")
        two.stop()
        two.write(charter__epoch_blocks=None)
        two.start()
        self.no_warning(one, "charter")
        self.no_warning(two, "charter")

    def test_no_seed_answers(self):
        agent = self.agent(0, self.gossip(3, gossip__seeds="02" * 32 + f"@tcp://127.0.0.1:{self.base + 99}"))
        agent.start().runs()
        self.pauses(agent)
        self.assertEqual(agent.status()["gossip"]["level"], "alone")


class Node(Case):
    """What the process driver starts."""
    base = PORT + 300

    def home(self, agent, mode=0o700, version="genesis"):
        text = f'#!/bin/sh\nexec "{STAGGER}" devnet node run 0 --dir "{self.net.dir}"\n'
        return write(agent.place / "home/cosmovisor" / version / "bin/node", text, mode)

    def driven(self):
        return self.agent(settings={"runtime.driver": "process", "process.home": "home", "process.name": "node",
                                    "process.restart": "1s", "chain.others": self.net.urls[1]})

    def tearDown(self):
        pid = self.net.pid(0)
        if pid:
            os.kill(pid, signal.SIGTERM)
            poll(lambda: not self.net.pid(0), "node 0 is gone")
        self.net.node("start", 0)

    def setUp(self):
        self.net.node("stop", 0)

    def test_binary_missing(self):
        agent = self.driven()
        (agent.place / "home/cosmovisor/genesis/bin").mkdir(parents=True)
        agent.start()
        path = agent.place / "home/cosmovisor/genesis/bin/node"
        line = agent.says(str(path), "there is no such file", "put the binary there")
        self.assertNotIn("lower case", line)
        agent.until(lambda s: any(str(path) in w for w in s["warnings"]), "the status says it too")
        self.home(agent)
        poll(lambda: self.net.answers(0), "the node is up")
        agent.runs()
        self.no_warning(agent, "the node is down")

    def test_binary_cannot_be_executed(self):
        agent = self.driven()
        path = self.home(agent, 0o600)
        agent.start()
        agent.says(str(path), "cannot be executed", "chmod a+x")
        path.chmod(0o700)
        poll(lambda: self.net.answers(0), "the node is up")
        agent.runs()

    def test_upgrade_missing(self):
        agent = self.driven()
        self.home(agent)
        agent.start().runs()
        status, said = agent.command("reboot", "--to", "v9")
        self.assertEqual(status, 2, said)
        for part in ("upgrades/v9/bin/node", "there is no such file", "put the binary there"):
            self.assertIn(part, said)
        status, said = agent.command("reboot", "--to", "../genesis")
        self.assertEqual(status, 2, said)
        self.assertIn("the name of an upgrade, without '/'", said)
        self.home(agent, version="upgrades/v9")
        agent.until(lambda s: s["node"]["answers"] and not s["node"]["catching_up"], "the node is in step")
        status, said = agent.command("reboot", "--to", "v9", "--wait", "--timeout", "90s")
        self.assertEqual(status, 0, said)


# --- the account, the vote, the validator's state ---

def give(one, other, amount):
    coin = field(1, "ukex") + field(2, str(amount))
    return any_of("/cosmos.bank.v1beta1.MsgSend", field(1, one.address) + field(2, other.address) + field(3, coin))


class Chain(Case):
    base = PORT + 400

    def test_unfunded(self):
        ours, other = Account(self.net, 0), Account(self.net, 1)
        balance = balance_of(self.net, ours.address)
        ours.run(give(ours, other, balance - 100 - 50))
        agent = self.agent()
        agent.start().runs()
        self.warns(agent, ours.address, "holds 50ukex", "send it")
        self.assertEqual(agent.status()["funded"], False)
        agent.talk("pause", reason="a test")
        self.explains(agent, "funds", ours.address, "holds 50ukex", "send it")
        other.run(give(other, ours, balance // 2))
        self.assertEqual(agent.command("wait", "--for", "out", "--timeout", "60s")[0], 0, agent.tail())
        self.returns(agent)
        self.no_warning(agent, "holds")

    def test_unfunded_while_it_runs(self):
        """Emptied behind the agent's back."""
        ours, other = Account(self.net, 0), Account(self.net, 1)
        agent = self.agent()
        agent.start().runs()
        balance = balance_of(self.net, ours.address)
        ours.run(give(ours, other, balance - 100 - 50))
        agent.talk("pause", reason="a test")
        agent.says("not sent", ours.address, "holds 50ukex", "the fee is 100", "send it coins")
        agent.until(lambda s: s["why"] and ours.address in s["why"]["sentence"] and "send it" in s["why"]["sentence"], "it says why")
        other.run(give(other, ours, balance // 2))
        self.assertEqual(agent.command("wait", "--for", "out", "--timeout", "60s")[0], 0, agent.tail())
        self.returns(agent)

    def test_paused_by_hand(self):
        ours = Account(self.net, 0)
        agent = self.agent()
        agent.start().runs()
        ours.run(pause(ours))
        self.explains(agent, "by-hand", "paused by hand", "stagger unpause")
        self.returns(agent)

    def test_jailed(self):
        """The devnet jails nobody: a node says so of a validator that was paused by hand."""
        def jailed(params, answer):
            value = base64.b64decode(answer["response"]["value"] or "")
            if "staking" in params["path"]:
                answer["response"]["value"] = base64.b64encode(value.replace(b"PAUSED", b"JAILED")).decode()
            return answer
        ours = Account(self.net, 0)
        ours.run(pause(ours))
        self.net.next_blocks(3)
        with Proxy(self.net.urls[0], {"abci_query": jailed}) as node:
            agent = self.agent(settings={"chain.node": node.here})
            agent.start().runs()
            self.explains(agent, "jailed", "jailed", "governance")
            del node.changes["abci_query"]
            self.explains(agent, "by-hand", "stagger unpause")
            self.returns(agent)


class Vote(Case):
    """A plan ends the chain's quiet, so it has one of its own."""
    base, options = PORT + 500, ("--min-validators", "2", "--proposal-time", "8s", "--enactment-time", "2s")

    def test_no_vote(self):
        accounts = [Account(self.net, i) for i in range(4)]
        agent = self.agent()
        agent.start().runs()
        accounts[0].run(submit_upgrade(accounts[0], "v2", int(time.time()) + 300, True))
        for account in accounts[1:]:
            account.send(vote(account, 1))
        agent.until(lambda s: s["plan"] and not s["plan"]["voted_yes"], "an upgrade is pending")
        agent.talk("pause", reason="a test")
        sentence = self.explains(agent, "no-yes-vote", "has not voted YES", "vote first")
        self.assertIn(sentence, agent.command("ok-to-stop")[1])
        self.assertIn("NOT voted YES", agent.command("status")[1])
        accounts[0].send(vote(accounts[0], 1))
        with contextlib.suppress(AssertionError):  # it is counted until the voting ends, and no later
            agent.until(lambda s: s["plan"]["voted_yes"], "the vote is seen")


class Inactive(Case):
    base, options = PORT + 600, ("--min-validators", "2")

    def test_inactive(self):
        """Its node was away for too long."""
        net, ours = self.net, Account(self.net, 0)
        net.node("stop", 0)
        poll(lambda: record_of(net, ours, 1)["status"] == "INACTIVE", "validator 0 is INACTIVE", 120)
        net.node("start", 0)
        agent = self.agent()
        agent.start().runs()
        self.explains(agent, "inactive", "INACTIVE for blocks that it missed", "takes it back from", "keep the node running")


class Trustees(Case):
    chain, options, base = "dcl", ("--empty-blocks", "300ms"), PORT + 700

    def test_disabled_by_trustees(self):
        accounts = [Account(self.net, i) for i in range(4)]
        agent = self.agent(3, {"charter.min_validators": "2"})
        agent.start().runs()
        accounts[0].run(trustee(accounts[0], "Propose", accounts[3]))
        accounts[1].run(trustee(accounts[1], "Approve", accounts[3]))
        self.explains(agent, "trustees", "the trustees disabled this validator", "never enabled automatically", "tx enable-node")
        accounts[3].run(enable(accounts[3]))
        agent.until(lambda s: s["in_set"] and s["why"] is None, "it is in the set again")
        self.pauses(agent)


class Clock(Case):
    base = PORT + 800

    def setUp(self):
        if not FAKETIME:
            self.skipTest("no libfaketime here (Debian's package faketime)")

    def test_wrong_by_an_hour(self):
        for offset, word in ((3600, "ahead of"), (-3600, "behind")):
            with self.subTest(offset=offset):
                agent = self.agent()
                clock = write(agent.place / "clock", f"{offset:+d}\n")
                agent.env = {"LD_PRELOAD": str(FAKETIME), "FAKETIME_TIMESTAMP_FILE": str(clock), "FAKETIME_NO_CACHE": "1",
                             "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1"}
                agent.start().runs()
                self.warns(agent, f"our clock is 60 minutes {word} the chain's", "timedatectl set-ntp true")
                self.pauses(agent)  # what it waits for is told by blocks
                clock.write_text("+0\n")
                agent.says("our clock agrees with the chain's again")
                self.no_warning(agent, "clock")
                self.pauses(agent)
                agent.stop()


# --- helpers ---

@contextlib.contextmanager
def small_disk(folder, options):
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"mode=0700,{options}", "stagger-test", str(folder)],
                          stderr=subprocess.DEVNULL, check=False)
    if done.returncode != 0:
        raise unittest.SkipTest("no disk of one's own can be mounted here")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)


def seed_of(agent):
    done = subprocess.run([STAGGER, "gossip-key", "--config", str(agent.conf)], stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.strip()


if __name__ == "__main__":
    need_stagger()
    unittest.main(verbosity=2 if sys.stdout.isatty() else 1)
