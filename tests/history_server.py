#!/usr/bin/env python3
"""Serves a recorded history like a node of the network it came from, truthfully or not.

    {"height": h, "block": ..., "block_results": ..., "next_validators": ...}     one line a height, each
                                                                                  with or without envelope
    {"type": "world", "chain": "kira", "chain_id": ..., "validators": [...]}      records, from the trace

    history = History("history.jsonl.gz", "history.trace.jsonl")
    with RpcServer(history.routes()) as server: ...

status, block, block_results, validators (in pages), commit (canonical, from the block behind it; refused for the
last height), header, blockchain, abci_query of validator records and network properties, abci_info, health. Texts
of refusals are those of CometBFT 0.37.

What can be wrong with such a node, as arguments of Node and as options:

    alter   ((height, reply, path, place), ...): one character of a text (or one number) of a reply is another
            one of the same kind; reply is block, block_results, validators, commit or header, the path as in
            JSON with numbers for places of lists
    lag     so many blocks behind
    below   no block below this height: pruned
    top     no block above this height
    delay_s, drop    each answer late; every n-th connection cut
    refuse  methods and paths of abci_query that this node does not have

usage: history_server.py HISTORY TRACE [--port N] [--alter H:REPLY:PATH[:PLACE]] [--lag N] [--below H] ...
"""
import argparse
import base64
import copy
import gzip
import itertools
import json
import sys
import threading
from pathlib import Path

from bech32 import text_of, words_of
from protobuf import field, fields
from rpc_server import Reply, RpcError, RpcServer, Text, data_bytes, encode, whole

PAGE = 30
PAGE_MAX = 100
HEADERS_MAX = 20


# --- the records that a trace's world line tells of ---

def kira_record(validator, key):
    account = validator["account"]
    prefix = account[:account.rindex("1")]
    return (field(1, account) + field(2, text_of(prefix + "valoper", words_of(account)))
            + field(3, "PubKeyEd25519{%s}" % key.hex().upper()) + field(4, validator["address"].upper())
            + field(5, validator["moniker"]) + field(6, validator.get("status", "ACTIVE")) + field(7, 1) + field(8, 1))


def dcl_record(validator, key):
    account = validator["account"]
    prefix = account[:account.rindex("1")]
    any_key = field(1, "/cosmos.crypto.ed25519.PubKey") + field(2, field(1, key))
    return (field(1, text_of(prefix + "valoper", words_of(account))) + field(2, field(1, validator["moniker"]))
            + field(3, any_key) + field(4, 10))


def page_of(records, request, number):
    """One page of a list, by cosmos' PageRequest {key 1, offset 2, limit 3} in field `number` of the request."""
    asked = fields(fields(request).get(number, [b""])[0])
    start = int.from_bytes(asked.get(1, [b""])[0], "big") or asked.get(2, [0])[0]
    limit = min(asked.get(3, [0])[0] or 100, 512)
    page = records[start:start + limit]
    rest = field(1, (start + limit).to_bytes(4, "big")) if start + limit < len(records) else b""
    return page, rest + field(2, len(records))


# --- the history ---

def opened(path):
    return gzip.open(path, "rt") if str(path).endswith(".gz") else open(path, encoding="utf-8")


def plain(reply):
    return reply["result"] if "jsonrpc" in reply else reply


class History:
    """Everything as it was; nothing of it is changed by those who serve it."""

    def __init__(self, path, trace):
        self.blocks, self.results, self.sets = {}, {}, {}
        with opened(path) as lines:
            for line in lines:
                entry = json.loads(line)
                height = entry["height"]
                self.blocks[height] = plain(entry["block"])
                self.results[height] = plain(entry["block_results"])
                self.sets[height + 1] = plain(entry["next_validators"])["validators"]
        self.first, self.last = min(self.blocks), max(self.blocks)
        header = self.blocks[self.first]["block"]["header"]
        if header["validators_hash"] == header["next_validators_hash"]:
            self.sets.setdefault(self.first, self.sets[self.first + 1])
        with opened(trace) as lines:
            self.world = json.loads(next(lines))
        self.keys = {m["address"].lower(): base64.b64decode(m["pub_key"]["value"])
                     for members in self.sets.values() for m in members}

    def header(self, height):
        return self.blocks[height]["block"]["header"]

    def commit(self, height):
        if height + 1 not in self.blocks:
            raise RpcError("could not find commit of block %d" % height)
        last = self.blocks[height + 1]["block"]["last_commit"]
        return {"signed_header": {"header": self.header(height), "commit": last}, "canonical": True}

    def routes(self, **wrong):
        return Node(self, **wrong).routes()


