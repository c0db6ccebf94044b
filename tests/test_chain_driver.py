"""Asking a network through node/chain.h: every topic of both chains, pages that change while they are read, and
endpoints that lag, lie, die or belong elsewhere.

usage: test_chain_driver.py [CASE...]    CHAIN_PROBE=build/dev/tests/chain_probe
"""
import contextlib
import copy
import hashlib
import sys

import light
from chain_model import DCL, Ledger, Node, Validator, b64, bech32, data_bytes
from chain_tests import (ACCOUNT, CONTRADICTED, DISPROVED, FOREIGN, LAGS, SILENT, WELL, main, run)
from protobuf import field
from rpc_server import Reply, RpcError

ACTIVE, INACTIVE, PAUSED, JAILED = 1, 2, 3, 4
ALL = ["status", "records", "set", "properties", "fees", "plan", "votes", "account", "self"]


def world(kind="kira", blocks=4, **how):
    ledger = Ledger(kind, **how)
    ledger.add_account(ACCOUNT)
    ledger.validators[0].account = ACCOUNT
    for _ in range(blocks):
        ledger.produce()
    return ledger


class Bystander(Validator):
    """A record only: its key signs nothing."""

    def __init__(self, number):
        self.key = hashlib.sha256(b"key %d" % number).digest()
        self.consensus = light.address_of(self.key)
        self.account = hashlib.sha256(b"account %d" % number).digest()[:20]
        self.moniker, self.status, self.by_admin, self.member = f"b{number}", "PAUSED", True, False


def ask(nodes, topics=ALL, status=0, **order):
    with contextlib.ExitStack() as stack:
        urls = [stack.enter_context(node.server).url for node in nodes]
        order = {"do": "ask", "topics": topics, "account": ACCOUNT.hex(), "chain": nodes[0].ledger.kind, **order}
        return run(urls, status, **order).events("asked")[-1]


def compare(nodes, **order):
    with contextlib.ExitStack() as stack:
        urls = [stack.enter_context(node.server).url for node in nodes]
        line = run(urls, do="compare", chain=nodes[0].ledger.kind, **order).events("compared")[0]
        return [w["verdict"] for w in line["witnesses"]], line, urls


# --- topics ---

def kira():
    ledger = world()
    ledger.validators[1].status = "PAUSED"
    ledger.validators[1].member = False
    for _ in range(3):
        ledger.produce()
    ledger.validators[2].status = "JAILED"
    facts = ask([Node(ledger)])["facts"]
    head = ledger.height
    assert facts["status"]["height"] == head and facts["records"]["at"]["height"] == head
    found = {r["consensus"]: r for r in facts["records"]["list"]}
    assert list(found) == sorted(v.consensus.hex() for v in ledger.validators)
    assert [found[v.consensus.hex()]["status"] for v in ledger.validators] == [ACTIVE, PAUSED, JAILED]
    assert found[ACCOUNT_CONSENSUS(ledger)]["account"] == ACCOUNT.hex()
    assert facts["set"]["at"]["height"] == head + 1 and facts["set"]["bound"] and len(facts["set"]["list"]) == 2
    assert facts["min_validators"] == 2 and facts["fee_count"] == 3
    assert facts["account"] == {"exists": True, "number": 3, "sequence": 7, "balance": 10000}
    own = facts["self"]
    assert own["registered"] and own["in_set"] and own["power"] == 1 and own["is_node"] and own["status"] == ACTIVE
    # join 100 + 1 that moves, pause 100, unpause 100, activate 1000
    assert own["turn_fees"] == 1301 and own["funded"]
    assert not facts["plan"]["pending"] and facts["next"] is None


def ACCOUNT_CONSENSUS(ledger):
    return ledger.validators[0].consensus.hex()


