"""Runs every shipped scenario, and whole networks, and has the runs judged by others than the simulator:

    the scenario's own expectations     by `stagger sim` itself
    judge_results.py                    recomputes the results row from the trace
    test_view_trace                     feeds a view of its own with the trace's blocks, compares the draws
    check_trace.py                      of the shared tools, where they are there

    STAGGER=build/dev/stagger VIEW_TRACE=build/dev/tests/test_view_trace python3 tests/scenarios.py [NAME...]

Every failure prints the command that repeats it.
"""
import json
import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("STAGGER_SHARED") or SOURCE.parent / "shared")
STAGGER = os.environ["STAGGER"]
VIEW_TRACE = os.environ.get("VIEW_TRACE") and Path(os.environ["VIEW_TRACE"]).resolve()
CHECK_TRACE = SHARED / "tools" / "check_trace.py"
JUDGE = SOURCE / "tests" / "judge_results.py"


def run(command, **more):
    return subprocess.run([str(c) for c in command], capture_output=True, text=True, check=False, **more)


def tail(result):
    return (result.stdout + result.stderr).strip()[-600:]


def expected_exit(name):
    text = (SOURCE / "sim" / "scenarios" / f"{name}.scn").read_text()
    found = re.search(r"^expect exit (\d)$", text, re.M)
    return int(found.group(1)) if found else None


def judge(arguments, want, all_done, folder):
    """The complaints about one run; none when all is well."""
    trace, row = folder / "trace.jsonl", folder / "row.json"
    command = [STAGGER, "sim", *arguments, "--quiet", "--trace", trace, "--json", row]
    ran = run(command)
    said = "repeat: " + " ".join(str(c) for c in command[:-4])
    if ran.returncode in (1, 3) or (want is not None and ran.returncode != want):
        return [f"exit status {ran.returncode}, expected {want}: {tail(ran)}; {said}"]
    complaints = []
    verdict = run([sys.executable, JUDGE, trace, row])
    if verdict.returncode:
        complaints.append(f"judge_results: {tail(verdict)}; {said}")
    if VIEW_TRACE:
        own = run([VIEW_TRACE], cwd=folder, env={**os.environ, "STAGGER_TRACE": str(trace)})
        if own.returncode:
            complaints.append(f"test_view_trace: {tail(own)}; {said}")
    if CHECK_TRACE.exists():
        done = json.loads(row.read_text().splitlines()[0])
        flags = ["--all-done"] if all_done or (want == 0 and done["done"] == done["agents"]) else []
        checked = run([sys.executable, CHECK_TRACE, trace, *flags])
        if checked.returncode:
            complaints.append(f"check_trace: {tail(checked)}; {said}")
    return complaints


def networks():
    """Whole networks: the bundled one always, the real ones where the shared data is."""
    yield "bundled network", ["--genesis", "synthetic", "--min-validators", "200", "--seed", "7"]
    yield "lossless", ["--validators", "60", "--seed", "5", "--loss", "0"]
    yield "gossip dead", ["--validators", "60", "--seed", "5", "--loss", "1"]
    yield "nobody gossips", ["--validators", "60", "--seed", "5", "--gossip", "0"]
    yield "hostile gossip", ["--validators", "60", "--seed", "5", "--gossip", "60", "--hostile", "0.15",
                             "--hostile-kinds", "gossip"]
    yield "five agents", ["--genesis", "synthetic", "--min-validators", "200", "--agents", "5"]
    for name, more in (("testnet-9", ["--min-validators", "200"]), ("testnet-6", [])):
        path = SHARED / "data" / f"{name}-genesis.json"
        if path.exists():
            yield name, ["--genesis", str(path), "--seed", "7", *more]


def cases(wanted):
    listed = run([STAGGER, "sim", "--list-scenarios"]).stdout
    names = [line.split()[0] for line in listed.splitlines() if line.strip()]
    for name in names:
        if (SOURCE / "sim" / "scenarios" / f"{name}.scn").exists() and (not wanted or name in wanted):
            yield name, ["--scenario", name], expected_exit(name), False
    vote = SOURCE / "tests" / "data" / "min-validators-vote.scn"
    if not wanted:
        for name, arguments in networks():
            yield name, arguments, 0, True
        ran = run([STAGGER, "sim", "--scenario", vote, "--quiet"])
        if ran.returncode:  # its charter changes under way, which a trace cannot say
            sys.exit(f"min-validators-vote: {tail(ran)}; repeat: {STAGGER} sim --scenario {vote}")


def permits(arguments):
    """The epoch lines and the makespan of a run."""
    with tempfile.TemporaryDirectory() as folder:
        trace = Path(folder) / "t"
        row = json.loads(run([STAGGER, "sim", *arguments, "--trace", trace, "--json", "-", "--quiet"]).stdout)
        return [line for line in trace.read_text().splitlines() if '"epoch",' in line], row["makespan_s"]


def check_gossip_decides_nothing():
    for size in ("21", "100"):
        base = ["--validators", size, "--seed", "11", "--reboot", "lognormal:300s,0.4", "--gossip", size]
        with_gossip, without = permits(base + ["--loss", "0"]), permits(base + ["--loss", "1"])
        if with_gossip[0] != without[0] or abs(with_gossip[1] - without[1]) > 0.01 * with_gossip[1]:
            return [f"gossip changes the permits or the makespan of {size} validators"]
    return []


def check_gossip_is_heard():
    """Agents whose nodes lag learn it from the others, and from nobody else."""
    with tempfile.TemporaryDirectory() as folder:
        story, trace = Path(folder) / "lag.scn", Path(folder) / "t"
        story.write_text("# Nodes lag.\nvalidators 30\nseed 3\nat 10s lag 1,2,3,4,5 by 15 blocks for 10m\n")
        for speakers, heard in (("30", True), ("0", False)):
            run([STAGGER, "sim", "--scenario", story, "--gossip", speakers, "--trace", trace, "--quiet"])
            if ("others see blocks" in trace.read_text()) != heard:
                return [f"with --gossip {speakers} lagging agents are told: {not heard}"]
    return []


def main(wanted):
    failures = []
    if not wanted:
        failures += check_gossip_decides_nothing() + check_gossip_is_heard()

    def one(case):
        name, arguments, want, all_done = case
        with tempfile.TemporaryDirectory() as folder:
            return name, judge(arguments, want, all_done, Path(folder))

    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(one, cases(wanted)))
    for name, complaints in results:
        print(f"{'FAILED' if complaints else 'ok    '} {name}")
        failures += [f"{name}: {c}" for c in complaints]
    for failure in failures:
        print(failure)
    print(f"{len(results)} runs, {len(failures)} failures")
    return 1 if failures or not results else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
