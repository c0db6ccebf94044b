#!/usr/bin/env python3
"""Replies of a live devnet beside captured ones of real nodes, key by key, asked for by POST and by GET.

    STAGGER=build/dev/stagger python3 tests/devnet/shapes.py

A reply's shape is the set of its paths, each with the kind of what stands there: digits, hex, base64, a time, a number;
entries of a list share a path. Where a captured list is never empty, or sometimes null, the live one must show it, so the
live network is brought into the same state first. What a query answers in protobuf is compared by its field numbers,
and byte by byte where it does not depend on the network.
"""
import base64
import gzip
import json
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from lines import run_groups, same  # noqa: E402
from table_kira import timeout_in_block  # noqa: E402
from net import SHARED, Devnet, Refused, fetch, need_stagger, poll, skip  # noqa: E402
from wire import (DCL, Account, broadcast, coins_to_self, disable, enable, field, fields, hash_of, pause,  # noqa: E402
                  unpause, upgrade)

KIRA, DCL_FIXTURES = SHARED / "fixtures" / "sekai-0.4.13", SHARED / "fixtures" / "dcl-1.5.2"
QUICK = ("--block-time", "250ms", "--timeout-propose", "300ms")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z")
# What differs from moment to moment in a real node too.
MOMENTS = re.compile(r"round_state\.(proposal|locked|valid)_block_hash$|prevotes\[\]$|precommits\[\]$|bit_array$|"
                     r"\.index$|height/round/step$")
# Keys of events and values of a log are data; logs are JSON in a text.
LOG = re.compile(r"\.log$")


def kind_of(value):
    if value is None or isinstance(value, bool):
        return str(value and "bool" if value is None else "bool")
    if isinstance(value, (int, float)):
        return "number"
    if re.fullmatch(r"-?\d+", value):
        return "digits"
    if re.fullmatch(r"([0-9A-F]{2}){20,32}", value):
        return f"hex of {len(value)}"
    if TIME.fullmatch(value):
        return "time"
    return "text"


def paths(value, at=""):
    """{path: kinds}"""
    if isinstance(value, dict):
        found = {}
        for key, inner in value.items():
            for path, kinds in paths(inner, f"{at}.{key}").items():
                found.setdefault(path, set()).update(kinds)
        return found or {at: {"object"}}
    if isinstance(value, list):
        found = {}
        for inner in value:
            for path, kinds in paths(inner, at + "[]").items():
                found.setdefault(path, set()).update(kinds)
        return found or {at: {"empty list"}}
    if LOG.search(at) and value and value.startswith("[{"):
        return paths(json.loads(value), at + "|")
    return {at: {kind_of(value)}}


def compare(what, live, captured, within=False):
    """The same paths; with `within` the live ones are among the captured."""
    have, want = paths(live), paths(captured)
    extra, missing = sorted(set(have) - set(want)), sorted(set(want) - set(have))
    assert not extra and (within or not missing), f"{what}: more {extra}, missing {missing}"
    for path, kinds in have.items():
        if not MOMENTS.search(path):
            assert kinds <= want[path] or (not within and kinds & want[path]), \
                f"{what}{path}: {sorted(kinds)}, captured {sorted(want[path])}"


def captured(folder, name):
    return json.loads((folder / name).read_text())


def envelope(net, node, method, params, get):
    """The whole replies to a POST and a GET."""
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
    posted = json.loads(fetch(net.urls[node], body)[1])
    status, text = fetch(f"{net.urls[node]}/{get}")
    got = json.loads(text)
    same((posted["id"], got["id"]), (1, -1), "ids")
    same(status, 500 if "error" in got else 200, "HTTP status of the GET")
    return posted, got


def both(say, net, fixture, method, params, get, folder=KIRA, node=0):
    with say(f"{method}: {fixture}"):
        want = captured(folder, fixture)
        for live in envelope(net, node, method, params, get):
            compare(fixture, live, want)
            if "error" in want:
                same({**live["error"], "data": ""}, {**want["error"], "data": ""}, "the error")
                same(numbers_out(live["error"]["data"]), numbers_out(want["error"]["data"]), "its data")


def numbers_out(text):
    return re.sub(r"\d+", "N", text)


