#!/usr/bin/env python3
"""Transactions built a second time, from the specifications alone, and compared byte by byte.

    tx_vectors.py TX_TOOL [--count N] [--seed S]

Everything here is written anew in Python: protobuf, bech32, RIPEMD-160, secp256k1 with the nonces of
RFC 6979. It draws keys, sequences, fees, memos, timeouts, classes, plans and votes at random, builds each
transaction, and asks TX_TOOL (tests/tx_tool.c) for the same, and for some of them the command
`$STAGGER tx ... --offline`. The first difference ends it, with the seed that shows it again.

Where $STAGGER_SHARED (by default ../shared beside the tree) has the history of a real network, its
transactions are read as well, and compared with what the trace of the same history says they are.
"""
import argparse
import base64
import collections
import gzip
import hashlib
import hmac
import json
import os
import random
import subprocess
import sys
import tempfile

from bech32 import bech32
from protobuf import field

# --- secp256k1, RFC 6979 ---

P = 2**256 - 2**32 - 977
N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
G = (0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798,
     0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8)


def double(a):
    x, y, z = a
    if not y or not z:
        return 0, 0, 0
    s = 4 * x * y * y % P
    m = 3 * x * x % P
    nx = (m * m - 2 * s) % P
    return nx, (m * (s - nx) - 8 * y**4) % P, 2 * y * z % P


def add(a, b):
    if not a[2] or not b[2]:
        return b if not a[2] else a
    u1, u2 = a[0] * b[2]**2 % P, b[0] * a[2]**2 % P
    s1, s2 = a[1] * b[2]**3 % P, b[1] * a[2]**3 % P
    if u1 == u2:
        return double(a) if s1 == s2 else (0, 0, 0)
    h, r = u2 - u1, s2 - s1
    nx = (r * r - h**3 - 2 * u1 * h * h) % P
    return nx, (r * (u1 * h * h - nx) - s1 * h**3) % P, h * a[2] * b[2] % P


def times(k):
    """k G as (x, y)."""
    total, step = (0, 0, 0), (G[0], G[1], 1)
    while k:
        if k & 1:
            total = add(total, step)
        step, k = double(step), k >> 1
    inverse = pow(total[2], -1, P)
    return total[0] * inverse**2 % P, total[1] * inverse**3 % P


def public_key(key):
    x, y = times(int.from_bytes(key, "big"))
    return bytes([2 + (y & 1)]) + x.to_bytes(32, "big")


def nonces(key, digest):
    """RFC 6979, section 3.2; the digest is taken modulo the order."""
    number = (int.from_bytes(digest, "big") % N).to_bytes(32, "big")
    v, k = b"\x01" * 32, b"\x00" * 32

    def mac(secret, data):
        return hmac.new(secret, data, hashlib.sha256).digest()
    for mark in (b"\x00", b"\x01"):
        k = mac(k, v + mark + key + number)
        v = mac(k, v)
    while True:
        v = mac(k, v)
        candidate = int.from_bytes(v, "big")
        if 1 <= candidate < N:
            yield candidate
        k = mac(k, v + b"\x00")
        v = mac(k, v)


def sign(key, message):
    digest = hashlib.sha256(message).digest()
    for nonce in nonces(key, digest):
        r = times(nonce)[0] % N
        s = pow(nonce, -1, N) * (int.from_bytes(digest, "big") + r * int.from_bytes(key, "big")) % N
        if r and s:
            return r.to_bytes(32, "big") + min(s, N - s).to_bytes(32, "big")
    raise AssertionError


# --- RIPEMD-160 ---

LEFT = [list(range(16)), [7, 4, 13, 1, 10, 6, 15, 3, 12, 0, 9, 5, 2, 14, 11, 8],
        [3, 10, 14, 4, 9, 15, 8, 1, 2, 7, 0, 6, 13, 11, 5, 12],
        [1, 9, 11, 10, 0, 8, 12, 4, 13, 3, 7, 15, 14, 5, 6, 2],
        [4, 0, 5, 9, 7, 12, 2, 10, 14, 1, 3, 8, 11, 6, 15, 13]]
RIGHT = [[5, 14, 7, 0, 9, 2, 11, 4, 13, 6, 15, 8, 1, 10, 3, 12],
         [6, 11, 3, 7, 0, 13, 5, 10, 14, 15, 8, 12, 4, 9, 1, 2],
         [15, 5, 1, 3, 7, 14, 6, 9, 11, 8, 12, 2, 10, 0, 4, 13],
         [8, 6, 4, 1, 3, 11, 15, 0, 5, 12, 2, 13, 9, 7, 10, 14],
         [12, 15, 10, 4, 1, 5, 8, 7, 6, 2, 13, 14, 0, 3, 9, 11]]
