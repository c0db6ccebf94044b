"""DCL's lines: what was seen of x/validator, x/dclupgrade and the ante handler."""
from lines import (after_block, both_in_one, broadcast, has, in_block, is_dead, refused, same, stays_dead, wait_stored)
from net import Devnet, Refused, poll
from table_kira import EMPTY, accounts_of, twice_with, update_of
from wire import (DCL, Account, create_validator, disable, enable, field, fields, blob, number, query, text, trustee,
                  upgrade)

QUICK = ("--block-time", "250ms", "--timeout-propose", "300ms")
VALIDATOR, UPGRADE = f"{DCL}validator.Query/", f"{DCL}dclupgrade.Query/"


def validator_of(net, account):
    row = fields(blob(fields(query(net, VALIDATOR + "Validator", field(1, account.valoper))), 1))
    same(text(row, 1), account.valoper, "owner")
    return {"power": number(row, 4), "jailed": bool(number(row, 5)), "reason": text(row, 6)}


def disabled_of(net, account):
    """{by_admin, approvals}, None when it is not disabled."""
    try:
        row = fields(blob(fields(query(net, VALIDATOR + "DisabledValidator", field(1, account.valoper))), 1))
    except Refused as refusal:
        same(refusal.error["code"], 22, "not found")
        return None
    return {"by_admin": bool(number(row, 4)), "approvals": len(row.get(3, []))}


def moves(net, validator, found, power):
    """In at power 10, out at power 0; both two blocks behind."""
    height, address = int(found["height"]), net.address(validator)
    same(net.results(height)["validator_updates"], [update_of(net, validator, power)], "validator_updates")
    net.wait_height(height + 1)  # comes at once, as the application's hash has changed
    same([address in net.members(height + i) for i in range(3)], [power == 0, power == 0, power > 0],
         "member of H, H+1, H+2")


# --- CheckTx ---

def check_lines(net, say, me):
    with say("sequence too high or too low: CheckTx 32"):
        sequence = me.state()[0]
        for got in (sequence + 3, sequence - 1):
            refused(me, 32, f"account sequence mismatch, expected {sequence}, got {got}", disable(me), sequence=got)
    with say("bad signature, chain id or account number: CheckTx 4"):
        for how in ({"spoil": True}, {"chain_id": "dcl-other"}, {"account_number": 77}):
            refused(me, 4, "", disable(me), **how)
    with say("memo of 257 characters: CheckTx 12; timeout_height below the last height: CheckTx 30"):
        refused(me, 12, "memo too large", disable(me), memo="m" * 257)
        refused(me, 30, "timeout height: ", disable(me), timeout=max(1, net.height() - 1))
    with say("create-validator with an empty moniker: CheckTx 18"):
        refused(me, 18, "", create_validator(me, moniker=""))


def rare_blocks(net, say, me):
    with say("no block without transactions; one with it at once, one more behind it, then none"):
        height = quiet(net)
        found = in_block(me, 0, "", disable(me))
        same(int(found["height"]), height + 1, "height of the transaction's block")
        net.wait_height(height + 2)
        found = in_block(me, 0, "", enable(me))
        same(int(found["height"]), height + 3, "height of the next one's")
        same(quiet(net), height + 4, "height")


def quiet(net):
    """The height, when no block has come for as long as ten block times of others would be."""
    import time
    seen, since = net.height(), time.monotonic()
    while time.monotonic() - since < 2.5:
        height = net.height()
        if height != seen:
            seen, since = height, time.monotonic()
        time.sleep(0.05)
    return seen


# --- in a block ---

