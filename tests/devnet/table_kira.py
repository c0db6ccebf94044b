"""KIRA's lines of the table."""
import json
import shutil
import subprocess
import time

from lines import (after_block, both_in_one, broadcast, has, in_block, is_dead, refused, same, stays_dead, wait_stored)
from net import Devnet, Refused, poll
from wire import (BALANCE, Account, activate, coins_to_self, pause, plan_of, proposal_result, record_of, signing_of,
                  submit_upgrade, unpause, vote)

QUICK = ("--block-time", "250ms", "--timeout-propose", "300ms")
RANGE = "is out of range [100, 1000000]ukex"


def accounts_of(net):
    return [Account(net, i) for i in range(net.count)]


def update_of(net, validator, power):
    """As block_results shows it: a power of 0 is left out."""
    members = net.call(0, "validators", height="1", per_page="100")["validators"]
    key = next(m["pub_key"]["value"] for m in members if m["address"] == net.address(validator))
    update = {"pub_key": {"Sum": {"type": "tendermint.crypto.PublicKey_Ed25519", "value": {"ed25519": key}}}}
    return {**update, "power": str(power)} if power else update


def expect_leaves(net, validator, height):
    """Out of the set two blocks behind `height`, not before."""
    address = net.address(validator)
    same([address in net.members(height + i) for i in range(3)], [True, True, False], "member of H, H+1, H+2")
    same(net.results(height)["validator_updates"], [update_of(net, validator, 0)], "validator_updates")


def expect_enters(net, validator, height):
    address = net.address(validator)
    same([address in net.members(height + i) for i in range(3)], [False, False, True], "member of H, H+1, H+2")
    same(net.results(height)["validator_updates"], [update_of(net, validator, 1)], "validator_updates")


# --- CheckTx ---

def check_lines(net, say, me):
    with say("activate with fee 100: CheckTx 18"):
        refused(me, 18, "fee 100ukex(100) is less than max execution fee 1000ukex", activate(me))
    for fee in (1, 99, 1000001, 10000000):
        with say(f"fee {fee} ukex: CheckTx 18"):
            has(refused(me, 18, RANGE, pause(me), fee=fee), f"fee {fee}ukex")
    with say("sequence too high or too low: CheckTx 32"):
        sequence = me.state()[0]
        refused(me, 32, f"account sequence mismatch, expected {sequence}, got {sequence + 5}: incorrect account "
                "sequence", pause(me), sequence=sequence + 5)
        if sequence:
            refused(me, 32, f"account sequence mismatch, expected {sequence}, got {sequence - 1}", pause(me),
                    sequence=sequence - 1)
    with say("bad signature, chain id or account number: CheckTx 4, all three with the same words"):
        words = {refused(me, 4, "please verify account number", pause(me), **how)
                 for how in ({"spoil": True}, {"chain_id": "kira-other"}, {"account_number": 77})}
        same(len(words), 1, f"different words: {words}")
    with say("gas limit 0: CheckTx 11 out of gas"):
        refused(me, 11, "out of gas", pause(me), gas=0)
    with say("timeout_height below the last height: CheckTx 30"):
        timeout = net.height() - 1
        has(refused(me, 30, f"timeout height: {timeout}", pause(me), timeout=timeout), "block height: ")
    with say("bank send of 0 ukex: 10 invalid coins; memo of 257 characters: 12 memo too large"):
        refused(me, 10, "invalid coins", coins_to_self(me, 0))
        refused(me, 12, "memo too large", coins_to_self(me), memo="m" * 257)
    with say("the same bytes twice: JSON-RPC error -32603, data 'tx already exists in cache'"):
        twice(net, me)


def twice(net, me):
    twice_with(net, me.tx(coins_to_self(me), memo="twice"))