LEFT_BY = [[11, 14, 15, 12, 5, 8, 7, 9, 11, 13, 14, 15, 6, 7, 9, 8],
           [7, 6, 8, 13, 11, 9, 7, 15, 7, 12, 15, 9, 11, 7, 13, 12],
           [11, 13, 6, 7, 14, 9, 13, 15, 14, 8, 13, 6, 5, 12, 7, 5],
           [11, 12, 14, 15, 14, 15, 9, 8, 9, 14, 5, 6, 8, 6, 5, 12],
           [9, 15, 5, 11, 6, 8, 13, 12, 5, 12, 13, 14, 11, 8, 5, 6]]
RIGHT_BY = [[8, 9, 9, 11, 13, 15, 15, 5, 7, 7, 8, 11, 14, 14, 12, 6],
            [9, 13, 15, 7, 12, 8, 9, 11, 7, 7, 12, 7, 6, 15, 13, 11],
            [9, 7, 15, 11, 8, 6, 6, 14, 12, 13, 5, 14, 13, 13, 7, 5],
            [15, 5, 8, 11, 14, 14, 6, 14, 6, 9, 12, 9, 12, 5, 15, 8],
            [8, 5, 12, 9, 12, 5, 14, 6, 8, 13, 6, 5, 15, 13, 11, 11]]
LEFT_ADD = [0, 0x5A827999, 0x6ED9EBA1, 0x8F1BBCDC, 0xA953FD4E]
RIGHT_ADD = [0x50A28BE6, 0x5C4DD124, 0x6D703EF3, 0x7A6D76E9, 0]
WORD = 0xFFFFFFFF


def mix(i, x, y, z):
    return [x ^ y ^ z, (x & y) | (~x & z), (x | ~y) ^ z, (x & z) | (y & ~z), x ^ (y | ~z)][i] & WORD


def roll(x, by):
    return ((x << by) | (x >> (32 - by))) & WORD


def ripemd_line(state, words, order, by, constants, functions):
    a, b, c, d, e = state
    for i in range(5):
        for j in range(16):
            t = roll((a + mix(functions[i], b, c, d) + words[order[i][j]] + constants[i]) & WORD,
                     by[i][j]) + e
            a, b, c, d, e = e, t & WORD, b, roll(c, 10), d
    return a, b, c, d, e


def ripemd160(data):
    state = [0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0]
    data += b"\x80" + b"\x00" * ((55 - len(data)) % 64) + (8 * len(data)).to_bytes(8, "little")
    for at in range(0, len(data), 64):
        words = [int.from_bytes(data[at + i:at + i + 4], "little") for i in range(0, 64, 4)]
        l = ripemd_line(state, words, LEFT, LEFT_BY, LEFT_ADD, [0, 1, 2, 3, 4])
        r = ripemd_line(state, words, RIGHT, RIGHT_BY, RIGHT_ADD, [4, 3, 2, 1, 0])
        state = [(state[(i + 1) % 5] + l[(i + 2) % 5] + r[(i + 3) % 5]) & WORD for i in range(5)]
    return b"".join(word.to_bytes(4, "little") for word in state)


# --- messages ---

def any_of(type_url, value):
    return field(1, type_url) + field(2, value)


DCL = "/zigbeealliance.distributedcomplianceledger."
MEMBERSHIP = {
    ("kira", "pause"): "/kira.slashing.MsgPause", ("kira", "unpause"): "/kira.slashing.MsgUnpause",
    ("kira", "activate"): "/kira.slashing.MsgActivate",
    ("dcl", "pause"): DCL + "validator.MsgDisableValidator",
    ("dcl", "unpause"): DCL + "validator.MsgEnableValidator",
}


