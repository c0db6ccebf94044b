"""Hashes, votes and signatures of CometBFT, computed once more in Python from the specification and compared
with what proto/header.h computes (through the test tool light_tool, one line in and one line out each):

    random headers, sets, commits, transactions and results, whole and damaged
    all blocks of ../shared/fixtures/sekai-0.4.13/history.jsonl.gz, where it is there: headers, sets,
    results, last commits with all their signatures; and the single captured replies of both nodes

    LIGHT_TOOL=build/dev/tests/light_tool python3 tests/light.py [SEED [ROUNDS]]

Nothing is shared with the C code: trees are built recursively, messages from lists of fields, and Ed25519
is RFC 8032's arithmetic on whole numbers.
"""
import base64
import gzip
import json
import os
import random
import subprocess
import sys
from hashlib import sha256, sha512
from pathlib import Path

from protobuf import field, varint

SOURCE = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("STAGGER_SHARED") or SOURCE.parent / "shared")
ZERO_TIME = (-62135596800, 0)
ABSENT, FOR_BLOCK, NIL = 1, 2, 3
NO_ID = (b"", 0, b"")


# --- Ed25519, RFC 8032 section 5.1 ---

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)


def point_add(a, b):
    e, f = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    g, h = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = f - e, h - g, h + g, f + e
    return e * f % P, g * h % P, f * g % P, e * h % P


def point_times(scalar, point):
    total = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            total = point_add(total, point)
        point = point_add(point, point)
        scalar >>= 1
    return total


def recover_x(y, sign):
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    return P - x if x & 1 != sign else x


