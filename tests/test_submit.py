"""Submitting through node/chain.h against a network that plays every trick with sequences, answers and blocks.

Every case ends with the same question to the chain: how often did the account act? At most once, whatever happened.

usage: test_submit.py [CASE...]    CHAIN_PROBE=build/dev/tests/chain_probe
"""
import contextlib
import os
import sys

from chain_model import Ledger, Node, Tx, b64, hash_bytes, mismatch
from chain_tests import ACCOUNT, FAILED, INCLUDED, REFUSED, TIMED_OUT, Probe, key_file, main, run
from rpc_server import Reply, RpcError

PAUSE = "/kira.slashing.MsgPause"


def world(kind="kira", blocks=4, **account):
    """A ledger on which time passes at every look at the head of any node."""
    ledger = Ledger(kind)
    ledger.add_account(ACCOUNT, **account)
    ledger.validators[0].account = ACCOUNT
    for _ in range(blocks):
        ledger.produce()
    ledger.on_status = ledger.produce
    return ledger


@contextlib.contextmanager
def serving(*nodes):
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(node.server).url for node in nodes]


def submit(*nodes, during=None, **order):
    path = key_file()
    order = {"do": "submit", "action": "pause", "key_file": path, **order}
    try:
        with serving(*nodes) as urls:
            probe = Probe(urls, **order)
            try:
                if during:
                    during(probe)
                probe.end()
            finally:
                probe.kill()
    finally:
        os.unlink(path)
    return probe.events("done")[0], probe


def ours(ledger, code=0):
    """Heights of blocks that hold a transaction of the account with this result."""
    return [block["header"]["height"] for block in ledger.blocks[1:]
            for raw, result in zip(block["txs"], block["results"])
            if Tx(raw).account == ACCOUNT and result["code"] == code]


def expect(done, ledger, outcome, acted):
    assert done["outcome"] == outcome, done
    assert len(ours(ledger)) == acted, (ours(ledger), done)


# --- what goes well ---

def plain():
    ledger = world()
    done, probe = submit(Node(ledger))
    expect(done, ledger, INCLUDED, 1)
    kept = probe.events("persist")
    assert len(kept) == 1 and kept[0]["sequence"] == 7 and kept[0]["fee"] == 100 and kept[0]["attempt"] == 1
    assert kept[0]["hash"] == done["hash"] and bytes.fromhex(kept[0]["bytes"]) in ledger.blocks[done["height"]]["txs"]
    assert done["code"] == 0 and done["height"] == ours(ledger)[0] and kept[0]["timeout"] == kept[0]["since"] + 20


def without_index():
    ledger = world()
    node = Node(ledger)
    node.index = False
    done, _ = submit(node)
    expect(done, ledger, INCLUDED, 1)
    assert node.server.asked["tx"] == 0 and node.server.asked["block"] > 0


def index_refuses():
    """It says that it has an index, and refuses to search it."""
    ledger = world()
    node = Node(ledger)

    def refused(params, usual):
        raise RpcError("transaction indexing is disabled")
    node.hooks["tx"] = refused
    done, _ = submit(node)
    expect(done, ledger, INCLUDED, 1)


def dcl():
    ledger = world("dcl")
    done, probe = submit(Node(ledger), chain="dcl")
    expect(done, ledger, INCLUDED, 1)
    assert probe.events("persist")[0]["fee"] == 0


def fee_live():
    ledger = world()
    ledger.properties[1] = 250
    ledger.fees = [("pause", 400, 300)]
    done, probe = submit(Node(ledger))
    expect(done, ledger, INCLUDED, 1)
    assert probe.events("persist")[0]["fee"] == 400
    ledger = world(sequence=0)
    ledger.properties[1] = 450
    done, probe = submit(Node(ledger))
    assert probe.events("persist")[0]["fee"] == 450 and probe.events("persist")[0]["sequence"] == 0


def codes():
    ledger = world()
    ledger.codes[PAUSE] = (8, "customslashing", "Can NOT pause already paused validator")
    done, _ = submit(Node(ledger))
    assert done["outcome"] == INCLUDED and done["code"] == 8 and done["meaning"] == 1, done
    assert "already paused" in done["text"]


# --- what is refused before it is sent ---

