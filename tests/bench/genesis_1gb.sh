#!/bin/sh
# Reads a genesis of 1 GB and tells how long it took and how much memory it needed at most. Both
# figures contain a simulation of one second with one validator, which is next to nothing.
#
# usage: genesis_1gb.sh STAGGER [MEGABYTES]
set -eu

stagger=${1:?usage: genesis_1gb.sh STAGGER [MEGABYTES]}
megabytes=${2:-1024}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' HUP INT TERM
file=$folder/genesis.json

# Millions of accounts, balances, votes and identity records of people who are no validators; the
# validator stands in the middle.
person=kira1axqn2nr8wcwy83gnx97ugypunfka30wt4xyul8
account='{"@type":"/cosmos.auth.v1beta1.BaseAccount","address":"'$person'","sequence":"23"}'
balance='{"address":"'$person'","coins":[{"denom":"ukex","amount":"954121"}]}'
vote='{"option":"VOTE_OPTION_YES","proposal_id":"1","voter":"'$person'"}'
identity='{"id":"1","address":"'$person'","key":"moniker","value":"somebody","verifiers":[]}'
validator='{"val_key":"kiravaloper1dm6y7nf2zey39x43jrs7ymx2lxgtt9ec0xf57s","status":"ACTIVE",
    "pub_key":{"@type":"/cosmos.crypto.ed25519.PubKey",
    "key":"T9KsMdT2/iiw5u0PG27fpeBiS4xWymDMV8dDRYodxfE="},"rank":"0","streak":"0"}'

# A list of a quarter of the size, made of one element.
list() {
    count=$((megabytes * 262144 / (${#1} + 2)))
    echo '['
    yes "$1," | head -n "$count" || true
    printf '%s]' "$1"
}

{
    printf '{"chain_id":"large-1","app_state":{"auth":{"accounts":'
    list "$account"
    printf '},"bank":{"balances":'
    list "$balance"
    printf '},"customstaking":{"validators":[%s]},"customgov":{"votes":' "$validator"
    list "$vote"
    printf ',"identity_records":'
    list "$identity"
    printf '}}}\n'
} >"$file"

bytes=$(wc -c <"$file")
python3 - "$stagger" "$file" "$bytes" <<'EOF'
import resource
import subprocess
import sys
import time

stagger, path, size = sys.argv[1], sys.argv[2], int(sys.argv[3])
begin = time.monotonic()
done = subprocess.run([stagger, "sim", "--genesis", path, "--until", "1s"],
                      stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
seconds = time.monotonic() - begin
peak_mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
if path in done.stderr:
    sys.exit("refused: " + done.stderr.strip())
print(f"{size / 1e6:.0f} MB read in {seconds:.2f} s, peak memory {peak_mb:.1f} MB, "
      f"exit {done.returncode}")
EOF
