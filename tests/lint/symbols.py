#!/usr/bin/env python3
"""Undefined-symbol lint: what the core library asks of the outside world.

Includes can be worked around, the linker cannot. The library may ask for what ALLOWED lists, so for
no clock, file, socket, environment or entropy. Memory is taken and given back only by functions
named *_create and *_destroy and their helpers: the lint looks the calls up in the source of the
object that asks for malloc.

usage: symbols.py NM ARCHIVE ROOT FOLDER        e.g. symbols.py nm libstagger_coord.a . coord
The objects must hold machine code, so not be built for optimisation at link time.
"""
import re
import subprocess
import sys

import csource

# qsort is left out on purpose: glibc's takes memory for all but small arrays.
ALLOWED = {
    # memory and strings that the caller owns
    "memchr", "memcmp", "memcpy", "memmove", "memset",
    "strchr", "strcmp", "strlen", "strncmp", "strnlen",
    # sentences; the number forms that are used do not depend on the locale
    "snprintf", "vsnprintf",
    # assertions, kept in every build
    "__assert_fail",
    # SHA-256 of libcrypto
    "EVP_DigestFinal_ex", "EVP_DigestInit_ex2", "EVP_DigestUpdate",
    "EVP_MD_CTX_free", "EVP_MD_CTX_new", "EVP_MD_fetch", "EVP_MD_free",
    # what the compiler and the linker add
    "__stack_chk_fail", "_GLOBAL_OFFSET_TABLE_",
    "__memcpy_chk", "__memmove_chk", "__memset_chk", "__snprintf_chk", "__vsnprintf_chk",
}
ALLOCATING = {"malloc", "calloc", "free"}
INSTRUMENTS = re.compile(
    r"__(start_|stop_)?_*(asan|ubsan|lsan|sanitizer|sancov|gcov|llvm)_")
OWNERS = re.compile(r"(^|_)(create|destroy)$")


def undefined(listing):
    """{object: symbols} that no other object of the archive defines. `listing` is nm's output in POSIX
    form: `archive[object]: name type value size`, or `archive[object]:` and the names below it."""
    asked, defined, current = {}, set(), "?"
    for line in listing.split("\n"):
        match = re.match(r".*\[([^\]]+)\]:\s*(.*)$", line)
        if match:
            current, line = match[1], match[2]
        words = line.split()
        if len(words) < 2:
            continue
        if words[1] in "UwvV" and len(words) == 2:
            asked.setdefault(current, set()).add(words[0])
        elif words[1].isupper():
            defined.add(words[0])
    return {name: symbols - defined for name, symbols in asked.items()}


def may_allocate(name, functions):
    """An owner may, and a helper that only owners of the same file call."""
    callers = [caller for caller, _, _, body in functions
               if caller != name and re.search(rf"\b{name}\s*\(", body)]
    return OWNERS.search(name) or (callers and all(OWNERS.search(caller) for caller in callers))


def stray_allocations(source):
    """(function, call) where the allocator is called by a function that may not."""
    functions = csource.functions(source)
    return [(name, call) for name, _, _, body in functions
            for call in sorted(set(re.findall(r"\b(malloc|calloc|realloc|free)\s*\(", body)))
            if not may_allocate(name, functions)]


def check(listing, source_of):
    """The complaints about an archive; source_of(object) is the C text it was built from."""
    complaints = []
    for name, symbols in sorted(undefined(listing).items()):
        for symbol in sorted(symbols - ALLOWED - ALLOCATING):
            if not INSTRUMENTS.match(symbol):
                complaints.append(f"{name}: the core may not use {symbol}")
        if symbols & ALLOCATING:
            for function, call in stray_allocations(source_of(name)):
                complaints.append(f"{name}: {function}() calls {call}();"
                                  " only *_create and *_destroy may")
    return complaints


def main():
    if len(sys.argv) != 5:
        sys.exit("usage: symbols.py NM ARCHIVE ROOT FOLDER")
    nm, archive, root, folder = sys.argv[1:]
    listing = subprocess.run([nm, "-P", "-A", archive], check=True, text=True,
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    if not undefined(listing):
        sys.exit(f"{archive}: {nm} lists no symbols; is it built for optimisation at link time?")
    complaints = check(listing, lambda name: csource.read(
        root, folder + "/" + re.sub(r"(\.c)?\.o(bj)?$", ".c", name)))
    for complaint in complaints:
        print(complaint)
    print(f"{len(undefined(listing))} objects, {len(complaints)} wrong symbols")
    sys.exit(1 if complaints else 0)


if __name__ == "__main__":
    main()
