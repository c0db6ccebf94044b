#!/usr/bin/env python3
"""The RPC of a devnet's nodes: replies key by key as a real node's, and what hostile or careless clients get.

Shapes are compared twice. tests/data/devnet_shapes.txt, in the repository, lists every key of every reply with its
JSON type. Where $STAGGER_SHARED (by default ../shared beside the tree) has replies of real nodes, those are compared
as well: the same keys in the same order, the same types. --write writes the list anew from the replies.

Skips (status 77) where $STAGGER has no devnet.
"""
import base64
import http.client
import json
import socket
import sys
import threading
import urllib.parse
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "devnet"))

import net as devnet  # noqa: E402
import wire  # noqa: E402

SHAPES = devnet.SOURCE / "tests" / "data" / "devnet_shapes.txt"
BODY_MAX = 2 << 20

# --- shapes ---

TYPES = {str: "text", bool: "bool", int: "number", float: "number", type(None): "null", list: "list", dict: "object"}


def shape(value, path="", into=None):
    """{path: {types}}; the elements of a list share one path."""
    into = {} if into is None else into
    if isinstance(value, dict) and value.get("block_id_flag") == 1:
        return into  # a signature that was late: there is one in some runs only
    into.setdefault(path, set()).add(TYPES[type(value)])
    if isinstance(value, dict):
        for key, inner in value.items():
            shape(inner, f"{path}.{key}" if path else key, into)
    elif isinstance(value, list):
        for inner in value:
            shape(inner, path + "[]", into)
    return into


def compare(name, real, own):
    ours, theirs = shape(own), shape(real)
    for path in sorted(set(ours) | set(theirs)):
        assert path in ours, f"{name}: {path} is missing"
        assert path in theirs, f"{name}: {path} is more than a real node has"
        assert ours[path] == theirs[path], f"{name}: {path} is {ours[path]}, a real node's {theirs[path]}"
    compare_order(name, real, own, "")


def compare_order(name, real, own, path):
    if isinstance(real, dict) and isinstance(own, dict):
        assert list(real) == list(own), f"{name}: {path}: keys {list(own)}, a real node's {list(real)}"
        for key in real:
            compare_order(name, real[key], own[key], f"{path}.{key}")
    elif isinstance(real, list) and isinstance(own, list) and real and own:
        compare_order(name, real[0], own[0], path + "[]")


# --- asking ---