def twice_with(net, raw):
    same(broadcast(net, raw)["code"], 0, "CheckTx")
    for moment in ("at once", "from a block"):
        try:
            raise AssertionError(f"taken again {moment}: {broadcast(net, raw)}")
        except Refused as refusal:
            same(refusal.error, {"code": -32603, "message": "Internal error", "data": "tx already exists in cache"},
                 moment)
        wait_stored(net, raw)


# --- in a block ---

def timeout_in_block(net, me):
    """timeout_height equal to the last height: passes CheckTx, stands in the next block with 30."""
    for _ in range(20):
        before = me.state()
        height = net.height()
        raw = me.tx(coins_to_self(me), timeout=height + 1, sequence=before[0], memo=str(height))
        poll(lambda: net.height() > height, "a block comes")
        if broadcast(net, raw)["code"] == 30:
            continue
        found, result = wait_stored(net, raw)
        if result["code"] != 0:
            same((result["code"], result["codespace"], found), (30, "sdk", height + 2), result["log"])
            same(me.state(), before, "no fee, no sequence used")
            return
    raise AssertionError("twenty times a block came between")


def block_lines(net, say, one, other):
    with say("pause in H: sets of H, H+1 unchanged, of H+2 without it; voting_power '0'"):
        height = int(in_block(one, 0, "", pause(one))["height"])
        expect_leaves(net, one.validator, height)
        poll(lambda: net.power(one.validator) == "0", "voting_power 0")
        same(record_of(net, one)["status"], "PAUSED", "status")
    with say("pause when paused: 8; fee kept, sequence used"):
        found = in_block(one, 8, "customslashing", pause(one))
        has(found["tx_result"]["log"], "Can NOT pause already paused validator")
    with say("unpause in H: back in the set of H+2"):
        expect_enters(net, one.validator, int(in_block(one, 0, "", unpause(one))["height"]))
        poll(lambda: net.power(one.validator) == "1", "voting_power 1")
    with say("unpause when active: 7"):
        has(in_block(one, 7, "customslashing", unpause(one))["tx_result"]["log"],
            "Can NOT unpause NOT paused validator")
    with say("activate when active: 6"):
        in_block(one, 6, "customslashing", activate(one), fee=1000)
    with say("fee 250 offered for a pause: 250 paid"):
        in_block(one, 0, "", pause(one), fee=250)
        in_block(one, 0, "", unpause(one))
    with say("bank send of 1 ukex to oneself with a memo of 256 characters: code 0, fee 100"):
        in_block(other, 0, "", coins_to_self(other), memo="m" * 256)
    with say("timeout_height equal to the last height: CheckTx 0, in the block 30, no fee, no sequence"):
        timeout_in_block(net, other)
    with say("pause then unpause in one block: both code 0, the chain goes on"):
        height, results = both_in_one(one, pause(one), unpause(one))
        same([r["code"] for r in results], [0, 0], "codes")
        assert net.address(one.validator) in net.members(height + 2)
        net.wait_height(height + 3)


def three_of_five(net, say, accounts):
    with say("pause of 3 of 5 with min_validators 4: all code 0, the set falls to 2"):
        for account in accounts[2:]:
            height = int(in_block(account, 0, "", pause(account))["height"])
        same(set(net.members(height + 2)), {net.address(0), net.address(1)}, "the set")
        net.wait_height(height + 4)
        for account in accounts[2:]:
            height = int(in_block(account, 0, "", unpause(account))["height"])
        same(len(net.members(height + 2)), 5, "the set")


def fresh(net, say, me):
    with say("right after a node's restart, before its first new block: CheckTx 4 'account number (0)'; two blocks "
             "later the same bytes pass"):
        for node in (1, 2):  # without them there are no blocks
            net.node("stop", node)
        net.node("stop", 0)
        net.node("start", 0)
        poll(lambda: net.answers(0), "node 0 answers")
        raw = me.tx(coins_to_self(me), memo="fresh")
        height = net.height()
        answer = broadcast(net, raw)
        same((answer["code"], answer["codespace"]), (4, "sdk"), answer["log"])
        has(answer["log"], "please verify account number (0)")
        same(net.height(), height, "no block came meanwhile")
        for node in (1, 2):
            net.node("start", node)
        net.wait_height(height + 2)
        same(broadcast(net, raw)["code"], 0, "CheckTx, two blocks later")
        same(net.wait_tx(answer["hash"])["tx_result"]["code"], 0, "in the block")


