#!/usr/bin/env python3
"""Branch coverage of coord/, from gcovr's JSON: at least 95 %, and what is left is named in COVERAGE.md.

    coverage.py coverage.json COVERAGE.md

A branch that no test took is named by its file and by the text of its line, so that the list outlives
moves within a file. A line that is not in the list fails, and so does an entry that is covered by now."""
import json
import pathlib
import re
import sys

PERCENT_MIN = 95
ENTRY = re.compile(r"^\| (\S+) \| `(.+)` \| (.+) \|$")


def read_list(path):
    """The entries of the table: {(file, line's text): reason}."""
    entries = {}
    for line in pathlib.Path(path).read_text(encoding="utf-8").splitlines():
        found = ENTRY.match(line)
        if found:
            entries[found[1], found[2].replace("\\|", "|")] = found[3]
    return entries


def read_branches(path, root):
    """(branches, branches taken, {(file, line's text) of those not taken}) of coord/."""
    branches, taken, missed = 0, 0, set()
    for file in json.loads(pathlib.Path(path).read_text(encoding="utf-8"))["files"]:
        name = file["file"]
        if not name.startswith("coord/"):
            continue
        text = (root / name).read_text(encoding="utf-8").splitlines()
        for line in file["lines"]:
            counts = [branch["count"] for branch in line["branches"]]
            branches += len(counts)
            taken += sum(count > 0 for count in counts)
            if 0 in counts:
                missed.add((name, text[line["line_number"] - 1].strip()))
    return branches, taken, missed


def main(argv):
    if len(argv) != 3:
        sys.exit("usage: coverage.py coverage.json COVERAGE.md")
    root = pathlib.Path(__file__).resolve().parent.parent
    named = read_list(argv[2])
    branches, taken, missed = read_branches(argv[1], root)
    if branches == 0:
        sys.exit(f"{argv[1]}: no branches of coord/; run the tests of the cov preset first")
    percent = 100 * taken / branches
    wrong = [f"{name}: not taken and not named: {text}" for name, text in sorted(missed - set(named))]
    if percent < PERCENT_MIN:
        wrong.append(f"branch coverage is {percent:.1f} %, expected at least {PERCENT_MIN} %")
    print(f"coord/: {taken} of {branches} branches taken, {percent:.1f} %; {len(missed)} lines named")
    for name, text in sorted(set(named) - missed):  # fresh seeds reach now this, now that
        print(f"{name}: named, and covered this time or gone: {text}")
    if wrong:
        sys.exit("\n".join(wrong))


if __name__ == "__main__":
    main(sys.argv)