def other_character(text, place):
    """The text with the character at `place` made another one of its kind."""
    kinds = ("0123456789", "abcdefghijklmnopqrstuvwxyz", "ABCDEF", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "+/")
    old = text[place]
    kind = next((k for k in kinds if old in k), "xy")
    return text[:place] + kind[(kind.index(old) + 1) % len(kind) if old in kind else 0] + text[place + 1:]


def altered(value, path, place):
    """A copy of the value with one thing at the path changed."""
    value = copy.deepcopy(value)
    at, *names = value, *path.split(".")
    for name in names[:-1]:
        at = at[int(name)] if isinstance(at, list) else at[name]
    last = int(names[-1]) if isinstance(at, list) else names[-1]
    at[last] = other_character(at[last], place) if isinstance(at[last], str) else at[last] + 1
    return value


class Node:
    """One server's view of a history."""

    def __init__(self, history, alter=(), lag=0, below=0, top=None, delay_s=0, drop=0, refuse=(), moniker="node"):
        self.history = history
        self.alter = {}
        for height, reply, path, place in alter:
            self.alter.setdefault((reply, height), []).append((path, place))
        self.earliest = max(history.first, below)
        self.latest = min(history.last, top or history.last) - lag
        self.delay_s, self.drop, self.refuse, self.moniker = delay_s, drop, refuse, moniker
        self.lock = threading.Lock()
        self.count = itertools.count(1)
        self.asked = []  # (method, height), in order

    # --- heights, as CometBFT checks them ---

    def height(self, params, default=None, last=None):
        height = whole(params, "height", default if default is not None else self.latest)
        last = self.latest if last is None else last
        if height <= 0:
            raise RpcError("height must be greater than 0, but got %d" % height)
        if height > last:
            raise RpcError("height %d must be less than or equal to the current blockchain height %d"
                           % (height, last))
        if height < self.earliest:
            raise RpcError("height %d is not available, lowest height is %d" % (height, self.earliest))
        return height

    def told(self, reply, height, value):
        for path, place in self.alter.get((reply, height), ()):
            value = altered(value, path, place)
        return value

    # --- methods ---

    def status(self, _params):
        history, height = self.history, self.latest
        member = history.sets[height + 1][0]
        first, last = history.blocks[self.earliest], history.blocks[height]
        header = last["block"]["header"]
        return {
            "node_info": {
                "protocol_version": {"p2p": "8", "block": "11", "app": "0"}, "id": "00" * 20,
                "listen_addr": "tcp://127.0.0.1:26656", "network": header["chain_id"], "version": "0.37.2",
                "channels": "40202122233038606100", "moniker": self.moniker,
                "other": {"tx_index": "on", "rpc_address": "tcp://127.0.0.1:26657"}},
            "sync_info": {
                "latest_block_hash": last["block_id"]["hash"], "latest_app_hash": header["app_hash"],
                "latest_block_height": str(height), "latest_block_time": header["time"],
                "earliest_block_hash": first["block_id"]["hash"],
                "earliest_app_hash": first["block"]["header"]["app_hash"],
                "earliest_block_height": str(self.earliest),
                "earliest_block_time": first["block"]["header"]["time"], "catching_up": False},
            "validator_info": {"address": member["address"], "pub_key": member["pub_key"],
                               "voting_power": member["voting_power"]}}

    def block(self, params):
        height = self.height(params)
        return self.told("block", height, self.history.blocks[height])

    def header(self, params):
        height = self.height(params)
        return self.told("header", height, {"header": self.history.header(height)})

    def block_results(self, params):
        height = self.height(params)
        return self.told("block_results", height, self.history.results[height])

    def commit(self, params):
        height = self.height(params)
        return self.told("commit", height, self.history.commit(height))

    def validators(self, params):
        height = self.height(params, self.latest + 1, self.latest + 1)
        if height not in self.history.sets:
            raise RpcError("could not find validator set for height #%d" % height)
        members = self.told("validators", height, {"validators": self.history.sets[height]})["validators"]
        page, size = whole(params, "page", 1), min(whole(params, "per_page", PAGE), PAGE_MAX)
        pages = (len(members) - 1) // size + 1
        if not 1 <= page <= pages:
            raise RpcError("page should be within [1, %d] range, given %d" % (pages, page))
        part = members[(page - 1) * size:page * size]
        return {"block_height": str(height), "validators": part, "count": str(len(part)),
                "total": str(len(members))}

    def blockchain(self, params):
        high = min(whole(params, "maxHeight", 0) or self.latest, self.latest)
        low = max(whole(params, "minHeight", 0) or 1, self.earliest, high - HEADERS_MAX + 1)
        if low > high:
            raise RpcError("min height %d can't be greater than max height %d" % (low, high))
        metas = []
        for height in range(high, low - 1, -1):
            block = self.told("block", height, self.history.blocks[height])
            metas.append({"block_id": block["block_id"], "block_size": "1000", "header": block["block"]["header"],
                          "num_txs": str(len(block["block"]["data"]["txs"] or ()))})
        return {"last_height": str(self.latest), "block_metas": metas}

    def records(self):
        history = self.history
        known = [v for v in history.world["validators"] if v.get("account") and v["address"] in history.keys]
        return sorted(known, key=lambda v: v["account"])

    def abci_query(self, params):
        path, request = params.get("path", ""), data_bytes(params)
        keys = self.history.keys
        if path == "/kira.staking.Query/Validators":
            page, rest = page_of(self.records(), request, 7)
            value = b"".join(field(1, kira_record(v, keys[v["address"]])) for v in page) + field(3, rest)
        elif path == "/zigbeealliance.distributedcomplianceledger.validator.Query/ValidatorAll":
            page, rest = page_of(self.records(), request, 1)
            value = b"".join(field(1, dcl_record(v, keys[v["address"]])) for v in page) + field(2, rest)
        elif path == "/zigbeealliance.distributedcomplianceledger.validator.Query/DisabledValidatorAll":
            value = field(2, b"")
        elif path == "/kira.gov.Query/NetworkProperties":
            least = self.history.world["charter"]["min_validators"]
            value = field(1, field(1, 100) + field(2, 1000000) + field(3, "330000000000000000") + field(4, 300)
                          + field(5, 300) + field(10, 110) + field(11, 10) + field(13, least) + field(15, 600)
                          + field(62, 600))
        else:
            return {"response": {"code": 6, "log": "unknown query path: unknown request", "info": "", "index": "0",
                                 "key": None, "value": None, "proofOps": None, "height": "0", "codespace": "sdk"}}
        return {"response": {"code": 0, "log": "", "info": "", "index": "0", "key": None,
                             "value": base64.b64encode(value).decode(), "proofOps": None,
                             "height": str(self.latest), "codespace": ""}}

    def abci_info(self, _params):
        return {"response": {"data": "history", "last_block_height": str(self.latest)}}

    def health(self, _params):
        return {}

    # --- routes ---

    def misbehaving(self, method, answer):
        def route(params):
            with self.lock:
                self.asked.append((method, params.get("height")))
                count = next(self.count)
            if method in self.refuse or params.get("path") in self.refuse:
                raise RpcError("", -32601, "Method not found")
            if self.drop and count % self.drop == 0:
                return Reply(cut=0)
            value = answer(params)
            if self.delay_s:
                return Reply(b'{"jsonrpc":"2.0","id":@ID@,"result":' + encode(value).encode() + b"}",
                             delay_s=self.delay_s)
            return Text(encode(value))
        return route

    def routes(self):
        names = ("status", "block", "header", "block_results", "commit", "validators", "blockchain", "abci_query",
                 "abci_info", "health")
        return {name: self.misbehaving(name, getattr(self, name)) for name in names}


def alteration(text):
    """H:REPLY:PATH[:PLACE]"""
    height, reply, path, place, *_ = (text + ":0").split(":")
    return int(height), reply, path, int(place)


def main():
    parser = argparse.ArgumentParser(description="Serves a recorded history like a node.")
    parser.add_argument("history", type=Path)
    parser.add_argument("trace", type=Path)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--alter", type=alteration, action="append", default=[], metavar="H:REPLY:PATH[:PLACE]")
    parser.add_argument("--lag", type=int, default=0)
    parser.add_argument("--below", type=int, default=0)
    parser.add_argument("--top", type=int)
    parser.add_argument("--delay", type=float, default=0, dest="delay_s")
    parser.add_argument("--drop", type=int, default=0)
    parser.add_argument("--refuse", action="append", default=[])
    options = vars(parser.parse_args())
    history, port = History(options.pop("history"), options.pop("trace")), options.pop("port")
    with RpcServer(history.routes(**options), port) as server:
        print(server.url, flush=True)
        sys.stdin.read()  # until the other side closes it


if __name__ == "__main__":
    main()
