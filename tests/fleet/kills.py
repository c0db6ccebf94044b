#!/usr/bin/env python3
"""A fleet that upgrades again and again while it is hit: kill -9 of agents and of nodes at random moments, processes that
stand still for a while, cables that are cut, connections that are reset, an agent that does not reach its own node. In
the end all are upgraded and nobody is left paused; floor, permits and signatures are judged from the chain (judge.py):
whose node was killed or stood still may miss blocks, nobody else. Every agent's journal decides the same again.

    STAGGER=build/dev/stagger python3 tests/fleet/kills.py [--seed S] [--kills N] [--faults N] [--validators N]

What is hit, and with what, follows from the seed; what it was doing then does not. Each validator is told the next
version as soon as it has done the one before, until the kills are over.
"""
import argparse
import collections
import os
import random
import signal
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from fleet import Fleet, Refusal  # noqa: E402
from judge import judge_fleet  # noqa: E402
from net import need_stagger  # noqa: E402
from place import Place, own_world  # noqa: E402

VERSIONS = tuple(f"v{i}" for i in range(2, 14))
NODES_AT_ONCE = 3  # whose faults began within RECENT_S: the chain goes on, and the reserve is overdrawn all the same
RECENT_S = 5
LONG_S = (0.5, 5)


def nothing():
    """What undoes a kill: others do that."""


class Chaos:
    def __init__(self, fleet, options):
        self.fleet, self.options, self.rng = fleet, options, random.Random(options.seed)
        self.done = collections.Counter()
        self.recent, self.busy = {}, set()
        self.over = threading.Event()
        self.timers = []

    # --- what can be done to a host; each returns what undoes it, None when there was nobody to be hit ---

    def kill_agent(self, host):
        return nothing if host.signal(signal.SIGKILL) else None

    def kill_node(self, host):
        now = time.time()
        if not host.node_signal(signal.SIGKILL):
            return None
        self.hurt(host, now, now, "node killed")
        return nothing

    def hurt(self, host, begin, end, what):
        host.fault(what, begin, end)
        self.recent[host.number] = end

    def stop_agent(self, host):
        return (lambda: host.signal(signal.SIGCONT)) if host.signal(signal.SIGSTOP) else None

    def stop_node(self, host):
        """The very process: by then it may be another one's number."""
        pid, begin = host.node_pid(), time.time()
        if not pid or not host.node_signal(signal.SIGSTOP):
            return None
        self.hurt(host, begin, begin + LONG_S[1], "node stood still")

        def go_on():
            if host.node_pid() == pid:
                host.node_signal(signal.SIGCONT)
        return go_on

    def cut(self, host):
        self.fleet.place.cut(host.number)
        return lambda: self.fleet.place.join(host.number)

    def refuse(self, host):
        self.fleet.place.refuse(host.number)
        return lambda: self.fleet.place.accept(host.number)

    def mute(self, host):
        self.fleet.place.mute(host.number)
        return lambda: self.fleet.place.unmute(host.number)

    # --- which and when ---

    def victim(self, of_nodes):
        now = time.time()
        hurt = {number for number, end in self.recent.items() if end + RECENT_S > now}
        free = [h for h in self.fleet.hosts if h.number not in self.busy and not (of_nodes and h.number in hurt)]
        if of_nodes and len(hurt) >= NODES_AT_ONCE:
            return None
        return self.rng.choice(free) if free else None

    def plan(self):
        """Kills and faults, mixed."""
        cables = self.fleet.place.cables
        lasting = [self.stop_agent, self.stop_node] + ([self.cut, self.refuse, self.mute] if cables else [])
        plan = [self.kill_agent if self.rng.random() < 0.75 else self.kill_node for _ in range(self.options.kills)]
        plan += [self.rng.choice(lasting) for _ in range(self.options.faults)]
        self.rng.shuffle(plan)
        return plan

    def strike(self, what):
        of_nodes = what in (self.kill_node, self.stop_node)
        while not ((host := self.victim(of_nodes)) and (undo := what(host))):
            self.over.wait(0.05)
        self.done[what.__name__] += 1
        if undo is not nothing:
            self.busy.add(host.number)
            self.later(host, undo)

    def later(self, host, undo):
        def end():
            undo()
            self.busy.discard(host.number)
        timer = threading.Timer(self.rng.uniform(*LONG_S), end)
        timer.daemon = True
        timer.start()
        self.timers.append(timer)

    def run(self):
        """All of it; then everything is whole again."""
        for what in self.plan():
            self.strike(what)
            self.fleet.ending.wait(self.rng.expovariate(1 / self.options.every))
        for timer in self.timers:
            timer.join()
        self.over.set()


class Order(threading.Thread):
    """An operator who upgrades one validator, version after version, until the kills are over."""

    def __init__(self, host, over):
        super().__init__(daemon=True)
        self.host, self.over, self.version, self.error, self.given_up = host, over, None, None, 0

    def run(self):
        try:
            for self.version in VERSIONS:
                self.upgrade()
                if self.over.is_set():
                    return
        except Exception as error:  # noqa: BLE001: raised by whoever joins
            self.error = error

    def upgrade(self):
        """A turn whose node was killed at every attempt is given up, and asked for again."""
        for _ in range(10):
            try:
                self.host.reboot(self.version)
                self.host.wait_done()
            except Refusal as refusal:
                if "gave-up" not in str(refusal) and "busy" not in str(refusal):
                    raise
                self.given_up += 1
            if self.host.version() == self.version:
                return


def end_of(orders):
    for order in orders:
        order.join()
        if order.error:
            raise order.error


def main(fleet_class=Fleet, validators=30, kills=200, faults=60, every_s=0.5, cables=True):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=int(os.environ.get("FLEET_SEED", random.randrange(10**6))))
    parser.add_argument("--validators", type=int, default=validators)
    parser.add_argument("--kills", type=int, default=kills)
    parser.add_argument("--faults", type=int, default=faults)
    parser.add_argument("--every", type=float, default=every_s, help="seconds from one to the next, on average")
    parser.add_argument("--block-time", default="1s")
    options = parser.parse_args()
    need_stagger()
    own_world()
    print(f"repeat with --seed {options.seed}", flush=True)
    with Place(options.validators, cables) as place:
        with fleet_class(place, options.block_time, VERSIONS, patience_s=300) as fleet:
            fleet.wait_all_sign()
            chaos = Chaos(fleet, options)
            orders = [Order(host, chaos.over) for host in fleet.hosts]
            for order in orders:
                order.start()
            chaos.run()
            print(f"hit: {dict(chaos.done)}", flush=True)
            end_of(orders)
            ended(fleet, orders)


def ended(fleet, orders):
    for order in orders:
        got = order.host.version()
        assert got == order.version, f"agent {order.host.number}: its node is {got}, not {order.version}"
    record, figures = judge_fleet(fleet, {host.number: host.faults for host in fleet.hosts})
    turns = collections.Counter(who for _, who in record.happened())
    assert set(turns) == record.sets[1], "somebody never had a turn"
    fleet.quiet(but="broken: the runtime failed to")  # its node was killed at that moment
    fleet.heard()
    fleet.replay()
    print(f"{figures}; {min(turns.values())} to {max(turns.values())} turns each, "
          f"{sum(order.given_up for order in orders)} given up or asked twice")


if __name__ == "__main__":
    main()
