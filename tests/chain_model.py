"""A small network for the tests of node/chain.h: blocks with true hashes and signatures, accounts with sequences, a
mempool, the chains' records; and nodes that show it through tests/rpc_server.py, each with its own faults.

    ledger = Ledger("kira")                          # three validators, one account of theirs each
    node = Node(ledger)
    with node.server as server:
        ... server.url ...
        ledger.produce()                             # the next block, with what the mempool holds

    node.lag = 10                                    # shows the chain as it was ten blocks ago
    node.hooks["broadcast_tx_sync"] = lambda params, usual: ...     # in place of the usual answer, usual(params)
    ledger.on_status = lambda: ledger.produce()      # a block at every look at the head

Hashes, votes and Ed25519 are those of light.py.
"""
import base64
import datetime
import hashlib
import threading

import light
from bech32 import bech32
from history_server import page_of
from protobuf import field, fields
from rpc_server import RpcError, RpcServer, data_bytes, hash_bytes, whole

BLOCK_S = 6
BASE_S = 1_790_000_000
DCL = "zigbeealliance.distributedcomplianceledger."


def b64(data):
    return base64.b64encode(data).decode()


def utc(time):
    moment = datetime.datetime.fromtimestamp(time[0], datetime.timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%S") + (f".{time[1]:09d}".rstrip("0") if time[1] else "") + "Z"


def account_of(public):
    return hashlib.new("ripemd160", hashlib.sha256(public).digest()).digest()


class Tx:
    """What a node reads of a transaction."""

    def __init__(self, raw):
        self.raw = raw
        self.hash = hashlib.sha256(raw).digest()
        parts = fields(raw)
        body, auth = fields(parts[1][0]), fields(parts[2][0])
        signer = fields(auth[1][0])
        self.url = fields(body[1][0])[1][0].decode()
        self.timeout = body.get(3, [0])[0]
        self.sequence = signer.get(3, [0])[0]
        self.account = account_of(fields(fields(signer[1][0])[2][0])[1][0])
        fee = fields(auth[2][0])
        self.fee = int(fields(fee[1][0])[2][0]) if 1 in fee else 0


class Validator:
    def __init__(self, number):
        self.seed = bytes([number + 1]) * 32
        self.key = light.public_of(self.seed)
        self.consensus = light.address_of(self.key)
        self.account = hashlib.sha256(b"account %d" % number).digest()[:20]
        self.moniker = f"v{number}"
        self.status = "ACTIVE"
        self.by_admin = True
        self.member = True

    def entry(self):
        return self.consensus, self.key, 1


def mismatch(expected, got):
    return {"code": 32, "codespace": "sdk",
            "log": f"account sequence mismatch, expected {expected}, got {got}: incorrect account sequence"}


class Ledger:
    def __init__(self, kind="kira", validators=3, chain_id="test-1"):
        self.kind = kind
        self.prefix = "kira" if kind == "kira" else "cosmos"
        self.chain_id = chain_id
        self.validators = [Validator(i) for i in range(validators)]
        self.accounts = {}           # address: [number, sequence, balance]
        self.history = {}            # height: {address: sequence}
        self.codes = {}              # type URL: (code, codespace, log) of its execution
        self.blocks = [None]
        self.sets = {1: self.members()}
        self.mempool = []
        self.fees = [("pause", 100, 100), ("unpause", 100, 100), ("activate", 100, 1000)]
        self.properties = {1: 100, 2: 1000000, 3: b"330000000000000000", 4: 300, 5: 300, 10: 110, 11: 10, 13: 2,
                           15: 600, 62: 600}
        self.plans = {"current": b"", "next": b""}
        self.proposals, self.votes, self.voters = [], {}, {}
        self.signing = {}
        self.on_status = None
        self.lock = threading.RLock()
        self.produce()

    def add_account(self, address, number=3, sequence=7, balance=10_000):
        self.accounts[address] = [number, sequence, balance]
        self.history[self.height][address] = sequence

    def members(self):
        return sorted((v.entry() for v in self.validators if v.member), key=lambda m: m[0])

    @property
    def height(self):
        return len(self.blocks) - 1

    # --- blocks ---

    def execute(self, tx, height):
        if tx.timeout and height > tx.timeout:
            return {"code": 30, "codespace": "sdk",
                    "log": f"block height: {height}, timeout height: {tx.timeout}: tx timeout height"}
        account = self.accounts[tx.account]
        if tx.sequence != account[1]:
            return mismatch(account[1], tx.sequence)
        account[1] += 1
        account[2] -= tx.fee
        code, codespace, log = self.codes.get(tx.url, (0, "", "[]"))
        return {"code": code, "codespace": codespace, "log": log}

    def sign(self, height, block_id, time):
        sigs = []
        for member in self.sets[height]:
            sigs.append((light.FOR_BLOCK, member[0], time, b""))
        commit = {"height": height, "round": 0, "id": block_id, "sigs": sigs}
        seeds = {v.consensus: v for v in self.validators}
        for i, (flag, address, when, _) in enumerate(sigs):
            signer = seeds[address]
            signature = light.sign(signer.seed, signer.key, light.vote_bytes(commit, self.chain_id, i))
            sigs[i] = (flag, address, when, signature)
        return commit

    def produce(self, txs=None, app_hash=b"\x11" * 32):
        with self.lock:
            height = self.height + 1
            time = (BASE_S + height * BLOCK_S, 0)
            chosen = [Tx(raw) for raw in (self.mempool if txs is None else txs)]
            results = [self.execute(tx, height) for tx in chosen]
            gone = {tx.hash for tx in chosen}
            self.mempool = [raw for raw in self.mempool if Tx(raw).hash not in gone]
            self.sets[height + 1] = self.members()
            last = self.blocks[-1]
            header = {
                "block": 11, "app": 0, "chain_id": self.chain_id, "height": height, "time": time,
                "last_block_id": last["id"] if last else light.NO_ID,
                "last_commit_hash": light.commit_hash(last["commit"]) if last else light.tree([]),
                "data_hash": light.txs_hash([tx.raw for tx in chosen]),
                "validators_hash": light.members_hash(self.sets[height]),
                "next_validators_hash": light.members_hash(self.sets[height + 1]),
                "consensus_hash": b"\x22" * 32, "app_hash": app_hash,
                "last_results_hash": light.results_hash(last["bound"] if last else []),
                "evidence_hash": light.tree([]), "proposer": self.sets[height][0][0],
            }
            digest = light.header_hash(header)
            block_id = (digest, 1, hashlib.sha256(digest).digest())
            self.blocks.append({
                "header": header, "id": block_id, "txs": [tx.raw for tx in chosen], "results": results,
                "bound": [(r["code"], b"", 0, 0) for r in results],
                "commit": self.sign(height, block_id, (time[0] + 1, 0)),
                "last_commit": last["commit"] if last else None})
            self.history[height] = {address: a[1] for address, a in self.accounts.items()}
            self.recheck()

    def recheck(self):
        """Drops what can no longer be included, as nodes do after each block."""
        left, pending = [], {}
        for raw in self.mempool:
            tx = Tx(raw)
            expected = self.accounts[tx.account][1] + pending.get(tx.account, 0)
            if tx.sequence == expected and not (tx.timeout and tx.timeout < self.height):
                pending[tx.account] = pending.get(tx.account, 0) + 1
                left.append(raw)
        self.mempool = left

    def use_sequence(self, address):
        """Another transaction of the account, sent by somebody else, stands in the next block."""
        self.accounts[address][1] += 1
        self.recheck()

    # --- records ---

    def record(self, v):
        if self.kind == "kira":
            return (field(1, bech32(self.prefix, v.account))
                    + field(2, bech32(self.prefix + "valoper", v.account))
                    + field(3, "PubKeyEd25519{%s}" % v.key.hex().upper())
                    + field(4, v.consensus.hex().upper()) + field(5, v.moniker)
                    + field(6, v.status) + field(7, 5) + field(8, 4))
        jailed = v.status != "ACTIVE"
        any_key = field(1, "/cosmos.crypto.ed25519.PubKey") + field(2, field(1, v.key))
        return (field(1, bech32(self.prefix + "valoper", v.account)) + field(2, field(1, v.moniker))
                + field(3, any_key) + field(4, 0 if jailed else 10) + field(5, int(jailed)))

    def disabled(self, v):
        address = bech32(self.prefix + "valoper", v.account)
        return field(1, address) + field(2, address) + field(4, int(v.by_admin))


def id_json(value):
    return {"hash": value[0].hex().upper(), "parts": {"total": value[1], "hash": value[2].hex().upper()}}


def header_json(h):
    names = list(light.HEADER_HASHES)
    return {"version": {"block": str(h["block"])}, "chain_id": h["chain_id"], "height": str(h["height"]),
            "time": utc(h["time"]), "last_block_id": id_json(h["last_block_id"]),
            **{name: h[name].hex().upper() for name in names}, "proposer_address": h["proposer"].hex().upper()}


def commit_json(commit):
    if commit is None:
        return {"height": "0", "round": 0, "block_id": id_json(light.NO_ID), "signatures": []}
    return {"height": str(commit["height"]), "round": commit["round"], "block_id": id_json(commit["id"]),
            "signatures": [{"block_id_flag": flag, "validator_address": address.hex().upper(),
                            "timestamp": utc(time), "signature": b64(signature)}
                           for flag, address, time, signature in commit["sigs"]]}


class Node:
    def __init__(self, ledger, validator=0):
        self.ledger = ledger
        self.me = ledger.validators[validator]
        self.lag = 0
        self.catching_up = False
        self.index = True
        self.earliest = 1
        self.restarted = False       # until its next block every transaction is refused with code 4
        self.restarted_at = 0
        self.deaf = False            # its mempool is not the common one
        self.cache = set()
        self.log = []                # (method, tag) in order
        self.hooks = {}
        names = ("status", "validators", "commit", "block", "block_results", "abci_query",
                 "broadcast_tx_sync", "tx")
        self.server = RpcServer({name: self.route(name) for name in names})

    def route(self, name):
        usual = getattr(self, name)

        def answer(params):
            with self.ledger.lock:
                hook = self.hooks.get(name)
                return hook(params, usual) if hook else usual(params)
        return answer

    @property
    def head(self):
        return max(self.ledger.height - self.lag, 1)

    def block_at(self, params):
        height = whole(params, "height", self.head)
        if height > self.head:
            raise RpcError(f"height {height} must be less than or equal to the current blockchain height {self.head}")
        if height < self.earliest:
            raise RpcError(f"height {height} is not available, lowest height is {self.earliest}")
        return self.ledger.blocks[height]

    # --- CometBFT ---

    def status(self, params):
        if self.ledger.on_status:
            self.ledger.on_status()
        block = self.ledger.blocks[self.head]
        power = any(m[0] == self.me.consensus for m in self.ledger.sets[self.head + 1])
        return {
            "node_info": {"id": "a8" * 20, "network": self.ledger.chain_id, "version": "0.37.2",
                          "moniker": self.me.moniker, "other": {"tx_index": "on" if self.index else "off"}},
            "sync_info": {"latest_block_hash": block["id"][0].hex().upper(),
                          "latest_block_height": str(self.head), "latest_block_time": utc(block["header"]["time"]),
                          "earliest_block_height": str(self.earliest), "catching_up": self.catching_up},
            "validator_info": {"address": self.me.consensus.hex().upper(),
                               "pub_key": {"type": "tendermint/PubKeyEd25519", "value": b64(self.me.key)},
                               "voting_power": str(int(power))}}

    def validators(self, params):
        height, page = whole(params, "height", self.head + 1), whole(params, "page", 1)
        size = whole(params, "per_page", 30)
        if height > self.head + 1:
            raise RpcError(f"height {height} must be less than or equal to the current blockchain height {self.head}")
        members = self.ledger.sets[height]
        part = members[(page - 1) * size:page * size]
        return {"block_height": str(height), "count": str(len(part)), "total": str(len(members)),
                "validators": [{"address": a.hex().upper(), "voting_power": str(power), "proposer_priority": "0",
                                "pub_key": {"type": "tendermint/PubKeyEd25519", "value": b64(key)}}
                               for a, key, power in part]}

    def commit(self, params):
        block = self.block_at(params)
        return {"signed_header": {"header": header_json(block["header"]), "commit": commit_json(block["commit"])},
                "canonical": True}

    def block(self, params):
        block = self.block_at(params)
        return {"block_id": id_json(block["id"]),
                "block": {"header": header_json(block["header"]), "data": {"txs": [b64(tx) for tx in block["txs"]]},
                          "evidence": {"evidence": []}, "last_commit": commit_json(block["last_commit"])}}

    def block_results(self, params):
        block = self.block_at(params)
        return {"height": str(block["header"]["height"]), "validator_updates": None,
                "txs_results": [self.result_json(r) for r in block["results"]] or None}

    @staticmethod
    def result_json(result):
        return {"code": result["code"], "data": None, "log": result["log"], "info": "", "gas_wanted": "0",
                "gas_used": "0", "events": [], "codespace": result["codespace"]}

    def tx(self, params):
        wanted = hash_bytes(params, "hash")
        if not self.index:
            raise RpcError("transaction indexing is disabled")
        for height in range(1, self.head + 1):
            block = self.ledger.blocks[height]
            for i, raw in enumerate(block["txs"]):
                if hashlib.sha256(raw).digest() == wanted:
                    return {"hash": wanted.hex().upper(), "height": str(height), "index": i,
                            "tx_result": self.result_json(block["results"][i]), "tx": b64(raw)}
        raise RpcError(f"tx ({wanted.hex().upper()}) not found")

    def check(self, tx):
        ledger = self.ledger
        if self.restarted and self.head <= self.restarted_at:
            return {"code": 4, "codespace": "sdk", "log": "signature verification failed; please verify account "
                    "number (0) and chain-id (test-1): unauthorized"}
        if tx.timeout and tx.timeout < self.head:
            return {"code": 30, "codespace": "sdk",
                    "log": f"block height: {self.head}, timeout height: {tx.timeout}: tx timeout height"}
        committed = ledger.history[self.head].get(tx.account, 0)
        pending = [] if self.lag else [raw for raw in ledger.mempool if Tx(raw).account == tx.account]
        if tx.sequence != committed + len(pending):
            return mismatch(committed + len(pending), tx.sequence)
        return {"code": 0, "codespace": "", "log": "[]"}

    def broadcast_tx_sync(self, params):
        raw = hash_bytes(params, "tx")
        tx = Tx(raw)
        if tx.hash in self.cache or raw in self.ledger.mempool:
            raise RpcError("tx already exists in cache")
        result = self.check(tx)
        if result["code"] == 0:
            self.cache.add(tx.hash)
            if not self.deaf:
                self.ledger.mempool.append(raw)
        return {**result, "data": "", "hash": tx.hash.hex().upper()}

    def restart(self):
        self.cache.clear()
        self.restarted, self.restarted_at = True, self.head

    # --- abci_query ---

    def abci_query(self, params):
        request, path = data_bytes(params), params["path"]
        handler = self.handlers().get(path)
        if handler is None:
            return self.reply(b"", 6, "unknown query path: unknown request", "sdk")
        value = handler(request)
        if value is None:
            return self.reply(b"", 22, "not found: key not found", "sdk")
        return self.reply(value)

    def reply(self, value, code=0, log="", codespace=""):
        return {"response": {"code": code, "log": log, "info": "", "index": "0", "key": None,
                             "value": b64(value), "proofOps": None, "height": str(self.head if code == 0 else 0),
                             "codespace": codespace}}

    def handlers(self):
        ledger = self.ledger
        if ledger.kind == "kira":
            return {
                "/cosmos.auth.v1beta1.Query/Account": self.account_kira,
                "/cosmos.bank.v1beta1.Query/Balance": self.balance,
                "/kira.staking.Query/Validators": self.records_kira,
                "/kira.slashing.Query/SigningInfo": self.signing_info,
                "/kira.gov.Query/NetworkProperties": lambda _: field(1, b"".join(
                    field(at, value) for at, value in sorted(ledger.properties.items()))),
                "/kira.gov.Query/AllExecutionFees": lambda _: b"".join(
                    field(1, field(1, name) + field(2, execution) + field(3, failure) + field(4, 10))
                    for name, execution, failure in ledger.fees),
                "/kira.upgrade.Query/CurrentPlan": lambda _: ledger.plans["current"],
                "/kira.upgrade.Query/NextPlan": lambda _: ledger.plans["next"],
                "/kira.gov.Query/Proposals": lambda _: b"".join(field(1, p) for p in ledger.proposals),
                "/kira.gov.Query/Votes": lambda request: b"".join(
                    field(1, field(1, self.number(request)) + field(2, who) + field(3, option))
                    for who, option in ledger.votes.get(self.number(request), {}).items()),
                "/kira.gov.Query/WhitelistedProposalVoters": lambda request: b"".join(
                    field(1, field(1, who)) for who in ledger.voters.get(self.number(request), ())),
            }
        return {
            f"/{DCL}dclauth.Query/Account": self.account_dcl,
            f"/{DCL}validator.Query/ValidatorAll": lambda request: self.page(
                [ledger.record(v) for v in ledger.validators], request, 1, 2),
            f"/{DCL}validator.Query/Validator": lambda request: self.one(request, lambda v: True, ledger.record),
            f"/{DCL}validator.Query/DisabledValidatorAll": lambda request: self.page(
                [ledger.disabled(v) for v in ledger.validators if v.status == "DISABLED"], request, 1, 2),
            f"/{DCL}validator.Query/DisabledValidator": lambda request: self.one(
                request, lambda v: v.status == "DISABLED", ledger.disabled),
            "/cosmos.upgrade.v1beta1.Query/CurrentPlan": lambda _: ledger.plans["next"],
            f"/{DCL}dclupgrade.Query/ProposedUpgradeAll": lambda _: b"".join(field(1, p) for p in ledger.proposals),
        }

    @staticmethod
    def number(request):
        return fields(request)[1][0]

    @staticmethod
    def page(records, request, number, behind):
        part, page = page_of(records, request, number)
        return b"".join(field(1, r) for r in part) + field(behind, page)

    def asked_account(self, request):
        text = fields(request)[1][0].decode()
        for address in list(self.ledger.accounts) + [v.account for v in self.ledger.validators]:
            if text in (bech32(self.ledger.prefix, address), bech32(self.ledger.prefix + "valoper", address)):
                return address
        return None

    def one(self, request, fits, encode):
        address = self.asked_account(request)
        for v in self.ledger.validators:
            if v.account == address and fits(v):
                return field(1, encode(v))
        return None

    def base_account(self, request):
        address = self.asked_account(request)
        if address not in self.ledger.accounts:
            return None
        number, _, _ = self.ledger.accounts[address]
        sequence = self.ledger.history[self.head].get(address, 0)
        return field(1, bech32(self.ledger.prefix, address)) + field(3, number) + field(4, sequence)

    def account_kira(self, request):
        base = self.base_account(request)
        return base and field(1, field(1, "/cosmos.auth.v1beta1.BaseAccount") + field(2, base))

    def account_dcl(self, request):
        base = self.base_account(request)
        return base and field(1, field(1, base) + field(2, "NodeAdmin"))

    def balance(self, request):
        account = self.ledger.accounts.get(self.asked_account(request), [0, 0, 0])
        return field(1, field(1, "ukex") + field(2, str(account[2])))

    def records_kira(self, request):
        asked = fields(request)
        wanted = [v for v in self.ledger.validators
                  if 1 not in asked or asked[1][0].decode() == bech32(self.ledger.prefix, v.account)]
        return self.page([self.ledger.record(v) for v in wanted], request, 7, 3)

    def signing_info(self, request):
        text = fields(request)[1][0].decode()
        for v in self.ledger.validators:
            if text == bech32(self.ledger.prefix + "valcons", v.consensus) and v.consensus in self.ledger.signing:
                until, mischance = self.ledger.signing[v.consensus]
                return field(1, field(1, text) + field(3, field(1, until), True) + field(5, mischance))
        return None
