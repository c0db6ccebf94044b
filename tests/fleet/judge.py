"""What became of a fleet, from the chain's own record: blocks, sets, results and signatures as nodes give them, read and
counted by this file alone. The rule's own program (`stagger turns`) is asked for the permits only, and what it says
of an epoch beside them must be what is counted here.

    record = Record(urls, accounts)     # every block; all nodes have the same ones; {account: consensus address}
    record.live(h)                      # PROTOCOL section 1, as of block h
    judge_all(record, epochs, faults)   # an AssertionError names the height, the validator and what is wrong

A fault is (begin, end, what) in Unix seconds, of one validator's node: a signature is excused when it is missing from
a fault on, or shortly before its end was seen, and the validator has not signed since.
"""
import base64
import json
import random
import re
import subprocess
import sys
from datetime import datetime
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent.parent / part) for part in ("devnet", "")]
from bech32 import bech32_bytes  # noqa: E402
from net import STAGGER, ask, poll  # noqa: E402
from protobuf import fields  # noqa: E402

PAUSE = b"/kira.slashing.MsgPause"
FOR_BLOCK = 2
BACK_S = 45  # in which a node that was killed votes again, on a machine under load
CLOCK_S = 1  # a block's time is that of votes, which begin as soon as the block before it


def unix(text):
    """RFC 3339 with nanoseconds."""
    whole, _, part = text.rstrip("Z").partition(".")
    return datetime.fromisoformat(whole + "+00:00").timestamp() + float("0." + (part or "0"))


class Record:
    """The chain up to its head as it is now."""

    def __init__(self, urls, accounts):
        self.names = accounts
        self.accounts = {bech32_bytes(account): address for account, address in accounts.items()}
        self.url = urls[0]
        head = min(int(ask(url, "status")["sync_info"]["latest_block_height"]) for url in urls)
        self.head = head - 1  # the last one whose signatures are final
        self.blocks = {h: ask(self.url, "block", height=str(h)) for h in range(1, head + 1)}
        self.times = {h: unix(b["block"]["header"]["time"]) for h, b in self.blocks.items()}
        self.sets = {h: self.ask_set(h) for h in range(1, head + 1)}
        self.signed = {h: self.signers(h) for h in range(1, head)}
        self.pauses = {h: list(self.ask_pauses(h)) for h in range(1, head)}
        self.compare(urls)

    def compare(self, urls):
        for url in urls:
            for height in [self.head, *random.sample(range(1, self.head + 1), 3)]:
                theirs = ask(url, "block", height=str(height))["block_id"]["hash"]
                assert theirs == self.blocks[height]["block_id"]["hash"], f"{url} has another block {height}"

    def ask_set(self, height):
        found, page = [], 1
        while True:
            answer = ask(self.url, "validators", height=str(height), page=str(page), per_page="100")
            found += [v["address"] for v in answer["validators"]]
            if len(found) >= int(answer["total"]):
                return frozenset(found)
            page += 1

    def signers(self, height):
        commit = self.blocks[height + 1]["block"]["last_commit"]
        assert int(commit["height"]) == height
        return {s["validator_address"] for s in commit["signatures"] if s["block_id_flag"] == FOR_BLOCK}

    def ask_pauses(self, height):
        """(address, code) of every pause in the block."""
        txs = self.blocks[height]["block"]["data"]["txs"] or []
        results = ask(self.url, "block_results", height=str(height))["txs_results"] if txs else []
        for tx, result in zip(txs, results or [], strict=True):
            body = fields(fields(base64.b64decode(tx))[1][0])
            for message in map(fields, body[1]):
                if message[1] == [PAUSE]:
                    owner = bech32_bytes(fields(message[2][0])[1][0].decode())
                    yield self.accounts[owner], int(result.get("code") or 0)

    # --- PROTOCOL section 1 ---

    def gone(self, height):
        return {address for address, _ in self.pauses[height]} & self.sets[height + 1]

    def silent(self, height, blocks=3):
        """Members of V(h+1) without a signature in the commits that the last few blocks hold; who is going is none."""
        seen = set().union(*(self.signed[h] for h in range(max(1, height - blocks), height)))
        return self.sets[height + 1] - self.gone(height) - seen

    def live(self, height, blocks=3):
        return self.sets[height + 1] - self.gone(height) - self.silent(height, blocks)

    def happened(self):
        return [(h, address) for h in sorted(self.pauses) for address, code in self.pauses[h] if code == 0]


