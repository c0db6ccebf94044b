"""Writes tests/PROOF.md: for each invariant its sentence, its checker, the broken variants that it catches, the model
that explores it, the search of small worlds that demands it, and the runs so far.

    python3 tests/proof.py                     writes the page; needs build/dev/tests/test_mutations and search_mutated
    python3 tests/proof.py --check             fails when the page is not what would be written

Sentences come from coord/README.md, variants from running them, runs from tests/data/sweeps.txt (one line a sweep:
runs, violations, undone, options of `stagger sim`).
"""
import collections
import re
import subprocess
import sys
from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent
PAGE = SOURCE / "tests" / "PROOF.md"
# Properties of tests/model/draw.pml that stand for an invariant; the others are about one agent's doings,
# which the model leaves out.
MODELS = {
    "floor": "FLOOR, THIRDS",
    "budget": "FLOOR",
    "pause-by-permit": "EPOCH, SAME",
    "one-pause": "ONE_PAUSE",
    "pause-expires": "IN_FLIGHT, EPOCH",
    "joins-bounded": "ONE_TURN",
}


SEARCH = ("search_judge.c", "search_local.c", "search_sets.c")


def invariants():
    text = (SOURCE / "coord" / "README.md").read_text()
    table = text[text.index("| name | sentence |"):]
    return re.findall(r"^\| `([a-z-]+)` \| (.*) \|$", table[: table.index("\n\n")], re.M)


def caught():
    out = subprocess.run([SOURCE / "build" / "dev" / "tests" / "test_mutations"], capture_output=True, text=True, check=True).stdout
    found = collections.defaultdict(list)
    for name, seed, violated in re.findall(r"^caught +(\S+) +seed (\d+) +([a-z,-]+):", out, re.M):
        for invariant in violated.split(","):
            found[invariant].append(f"{name} (seed {seed})")
    return found, out.strip().splitlines()[-1]


def caught_by_search():
    program = SOURCE / "build" / "dev" / "tests" / "search_mutated"
    script = SOURCE / "tests" / "model" / "search_mutations.py"
    out = subprocess.run([sys.executable, "-B", script, program], capture_output=True, text=True, check=True).stdout
    found = collections.defaultdict(list)
    for name, rule, blind in re.findall(r"^caught +(\S+) +world \S+ +([a-z-]+); blind: ([a-z-]+)", out, re.M):
        found[blind].append(name)
        if rule != blind:
            found[rule].append(name)
    return found, out.strip().splitlines()[-1]


def sweeps():
    lines = (SOURCE / "tests" / "data" / "sweeps.txt").read_text().splitlines()
    return [line.split(" ", 3) for line in lines if line and not line.startswith("#")]


def checkers(path):
    """invariant -> the function of this file that looks at it."""
    found, function = {}, ""
    for line in (SOURCE / path).read_text().splitlines():
        start = re.match(r"^(?:static )?\w+ \*?(\w+)\(", line)
        function = start.group(1) if start else function
        for name in re.findall(r'"([a-z]+(?:-[a-z]+)*)"', line):
            found.setdefault(name, function)
    return found


def searched():
    """invariant -> where the search of small worlds looks at it."""
    return {name: f"`{function}()` in `tests/model/{file}`"
            for file in SEARCH for name, function in checkers(f"tests/model/{file}").items()}


def by_search(name, places, found):
    if name not in places:
        return "none"
    return places[name] + (f"; catches {', '.join(found[name])}" if found[name] else "")


def page():
    found, verdict = caught()
    runs = sweeps()
    functions = checkers("sim/checks.c")
    places = searched()
    small, small_verdict = caught_by_search()
    known = {name for name, _ in invariants()}
    lost = set(found) - known
    if lost:
        sys.exit(f"coord/README.md does not list {', '.join(sorted(lost))}")
    out = ["# What is proven, and by what", "", "Written by `python3 tests/proof.py`; the sources of each column stand in that file.", ""]
    out += [f"- Broken variants of the rules: {verdict}."]
    out += [f"- Seeds run with random faults: {sum(int(r[0]) for r in runs):,}; violations: {sum(int(r[1]) for r in runs)}."]
    out += ["- The protocol as a model, with what spin rejects: [model/README.md](model/README.md)."]
    out += ["- Small worlds searched through with the core itself: [model/SEARCH.md](model/SEARCH.md)."]
    out += [f"- Broken variants in the search, every draw compared with one by hand: {small_verdict}.", ""]
    for name, sentence in invariants():
        out += [f"## `{name}`", "", sentence[0].upper() + sentence[1:] + ".", ""]
        out += [f"- checker: `{functions.get(name, '?')}()` in `sim/checks.c`"]
        out += [f"- broken variants it catches: {', '.join(found[name]) or 'none by itself'}"]
        out += [f"- model: {MODELS.get(name, 'none')}"]
        out += [f"- search: {by_search(name, places, small)}", ""]
    out += ["## Runs", "", "| runs | violations | undone | `stagger sim` |", "|---|---|---|---|"]
    out += [f"| {int(r[0]):,} | {r[1]} | {r[2]} | {r[3]} |" for r in runs]
    return "\n".join(out) + "\n"


def main(check):
    text = page()
    if check:
        same = PAGE.exists() and PAGE.read_text() == text
        print("tests/PROOF.md is as it would be written" if same else "tests/PROOF.md is old; run python3 tests/proof.py")
        return 0 if same else 1
    PAGE.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] == ["--check"]))