def own_status():
    ledger = world()
    me = ledger.validators[0]
    me.status = "INACTIVE"
    me.member = False
    ledger.signing[me.consensus] = (1_790_000_600, 111)
    ledger.accounts[ACCOUNT][2] = 1300
    for _ in range(3):
        ledger.produce()
    own = ask([Node(ledger, 1)], ["self"])["facts"]["self"]
    assert own["status"] == INACTIVE and not own["in_set"] and not own["is_node"] and not own["funded"]
    assert own["inactive_until"] == 1_790_000_600_000 and own["mischance"] == 111
    ledger.validators[0].account = b"q" * 20
    own = ask([Node(ledger)], ["self"])["facts"]["self"]
    assert not own["registered"] and own["status"] == 0
    del ledger.accounts[ACCOUNT]
    assert not ask([Node(ledger)], ["account"])["facts"]["account"]["exists"]


def dcl():
    ledger = world("dcl", validators=4)
    for v, (status, by_admin) in zip(ledger.validators, (("DISABLED", True), ("DISABLED", False), ("JAILED", True),
                                                         ("ACTIVE", True))):
        v.status, v.by_admin = status, by_admin
    facts = ask([Node(ledger)])["facts"]
    found = {r["moniker"]: (r["status"], r["by_trustees"], r["power"]) for r in facts["records"]["list"]}
    assert found == {"v0": (PAUSED, False, 0), "v1": (PAUSED, True, 0), "v2": (JAILED, False, 0),
                     "v3": (ACTIVE, False, 10)}
    own = facts["self"]
    assert own["status"] == PAUSED and not own["by_trustees"] and own["funded"] and own["turn_fees"] == 0
    assert facts["account"]["sequence"] == 7
    ledger.validators[0].by_admin = False
    assert ask([Node(ledger)], ["self"])["facts"]["self"]["by_trustees"]
    ledger.validators[0].status = "ACTIVE"
    own = ask([Node(ledger)], ["self"])["facts"]["self"]
    assert own["status"] == ACTIVE and not own["by_trustees"]


def proposal(number, name, result, url="/kira.upgrade.ProposalSoftwareUpgrade", time=1_800_000_000):
    content = field(1, name) + field(3, time) + field(8, "memo") + field(9, 1)
    return field(1, number) + field(2, "t") + field(4, field(1, url) + field(2, content)) + field(10, result)


def plan_of(name, number, time=1_799_000_000):
    return field(1, field(1, name) + field(3, time) + field(8, 1) + field(11, number))


def votes():
    ledger = world()
    ledger.proposals = [proposal(4, "up4", 4), proposal(3, "up3", 6), proposal(2, "old", 1),
                        proposal(1, "else", 4, "/kira.gov.SetNetworkPropertyProposal")]
    ledger.plans["next"] = plan_of("up3", 3)
    ledger.votes = {3: {ACCOUNT: 1}, 4: {ACCOUNT: 3, b"k" * 20: 1}}
    ledger.voters = {3: [ACCOUNT], 4: [b"k" * 20, ACCOUNT]}
    facts = ask([Node(ledger)], ["votes"])["facts"]
    assert facts["next"] == "up3"
    assert [(b["name"], b["scheduled"], b["votes"], b["yes"], b["may"]) for b in facts["ballots"]] == [
        ("up3", True, 1, True, True), ("up4", False, 2, False, True)], facts["ballots"]
    assert facts["plan"] == {"pending": True, "yes": False, "time": 1_799_000_000_000}
    ledger.votes[4][ACCOUNT] = 1
    assert ask([Node(ledger)], ["votes"])["facts"]["plan"]["yes"]
    ledger.votes[4], ledger.voters[4] = {}, [b"k" * 20]
    facts = ask([Node(ledger)], ["votes"])["facts"]
    assert facts["plan"]["yes"] and not facts["ballots"][1]["may"]


def votes_dcl():
    ledger = world("dcl")
    trustee = bech32("cosmos", b"t" * 20)
    plan = field(1, "p2") + field(2, field(1, -62135596800)) + field(3, 90000)
    ledger.proposals = [field(1, plan) + field(2, trustee) + field(3, field(1, trustee))]
    ledger.plans["next"] = field(1, field(1, "p1") + field(3, 80000))
    facts = ask([Node(ledger)], ["votes"])["facts"]
    assert [(b["name"], b["scheduled"], b["votes"]) for b in facts["ballots"]] == [("p1", True, 0), ("p2", False, 1)]
    assert facts["plan"]["pending"] and facts["plan"]["yes"]