def with_curl(net, say):
    with say("curl: POST and GET"):
        if not shutil.which("curl"):
            say.note("no curl here")
            return
        body = '{"jsonrpc":"2.0","id":7,"method":"block","params":{"height":"2"}}'
        posted = json.loads(subprocess.run(["curl", "-sS", "-d", body, net.urls[0]], stdout=subprocess.PIPE,
                                           check=True).stdout)
        got = json.loads(subprocess.run(["curl", "-sS", net.urls[0] + "/block?height=2"], stdout=subprocess.PIPE,
                                        check=True).stdout)
        same((posted["id"], got["id"]), (7, -1), "ids")
        same(posted["result"], got["result"], "block 2")
        same(got["result"]["block"]["header"]["height"], "2", "height")


def everything(net):
    """What must outlive a restart."""
    height = net.height()
    hashes = [row["block_id"]["hash"] for row in net.get(0, f"blockchain?minHeight=1&maxHeight={height}")["block_metas"]]
    rows = [(a.state(), record_of(net, a)["status"]) for a in accounts_of(net)]
    return height, hashes, rows


def kira_rules(say):
    """KIRA: rules of CheckTx and of blocks, before and after a restart of everything"""
    with Devnet("kira", 5, "--min-validators", 4, *QUICK) as net:
        accounts = accounts_of(net)
        with say("accounts begin with sequence 0 and all their coins"):
            same({a.state() for a in accounts}, {(0, BALANCE)}, "sequence and balance")
        net.wait_height(2)
        with_curl(net, say)
        for moment in ("", "after the restart: "):
            net.wait_height(3)
            check_lines(net, lambda words, m=moment: say(m + words), accounts[0])
            block_lines(net, lambda words, m=moment: say(m + words), accounts[1], accounts[2])
            if not moment:
                three_of_five(net, say, accounts)
                with say("a restart of everything keeps blocks, accounts and records"):
                    before = everything(net)
                    same(net.stop(), 0, f"exit status of the devnet ({net.words()})")
                    same(net.pids(), {}, "who is left")
                    net.start()
                    net.next_blocks(2)
                    same(everything(net)[2], before[2], "accounts and records")
                    rows = net.get(0, f"blockchain?minHeight=1&maxHeight={before[0]}")["block_metas"]
                    same([row["block_id"]["hash"] for row in rows], before[1], "blocks")


def kira_fresh(say):
    """KIRA: a node that has seen no new block since its start"""
    with Devnet("kira", 4, *QUICK) as net:
        net.wait_height(3)
        fresh(net, say, Account(net, 3))


