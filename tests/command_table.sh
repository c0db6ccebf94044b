#!/bin/sh
# The command table: help, version, and one line with status 1 for what it does not know.
set -u
failed=0

# expect STATUS LINES_OF_ERRORS COMMAND...: runs it and compares; the output stays in $out
expect() {
    status=$1 lines=$2
    shift 2
    out=$("$@" 2>command_table.err)
    got=$?
    got_lines=$(wc -l <command_table.err)
    if [ "$got" -ne "$status" ] || [ "$got_lines" -ne "$lines" ]; then
        echo "$*: status $got and $got_lines lines of errors, expected $status and $lines"
        cat command_table.err
        failed=1
    fi
}

# says TEXT: whether the last output contains it
says() {
    case $out in
    *"$1"*) ;;
    *)
        echo "expected '$1' in: $out"
        failed=1
        ;;
    esac
}

expect 0 0 "$STAGGER" --version
says "stagger "
expect 0 0 "$STAGGER" --help
for command in chain keys tx replay turns sim; do
    says "  $command "
done
for command in "chain --help" "chain status --help" "tx --help" "tx pause --help" "keys --help" "replay --help" "turns --help"; do
    # shellcheck disable=SC2086 # one word an argument
    expect 0 0 "$STAGGER" $command
    says "usage: stagger "
done
for command in chain tx keys replay "chain nonsense" "tx nonsense" "keys nonsense" "turns --nonsense" "tx pause --nonsense"; do
    # shellcheck disable=SC2086
    expect 1 1 "$STAGGER" $command
done
expect 1 1 "$STAGGER"
expect 1 1 "$STAGGER" nonsense
expect 1 1 "$STAGGER" ""
if [ -c /dev/full ]; then
    expect 1 0 sh -c '"$1" --version >/dev/full' sh "$STAGGER"
fi
# the broken variants of the rules stay in the tests: neither their switch nor a name of theirs is in the command
if grep -q -e mutation_active -e GONE_NOT_COUNTED "$STAGGER"; then
    echo "the command holds broken variants of the rules"
    failed=1
fi
rm -f command_table.err
exit $failed