# --- pages ---

def crowd(count):
    ledger = world()
    ledger.validators += [Bystander(i) for i in range(count)]
    return ledger


def pages():
    ledger = crowd(1100)
    node = Node(ledger)
    heights = []

    def query(params, usual):
        if params["path"].endswith("Validators"):
            heights.append(params.get("height"))
        return usual(params)
    node.hooks["abci_query"] = query
    facts = ask([node], ["records"])["facts"]
    assert len(facts["records"]["list"]) == 1103
    assert heights == [None, str(ledger.height), str(ledger.height)], heights


def pages_change():
    """Others join while the pages are read: all of them are asked anew."""
    ledger = crowd(600)
    node = Node(ledger)
    state = {"calls": 0}

    def query(params, usual):
        answer = usual(params)
        if params["path"].endswith("Validators"):
            state["calls"] += 1
            if state["calls"] in (1, 3):
                ledger.validators.append(Bystander(10_000 + state["calls"]))
        return answer
    node.hooks["abci_query"] = query
    facts = ask([node], ["records"])["facts"]
    assert len(facts["records"]["list"]) == 605 and state["calls"] == 6, state


def pages_restless():
    """Their number changes at every page: it is said, in the end."""
    ledger = crowd(600)
    node = Node(ledger)

    def query(params, usual):
        answer = usual(params)
        ledger.validators.append(Bystander(len(ledger.validators) + 10_000))
        return answer
    node.hooks["abci_query"] = query
    line = ask([node], ["records"], status=1)
    assert "times in a row" in line["fault"] and not line["facts"]["records"]["at"]["known"]


def pages_forgotten():
    """A node that has pruned the height of the first page: the rest is read at the latest one."""
    for refusal in ("code", "error"):
        ledger = crowd(600)
        node = Node(ledger)

        def query(params, usual, refusal=refusal, node=node):
            if "height" not in params:
                return usual(params)
            if refusal == "error":
                raise RpcError("failed to load state at height")
            return node.reply(b"", 18, "failed to load state at height 5; version does not exist", "sdk")
        node.hooks["abci_query"] = query
        assert len(ask([node], ["records"])["facts"]["records"]["list"]) == 603


def pages_circle():
    ledger = crowd(600)
    node = Node(ledger)
    state = {"first": None}

    def query(params, usual):
        state["first"] = state["first"] or usual(params)
        return state["first"]
    node.hooks["abci_query"] = query
    assert "same next_key" in ask([node], ["records"], status=1)["fault"]


def record_wrong():
    ledger = world()
    ledger.validators[1].status = "DREAMING"
    line = ask([Node(ledger)], ["records", "status"], status=1)
    assert "status" in line["fault"] and "validators[" in line["fault"], line["fault"]
    assert line["facts"]["status"]["known"]                # what failed leaves the others alone


def set_pages():
    ledger = Ledger(validators=130)
    node = Node(ledger)
    facts = ask([node], ["set"])["facts"]
    assert len(facts["set"]["list"]) == 130 and facts["set"]["bound"] and node.server.asked["validators"] == 2
    state = {"calls": 0}

    def validators(params, usual):
        answer = usual(params)
        assert params["height"] == str(ledger.height + 1)
        state["calls"] += 1
        return {**answer, "total": "131"} if state["calls"] == 2 else answer
    node = Node(ledger)
    node.hooks["validators"] = validators
    facts = ask([node], ["set"])["facts"]
    assert len(facts["set"]["list"]) == 130 and state["calls"] == 4


def set_not_yet():
    """The block is there a moment before the set behind it."""
    ledger = world()
    node = Node(ledger)
    left = [2]

    def validators(params, usual):
        left[0] -= 1
        if left[0] >= 0:
            raise RpcError("height 6 must be less than or equal to the current blockchain height 5")
        return usual(params)
    node.hooks["validators"] = validators
    assert len(ask([node], ["set"])["facts"]["set"]["list"]) == 3