def message(job, address):
    """The one message, as an Any."""
    do, chain, plan = job["action"], job["chain"], job.get("plan", {})
    account, valoper = bech32(job["prefix"], address), bech32(job["prefix"] + "valoper", address)
    if (chain, do) in MEMBERSHIP:
        return any_of(MEMBERSHIP[chain, do], field(1, valoper))
    if do == "join" and chain == "kira":
        coin = field(1, job["fee_denom"]) + field(2, "1")
        return any_of("/cosmos.bank.v1beta1.MsgSend", field(1, account) + field(2, account) + field(3, coin))
    if do == "join":
        key = any_of("/cosmos.crypto.ed25519.PubKey", field(1, bytes.fromhex(job["consensus_key"])))
        return any_of(DCL + "validator.MsgCreateValidator",
                      field(1, valoper) + field(2, key) + field(3, field(1, job["moniker"])))
    if do == "vote":
        return any_of("/kira.gov.MsgVoteProposal", field(1, int(job["proposal"])) + field(2, address) +
                      field(3, int(job["option"])) + field(4, "0"))
    if chain == "dcl":
        return dcl_upgrade(job, account, plan)
    return any_of("/kira.gov.MsgSubmitProposal", field(1, address) + field(2, job["title"]) +
                  field(3, job["description"]) + field(4, kira_content(do, plan)))


def kira_content(do, plan):
    if do == "cancel-upgrade":
        return any_of("/kira.upgrade.ProposalCancelSoftwareUpgrade", field(1, plan["name"]))
    out = field(1, plan["name"])
    for r in plan["resources"]:
        out += field(2, field(1, r["id"]) + field(2, r["url"]) + field(3, r["version"]) +
                     field(4, r["checksum"]), always=True)
    out += field(3, int(plan["upgrade_time"])) + field(4, plan["old_chain_id"])
    out += field(5, plan["new_chain_id"]) + field(6, plan["rollback_checksum"])
    out += field(7, int(plan["max_enrolment_s"])) + field(8, plan["memo"]) + field(9, plan["instate"])
    out += field(10, plan["reboot_required"]) + field(11, plan["skip_handler"])
    return any_of("/kira.upgrade.ProposalSoftwareUpgrade", out)


def dcl_upgrade(job, account, plan):
    time = field(4, int(job["time_s"]))
    if job["action"] == "submit-upgrade":
        zero = field(1, -62135596800)
        scheduled = field(1, plan["name"]) + field(2, zero) + field(3, int(plan["height"])) + field(4, plan["info"])
        return any_of(DCL + "dclupgrade.MsgProposeUpgrade",
                      field(1, account) + field(2, scheduled) + field(3, job["description"]) + time)
    name = "MsgApproveUpgrade" if job["action"] == "approve-upgrade" else "MsgRejectUpgrade"
    return any_of(DCL + "dclupgrade." + name,
                  field(1, account) + field(2, plan["name"]) + field(3, job["description"]) + time)


def transaction(job):
    """What tx_tool must answer."""
    key = bytes.fromhex(job["key"])
    public = public_key(key)
    address = ripemd160(hashlib.sha256(public).digest())
    memo = job["memo"]
    if job["action"] == "join" and int(job["class_minutes"]):
        memo = f"stagger/join/1 {job['class_minutes']} {int(job['charter']):08x}"
    body = field(1, message(job, address)) + field(2, memo) + field(3, int(job["timeout_height"]))
    signer = field(1, any_of("/cosmos.crypto.secp256k1.PubKey", field(1, public)))
    signer += field(2, field(1, field(1, 1))) + field(3, int(job["sequence"]))
    fee = field(2, int(job["gas"]))
    if int(job["fee_amount"]):
        fee = field(1, field(1, job["fee_denom"]) + field(2, job["fee_amount"])) + fee
    auth = field(1, signer) + field(2, fee)
    document = field(1, body) + field(2, auth) + field(3, job["chain_id"]) + field(4, int(job["account_number"]))
    signature = sign(key, document)
    raw = field(1, body) + field(2, auth) + field(3, signature)
    return {"tx": raw.hex(), "body": body.hex(), "auth": auth.hex(), "signature": signature.hex(),
            "sign_hash": hashlib.sha256(document).hexdigest(),
            "hash": hashlib.sha256(raw).hexdigest().upper(), "address": bech32(job["prefix"], address)}


# --- random requests ---

LETTERS = "abcdefghijklmnopqrstuvwxyzABCXYZ0123456789 .,:;-_/+'\"\\{}äß€中😀"


def some_text(rng, least, most, letters=LETTERS):
    while True:
        text = "".join(rng.choice(letters) for _ in range(rng.randint(least, most)))
        if least <= len(text.encode()) <= most:
            return text


def some_number(rng, least, most):
    return str(rng.choice([least, most, rng.randint(least, min(most, least + 300)), rng.randint(least, most),
                           min(most, max(least, 2**rng.randrange(63) + rng.randint(-1, 1)))]))


