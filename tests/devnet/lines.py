"""What the table's lines are made of: expectations about one transaction, and groups of lines that run side by side,
each on a devnet of its own.

    def group(say):
        with Devnet(...) as net:
            with say("pause in block H"):
                ...                             # AssertionError: this line failed, the group goes on
"""
import contextlib
import threading
import time
import traceback

from net import AGAIN_S, PATIENCE_S, fetch, poll
from wire import broadcast, hash_of


class Lines:
    """One group's, with what was said of each."""

    def __init__(self, name):
        self.name, self.said, self.failed = name, [], 0

    @contextlib.contextmanager
    def __call__(self, words):
        begin = time.monotonic()
        try:
            yield
        except Exception as error:  # noqa: BLE001: whatever it is, the line failed
            self.failed += 1
            place = traceback.extract_tb(error.__traceback__)[1:]
            where = " <- ".join(f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno}" for frame in reversed(place[-4:]))
            self.said.append(f"  FAILED {words}\n         {type(error).__name__}: {error}\n         {where}")
        else:
            self.said.append(f"  ok     {words} ({time.monotonic() - begin:.1f} s)")

    def note(self, words):
        self.said.append(f"         {words}")


def run_group(group, lines):
    try:
        group(lines)
    except BaseException as error:  # noqa: BLE001: also a devnet that does not start
        lines.failed += 1
        lines.said.append(f"  FAILED the group: {error}\n{traceback.format_exc()}")


def run_groups(groups, at_once):
    """All groups, so many side by side; returns how many lines failed."""
    waiting, done, lock = list(groups), [], threading.Lock()

    def work():
        while True:
            with lock:
                if not waiting:
                    return
                group = waiting.pop(0)
            begin, lines = time.monotonic(), Lines(group.__doc__.split("\n")[0])
            run_group(group, lines)
            with lock:
                done.append(lines)
                print(f"{lines.name} ({time.monotonic() - begin:.0f} s)\n" + "\n".join(lines.said), flush=True)
    threads = [threading.Thread(target=work) for _ in range(at_once)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    failed = sum(lines.failed for lines in done)
    count = sum(s.startswith("  ok") for lines in done for s in lines.said)
    print(f"{count + failed} lines, {failed} failed")
    return failed


# --- one transaction ---

def same(got, want, what):
    assert got == want, f"{what}: {got}, expected {want}"


def has(text, words):
    assert words in text, f"{text!r} does not say {words!r}"


def refused(account, code, words, *messages, node=0, **how):
    """CheckTx refuses it; no fee, no sequence; returns its log."""
    before = account.state()
    answer = account.send(*messages, node=node, **how)
    same((answer["code"], answer["codespace"]), (code, "sdk"), f"CheckTx ({answer['log']})")
    has(answer["log"], words)
    same(account.state(), before, "sequence and balance")
    assert not account.net.found(answer["hash"])
    return answer["log"]


def in_block(account, code, codespace, *messages, paid=None, **how):
    """CheckTx takes it, the block says so; the sequence is used and the fee is gone. Returns what /tx says."""
    sequence, balance = account.state()
    found = account.run(*messages, **how)
    result = found["tx_result"]
    same((result["code"], result["codespace"]), (code, codespace), f"in the block ({result['log']})")
    fee = 0 if account.net.chain == "dcl" else how.get("fee", 100) if paid is None else paid
    same(account.state(), (sequence + 1, balance - fee), "sequence and balance")
    row = account.net.results(int(found["height"]))["txs_results"][found["index"]]
    same(row, result, "block_results beside tx")
    return found


def after_block(net):
    """Returns right behind a new block, so that what follows has a block time to itself."""
    height = net.height()
    poll(lambda: net.height() > height, "a block comes")


def both_in_one(account, first, second, again=None):
    """Two transactions of one account in one block; returns the block's height and the two results. Where they fell
    into two blocks the harm is undone by again(), and they are sent anew."""
    net = account.net
    for _ in range(20):
        sequence = account.state()[0]
        pair = [account.tx(first, sequence=sequence), account.tx(second, sequence=sequence + 1)]
        after_block(net)
        for raw in pair:
            same(broadcast(net, raw)["code"], 0, "CheckTx")
        found = [wait_stored(net, raw) for raw in pair]
        if found[0][0] == found[1][0]:
            return found[0][0], [result for _, result in found]
        if again:
            again()
    raise AssertionError("twenty pairs fell apart")


def wait_stored(net, raw):
    """(height, result) of the block that holds these bytes. Of a block that killed the chain there is no result, and
    /tx does not know it."""
    end, hash_hex, height = time.monotonic() + PATIENCE_S, hash_of(raw), max(1, net.height() - 1)
    while time.monotonic() < end:
        found = net.found(hash_hex)
        if found:
            return int(found["height"]), found["tx_result"]
        if height <= net.height():
            if raw in block_txs(net, height):
                found = net.found(hash_hex)
                return height, found and found["tx_result"]
            height += 1
        time.sleep(AGAIN_S)
    raise AssertionError("the transaction stands in no block")


def block_txs(net, height):
    import base64
    return [base64.b64decode(tx) for tx in net.call(0, "block", height=str(height))["block"]["data"]["txs"]]


# --- the end of a chain ---

def is_dead(net, words, height, halted=False):
    """Block `height` is stored and not applied; everybody says why; RPC goes on; nobody comes back."""
    mark = "NEEDED" if halted else "CONSENSUS FAILURE!!!"
    poll(lambda: mark in net.log("chain"), "the chain process says why it stopped")
    has(net.log("chain"), words)
    for node in range(net.count):
        poll(lambda: net.height(node) == height, f"node {node} has the last block")
        poll(lambda: mark in net.log(node), f"node {node} says why it stopped")
        has(net.log(node), words)
        info = net.call(node, "abci_info")["response"]
        same(info["last_block_height"], str(height - 1), "what is applied")


def stays_dead(net, words, height):
    """By hand, one by one, and the whole."""
    for process in ("chain", 1):
        who = ("chain",) if process == "chain" else ("node", "1")
        if net.pid(process):
            net.hand(who[0], "kill", *who[1:])
        poll(lambda: not net.pid(process), f"{process} is gone")
        status, said = net.command(who[0], "start", *who[1:])
        same(status, 1, f"exit status of starting {process} ({said})")
        has(said, words)
        poll(lambda: not net.pid(process), f"{process} did not stay")
    assert fetch(f"{net.urls[0]}/health")[0] == 200, "RPC of the others goes on"
    same(net.height(), height, "height")
    net.stop()
    net.start(wait=False)
    same(net.supervisor.wait(PATIENCE_S), 1, f"exit status of the whole ({net.words()})")
    has(net.words(), words)
    same(net.pids(), {}, "who is left")