class Rule:
    """The charter, and the draw's numbers as PROTOCOL section 2 has them."""

    def __init__(self, record, charter):
        self.record, self.width = record, charter["epoch_blocks"]
        self.blocks, self.least = charter["live_blocks"], charter["min_validators"]
        self.phi = [int(part) for part in charter["phi"].split("/")]
        self.back, self.reserve_set = charter["reference_blocks"], charter["reserve"]
        self.first = -(-(self.blocks + 1) // self.width) * self.width

    def boundary(self, height):
        """The one whose permits hold in block `height`."""
        return (height - 1) // self.width * self.width

    def numbers(self, boundary):
        record = self.record
        members, live = len(record.sets[boundary + 1]), len(record.live(boundary, self.blocks))
        past = [record.sets[1]] if boundary < self.back else []
        past += [record.sets[e + 1] for e in range(self.width, boundary + 1, self.width) if e > boundary - self.back]
        reference = len(frozenset().union(*past))
        floor = max(self.least, reference * self.phi[0] // self.phi[1] + 1)
        reserve = members // 25 if self.reserve_set is None else self.reserve_set
        away = members - live
        budget = max(0, min(live - floor - reserve, members - 3 * (away + reserve) - 1))
        return {"members": members, "live": live, "reference": reference, "floor": floor, "budget": budget}


def turns_of(url, charter):
    """(world, {epoch: line}) as `stagger turns` computes them from a node's blocks."""
    options = [word for key, value in charter.items() for word in ("--" + key.replace("_", "-"), str(value))]
    done = subprocess.run([STAGGER, "turns", "--all", "--json", "--verify", "--node", url, *options],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 0, f"stagger turns: {done.returncode}: {done.stderr}"
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return lines[0], {line["epoch"]: line for line in lines[1:]}


# --- what must be true ---

def judge_floor(record, rule):
    """Live members never fall below what the draw left, but by members that fell silent; returns the least."""
    least, head = (10**6, 0, 0), record.head
    for boundary in range(rule.first, head, rule.width):
        at = rule.numbers(boundary)
        began = record.live(boundary, rule.blocks)
        for height in range(boundary, min(boundary + rule.width + 1, head)):  # a permit is good up to the next boundary
            live = record.live(height, rule.blocks)
            lost = len(record.silent(height, rule.blocks) & began)
            least = min(least, (len(live), height, at["floor"]))
            held = at["live"] - at["budget"]
            assert len(live) + lost >= held, (f"block {height}: {len(live)} live and {lost} fell silent, of {at['live']} at "
                                              f"boundary {boundary} with a budget of {at['budget']}")
            assert len(live) + lost >= at["floor"] or at["live"] < at["floor"], f"block {height}: below the floor, {at}"
    return least


def judge_permits(record, rule, turns):
    """Each pause by a permit of the boundary before it, that it has not used before."""
    world, epochs = turns
    address = {v["validator"]: v["address"].upper() for v in world["validators"]}
    used = set()
    for height, who in record.happened():
        boundary = rule.boundary(height)
        line = epochs.get(boundary // rule.width)
        permits = {address[v] for v in line["permits"]} if line else set()
        assert who in permits, f"block {height}: {who} paused without a permit of boundary {boundary}: {line}"
        assert (boundary, who) not in used, f"block {height}: {who} used its permit twice"
        used.add((boundary, who))
    for number, line in epochs.items():
        if number * rule.width >= rule.first and number * rule.width < record.head:
            mine = rule.numbers(number * rule.width)
            assert {key: line[key] for key in mine} == mine, f"epoch {number}: {line}, counted {mine}"
    return len(used)


def excused(record, who, height, faults, slack_s):
    """Whether a fault of its node explains that this signature is missing."""
    when = record.times[height + 1]
    for begin, end, _ in faults:
        if begin - slack_s <= when <= end + BACK_S:
            since = [h for h in range(1, height) if record.times[h + 1] > end + slack_s]
            if not any(who in record.signed[h] for h in since):
                return True
    return False


def judge_signatures(record, faults):
    """Nobody in a set misses a block but from a fault on; returns how many such there were."""
    missed = 0
    spans = sorted(b - a for a, b in zip(list(record.times.values()), list(record.times.values())[1:]))
    slack_s = 2 * spans[len(spans) // 2] + CLOCK_S
    for height in range(2, record.head + 1):  # what happens before block 1 is the devnet's start
        for who in record.sets[height] - record.signed[height]:
            assert excused(record, who, height, faults.get(who, []), slack_s), (
                f"block {height} at {record.times[height + 1]:.1f}: {who} is in the set and has not signed; its faults: "
                f"{[(round(b, 1), round(e, 1), w) for b, e, w in faults.get(who, [])]}")
            missed += 1
    return missed


def judge_end(record, everybody):
    assert record.sets[record.head + 1] == everybody, f"left out: {everybody - record.sets[record.head + 1]}"
    assert record.signed[record.head] == everybody, f"silent: {everybody - record.signed[record.head]}"


def judge_all(record, faults, turns):
    """`faults`: {address: [(begin, end, what)]}, of the nodes. Returns a line of figures."""
    rule = Rule(record, turns[0]["charter"])
    least = judge_floor(record, rule)
    if not faults:
        assert least[0] >= least[2], f"block {least[1]}: {least[0]} live, floor {least[2]}"
    used = judge_permits(record, rule, turns)
    missed = judge_signatures(record, faults)
    judge_end(record, frozenset(record.accounts.values()))
    return (f"{record.head} blocks, {used} pauses each by a permit, never fewer than {least[0]} live (block {least[1]}, "
            f"floor {least[2]}), {missed} signatures missed in faults")


def read(fleet):
    """The record of a fleet at rest, from all of its nodes."""
    accounts = {v["account"]: v["address"].upper() for v in fleet.net.public["validators"]}
    height = fleet.wait_all_sign()
    poll(lambda: fleet.net.height() >= height + 2, "two more blocks")
    return getattr(fleet, "record_class", Record)(fleet.net.urls, accounts)


def judge_fleet(fleet, node_faults=None):
    faults = {fleet.net.address(number): windows for number, windows in (node_faults or {}).items() if windows}
    record = read(fleet)
    try:
        return record, judge_all(record, faults, turns_of(fleet.net.urls[0], fleet.charter))
    except AssertionError as error:
        tell_nodes(fleet, str(error))
        raise


def tell_nodes(fleet, sentence):
    """What the nodes that it names said of the block that it names."""
    height = re.match(r"block (\d+)", sentence)
    for host in fleet.hosts if height else ():
        if fleet.net.address(host.number) in sentence:
            lines = (host.agent_dir / "node.log").read_text(errors="replace").splitlines()
            near = [i for i, line in enumerate(lines) if f" block {height[1]}:" in line] or [len(lines)]
            print(f"node {host.number}:", *lines[max(0, near[0] - 12):near[0] + 4], sep="\n  ", flush=True)
