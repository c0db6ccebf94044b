#!/usr/bin/env python3
"""How long a whole upgrade takes under the draw, beside the ideal coordinators.

Runs `stagger sim` over many seeds and prints Markdown tables. A makespan is the median over the
seeds; a ratio is one of two medians. Every strategy sees the same worlds, seed by seed.

usage: makespan.py [--stagger FILE] [--seeds N] [--jobs J] [PART...]

Parts, all by default:
    required    the ratios that must hold, at 100 and 1,000 validators; if one does not, status 1
    floor       what the other strategies do to the floor
    epochs      W against block time and reboot length
    alignment   reboots one block longer at a time
    latency     W against block time and the way from an agent to the next proposer
    forecast    what an imprecise forecast costs, and the order without classes
    nearer      what brings the makespan nearer to the lower bound
"""
import argparse
import json
import os
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
STAGGER = os.path.join(HERE, "..", "..", "build", "release", "stagger")
LIMIT = 1.05
NETWORK = ["--validators", "100", "--min-validators", "67"]
LARGE = ["--validators", "1000", "--min-validators", "670"]
CONSTANT = ["--reboot", "300s"]
LOGNORMAL = ["--reboot", "lognormal:300s,0.4"]
WITHOUT = ["--no-agent", "0.1"]


class Bench:
    """Runs of one executable; what was run once is not run again."""

    def __init__(self, stagger, seeds, jobs):
        self.stagger = stagger
        self.seeds = seeds
        self.jobs = jobs
        self.known = {}
        self.failed = []

    def rows(self, strategy, args, seeds=None):
        """The result rows of the seeds 1..seeds."""
        seeds = seeds or self.seeds
        key = (strategy, tuple(args), seeds)
        if key not in self.known:
            self.known[key] = self.run(strategy, args, seeds)
        return self.known[key]

    def run(self, strategy, args, seeds):
        command = [self.stagger, "sim", *args, "--strategy", strategy, "--seeds", f"1..{seeds}",
                   "--jobs", str(self.jobs), "--json", "-", "--quiet"]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
        rows = [json.loads(line) for line in done.stdout.splitlines()]
        rows = [row for row in rows if "summary" not in row]
        if len(rows) != seeds:
            sys.exit(f"makespan.py: exit status {done.returncode} of: {' '.join(command)}")
        if done.returncode != 0 and "--until" not in args:  # who is stopped early is undone
            self.failed.append(f"exit status {done.returncode} of: {' '.join(command)}")
        return rows

    def median(self, strategy, args, key="makespan_s", seeds=None):
        values = [row[key] for row in self.rows(strategy, args, seeds)]
        if None in values:
            sys.exit(f"makespan.py: nobody came back: {strategy} {' '.join(args)}")
        return statistics.median(values)


def print_table(head, rows):
    print("| " + " | ".join(head) + " |")
    print("|" + "---|" * len(head))
    for row in rows:
        print("| " + " | ".join(str(cell) for cell in row) + " |", flush=True)
    print()


# --- required ---

def required(bench):
    """The ratios that must hold. Log-normal reboots are held against `omniscient` only: `central`,
    which does not know who is slow, is beaten easily."""
    print(f"## Required: at most {LIMIT} (medians of {bench.seeds} seeds, 6 s blocks, W = 3)\n")
    rows = []
    for size, network in ((100, NETWORK), (1000, LARGE)):
        for people, without in (("all", []), ("90 %", WITHOUT)):
            for name, reboot in (("300 s", CONSTANT), ("log-normal 300 s, 0.4", LOGNORMAL)):
                args = network + reboot + without
                rows.append(required_row(bench, [f"{size:,}", name, people], args))
    print_table(["N", "reboot", "agents", "draw s", "central s", "omniscient s", "draw / central",
                 "draw / omniscient", "draw / lower bound", ""], rows)


def required_row(bench, names, args):
    draw, central, omniscient = (bench.median(s, args) for s in ("draw", "central", "omniscient"))
    bound = bench.median("draw", args, "lower_bound_s")
    met = draw <= LIMIT * omniscient and (LOGNORMAL[1] in args or draw <= LIMIT * central)
    if not met:
        bench.failed.append(f"above {LIMIT}: {' '.join(args)}")
    return names + [f"{draw:.0f}", f"{central:.0f}", f"{omniscient:.0f}", f"{draw / central:.3f}",
                    f"{draw / omniscient:.3f}", f"{draw / bound:.2f}", "met" if met else "MISSED"]


