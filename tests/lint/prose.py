#!/usr/bin/env python3
"""Prose lint: the repository speaks to whoever clones it, so it names no path or package mirror of
the machine on which somebody happens to work. Optional data beside the repository (../shared) is
named in scripts, tests and documents only, never in the source of the program.

usage: prose.py ROOT
"""
import re
import sys

import csource

# The first is put together so that this file does not contain what it looks for.
ANYWHERE = [
    (re.compile(r"(?<![\w.])/" + r"work/"), "a path of one machine"),
    (re.compile(r"(?<![\w.])/(?:home|Users)/[a-z]\w*/"), "a path of one machine"),
    (re.compile(r"\b[\w-]+\.pkg\.dev\b|\bartifactory\.\w"), "a package mirror of one machine"),
]
PROGRAM = [(re.compile(r"\.\./shared\b"), "data beside the repository, in the program's source")]
PROGRAM_FILE = re.compile(r"(coord|proto|node|sim)/.*\.[ch]$")


def check(paths, text_of):
    """The complaints about the files `paths`, one line each."""
    complaints = []
    for path in paths:
        rules = ANYWHERE + (PROGRAM if PROGRAM_FILE.match(path) else [])
        for number, line in enumerate(text_of(path).split("\n"), 1):
            for pattern, what in rules:
                match = pattern.search(line)
                if match:
                    complaints.append(f"{path}:{number}: {match[0]!r} is {what}")
    return complaints


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: prose.py ROOT")
    root = sys.argv[1]
    paths = csource.tracked(root)
    complaints = check(paths, lambda path: csource.read(root, path))
    for complaint in complaints:
        print(complaint)
    print(f"{len(paths)} files, {len(complaints)} complaints")
    sys.exit(1 if complaints else 0)


if __name__ == "__main__":
    main()
