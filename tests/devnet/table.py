#!/usr/bin/env python3
"""The table of what was seen on running networks of the real chains, line by line, against `stagger devnet`: the same
stage (CheckTx or block), code, codespace and words, the same effect on fee and sequence, before and after a restart
of everything. Transactions come from an encoder of the tests' own (wire.py).

    STAGGER=build/dev/stagger python3 tests/devnet/table.py [GROUP...] [--list] [--at-once N]

Not here, because they are sekaid's command line and not a network's: `export` after the halt,
`new-genesis-from-exported`, `validate-genesis`.
"""
import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import table_dcl  # noqa: E402
import table_kira  # noqa: E402
from lines import run_groups  # noqa: E402
from net import need_stagger  # noqa: E402


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("groups", nargs="*")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--at-once", type=int, default=6)
    args = parser.parse_args()
    groups = {g.__name__: g for g in table_kira.GROUPS + table_dcl.GROUPS}
    if args.list:
        for name, group in groups.items():
            print(f"{name:16} {group.__doc__}")
        return
    need_stagger()
    wanted = [groups[name] for name in args.groups] or list(groups.values())
    sys.exit(1 if run_groups(wanted, args.at_once) else 0)


if __name__ == "__main__":
    main()
