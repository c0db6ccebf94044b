#!/usr/bin/env python3
"""`stagger tx`: offline against reference vectors and an encoder of its own, online against a small network.

What is sent is looked at as the network got it; every guard that must refuse is made to, with and without --force.
"""
import hashlib
import json
import os
import random
import shlex
import socket
import stat
import threading
import time
import unittest

import cli_case
from chain_model import Tx, account_of, bech32, field
from cli_case import ACCOUNT, FAILED, GUARDED, KEY, PUBLIC, UNREACHABLE, WRONG, Case
from protobuf import fields

VALOPER = bech32("kiravaloper", ACCOUNT)
VECTORS = {  # chain localnet-1, account 3, sequence 7, gas 200000
    "pause": ("100ukex", "4F1FA6640465D1D718AFF30977D4C25343C483D4AA0C2722245FDE2887924008",
              "bb9ac316dcae5de99346b309015c2bb65c1c75460176e736a2151ccbfcfce985"
              "5208f15137ff1460a5b3f47501b15c9dfc59d1c28f9fc481da36e5d088d5312e"),
    "unpause": ("100ukex", "CDB873CA2BD39204AAF400C43A126D63DF16B5E8C4AF4C1A6257B84156005954",
                "699220ad19f65ba00bb685f4e8e8e205ae0ca615a5250306f515f4e76b6fbae2"
                "520abf572ac4b96b31dbf63e520e9a2101a62ac4787a1dbc91c05cb5e7fde7d4"),
    "activate": ("1000ukex", "710161DD30769C1DC76D7D59211C4F205132824019578311D66024867FEA01DB",
                 "2c0365831321d2e0728d9943e49b9fc81c4faa0c73d63a27cca1376ba2a37cb8"
                 "3a896d95b9fc914a28e90bd868b5bd07fa36ac669fce619d38075d09a0002caa"),
}
OFFLINE = ("--offline --chain kira --chain-id localnet-1 --account-number 3 --sequence 7 --gas 200000 "
           "--timeout-height 0 --key-file key --json ")

# --- secp256k1, to check signatures with ---

P = 2 ** 256 - 2 ** 32 - 977
N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
G = (0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798,
     0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8)


def add(a, b):
    if a is None or b is None:
        return a or b
    if a[0] == b[0]:
        if (a[1] + b[1]) % P == 0:
            return None
        slope = 3 * a[0] * a[0] * pow(2 * a[1], -1, P)
    else:
        slope = (b[1] - a[1]) * pow(b[0] - a[0], -1, P)
    x = (slope * slope - a[0] - b[0]) % P
    return x, (slope * (a[0] - x) - a[1]) % P


def times(k, point):
    out = None
    while k:
        if k & 1:
            out = add(out, point)
        point = add(point, point)
        k >>= 1
    return out


def public_of(key):
    x, y = times(int.from_bytes(key, "big"), G)
    return bytes([2 + (y & 1)]) + x.to_bytes(32, "big")