def altered_member(answer):
    answer = copy.deepcopy(answer)
    key = light.public_of(b"z" * 32)
    answer["validators"][0].update(address=light.address_of(key).hex().upper(),
                                   pub_key={"type": "tendermint/PubKeyEd25519", "value": b64(key)})
    return answer


def set_altered():
    """Alone, a forged set is refused; beside another node, the forger is named and the other used."""
    ledger = world()
    liar, honest = Node(ledger), Node(ledger, 1)
    liar.hooks["validators"] = lambda params, usual: altered_member(usual(params))
    line = ask([liar], ["set"], status=1)
    assert "hash" in line["fault"] and liar.server.url in line["fault"], line["fault"]
    line = ask([liar, honest], ["set"])
    assert line["facts"]["set"]["at"]["endpoint"] == 1 and liar.server.url in line["warnings"][0], line["warnings"]


# --- endpoints ---

def compare_well():
    ledger = world()
    near, far = Node(ledger), Node(ledger, 1)
    far.lag = 2
    verdicts, line, _ = compare([far, near])
    assert verdicts == [WELL, WELL] and line["best"] == 0 and line["height"] == ledger.height - 2


def compare_lag():
    ledger = world(blocks=20)
    for catching_up, lag in ((False, 10), (True, 10), (False, 3)):
        slow, fast = Node(ledger), Node(ledger, 1)
        slow.lag, slow.catching_up = lag, catching_up
        verdicts, line, urls = compare([slow, fast])
        assert verdicts == [LAGS, WELL] and line["best"] == 1, line
        assert urls[0] in line["witnesses"][0]["text"] and f"{lag} blocks and {6 * lag} s behind" in line["witnesses"][0]["text"]
        line = ask([slow, fast], ["status"])
        assert line["facts"]["status"]["endpoint"] == 1 and urls[0] != line["warnings"][0][:1]


def compare_foreign():
    ours, theirs = Node(world()), Node(world(chain_id="other-1"), 1)
    verdicts, line, _ = compare([ours, theirs])
    assert verdicts == [WELL, FOREIGN] and "other-1" in line["witnesses"][1]["text"]
    verdicts, line, _ = compare([ours, theirs], chain_id="other-1")
    assert verdicts == [FOREIGN, WELL] and line["best"] == 1
    line = ask([ours], ["status"], status=1, chain_id="other-1")
    assert "other-1" in line["fault"]


def forged_header(params, usual, change):
    answer = copy.deepcopy(usual(params))
    change(answer["signed_header"])
    return answer


def rehash(ledger, signed, **values):
    """A header with other values under its own, right hash; nobody has signed it."""
    block = copy.deepcopy(ledger.blocks[int(signed["header"]["height"])])
    block["header"].update(values)
    digest = light.header_hash(block["header"])
    signed["header"].update({name: value.hex().upper() for name, value in values.items()})
    signed["commit"]["block_id"]["hash"] = digest.hex().upper()


def compare_liar():
    """Headers that were altered, with and without their hashes: disproved, whoever stands first."""
    ledger = world()
    other = b"\x99" * 32
    changes = (lambda signed: signed["header"].update(app_hash=other.hex().upper()),
               lambda signed: rehash(ledger, signed, app_hash=other),
               lambda signed: signed["commit"]["block_id"].update(hash=other.hex().upper()))
    for change in changes:
        for place in (0, 1):
            nodes = [Node(ledger), Node(ledger, 1)]
            nodes[place].hooks["commit"] = lambda params, usual, change=change: forged_header(params, usual, change)
            verdicts, line, urls = compare(nodes)
            assert verdicts[place] == DISPROVED and verdicts[1 - place] == WELL, line
            assert line["best"] == 1 - place and line["witnesses"][place]["text"].startswith(urls[place])
            line = ask(nodes, ["status", "set"])
            assert line["facts"]["set"]["at"]["endpoint"] == 1 - place and len(line["warnings"]) == 1