def node_lines(net, say, me, other):
    with say("disable-node: out of the set of H+2, power 0, jailed; gas_wanted -1"):
        found = in_block(me, 0, "", disable(me))
        moves(net, me.validator, found, 0)
        same(found["tx_result"]["gas_wanted"], "-1", "gas_wanted")
        same(validator_of(net, me), {"power": 0, "jailed": True, "reason": "disabled by a node admin"}, "validator")
        same(disabled_of(net, me), {"by_admin": True, "approvals": 0}, "disabled")
        poll(lambda: net.power(me.validator) == "0", "voting_power 0")
    with say("disable of a disabled one: 604"):
        in_block(me, 604, "validator", disable(me))
    with say("enable-node: back in the set of H+2 with power 10"):
        moves(net, me.validator, in_block(me, 0, "", enable(me)), 10)
        same(validator_of(net, me), {"power": 10, "jailed": False, "reason": ""}, "validator")
        same(disabled_of(net, me), None, "disabled")
    with say("enable with nothing to enable: 605"):
        in_block(me, 605, "validator", enable(me))
    with say("create-validator by an owner that has one, whatever key: passes CheckTx, 4/staking in the block, the "
             "sequence is used"):
        found = in_block(other, 4, "staking", create_validator(other), memo="stagger/join/1 30 00000000")
        has(found["tx_result"]["log"], "validator already exist for this operator address")
        same(net.results(int(found["height"]))["validator_updates"], None, "validator_updates")
    with say("disable and enable in one block: no update"):
        height, results = both_in_one(me, disable(me), enable(me))
        same([r["code"] for r in results], [0, 0], "codes")
        same(net.results(height)["validator_updates"], None, "validator_updates")
    with say("the same bytes twice: -32603; what failed in its block is forgotten"):
        twice_with(net, me.tx(disable(me), memo="twice"))
        in_block(me, 0, "", enable(me))
        raw = other.tx(create_validator(other), memo="twice")
        for code in (0, 32):
            same(broadcast(net, raw)["code"], code, "CheckTx")
            wait_stored(net, raw)


def trustee_lines(net, say, accounts):
    one, two, three, other = accounts
    with say("trustees' disable: proposed by one of three, done with the second; not by their admin"):
        in_block(one, 0, "", trustee(one, "Propose", other))
        same(disabled_of(net, other), None, "disabled with one approval")
        in_block(one, 602, "validator", trustee(one, "Propose", other))
        in_block(one, 4, "sdk", trustee(one, "Approve", other))
        found = in_block(two, 0, "", trustee(two, "Approve", other))
        moves(net, other.validator, found, 0)
        same(disabled_of(net, other), {"by_admin": False, "approvals": 2}, "disabled")
        in_block(three, 603, "validator", trustee(three, "Approve", other))
    with say("propose for a disabled one: 604; by one who is no trustee: sdk 4"):
        in_block(one, 604, "validator", trustee(one, "Propose", other))
        in_block(other, 4, "sdk", trustee(other, "Propose", one))
    with say("the admin may enable what trustees disabled"):
        moves(net, other.validator, in_block(other, 0, "", enable(other)), 10)
        same(disabled_of(net, other), None, "disabled")
    with say("rejected by two of three: nothing happens"):
        in_block(one, 0, "", trustee(one, "Propose", other))
        in_block(two, 0, "", trustee(two, "Reject", other))
        in_block(three, 0, "", trustee(three, "Reject", other))
        same(validator_of(net, other)["power"], 10, "power")
        in_block(three, 603, "validator", trustee(three, "Approve", other))


def plan_of(net):
    value = query(net, "/cosmos.upgrade.v1beta1.Query/CurrentPlan")
    plan = fields(blob(fields(value), 1)) if value else {}
    return (text(plan, 1), number(plan, 3)) if plan else None


def upgrade_lines(net, say, accounts):
    one, two, three, other = accounts
    height = net.height() + 1000
    with say("propose-upgrade, approve-upgrade: scheduled with the second of three"):
        same(plan_of(net), None, "plan")
        in_block(one, 0, "", upgrade(one, "submit", "p1", height))
        same(plan_of(net), None, "plan with one approval")
        in_block(two, 801, "dclupgrade", upgrade(two, "submit", "p1", height))
        in_block(one, 4, "sdk", upgrade(one, "approve", "p1"))
        in_block(two, 0, "", upgrade(two, "approve", "p1"))
        same(plan_of(net), ("p1", height), "plan")
    with say("802 none proposed, 803 approved already, sdk 18 in the past, sdk 4 no trustee"):
        in_block(one, 802, "dclupgrade", upgrade(one, "approve", "nobody"))
        in_block(one, 803, "dclupgrade", upgrade(one, "submit", "p1", height))
        has(in_block(one, 18, "sdk", upgrade(one, "submit", "old", 1))["tx_result"]["log"],
            "upgrade cannot be scheduled in the past")
        in_block(other, 4, "sdk", upgrade(other, "submit", "mine", height))
    with say("reject-upgrade: withdrawn by who proposed it alone, rejected by two of three; another plan replaces"):
        in_block(one, 0, "", upgrade(one, "submit", "p2", height))
        in_block(one, 0, "", upgrade(one, "reject", "p2"))
        in_block(two, 802, "dclupgrade", upgrade(two, "approve", "p2"))
        in_block(one, 0, "", upgrade(one, "submit", "p3", height))
        in_block(two, 0, "", upgrade(two, "reject", "p3"))
        in_block(three, 0, "", upgrade(three, "reject", "p3"))
        in_block(two, 802, "dclupgrade", upgrade(two, "approve", "p3"))
        in_block(one, 0, "", upgrade(one, "submit", "p4", height - 5))
        in_block(three, 0, "", upgrade(three, "approve", "p4"))
        same(plan_of(net), ("p4", height - 5), "plan")


