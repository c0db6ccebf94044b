"""One seed gives the same bytes of trace on every machine: compares the SHA-256 of some runs with those that
tests/data/golden.txt remembers, one "HASH ARGUMENTS" a line.

    STAGGER=build/dev/stagger python3 tests/golden.py            compares
    STAGGER=build/dev/stagger python3 tests/golden.py --update   remembers anew: say why in the commit
"""
import json
import os
import subprocess
import sys
from pathlib import Path

FILE = Path(__file__).resolve().parent / "data" / "golden.txt"


def digest(arguments):
    command = [os.environ["STAGGER"], "sim", *arguments.split(), "--digest", "--json", "-", "--quiet"]
    out = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    return json.loads(out.splitlines()[0])["trace_sha256"]


def main(update):
    lines = [line.split(" ", 1) for line in FILE.read_text().splitlines() if line]
    found = [(digest(arguments), arguments) for _, arguments in lines]
    if update:
        FILE.write_text("".join(f"{hash_} {arguments}\n" for hash_, arguments in found))
        return 0
    changed = [(old, new, a) for (old, a), (new, _) in zip(lines, found) if old != new]
    for old, new, arguments in changed:
        print(f"stagger sim {arguments} --digest: the trace was {old}, it is {new}")
    print(f"{len(lines)} traces, {len(changed)} changed")
    return 1 if changed or not lines else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] == ["--update"]))
