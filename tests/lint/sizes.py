#!/usr/bin/env python3
"""Size report: how long the functions and files are, and a failure where one is too long.

The house rule is a median of about 13 lines, nearly all functions under 50, none over 70, files
under 600 lines. The report shows that; what fails is the hard limit behind it.

usage: sizes.py ROOT
"""
import statistics
import sys

import csource

FUNCTION_LIMIT = 80
FILE_LIMIT = 700
FILE_WISH = 600
LONGEST = 10


def measure(paths, text_of):
    """([(lines, "file:line", name)], [(lines, file)])"""
    functions, files = [], []
    for path in paths:
        text = text_of(path)
        files.append((text.count("\n"), path))
        for name, first, last, _ in csource.functions(text):
            functions.append((last - first + 1, f"{path}:{first}", name))
    return functions, files


def percentile(values, percent):
    """The smallest value that `percent` of the values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


def summary(title, functions, files):
    lines = [count for count, _, _ in functions]
    text = f"{title}: {len(files)} files, {sum(count for count, _ in files)} lines"
    if lines:
        text += (f"; {len(lines)} functions, median {statistics.median(lines):g} lines,"
                 f" 90th percentile {percentile(lines, 90)}, longest {max(lines)}")
    return text


def too_long(functions, files):
    return ([f"{where}: {name}() has {lines} lines, the limit is {FUNCTION_LIMIT}"
             for lines, where, name in functions if lines > FUNCTION_LIMIT]
            + [f"{path}: {lines} lines, the limit is {FILE_LIMIT}"
               for lines, path in files if lines > FILE_LIMIT])


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: sizes.py ROOT")
    root = sys.argv[1]
    functions, files = measure(csource.sources(root), lambda path: csource.read(root, path))
    for title, wanted in (("source", False), ("tests", True)):
        print(summary(title, [f for f in functions if f[1].startswith("tests/") == wanted],
                      [f for f in files if f[1].startswith("tests/") == wanted]))
    print("longest functions:")
    for lines, where, name in sorted(functions, key=lambda f: (-f[0], f[1]))[:LONGEST]:
        print(f"  {lines:4} {name} ({where})")
    print(f"files over {FILE_WISH} lines:")
    for lines, path in sorted(files, reverse=True):
        if lines > FILE_WISH:
            print(f"  {lines:4} {path}")
    complaints = too_long(functions, files)
    for complaint in complaints:
        print(complaint)
    sys.exit(1 if complaints else 0)


if __name__ == "__main__":
    main()
