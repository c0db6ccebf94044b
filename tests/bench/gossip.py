#!/usr/bin/env python3
"""How fast gossip spreads news between processes on this machine, and what it costs when nothing happens; the same for
serf when there is a `serf` on the PATH.

    GOSSIP_NODE=build/release/tests/gossip_node python3 tests/bench/gossip.py [--members 100] [--news 100]
        [--lose 20] [--cut 60] [--idle 60] [--no-serf]

Ends with status 1 when a limit is missed: news at all within 1 s at the 99th percentile, also with frames lost; level
5 s after a process was stopped for a minute; idle, 8 MB of memory and 0.5 % of a core each.
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
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from gossip_net import GOSSIP_NODE, Network, free_ports  # noqa: E402

NEWS_MS, LEVEL_S, IDLE_MB, IDLE_PERCENT = 1000, 5, 8, 0.5
SETTLE_S = 120
missed = []


def judge(text, value, limit):
    met = value is not None and value <= limit
    print(f"  {text}: {'never' if value is None else f'{value:.2f}'} (limit {limit}) {'met' if met else 'MISSED'}",
          flush=True)
    if not met:
        missed.append(text)


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def measure_news(network, count, seed):
    """Milliseconds until the last of all has heard a changed record, for so many changes one after another."""
    chance, last, every = random.Random(seed), [], []
    for i in range(count):
        spread = network.spread(chance.choice(list(network.members)), f"news-{seed}-{i}", 30)
        every += [30_000 if ms is None else ms for ms in spread]
        last.append(max(every[-len(spread):]))
    print(f"  to one: median {statistics.median(every):.0f} ms, 99 % {percentile(every, 0.99)} ms;"
          f" to the last of all: median {statistics.median(last):.0f} ms")
    judge("news at all, 99 %, ms", percentile(last, 0.99), NEWS_MS)


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


def measure_idle(pids, seconds):
    """The most memory (resident) in MB, and the median of CPU in per cent of a core."""
    before = [cpu_s(pid) for pid in pids]
    time.sleep(seconds)
    cpu = [100 * (cpu_s(pid) - was) / seconds for pid, was in zip(pids, before)]
    for name, values in (("resident", [status_kb(pid, "VmRSS") / 1024 for pid in pids]),
                         ("resident, not of files", [status_kb(pid, "RssAnon") / 1024 for pid in pids]),
                         ("proportional share", [pss_kb(pid) / 1024 for pid in pids])):
        print(f"  idle, {name}: median {statistics.median(values):.2f} MB, most {max(values):.2f} MB")
    print(f"  idle, CPU: median {statistics.median(cpu):.2f} %, most {max(cpu):.2f} % of a core")
    return max(status_kb(pid, "VmRSS") / 1024 for pid in pids), statistics.median(cpu)


def gossip(options):
    print(f"stagger, {options.members} processes", flush=True)
    hidden = range(5, options.members, 5)  # every fifth can only dial
    began = time.monotonic()
    with Network(options.members, hidden=hidden, options=("--neighbours", 64, "--strangers", 64)) as network:
        settled = network.wait_level(SETTLE_S)
        print(f"  started in {time.monotonic() - began - (settled or 0):.1f} s,"
              f" all level after {settled if settled is None else round(settled, 1)} s")
        time.sleep(10)
        pids = [member.process.pid for member in network.members.values()]
        memory, cpu = measure_idle(pids, options.idle)
        judge("idle, memory (resident), most, MB", memory, IDLE_MB)
        judge("idle, CPU, median, %", cpu, IDLE_PERCENT)
        measure_news(network, options.news, 1)
        for member in network.members.values():
            member.tell(f"lose {options.lose}")
        print(f"  with {options.lose} % of the frames lost:")
        measure_news(network, options.news, 2)
        for member in network.members.values():
            member.tell("lose 0")
        if options.cut:
            measure_cut(network, options.cut, "stopped", lambda one: one.signal(signal.SIGSTOP),
                        lambda one: one.signal(signal.SIGCONT))
            measure_cut(network, options.cut, "deaf", lambda one: one.tell("lose 100"), lambda one: one.tell("lose 0"))
        bound = [member.show()["bound"] for member in network.members.values()]
        print(f"  connections: median {statistics.median(bound):.0f}, least {min(bound)}, most {max(bound)}")


class Serf:
    """Agents of serf on loopback; a change is a new tag, heard of through an event handler's file."""

    def __init__(self, count, folder):
        self.ports, self.processes, self.folder = free_ports(2 * count), [], folder
        script = Path(folder, "heard.sh")
        script.write_text('#!/bin/sh\nwhile read -r line; do echo "$(date +%s%3N) $line" >> "$1"; done\n', encoding="ascii")
        script.chmod(0o755)
        for i in range(count):
            bind, rpc = self.ports[2 * i:2 * i + 2]
            command = ["serf", "agent", f"-node=n{i}", f"-bind=127.0.0.1:{bind}", f"-rpc-addr=127.0.0.1:{rpc}",
                       "-profile=lan", "-log-level=err", "-tag=plan=none",
                       f"-event-handler=member-update={script} {folder}/heard-{i}"]
            command += [f"-retry-join=127.0.0.1:{self.ports[0]}"] if i else []
            self.processes.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))

    def call(self, number, *words):
        return subprocess.run(["serf", *words, f"-rpc-addr=127.0.0.1:{self.ports[2 * number + 1]}"],
                              capture_output=True, text=True, check=False).stdout

    def wait(self, seconds):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if self.call(len(self.processes) - 1, "members", "-status=alive").count("\n") == len(self.processes):
                return
            time.sleep(0.5)

    def spread(self, number, plan, seconds):
        said_ms = time.time() * 1000
        self.call(number, "tags", "-set", f"plan={plan}")
        until, files = time.monotonic() + seconds, [Path(self.folder, f"heard-{i}") for i in range(len(self.processes))]
        while time.monotonic() < until:
            lines = [[line for line in (file.read_text(encoding="ascii").splitlines() if file.exists() else ())
                      if f"plan={plan}" in line] for file in files]
            if all(lines):
                return max(int(line[0].split()[0]) for line in lines) - said_ms
            time.sleep(0.1)
        return None

    def close(self):
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            process.wait()


def serf(options):
    version = subprocess.run(["serf", "version"], capture_output=True, text=True, check=False).stdout.split("\n")[0]
    print(f"{version}, {options.members} agents", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        agents = Serf(options.members, folder)
        try:
            agents.wait(SETTLE_S)
            time.sleep(10)
            measure_idle([process.pid for process in agents.processes], options.idle)
            last = [agents.spread(i % options.members, f"news{i}", 30) for i in range(min(options.news, 20))]
            known = [ms for ms in last if ms is not None]
            if known:
                print(f"  to the last of all, with the event handler's shell: median {statistics.median(known):.0f} ms,"
                      f" most {max(known):.0f} ms, {len(last) - len(known)} never")
        finally:
            agents.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, value in (("members", 100), ("news", 100), ("lose", 20), ("cut", 60), ("idle", 60)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--no-serf", action="store_true")
    options = parser.parse_args()
    if not os.path.exists(GOSSIP_NODE):
        sys.exit("GOSSIP_NODE is to be the path of gossip_node")
    gossip(options)
    if shutil.which("serf") and not options.no_serf:
        serf(options)
    print(json.dumps({"missed": missed}))
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
