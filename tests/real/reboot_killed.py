#!/usr/bin/env python3
"""Real sekaid validators that upgrade again and again while agents and nodes are killed and stand still at random
moments; what must be true then is told in tests/fleet/kills.py.

    STAGGER=build/dev/stagger python3 tests/real/kills.py [--seed S] [--kills N] [--faults N] [--validators N]
"""
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent)]
from real_fleet import RealFleet  # noqa: E402
import kills as fleet_kills  # noqa: E402
from peers import peer  # noqa: E402

if __name__ == "__main__":
    peer("sekaid")
    fleet_kills.main(RealFleet, validators=7, kills=30, faults=6, every_s=3, cables=False)
