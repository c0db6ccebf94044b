"""Transactions and queries of the tests' own: everything that a client of KIRA or DCL writes and reads, with the
encoder of tests/tx_vectors.py and tests/protobuf.py. None of it is the project's code.

    alice = Account(net, 0)
    sent = alice.send(pause(alice))             # broadcast_tx_sync; the answer, with its hash
    net.wait_tx(sent["hash"])["tx_result"]["code"]
"""
import base64
import hashlib
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from bech32 import bech32  # noqa: E402
from protobuf import field, fields  # noqa: E402
from tx_vectors import DCL, any_of, dcl_upgrade, kira_content, public_key, ripemd160, sign  # noqa: E402

from net import Refused  # noqa: E402

KIRA_STATUS = {"ACTIVE", "INACTIVE", "PAUSED", "JAILED"}
BALANCE = 150000000000000


def number(message, which):
    value = message.get(which, [0])[-1]
    return value - 2**64 if value >= 2**63 else value


def blob(message, which):
    return message.get(which, [b""])[-1]


def text(message, which):
    return blob(message, which).decode()


# --- queries ---

def query(net, path, data=b"", node=0):
    """The value's bytes."""
    answer = net.call(node, "abci_query", path=path, data=data.hex(), height="0", prove=False)["response"]
    if answer["code"]:
        raise Refused(answer)
    return base64.b64decode(answer["value"] or "")


DCL_QUERY = DCL.replace("/", "", 1)


def account_of(net, address, node=0):
    """(account number, sequence)"""
    if net.chain == "kira":
        value = query(net, "/cosmos.auth.v1beta1.Query/Account", field(1, address), node)
        base = fields(blob(fields(blob(fields(value), 1)), 2))
    else:
        value = query(net, f"{DCL}dclauth.Query/Account", field(1, address), node)
        base = fields(blob(fields(blob(fields(value), 1)), 1))
    assert text(base, 1) == address
    return number(base, 3), number(base, 4)


def balance_of(net, address, node=0):
    value = query(net, "/cosmos.bank.v1beta1.Query/Balance", field(1, address) + field(2, "ukex"), node)
    return int(text(fields(blob(fields(value), 1)), 2))


def record_of(net, account, node=0):
    """KIRA: {status, rank, streak} of a validator."""
    value = query(net, "/kira.staking.Query/Validators", field(1, account.address), node)
    rows = [fields(row) for row in fields(value).get(1, [])]
    assert len(rows) == 1 and text(rows[0], 1) == account.address, rows
    return {"status": text(rows[0], 6), "rank": number(rows[0], 7), "streak": number(rows[0], 8)}


def signing_of(net, validator, node=0):
    """KIRA: the counters of a validator."""
    address = bech32("kiravalcons", bytes.fromhex(net.address(validator)))
    value = query(net, "/kira.slashing.Query/SigningInfo", field(1, address), node)
    info = fields(blob(fields(value), 1))
    return {"mischance_confidence": number(info, 4), "mischance": number(info, 5), "last_present": number(info, 6),
            "missed": number(info, 7), "produced": number(info, 8)}


def plan_of(net, which, node=0):
    """KIRA: the current or next plan, {} when there is none."""
    value = query(net, f"/kira.upgrade.Query/{which}Plan", b"", node)
    if not value:
        return {}
    plan = fields(blob(fields(value), 1))
    return {"name": text(plan, 1), "upgrade_time": number(plan, 3), "instate": bool(number(plan, 8)),
            "proposal": number(plan, 11), "processed": bool(number(plan, 12))}


def proposal_result(net, proposal, node=0):
    value = query(net, "/kira.gov.Query/Proposal", field(1, proposal), node)
    return number(fields(blob(fields(value), 1)), 10)


# --- accounts and transactions ---

