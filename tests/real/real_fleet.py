"""A fleet of tests/fleet whose nodes are real sekaid."""
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "fleet")]
from fleet import Fleet, Host  # noqa: E402
from judge import Record  # noqa: E402
from net import GONE, ask, poll  # noqa: E402
from network import RealNet  # noqa: E402


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


class RealRecord(Record):
    """Without the last signatures that were given and got lost, see README.md: of the block behind a pause's, by a node
    that was stopped as soon as it had this block. It costs nothing, since the chain counts misses of the active only."""

    def __init__(self, *where):
        super().__init__(*where)
        lost = [(height + 1, who) for height, who in self.happened()
                if height + 1 <= self.head and who in self.sets[height + 1] - self.signed[height + 1]]
        for height, who in lost:
            self.signed[height].add(who)
        print(f"{len(lost)} last signatures lost on the way: {lost}", flush=True)


class RealFleet(Fleet):
    net_class, host_class, record_class = RealNet, RealHost, RealRecord

    def wait_all_sign(self):
        """Everybody is in the set and in the last commit that the chain holds. The head's own (/commit without a height) is
        what this node had seen when it went on: two thirds and a little."""
        def whole():
            block = self.net.call(0, "block")["block"]
            commit = block["last_commit"] if block else {"signatures": []}
            flags = [signature["block_id_flag"] for signature in commit["signatures"]]
            return len(flags) == self.count and set(flags) == {2} and int(commit["height"])
        return poll(whole, "all of them sign", self.patience_s, 0.1)