# --- what a query answers ---

def layout(data, depth=6):
    """Field numbers, as deep as the bytes read as messages: {(1, 2): kind}."""
    found = {}
    for which, values in fields(data).items():
        for value in values:
            found.setdefault((which,), set()).add("number" if isinstance(value, int) else "bytes")
            if isinstance(value, bytes) and depth and not printable(value):
                for path, kinds in try_layout(value, depth - 1).items():
                    found.setdefault((which, *path), set()).update(kinds)
    return found


def parts(value):
    """The fields, those of one number in any order: Go's maps have none."""
    return {which: sorted(values) for which, values in fields(base64.b64decode(value)).items()}


def printable(value):
    return value and all(32 <= byte < 127 for byte in value)


def try_layout(value, depth):
    try:
        return layout(value, depth)
    except (AssertionError, IndexError):
        return {}


def answered(say, net, fixture, path, data=b"", folder=KIRA, exactly=False):
    with say(f"abci_query {path}: {fixture}"):
        want = captured(folder, fixture)
        params = {"path": path, "data": data.hex(), "height": "0", "prove": False}
        for live in envelope(net, 0, "abci_query", params, f'abci_query?path="{path}"&data=0x{data.hex()}'):
            compare(fixture, live, want)
            have, value = (x["result"]["response"]["value"] for x in (live, want))
            if exactly:
                same(parts(have), parts(value), "value")
            elif value:
                same(layout(base64.b64decode(have)), layout(base64.b64decode(value)), "fields")


# --- KIRA ---

def hashes_of(net, account):
    """Brings the network into the state in which the replies were captured: one has paused."""
    raw = account.tx(pause(account))
    same(broadcast(net, raw)["code"], 0, "CheckTx")
    return net.wait_tx(hash_of(raw)), raw


def kira_shapes(say):
    """KIRA: single replies"""
    with Devnet("kira", 5, "--min-validators", 2, *QUICK) as net:
        me = Account(net, 0)
        net.wait_height(5)
        found, raw = hashes_of(net, me)
        height = found["height"]
        net.wait_height(int(height) + 3)
        coded = base64.b64encode(raw).decode()
        both(say, net, "status.json", "status", {}, "status")
        both(say, net, "net_info.json", "net_info", {}, "net_info")
        both(say, net, "block.json", "block", {"height": str(int(height) + 2)}, f"block?height={int(height) + 2}")
        both(say, net, "block_results_pause.json", "block_results", {"height": height}, f"block_results?height={height}")
        both(say, net, "tx_pause.json", "tx", {"hash": base64.b64encode(bytes.fromhex(found["hash"])).decode()},
             f"tx?hash=0x{found['hash']}")
        both(say, net, "tx_not_found.json", "tx", {"hash": base64.b64encode(bytes(32)).decode()}, "tx?hash=0x" + "00" * 32)
        both(say, net, "validators.json", "validators", {"height": height}, f"validators?height={height}")
        both(say, net, "validators_future.json", "validators", {"height": "99999"}, "validators?height=99999")
        both(say, net, "consensus_state.json", "consensus_state", {}, "consensus_state")
        both(say, net, "commit.json", "commit", {"height": height}, f"commit?height={height}")
        both(say, net, "broadcast_tx_sync_duplicate.json", "broadcast_tx_sync", {"tx": coded},
             f"broadcast_tx_sync?tx=0x{raw.hex()}")
        wrong = me.tx(pause(me), sequence=9)
        both(say, net, "broadcast_tx_sync_bad_sequence.json", "broadcast_tx_sync",
             {"tx": base64.b64encode(wrong).decode()}, f"broadcast_tx_sync?tx=0x{wrong.hex()}")
        sent_shapes(say, net)
        kira_queries(say, net, me)


def sent_shapes(say, net):
    with say("broadcast_tx_sync: broadcast_tx_sync_ok.json"):
        other, want = Account(net, 1), captured(KIRA, "broadcast_tx_sync_ok.json")
        first, second = (other.tx(coins_to_self(other), sequence=i) for i in (0, 1))
        body = {"jsonrpc": "2.0", "id": 1, "method": "broadcast_tx_sync",
                "params": {"tx": base64.b64encode(first).decode()}}
        compare("POST", json.loads(fetch(net.urls[0], json.dumps(body).encode())[1]), want)
        compare("GET", json.loads(fetch(f"{net.urls[0]}/broadcast_tx_sync?tx=0x{second.hex()}")[1]), want)
        same(net.wait_tx(hash_of(second))["tx_result"]["code"], 0, "code")


