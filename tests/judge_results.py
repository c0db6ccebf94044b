#!/usr/bin/env python3
"""Recomputes the keys of a results row from the trace of the same run, and prints what differs.

    judge_results.py TRACE RESULTS [--block-time-ms MS] [--open-ms MS]

RESULTS holds rows of `stagger sim --json`; the row is the one whose trace_sha256 is that of TRACE.
Only what a trace can tell is judged. Exit status: 0 nothing differs, 1 something does, 2 bad usage.
"""
import argparse
import bisect
import collections
import hashlib
import json
import statistics
import sys

MEMBERSHIP = ("pause", "unpause", "activate")
DCL_JOIN_RESULTS = ((4, "staking"), (601, "validator"))
SECONDS_OFF = 0.0015  # rows are rounded to milliseconds


class Hosts:
    """Who is up when: by time, and by the place of a line in the trace."""

    def __init__(self):
        self.changes = collections.defaultdict(list)  # validator -> [(time_ms, line, up, fault)]

    def add(self, line, o):
        self.changes[o["validator"]].append((o["time_ms"], line, o["state"] == "up", o["fault"]))

    def up_at(self, validator, time_ms):
        changes = self.changes.get(validator, [])
        i = bisect.bisect_right(changes, time_ms, key=lambda c: c[0])
        return changes[i - 1][2] if i else True

    def down_by_choice(self, validator, line):
        changes = self.changes.get(validator, [])
        i = bisect.bisect_left(changes, line, key=lambda c: c[1])
        return i > 0 and not changes[i - 1][2] and not changes[i - 1][3]

    def up_in_the_end(self, validator):
        changes = self.changes.get(validator)
        return not changes or changes[-1][2]

    def reboots(self, validator):
        """When it came up again after going down by choice."""
        return [c[0] for c in self.changes.get(validator, []) if c[2] and not c[3]]


class Run:
    """A trace, read once."""

    def __init__(self, path):
        self.world, self.blocks, self.lines = None, [], {}
        self.txs, self.sets = collections.defaultdict(list), collections.defaultdict(list)
        self.epochs, self.hosts = {}, Hosts()
        with open(path, encoding="utf-8") as trace:
            for number, text in enumerate(trace):
                self.take(number, json.loads(text))
        self.members = self.replay_sets()

    def take(self, number, o):
        kind = o["type"]
        if kind == "world":
            self.world = o
        elif kind == "block":
            self.blocks.append(o)
            self.lines[o["height"]] = number
        elif kind == "tx":
            self.txs[o["height"]].append(o)
        elif kind == "set":
            self.sets[o["height"]].append(o)
        elif kind == "epoch":
            self.epochs[o["epoch"]] = o
        elif kind == "host":
            self.hosts.add(number, o)

    def changes_of(self, height):
        """(validator, enters) of a block, in force two blocks later."""
        for o in sorted(self.txs[height], key=lambda o: o["index"]):
            if o["code"] == 0 and o["msg"] in MEMBERSHIP:
                yield o["validator"], o["msg"] != "pause"
        for o in self.sets[height]:
            yield o["validator"], o["change"] == "enter"

    def replay_sets(self):
        """V(h) for every block and the one after the last."""
        now = {v["validator"] for v in self.world["validators"] if v["in_set"]}
        members, first = {}, self.blocks[0]["height"]
        for height in range(first, self.blocks[-1]["height"] + 2):
            for validator, enters in self.changes_of(height - 2) if height - 2 >= first else ():
                (now.add if enters else now.discard)(validator)
            members[height] = frozenset(now)
        return members

    def agents(self):
        return [v["validator"] for v in self.world["validators"] if v["agent"]]

    def join_counts(self, o):
        if self.world["chain"] == "kira":
            return o["code"] == 0
        return (o["code"], o["codespace"]) in DCL_JOIN_RESULTS

    def every_tx(self):
        return (o for height in sorted(self.txs) for o in self.txs[height])


