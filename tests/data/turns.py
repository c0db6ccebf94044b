#!/usr/bin/env python3
"""Writes the trace that tests/test_view_trace.c replays: seven validators take turns in a hundred blocks.

usage: turns.py > turns.trace.jsonl

The draws in it come from the naive rule below, so that the trace tests the view and not the other way
round. The story: everybody joins, one of them first under a foreign charter; two at a time pause, go down,
come back; a pause is refused and one arrives too late; one is silent for a while; a round ends with turns
undone; at the end the chain throws one out.
"""
import hashlib
import json

CHAIN, OWN, FOREIGN = "turns-1", "5eed0001", "0bad0bad"
BLOCKS, W, K, L, J, M, Z = 100, 3, 3, 60, 8, 120, 2400
N, OUT_BLOCKS = 7, 8
ADDRESS = [hashlib.sha256(b"turns validator %d" % v).digest()[:20] for v in range(N)]
HASH = {h: hashlib.sha256(b"turns block %d" % h).digest() for h in range(1, BLOCKS + 1)}
START_MS, STEP_MS = 1700000000000, 6000

sets = {h: set(range(N)) for h in (1, 2)}  # V(h)
missing = {}
txs = {}
used = {}


def say(**fields):
    print(json.dumps(fields))


def send(h, v, msg, code=0, codespace="", **more):
    found = txs.setdefault(h, [])
    found.append(dict(height=h, index=len(found), validator=v, msg=msg, code=code,
                      codespace=codespace, **more))


def happened(v, msg, since, until):
    """Where messages of v that took effect stand, in the blocks [since, until]."""
    return [(h, x["index"], x) for h in range(max(1, since), until + 1) for x in txs.get(h, [])
            if x["validator"] == v and x["msg"] == msg and x["code"] == 0]


def place(v, e, first):
    """(draw order, state) of a member at boundary e; the order is None for no candidate."""
    joins, pauses = happened(v, "join", e - Z, e - 1), happened(v, "pause", 1, e - 1)
    if not joins or (pauses and pauses[-1][:2] > joins[-1][:2]):
        return None, "idle"
    join = joins[-1]
    if join[2]["charter"] != OWN:
        return None, "foreign"
    if not is_live(v, e) or join[0] < first or len(happened(v, "join", first, e - 1)) > J:
        return None, "idle"
    if used.get(v, 0) > join[0]:
        return None, "used"
    key = hashlib.sha256(b"stagger/draw/1" + CHAIN.encode() + e.to_bytes(8, "big") + HASH[e] + ADDRESS[v])
    turns = len(happened(v, "pause", first, e - 1))
    return (turns, -join[2]["class"], key.digest()), "candidate"


def is_live(v, e):
    gone = any(x["validator"] == v and x["msg"] == "pause" for x in txs.get(e, []))
    signed = any(v in sets[h - 1] and v not in missing[h] for h in range(e - K + 1, e + 1))
    return v in sets[e + 1] and signed and not gone


def draw(e):
    first = (e - 1) // L * L
    members = sets[e + 1]
    live = sum(is_live(v, e) for v in members)
    silent = len(members) - live
    reference = set().union(*(sets[b + 1] for b in range(W, e + 1, W) if b > e - M))
    if e - M < 1:
        reference |= sets[1]
    floor = max(1, 2 * len(reference) // 3 + 1)
    reserve = len(members) // 25
    places = {v: place(v, e, first) for v in members}
    foreign = sum(state == "foreign" for _, state in places.values())
    budget = max(0, min(live - floor - reserve, len(members) - 3 * (silent + reserve) - 1) - foreign)
    order = sorted((v for v in members if places[v][0]), key=lambda v: places[v][0])
    for v in order[:budget]:
        used[v] = e
    say(type="epoch", epoch=e // W, members=len(members), live=live, candidates=len(order),
        used_up=sum(state == "used" for _, state in places.values()), foreign=foreign,
        reference=len(reference), floor=floor, budget=budget, permits=order[:budget])
    return order[:budget]


def turn(h, v, boundary):
    """What v does in block h with the permit of that boundary; true once it is done with it."""
    timeout = boundary + W
    if v == 4 and boundary < L:  # too late: in the block, changed nothing; it stands in line again
        if h <= timeout:
            return False
        send(h, v, "pause", code=30, codespace="sdk", timeout_height=timeout)
        send(h, v, "join", **{"class": 2, "charter": OWN})
        return True
    if v == 5 and h == boundary + 1:  # refused, so once more in the next block
        send(h, v, "pause", code=7, codespace="customslashing", timeout_height=timeout)
        return False
    send(h, v, "pause", timeout_height=timeout)
    return True


def joins(h):
    if h == 4:
        send(h, 6, "join", **{"class": 30, "charter": FOREIGN})
    if h == 5:
        for v, minutes in enumerate((3, 1, 9, 9, 2, 1)):
            send(h, v, "join", **{"class": minutes, "charter": OWN})
    if h == 14:  # refused: it does not count
        send(h, 6, "join", code=5, codespace="sdk", **{"class": 4, "charter": OWN})
    if h == 20:
        send(h, 6, "join", **{"class": 4, "charter": OWN})
    if h == 24:
        send(h, 1, "other")
    if h in (60, 61):  # the boundary at 60 still belongs to the round before
        for v in (0, 1, 5):
            send(h, v, "join", **{"class": 5, "charter": OWN})


def host(h, v, state):
    say(type="host", time_ms=START_MS + h * STEP_MS, validator=v, state=state, fault=False)


def block(h, want):
    """Says block h and everything in it but the draw; want is V(h+2), to be changed."""
    missing[h] = {3} & sets[h - 1] if 26 <= h <= 31 else set()
    say(type="block", height=h, time_ms=START_MS + h * STEP_MS, hash=HASH[h].hex(),
        set=len(sets[h]), missing=sorted(missing[h]), active=len(want))
    for tx in txs.get(h, []):
        say(type="tx", **{"timeout_height": 0, "by": "agent", **tx})
        if tx["code"] == 0 and tx["msg"] == "pause":
            want.discard(tx["validator"])
        if tx["code"] == 0 and tx["msg"] == "unpause":
            want.add(tx["validator"])
    if h in (88, 94):
        change = "leave" if h == 88 else "enter"
        say(type="set", height=h, validator=2, change=change, why="inactive")
        (want.discard if h == 88 else want.add)(2)
    sets[h + 2] = frozenset(want)


def main():
    say(type="world", chain="kira", chain_id=CHAIN,
        charter=dict(hash=OWN, min_validators=1, epoch_blocks=W, live_blocks=K, round_blocks=L,
                     joins_max=J, reference_blocks=M, phi="2/3", reserve=None, order="long-first",
                     ramp=None),
        validators=[dict(validator=v, address=ADDRESS[v].hex(), moniker=f"v{v}", in_set=True, agent=True)
                    for v in range(N)])
    sets[0], want, permits, out = set(), set(range(N)), {}, {}
    for h in range(1, BLOCKS + 1):
        joins(h)
        for v in sorted(permits):
            if turn(h, v, permits[v]):
                del permits[v]
        for v, since in sorted(out.items()):
            if h == since + 2:
                host(h, v, "down")
            if h == since + OUT_BLOCKS:
                host(h, v, "up")
                send(h, v, "unpause")
                del out[v]
        block(h, want)
        out.update({tx["validator"]: h for tx in txs.get(h, [])
                    if tx["msg"] == "pause" and tx["code"] == 0})
        if h % W == 0 and h - K >= 1:
            permits.update(dict.fromkeys(draw(h), h))


if __name__ == "__main__":
    main()
