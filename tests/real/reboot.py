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

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "fleet")]
from fleet import Fleet, Host  # noqa: E402
from judge import judge_fleet  # noqa: E402
from net import GONE, ask, need_stagger, poll  # noqa: E402
from network import RealNet  # noqa: E402
from peers import peer  # noqa: E402
from place import Place, own_world  # noqa: E402

VERSION = "v2"


class RealHost(Host):
    """Its versions are one sekaid under several names, which /status gives as the moniker."""

    def make_binary(self, folder, version):
        folder.mkdir(parents=True)
        path = folder / "node"
        path.write_text(f'#!/bin/sh\nexec "{self.fleet.net.home_of(self.number)}/run" {version}\n')
        path.chmod(0o700)

    def version(self):
        try:
            return ask(self.fleet.url(self.number), "status")["node_info"]["moniker"]
        except GONE:
            return None


class RealFleet(Fleet):
    net_class, host_class = RealNet, RealHost

    def wait_all_sign(self):
        """Everybody is in the set and in the last commit that the chain holds. The head's own (/commit without a height) is
        what this node had seen when it went on: two thirds and a little."""
        def whole():
            block = self.net.call(0, "block")["block"]
            commit = block["last_commit"] if block else {"signatures": []}
            flags = [signature["block_id_flag"] for signature in commit["signatures"]]
            return len(flags) == self.count and set(flags) == {2} and int(commit["height"])
        return poll(whole, "all of them sign", self.patience_s, 0.1)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--validators", type=int, default=7)
    parser.add_argument("--block-time", default="1s")
    options = parser.parse_args()
    need_stagger()
    peer("sekaid")
    own_world()
    with Place(options.validators, cables=False) as place:
        with RealFleet(place, options.block_time, [VERSION]) as fleet:
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
