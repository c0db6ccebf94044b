#!/bin/sh
# Installs what building and testing need on Debian 12, and does nothing when all of it is there.
#
#     sh tests/setup-debian.sh          compiler, CMake, libraries, what the tests run on
#     sh tests/setup-debian.sh --all    also what the fuzz and cov presets, the format lint and sweeps over MPI use
#
# As root, or through sudo. Elsewhere than on Debian it only says what is needed.
set -eu

packages="gcc libc6-dev cmake ninja-build pkg-config libssl-dev libyajl-dev libcmocka-dev python3 python3-zmq git spin
protobuf-c-compiler libprotobuf-c-dev libsecp256k1-dev libcurl4-openssl-dev libjansson-dev libczmq-dev libinih-dev
libmicrohttpd-dev libsystemd-dev dbus-daemon"
extras="clang clang-format-14 libclang-rt-14-dev gcovr libopenmpi-dev openmpi-bin"

case "${1-}" in
"") ;;
--all) packages="$packages $extras" ;;
*)
    echo "usage: sh tests/setup-debian.sh [--all]" >&2
    exit 1
    ;;
esac

if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    echo "This is no Debian machine, so nothing is installed. Needed are, by their Debian names:" >&2
    echo "$packages" >&2
    exit 0
fi

missing=""
for package in $packages; do
    status=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null) || status=none
    [ "$status" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -eq 0 ]; then
    as_root="env"
elif command -v sudo >/dev/null; then
    # nobody is there to type a password where CI is set
    as_root="sudo ${CI:+-n} env"
else
    echo "These packages are missing, and this is neither root nor is there sudo. As root, run:" >&2
    echo "apt-get update && apt-get install -y --no-install-recommends$missing" >&2
    exit 1
fi

echo "Installing$missing"
apt="$as_root DEBIAN_FRONTEND=noninteractive apt-get -q -o Acquire::Retries=3 -o DPkg::Lock::Timeout=120"
$apt update
# shellcheck disable=SC2086 # one word a package
$apt install -y --no-install-recommends $missing