def kira_inactive(say):
    """KIRA: a node stopped without a pause"""
    with Devnet("kira", 4, "--block-time", "100ms", "--timeout-propose", "100ms") as net:
        me = Account(net, 3)
        poll(lambda: record_of(net, me)["streak"] >= 5, "validator 3 has signed for a while")
        with say("INACTIVE in block (last present + 121); confidence 10, mischance 111; rank and streak 0; power 0"):
            net.node("stop", 3)
            poll(lambda: signing_of(net, 3)["mischance_confidence"] > 0, "misses are counted")
            last = signing_of(net, 3)["last_present"]
            before = record_of(net, me)
            assert before["status"] == "ACTIVE" and before["rank"] > 0, before
            net.wait_height(last + 121)
            same([net.results(h)["validator_updates"] for h in (last + 120, last + 121)],
                 [None, [update_of(net, 3, 0)]], "validator_updates of last present + 120, + 121")
            counters, record = signing_of(net, 3), record_of(net, me)
            same((counters["mischance_confidence"], counters["mischance"]), (10, 111), "counters")
            same(record, {"status": "INACTIVE", "rank": 0, "streak": 0}, "record")
            expect_leaves(net, 3, last + 121)
        with say("while INACTIVE: pause 5, activate too early 5 'jail time remaining .. seconds', unpause 7"):
            has(in_block(me, 5, "customslashing", pause(me))["tx_result"]["log"], "Can NOT pause inactivated validator")
            log = in_block(me, 5, "customslashing", activate(me), fee=1000)["tx_result"]["log"]
            has(log, "jail time remaining ")
            left = int(log.split("jail time remaining ")[1].split(" seconds")[0])
            assert 400 < left < 600, log
            in_block(me, 7, "customslashing", unpause(me))
        with say("the node comes back: voting_power '0'"):
            net.node("start", 3)
            poll(lambda: not net.answers(3)["sync_info"]["catching_up"], "node 3 has caught up")
            same(net.power(3), "0", "voting_power")


# --- the end ---

def lost(net, me):
    return f"failed to find validator {net.address(me.validator)} to remove"


def kira_fatal_two(say):
    """KIRA: unpause then pause in one block, as two transactions"""
    with Devnet("kira", 4, *QUICK) as net:
        me = Account(net, 2)
        net.wait_height(2)
        in_block(me, 0, "", pause(me))
        with say("both in; CONSENSUS FAILURE!!! ... failed to find validator ... to remove; no more blocks"):
            height, _ = both_in_one(me, unpause(me), pause(me))
            is_dead(net, lost(net, me), height)
        with say("every restart fails the same way, exit 1"):
            stays_dead(net, lost(net, me), height)


def kira_fatal_one(say):
    """KIRA: unpause and pause as two messages of one transaction"""
    with Devnet("kira", 4, *QUICK) as net:
        me = Account(net, 1)
        net.wait_height(2)
        in_block(me, 0, "", pause(me))
        with say("the same death"):
            raw = me.tx(unpause(me), pause(me), fee=200)
            same(broadcast(net, raw)["code"], 0, "CheckTx")
            height = wait_stored(net, raw)[0]
            is_dead(net, lost(net, me), height)
        with say("every restart fails the same way, exit 1"):
            stays_dead(net, lost(net, me), height)


EMPTY = "applying the validator changes would result in empty set"


def kira_last(say):
    """KIRA: the last member pauses"""
    with Devnet("kira", 2, *QUICK) as net:
        first, last = accounts_of(net)
        net.wait_height(2)
        height = int(in_block(first, 0, "", pause(first))["height"])
        net.wait_height(height + 2)
        with say("code 0 in CheckTx, then: " + EMPTY):
            raw = last.tx(pause(last))
            same(broadcast(net, raw)["code"], 0, "CheckTx")
            height = wait_stored(net, raw)[0]
            is_dead(net, EMPTY, height)
        with say("dead for good"):
            stays_dead(net, EMPTY, height)


# --- upgrades ---

TIMES = ("--proposal-time", "3s", "--enactment-time", "1s")


def planned(net, accounts, number, instate, yes):
    """A plan that is next, with the votes of `yes`; returns upgrade_time."""
    name, when = f"up{number}", int(time.time()) + 9
    in_block(accounts[0], 0, "", submit_upgrade(accounts[0], name, when, instate))
    for account in yes:
        sent = account.send(vote(account, number))
        same(sent["code"], 0, sent["log"])
    poll(lambda: plan_of(net, "Next").get("name") == name, f"{name} is the next plan")
    same(plan_of(net, "Next"), {"name": name, "upgrade_time": when, "instate": instate, "proposal": number,
                                "processed": False}, "next plan")
    return when


def seconds(header):
    clock, fraction = header["time"].rstrip("Z").split(".") if "." in header["time"] else (header["time"][:-1], "0")
    return int(time.mktime(time.strptime(clock, "%Y-%m-%dT%H:%M:%S")) - time.timezone) + float("0." + fraction)