def compare_status():
    """A status that names another hash than the block has."""
    ledger = world()
    for place in (0, 1):
        nodes = [Node(ledger), Node(ledger, 1)]

        def status(params, usual):
            answer = copy.deepcopy(usual(params))
            answer["sync_info"]["latest_block_hash"] = "99" * 32
            return answer
        nodes[place].hooks["status"] = status
        verdicts, line, _ = compare(nodes)
        assert verdicts[place] == DISPROVED and verdicts[1 - place] == WELL and line["best"] == 1 - place, line


def compare_fork():
    """Two blocks with all their signatures: nobody can tell, so nobody is used."""
    ledger, other = world(), world()
    ledger.produce()
    other.produce(app_hash=b"\x99" * 32)
    nodes = [Node(ledger), Node(other, 1)]
    verdicts, line, urls = compare(nodes)
    assert verdicts == [CONTRADICTED, CONTRADICTED] and line["best"] == -1, line
    line = ask(nodes, ["status"], status=1)
    assert urls and nodes[0].server.url in line["fault"] and nodes[1].server.url in line["fault"], line["fault"]
    assert len(line["warnings"]) == 2


def compare_three():
    """One of three lies, and it has the highest head: the two others go on."""
    ledger = world()
    nodes = [Node(ledger), Node(ledger, 1), Node(ledger, 2)]
    nodes[0].lag = nodes[1].lag = 1
    nodes[2].hooks["commit"] = lambda params, usual: forged_header(
        params, usual, lambda signed: rehash(ledger, signed, app_hash=b"\x99" * 32))
    verdicts, line, _ = compare(nodes)
    assert verdicts == [WELL, WELL, DISPROVED] and line["best"] == 0, line


def compare_ahead():
    """A head far above ours that the validators whom we know have not signed: it is not believed."""
    ledger = world(blocks=2)
    made_up = copy.copy(ledger)
    made_up.blocks, made_up.sets, made_up.history = list(ledger.blocks), dict(ledger.sets), dict(ledger.history)
    strangers = Ledger(validators=5).validators[2:]
    for i, v in enumerate(strangers):
        v.seed = bytes([100 + i]) * 32
        v.key = light.public_of(v.seed)
        v.consensus = light.address_of(v.key)
    made_up.validators = ledger.validators + strangers
    for v in strangers:
        v.member = True
    members = Ledger.members(made_up)
    made_up.members = lambda: [m for m in members if m[0] in {v.consensus for v in strangers}]
    for _ in range(12):
        made_up.produce()
    verdicts, line, _ = compare([Node(ledger), Node(made_up, 1)])
    assert verdicts == [CONTRADICTED, CONTRADICTED] and line["best"] == -1, line
    forged = Node(made_up, 1)
    forged.hooks["commit"] = lambda params, usual: forged_header(
        params, usual, lambda signed: signed["commit"].update(signatures=signed["commit"]["signatures"][:1])
        if int(signed["header"]["height"]) > ledger.height else None)
    verdicts, line, _ = compare([Node(ledger), forged])
    assert verdicts == [WELL, DISPROVED] and line["best"] == 0, line


def refuse(params, usual):
    raise RpcError("", -32601, "Method not found")


