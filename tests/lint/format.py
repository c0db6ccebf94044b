#!/usr/bin/env python3
"""Format lint: every C file looks as .clang-format says. With --fix it is made so.

Versions of clang-format differ in what they make of one configuration, so only version 14 counts;
exit 77 (skipped) where it is missing.

usage: format.py ROOT [--fix]
"""
import re
import shutil
import subprocess
import sys

import csource

VERSION = "14"


def find_formatter():
    for name in ("clang-format-" + VERSION, "clang-format"):
        path = shutil.which(name)
        if path:
            said = subprocess.run([path, "--version"], stdout=subprocess.PIPE, text=True).stdout
            if re.search(rf"version {VERSION}\.", said):
                return path
    return None


def run(formatter, root, *arguments):
    return subprocess.run([formatter, "--style=file", *arguments], cwd=root, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True)


def main():
    if len(sys.argv) not in (2, 3) or sys.argv[2:] not in ([], ["--fix"]):
        sys.exit("usage: format.py ROOT [--fix]")
    formatter = find_formatter()
    if not formatter:
        print(f"skipped: clang-format {VERSION} is not installed")
        sys.exit(77)
    root, files = sys.argv[1], csource.sources(sys.argv[1])
    if sys.argv[2:]:
        sys.exit(run(formatter, root, "-i", *files).returncode if files else 0)
    wrong = [path for path in files if run(formatter, root, "--dry-run", "-Werror", path).returncode]
    for path in wrong:
        print(f"{path}: not as .clang-format says")
    print(f"{len(files)} files, {len(wrong)} to be formatted; the target `format` does it")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