def some_key(rng):
    special = [1, 2, N - 1, N // 2, 2**128]
    value = rng.choice(special) if rng.random() < 0.02 else rng.randrange(1, N)
    return value.to_bytes(32, "big").hex()


def kira_plan(rng):
    return {"name": some_text(rng, 1, 127), "resources": [
        {"id": some_text(rng, 1, 63), "url": some_text(rng, 0, 200), "version": some_text(rng, 0, 63),
         "checksum": some_text(rng, 0, 128)} for _ in range(rng.choice([0, 1, 2, 5, 32]))],
        "upgrade_time": some_number(rng, 1, 2**63 - 1), "old_chain_id": some_text(rng, 1, 50),
        "new_chain_id": some_text(rng, 1, 50), "rollback_checksum": some_text(rng, 0, 128),
        "max_enrolment_s": some_number(rng, 0, 2**63 - 1), "memo": some_text(rng, 0, 1024),
        "instate": rng.random() < 0.5, "reboot_required": rng.random() < 0.5,
        "skip_handler": rng.random() < 0.5}


def dcl_plan(rng):
    return {"name": some_text(rng, 1, 127), "height": some_number(rng, 1, 2**63 - 1),
            "info": some_text(rng, 0, 2000)}


ACTIONS = [("kira", a) for a in ("join", "pause", "unpause", "activate", "vote", "submit-upgrade", "cancel-upgrade")]
ACTIONS += [("dcl", a) for a in ("join", "pause", "unpause", "submit-upgrade", "approve-upgrade", "reject-upgrade")]


def some_job(rng):
    chain, action = rng.choice(ACTIONS + ACTIONS[:4] * 2)
    job = {"chain": chain, "action": action, "key": some_key(rng),
           "prefix": rng.choice(["kira", "kira", "kira", "cosmos", "x", "testnet-kira"]) if chain == "kira" else "cosmos",
           "chain_id": some_text(rng, 1, 50, LETTERS[:-5]), "account_number": some_number(rng, 0, 2**64 - 1),
           "sequence": some_number(rng, 0, 2**64 - 1), "gas": some_number(rng, 1, 2**63 - 1),
           "timeout_height": some_number(rng, 0, 2**64 - 1), "memo": some_text(rng, 0, 256),
           "fee_denom": rng.choice(["ukex", "ukex", "ibc/27394FB092D2ECCD56123C74F36E4C1F", "a.b-c:d_e"]),
           "fee_amount": some_number(rng, 0, 2**64 - 1), "time_s": some_number(rng, 0, 2**62)}
    if action == "join":
        job.update(class_minutes=str(rng.randint(1, 240)), charter=some_number(rng, 0, 2**32 - 1), memo="",
                   moniker=some_text(rng, 1, 70), consensus_key=rng.randbytes(32).hex())
        if rng.random() < 0.2:
            job.update(class_minutes="0", memo=some_text(rng, 1, 256))
    job.update(proposal=some_number(rng, 1, 2**64 - 1), option=str(rng.randint(1, 4)))
    job.update(title=some_text(rng, 1, 128), description=some_text(rng, 0, 1024))
    job["plan"] = kira_plan(rng) if chain == "kira" else dcl_plan(rng)
    return job


# --- the known answers, so that this file is right itself ---

KNOWN = {"chain": "kira", "action": "pause", "prefix": "kira", "chain_id": "localnet-1", "account_number": "3",
         "sequence": "7", "gas": "200000", "timeout_height": "0", "memo": "", "fee_denom": "ukex",
         "fee_amount": "100", "key": bytes(range(1, 33)).hex()}


def check_self():
    assert ripemd160(b"abc").hex() == "8eb208f7e05d987a9b044a8e98c6b087f15a0bfc"
    known = transaction(KNOWN)
    assert known["address"] == "kira1tp7fhly84qm6q4hhzmp0nh5frtdugmysv9fm3y"
    assert known["hash"] == "4F1FA6640465D1D718AFF30977D4C25343C483D4AA0C2722245FDE2887924008"


# --- comparing ---

class Tool:
    def __init__(self, path):
        self.process = subprocess.Popen([path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        encoding="utf-8")

    def ask(self, job):
        self.process.stdin.write(json.dumps(job) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


def command_of(job, key_file):
    """The command line that FORMATS gives this request; None where it has none."""
    if job["chain"] != "kira" or job["action"] not in ("join", "pause", "unpause", "activate"):
        return None
    if job["prefix"] != "kira" or job["fee_amount"] == "0" or job["memo"].startswith("-"):
        return None
    if job["chain_id"].startswith("-") or (job["action"] == "join" and job["memo"]):
        return None
    line = ["tx", job["action"], "--offline", "--chain", "kira", "--chain-id", job["chain_id"],
            "--account-number", job["account_number"], "--sequence", job["sequence"],
            "--fee", job["fee_amount"] + job["fee_denom"], "--gas", job["gas"],
            "--timeout-height", job["timeout_height"], "--key-file", key_file, "--json"]
    if job["memo"]:
        line += ["--memo", job["memo"]]
    if job["action"] == "join":
        line += ["--class", job["class_minutes"], "--charter", f"{int(job['charter']):08x}"]
    return line


def run_command(stagger, job):
    with tempfile.TemporaryDirectory() as folder:
        key_file = os.path.join(folder, "key")
        with open(os.open(key_file, os.O_CREAT | os.O_WRONLY, 0o600), "w", encoding="ascii") as file:
            file.write(job["key"] + "\n")
        line = command_of(job, key_file)
        if not line:
            return None
        done = subprocess.run([stagger, *line], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              cwd=folder, env={"PATH": os.environ["PATH"], "HOME": folder}, check=False)
        if done.returncode:
            return {"error": done.stderr, "line": line}
        return json.loads(done.stdout)


def has_command(stagger):
    if not stagger or not os.path.exists(stagger):
        return False
    done = subprocess.run([stagger, "--help"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                          check=False)
    return any(line.split()[:1] == ["tx"] for line in done.stdout.splitlines())


def same(want, got, keys, job, args, number):
    for key in keys:
        if want[key] != got.get(key):
            used = {name: value for name, value in job.items() if name not in ("plan", "description")}
            sys.exit(f"{key} differs: want {want[key]}, got {got.get(key, got)}\nrequest: {json.dumps(used)}\n"
                     f"repeat with: tx_vectors.py {args.tool} --seed {args.seed} --count {number + 1}")


def entries_of(job):
    kinds = {"join": "join", "pause": "pause", "unpause": "unpause", "activate": "activate"}
    kind = kinds.get(job["action"])
    if kind == "join" and job["memo"]:
        return []
    return [kind] if kind else []


def history_says(folder):
    """(height, index) -> the entries of that transaction by the trace: (kind, class, charter)."""
    says = collections.defaultdict(list)
    with open(os.path.join(folder, "history.trace.jsonl"), encoding="utf-8") as file:
        for line in map(json.loads, file):
            if line["type"] == "tx" and line["msg"] != "other":
                says[line["height"], line["index"]].append(
                    (line["msg"], line.get("class"), line.get("charter")))
    return says


def check_history(tool):
    """How many transactions of the history were read; 0 without the data."""
    beside = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "shared")
    folder = os.path.join(os.environ.get("STAGGER_SHARED", beside), "fixtures", "sekai-0.4.13")
    if not os.path.exists(os.path.join(folder, "history.jsonl.gz")):
        return 0
    says, count = history_says(folder), 0
    with gzip.open(os.path.join(folder, "history.jsonl.gz"), "rt", encoding="utf-8") as file:
        for line in map(json.loads, file):
            block = line["block"].get("result", line["block"])["block"]
            height = int(block["header"]["height"])
            for index, tx in enumerate(block["data"]["txs"] or []):
                read = tool.ask({"decode": base64.b64decode(tx).hex(), "chain": "kira"})
                got = [(e["kind"], e["class"] if e["kind"] == "join" else None,
                        f"{e['charter']:08x}" if e["kind"] == "join" else None) for e in read["entries"]]
                if got != says[height, index]:
                    sys.exit(f"block {height}, transaction {index}: read {got}, trace {says[height, index]}")
                count += 1
    return count


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("tool")
    parser.add_argument("--count", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    check_self()
    rng, tool, stagger = random.Random(args.seed), Tool(args.tool), os.environ.get("STAGGER")
    offline, compared = has_command(stagger), 0
    for number in range(args.count):
        job = some_job(rng)
        want, got = transaction(job), tool.ask(job)
        same(want, got, want, job, args, number)
        read = tool.ask({"decode": got["tx"], "chain": job["chain"]})
        kinds = [entry["kind"] for entry in read.get("entries", [{"kind": read}])]
        if kinds != entries_of(job):
            sys.exit(f"read back as {read}\nrequest: {json.dumps(job)}")
        answer = run_command(stagger, job) if offline else None
        if answer:
            same(want, answer, ("tx", "hash", "address"), job, args, number)
            compared += 1
    print(f"{args.count} transactions are the same, {compared} of them from the command as well; "
          f"{check_history(tool)} of a real network read")


if __name__ == "__main__":
    main()
