#!/usr/bin/env python3
"""What a devnet costs: CPU and memory of each node and of the chain process, and how regular its blocks are. Beside it,
over the same time, an idle `python3 -m http.server`.

    STAGGER=build/release/stagger python3 tests/bench/devnet.py [--validators 50] [--seconds 60]

Status 1 when more than half of the machine's CPU time was used, or the median interval is more than 5 % beside the block
time: then there is no CPU to spare.
"""
import argparse
import os
import socket
import statistics
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "devnet"))
from net import Devnet, dies_with_me, need_stagger, poll  # noqa: E402

TICKS = os.sysconf("SC_CLK_TCK")


def cpu_s(pid):
    """User and system time so far, all threads."""
    row = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(row[11]) + int(row[12])) / TICKS


def memory_mb(pid):
    """(RSS, its part that is nobody else's) in MB"""
    rows = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:])
    own = sum(int(rows[name].split()[0]) for name in ("Private_Clean", "Private_Dirty"))
    return int(rows["Rss"].split()[0]) / 1024, own / 1024


def instant(header):
    clock, fraction = (header["time"].rstrip("Z").split(".") + ["0"])[:2]
    return datetime.fromisoformat(clock + "+00:00").timestamp() + float("0." + fraction)


def intervals_of(net, first, last):
    times = []
    for low in range(first, last + 1, 20):
        rows = net.get(0, f"blockchain?minHeight={low}&maxHeight={min(last, low + 19)}")["block_metas"]
        times += sorted(instant(row["header"]) for row in rows)
    return [b - a for a, b in zip(times, times[1:])]


class Idle:
    """The baseline: a server that nobody asks."""

    def __enter__(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.process = subprocess.Popen([sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=dies_with_me)

        def answers():
            with socket.create_connection(("127.0.0.1", port), 1):
                return True
        poll(answers, "the baseline answers")
        return self.process.pid

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def percentile(values, part):
    return sorted(values)[min(len(values) - 1, int(part * len(values)))]


def row(name, cpu, memory, seconds):
    rates = [1000 * used / seconds for used in cpu]
    rss, own = zip(*memory)
    print(f"| {name} | {statistics.median(rates):.2f} | {max(rates):.2f} | {statistics.median(rss):.1f} | {max(rss):.1f} "
          f"| {statistics.median(own):.1f} | {max(own):.1f} |")


def measure(args):
    with Devnet("kira", args.validators, "--block-time", "1s") as net, Idle() as idle:
        begin_up = time.monotonic()
        net.next_blocks(3)
        pids = net.pids()
        watched = {"idle": idle, **pids}
        first, begin = net.height(), time.monotonic()
        before = {name: cpu_s(pid) for name, pid in watched.items()}
        last = first + args.seconds
        poll(lambda: net.height() >= last, f"block {last}", 5 * args.seconds, 0.5)  # node 0 pays for being asked
        seconds = time.monotonic() - begin
        used = {name: cpu_s(pid) - before[name] for name, pid in watched.items()}
        memory = {name: memory_mb(pid) for name, pid in watched.items()}
        intervals = intervals_of(net, first, last)
        signed = net.call(0, "block", height=str(last))["block"]["last_commit"]["signatures"]
    nodes = [name for name in pids if isinstance(name, int)]
    total = sum(used[name] for name in pids) / seconds / os.cpu_count()
    print(f"{args.validators} validators, {seconds:.0f} s ({begin - begin_up:.0f} s of warming up before), "
          f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}\n")
    print("| process | CPU ms/s, median | max | RSS MB, median | max | own MB, median | max |\n|---|---|---|---|---|---|---|")
    row(f"node, of {len(nodes)}", [used[n] for n in nodes], [memory[n] for n in nodes], seconds)
    for name in ("chain", "supervisor"):
        row(name, [used[name]], [memory[name]], seconds)
    row("idle http.server", [used["idle"]], [memory["idle"]], seconds)
    median = statistics.median(intervals)
    print(f"\nall together: {100 * total:.1f} % of the machine's CPU time, own memory "
          f"{sum(memory[name][1] for name in pids):.0f} MB")
    print(f"block intervals: p50 {median * 1000:.0f} ms, p99 {percentile(intervals, 0.99) * 1000:.0f} ms, most "
          f"{max(intervals) * 1000:.0f} ms; {sum(s['block_id_flag'] == 2 for s in signed)} of {len(signed)} signed")
    return total <= 0.5 and abs(median - 1) <= 0.05


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--validators", type=int, default=50)
    parser.add_argument("--seconds", type=int, default=60)
    args = parser.parse_args()
    need_stagger()
    sys.exit(0 if measure(args) else 1)


if __name__ == "__main__":
    main()
