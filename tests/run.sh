#!/bin/sh
# Passes the tests: installs missing packages, builds the dev and san presets and runs the tests of
# both.
#
#     sh tests/run.sh
#
# Ends with ctest's closing lines; the exit status is 0 when everything was built and every test
# passed. Where CI is set, each build also leaves its results in build/PRESET/junit.xml.
# $STAGGER_SHARED may name the folder of optional data, which otherwise is looked for in ../shared.
set -eu

case "${STAGGER_SHARED-}" in
"" | /*) ;;
*) export STAGGER_SHARED="$PWD/$STAGGER_SHARED" ;;
esac
cd -- "$(dirname -- "$0")/.."

sh tests/setup-debian.sh
for preset in dev san; do
    cmake --preset "$preset"
    cmake --build --preset "$preset"
done
for preset in dev san; do
    set -- --preset "$preset" -j2 --output-on-failure --no-tests=error --no-label-summary
    case "${CI-}" in
    "" | 0 | false) ;;
    *) set -- "$@" --output-junit "$PWD/build/$preset/junit.xml" ;;
    esac
    ctest "$@"
done