def not_sent():
    for change, words in (({"balance": 99}, "holds 99ukex"), ({}, "timeout_height 3 has passed")):
        ledger = world(**change)
        node = Node(ledger)
        done, probe = submit(node, timeout=0 if change else 3)
        expect(done, ledger, FAILED, 0)
        assert words in done["text"] and not done["loose"], done
        assert node.server.asked["broadcast_tx_sync"] == 0 and not probe.events("persist")
    ledger = world()
    del ledger.accounts[ACCOUNT]
    done, _ = submit(Node(ledger))
    assert done["outcome"] == FAILED and "not known" in done["text"]
    ledger = world()
    ledger.fees = [("pause", 2_000_000, 0)]
    done, _ = submit(Node(ledger))
    assert done["outcome"] == FAILED and "max_tx_fee" in done["text"]
    done, _ = submit(Node(world("dcl")), chain="dcl", action="activate")
    assert done["outcome"] == FAILED and "no such action" in done["text"]


def not_kept():
    ledger = world()
    node = Node(ledger)
    done, _ = submit(node, persist_fails=True)
    expect(done, ledger, FAILED, 0)
    assert node.server.asked["broadcast_tx_sync"] == 0 and not done["loose"]


def kept_before_sent():
    """At the first broadcast the bytes have been told already."""
    ledger = world()
    node = Node(ledger)
    seen = []
    node.hooks["broadcast_tx_sync"] = lambda params, usual: seen.append(hash_bytes(params, "tx")) or usual(params)
    _, probe = submit(node)
    assert bytes.fromhex(probe.events("persist")[0]["bytes"]) == seen[0]
    assert [line["event"] for line in probe.lines][0] == "persist"


# --- sequences ---

def stale_account():
    """The account's state is that of the last block, the mempool holds another transaction of it already."""
    ledger = world()
    node = Node(ledger)
    ledger.on_status = None
    state = {"first": True}

    def broadcast(params, usual):
        if state["first"]:
            state["first"] = False
            ledger.use_sequence(ACCOUNT)     # lands in the block that is made now
            ledger.on_status = ledger.produce
            return {**mismatch(8, 7), "data": "", "hash": "00" * 32}
        return usual(params)
    node.hooks["broadcast_tx_sync"] = broadcast
    ledger.produce()
    done, probe = submit(node)
    expect(done, ledger, INCLUDED, 1)
    assert [line["sequence"] for line in probe.events("persist")] == [7, 8]


def overtaken():
    """It was taken, then another transaction of the account lands first: signed anew, once."""
    for index in (True, False):
        ledger = world()
        node = Node(ledger)
        node.index = index
        state = {"first": True}

        def broadcast(params, usual, ledger=ledger, state=state):
            answer = usual(params)
            if state["first"] and answer["code"] == 0:
                state["first"] = False
                ledger.use_sequence(ACCOUNT)
            return answer
        node.hooks["broadcast_tx_sync"] = broadcast
        done, probe = submit(node)
        expect(done, ledger, INCLUDED, 1)
        assert [line["sequence"] for line in probe.events("persist")] == [7, 8], probe.lines


def overtaken_in_block():
    """Both stand in a block, ours behind: code 32 there, and signed anew."""
    ledger = world()
    node = Node(ledger)
    state = {"first": True}

    def broadcast(params, usual):
        answer = usual(params)
        if state["first"]:
            state["first"] = False
            ledger.accounts[ACCOUNT][1] += 1
        return answer
    node.hooks["broadcast_tx_sync"] = broadcast
    done, probe = submit(node)
    expect(done, ledger, INCLUDED, 1)
    assert len(ours(ledger, 32)) == 1 and len(probe.events("persist")) == 2


def lagging_mempool():
    """A node whose check is behind its answers: the same bytes pass later, nothing is signed anew."""
    ledger = world()
    node = Node(ledger)
    left = [3]

    def broadcast(params, usual):
        if left[0]:
            left[0] -= 1
            return {**mismatch(6, 7), "data": "", "hash": "00" * 32}
        return usual(params)
    node.hooks["broadcast_tx_sync"] = broadcast
    done, probe = submit(node)
    expect(done, ledger, INCLUDED, 1)
    assert len(probe.events("persist")) == 1


# --- answers ---

def lost_answer():
    """Taken, and the answer is lost: the second node has it by gossip and says 32. Nothing is signed anew."""
    for trick in (Reply(silent=True), Reply(b"", cut=0, reset=True), Reply(b"<html>", status=502), "cut"):
        ledger = world()
        first, second = Node(ledger), Node(ledger, 1)

        def broadcast(params, usual, trick=trick):
            answer = usual(params)
            if trick == "cut":
                return {"code": "0"}
            return trick if answer["code"] == 0 else answer
        first.hooks["broadcast_tx_sync"] = broadcast
        second.hooks["broadcast_tx_sync"] = lambda params, usual: {**mismatch(8, 7), "data": "", "hash": "00" * 32}
        done, probe = submit(first, second, timeout_ms=300)
        expect(done, ledger, INCLUDED, 1)
        assert len(probe.events("persist")) == 1, probe.lines


