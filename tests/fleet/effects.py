#!/usr/bin/env python3
"""An agent killed at every single effect of a turn: $STAGGER_TEST_DIE_AT=N ends it, as kill -9 would, at the N-th point of
its life, and points lie before each event, before and behind each effect, before and behind each write of the journal,
and where sending and the runtime tell what they did. N goes from 1 to where turns end without a death. After each
death the agent is started again, every other time to die once more at a random point, and must finish the turn without
being told anew.

    STAGGER=build/dev/stagger python3 tests/fleet/effects.py [--step N] [--from N] [--seed S]

So many validators of one network have their turns side by side. Nothing but agents dies, so that nobody may miss a
block, and the floor must hold (judge.py); every journal decides the same again.
"""
import argparse
import os
import random
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from fleet import Fleet, Refusal  # noqa: E402
from judge import judge_fleet  # noqa: E402
from net import need_stagger  # noqa: E402
from place import Place, own_world  # noqa: E402

VERSIONS = ("v2", "v3")
DIE_AT = "STAGGER_TEST_DIE_AT"
AGAIN_MAX = 40  # of the points at which it dies once more
CHARTER = {"round_blocks": 120, "joins_max": 20}  # or the joins of a round would not do


class Points:
    """Which point is next, over all validators; the end is where this many turns in a row outlived theirs."""

    def __init__(self, options):
        self.lock, self.rng = threading.Lock(), random.Random(options.seed)
        self.number, self.step, self.enough = options.first - options.step, options.step, 3
        self.outlived, self.died, self.again, self.error = set(), {}, 0, None

    def take(self):
        """(N, environments), or None when it is over."""
        with self.lock:
            if self.error or len(self.outlived) >= self.enough:
                return None
            self.number += self.step
            environments = [{DIE_AT: str(self.number)}]
            if self.rng.random() < 0.5:
                environments.append({DIE_AT: str(self.rng.randrange(1, AGAIN_MAX))})
            return self.number, environments

    def tell(self, number, deaths):
        """`deaths`: the last line of the log before each."""
        with self.lock:
            if deaths:
                self.died[number] = deaths[0]
                self.again += len(deaths) - 1
            else:
                self.outlived.add(number)


def one_turn(host, environments):
    """Its deaths in the turn."""
    version = VERSIONS[host.version() == VERSIONS[0]]
    host.restart(*environments)
    begun, place = len(host.endings), (host.dir / "agent.log").stat().st_size
    try:
        host.reboot(version)
    except Refusal as refusal:
        assert "busy" in str(refusal), refusal  # it has taken the first one, and died before it could say so
    host.wait_done()
    assert host.version() == version, f"agent {host.number} is done, and its node is {host.version()}, not {version}"
    with open(host.dir / "agent.log", "rb") as log:
        log.seek(place)
        lines = log.read().decode(errors="replace").splitlines()
    ends = [i for i, line in enumerate(lines) if line.startswith("--- the agent ended")]
    assert len(ends) <= len(host.endings) - begun + 1
    return [lines[i - 1] if i else "" for i in ends]


def work(host, points):
    while turn := points.take():
        number, environments = turn
        try:
            points.tell(number, one_turn(host, environments))
        except Exception as error:  # noqa: BLE001: told in main()
            points.error = points.error or f"agent {host.number} with {environments}: {type(error).__name__}: {error}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--validators", type=int, default=16)
    parser.add_argument("--block-time", default="500ms")
    parser.add_argument("--step", type=int, default=1, help="every so manieth point only")
    parser.add_argument("--from", type=int, dest="first", default=1)
    parser.add_argument("--seed", type=int, default=int(os.environ.get("FLEET_SEED", random.randrange(10**6))))
    options = parser.parse_args()
    need_stagger()
    own_world()
    print(f"repeat with --seed {options.seed}", flush=True)
    with Place(options.validators, cables=False) as place:
        with Fleet(place, options.block_time, VERSIONS, charter=CHARTER) as fleet:
            fleet.wait_all_sign()
            begin, points = time.monotonic(), Points(options)
            fleet.each(lambda host: work(host, points))
            assert not points.error, points.error
            print(f"{len(points.died)} points up to {max(points.died)}, {points.again} died once more, "
                  f"{time.monotonic() - begin:.0f} s", flush=True)
            ended(fleet, points)


def ended(fleet, points):
    words = {line.split(": ", 1)[-1][:30] for line in points.died.values()}
    assert len(points.died) < 10 or len(words) > 5, f"they all died at the same place: {words}"
    print(judge_fleet(fleet)[1], flush=True)
    fleet.quiet()
    fleet.replay()


if __name__ == "__main__":
    main()
