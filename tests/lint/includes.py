#!/usr/bin/env python3
"""Include lint: dependencies point one way.

    coord  <-  proto  <-  node          node and sim never see each other;
    coord  <-  proto  <-  sim           node/main.c, the command table, is the one place that sees both
    tests see everything

Beyond that coord/ reads no clock, opens nothing and draws no entropy: it includes a short list of
standard headers, and SHA-256 in one file. A driver (node/chain_*.c, node/runtime_*.c and so on)
sees the interface of its kind, never another driver. What protobuf-c generates (NAME.pb-c.h, from
proto/NAME.proto) and its own headers are seen by proto/'s .c files and private headers only.

usage: includes.py ROOT
"""
import os
import re
import sys

import csource

MAY_SEE = {
    "coord": {"coord"},
    "proto": {"coord", "proto"},
    "node": {"coord", "proto", "node"},
    "sim": {"coord", "proto", "sim"},
    "tests": {"coord", "proto", "node", "sim", "tests"},
}
COMMAND_TABLE = "node/main.c"
CORE_HEADERS = {
    "assert.h", "inttypes.h", "limits.h", "stdalign.h", "stdarg.h", "stdbool.h", "stddef.h", "stdint.h",
    "stdio.h",   # snprintf; the symbol lint refuses the rest of it
    "stdlib.h",  # malloc and free; the symbol lint refuses the rest of it
    "string.h",
}
HASH_HEADERS = {"openssl/sha.h", "openssl/evp.h"}
GENERATED = re.compile(r"(\w+)\.pb-c\.h$")
SEES_GENERATED = re.compile(r"proto/(?:\w+\.c|\w+_internal\.h|bounded\.h)$")
# What the files of one kind share (node/chain_internal.h) is no driver.
DRIVER = re.compile(r"node/((?:chain|runtime|transport|store)_(?!internal\.)\w+)\.[ch]$")


def driver(path):
    match = DRIVER.match(path)
    return match[1] if match else None


def wrong_generated(path, name, exists):
    if not SEES_GENERATED.match(path):
        return f'generated types stay inside proto/ ("{name}")'
    source = "proto/" + GENERATED.match(name)[1] + ".proto"
    return None if exists(source) else f'"{name}" has no {source}'


def wrong_quoted(path, name, exists):
    if GENERATED.match(name):
        return wrong_generated(path, name, exists)
    folder, target = path.split("/")[0], name.split("/")[0]
    if "/" not in name or ".." in name.split("/"):
        return f'"{name}" is not written from the root; write "{folder}/{os.path.basename(name)}"'
    if not exists(name):
        return f'"{name}" does not exist'
    if not name.endswith(".h") and folder != "tests":
        return f'"{name}" is no header'
    allowed = MAY_SEE[folder] | ({"sim"} if path == COMMAND_TABLE else set())
    if target not in allowed:
        return f'{folder}/ may not see {target}/ ("{name}")'
    if driver(path) and driver(name) and driver(path) != driver(name):
        return f'a driver may not see another driver ("{name}")'
    return None


def check(paths, text_of, exists):
    """The complaints about the C files `paths`, one line each."""
    complaints, hashers = [], {}
    for path in paths:
        for line, kind, name in csource.includes(text_of(path)):
            wrong = None
            if kind == '"':
                wrong = wrong_quoted(path, name, exists)
            elif name.startswith("protobuf-c/") and not SEES_GENERATED.match(path):
                wrong = f"<{name}>: protobuf-c stays inside proto/"
            elif path.startswith("coord/") and name in HASH_HEADERS:
                hashers.setdefault(path, line)
            elif path.startswith("coord/") and name not in CORE_HEADERS:
                wrong = f"<{name}> is not among the headers that the core may use"
            if wrong:
                complaints.append(f"{path}:{line}: {wrong}")
    for path in sorted(hashers)[1:]:
        complaints.append(f"{path}:{hashers[path]}: SHA-256 is already used by {min(hashers)};"
                          " call that instead of the library")
    return complaints


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: includes.py ROOT")
    root = sys.argv[1]
    paths = csource.sources(root)
    complaints = check(paths, lambda path: csource.read(root, path),
                       lambda name: os.path.isfile(os.path.join(root, name)))
    for complaint in complaints:
        print(complaint)
    print(f"{len(paths)} files, {len(complaints)} wrong includes")
    sys.exit(1 if complaints else 0)


if __name__ == "__main__":
    main()