def duplicate():
    """Taken, the answer is lost, and the next try finds it in the cache."""
    ledger = world()
    node = Node(ledger)
    state = {"first": True}

    def broadcast(params, usual):
        answer = usual(params)
        if state["first"]:
            state["first"] = False
            return Reply(b"", cut=0, reset=True)
        return answer
    node.hooks["broadcast_tx_sync"] = broadcast
    ledger.on_status = None

    def during(probe):
        while not probe.lines or "cache" not in str(probe.lines) and "has it already" not in str(probe.lines):
            assert probe.next(), probe.lines
        with ledger.lock:
            ledger.on_status = ledger.produce
    done, probe = submit(node, during=during)
    expect(done, ledger, INCLUDED, 1)
    assert len(probe.events("persist")) == 1


def in_mempool():
    ledger = world()
    node = Node(ledger)

    def broadcast(params, usual):
        usual(params)
        return {"code": 19, "codespace": "sdk", "log": "tx already in mempool", "data": "", "hash": "00" * 32}
    node.hooks["broadcast_tx_sync"] = broadcast
    done, _ = submit(node)
    expect(done, ledger, INCLUDED, 1)


def mempool_full():
    ledger = world()
    node = Node(ledger)
    left = [4]

    def broadcast(params, usual):
        left[0] -= 1
        if left[0] >= 2:
            raise RpcError("mempool is full: number of txs 5000 (max: 5000), total txs bytes 1 (max: 1)")
        if left[0] >= 0:
            return {"code": 20, "codespace": "sdk", "log": "mempool is full", "data": "", "hash": "00" * 32}
        return usual(params)
    node.hooks["broadcast_tx_sync"] = broadcast
    done, probe = submit(node)
    expect(done, ledger, INCLUDED, 1)
    assert len(probe.events("persist")) == 1


def after_restart():
    """Code 4 until the node's next block means wait."""
    ledger = world()
    node = Node(ledger)
    node.restarted, node.restarted_at = True, ledger.height + 3
    done, probe = submit(node)
    expect(done, ledger, INCLUDED, 1)
    assert len(probe.events("persist")) == 1 and "first block" in str(probe.events("say"))


def unauthorized():
    """Code 4 that stays is final; it was never in a mempool."""
    ledger = world()
    node = Node(ledger)
    node.hooks["broadcast_tx_sync"] = lambda params, usual: {
        "code": 4, "codespace": "sdk", "log": "unauthorized", "data": "", "hash": "00" * 32}
    done, _ = submit(node)
    expect(done, ledger, REFUSED, 0)
    assert done["code"] == 4 and "key" in done["text"]


def refused():
    ledger = world()
    for code, words in ((5, "coins"), (13, "fee"), (18, "log"), (99, "no table")):
        node = Node(ledger)
        node.hooks["broadcast_tx_sync"] = lambda params, usual, code=code: {
            "code": code, "codespace": "sdk", "log": "no", "data": "", "hash": "00" * 32}
        done, _ = submit(node)
        expect(done, ledger, REFUSED, 0)
        assert done["code"] == code and words in done["text"], done


# --- blocks pass ---

def timed_out():
    """Taken by a node that tells nobody: it dies with its timeout height, and is said to."""
    for index in (True, False):
        ledger = world()
        node = Node(ledger)
        node.deaf, node.index = True, index
        done, probe = submit(node, timeout=ledger.height + 8)
        expect(done, ledger, TIMED_OUT, 0)
        assert "never" in done["text"] and ledger.height >= done["timeout"]
        assert node.server.asked["block"] == done["timeout"] - probe.events("persist")[0]["since"]


def too_late():
    """Included one block behind its timeout: code 30, which changed nothing."""
    ledger = world()
    node = Node(ledger)
    ledger.on_status = None
    timeout = ledger.height + 1

    def broadcast(params, usual):
        answer = usual(params)
        ledger.produce(txs=[])                          # at the timeout height without it
        ledger.mempool.append(hash_bytes(params, "tx"))
        ledger.produce()                                # and behind it
        return answer
    node.hooks["broadcast_tx_sync"] = broadcast
    done, _ = submit(node, timeout=timeout)
    assert done["outcome"] == INCLUDED and done["code"] == 30 and done["meaning"] == 5, done
    assert not ours(ledger)


