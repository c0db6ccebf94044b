#!/usr/bin/env python3
"""The devnet's application beside a running network: the recorded blocks of five validators of sekai v0.4.13 go
through it, and every result (code, codespace, log, data, gas, events in their order), every validator update and
every set with its priorities has to be what the network answered.

usage: app_history.py APP_TOOL
"""
import base64
import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

from protobuf import fields

FOLDER = "fixtures/sekai-0.4.13"
ABSENT = 1


def unwrap(reply):
    return reply.get("result", reply)


def field(data, *path):
    for number in path:
        data = fields(data)[number][0]
    return data


def sender(result):
    """The account of a transaction, from the events of its fee."""
    for event in result["events"]:
        for attribute in event["attributes"]:
            if attribute["key"] == "fee_payer":
                return attribute["value"]
    return None


class History:
    def __init__(self, folder):
        with gzip.open(folder / "history.jsonl.gz", "rt") as lines:
            self.heights = [json.loads(line) for line in lines]
        with open(folder / "history.trace.jsonl") as lines:
            self.world = json.loads(lines.readline())
        self.keys, self.consensus = {}, {}
        for entry in self.heights:
            txs = self.txs(entry)
            for tx, result in zip(txs, unwrap(entry["block_results"])["txs_results"] or []):
                if sender(result):
                    self.keys[sender(result)] = field(tx, 2, 1, 1, 2, 1).hex()
            for member in unwrap(entry["next_validators"])["validators"]:
                self.consensus[member["address"]] = base64.b64decode(member["pub_key"]["value"]).hex()
        self.addresses = [v["address"].upper() for v in self.world["validators"]]

    @staticmethod
    def txs(entry):
        return [base64.b64decode(tx) for tx in unwrap(entry["block"])["block"]["data"]["txs"]]

    def genesis(self):
        first = self.trace_times()[0]
        lines = [f"genesis {self.world['chain_id']} {first - 1000} 1"]
        for v in self.world["validators"]:
            lines.append(f"validator {v['moniker']} {self.keys[v['account']]} "
                         f"{self.consensus[v['address'].upper()]}")
        return lines

    def trace_times(self):
        return [self.time_ms(entry) for entry in self.heights]

    @staticmethod
    def time_ms(entry):
        text = unwrap(entry["block"])["block"]["header"]["time"]
        whole, _, part = text.rstrip("Z").partition(".")
        from datetime import datetime, timezone
        seconds = datetime.strptime(whole, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc)
        return int(seconds.timestamp()) * 1000 + int((part + "000")[:3])

    def block(self, index, last_set):
        entry = self.heights[index]
        signatures = unwrap(entry["block"])["block"]["last_commit"]["signatures"]
        missing = [str(self.addresses.index(address)) for address, signature in
                   zip(last_set, signatures) if signature["block_id_flag"] == ABSENT]
        lines = [" ".join(["block", str(entry["height"]), str(self.time_ms(entry))] + missing)]
        return lines + ["tx " + tx.hex() for tx in self.txs(entry)] + ["end"]


def expected(entry):
    results = unwrap(entry["block_results"])
    names = ("code", "codespace", "log", "data", "gas_wanted", "gas_used", "events")
    txs = []
    for result in results["txs_results"] or []:
        one = {name: result[name] for name in names}
        one["data"] = one["data"] or ""
        one["gas_wanted"], one["gas_used"] = int(one["gas_wanted"]), int(one["gas_used"])
        one["events"] = one["events"] or None
        txs.append(one)
    updates = [[u["pub_key"]["Sum"]["value"]["ed25519"], int(u.get("power", 0))]
               for u in results["validator_updates"] or []]
    members = sorted([m["address"], int(m["voting_power"]), int(m["proposer_priority"])]
                     for m in unwrap(entry["next_validators"])["validators"])
    return {"height": entry["height"], "applied": True, "results": txs, "updates": updates,
            "set": members}


def run(tool, history):
    process = subprocess.Popen([tool], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    process.stdin.write("\n".join(history.genesis()) + "\n")
    sets = [sorted(history.addresses), sorted(history.addresses)]
    results = 0
    for index, entry in enumerate(history.heights):
        process.stdin.write("\n".join(history.block(index, sets[-2])) + "\n")
        process.stdin.flush()
        answer = json.loads(process.stdout.readline())
        wanted = expected(entry)
        for name, value in wanted.items():
            if answer[name] != value:
                sys.exit(f"height {entry['height']}: {name}:\n  network {json.dumps(value)}\n"
                         f"  devnet  {json.dumps(answer[name])}")
        results += len(wanted["results"])
        sets.append([m[0] for m in wanted["set"]])
    process.stdin.close()
    if process.wait():
        sys.exit("the tool ended with an error")
    print(f"{len(history.heights)} blocks, {results} results: as the network answered")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__.split("usage: ")[1])
    here = Path(__file__).resolve().parent
    folder = Path(os.environ.get("STAGGER_SHARED", here.parent.parent / "shared")) / FOLDER
    if not (folder / "history.jsonl.gz").exists():
        sys.exit(77)
    run(sys.argv[1], History(folder))


if __name__ == "__main__":
    main()
