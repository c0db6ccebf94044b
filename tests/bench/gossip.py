#!/usr/bin/env python3
"""How fast gossip spreads news between processes on this machine, and what it costs when nothing happens and when much
does; the same for serf beside it (gossip_serf.py) when there is a `serf` on the PATH or among the built peers
(tests/real/peers.py).

    GOSSIP_NODE=build/release/tests/gossip_node python3 tests/bench/gossip.py [--members 100] [--news 100]
        [--lose 20] [--cut 60] [--idle 60] [--churn 60] [--no-serf]

Ends with status 1 when a limit is missed: news at all within 1 s at the 99th percentile, also with frames lost; level
5 s after a process was stopped for a minute; idle, 8 MB of memory of its own and 0.5 % of a core each; and with serf
beside it, news no later, with less CPU and less memory.
"""
import argparse
import json
import os
import random
import shutil
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent.parent / part) for part in ("", "real")]
from gossip_net import GOSSIP_NODE, Member, Network  # noqa: E402
from gossip_serf import SerfNetwork  # noqa: E402
from peers import Peer  # noqa: E402

NEWS_MS, LEVEL_S, IDLE_MB, IDLE_PERCENT = 1000, 5, 8, 0.5
SETTLE_S = 120
CHURN_NEWS_S, CHURN_RESTART_S = 0.2, 2  # from one change, and one restart, to the next
missed = []


def judge(text, value, limit):
    met = value is not None and value <= limit
    print(f"  {text}: {'never' if value is None else f'{value:.2f}'} (limit {limit:g}) {'met' if met else 'MISSED'}",
          flush=True)
    if not met:
        missed.append(text)


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def measure_news(network, count, seed):
    """How many milliseconds a changed record takes, for so many changes one after another."""
    chance, last, every = random.Random(seed), [], []
    for i in range(count):
        spread = network.spread(chance.choice(list(network.members)), f"news-{seed}-{i}", 30)
        every += [30_000 if ms is None else ms for ms in spread]
        last.append(max(every[-len(spread):]))
    figures = {f"news to {whom}, {what}, ms": value for whom, values in (("one", every), ("the last of all", last))
               for what, value in (("median", statistics.median(values)), ("99 %", percentile(values, 0.99)))}
    tell(figures)
    return figures


def measure_cut(network, seconds, how, begin, end):
    """A process that is cut off while others have news."""
    cut = list(network.members)[-1]
    others = [number for number in network.members if number != cut]
    begin(network.members[cut])
    until = time.monotonic() + seconds
    plans = {}
    while time.monotonic() < until:
        number = random.choice(others)
        plans[number] = f"cut-{int(time.monotonic() * 1000)}"
        network.members[number].say(plans[number])
        time.sleep(min(1.0, max(0.0, until - time.monotonic())))
    end_ms = time.time() * 1000
    end(network.members[cut])
    heard = [network.members[cut].when(number, plan, 60) for number, plan in plans.items()]
    judge(f"{how} for {seconds} s, {len(plans)} changes meanwhile, level after, s",
          None if None in heard else (max(heard) - end_ms) / 1000, LEVEL_S)


def pss_kb(pid):
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def status_kb(pid, name):
    with open(f"/proc/{pid}/status", encoding="ascii") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith(name + ":"))


def cpu_s(pid):
    return sum(int(Path(task, "schedstat").read_text(encoding="ascii").split()[0])
               for task in Path(f"/proc/{pid}/task").iterdir()) / 1e9


def tell(figures):
    for name, value in figures.items():
        print(f"  {name}: {value:.2f}", flush=True)


def measure_cost(what, pids, meanwhile):
    """Memory in MB, and CPU in per cent of a core, of processes while something goes on; returns what it prints."""
    before, began = [cpu_s(pid) for pid in pids], time.monotonic()
    killed = meanwhile() or ()
    seconds = time.monotonic() - began
    alive = [pid for pid in pids if pid not in killed]
    cpu = [100 * (cpu_s(pid) - was) / seconds for pid, was in zip(pids, before) if pid not in killed]
    values = {"CPU, % of a core": cpu,
              "memory of its own, MB": [status_kb(pid, "RssAnon") / 1024 for pid in alive],
              "proportional share, MB": [pss_kb(pid) / 1024 for pid in alive],
              "resident, MB": [status_kb(pid, "VmRSS") / 1024 for pid in alive]}
    figures = {f"{what}, {name}, {how}": compute(each) for name, each in values.items()
               for how, compute in (("median", statistics.median), ("most", max))}
    tell(figures)
    return figures


