#!/usr/bin/env python3
"""The judge of the fleet tests finds what it is for: a pause by force, a node that was killed and not told of, a floor
that is broken, a validator that stays out. Each is done to a small network with agents, and must be named.

    STAGGER=build/dev/stagger python3 tests/fleet/judge_test.py
"""
import signal
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import judge  # noqa: E402
from fleet import Fleet  # noqa: E402
from net import need_stagger, poll  # noqa: E402
from place import Place, own_world  # noqa: E402

COUNT = 7


def complaint(check, *what):
    """The sentence with which it fails."""
    try:
        check(*what)
    except AssertionError as error:
        return str(error)
    raise SystemExit(f"{check.__name__} has nothing to say")


def names(sentence, *words):
    print(sentence[:160], flush=True)
    for word in words:
        assert word in sentence, f"{word!r} is not in {sentence!r}"


def kill_node(fleet, number):
    """Until a block has noticed and it votes again; returns the fault."""
    begin = time.time()
    fleet.hosts[number].node_signal(signal.SIGKILL)
    poll(lambda: len(last_signers(fleet)) < COUNT, "a signature is missing")
    fleet.wait_all_sign()
    return begin, begin, "node killed"


def last_signers(fleet):
    """Of the last commit in the latest block, which is final."""
    signatures = fleet.net.call(0, "block")["block"]["last_commit"]["signatures"]
    return [s for s in signatures if s["block_id_flag"] == judge.FOR_BLOCK]


def members(fleet):
    return fleet.net.members(fleet.net.height())


def pause_by_force(fleet, number):
    """Said again when its block came too late for it: then it stands in line."""
    host = fleet.hosts[number]

    def out():
        if fleet.net.address(number) not in members(fleet):
            return True
        if host.talk({"command": "status"})["state"] in ("IDLE", "WAITING"):
            answer = host.talk({"command": "pause", "reason": "a test", "force": True})
            assert answer["state"] == "PAUSING" or answer["code"] == "busy", answer
        return False
    poll(out, f"validator {number} is out")


def main():
    need_stagger()
    own_world()
    with Place(COUNT, cables=False) as place, Fleet(place, "300ms", []) as fleet:
        fleet.wait_all_sign()
        fault = kill_node(fleet, 1)
        record, turns = judge.read(fleet), judge.turns_of(fleet.net.urls[0], fleet.charter)
        killed = fleet.net.address(1)
        names(complaint(judge.judge_signatures, record, {}), killed, "has not signed")
        names(complaint(judge.judge_signatures, record, {killed: [(fault[0] + 1000, fault[0] + 1000, "later")]}), killed)
        missed = judge.judge_signatures(record, {killed: [fault]})
        assert missed > 0
        print(judge.judge_all(record, {killed: [fault]}, turns))
        for number in (4, 5, 6):
            pause_by_force(fleet, number)
        height = fleet.net.next_blocks(8)
        record = judge.Record(fleet.net.urls, record.names)
        turns = judge.turns_of(fleet.net.urls[0], fleet.charter)
        rule = judge.Rule(record, turns[0]["charter"])
        names(complaint(judge.judge_permits, record, rule, turns), "without a permit")
        names(complaint(judge.judge_floor, record, rule), "live", "budget")
        names(complaint(judge.judge_end, record, frozenset(record.names.values())), "left out", fleet.net.address(6))
        assert record.head + 2 >= height


if __name__ == "__main__":
    main()