def block_gone(params, usual):
    raise RpcError("height %s is not available, lowest height is 999" % params["height"])


def pruned():
    """Neither blocks nor an index: it is said that nobody knows."""
    ledger = world()
    node = Node(ledger)
    node.deaf, node.index = True, False
    node.hooks["block"] = block_gone
    done, _ = submit(node, timeout=ledger.height + 6)
    expect(done, ledger, FAILED, 0)
    assert done["loose"] and "not known" in done["text"], done


def pruned_index():
    ledger = world()
    node = Node(ledger)
    node.deaf = True
    node.hooks["block"] = block_gone
    done, _ = submit(node, timeout=ledger.height + 6)
    expect(done, ledger, TIMED_OUT, 0)


def results_late():
    """The block is there, its results come a moment later."""
    ledger = world()
    node = Node(ledger)
    node.index = False
    left = [3]

    def results(params, usual):
        left[0] -= 1
        if left[0] >= 0:
            raise RpcError("could not find results for height #%s" % params["height"])
        return usual(params)
    node.hooks["block_results"] = results
    done, _ = submit(node)
    expect(done, ledger, INCLUDED, 1)


def lost_by_mempool():
    """The node restarts and forgets it: the same bytes are sent again."""
    ledger = world()
    node = Node(ledger)
    state = {"first": True}

    def broadcast(params, usual):
        answer = usual(params)
        if state["first"] and answer["code"] == 0:
            state["first"] = False
            ledger.mempool.clear()
            node.restart()
        return answer
    node.hooks["broadcast_tx_sync"] = broadcast
    done, probe = submit(node)
    expect(done, ledger, INCLUDED, 1)
    assert len(probe.events("persist")) == 1


# --- endpoints ---

def dies_between():
    """The endpoint that took it dies before the block: another one confirms."""
    ledger = world()
    first, second = Node(ledger), Node(ledger, 1)
    state = {"dead": False}

    def broadcast(params, usual):
        answer = usual(params)
        state["dead"] = answer["code"] == 0
        return answer

    def dying(params, usual):
        return Reply(b"", cut=0, reset=True) if state["dead"] else usual(params)
    first.hooks["broadcast_tx_sync"] = broadcast
    for method in ("status", "tx", "block", "abci_query", "commit"):
        first.hooks[method] = dying
    done, probe = submit(first, second)
    expect(done, ledger, INCLUDED, 1)
    assert len(probe.events("persist")) == 1


def lagging_node():
    """Our own node lags; it is named, and the other one is used."""
    ledger = world(blocks=20)
    first, second = Node(ledger), Node(ledger, 1)
    first.lag = 12
    done, _ = submit(first, second)
    expect(done, ledger, INCLUDED, 1)
    assert first.server.asked["broadcast_tx_sync"] == 0


def contradiction():
    """Two nodes with different blocks, each well signed: nothing is sent."""
    ledger, other = world(), world()
    ledger.on_status = other.on_status = None
    other.produce(app_hash=b"z" * 32)
    ledger.produce()
    first, second = Node(ledger), Node(other, 1)
    done, probe = submit(first, second)
    assert done["outcome"] == FAILED and "nothing proves" in done["text"], done
    assert not probe.events("persist")
    assert first.server.asked["broadcast_tx_sync"] == second.server.asked["broadcast_tx_sync"] == 0


def all_silent():
    """Nobody answers any more: it is given up, and said to be loose."""
    ledger = world()
    node = Node(ledger)
    state = {"dead": False}

    def broadcast(params, usual):
        state["dead"] = True
        return usual(params)
    node.hooks["broadcast_tx_sync"] = broadcast
    for method in ("status", "tx", "block", "abci_query"):
        node.hooks[method] = lambda params, usual: Reply(b"", cut=0, reset=True) if state["dead"] else usual(params)
    done, _ = submit(node, give_up_ms=400)
    assert done["outcome"] == FAILED and done["loose"], done


# --- restarts of our own ---

def interrupted(ledger, node, when):
    """Starts a submission and kills it when `when(line)` says so; returns what it kept."""
    path = key_file()
    kept = None
    with serving(node) as urls:
        probe = Probe(urls, do="submit", action="pause", key_file=path)
        while kept is None or not when(probe.lines[-1]):
            line = probe.next()
            assert line, probe.lines
            kept = line if line["event"] == "persist" else kept
        probe.kill()
    os.unlink(path)
    return kept