def dcl_rules(say):
    """DCL: rules of CheckTx and of blocks, before and after a restart of everything"""
    with Devnet("dcl", 4, *QUICK) as net:
        accounts = accounts_of(net)
        with say("a genesis validator's account begins with sequence 1"):
            same({a.state() for a in accounts}, {(1, 0)}, "sequence")
        rare_blocks(net, say, accounts[3])
        check_lines(net, say, accounts[0])
        node_lines(net, say, accounts[0], accounts[1])
        trustee_lines(net, say, accounts)
        upgrade_lines(net, say, accounts)
        with say("a restart of everything keeps blocks, accounts, the plan, and who is disabled"):
            in_block(accounts[2], 0, "", disable(accounts[2]))
            height = quiet(net)
            def kept():
                poll(lambda: not net.answers(0)["sync_info"]["catching_up"], "node 0 has caught up")
                return ([a.state() for a in accounts], plan_of(net), disabled_of(net, accounts[2]),
                        net.call(0, "block", height=str(height))["block_id"], sorted(net.members(height + 1)))
            before = kept()
            net.restart("--empty-blocks", "4s")
            same(kept(), before, "accounts, plan, disabled, block and set")
        with say("after the restart: until a block comes CheckTx says 4"):
            same(net.height(), height, "no block has come yet")
            has(refused(accounts[1], 4, "", create_validator(accounts[1])), "please verify account number (0)")
            net.wait_height(height + 1)
        again = lambda words: say("after the restart: " + words)  # noqa: E731
        in_block(accounts[2], 0, "", enable(accounts[2]))
        check_lines(net, again, accounts[0])
        node_lines(net, again, accounts[0], accounts[1])


def dcl_last(say):
    """DCL: the last validator disables itself"""
    with Devnet("dcl", 2, *QUICK) as net:
        first, last = accounts_of(net)
        height = int(in_block(first, 0, "", disable(first))["height"])
        net.wait_height(height + 1)
        with say("accepted by CheckTx; CONSENSUS FAILURE!!!: " + EMPTY):
            raw = last.tx(disable(last))
            same(broadcast(net, raw)["code"], 0, "CheckTx")
            height = wait_stored(net, raw)[0]
            is_dead(net, EMPTY, height)
        with say("the block stays in the store, no restart helps"):
            stays_dead(net, EMPTY, height)


def dcl_plan(say):
    """DCL: the plan's height"""
    with Devnet("dcl", 4, "--empty-blocks", "250ms", *QUICK) as net:
        accounts = accounts_of(net)
        net.wait_height(2)
        with say("at the plan's height: the block is stored, not applied: UPGRADE NEEDED"):
            height = net.height() + 12
            in_block(accounts[0], 0, "", upgrade(accounts[0], "submit", "v9", height))
            in_block(accounts[1], 0, "", upgrade(accounts[1], "approve", "v9"))
            words = f'UPGRADE "v9" NEEDED at height: {height}'
            poll(lambda: net.height() == height, "the plan's height")
            is_dead(net, words, height, halted=True)
        with say("restarts repeat it"):
            stays_dead(net, words, height)


GROUPS = [dcl_rules, dcl_last, dcl_plan]