def compare_without_commits():
    """Nodes that give no commits: their blocks are compared, and the block behind proves the one before."""
    ledger = world()
    nodes = [Node(ledger), Node(ledger, 1)]
    for node in nodes:
        node.hooks["commit"] = refuse
    verdicts, line, _ = compare(nodes)
    assert verdicts == [WELL, WELL] and line["height"] == ledger.height
    assert ask(nodes, ["set"])["facts"]["set"]["bound"]

    def forge(answer):
        signed = {"header": answer["block"]["header"], "commit": {"block_id": answer["block_id"]}}
        rehash(ledger, signed, app_hash=b"\x99" * 32)
        return answer

    def block(params, usual):
        answer = copy.deepcopy(usual(params))
        return forge(answer) if int(params["height"]) == ledger.height - 1 else answer

    def status(params, usual):
        answer = usual(params)
        height = answer["sync_info"]["latest_block_height"]
        if int(height) == ledger.height - 1:
            shown = forge(copy.deepcopy(nodes[0].block({"height": height})))
            answer["sync_info"]["latest_block_hash"] = shown["block_id"]["hash"]
        return answer
    for liar in (0, 1):
        shown = [Node(ledger), Node(ledger, 1)]
        shown[0].lag = 1
        for i, node in enumerate(shown):
            node.hooks["commit"] = refuse
            if i == liar:
                node.hooks["block"], node.hooks["status"] = block, status
        verdicts, line, _ = compare(shown)
        # its own latest has no block behind it yet: then nothing proves it, and nothing disproves it
        assert verdicts == ([CONTRADICTED] * 2 if liar == 0 else [WELL, DISPROVED]), (liar, line)
    for node in nodes:
        node.hooks["block"] = refuse
    assert not ask(nodes[:1], ["set"])["facts"]["set"]["bound"]


def compare_silent():
    ledger = world()
    for reply in (Reply(silent=True), Reply(b"", cut=0, reset=True), Reply(b"<html>"), "wrong"):
        dead, alive = Node(ledger), Node(ledger, 1)
        dead.hooks["status"] = lambda params, usual, reply=reply: {"nonsense": 1} if reply == "wrong" else reply
        verdicts, line, _ = compare([dead, alive], timeout_ms=300)
        assert verdicts == [SILENT, WELL] and line["best"] == 1, line
    verdicts, line, _ = compare([dead], timeout_ms=300)
    assert verdicts == [SILENT] and line["best"] == -1
    assert ask([dead], ["status"], status=1, timeout_ms=300)["fault"]


def dies_between():
    """It answers the comparison and dies with the first question: the other one is asked, and the first named."""
    ledger = world()
    for reply in (Reply(b"", cut=0, reset=True), {"response": {"code": 0}}):
        first, second = Node(ledger), Node(ledger, 1)
        first.hooks["abci_query"] = lambda params, usual, reply=reply: reply
        line = ask([first, second], ["account", "set", "plan"])
        assert line["facts"]["account"]["sequence"] == 7 and line["facts"]["set"]["at"]["endpoint"] == 1
        assert first.server.url in line["warnings"][0], line["warnings"]


def again():
    """The comparison serves for a while; facts are read anew each time."""
    ledger = world()
    nodes = [Node(ledger), Node(ledger, 1)]
    line = ask(nodes, ["account"], times=5)
    assert line["facts"]["account"]["exists"]
    assert nodes[0].server.asked["status"] == nodes[1].server.asked["status"] == 1
    assert nodes[0].server.asked["abci_query"] == 10 and nodes[1].server.asked["abci_query"] == 0


def another_account():
    """Records of somebody else in answer to a question about ours."""
    ledger = world()
    node = Node(ledger)

    def query(params, usual):
        if params["path"].endswith("Account"):
            ledger.accounts[b"k" * 20] = [9, 9, 9]
            ledger.history[ledger.height][b"k" * 20] = 9
            request = field(1, bech32("kira", b"k" * 20))
            return usual({**params, "data": request.hex()})
        assert data_bytes(params) is not None
        return usual(params)
    node.hooks["abci_query"] = query
    assert "another account" in ask([node], ["account"], status=1)["fault"]


def other_chain():
    """A DCL driver at a KIRA node: a sentence, not a crash."""
    line = ask([Node(world())], ["records"], status=1, chain="dcl")
    assert "code 6" in line["fault"] and DCL[:4] not in line["fault"]


HELPERS = ("world", "ask", "compare", "proposal", "plan_of", "crowd", "altered_member", "forged_header", "rehash",
           "ACCOUNT_CONSENSUS", "Bystander", "refuse")
CASES = {name: value for name, value in list(globals().items())
         if callable(value) and getattr(value, "__module__", "") == "__main__" and name not in HELPERS}

if __name__ == "__main__":
    sys.exit(main(CASES, sys.argv[1:]))