def churn(network, seconds, seed=3):
    """Records changed, and processes killed and started again, at fixed times; returns who was killed."""
    chance, killed = random.Random(seed), set()
    began = time.monotonic()
    plan = [(CHURN_NEWS_S * i, "change") for i in range(int(seconds / CHURN_NEWS_S))]
    plan += [(CHURN_RESTART_S * i, "restart") for i in range(int(seconds / CHURN_RESTART_S))]
    for i, (at_s, what) in enumerate(sorted(plan)):
        time.sleep(max(0.0, began + at_s - time.monotonic()))
        number = chance.choice(list(network.members)[1:])  # not the seed of the others
        if what == "restart":
            killed.add(network.members[number].process.pid)
            network.restart(number)
        else:
            network.say(number, f"churn-{i}")
    print(f"  {len(plan)} changes and restarts in {time.monotonic() - began:.1f} s", flush=True)
    return killed


def measure_all(network, options):
    """Of a network of stagger or serf: idle, news, churn."""
    began = time.monotonic()
    settled = network.wait_level(SETTLE_S)
    print(f"  all level {time.monotonic() - began:.1f} s after the last was started")
    assert settled is not None, "they do not find one another"
    time.sleep(10)
    pids = [member.process.pid for member in network.members.values()]
    figures = measure_cost("idle", pids, lambda: time.sleep(options.idle))
    figures |= measure_news(network, options.news, 1)
    figures |= measure_cost("under churn", pids, lambda: churn(network, options.churn))
    return figures


class StaggerNetwork(Network):
    def __init__(self, count, hidden, options):
        self.hidden, self.options, self.count = hidden, options, count
        super().__init__(count, hidden=hidden, options=options)

    def restart(self, number):
        self.members[number].signal(signal.SIGKILL)
        self.members[number].close()
        self.members[number] = Member(self.count, number, None if number in self.hidden else self.ports[number],
                                      [(0, self.ports[0])], ["--random", self.count, *self.options])

    def say(self, number, plan):
        self.members[number].say(plan)


def measure_loss(network, options):
    for member in network.members.values():
        member.tell(f"lose {options.lose}")
    print(f"  with {options.lose} % of the frames lost:")
    judge("news at all, 99 %, ms", measure_news(network, options.news, 2)["news to the last of all, 99 %, ms"], NEWS_MS)
    for member in network.members.values():
        member.tell("lose 0")


def gossip(options):
    print(f"stagger, {options.members} processes", flush=True)
    hidden = range(5, options.members, 5)  # every fifth can only dial
    with StaggerNetwork(options.members, hidden, ("--neighbours", 64, "--strangers", 64)) as network:
        figures = measure_all(network, options)
        judge("idle, memory of its own, most, MB", figures["idle, memory of its own, MB, most"], IDLE_MB)
        judge("idle, CPU, median, %", figures["idle, CPU, % of a core, median"], IDLE_PERCENT)
        judge("news at all, 99 %, ms", figures["news to the last of all, 99 %, ms"], NEWS_MS)
        measure_loss(network, options)
        if options.cut:
            measure_cut(network, options.cut, "stopped", lambda one: one.signal(signal.SIGSTOP),
                        lambda one: one.signal(signal.SIGCONT))
            measure_cut(network, options.cut, "deaf", lambda one: one.tell("lose 100"), lambda one: one.tell("lose 0"))
        bound = [member.show()["bound"] for member in network.members.values()]
        print(f"  connections: median {statistics.median(bound):.0f}, least {min(bound)}, most {max(bound)}")
    return figures


# --- serf beside it ---

def serf_program():
    cached = Peer("serf")
    return shutil.which("serf") or (str(cached.path) if cached.is_built() else None)


def serf(program, options):
    version = subprocess.run([program, "version"], capture_output=True, text=True, check=False).stdout.split("\n")[0]
    print(f"serf ({version}), {options.members} agents", flush=True)
    with SerfNetwork(program, options.members) as network:
        return measure_all(network, options)


def compare(ours, theirs):
    print("stagger beside serf", flush=True)
    for name, value in ours.items():
        print(f"  {name}: {value:.2f}, serf {theirs[name]:.2f}, {value / max(theirs[name], 0.01):.2f} of it")
    for name in ("news to the last of all, median, ms", "news to the last of all, 99 %, ms",
                 *(f"{when}, {what}, median" for when in ("idle", "under churn")
                   for what in ("CPU, % of a core", "memory of its own, MB", "proportional share, MB", "resident, MB"))):
        judge(f"{name}, as serf", ours[name], theirs[name])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, value in (("members", 100), ("news", 100), ("lose", 20), ("cut", 60), ("idle", 60), ("churn", 60)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--no-serf", action="store_true")
    options = parser.parse_args()
    if not os.path.exists(GOSSIP_NODE):
        sys.exit("GOSSIP_NODE is to be the path of gossip_node")
    ours, program = gossip(options), serf_program()
    if program and not options.no_serf:
        compare(ours, serf(program, options))
    print(json.dumps({"missed": missed}))
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