def signature_is_good(key, message, signature):
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    if not (0 < r < N and 0 < s <= N // 2):
        return False
    w, z = pow(s, -1, N), int.from_bytes(hashlib.sha256(message).digest(), "big")
    point = add(times(z * w % N, G), times(r * w % N, times(int.from_bytes(key, "big"), G)))
    return point is not None and point[0] % N == r


# --- an encoder of its own ---

def number_field(at, value):
    return field(at, value) if value else b""


def any_of(url, value):
    return field(1, url) + field(2, value)


def tx_parts(message, key, sequence, fee, gas, timeout, memo):
    body = field(1, message) + (field(2, memo) if memo else b"") + number_field(3, timeout)
    public = any_of("/cosmos.crypto.secp256k1.PubKey", field(1, public_of(key)))
    signer = field(1, public) + field(2, field(1, field(1, 1))) + number_field(3, sequence)
    coins = field(1, field(1, fee[1]) + field(2, str(fee[0]))) if fee else b""
    return body, field(1, signer) + field(2, coins + field(2, gas))


def split(raw):
    parts = fields(raw)
    return parts[1][0], parts[2][0], parts[3][0]


class Offline(Case):
    def test_reference_vectors(self):
        for verb, (fee, digest, signature) in VECTORS.items():
            with self.subTest(verb=verb):
                done = self.succeeds(f"tx {verb} {OFFLINE} --fee {fee}")
                self.assertEqual(list(done.json), ["tx", "hash", "address"])
                self.assertEqual(done.json["hash"], digest)
                self.assertEqual(done.json["address"], "kira1tp7fhly84qm6q4hhzmp0nh5frtdugmysv9fm3y")
                raw = bytes.fromhex(done.json["tx"])
                self.assertEqual(hashlib.sha256(raw).hexdigest().upper(), digest)
                self.assertEqual(split(raw)[2].hex(), signature)

    def test_random_requests(self):
        random.seed(5)
        for _ in range(40):
            self.random_request()

    def random_request(self):
        verb = random.choice(["join", "pause", "unpause", "activate"])
        key = random.randbytes(32)
        number, sequence = random.getrandbits(random.randrange(1, 64)), random.getrandbits(random.randrange(1, 64))
        fee, gas = random.getrandbits(random.randrange(1, 60)) + 1, random.getrandbits(40) + 1
        timeout = random.choice([0, random.getrandbits(random.randrange(1, 63))])
        chain_id = "".join(random.choice("abcxyz-0123456789_.") for _ in range(random.randrange(1, 50)))
        memo = random.choice(["", "x", "m" * 256, "Grüße, 世界 & <b>", " two  blanks "])
        self.write("random", key.hex())
        account = account_of(public_of(key))
        words = ["tx", verb, "--offline", "--chain", "kira", f"--chain-id={chain_id}", "--account-number", str(number),
                 "--sequence", str(sequence), "--fee", f"{fee}ukex", "--gas", str(gas), "--timeout-height",
                 str(timeout), "--key-file", "random", "--json"]
        if verb == "join":
            minutes, charter = random.randrange(1, 241), random.randbytes(4).hex()
            words += ["--class", str(minutes), "--charter", charter]
            memo, address = f"stagger/join/1 {minutes} {charter}", field(1, bech32("kira", account))
            message = any_of("/cosmos.bank.v1beta1.MsgSend", address + field(2, bech32("kira", account))
                             + field(3, field(1, "ukex") + field(2, "1")))
        else:
            words += [f"--memo={memo}"] if memo else []
            message = any_of("/kira.slashing.Msg" + verb.capitalize(), field(1, bech32("kiravaloper", account)))
        done = self.succeeds(words)
        body, auth, signature = split(bytes.fromhex(done.json["tx"]))
        expected = tx_parts(message, key, sequence, (fee, "ukex"), gas, timeout, memo)
        self.assertEqual((body.hex(), auth.hex()), (expected[0].hex(), expected[1].hex()), done)
        document = field(1, body) + field(2, auth) + field(3, chain_id) + number_field(4, number)
        self.assertTrue(signature_is_good(key, document, signature), done)
        self.assertEqual(done.out, self.succeeds(words).out)  # the same again

    def test_text_output(self):
        done = self.succeeds(f"tx pause {OFFLINE.replace('--json', '')} --fee 100ukex")
        self.assertEqual([line.split()[0] for line in done.out.splitlines()], ["tx", "hash", "address"])

    def test_dcl(self):
        key = base64_of = "EBESExQVFhcYGRobHB0eHyAhIiMkJSYnKCkqKywtLi8="
        words = ("tx {} --offline --chain dcl --chain-id dclchain --account-number 5 --sequence 1 --timeout-height 44 "
                 "--key-file key --json ")
        for verb in ("disable-node", "pause"):
            body, auth, _ = split(bytes.fromhex(self.succeeds(words.format(verb)).json["tx"]))
            self.assertIn(b"validator.MsgDisableValidator", body)
            self.assertNotIn(b"ukex", auth)
        done = self.succeeds(words.replace("--chain dcl ", "").format("enable-node"))
        self.assertIn(b"validator.MsgEnableValidator", bytes.fromhex(done.json["tx"]))
        self.assertTrue(done.json["address"].startswith("cosmos1"), done)
        join = words.format("join") + "--class 5 --charter 00112233 --moniker 'a name' --consensus-key "
        one, two = (self.succeeds(join + k).json["tx"]
                    for k in (base64_of, "101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f"))
        self.assertEqual(one, two)
        self.assertIn(b"stagger/join/1 5 00112233", bytes.fromhex(one))
        self.fails(WRONG, join + "abc", "--consensus-key", "ed25519")
        self.fails(WRONG, join + key + " --fee 1ukex", "DCL takes none")
        self.fails(WRONG, words.format("activate"), "KIRA only")
        self.fails(WRONG, words.replace("--chain dcl", "--chain kira").format("disable-node"), "DCL only")

    def test_votes_and_upgrades(self):
        done = self.succeeds(f"tx vote {OFFLINE} --fee 100ukex --proposal 9 --option veto --dry-run")
        self.assertEqual(done.json["messages"], [{"type_url": "/kira.gov.MsgVoteProposal", "proposal": 9,
                                                  "option": "veto"}])
        plan = {"name": "up1", "upgrade_time": "2026-12-24T18:00:00Z", "old_chain_id": "a-1", "new_chain_id": "a-2",
                "max_enrolment_duration": 60, "instate": True, "resources": [
                    {"id": "sekai", "url": "https://x/y,z", "version": "v1", "checksum": "sha256:0"}],
                "title": "A title", "description": "More"}
        self.write("plan.json", json.dumps(plan))
        from_file = self.succeeds(f"tx submit-upgrade {OFFLINE} --fee 100ukex --file plan.json").json
        by_options = self.succeeds(
            f"tx submit-upgrade {OFFLINE} --fee 100ukex --name up1 --upgrade-time 2026-12-24T20:00:00+02:00 "
            "--old-chain-id a-1 --new-chain-id a-2 --max-enrolment-duration 60 --instate "
            "--resource sekai,https://x/y,z,v1,sha256:0 --title 'A title' --description More").json
        self.assertEqual(from_file, by_options)
        self.assertIn(b"ProposalSoftwareUpgrade", bytes.fromhex(from_file["tx"]))
        shown = self.succeeds(f"tx submit-upgrade {OFFLINE} --fee 100ukex --file plan.json --dry-run").json
        self.assertEqual(shown["plan"]["upgrade_time"], 1798135200)
        self.assertEqual(shown["plan"]["resources"][0]["url"], "https://x/y,z")

    def test_wrong_plans(self):
        words = f"tx submit-upgrade {OFFLINE} --fee 100ukex --file plan.json"
        for text, part in (('{"nmae":"x"}', "did you mean name?"), ('{"name":7}', "name: expected text"),
                           ('[1]', "JSON object"), ('{"name":"x","name":"y"}', "--file plan.json"), ("{", "--file"),
                           ('{"name":"x","upgrade_time":1.5}', "upgrade_time"),
                           ('{"name":"x","upgrade_time":"soon"}', "upgrade_time"),
                           ('{"name":"x","resources":[{"idd":"x"}]}', "resources[0]"),
                           ('{"name":"x","instate":"yes"}', "instate: expected true or false"),
                           ('{"name":"x"}', "--upgrade-time is missing")):
            self.write("plan.json", text)
            self.fails(WRONG, words, part)
        os.unlink("plan.json")
        self.fails(WRONG, words, "cannot be opened")

    def test_fee(self):
        self.fails(WRONG, f"tx pause {OFFLINE} --fee 0ukex", "no KIRA network takes")
        for fee in ("0", "100", "ukex", "-1ukex", "+1ukex", "100 ukex", "18446744073709551616ukex", ""):
            self.fails(WRONG, ["tx", "pause", *OFFLINE.split(), "--fee", fee], "--fee")

    def test_numbers_are_strict(self):
        for option in ("account-number", "sequence", "timeout-height", "gas"):
            base = f"tx pause {OFFLINE} --fee 100ukex".replace(f"--{option} ", f"--{option}=")
            words = [w for w in base.split() if not w.startswith(f"--{option}=")]
            for value in ("", "-1", "+1", "1.0", " 1", "0x1", "1e3", "18446744073709551616", "9" * 5000, "7x"):
                self.fails(WRONG, [*words, f"--{option}={value}"], f"--{option}")

    def test_missing_and_contradictory(self):
        whole = f"tx pause {OFFLINE} --fee 100ukex".split()
        for option in ("chain-id", "account-number", "sequence", "timeout-height", "fee"):
            at = whole.index(f"--{option}")
            self.fails(WRONG, whole[:at] + whole[at + 2:], f"--{option}", "missing")
        at = whole.index("--key-file")
        self.fails(WRONG, whole[:at] + whole[at + 2:], "who signs")
        self.fails(WRONG, [*whole, "--key", "x"], "not clear who signs")
        self.fails(WRONG, [*whole, "--wait"], "--offline excludes")
        self.fails(WRONG, [*whole, "--fee", "1ukex"], "--fee is given twice")
        self.fails(WRONG, [*whole, "--class", "5"], "unknown option --class")
        self.fails(WRONG, [*whole, "--sequenze", "5"], "did you mean --sequence?")
        self.fails(WRONG, [*whole, "--seq", "5"], "unknown option --seq")
        self.fails(WRONG, [*whole, "word"], "unexpected word")
        self.fails(WRONG, [*whole, KEY], "could be a key")
        self.fails(WRONG, [*whole, "--memo", "--json"], "--memo=VALUE")
        self.fails(WRONG, [*whole, "--memo", "x" * 257], "memo")
        self.fails(WRONG, f"tx join {OFFLINE} --fee 1ukex --class 5", "--charter")
        self.fails(WRONG, f"tx join {OFFLINE} --fee 1ukex --charter 00112233", "--class is missing")
        for minutes in ("0", "241", "05x", "-1", "1.5"):
            self.fails(WRONG, f"tx join {OFFLINE} --fee 1ukex --charter 00112233 --class {minutes}", "--class")
        for charter in ("0011223", "001122334", "0011223G", "0011223A", "0x112233"):
            self.fails(WRONG, f"tx join {OFFLINE} --fee 1ukex --class 5 --charter {charter}", "--charter")

    def test_verbs(self):
        self.fails(WRONG, "tx", "no verb")
        self.fails(WRONG, "tx puase", "did you mean pause?")
        self.assertIn("submit-upgrade", self.succeeds("tx --help").out)
        for verb in ("join", "pause", "vote", "submit-upgrade", "approve-upgrade"):
            self.assertIn("--timeout-height", self.succeeds(f"tx {verb} --help").out)
        self.assertIn("1 to 240", self.succeeds("tx join --help").out)

    def test_key_files(self):
        words = f"tx pause {OFFLINE} --fee 100ukex"
        self.write("key", KEY)
        self.succeeds(words)
        for mode in (0o604, 0o640, 0o644, 0o602):
            os.chmod("key", mode)
            self.fails(WRONG, words, "key")
        for text in ("", KEY[:-1], KEY + "0", "0" * 64, "f" * 64, KEY + "\n\n\n x", "g" * 64):
            os.chmod("key", 0o600)
            self.write("key", text)
            done = self.fails(WRONG, words)
            self.assertNotIn(KEY[:32], done.err)
        self.fails(WRONG, words.replace("--key-file key", "--key-file none"), "none")

    def test_key_from_a_pipe(self):
        words = f"tx pause {OFFLINE} --fee 100ukex"
        plain = self.succeeds(words).out
        os.remove("key")
        os.mkfifo("key", 0o600)
        self.fails(WRONG, words, "empty")  # nobody writes; it ends all the same
        writer = threading.Timer(0.3, self.pipe_write, args=("key", KEY))
        writer.start()
        self.assertEqual(self.succeeds(words).out, plain)
        writer.join()

    @staticmethod
    def pipe_write(path, text):
        with open(path, "w", encoding="ascii") as pipe:
            time.sleep(0.3)  # open, and nothing in it yet
            pipe.write(text)

    def test_no_configuration_is_read(self):
        plain = self.succeeds(f"tx pause {OFFLINE} --fee 100ukex")
        env = {"STAGGER_CONFIG": "/no/such/file", "STAGGER_TX_GAS": "nonsense", "STAGGER_CHAIN_PREFIX": "x"}
        self.assertEqual(self.succeeds(f"tx pause {OFFLINE} --fee 100ukex", env=env).out, plain.out)

    def test_full_disk(self):
        if not os.path.exists("/dev/full") or not stat.S_ISCHR(os.stat("/dev/full").st_mode):
            self.skipTest("there is no /dev/full")
        done = os.system(f"{shlex.quote(cli_case.STAGGER)} tx pause {OFFLINE} --fee 100ukex >/dev/full 2>/dev/null")
        self.assertEqual(os.waitstatus_to_exitcode(done), WRONG)


class Online(Case):
    def words(self, verb, node, more=""):
        return f"tx {verb} --node {node.server.url} --key-file key {more}"

    def sent(self, ledger):
        self.assertEqual(len(ledger.mempool), 1)
        return Tx(ledger.mempool[0])

    def test_dry_run_sends_nothing(self):
        ledger = self.network()
        node = self.node(ledger)
        done = self.succeeds(self.words("pause", node, "--dry-run --json --memo hello"))
        self.assertEqual(done.json, {
            "dry_run": True, "chain_id": "test-1", "address": bech32("kira", ACCOUNT), "account_number": 3,
            "sequence": 7, "fee": "100ukex", "gas": 200000, "timeout_height": ledger.height + 20, "memo": "hello",
            "messages": [{"type_url": "/kira.slashing.MsgPause", "validator": VALOPER}]})
        text = self.succeeds(self.words("pause", node, "--dry-run"))
        self.assertIn("Nothing was sent", text.out)
        self.assertEqual(node.server.asked["broadcast_tx_sync"], 0)

    def test_sends_and_names_the_hash(self):
        ledger = self.network()
        node = self.node(ledger)
        done = self.succeeds(self.words("pause", node, "--timeout-height 9"))
        tx = self.sent(ledger)
        self.assertEqual(done.out.strip(), tx.hash.hex().upper())
        self.assertEqual((tx.url, tx.sequence, tx.fee, tx.timeout), ("/kira.slashing.MsgPause", 7, 100, 9))
        self.assertIn("bypasses the draw; it can happen up to block 9", done.err)

    def test_activate_pays_what_the_chain_asks(self):
        ledger = self.network()
        ledger.validators[0].status = "INACTIVE"
        ledger.validators[0].member = False
        ledger.produce()
        ledger.produce()
        node = self.node(ledger)
        done = self.succeeds(self.words("activate", node, "--json"))
        self.assertEqual(self.sent(ledger).fee, 1000)
        self.assertEqual(done.json["outcome"], "sent")
        self.assertEqual(done.json["hash"], self.sent(ledger).hash.hex().upper())

    def test_waits_for_the_block(self):
        ledger = self.network()
        node = self.node(ledger)
        ledger.on_status = lambda: ledger.mempool and ledger.produce()
        done = self.succeeds(self.words("pause", node, "--wait --json"))
        self.assertEqual((done.json["outcome"], done.json["happened"], done.json["code"]), ("included", True, 0))
        self.assertEqual(done.json["height"], ledger.height)
        text = self.succeeds(self.words("vote", node, "--proposal 3 --option yes --wait"))
        self.assertIn("happened         yes", text.out)

    def test_waits_for_a_refusal(self):
        ledger = self.network()
        node = self.node(ledger)
        ledger.codes["/kira.slashing.MsgPause"] = (11, "customslashing", "pause not allowed on poor network")
        ledger.on_status = lambda: ledger.mempool and ledger.produce()
        done = self.fails(FAILED, self.words("pause", node, "--wait --json"))
        self.assertEqual((done.json["happened"], done.json["code"]), (False, 11))
        self.assertIn("poor network", done.json["log"])
        self.assertTrue(done.json["advice"])

    def test_waits_until_the_timeout(self):
        ledger = self.network()
        node = self.node(ledger)
        node.deaf = True
        ledger.on_status = lambda: node.cache and ledger.produce()
        done = self.fails(FAILED, self.words("pause", node, f"--wait --json --timeout-height {ledger.height + 3}"))
        self.assertEqual((done.json["outcome"], done.json["happened"]), ("timed-out", False))

    def test_check_tx_refuses(self):
        ledger = self.network()
        node = self.node(ledger)
        self.fails(FAILED, self.words("pause", node, "--sequence 12"), "code 32")
        self.fails(WRONG, self.words("pause", node, "--sequence 12 --wait"), "leave out")
        self.assertEqual(ledger.mempool, [])

    def test_the_same_twice(self):
        ledger = self.network()
        node = self.node(ledger)
        words = self.words("vote", node, "--proposal 3 --option no --timeout-height 30")
        first = self.succeeds(words)
        again = self.succeeds(words)
        self.assertEqual(first.out, again.out)
        self.assertEqual(len(ledger.mempool), 1)

    def test_a_join_names_the_charter(self):
        ledger = self.network()
        node = self.node(ledger)
        shown = self.succeeds(self.words("join", node, "--class 12 --dry-run --json")).json
        memo = shown["memo"].split()
        self.assertEqual(memo[:2], ["stagger/join/1", "12"])
        self.write("other.conf", "[charter]\nepoch_blocks = 5\n")
        other = self.succeeds(self.words("join", node, "--class 12 --dry-run --json --config other.conf")).json
        self.assertNotEqual(other["memo"].split()[2], memo[2])
        given = self.succeeds(self.words("join", node, "--class 12 --charter 0011aaff --dry-run --json")).json
        self.assertEqual(given["memo"], "stagger/join/1 12 0011aaff")
        self.fails(WRONG, self.words("join", node, "--class 12 --memo x"), "writes its own")

    def test_a_dcl_join_counts_with_its_refusal(self):
        ledger = self.network("dcl")
        node = self.node(ledger)
        url = "/zigbeealliance.distributedcomplianceledger.validator.MsgCreateValidator"
        ledger.codes[url] = (4, "staking", "validator already exist for this operator address")
        ledger.on_status = lambda: ledger.mempool and ledger.produce()
        done = self.succeeds(self.words("join", node, "--chain dcl --class 5 --wait --json"))
        self.assertEqual((done.json["happened"], done.json["code"]), (True, 4))
        ledger.codes[url] = (5, "sdk", "something else")
        self.fails(FAILED, self.words("join", node, "--chain dcl --class 5 --wait"))

    # --- guards ---

    def test_the_last_member_never_pauses(self):
        ledger = self.network(validators=1)
        node = self.node(ledger)
        for more in ("", "--force", "--force --dry-run"):
            self.fails(GUARDED, self.words("pause", node, more), "last member")
        dcl = self.network("dcl", validators=1)
        self.fails(GUARDED, self.words("disable-node", self.node(dcl), "--force"), "last member")
        self.assertEqual(ledger.mempool + dcl.mempool, [])

    def test_one_block_between_two_changes(self):
        ledger = self.network()
        node = self.node(ledger)
        self.succeeds(self.words("pause", node))
        pause = ledger.mempool[0]
        self.fails(GUARDED, self.words("pause", node, "--force"), "waits in the mempool")
        ledger.produce()
        ledger.validators[0].status = "PAUSED"
        self.fails(GUARDED, self.words("unpause", node, "--force"), "latest block")
        ledger.produce()
        self.succeeds(self.words("unpause", node))
        self.assertNotEqual(ledger.mempool[0], pause)

    def test_nodes_that_hide_their_mempool(self):
        ledger = self.network()
        node = self.node(ledger)
        del node.server.routes["unconfirmed_txs"]
        done = self.succeeds(self.words("pause", node))
        self.assertIn("does not show its mempool", done.err)

    def test_nobody_pauses_without_a_yes(self):
        ledger = self.network(validators=6)
        node = self.node(ledger)
        ledger.voters[5] = [v.account for v in ledger.validators]
        ledger.plans["next"] = field(1, field(1, "up1") + field(3, 4_000_000_000) + field(4, "test-1")
                                     + field(5, "test-1") + field(8, 1) + field(11, 5))
        self.fails(GUARDED, self.words("pause", node), "voted YES", "--force")
        done = self.run_command(self.words("pause", node, "--force"))
        self.assertEqual(done.status, 0, done)
        self.assertIn("sent by force, although an upgrade", done.err)
        ledger.mempool.clear()
        ledger.votes[5] = {ACCOUNT: 1}
        self.succeeds(self.words("pause", node))

    def test_the_floor(self):
        ledger = self.network(validators=6)
        node = self.node(ledger)
        self.succeeds(self.words("pause", node, "--dry-run"))
        ledger.properties[13] = 6
        self.fails(GUARDED, self.words("pause", node), "5 live members", "floor of 6", "--force")
        self.succeeds(self.words("pause", node, "--force --dry-run"))
        self.succeeds(self.words("pause", node, "--dry-run"), env={"STAGGER_CHARTER_MIN_VALIDATORS": "5"})
        self.fails(GUARDED, self.words("pause", node), "floor of 7", env={"STAGGER_CHARTER_MIN_VALIDATORS": "7"})
        ledger.properties[13] = 1
        for v in ledger.validators[1:3]:  # two are out already: 4 of 6, floor 5
            v.member, v.status = False, "PAUSED"
        for _ in range(3):
            ledger.produce()
        self.fails(GUARDED, self.words("pause", node), "3 live members", "floor of 5")

    def test_funds(self):
        ledger = self.network()
        node = self.node(ledger)
        ledger.accounts[ACCOUNT][2] = 1300  # join 100, pause 100, unpause 100, activate 1000, and 1 to send
        for verb in ("pause", "join --class 5"):
            self.fails(GUARDED, self.words(verb, node), "holds 1300ukex", "1301ukex", "--force")
        ledger.accounts[ACCOUNT][2] = 1301
        self.succeeds(self.words("pause", node, "--dry-run"))

    def test_states_in_which_it_makes_no_sense(self):
        ledger = self.network()
        node = self.node(ledger)
        me = ledger.validators[0]
        self.fails(GUARDED, self.words("unpause", node, "--force"), "not paused")
        self.fails(GUARDED, self.words("activate", node, "--force"), "not INACTIVE")
        me.status = "PAUSED"
        self.fails(GUARDED, self.words("pause", node, "--force"), "paused already")
        me.status = "INACTIVE"
        self.fails(GUARDED, self.words("unpause", node, "--force"), "stagger tx activate")
        ledger.signing[me.consensus] = (1_790_000_000 + ledger.height * 6 + 93, 4)
        self.fails(GUARDED, self.words("activate", node, "--force"), "in 93 s")
        me.status = "JAILED"
        self.fails(GUARDED, self.words("unpause", node, "--force"), "governance")
        me.status, me.member = "ACTIVE", False
        ledger.produce()
        self.fails(GUARDED, self.words("pause", node, "--force"), "ACTIVE by its record but not in the set")

    def test_trustees_are_not_overruled(self):
        ledger = self.network("dcl")
        node = self.node(ledger)
        me = ledger.validators[0]
        me.status, me.member, me.by_admin = "DISABLED", False, False
        ledger.produce()
        self.fails(GUARDED, self.words("enable-node", node, "--force"), "trustees")
        me.by_admin = True
        self.succeeds(self.words("enable-node", node))

    def test_a_node_that_catches_up(self):
        ledger = self.network()
        node = self.node(ledger)
        ledger.validators[0].status = "PAUSED"
        node.catching_up = True
        self.fails(GUARDED, self.words("unpause", node), "catching up", "--force")

    def test_strangers(self):
        node = self.node(self.network(registered=False))
        self.fails(GUARDED, self.words("pause", node, "--force"), "no validator record")
        ledger = self.network(registered=False)
        ledger.accounts.clear()
        node = self.node(ledger)
        self.fails(WRONG, self.words("vote", node, "--proposal 1 --option yes"), "does not exist")

    # --- the network ---

    def test_nobody_answers(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:  # a port on which nobody will answer
            port = taken.getsockname()[1]
        self.fails(UNREACHABLE, f"tx pause --node http://127.0.0.1:{port} --key-file key --timeout 1s")

    def test_another_chain(self):
        node = self.node(self.network())
        self.fails(UNREACHABLE, self.words("pause", node, "--chain-id other-1"), "test-1")

    def test_a_node_that_lies(self):
        ledger = self.network()
        good, bad = self.node(ledger), self.node(self.network(chain_id="evil-1"))
        done = self.fails(UNREACHABLE, self.words("pause", bad, f"--others {good.server.url} --chain-id evil-2"))
        self.assertEqual(ledger.mempool, [])
        done = self.succeeds(self.words("pause", bad, f"--others {good.server.url} --chain-id test-1"))
        self.assertIn("evil-1", done.err)
        self.assertEqual(len(ledger.mempool), 1)

    def test_another_hash(self):
        ledger = self.network()
        node = self.node(ledger)
        node.hooks["broadcast_tx_sync"] = lambda params, usual: {**usual(params), "hash": "00" * 32}
        self.fails(UNREACHABLE, self.words("pause", node), "another hash", "may have been sent")

    # --- who signs ---

    def test_external_signer(self):
        ledger = self.network()
        node = self.node(ledger)
        self.write("signer", f"""#!/usr/bin/env python3
import base64, json, subprocess, sys
if sys.argv[-1] == "show":
    print(json.dumps({{"public_key": "{PUBLIC}"}}))
else:
    order = json.load(sys.stdin)
    document = base64.b64decode(order["sign_doc"])
    assert order["public_key"] == "{PUBLIC}"
    print(json.dumps({{"signature": json.load(open("signatures.json"))[document.hex()]}}))
""", 0o700)
        plain = self.succeeds(self.words("pause", node, "--timeout-height 11"))
        raw = ledger.mempool.pop()
        node.cache.clear()
        body, auth, signature = split(raw)
        document = field(1, body) + field(2, auth) + field(3, "test-1") + field(4, 3)
        self.write("signatures.json", json.dumps({document.hex(): signature.hex()}))
        words = f"tx pause --node {node.server.url} --signer './signer' --timeout-height 11"
        self.assertEqual(self.succeeds(words).out, plain.out)
        ledger.mempool.clear()
        node.cache.clear()
        self.write("signatures.json", json.dumps({document.hex(): "11" * 64}))
        self.fails(WRONG, words)
        self.assertEqual(ledger.mempool, [])

    def test_key_of_the_store(self):
        ledger = self.network()
        node = self.node(ledger)
        self.write("passphrase", "correct horse battery staple\n")
        self.succeeds("keys import validator --keys-dir keys --file key --passphrase-file passphrase")
        words = f"tx pause --node {node.server.url} --key validator --keys-dir keys --dry-run"
        self.succeeds(words + " --passphrase-file passphrase")
        read_end, write_end = os.pipe()
        os.write(write_end, b"correct horse battery staple\n")
        os.close(write_end)
        self.succeeds(words + f" --passphrase-fd {read_end}", pass_fds=(read_end,))
        os.close(read_end)
        self.write("passphrase", "another one\n")
        self.fails(WRONG, words + " --passphrase-file passphrase", "passphrase")
        self.fails(WRONG, words.replace("--key validator", "--key nobody") + " --passphrase-file passphrase", "nobody")

    # --- configuration ---

    def test_configuration(self):
        ledger = self.network()
        node = self.node(ledger)
        os.mkdir("conf.d")
        self.write("stagger.conf", "[chain]\nnode = http://127.0.0.1:1\n[account]\nkey_file = key\n[tx]\ngas = 1\n")
        self.write("conf.d/10.conf", f"[chain]\nnode = {node.server.url}\n[tx]\ngas = 2\ntimeout_blocks = 5\n")
        env = {"STAGGER_CONFIG": "stagger.conf", "STAGGER_TX_GAS": "3"}
        done = self.succeeds("tx pause --dry-run --json", env=env)
        self.assertEqual((done.json["gas"], done.json["timeout_height"]), (3, ledger.height + 5))
        self.assertEqual(self.succeeds("tx pause --dry-run --json --gas 4", env=env).json["gas"], 4)
        self.write("conf.d/10.conf", "[tx]\ngaz = 2\n")
        self.fails(WRONG, "tx pause", "conf.d/10.conf:2: tx.gaz", "did you mean gas?", env=env)
        self.fails(WRONG, "tx pause --config none.conf", "none.conf")


if __name__ == "__main__":
    cli_case.main()