def first_at(net, when):
    """The first block with that time or a later one."""
    poll(lambda: seconds(net.header(net.height())) >= when, "the time has come")
    height = net.height()
    while seconds(net.header(height - 1)) >= when:
        height -= 1
    return height


def kira_soft(say):
    """KIRA: soft upgrades"""
    with Devnet("kira", 5, *QUICK, *TIMES) as net:
        accounts = accounts_of(net)
        net.wait_height(2)
        with say("soft upgrade, all voted YES: goes on; current_plan set, processed_no_vote_validators true"):
            when = planned(net, accounts, 1, True, accounts)
            poll(lambda: plan_of(net, "Current").get("name") == "up1", "up1 is the current plan")
            same(plan_of(net, "Current"), {"name": "up1", "upgrade_time": when, "instate": True, "proposal": 1,
                                           "processed": True}, "current plan")
            same(plan_of(net, "Next"), {}, "next plan")
            same({record_of(net, a)["status"] for a in accounts}, {"ACTIVE"}, "records")
            same(proposal_result(net, 1), 1, "the proposal's result")
        with say("one active validator without a YES: paused in the first block with time >= upgrade_time, out of the "
                 "set 2 later; the chain goes on"):
            height = first_at(net, planned(net, accounts, 2, True, accounts[:4]))
            expect_leaves(net, 4, height)
            same(record_of(net, accounts[4])["status"], "PAUSED", "status")
            net.wait_height(height + 4)
        with say("a PAUSED validator without a YES: failed to find validator ... to remove, at upgrade_time"):
            height = first_at(net, planned(net, accounts, 3, True, accounts[:4]))
            is_dead(net, lost(net, accounts[4]), height)
        with say("dead for good"):
            stays_dead(net, lost(net, accounts[4]), height)


def kira_hard(say):
    """KIRA: a hard upgrade"""
    with Devnet("kira", 4, *QUICK, *TIMES) as net:
        accounts = accounts_of(net)
        net.wait_height(2)
        words = 'UPGRADE "up1" NEEDED at upgrade_time='
        with say("first block with time >= upgrade_time is applied, the next is stored but not applied: " + words):
            height = first_at(net, planned(net, accounts, 1, False, accounts))
            poll(lambda: net.height() > height, "one more block is stored")
            is_dead(net, words, height + 1, halted=True)
        with say("RPC goes on answering; restarts repeat it"):
            stays_dead(net, words, height + 1)


# --- the guard ---

def kira_guard(say):
    """KIRA: the rule of records, and --guard"""
    with Devnet("kira", 4, "--min-validators", 4, *QUICK) as net:
        me = Account(net, 0)
        net.wait_height(2)
        with say("records <= min_validators: 11 'pause not allowed on poor network'"):
            has(in_block(me, 11, "customslashing", pause(me))["tx_result"]["log"],
                "pause not allowed on poor network")
    with Devnet("kira", 5, "--min-validators", 3, "--guard", *QUICK) as net:
        accounts = accounts_of(net)
        net.wait_height(2)
        with say("--guard: pauses down to min_validators ACTIVE ones, then 11, also after a restart"):
            for account in accounts[:2]:
                height = int(in_block(account, 0, "", pause(account))["height"])
            in_block(accounts[2], 11, "customslashing", pause(accounts[2]))
            net.restart()
            net.next_blocks(2)
            in_block(accounts[2], 11, "customslashing", pause(accounts[2]))
            same(len(net.members(height + 3)), 3, "the set")
            in_block(accounts[0], 0, "", unpause(accounts[0]))
            in_block(accounts[2], 0, "", pause(accounts[2]))
        after_block(net)


GROUPS = [kira_soft, kira_rules, kira_inactive, kira_hard, kira_guard, kira_fresh, kira_fatal_two, kira_fatal_one,
          kira_last]
