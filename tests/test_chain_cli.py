#!/usr/bin/env python3
"""`stagger chain` against a small network: tables and JSON, endpoints that disagree, names that attack the terminal."""
import time
import unittest

import cli_case
from chain_model import BASE_S, BLOCK_S, bech32, field
from cli_case import ACCOUNT, UNREACHABLE, WRONG, Case
from rpc_server import RpcError

EVIL = "\x1b[2J\x1b]0;owned\x07\u202etxt\u009b31m\u200b\r\n"


class Chain(Case):
    def look(self, topic, *nodes, more="", **how):
        others = ",".join(node.server.url for node in nodes[1:])
        others = f"--others {others}" if others else ""
        return self.succeeds(f"chain {topic} --node {nodes[0].server.url} {others} {more}", **how)

    def rows(self, done):
        return [line.split() for line in done.out.splitlines()]

    # --- status ---

    def test_status(self):
        ledger = self.network()
        node = self.node(ledger, 1)
        status = self.look("status", node, more="--json").json
        self.assertEqual((status["chain"], status["best"]), ("kira", node.server.url))
        (endpoint,) = status["endpoints"]
        self.assertEqual((endpoint["chain_id"], endpoint["height"], endpoint["verdict"]),
                         ("test-1", ledger.height, "well"))
        self.assertEqual((endpoint["catching_up"], endpoint["version"], endpoint["moniker"]), (False, "0.37.2", "v1"))
        self.assertEqual(endpoint["validator"], ledger.validators[1].consensus.hex().upper())
        self.assertEqual(endpoint["voting_power"], 1)
        age = time.time() - (BASE_S + ledger.height * BLOCK_S)
        self.assertLess(abs(endpoint["age_ms"] / 1000 - age), 60)
        table = self.look("status", node)
        self.assertEqual(table.out.splitlines()[0].split()[:4], ["ENDPOINT", "VERDICT", "CHAIN", "HEIGHT"])
        self.assertIn(f"test-1       {ledger.height}", table.out)

    def test_status_of_endpoints_that_disagree(self):
        ledger = self.network()
        for _ in range(20):
            ledger.produce()
        good, late, foreign = self.node(ledger), self.node(ledger, 1), self.node(self.network(chain_id="other-1"))
        late.lag = 15
        done = self.look("status", good, late, foreign, more="--json --chain-id test-1")
        verdicts = [endpoint["verdict"] for endpoint in done.json["endpoints"]]
        self.assertEqual(verdicts, ["well", "lags", "foreign"])
        self.assertIn("other-1", done.json["endpoints"][2]["text"])
        table = self.look("status", good, late, foreign, more="--chain-id test-1")
        self.assertIn("lags", table.out)
        self.assertIn("other-1", table.out)

    def test_status_of_a_fork(self):
        one, two = self.network(), self.network()
        one.produce(app_hash=b"\x33" * 32)
        two.produce(app_hash=b"\x44" * 32)
        nodes = [self.node(one), self.node(two)]
        done = self.run_command(f"chain status --node {nodes[0].server.url} --others {nodes[1].server.url} --json")
        self.assertEqual({endpoint["verdict"] for endpoint in done.json["endpoints"]}, {"contradicted"}, done)
        self.assertEqual((done.status, done.json["best"]), (UNREACHABLE, None), done)
        self.fails(UNREACHABLE, f"chain validators --node {nodes[0].server.url} --others {nodes[1].server.url}")

    def test_status_of_nobody(self):
        done = self.fails(UNREACHABLE, "chain status --node http://127.0.0.1:1 --timeout 1s --json",
                          "no endpoint can be trusted")
        self.assertEqual(done.json["endpoints"][0]["verdict"], "silent")

    # --- validators ---

    def test_validators(self):
        ledger = self.network(validators=5)
        quiet, paused, phantom = ledger.validators[1:4]
        paused.status, paused.member = "PAUSED", False
        phantom.member = False  # ACTIVE by its record, and in no set
        ledger.signing[quiet.consensus] = (0, 17)
        for _ in range(4):
            ledger.produce()
        ledger.properties[13] = 2
        node = self.node(ledger)
        found = self.look("validators", node, more="--json").json
        self.assertEqual((found["records"], found["set"], found["active_in_set"], found["min_validators"]), (5, 3, 3, 2))
        self.assertEqual(found["live"], 3)
        by_name = {v["moniker"]: v for v in found["validators"]}
        self.assertEqual(sorted(by_name), ["v0", "v1", "v2", "v3", "v4"])
        self.assertEqual([by_name[name]["in_set"] for name in ("v0", "v2", "v3")], [True, False, False])
        self.assertEqual([by_name[name]["status"] for name in ("v0", "v2", "v3")], ["ACTIVE", "PAUSED", "ACTIVE"])
        self.assertEqual((by_name["v1"]["mischance"], by_name["v2"]["mischance"]), (17, None))
        self.assertEqual((by_name["v0"]["rank"], by_name["v0"]["power"], by_name["v0"]["signed_last"]), (5, 1, True))
        self.assertEqual(by_name["v0"]["account"], bech32("kira", ACCOUNT))
        table = self.look("validators", node)
        self.assertIn("5 records, 3 in the set, 3 ACTIVE and in the set", table.out)
        self.assertIn("min_validators is 2: 1 above it.", table.out)
        lower = self.look("validators", node, more="--min-validators 4")
        self.assertIn("min_validators is 4: 1 below it.", lower.out)

    def test_validators_of_many_pages(self):
        ledger = self.network(validators=130)
        found = self.look("validators", self.node(ledger), more="--json").json
        self.assertEqual((found["records"], found["set"], found["active_in_set"]), (130, 130, 130))

    def test_validators_of_dcl(self):
        ledger = self.network("dcl")
        ledger.validators[2].status, ledger.validators[2].member, ledger.validators[2].by_admin = "DISABLED", False, False
        ledger.produce()
        node = self.node(ledger)
        found = self.look("validators", node, more="--chain dcl --json").json
        (out,) = [v for v in found["validators"] if not v["in_set"]]
        self.assertEqual((out["status"], out["by_trustees"], out["rank"]), ("PAUSED", True, None))
        self.assertIsNone(found["min_validators"])
        self.assertIn("PAUSED (trustees)", self.look("validators", node, more="--chain dcl").out)

    def test_names_do_not_reach_the_terminal(self):
        ledger = self.network()
        for v in ledger.validators:
            v.moniker = EVIL
        ledger.validators[1].moniker = "Grüße 世界"
        node = self.node(ledger)
        for topic in ("status", "validators", "plan"):
            self.look(topic, node)  # succeeds() looks for control characters
            self.look(topic, node, more="--json").json
        self.assertIn("Grüße 世界", self.look("validators", node).out)
        ledger.record = lambda v, usual=ledger.record: usual(v).replace(b"v0", b"\xff\xfe")
        ledger.validators[0].moniker = "v0"
        done = self.run_command(f"chain validators --node {node.server.url} --json")
        self.assertIn(done.status, (0, UNREACHABLE), done)

    # --- plan ---

    def test_plan(self):
        ledger = self.network()
        node = self.node(ledger)
        self.assertIn("Next plan: none", self.look("plan", node).out)
        self.assertEqual(self.look("plan", node, more="--json").json["next"], None)
        when = int(time.time()) + 3 * 86400 + 3600
        resource = (field(1, "sekai") + field(2, "https://x/y") + field(3, "v1.2") + field(4, "ab"))
        ledger.plans["next"] = field(1, field(1, "up1") + field(2, resource) + field(3, when)
                                     + field(4, "test-1") + field(5, "test-1") + field(8, 1) + field(11, 5))
        ledger.voters[5] = [v.account for v in ledger.validators[:3]]
        ledger.votes[5] = {ACCOUNT: 1, ledger.validators[1].account: 3}
        found = self.look("plan", node, more="--json").json
        self.assertEqual((found["next"]["name"], found["next"]["upgrade_time"], found["next"]["instate"]),
                         ("up1", when, True))
        self.assertEqual(found["next"]["resources"],
                         [{"id": "sekai", "url": "https://x/y", "version": "v1.2", "checksum": "ab"}])
        self.assertLess(abs(found["next"]["seconds_left"] - 3 * 86400 - 3600), 60)
        (ballot,) = found["ballots"]
        self.assertEqual((ballot["proposal"], ballot["votes"], ballot["yes"], ballot["scheduled"]), (5, 2, 1, True))
        self.assertEqual([who["moniker"] for who in ballot["not_yes"]], [  # by address
            v.moniker for v in sorted(ledger.validators[1:3], key=lambda v: v.consensus)])
        text = self.look("plan", node).out
        for part in ("Next plan: up1", "in 3d 00h", "the chain goes on", "https://x/y", "of these 1 YES", "NOT YES"):
            self.assertIn(part, text)

    def test_plan_of_dcl(self):
        ledger = self.network("dcl")
        ledger.plans["next"] = field(1, field(1, "p2") + field(2, field(1, -62135596800 % 2 ** 64))
                                     + field(3, ledger.height + 100) + field(4, "{}"))
        node = self.node(ledger)
        found = self.look("plan", node, more="--chain dcl --json").json
        self.assertEqual((found["next"]["name"], found["next"]["blocks_left"]), ("p2", 100))
        self.assertIn("100 blocks ahead", self.look("plan", node, more="--chain dcl").out)

    # --- properties ---

    def test_properties(self):
        node = self.node(self.network())
        found = self.look("properties", node, more="--json").json
        self.assertEqual((found["properties"]["min_tx_fee"], found["properties"]["min_validators"]), (100, 2))
        self.assertEqual(found["properties"]["vote_quorum"], "0.330000000000000000")
        self.assertIn({"transaction_type": "activate", "execution_fee": 100, "failure_fee": 1000}, found["fees"])
        self.assertIn(["activate", "100", "1000"], self.rows(self.look("properties", node)))
        self.fails(WRONG, f"chain properties --chain dcl --node {node.server.url}", "KIRA's")

    def test_refusals_are_told_once(self):
        def refuse(_):
            raise RpcError("no such\x1b[2J thing")
        node = self.node(self.network())
        node.server.routes["commit"] = refuse
        done = self.fails(UNREACHABLE, f"chain validators --node {node.server.url}", "no such?[2J thing")
        self.assertEqual(done.err.count("no such"), 1, done)

    # --- usage ---

    def test_usage(self):
        self.fails(WRONG, "chain", "no topic")
        self.fails(WRONG, "chain statsu", "did you mean status?")
        self.fails(WRONG, "chain status --jsn", "did you mean --json?")
        self.fails(WRONG, "chain status --json=1", "--json takes no value")
        self.fails(WRONG, "chain status --node", "--node: its value is missing")
        self.fails(WRONG, "chain status --node ftp://x", "--node", "expected a URL")
        self.fails(WRONG, ["chain", "status", "--config", ""], "--config: it is empty")
        self.fails(WRONG, "chain status --ca-file none.pem --node https://127.0.0.1:1", "none.pem")
        self.assertIn("properties", self.succeeds("chain --help").out)
        self.assertIn("--others URLS", self.succeeds("chain validators --help").out)


if __name__ == "__main__":
    cli_case.main()