def post(net, body, node=0):
    """(HTTP status, reply); the body as it is, or a value."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    status, text = devnet.fetch(net.urls[node], raw)
    return status, json.loads(text) if text else None


def call(net, method, /, node=0, **params):
    return post(net, {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}, node)[1]


def get(net, path, /, node=0, **params):
    query = urllib.parse.urlencode(params)
    status, text = devnet.fetch(f"{net.urls[node]}/{path}{'?' + query if query else ''}")
    return status, json.loads(text)


def error_of(reply, code):
    assert reply["error"]["code"] == code, reply
    return reply["error"].get("data", "")


# --- replies of KIRA beside the captured ones ---

def kira_replies(net):
    """{name of a captured reply: the devnet's}; pauses validator 4 on the way."""
    net.wait_height(4)
    pauser, other = wire.Account(net, 4), wire.Account(net, 1)
    raw = pauser.tx(wire.pause(pauser))
    sent = call(net, "broadcast_tx_sync", tx=base64.b64encode(raw).decode())
    assert sent["result"]["code"] == 0, sent
    found = net.wait_tx(wire.hash_of(raw))
    height = int(found["height"])
    net.wait_height(height + 2)
    bad = base64.b64encode(other.tx(wire.coins_to_self(other), sequence=8)).decode()

    def query(path, data=b"", **more):
        return call(net, "abci_query", path=path, data=data.hex(), **more)
    return {
        "abci_query_account": query("/cosmos.auth.v1beta1.Query/Account", wire.field(1, other.address)),
        "abci_query_all_execution_fees": query("/kira.gov.Query/AllExecutionFees"),
        "abci_query_balance": query("/cosmos.bank.v1beta1.Query/Balance",
                                    wire.field(1, other.address) + wire.field(2, "ukex")),
        "abci_query_current_plan_none": query("/kira.upgrade.Query/CurrentPlan"),
        "abci_query_network_properties": query("/kira.gov.Query/NetworkProperties"),
        "abci_query_next_plan_none": query("/kira.upgrade.Query/NextPlan"),
        "abci_query_poor_network_messages": query("/kira.gov.Query/PoorNetworkMessages"),
        "abci_query_signing_infos": query("/kira.slashing.Query/SigningInfos"),
        "abci_query_unknown_path": query("/kira.gov.Query/Nothing"),
        "abci_query_validators": query("/kira.staking.Query/Validators"),
        "block": call(net, "block", height=str(height - 1)),
        "block_results_pause": call(net, "block_results", height=str(height)),
        "broadcast_tx_sync_bad_sequence": call(net, "broadcast_tx_sync", tx=bad),
        "broadcast_tx_sync_duplicate": call(net, "broadcast_tx_sync", tx=base64.b64encode(raw).decode()),
        "broadcast_tx_sync_ok": sent,
        "commit": call(net, "commit", height=str(height)),
        "consensus_state": call(net, "consensus_state"),
        "net_info": call(net, "net_info"),
        "status": call(net, "status"),
        "tx_not_found": call(net, "tx", hash=base64.b64encode(bytes(32)).decode()),
        "tx_pause": call(net, "tx", hash=base64.b64encode(bytes.fromhex(sent["result"]["hash"])).decode()),
        "validators": call(net, "validators", height=str(height)),
        "validators_future": call(net, "validators", height=str(height + 1000)),
    }


def other_replies(net, replies):
    """Methods of which no reply was captured, and forms of those that were."""
    tx = replies["tx_pause"]["result"]
    hash_text, height = tx["hash"], tx["height"]
    block_hash = call(net, "block", height=height)["result"]["block_id"]["hash"]
    return {
        "abci_info": call(net, "abci_info"),
        "block_by_hash": get(net, "block_by_hash", hash="0x" + block_hash)[1],
        "block_by_hash_none": get(net, "block_by_hash", hash="0x00")[1],
        "block_with_tx": call(net, "block", height=height),
        "blockchain": call(net, "blockchain", minHeight="1", maxHeight="3"),
        "consensus_params": call(net, "consensus_params"),
        "genesis_chunked": call(net, "genesis_chunked", chunk="0"),
        "header": call(net, "header", height=height),
        "header_by_hash": get(net, "header_by_hash", hash="0x" + block_hash)[1],
        "health": call(net, "health"),
        "num_unconfirmed_txs": call(net, "num_unconfirmed_txs"),
        "tx_proof": call(net, "tx", hash=base64.b64encode(bytes.fromhex(hash_text)).decode(), prove=True),
        "unconfirmed_txs": call(net, "unconfirmed_txs"),
    }


def committed_reply(net):
    account = wire.Account(net, 2)
    raw = base64.b64encode(account.tx(wire.coins_to_self(account))).decode()
    reply = call(net, "broadcast_tx_commit", tx=raw)
    assert reply["result"]["deliver_tx"]["code"] == 0 and int(reply["result"]["height"]) > 0, reply
    return reply


def list_of(replies):
    lines = []
    for name in sorted(replies):
        for path, types in sorted(shape(replies[name]).items()):
            lines.append(f"{name} {path or '.'} {' '.join(sorted(types))}\n")
    return "".join(lines)


def check_list(replies, write):
    text = list_of(replies)
    if write:
        SHAPES.write_text(text)
        return
    listed = SHAPES.read_text().splitlines()
    for line in sorted(set(text.splitlines()) ^ set(listed)):
        if "[]" in line and line.startswith("kira net_info"):
            continue
        raise AssertionError(f"{'missing' if line in listed else 'not in the list'}: {line}")


def check_captured(folder, replies):
    count = 0
    for name, own in replies.items():
        path = devnet.SHARED / "fixtures" / folder / f"{name}.json"
        if path.exists():
            compare(name, dict(json.loads(path.read_text()), id=own["id"]), own)
            count += 1
    return count


def kira(write):
    with devnet.Devnet("kira", 5, "--block-time", "300ms") as net:
        replies = kira_replies(net)
        captured = check_captured("sekai-0.4.13", replies)
        replies.update(other_replies(net, replies), broadcast_tx_commit=committed_reply(net))
        checks(net, replies)
        survives(net)
        return {f"kira {name}": reply for name, reply in replies.items()}, captured


def dcl():
    with devnet.Devnet("dcl", 4, "--block-time", "300ms", "--empty-blocks", "300ms") as net:
        account = wire.Account(net, 2)
        found = account.run(wire.disable(account))
        service = "/zigbeealliance.distributedcomplianceledger.validator.Query/"
        replies = {
            "block_results_disable": get(net, "block_results", height=found["height"])[1],
            "disable_node_tx": get(net, "tx", hash="0x" + found["hash"])[1],
            "last_tx": get(net, "tx", hash="0x" + "C7" * 32)[1],
            "abci_query_validators": get(net, "abci_query", path=json.dumps(service + "ValidatorAll"))[1],
            "abci_query_disabled": get(net, "abci_query", path=json.dumps(service + "DisabledValidatorAll"))[1],
        }
        captured = check_captured("dcl-1.5.2", replies)
        return {f"dcl {name}": reply for name, reply in replies.items()}, captured


# --- parameters and errors ---

def checks(net, replies):
    height = replies["tx_pause"]["result"]["height"]
    forms(net, height)
    heights(net)
    refusals(net)
    lists(net)
    transactions(net, replies)


def forms(net, height):
    """One question in every form gives one answer."""
    want = call(net, "block", height=height)["result"]
    for text in (height, f'"{height}"'):
        status, reply = get(net, "block", height=text)
        assert status == 200 and reply["id"] == -1 and reply["result"] == want
    assert post(net, {"jsonrpc": "2.0", "id": "a", "method": "block", "params": [height]})[1] == {
        "jsonrpc": "2.0", "id": "a", "result": want}
    assert post(net, {"jsonrpc": "2.0", "id": 1, "method": "block", "params": {"height": None}})[1]["result"]
    path = "/kira.gov.Query/NetworkProperties"
    value = call(net, "abci_query", path=path)["result"]["response"]["value"]
    for form in (json.dumps(path), "0x" + path.encode().hex()):
        assert get(net, "abci_query", path=form, data="0x")[1]["result"]["response"]["value"] == value
    digest = bytes.fromhex(want["block_id"]["hash"])
    assert call(net, "block_by_hash", hash=base64.b64encode(digest).decode())["result"] == want
    assert call(net, "header_by_hash", hash=digest.hex())["result"]["header"] == want["block"]["header"]
    status, page = devnet.fetch(net.urls[0] + "/")
    assert status == 200 and 'href="/abci_query"' in page
    assert devnet.fetch(net.urls[0] + "/nothing")[0] == 404


def heights(net):
    head = net.height()
    far = str(head + 1000)
    for method in ("block", "header", "commit", "block_results", "validators", "consensus_params"):
        assert f"height {far} must be less than or equal to the current blockchain height" in error_of(
            call(net, method, height=far), -32603)
        assert error_of(call(net, method, height="0"), -32603) == "height must be greater than 0, but got 0"
        assert get(net, method, height="-4")[0] == 500
    behind = call(net, "validators", height=str(net.height() + 1))["result"]
    assert len(behind["validators"]) == int(behind["count"]) == int(behind["total"])
    assert call(net, "commit", height="1")["result"]["canonical"] is True
    devnet.poll(lambda: call(net, "commit")["result"]["canonical"] is False, "the last commit is not canonical")
    page = call(net, "validators", height="1", page="2", per_page="2")["result"]
    assert (page["count"], page["total"]) == ("2", "5")
    assert error_of(call(net, "validators", height="1", page="4", per_page="2"), -32603) == \
        "page should be within [1, 3] range, given 4"
    metas = call(net, "blockchain")["result"]
    numbers = [int(row["header"]["height"]) for row in metas["block_metas"]]
    assert numbers == sorted(numbers, reverse=True) and len(numbers) <= 20
    assert numbers[0] == int(metas["last_height"])
    assert "can't be greater than max height" in error_of(
        call(net, "blockchain", minHeight="3", maxHeight="2"), -32603)


def refusals(net):
    assert post(net, b"{nonsense")[0] == 500
    for body in (b"{nonsense", b"5", b'"x"', b"[5]", b'{"id":1,"method":5}', b'{"id":{},"method":"health"}', b"\x00\xff",
                 b"[" * 100000, b'{"id":1,"method":"health"'):
        reply = post(net, body)[1]
        error_of(reply, -32700)
        assert "id" not in reply
    error_of(call(net, "nothing"), -32601)
    error_of(post(net, {"id": 1})[1], -32601)
    for method, params in (("block", {"height": 5}), ("block", {"height": "5x"}), ("block", {"height": True}),
                           ("block", {"height": "99999999999999999999"}), ("block", ["1", "2"]), ("block", "1"),
                           ("tx", {"hash": "!"}), ("tx", {"hash": 1}), ("tx", {"hash": "AA==", "prove": "yes"}),
                           ("abci_query", {"path": 1}), ("abci_query", {"path": "/", "data": "abc"})):
        reply = post(net, {"jsonrpc": "2.0", "id": 1, "method": method, "params": params})[1]
        assert error_of(reply, -32602).startswith("error converting json params to arguments: "), reply
    for method, name, text in (("block", "height", "x"), ("block", "height", "0x05"), ("block", "height", "1.5"),
                               ("tx", "hash", "0x0"), ("tx", "hash", "zz"), ("tx", "prove", "maybe"),
                               ("abci_query", "path", "bare"), ("validators", "page", '"a"')):
        status, reply = get(net, method, **{name: text})
        assert status == 500 and reply["id"] == -1
        assert error_of(reply, -32602).startswith("error converting http params to arguments: "), reply
    status, reply = post(net, b'{"a":"' + b"x" * BODY_MAX + b'"}')
    assert status == 400 and "too large" in error_of(reply, -32600)


def lists(net):
    ask = {"jsonrpc": "2.0", "id": 1, "method": "health"}
    quiet = {"jsonrpc": "2.0", "method": "health"}
    done = {"jsonrpc": "2.0", "id": 1, "result": {}}
    assert post(net, [ask, quiet, ask]) == (200, [done, done])
    assert post(net, [ask]) == (200, done)
    assert post(net, [quiet]) == (200, None)
    account = wire.Account(net, 3)
    raw = base64.b64encode(account.tx(wire.coins_to_self(account))).decode()
    send = {"jsonrpc": "2.0", "id": 2, "method": "broadcast_tx_commit", "params": {"tx": raw}}
    first, second, third = post(net, [ask, send, ask])[1]
    assert first == third == done and int(second["result"]["height"]) > 0, second
    error_of(post(net, [ask] * 1000)[1], -32600)


def transactions(net, replies):
    account = wire.Account(net, 0)
    raw = account.tx(wire.coins_to_self(account))
    text = base64.b64encode(raw).decode()
    reply = get(net, "broadcast_tx_async", tx="0x" + raw.hex())[1]["result"]
    assert reply == {"code": 0, "data": "", "log": "", "codespace": "", "hash": wire.hash_of(raw)}
    assert error_of(call(net, "broadcast_tx_sync", tx=text), -32603) == "tx already exists in cache"
    net.wait_tx(wire.hash_of(raw))
    assert error_of(call(net, "broadcast_tx_async", tx=text, node=1), -32603) == "tx already exists in cache"
    known = replies["tx_pause"]["result"]["hash"]
    for node in range(5):
        reply = get(net, "tx", node=node, hash="0x" + known)[1]
        assert reply["result"] == replies["tx_pause"]["result"]
    # transactions of one account through two nodes, in one block time
    sequence = account.state()[0]
    sent = [wire.broadcast(net, account.tx(wire.coins_to_self(account), sequence=sequence + i), i % 2) for i in range(4)]
    assert [answer["code"] for answer in sent] == [0] * 4, sent
    for answer in sent:
        net.wait_tx(answer["hash"])
    junk = call(net, "broadcast_tx_commit", tx="AAAA")["result"]
    assert junk["check_tx"]["code"] == 2 and junk["height"] == "0"
    assert "Tx too large" in error_of(call(net, "broadcast_tx_sync", tx=base64.b64encode(bytes((1 << 20) + 1)).decode()),
                                      -32603)


# --- clients that do as they like ---

def address_of(net, node=0):
    url = urllib.parse.urlsplit(net.urls[node])
    return url.hostname, url.port


def survives(net):
    host, port = address_of(net)
    slow = [socket.create_connection((host, port)) for _ in range(50)]
    for i, link in enumerate(slow):  # each stops somewhere else
        link.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{"[:10 + i])
    for garbage in (b"\x00" * 1000, b"GET " + b"/" * 200000, b"POST / HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
                    b"GET / HTTP/9.9\r\n\r\n", b"POST / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n",
                    b"X" * 70000 + b"\r\n\r\n"):
        try:
            with socket.create_connection((host, port)) as link:
                link.sendall(garbage)
                link.shutdown(socket.SHUT_WR)
                link.settimeout(0.5)
                while link.recv(65536):
                    pass
        except (ConnectionError, socket.timeout):  # it may also wait for more
            pass
    assert call(net, "health")["result"] == {}
    chunked = http.client.HTTPConnection(host, port, timeout=10)
    try:
        chunked.request("POST", "/", body=iter([b"x" * 65536] * 64), encode_chunked=True,
                        headers={"Transfer-Encoding": "chunked"})
        error_of(json.loads(chunked.getresponse().read()), -32600)
    except ConnectionError:
        pass
    many = [threading.Thread(target=lambda: [call(net, "status") for _ in range(10)]) for _ in range(20)]
    for thread in many:
        thread.start()
    for thread in many:
        thread.join()
    net.next_blocks(2)
    for link in slow:
        link.close()
    assert net.pid(0), "the node has ended"


def signs(commit, address, above):
    """Whether the commit, of a block above this height, has the signature of `address`."""
    return int(commit["height"]) > above and any(
        s["validator_address"] == address and s["block_id_flag"] == 2 for s in commit["signatures"])


def restarts():
    """A node's RPC while the chain process is gone, while it catches up, and after a clean stop."""
    with devnet.Devnet("kira", 4, "--block-time", "300ms") as net:
        net.wait_height(4)
        net.hand("chain", "stop")
        height = net.height()
        account = wire.Account(net, 0)
        raw = account.tx(wire.coins_to_self(account))
        assert wire.broadcast(net, raw)["code"] == 0
        assert call(net, "num_unconfirmed_txs")["result"]["n_txs"] == "1"
        assert net.height() == height and call(net, "block", height="2")["result"]["block"]
        net.hand("chain", "start")
        net.wait_tx(wire.hash_of(raw))
        assert call(net, "num_unconfirmed_txs")["result"]["n_txs"] == "0"
        net.node("stop", 3)
        state = json.loads((net.dir / "node" / "3" / "priv_validator_state.json").read_text())
        assert list(state) == ["height", "round", "step", "signature", "signbytes"] and state["step"] == 3
        net.hand("node", "start", "3")
        devnet.poll(lambda: net.answers(3) and not net.answers(3)["sync_info"]["catching_up"], "node 3 is level")
        devnet.poll(lambda: signs(call(net, "commit")["result"]["signed_header"]["commit"], net.address(3),
                                  int(state["height"])), "node 3 signs again")
        later = json.loads((net.dir / "node" / "3" / "priv_validator_state.json").read_text())
        assert int(later["height"]) > int(state["height"])


def main():
    devnet.need_stagger()
    write = sys.argv[1:] == ["--write"]
    if sys.argv[1:] and not write:
        sys.exit("usage: test_devnet_rpc.py [--write]")
    replies, captured = kira(write)
    more, captured_dcl = dcl()
    replies.update(more)
    check_list(replies, write)
    restarts()
    print(f"{len(replies)} replies are as listed, {captured + captured_dcl} of them as captured from real nodes")


if __name__ == "__main__":
    main()
