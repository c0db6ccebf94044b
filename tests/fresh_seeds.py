"""Seeds that nobody has run before: a slice of fresh ones for every commit, taken from its hash.

    STAGGER=build/dev/stagger python3 tests/fresh_seeds.py                 as the test does
    STAGGER=build/dev/stagger python3 tests/fresh_seeds.py --hash abc123   another commit's slice
    STAGGER=build/dev/stagger python3 tests/fresh_seeds.py --times 50      fifty times as many

Random faults of all kinds and a twentieth of hostile members, at several sizes. No run may violate
an invariant, and when the faults have ended everybody gets done. What fails prints the command
that repeats it and a small scenario that fails in the same way. Without git, or in a tree without
its history, the slice is always the same one.
"""
import argparse
import hashlib
import os
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WORLD = ["--faults", "mixed", "--hostile", "0.05"]
SLICES = ((7, 1500), (21, 1000), (100, 250))  # validators, seeds: a minute of one core or less
NO_COMMIT = "0" * 40


def commit():
    """The commit that stands in the tree, or a fixed word where there is none to ask."""
    try:
        done = subprocess.run(["git", "-C", str(ROOT), "rev-parse", "HEAD"], capture_output=True,
                              text=True, check=False)
    except OSError:
        return NO_COMMIT
    return done.stdout.strip() if done.returncode == 0 else NO_COMMIT


def first_seed(commit_hash, validators):
    """Below 2^62, so that no slice wraps around; slices of two commits hardly ever overlap."""
    digest = hashlib.sha256(f"{commit_hash} {validators}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 2


def sweep(commit_hash, validators, count):
    first = first_seed(commit_hash, validators)
    command = [os.environ["STAGGER"], "sim", "--validators", str(validators), *WORLD,
               "--seeds", f"{first}..{first + count - 1}"]
    print(shlex.join(command), flush=True)
    return subprocess.run(command, check=False).returncode


def main():
    parser = argparse.ArgumentParser(description="Runs fresh seeds.")
    parser.add_argument("--hash", default=commit(), help="of the commit (default: the tree's)")
    parser.add_argument("--times", type=int, default=1, help="so many times as many seeds")
    options = parser.parse_args()
    print(f"commit {options.hash}")
    failed = [validators for validators, count in SLICES
              if sweep(options.hash, validators, count * options.times) != 0]
    if failed:
        print(f"failed at {', '.join(map(str, failed))} validators; the commands are above")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