def first_floor(run):
    charter = run.world["charter"]
    number, divisor = (int(part) for part in charter["phi"].split("/"))
    members = sum(v["in_set"] for v in run.world["validators"])
    return max(charter["min_validators"], members * number // divisor + 1)


def judge_live(run, draws):
    """min_live, blocks_below_floor and floor."""
    width, smallest, below = run.world["charter"]["epoch_blocks"], None, 0
    floors = [first_floor(run)] + [e["floor"] for e in run.epochs.values()]
    for block in run.blocks:
        height = block["height"]
        live = sum(run.hosts.up_at(v, block["time_ms"]) for v in run.members[height])
        smallest = live if smallest is None else min(smallest, live)
        epoch = run.epochs.get((height - 1) // width)
        floor = epoch["floor"] if epoch else None if draws else floors[0]
        below += floor is not None and live < floor
    return {"floor": min(floors), "min_live": smallest, "blocks_below_floor": below}


def judge_permits(run):
    width, used = run.world["charter"]["epoch_blocks"], set()
    for o in run.every_tx():
        if o["msg"] == "pause" and o["code"] == 0:
            used.add(((o["height"] - 1) // width, o["validator"]))
    permits = [(e["epoch"], v) for e in run.epochs.values() for v in e["permits"]]
    return {"permits": len(permits), "permits_unused": sum(p not in used for p in permits)}


def judge_missed(run):
    """Members down by choice when block h - 1 was committed, which is where its line stands."""
    missed = 0
    for block in run.blocks[1:]:
        line = run.lines[block["height"] - 1]
        missed += sum(run.hosts.down_by_choice(v, line) for v in block["missing"])
    return missed


def seen_signing(run):
    """For each agent that rebooted and came back: the time of the block that first shows it."""
    waiting = {v: reboots[0] for v in run.agents() if (reboots := run.hosts.reboots(v))}
    seen = {}
    for block in run.blocks[1:]:
        signed = run.members[block["height"] - 1] - set(block["missing"])
        for v in [v for v, up in waiting.items() if up <= block["time_ms"] and v in signed]:
            if run.hosts.up_at(v, block["time_ms"]):
                seen[v] = block["time_ms"]
                del waiting[v]
    return seen


def judge_halts(run, block_time_ms):
    """A header tells when the block before it was committed; the last commit is not to be seen."""
    times = [b["time_ms"] for b in run.blocks]
    gaps = [b - a for a, b in zip(times[1:], times[2:])]
    usual = block_time_ms or (statistics.median(gaps) if gaps else 0)
    return sum(gap - 3 * usual for gap in gaps if gap > 3 * usual) / 1000


def recompute(run, draws):
    validators, agents = run.world["validators"], run.agents()
    last = run.blocks[-1]["height"]
    joins = sum(o["msg"] == "join" and run.join_counts(o) for o in run.every_tx())
    pauses = sum(o["msg"] == "pause" and o["code"] == 0 for o in run.every_tx())
    left = [v for v in agents if v not in run.members[last + 1] and run.hosts.up_in_the_end(v)]
    found = {
        "validators": len(validators),
        "members": sum(v["in_set"] for v in validators),
        "agents": len(agents),
        "left_paused": len(left),
        "joins": joins,
        "pauses": pauses,
    }
    found.update(judge_live(run, draws))
    found.update(judge_permits(run))
    return found


def compare(run, row, options):
    """Sentences about what differs."""
    draws = row["strategy"] == "draw"
    for key, mine in recompute(run, draws).items():
        if row[key] != mine:
            yield f"{key}: the row says {row[key]}, the trace {mine}"
    blocks = len(run.blocks) + row["chain_stopped_for_good"]  # the fatal block is stored only
    if row["blocks"] != blocks:
        yield f"blocks: the row says {row['blocks']}, the trace {blocks}"
    missed = judge_missed(run)
    unseen = row["missed_blocks_in_set"] - missed  # of the last commit, which no block shows
    if not 0 <= unseen <= row["members"]:
        yield f"missed_blocks_in_set: the row says {unseen} more than the trace's {missed}"
    halted = judge_halts(run, options.block_time_ms)
    if options.block_time_ms and not -SECONDS_OFF <= row["halted_s"] - halted:
        yield f"halted_s: the row says {row['halted_s']}, the trace {halted}"
    yield from compare_turns(run, row, options)


def compare_turns(run, row, options):
    seen = seen_signing(run)
    if row["done"] != len(seen):
        yield f"done: the row says {row['done']}, the trace {len(seen)}"
    if row["failed"] > sum(not run.hosts.up_in_the_end(v) for v in run.agents()):
        yield f"failed: the row says {row['failed']}, but fewer hosts are down in the end"
    if not seen:
        return
    opens = run.blocks[0]["time_ms"] + options.open_ms
    begin = next((b["time_ms"] for b in run.blocks if b["time_ms"] >= opens), opens)
    span = (max(seen.values()) - begin) / 1000
    slack = SECONDS_OFF if not options.open_ms else 60  # which block opened it is not in the trace
    if row["makespan_s"] is None or abs(row["makespan_s"] - span) > slack:
        yield f"makespan_s: the row says {row['makespan_s']}, the trace {span}"
    in_turn = row["blocks_below_floor"] == 0 and row["missed_blocks_in_set"] == 0
    if in_turn and row["done"] == row["agents"] and row["lower_bound_s"] > span:
        yield f"lower_bound_s: {row['lower_bound_s']} was beaten in {span} seconds"


def find_row(path, sha256):
    with open(path, encoding="utf-8") as results:
        rows = [json.loads(text) for text in results if text.strip()]
    return next((row for row in rows if row.get("trace_sha256") == sha256), None)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("trace")
    parser.add_argument("results")
    parser.add_argument("--block-time-ms", type=int, default=0)
    parser.add_argument("--open-ms", type=int, default=0)
    options = parser.parse_args()
    with open(options.trace, "rb") as trace:
        sha256 = hashlib.sha256(trace.read()).hexdigest()
    row = find_row(options.results, sha256)
    if row is None:
        print(f"judge_results: {options.results}: no row has trace_sha256 {sha256}")
        return 2
    found = list(compare(Run(options.trace), row, options))
    for sentence in found:
        print(sentence)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