def kira_queries(say, net, me):
    answered(say, net, "abci_query_account.json", "/cosmos.auth.v1beta1.Query/Account",
             field(1, Account(net, 1).address))
    answered(say, net, "abci_query_balance.json", "/cosmos.bank.v1beta1.Query/Balance",
             field(1, me.address) + field(2, "ukex"))
    answered(say, net, "abci_query_all_execution_fees.json", "/kira.gov.Query/AllExecutionFees", exactly=True)
    answered(say, net, "abci_query_poor_network_messages.json", "/kira.gov.Query/PoorNetworkMessages", exactly=True)
    answered(say, net, "abci_query_network_properties.json", "/kira.gov.Query/NetworkProperties")
    answered(say, net, "abci_query_current_plan_none.json", "/kira.upgrade.Query/CurrentPlan", exactly=True)
    answered(say, net, "abci_query_next_plan_none.json", "/kira.upgrade.Query/NextPlan", exactly=True)
    answered(say, net, "abci_query_unknown_path.json", "/kira.nothing.Query/Nothing")
    with say("abci_query /kira.staking.Query/Validators, /kira.slashing.Query/SigningInfos: fields of the rows"):
        for fixture, path in (("abci_query_validators.json", "/kira.staking.Query/Validators"),
                              ("abci_query_signing_infos.json", "/kira.slashing.Query/SigningInfos")):
            want = captured(KIRA, fixture)["result"]["response"]["value"]
            params = {"path": path, "data": "", "height": "0", "prove": False}
            have = net.call(0, "abci_query", **params)["response"]["value"]
            some, all_ = layout(base64.b64decode(have)), layout(base64.b64decode(want))
            extra = set(some) - set(all_)
            assert not extra and {p[:1] for p in some} == {p[:1] for p in all_}, f"{path}: {extra} {some} {all_}"


def union(folder):
    """What stands in 150 blocks of a real network."""
    found = {"block": [], "block_results": [], "next_validators": []}
    with gzip.open(folder / "history.jsonl.gz", "rt") as file:
        for line in map(json.loads, file):
            for name in found:
                found[name].append(line[name]["result"] if "result" in line[name] else line[name])
    return found


ABSENT = {"block_id_flag": 1, "validator_address": "", "timestamp": "0001-01-01T00:00:00Z", "signature": None}


def without_absent(block):
    """The captured blocks have every signature; who is absent stands in a block as ABSENT."""
    rows = block["block"]["last_commit"]["signatures"]
    missing = [row for row in rows if row["block_id_flag"] == 1]
    assert all(row == ABSENT for row in missing), missing
    block["block"]["last_commit"]["signatures"] = [row for row in rows if row not in missing]
    return len(missing)


def kira_history(say):
    """KIRA: fifty blocks with pauses, beside 150 captured ones"""
    with Devnet("kira", 5, "--min-validators", 2, "--block-time", "100ms", "--timeout-propose", "100ms") as net:
        net.wait_height(3)
        me = Account(net, 4)
        hashes_of(net, me)
        me.run(unpause(me))
        timeout_in_block(net, me)
        net.node("stop", 3)
        net.wait_height(50)
        real, heights = union(KIRA), range(1, 50)
        live = {m: [net.call(0, m, height=str(h)) for h in heights] for m in ("block", "block_results", "validators")}
        with say("who did not sign is absent as in a real block"):
            assert sum(without_absent(block) for block in live["block"]) > 20
        real["validators"] = real.pop("next_validators")
        for method, replies in live.items():
            with say(f"{method}: no path that a real one has not, and together all that real ones have"):
                for height, reply in zip(heights, replies):
                    compare(f"{method} {height}", [reply], real[method], within=True)
                missing = {p for p in set(paths(real[method])) - set(paths(replies)) if "evidence" not in p and
                           "[].log" not in p and "end_block_events" not in p}
                assert not missing, f"{method}: {sorted(missing)}"