# --- floor ---

def floor(bench):
    print(f"## The floor (N = 100, log-normal 300 s, 0.4; medians of {bench.seeds} seeds)\n")
    args = NETWORK + LOGNORMAL
    rows = []
    for strategy in ("draw", "central", "omniscient", "one-lock", "random-delay", "all-at-once"):
        makespan, live, below, halted, missed = (bench.median(strategy, args, key) for key in (
            "makespan_s", "min_live", "blocks_below_floor", "halted_s", "missed_blocks_in_set"))
        rows.append([strategy, f"{makespan:.0f}", f"{live:.0f}", f"{below:.0f}", f"{halted:.0f}",
                     f"{missed:.0f}"])
    print_table(["strategy", "makespan s", "least live (floor 67)", "blocks below the floor",
                 "halted s", "blocks missed in the set"], rows)


# --- epochs ---

BLOCKS_S = (1, 3, 6, 12)
REBOOTS = ("60s", "300s", "900s", "lognormal:60s,0.4", "lognormal:300s,0.4", "lognormal:900s,0.4")
EPOCHS = range(2, 11)


def epochs(bench):
    seeds = max(bench.seeds // 5, 1)
    print(f"## W (N = 100; draw / omniscient, medians of {seeds} seeds; the least in bold)\n")
    rows = []
    for block_s in BLOCKS_S:
        for reboot in REBOOTS:
            args = NETWORK + ["--block-time", f"{block_s}s", "--reboot", reboot]
            omniscient = bench.median("omniscient", args, seeds=seeds)
            ratios = [bench.median("draw", args + ["--epoch-blocks", str(w)], seeds=seeds) /
                      omniscient for w in EPOCHS]
            rows.append([f"{block_s} s", reboot, f"{omniscient:.0f}"] + embolden(ratios))
    print_table(["block", "reboot", "omniscient s"] + [f"W {w}" for w in EPOCHS], rows)


def embolden(ratios):
    least = f"{min(ratios):.3f}"
    texts = [f"{ratio:.3f}" for ratio in ratios]
    return [f"**{text}**" if text == least else text for text in texts]


# --- alignment ---

def alignment(bench):
    seeds = max(bench.seeds // 5, 1)
    print(f"## Alignment (N = 100, 6 s blocks, constant reboots; draw / omniscient, medians of "
          f"{seeds} seeds)\n")
    rows = []
    for more in range(7):
        reboot = f"{300 + 6 * more}s"
        args = NETWORK + ["--reboot", reboot]
        omniscient = bench.median("omniscient", args, seeds=seeds)
        ratios = [bench.median("draw", args + ["--epoch-blocks", str(w)], seeds=seeds) / omniscient
                  for w in range(2, 7)]
        rows.append([reboot, f"{omniscient:.0f}"] + [f"{ratio:.3f}" for ratio in ratios])
    print_table(["reboot", "omniscient s"] + [f"W {w}" for w in range(2, 7)], rows)


# --- latency ---

def latency(bench):
    """Few seeds, and an end: where permits lapse in masses, an upgrade takes days."""
    seeds = max(bench.seeds // 10, 1)
    print("## Latency (N = 100, log-normal 300 s, 0.4; makespan in s, or how many are done after 6 "
          f"hours, and permits that lapsed; medians of {seeds} seeds)\n")
    rows = []
    for block_s in (1, 6):
        for median_ms in (80, 400, 800, 1600):
            args = NETWORK + LOGNORMAL + ["--block-time", f"{block_s}s", "--latency",
                                          f"{median_ms}ms", "--until", "6h"]
            cells = []
            for w in range(2, 9):
                way = args + ["--epoch-blocks", str(w)]
                lapsed = bench.median("draw", way, "permits_unused", seeds)
                done = bench.median("draw", way, "done", seeds)
                makespan = bench.median("draw", way, seeds=seeds)
                text = f"{makespan:.0f}" if done == 100 else f"{done:.0f} done"
                cells.append(text + (f" ({lapsed:.0f})" if lapsed else ""))
            rows.append([f"{block_s} s", f"{median_ms} ms"] + cells)
    print_table(["block", "median latency"] + [f"W {w}" for w in range(2, 9)], rows)


# --- forecast ---

def forecast(bench):
    print(f"## Forecast (log-normal 300 s, 0.4; draw / omniscient, medians of {bench.seeds} seeds; "
          "N = 1,000: a fifth of them)\n")
    few = max(bench.seeds // 5, 1)
    networks = ((NETWORK, bench.seeds), (NETWORK + WITHOUT, bench.seeds), (LARGE, few))
    ways = [("long-first, error " + error, ["--forecast", error])
            for error in ("0", "0.1", "0.2", "0.4", "0.8")]
    ways.append(("plain", ["--order", "plain"]))
    rows = []
    for name, way in ways:
        row = [name]
        for network, seeds in networks:
            args = network + LOGNORMAL
            omniscient = bench.median("omniscient", args, seeds=seeds)
            draw = bench.median("draw", args + way, seeds=seeds)
            row += [f"{draw:.0f}", f"{draw / omniscient:.3f}"]
        rows.append(row)
    central = [bench.median("central", network + LOGNORMAL, seeds=seeds) /
               bench.median("omniscient", network + LOGNORMAL, seeds=seeds)
               for network, seeds in networks]
    print_table(["order and relative error", "N = 100, s", "ratio", "90 % agents, s", "ratio",
                 "N = 1,000, s", "ratio"], rows)
    print("`central`, which takes people as they come, for comparison: " +
          ", ".join(f"{ratio:.3f}" for ratio in central) + ".\n")


# --- nearer ---

def nearer(bench):
    print(f"## Nearer to the lower bound (N = 100, medians of {bench.seeds} seeds)\n")
    ways = [("as it is: W 3, 6 s blocks, default reserve", []),
            ("W 2", ["--epoch-blocks", "2"]),
            ("reserve 2", ["--reserve", "2"]),
            ("reserve 0", ["--reserve", "0"]),
            ("3 s blocks", ["--block-time", "3s"]),
            ("1 s blocks", ["--block-time", "1s"]),
            ("1 s blocks, W 4, reserve 0",
             ["--block-time", "1s", "--epoch-blocks", "4", "--reserve", "0"])]
    rows = []
    for name, way in ways:
        row = [name]
        for reboot in (CONSTANT, LOGNORMAL):
            args = NETWORK + reboot + way
            draw, bound = bench.median("draw", args), bench.median("draw", args, "lower_bound_s")
            omniscient = bench.median("omniscient", args)
            row += [f"{draw:.0f}", f"{bound:.0f}", f"{draw / bound:.3f}",
                    f"{omniscient / bound:.3f}"]
        rows.append(row)
    head = ["s", "bound s", "draw / bound", "omniscient / bound"]
    print_table([""] + ["300 s: " + head[0]] + head[1:] + ["log-normal: " + head[0]] + head[1:],
                rows)


PARTS = {part.__name__: part for part in (required, floor, epochs, alignment, latency, forecast,
                                        nearer)}


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stagger", default=STAGGER, metavar="FILE", help="a release build")
    parser.add_argument("--seeds", type=int, default=50, metavar="N", help="default 50")
    parser.add_argument("--jobs", type=int, default=1, metavar="J", help="threads; default 1")
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    options = parser.parse_args()
    unknown = [part for part in options.parts if part not in PARTS]
    if unknown:
        sys.exit(f"makespan.py: {unknown[0]}: no such part; {', '.join(PARTS)}")
    if not os.access(options.stagger, os.X_OK):
        sys.exit(f"makespan.py: {options.stagger}: no executable; build it with "
                 "`cmake --preset release && cmake --build --preset release`, or give --stagger")
    if options.seeds < 1 or options.jobs < 1:
        sys.exit("makespan.py: --seeds and --jobs: whole numbers from 1 on were expected")
    bench = Bench(options.stagger, options.seeds, options.jobs)
    for name in options.parts or PARTS:
        PARTS[name](bench)
    for complaint in bench.failed:
        print(complaint, file=sys.stderr)
    sys.exit(1 if bench.failed else 0)


if __name__ == "__main__":
    main()