def point_parse(text):
    y = int.from_bytes(text, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    x = recover_x(y, sign) if y < P else None
    return None if x is None else (x, y, 1, x * y % P)


def point_bytes(point):
    inverse = pow(point[2], P - 2, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


BASE_Y = 4 * pow(5, P - 2, P) % P
BASE = (recover_x(BASE_Y, 0), BASE_Y, 1, recover_x(BASE_Y, 0) * BASE_Y % P)


def number(*parts):
    return int.from_bytes(sha512(b"".join(parts)).digest(), "little") % ORDER


def secret_of(seed):
    h = sha512(seed).digest()
    return int.from_bytes(h[:32], "little") & (2**254 - 8) | 2**254, h[32:]


def public_of(seed):
    return point_bytes(point_times(secret_of(seed)[0], BASE))


def sign(seed, public, message):
    scalar, prefix = secret_of(seed)
    r = number(prefix, message)
    first = point_bytes(point_times(r, BASE))
    return first + ((r + number(first, public, message) * scalar) % ORDER).to_bytes(32, "little")


def verify(public, message, signature):
    if len(signature) != 64 or not (a := point_parse(public)):
        return False
    s = int.from_bytes(signature[32:], "little")
    minus_a = (P - a[0], a[1], 1, P - a[3])
    k = number(signature[:32], public, message)
    return s < ORDER and point_bytes(
        point_add(point_times(s, BASE), point_times(k, minus_a))) == signature[:32]


# --- messages ---

def fixed(at, value):
    return varint(at << 3 | 1) + value.to_bytes(8, "little", signed=True) if value else b""


def timestamp(time):
    return field(1, time[0]) + field(2, time[1])


def block_id(value):
    return field(1, value[0]) + field(2, field(1, value[1]) + field(2, value[2]), True)


# --- trees: RFC 6962 section 2.1 ---

def tree(leaves):
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return sha256(b"\0" + leaves[0]).digest()
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return sha256(b"\1" + tree(leaves[:split]) + tree(leaves[split:])).digest()


HEADER_HASHES = ("last_commit_hash", "data_hash", "validators_hash", "next_validators_hash",
                 "consensus_hash", "app_hash", "last_results_hash", "evidence_hash")


def header_hash(h):
    hashes = [field(1, h[name]) for name in HEADER_HASHES]
    return tree([field(1, h["block"]) + field(2, h["app"]), field(1, h["chain_id"].encode()),
                 field(1, h["height"]), timestamp(h["time"]), block_id(h["last_block_id"]), *hashes,
                 field(1, h["proposer"])])


def members_hash(members):
    return tree([field(1, field(1, key), True) + field(2, power) for _, key, power in members])


def commit_hash(commit):
    return tree([field(1, flag) + field(2, address) + field(3, timestamp(time), True) +
                 field(4, signature) for flag, address, time, signature in commit["sigs"]])


def txs_hash(txs):
    return tree([sha256(tx).digest() for tx in txs])


def results_hash(results):
    return tree([field(1, code) + field(2, data) + field(5, wanted) + field(6, used)
                 for code, data, wanted, used in results])


def vote_bytes(commit, chain_id, index):
    flag, _, time, _ = commit["sigs"][index]
    voted = field(4, block_id(commit["id"]), True) if flag == FOR_BLOCK else b""
    vote = (field(1, 2) + fixed(2, commit["height"]) + fixed(3, commit["round"]) + voted +
            field(5, timestamp(time), True) + field(6, chain_id.encode()))
    return varint(len(vote)) + vote


def address_of(key):
    return sha256(key).digest()[:20]


def entry_right(commit, chain_id, index, member):
    flag, address, time, signature = commit["sigs"][index]
    if flag == ABSENT:
        return (address, time, signature) == (b"", ZERO_TIME, b"")
    return (flag in (FOR_BLOCK, NIL) and address == member[0] and
            verify(member[1], vote_bytes(commit, chain_id, index), signature))


def committed(commit, chain_id, of, height, members):
    """Whether the set has committed the block."""
    if (commit["height"] != height or commit["id"] != of or not of[0] or commit["round"] < 0 or
            len(commit["sigs"]) != len(members) or len({m[0] for m in members}) != len(members)):
        return False
    total = sum(m[2] for m in members)
    if any(m[2] < 1 or m[0] != address_of(m[1]) for m in members) or total > (2**63 - 1) // 8:
        return False
    if not all(entry_right(commit, chain_id, i, m) for i, m in enumerate(members)):
        return False
    have = sum(m[2] for m, sig in zip(members, commit["sigs"]) if sig[0] == FOR_BLOCK)
    return have * 3 > total * 2


# --- the other side ---

class Tool:
    """Collects lines and what must come out for each, then asks once."""

    def __init__(self):
        self.lines, self.expected = [], []

    def ask(self, expected, *words):
        self.lines.append(" ".join(w.hex() or "-" if isinstance(w, bytes) else str(w) for w in words))
        self.expected.append(expected.hex() if isinstance(expected, bytes) else expected)

    def compare(self, what):
        done = subprocess.run([os.environ["LIGHT_TOOL"]], input="\n".join(self.lines) + "\n",
                              capture_output=True, text=True, check=False)
        got = done.stdout.split("\n")[:-1]
        for line, want, have in zip(self.lines, self.expected, got):
            if want != (have.split(":")[0] if want == "no" else have):
                sys.exit(f"{what}: {want!r} in Python, {have!r} in C, for this line:\n{line[:4000]}")
        if done.returncode or len(got) != len(self.expected):
            sys.exit(f"{what}: light_tool ended with status {done.returncode} after {len(got)} of "
                     f"{len(self.expected)} lines: {done.stderr}")
        print(f"{what}: {len(got)} answers agree")

    def header(self, h):
        self.ask(header_hash(h), "header", h["block"], h["app"], h["chain_id"] or "-", h["height"],
                 *h["time"], *h["last_block_id"], *(h[name] for name in HEADER_HASHES), h["proposer"])

    def members(self, members):
        self.ask(members_hash(members), "members", len(members), *(x for m in members for x in m))

    def commit(self, commit):
        words = [x for flag, address, time, sig in commit["sigs"] for x in (flag, address, *time, sig)]
        self.ask(commit_hash(commit), "commit", commit["height"], commit["round"], *commit["id"],
                 len(commit["sigs"]), *words)

    def votes(self, commit, chain_id):
        for i, sig in enumerate(commit["sigs"]):
            if sig[0] != ABSENT:
                self.ask(vote_bytes(commit, chain_id, i), "vote", chain_id or "-", i)

    def verify(self, commit, chain_id, of, height, members):
        """Of the commit and the members asked last."""
        right = committed(commit, chain_id, of, height, members)
        self.ask("ok" if right else "no", "verify", chain_id or "-", *of, height)
        return right

    def txs(self, txs):
        self.ask(txs_hash(txs), "txs", len(txs), *txs)

    def results(self, results):
        self.ask(results_hash(results), "results", len(results), *(x for r in results for x in r))


# --- random worlds ---

class Worlds:
    def __init__(self, seed):
        self.r = random.Random(seed)
        seeds = [self.r.randbytes(32) for _ in range(12)]
        self.keys = [(seed, public_of(seed)) for seed in seeds]

    def some(self, *choices):
        return self.r.choice(choices)

    def whole(self, bits=63):
        top = 2**bits - 1
        return self.some(0, 1, 127, 128, top, -1, -top - 1, self.r.randint(-top, top))

    def hash(self):
        return self.some(b"", bytes(32), self.r.randbytes(32), self.r.randbytes(32))

    def id(self):
        return self.hash(), self.some(0, 1, 2**32 - 1, self.r.getrandbits(20)), self.hash()

    def time(self):
        return self.some(0, 1, ZERO_TIME[0], self.r.getrandbits(33)), self.some(0, 1, 999999999, 5000)

    def chain_id(self):
        return self.some("", "a", "x" * 50, "y" * 63, f"localnet-{self.r.getrandbits(8)}")

    def header(self):
        h = {name: self.hash() for name in HEADER_HASHES}
        h |= {"block": self.some(0, 11, 2**64 - 1), "app": self.some(0, 1, 2**63),
              "chain_id": self.chain_id(), "height": self.whole(), "time": self.time(),
              "last_block_id": self.id(), "app_hash": self.r.randbytes(self.r.randint(0, 64)),
              "proposer": self.some(bytes(20), self.r.randbytes(20))}
        return h

    def list(self, make, most=70):
        return [make() for _ in range(self.some(0, 1, 2, 3, 4, 5, 8, 9, self.r.randint(0, most)))]

    def tx(self):
        return self.r.randbytes(self.some(0, 1, 64, 200, 3000))

    def result(self):
        return (self.some(0, 1, 30, 2**32 - 1), self.r.randbytes(self.some(0, 0, 1, 130, 9000)),
                self.whole(), self.whole())

    def set(self):
        """[(seed, member)]"""
        chosen = self.r.sample(self.keys, self.r.randint(1, len(self.keys)))
        power = self.some(lambda: 1, lambda: self.r.randint(1, 100), lambda: 2**59, lambda: 2**60 - 1)
        return [(seed, (address_of(key), key, power())) for seed, key in chosen]

    def signed(self, chain_id, pairs):
        flags = self.r.choices((FOR_BLOCK, NIL, ABSENT), (self.some(2, 8, 30), 1, 1), k=len(pairs))
        commit = {"height": self.some(1, 2**63 - 1, self.r.getrandbits(30)), "sigs": [],
                  "round": self.some(0, 0, 1, 2**31 - 1), "id": (self.r.randbytes(32), *self.id()[1:])}
        for i, (flag, (seed, member)) in enumerate(zip(flags, pairs)):
            entry = (flag, member[0], self.time(), b"") if flag != ABSENT else (flag, b"", ZERO_TIME, b"")
            commit["sigs"].append(entry)
            if flag != ABSENT:
                signature = sign(seed, member[1], vote_bytes(commit, chain_id, i))
                commit["sigs"][i] = (*entry[:3], signature)
        return commit

    def damage(self, commit, members):
        """One of many ways to be wrong, or (rarely) right after all."""
        i = self.r.randrange(len(members))
        flag, address, time, signature = commit["sigs"][i]
        bad = bytearray(signature or bytes(64))
        bad[self.r.randrange(64)] ^= 1 << self.r.randrange(8)
        entries = [(flag, address, time, bytes(bad)), (flag, address, time, b""),
                   (flag, self.r.randbytes(20), time, signature), (NIL, members[i][0], time, signature),
                   (ABSENT, b"", ZERO_TIME, b""), (ABSENT, address, ZERO_TIME, signature),
                   (FOR_BLOCK, members[i][0], time, signature), (flag, address, (1, 1), signature)]
        other = members[self.r.randrange(len(members))]
        people = [other, (address_of(other[1]), members[i][1], 1), (*members[i][:2], 0),
                  (*members[i][:2], -5), (*members[i][:2], 2**62), (*members[i][:2], 2**63 - 1)]
        commit, members = dict(commit, sigs=list(commit["sigs"])), list(members)
        if self.r.random() < 0.6:
            commit["sigs"][i] = self.r.choice(entries)
        elif self.r.random() < 0.5:
            members[i] = self.r.choice(people)
        else:
            commit |= self.some({"round": commit["round"] ^ 1}, {"height": commit["height"] ^ 1},
                                {"round": -1}, {"id": (commit["id"][0], commit["id"][1] ^ 1, b"")},
                                {"sigs": commit["sigs"][:-1]}, {"id": NO_ID})
        return commit, members


def ask_commit(tool, worlds):
    chain_id, pairs = worlds.chain_id(), worlds.set()
    members, commit = [member for _, member in pairs], worlds.signed(chain_id, pairs)
    damaged = [worlds.damage(commit, members) for _ in range(3)]
    for shown, people in ((commit, members), *damaged):
        tool.members(people)
        tool.commit(shown)
        tool.votes(shown, chain_id)
        tool.verify(shown, chain_id, commit["id"], commit["height"], people)


def compare_random(seed, rounds):
    tool, worlds = Tool(), Worlds(seed)
    for _ in range(rounds):
        tool.header(worlds.header())
        tool.txs(worlds.list(worlds.tx))
        tool.results(worlds.list(worlds.result))
    for _ in range(rounds // 20):
        ask_commit(tool, worlds)
    good, bad = tool.expected.count("ok"), tool.expected.count("no")
    assert good and bad
    tool.compare(f"random values of seed {seed}, {good} good commits and {bad} bad ones")


# --- captured blocks ---

def parse_time(text):
    from datetime import datetime, timezone
    whole, _, rest = text.rstrip("Z").partition(".")
    moment = datetime.fromisoformat(whole).replace(tzinfo=timezone.utc)
    origin = datetime(1970, 1, 1, tzinfo=timezone.utc)
    since = moment - origin
    return since.days * 86400 + since.seconds, int(rest.ljust(9, "0"))


def parse_id(value):
    return bytes.fromhex(value["hash"]), value["parts"]["total"], bytes.fromhex(value["parts"]["hash"])


def parse_header(value):
    h = {name: bytes.fromhex(value[name]) for name in HEADER_HASHES}
    version = value["version"]
    return h | {"block": int(version.get("block", 0)), "app": int(version.get("app", 0)),
                "chain_id": value["chain_id"], "height": int(value["height"]),
                "time": parse_time(value["time"]), "last_block_id": parse_id(value["last_block_id"]),
                "proposer": bytes.fromhex(value["proposer_address"])}


def parse_commit(value):
    return {"height": int(value["height"]), "round": value["round"], "id": parse_id(value["block_id"]),
            "sigs": [(s["block_id_flag"], bytes.fromhex(s["validator_address"]),
                      parse_time(s["timestamp"]), base64.b64decode(s["signature"] or ""))
                     for s in value["signatures"]]}


def parse_members(value):
    return [(bytes.fromhex(v["address"]), base64.b64decode(v["pub_key"]["value"]), int(v["voting_power"]))
            for v in value["validators"]]


def parse_results(value):
    return [(r.get("code", 0), base64.b64decode(r.get("data") or ""), int(r.get("gas_wanted", 0)),
             int(r.get("gas_used", 0))) for r in value["txs_results"] or []]


def must(true, height, what):
    if not true:
        sys.exit(f"captured block {height}: the Python side finds that {what} differs")


def ask_block(tool, block, before):
    header, of = parse_header(block["block"]["header"]), parse_id(block["block_id"])
    last, height = parse_commit(block["block"]["last_commit"]), header["height"]
    txs = [base64.b64decode(tx) for tx in block["block"]["data"]["txs"]]
    must(header_hash(header) == of[0], height, "the header's hash")
    must(txs_hash(txs) == header["data_hash"], height, "data_hash")
    must(commit_hash(last) == header["last_commit_hash"], height, "last_commit_hash")
    tool.header(header)
    tool.txs(txs)
    tool.commit(last)
    if before:
        must(of_before(before, header, last), height, "what binds it to the block before")
        tool.votes(last, header["chain_id"])
        tool.members(before["set"])
        must(tool.verify(last, header["chain_id"], before["id"], height - 1, before["set"]), height,
             "the last commit")
        tool.results(before["results"])
    return header, of


def of_before(before, header, last):
    return (before["id"] == header["last_block_id"] == last["id"] and
            results_hash(before["results"]) == header["last_results_hash"] and
            (not before["next"] or members_hash(before["next"]) == header["validators_hash"]))


def compare_history(path):
    tool, before = Tool(), None
    for line in gzip.open(path, "rt"):
        value = json.loads(line)
        header, of = ask_block(tool, value["block"]["result"], before)
        following = parse_members(value["next_validators"]["result"])
        must(members_hash(following) == header["next_validators_hash"], header["height"],
             "next_validators_hash")
        tool.members(following)
        now = before["next"] if before else following  # the set does not change at the first block
        must(members_hash(now) == header["validators_hash"], header["height"], "validators_hash")
        before = {"id": of, "set": now, "next": following,
                  "results": parse_results(value["block_results"]["result"])}
    tool.compare(f"the {before and header['height']} heights of {path.name}")


def compare_replies(folder):
    tool = Tool()
    load = lambda name: json.loads((folder / f"{name}.json").read_text())["result"]
    ask_block(tool, load("block"), None)
    signed, members = load("commit")["signed_header"], parse_members(load("validators"))
    header, commit = parse_header(signed["header"]), parse_commit(signed["commit"])
    if members_hash(members) != header["validators_hash"]:  # captured later, when a power had changed
        members = sorted((address, key, 1) for address, key, _ in members)
    tool.header(header)
    tool.members(members)
    tool.commit(commit)
    tool.votes(commit, header["chain_id"])
    of = parse_id(load("block")["block_id"])
    must(members_hash(members) == header["validators_hash"], header["height"], "the set")
    must(tool.verify(commit, header["chain_id"], of, header["height"], members), header["height"],
         "the commit")
    tool.compare(f"the replies of {folder.name}")


def main():
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    compare_random(seed, int(sys.argv[2]) if len(sys.argv) > 2 else 400)
    fixtures = SHARED / "fixtures"
    if not fixtures.is_dir():
        print(f"no {fixtures}: captured blocks are left out")
        return
    for name in ("sekai-0.4.13", "cometbft-0.37.4"):
        compare_replies(fixtures / name)
    compare_history(fixtures / "sekai-0.4.13" / "history.jsonl.gz")


if __name__ == "__main__":
    main()
