#!/bin/sh
# Replays the reboot of a whole network and shows it: installs missing packages, builds the release
# preset, runs the simulator with every strategy beside ours and writes a page to look at.
#
#     sh sim/replay.sh [OPTIONS OF stagger sim]
#
# The network is a real one, KIRA's testnet-9, where its exported genesis lies in ../shared/data (or
# in $STAGGER_SHARED/data), otherwise a synthetic one of the same size and mix that comes with the
# simulator.
set -eu

synthetic="synthetic" # the name of the network that comes with the simulator
seed=7
min_validators=200

case "${STAGGER_SHARED-}" in
"" | /*) ;;
*) STAGGER_SHARED=$PWD/$STAGGER_SHARED ;;
esac
cd -- "$(dirname -- "$0")/.."
genesis="${STAGGER_SHARED:-../shared}/data/testnet-9-genesis.json"
page=build/replay.html

sh tests/setup-debian.sh
cmake --preset release
cmake --build --preset release --target stagger

if [ -r "$genesis" ]; then
    network=$genesis
else
    echo "No $genesis: replaying the synthetic network that comes with the simulator."
    network=$synthetic
fi
status=0
build/release/stagger sim --genesis "$network" --min-validators "$min_validators" --seed "$seed" \
    --compare --html "$page" "$@" || status=$?
if [ -s "$page" ]; then
    echo "The page to look at: $PWD/$page"
fi
exit $status