def resume(kept, *nodes, **order):
    with serving(*nodes) as urls:
        probe = run(urls, do="resume", bytes=kept["bytes"], since=kept["since"], **order)
    return probe.events("done")[0]


def resumed():
    """Killed after it was kept, sent or not: the same bytes go on, and it acts once."""
    for sent in (False, True):
        ledger = world()
        ledger.on_status = None
        node = Node(ledger)
        if not sent:
            node.hooks["broadcast_tx_sync"] = lambda params, usual: Reply(silent=True)
        kept = interrupted(ledger, node, lambda line, sent=sent: line["event"] == "say" and
                           ("taken" in line["line"] if sent else "signed" in line["line"]))
        ledger.on_status = ledger.produce
        done = resume(kept, Node(ledger, 1))
        expect(done, ledger, INCLUDED, 1)
        assert done["hash"] == kept["hash"]


def resumed_included():
    """It was included while we were away: found, and not sent again."""
    ledger = world()
    ledger.on_status = None
    kept = interrupted(ledger, Node(ledger), lambda line: "taken" in line.get("line", ""))
    for _ in range(30):
        ledger.produce()
    for index in (True, False):
        node = Node(ledger)
        node.index = index
        done = resume(kept, node)
        expect(done, ledger, INCLUDED, 1)
        assert node.server.asked["broadcast_tx_sync"] == 0


def resumed_code_4():
    """Node and agent have both restarted."""
    ledger = world()
    ledger.on_status = None
    node = Node(ledger)
    node.deaf = True
    kept = interrupted(ledger, node, lambda line: "taken" in line.get("line", ""))
    ledger.on_status = ledger.produce
    node = Node(ledger)
    node.restarted, node.restarted_at = True, ledger.height + 3
    done = resume(kept, node)
    expect(done, ledger, INCLUDED, 1)


def resumed_dead():
    """Its sequence was used by another while we were away."""
    ledger = world()
    ledger.on_status = None
    node = Node(ledger)
    node.deaf = True
    kept = interrupted(ledger, node, lambda line: "taken" in line.get("line", ""))
    ledger.use_sequence(ACCOUNT)
    ledger.on_status = ledger.produce
    node = Node(ledger)
    done = resume(kept, node)
    expect(done, ledger, REFUSED, 0)
    assert "sequence 7" in done["text"], done


def resumed_late():
    ledger = world()
    ledger.on_status = None
    node = Node(ledger)
    node.deaf = True
    kept = interrupted(ledger, node, lambda line: "taken" in line.get("line", ""))
    for _ in range(40):
        ledger.produce()
    done = resume(kept, Node(ledger))
    expect(done, ledger, TIMED_OUT, 0)


def resumed_garbage():
    done = resume({"bytes": "0a0b0c", "since": 1}, Node(world()))
    assert done["outcome"] == FAILED and "no transaction" in done["text"], done


# --- nodes that lie about it ---

def wrong_transaction():
    """The index answers with another transaction."""
    ledger = world()
    first, second = Node(ledger), Node(ledger, 1)

    def tx(params, usual):
        return {"hash": hash_bytes(params, "hash").hex().upper(), "height": "3", "index": 0,
                "tx_result": Node.result_json({"code": 0, "codespace": "", "log": ""}), "tx": b64(b"other")}
    first.hooks["tx"] = tx
    done, _ = submit(first, second)
    expect(done, ledger, INCLUDED, 1)
    assert done["height"] == ours(ledger)[0]


def wrong_block():
    """Without an index: a block whose transactions are not those of its header."""
    ledger = world()
    first, second = Node(ledger), Node(ledger, 1)
    first.index = second.index = False

    def block(params, usual):
        answer = usual(params)
        answer["block"]["data"]["txs"] = []
        return answer
    first.hooks["block"] = block
    done, _ = submit(first, second, timeout=ledger.height + 12)
    expect(done, ledger, INCLUDED, 1)


CASES = {name: value for name, value in list(globals().items())
         if callable(value) and getattr(value, "__module__", "") == "__main__" and name not in
         ("world", "serving", "submit", "ours", "expect", "interrupted", "resume", "block_gone")}

if __name__ == "__main__":
    sys.exit(main(CASES, sys.argv[1:]))