class Account:
    def __init__(self, net, validator):
        self.net, self.validator = net, validator
        row = net.public["validators"][validator]
        self.key = bytes.fromhex((net.dir / row["key_file"]).read_text().strip())
        self.setup("kira" if net.chain == "kira" else "cosmos")
        assert self.address == row["account"], "the key is not the account's"

    def setup(self, prefix):
        self.public = public_key(self.key)
        self.bytes = ripemd160(hashlib.sha256(self.public).digest())
        self.address, self.valoper = bech32(prefix, self.bytes), bech32(prefix + "valoper", self.bytes)

    def state(self, node=0):
        """(sequence, balance); DCL knows no coins."""
        sequence = account_of(self.net, self.address, node)[1]
        return sequence, balance_of(self.net, self.address, node) if self.net.chain == "kira" else 0

    def tx(self, *messages, fee=100, gas=200000, memo="", timeout=0, sequence=None, account_number=None,
           chain_id=None, spoil=False):
        """The bytes, signed; what is not said is right."""
        known = account_of(self.net, self.address) if sequence is None or account_number is None else (0, 0)
        sequence = known[1] if sequence is None else sequence
        account_number = known[0] if account_number is None else account_number
        body = b"".join(field(1, message, always=True) for message in messages) + field(2, memo) + field(3, timeout)
        auth = field(1, field(1, any_of("/cosmos.crypto.secp256k1.PubKey", field(1, self.public))) +
                     field(2, field(1, field(1, 1)), always=True) + field(3, sequence))
        coins = field(1, field(1, "ukex") + field(2, str(fee))) if self.net.chain == "kira" else b""
        auth += field(2, coins + field(2, gas), always=True)
        document = field(1, body) + field(2, auth) + field(3, chain_id or self.net.public["chain_id"])
        signature = bytearray(sign(self.key, document + field(4, account_number)))
        if spoil:
            signature[40] ^= 1
        return field(1, body) + field(2, auth) + field(3, bytes(signature))

    def send(self, *messages, node=0, **how):
        return broadcast(self.net, self.tx(*messages, **how), node)

    def run(self, *messages, node=0, **how):
        """Sends what CheckTx must take, and returns /tx of it."""
        sent = self.send(*messages, node=node, **how)
        assert sent["code"] == 0, sent
        return self.net.wait_tx(sent["hash"], node)


def hash_of(raw):
    return hashlib.sha256(raw).hexdigest().upper()


def broadcast(net, raw, node=0):
    answer = net.call(node, "broadcast_tx_sync", tx=base64.b64encode(raw).decode())
    assert answer["hash"] == hash_of(raw)
    return answer


# --- KIRA's messages ---

def pause(account):
    return any_of("/kira.slashing.MsgPause", field(1, account.valoper))


def unpause(account):
    return any_of("/kira.slashing.MsgUnpause", field(1, account.valoper))


def activate(account):
    return any_of("/kira.slashing.MsgActivate", field(1, account.valoper))


def coins_to_self(account, amount=1):
    coin = field(1, "ukex") + field(2, str(amount))
    return any_of("/cosmos.bank.v1beta1.MsgSend", field(1, account.address) + field(2, account.address) + field(3, coin))


def submit_upgrade(account, name, upgrade_time, instate):
    plan = {"name": name, "resources": [{"id": "sekai", "url": "http://localhost/sekai", "version": "v1",
                                         "checksum": "00"}],
            "upgrade_time": upgrade_time, "old_chain_id": account.net.public["chain_id"],
            "new_chain_id": account.net.public["chain_id"] if instate else "kira-devnet-2", "rollback_checksum": "00",
            "max_enrolment_s": 60, "memo": "", "instate": instate, "reboot_required": True, "skip_handler": instate}
    return any_of("/kira.gov.MsgSubmitProposal", field(1, account.bytes) + field(2, name) + field(3, "a test") +
                  field(4, kira_content("submit-upgrade", plan)))


def vote(account, proposal, option=1):
    return any_of("/kira.gov.MsgVoteProposal", field(1, proposal) + field(2, account.bytes) + field(3, option) +
                  field(4, "0"))


# --- DCL's messages ---

def disable(account):
    return any_of(DCL + "validator.MsgDisableValidator", field(1, account.valoper))


def enable(account):
    return any_of(DCL + "validator.MsgEnableValidator", field(1, account.valoper))


def create_validator(account, moniker="again", key=bytes(range(32))):
    public = any_of("/cosmos.crypto.ed25519.PubKey", field(1, key))
    return any_of(DCL + "validator.MsgCreateValidator",
                  field(1, account.valoper) + field(2, public) + field(3, field(1, moniker), always=True))


def trustee(account, what, validator, info="a test"):
    """what: Propose, Approve or Reject"""
    return any_of(f"{DCL}validator.Msg{what}DisableValidator", field(1, account.address) + field(2, validator.valoper) +
                  field(3, info) + field(4, int(time.time())))


def upgrade(account, what, name, height=0):
    """what: submit, approve or reject"""
    job = {"action": f"{what}-upgrade", "description": "a test", "time_s": str(int(time.time()))}
    return dcl_upgrade(job, account.address, {"name": name, "height": height, "info": ""})
