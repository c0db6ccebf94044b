"""Broken variants of the core, each in a small world: the search must notice every one that it can, in the draws
themselves and, with --blind, by what follows from them.

    python3 tests/model/search_mutations.py build/dev/tests/search_mutated          all of them
    python3 tests/model/search_mutations.py build/dev/tests/search_mutated NAME     one, with how to repeat it
"""
import re
import subprocess
import sys
from pathlib import Path

HEADER = Path(__file__).resolve().parent.parent.parent / "coord" / "mutation.h"
# The world in which a variant shows itself; `four` where none is named.
WORLDS = {
    "FAILED_PAUSE_HAPPENED": "failing",
    "FOREIGN_IGNORED": "foreign",
    "NO_CHECK_AT_LEFT": "silent",
    "REFERENCE_RATCHETS": "mixed",
    "REFUSED_JOIN_COUNTS": "failing",
}
OUTSIDE = {
    "DRAW_WITHOUT_BLOCKS": "every view of the search has every block",
    "WINDOW_STAYS_OPEN": "no upgrade is ever pending",
}


def variants():
    return re.findall(r"^    X\((\w+)\)", HEADER.read_text(), re.M)


def search(program, world, variant, *options):
    """(whether a rule was seen to be broken, its name or what happened instead, stderr)"""
    run = subprocess.run([program, world, "--mutation", variant, *options], capture_output=True, text=True)
    found = re.match(r"VIOLATION of ([a-z-]+) ", run.stderr)
    if run.returncode == 1 and found:
        return True, found.group(1), run.stderr
    return False, "nothing" if run.returncode == 0 else f"exit status {run.returncode}", run.stderr


def attempt(program, variant):
    world = WORLDS.get(variant, "four")
    seen, rule, said = search(program, world, variant)
    blind_seen, blind_rule, blind_said = search(program, world, variant, "--blind")
    caught = seen and blind_seen
    print(f"{'caught  ' if caught else 'SURVIVED'} {variant:<22} world {world:<8} {rule}; blind: {blind_rule}")
    return caught, said + blind_said


def main(program, names):
    failures = 0
    for name in names or variants():
        if name in OUTSIDE:
            print(f"outside  {name:<22} {OUTSIDE[name]}")
            continue
        caught, said = attempt(program, name)
        failures += not caught
        if names:
            print(said, end="")
    if not names:
        alarm, rule, _ = search(program, "four", "NONE")
        failures += alarm or rule != "nothing"
        print(f"{len(variants())} variants, {len(OUTSIDE)} outside, {failures} failures")
    return failures > 0


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1], sys.argv[2:]))