# --- DCL ---

def dcl_shapes(say):
    """DCL: single replies"""
    with Devnet("dcl", 4, *QUICK) as net:
        accounts = [Account(net, i) for i in range(4)]
        found = accounts[0].run(disable(accounts[0]))
        height = found["height"]
        both(say, net, "block_results_disable.json", "block_results", {"height": height},
             f"block_results?height={height}", DCL_FIXTURES)
        both(say, net, "disable_node_tx.json", "tx", {"hash": base64.b64encode(bytes.fromhex(found["hash"])).decode()},
             f"tx?hash=0x{found['hash']}", DCL_FIXTURES)
        with say("results of disable-node: what an application gives, to the letter"):
            want = captured(DCL_FIXTURES, "block_results_disable.json")["result"]["txs_results"][0]
            same({k: found["tx_result"][k] for k in ("code", "data", "info", "gas_wanted", "codespace")},
                 {k: want[k] for k in ("code", "data", "info", "gas_wanted", "codespace")}, "result")
        accounts[0].run(enable(accounts[0]))
        answered(say, net, "abci_query_validators.json", f"{DCL}validator.Query/ValidatorAll", b"", DCL_FIXTURES)
        answered(say, net, "abci_query_disabled.json", f"{DCL}validator.Query/DisabledValidatorAll", b"", DCL_FIXTURES)
        found = accounts[0].run(upgrade(accounts[0], "submit", "p2", 90000))
        both(say, net, "propose_upgrade_tx.json", "tx",
             {"hash": base64.b64encode(bytes.fromhex(found["hash"])).decode()}, f"tx?hash=0x{found['hash']}", DCL_FIXTURES)
        accounts[1].run(upgrade(accounts[1], "approve", "p2"))
        answered(say, net, "abci_query_current_plan.json", "/cosmos.upgrade.v1beta1.Query/CurrentPlan", b"",
                 DCL_FIXTURES, exactly=True)


def forms(say):
    """Both forms: what they take, and what they refuse"""
    with Devnet("kira", 1, *QUICK) as net:
        net.wait_height(3)
        url = net.urls[0]
        with say("numbers bare and quoted, params as a list, batches"):
            want = net.call(0, "block", height="2")
            for path in ("block?height=2", 'block?height="2"'):
                same(net.get(0, path), want, path)
            body = {"jsonrpc": "2.0", "id": "x", "method": "block", "params": ["2"]}
            answer = json.loads(fetch(url, json.dumps(body).encode())[1])
            same((answer["id"], answer["result"]), ("x", want), "params in order")
            answers = json.loads(fetch(url, json.dumps([body, {"jsonrpc": "2.0", "id": 3, "method": "health"}]).encode())[1])
            same([(a["id"], "result" in a) for a in answers], [("x", True), (3, True)], "a batch")
            same(net.get(0, "health"), {}, "health")
        with say("errors: no JSON -32700, no such method -32601, parameters -32602"):
            for body, code in ((b"{", -32700), (b'{"jsonrpc":"2.0","id":1,"method":"nothing"}', -32601),
                               (b'{"jsonrpc":"2.0","id":1,"method":"block","params":{"height":2}}', -32602)):
                same(json.loads(fetch(url, body)[1])["error"]["code"], code, body)
        with say("a bad request does not end the node"):
            for body in (b"", b"\0" * 100, b"[" * 100000, b'{"method":' + b'"x"' * 9, b"[]", b"null", b"x" * 3000000):
                try:
                    fetch(url, body or b" ")
                except OSError:
                    pass
            poll(lambda: net.answers(0), "the node answers")
            try:
                net.call(0, "broadcast_tx_sync", tx="")
            except Refused:
                pass
            net.next_blocks(1)


def main():
    need_stagger()
    groups = [forms]
    if KIRA.is_dir() and DCL_FIXTURES.is_dir():
        groups += [kira_shapes, kira_history, dcl_shapes]
    failed = run_groups(groups, 4)
    if not failed and len(groups) == 1:
        skip(f"no captured replies in {SHARED}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
