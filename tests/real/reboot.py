#!/usr/bin/env python3
"""Real sekaid validators, an agent each with real gossip, cosmovisor's tree: every node is rebooted into another version
in turn, and the network does not notice. Judged from the real blocks alone (tests/fleet/judge.py), the permits computed
once more by `stagger turns` from another node's blocks.

    STAGGER=build/dev/stagger python3 tests/real/reboot.py [--validators N] [--block-time TIME]
"""
import argparse
import collections
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from real_fleet import RealFleet  # noqa: E402
from judge import judge_fleet  # noqa: E402
from net import need_stagger  # noqa: E402
from peers import peer  # noqa: E402
from place import Place, own_world  # noqa: E402

VERSION = "v2"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--validators", type=int, default=7)
    parser.add_argument("--block-time", default="1s")
    options = parser.parse_args()
    need_stagger()
    peer("sekaid")
    own_world()
    with Place(options.validators, cables=False) as place:
        with RealFleet(place, options.block_time, [VERSION], work="sleep 4") as fleet:
            fleet.wait_all_sign()
            begin = time.monotonic()
            fleet.reboot_all(VERSION)
            fleet.wait_done(VERSION)
            print(f"all are upgraded in {time.monotonic() - begin:.0f} s", flush=True)
            record, figures = judge_fleet(fleet)
            turns = collections.Counter(who for _, who in record.happened())
            assert set(turns) == record.sets[1] and set(turns.values()) == {1}, f"turns: {turns}"
            fleet.quiet()
            fleet.heard()
            fleet.replay()
            print(figures)


if __name__ == "__main__":
    main()
