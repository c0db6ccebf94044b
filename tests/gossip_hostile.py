#!/usr/bin/env python3
"""Hostile peers against gossip, from a ZeroMQ client that is not ours (python3-zmq).

    GOSSIP_NODE=build/dev/tests/gossip_node python3 tests/gossip_hostile.py [--attempts 100000] [TEST...]

A network some members of which are hostile and have no process of ours. Each test ends with what must be true whatever
came: every process lives, has stayed under twice its memory, still hears what the others say, and has heard of them
what they said and nothing else. --attempts (GOSSIP_ATTEMPTS) is how many connections the floods try; VERBOSE=1 tells
figures.
"""
import os
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from gossip_attack import (ASKS, BYE, DIGEST, EMPTY_DIGEST, ENDED, FRAME_MAX, GREETING, HELLO, LIST,  # noqa: E402
                           PROOF, RECORDS, VERSION, WAIT_S, WANT, Attacker, Crowd, Relay, Server, frame, zmq)
from gossip_net import Forger, GOSSIP_NODE, Network, free_ports  # noqa: E402

DEBIAN_PYTHON = "/usr/bin/python3"
if zmq is None and sys.executable != DEBIAN_PYTHON and os.path.exists(DEBIAN_PYTHON):  # python3-zmq is of this one
    os.execv(DEBIAN_PYTHON, [DEBIAN_PYTHON, "-B", *sys.argv])

HOSTILE = 2  # the first hostile member, unless a test has other numbers; above the members are nobody's keys
NOBODY = 2000
ATTEMPTS = int(os.environ.get("GOSSIP_ATTEMPTS", "10000"))
HELD = 800  # connections that an attacker keeps open
STRANGERS = 32
SLOW = 90
BINDING = 189  # bytes
FIELDS = 3 + BINDING + 8  # where the fields of a record begin


def flipped(data, place, mask):
    changed = bytearray(data)
    changed[place] ^= mask
    return bytes(changed)


def later():
    """A sequence number above all that are in use."""
    return int(time.time() * 1000) + 600_000


class Case(unittest.TestCase):
    COUNT, HONEST = 4, 2
    OPTIONS = ()

    def setUp(self):
        self.forger = Forger(self.COUNT)
        self.addCleanup(self.forger.close)
        self.network = Network(self.COUNT, absent=range(self.HONEST, self.COUNT), options=self.OPTIONS)
        self.addCleanup(self.network.__exit__)
        self.honest = [self.network.members[number] for number in range(self.HONEST)]
        self.victim, self.other = self.honest[:2]
        self.server = self.forger.curve(0)[1]
        self.said = {number: [] for number in range(self.HONEST)}
        self.attackers = []
        self.assertIsNotNone(self.network.wait_level(WAIT_S))
        for number in self.said:
            self.spread(number)
        self.before_kb = [member.show()["rss_kb"] for member in self.honest]

    def tearDown(self):
        for attacker in self.attackers:
            attacker.close()
        for number in self.said:
            self.spread(number)
        for member, before_kb in zip(self.honest, self.before_kb):
            shown = member.show()
            if os.environ.get("VERBOSE") and member == self.victim:
                print(f"{self._testMethodName}: {before_kb} KB, at most {shown['peak_kb']} KB", flush=True)
            self.assertLess(shown["peak_kb"], member.memory_factor() * before_kb, "memory")
            for number, plans in self.said.items():
                if number != member.number:
                    self.assertEqual([plan for plan, _ in member.heard[number]], plans)
            self.assertFalse([number for number in member.voids if number < self.HONEST])

    def spread(self, number):
        """An honest member says something new, and all others hear it."""
        plan = f"said-{len(self.said[number])}"
        self.said[number].append(plan)
        self.assertNotIn(None, self.network.spread(number, plan, WAIT_S))

    def attacker(self, number, server=None, **options):
        self.attackers.append(Attacker(self.forger.curve(number), server or self.server, self.victim.port, **options))
        return self.attackers[-1]

    def member(self, number=HOSTILE, victim=0, **options):
        """A hostile one that has greeted as the member it is."""
        server, port = self.forger.curve(victim)[1], self.honest[victim].port
        attacker = Attacker(self.forger.curve(number), server, port, **options)
        self.attackers.append(attacker)
        hello = self.forger.hello(number)
        until = time.monotonic() + WAIT_S
        while time.monotonic() < until:
            attacker.send(hello)
            answer = attacker.outcome(HELLO, 1)
            self.assertNotEqual(answer, ENDED)
            if answer and not answer[2] & ASKS:
                return attacker
        return self.fail(f"{number} is not known by its greeting")

    def wait_shown(self, name, least, seconds=WAIT_S):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if self.victim.show()[name] >= least:
                return True
            time.sleep(0.02)
        return False

    def level_with(self, attacker):
        """All that it sent has been read; ENDED when its connection was ended instead."""
        attacker.send(EMPTY_DIGEST)
        return attacker.outcome(LIST)

    def tell(self, attacker, frames):
        """Sends no faster than it is read: who sends more is cut off."""
        waiting = 0
        for one in frames:
            self.assertTrue(attacker.send(one))
            waiting += len(one)
            if waiting > 40_000:
                self.assertEqual(self.level_with(attacker)[1], LIST)
                waiting = 0


class Keys(Case):
    def test_wrong_server_key(self):
        """Who does not know our key does not get in."""
        attacker = self.attacker(HOSTILE, server=self.forger.curve(NOBODY)[1])
        self.assertNotIn(attacker.event(), (None, zmq.EVENT_HANDSHAKE_SUCCEEDED))

    def test_borrowed_key(self):
        """Nor who names a member's key without having it."""
        keys = self.forger.curve(HOSTILE)[0], self.forger.curve(1)[1]
        self.attackers.append(Attacker(keys, self.server, self.victim.port))
        self.assertNotIn(self.attackers[0].event(), (None, zmq.EVENT_HANDSHAKE_SUCCEEDED))

    def test_no_key(self):
        """Nor clients without CURVE."""
        for options in ((), ((zmq.PLAIN_USERNAME, b"agent"), (zmq.PLAIN_PASSWORD, b"agent"))):
            attacker = Attacker(None, None, self.victim.port, options=options)
            self.attackers.append(attacker)
            attacker.send(self.forger.hello(HOSTILE))
            self.assertNotIn(attacker.event(), (None, zmq.EVENT_HANDSHAKE_SUCCEEDED))

    def test_unbound_key(self):
        """A key of nobody's gets a connection, no answer but a greeting, and five seconds."""
        attacker = self.attacker(NOBODY)
        attacker.send(frame(RECORDS, self.forger.record(HOSTILE, 5, "smuggled")))
        self.assertEqual(attacker.outcome(HELLO)[1], HELLO)
        self.assertTrue(attacker.ends())
        self.assertEqual(self.victim.show()["plans"][HOSTILE], "")

    def test_stolen_binding(self):
        """Another's binding from one's own key is a lie, so the key is barred."""
        bad = self.victim.show()["bad"]
        attacker = self.attacker(NOBODY)
        attacker.send(self.forger.hello(1))
        self.assertTrue(attacker.ends())
        self.assertEqual(self.victim.show()["bad"], bad + 1)
        again = self.attacker(NOBODY)
        self.assertNotIn(again.event(), (None, zmq.EVENT_HANDSHAKE_SUCCEEDED), "barred for a minute")

    def test_chosen_routing_id(self):
        """A connection that names itself is not heard."""
        attacker = self.attacker(HOSTILE, options=((zmq.ROUTING_ID, b"peer-of-mine"),))
        attacker.send(self.forger.hello(HOSTILE))
        attacker.send(frame(RECORDS, self.forger.record(HOSTILE, 5, "smuggled")))
        self.assertNotEqual(attacker.outcome(HELLO, 2), HELLO)
        self.assertEqual(self.victim.show()["plans"][HOSTILE], "")

    def test_handshakes(self):
        """Complete handshakes with keys of nobody's, one for fifty attempts."""
        for i in range(max(200, ATTEMPTS // 50)):
            attacker = self.attacker(NOBODY + i)
            attacker.send(self.forger.hello(NOBODY + i))
            if len(self.attackers) > 40:
                self.attackers.pop(0).close()


class Forgeries(Case):
    """Members enough for each forgery to come from another one: they bar the key that sends them."""
    COUNT = 1000

    def test_records(self):
        """A record of another with any byte changed, in three ways each, changes nothing."""
        genuine = self.forger.record(1, later(), "taken-over")
        attacker, number, barred = None, self.HONEST, 0
        for place in range(len(genuine)):
            for mask in (1 << place % 8, 1 << (place + 3) % 8, 0xff):
                if attacker is None:
                    attacker, number = self.member(number), number + 1
                attacker.send(frame(RECORDS, flipped(genuine, place, mask)))
                outcome = self.level_with(attacker)
                self.assertIsNotNone(outcome, f"byte {place}")
                if outcome == ENDED:
                    self.attackers.pop().close()
                    attacker, barred = None, barred + 1
                elif place >= FIELDS:
                    self.fail(f"byte {place} ^ {mask}: the connection stands")
        if os.environ.get("VERBOSE"):
            print(f"{3 * len(genuine)} forgeries of {len(genuine)} bytes, {barred} barred their sender")

    def test_greetings(self):
        """No binding with a changed byte binds a connection."""
        begin = len(self.forger.hello(HOSTILE)) - BINDING
        for place in range(BINDING):
            number = self.HONEST + place
            attacker = self.attacker(number)
            attacker.send(flipped(self.forger.hello(number), begin + place, 1 << place % 8))
            attacker.send(frame(RECORDS, self.forger.record(HOSTILE, 5, "smuggled")))
            self.assertIsNotNone(attacker.outcome(HELLO), f"byte {place}")
        for attacker in self.attackers:
            self.assertTrue(attacker.ends())
        self.assertEqual(self.victim.show()["plans"][HOSTILE], "")

    def test_pieces(self):
        """Records that are cut, proofs that prove nothing."""
        first, second = (self.forger.record(1, later(), plan) for plan in ("first", "second"))
        mine, newer = (self.forger.record(HOSTILE, sequence, "mine") for sequence in (1000, 1001))
        bodies = [(RECORDS, first[:size]) for size in (0, 1, 2, 3, 60, 192, 200, len(first) - 1)]
        bodies += [(RECORDS, mine + first[:-1]), (PROOF, first), (PROOF, first + first), (PROOF, mine + newer),
                   (PROOF, mine + first), (PROOF, first + flipped(second, len(second) - 1, 1)),
                   (PROOF, first + second + mine)]
        for number, (kind, body) in enumerate(bodies, self.HONEST + 10):
            attacker = self.member(number)
            attacker.send(frame(kind, body))
            self.assertEqual(self.level_with(attacker), ENDED, f"{kind}: {len(body)} bytes")


class Records(Case):
    def test_replays(self):
        """Old versions and repetitions, one's own and another's, do nothing."""
        attacker = self.member()
        new = self.forger.record(3, 2000, "new")
        old = self.forger.record(3, 1000, "old")
        others = b"".join(self.forger.record(1, sequence, "long-ago") for sequence in range(1, 11))
        attacker.send(frame(RECORDS, new))
        self.assertIsNotNone(self.victim.when(3, "new", WAIT_S))
        shown = self.victim.show()
        self.tell(attacker, [frame(RECORDS, old + new + others)] * 100)
        self.assertTrue(self.wait_shown("old", shown["old"] + 1200))
        self.assertEqual(self.victim.show()["plans"][3], "new")
        self.assertIsNotNone(self.other.when(3, "new", WAIT_S))

    def test_changing_mind(self):
        """New versions without end: a few are taken, all others are let wait."""
        attacker = self.member()
        self.tell(attacker, (frame(RECORDS, self.forger.record(HOSTILE, 4000 + i, f"p{i}")) for i in range(350)))
        self.assertTrue(self.wait_shown("records_limited", 100))


class Contradictions(Case):
    COUNT, HONEST = 12, 8
    OPTIONS = ("--lose", 10)

    def check_void(self, number):
        for member in self.honest:
            self.assertIsNotNone(member.when_void(number, WAIT_S), f"member {member.number}")
        self.assertEqual(sorted({void for member in self.honest for void in member.voids}), [number])

    def test_two_versions(self):
        """Two records of one number, each told to one agent only: it is proven to all, and stays so."""
        number = self.HONEST
        both = [self.member(number, victim) for victim in (0, 7)]
        sent = [frame(RECORDS, self.forger.record(number, 3000, plan)) for plan in ("yes", "no")]
        until = time.monotonic() + WAIT_S
        while not self.honest[3].when_void(number, 0.2) and time.monotonic() < until:
            for attacker, text in zip(both, sent):
                attacker.send(text)  # one frame in ten is lost
        self.check_void(number)
        for _ in range(10):
            both[0].send(frame(RECORDS, self.forger.record(number, 3001, "sorry")))
        self.assertIsNotNone(self.level_with_loss(both[0]))
        self.assertEqual(self.victim.show()["plans"][number], "VOID")

    def test_proof(self):
        """A proof that one of the hostile sends about another."""
        number = self.HONEST + 1
        proof = b"".join(self.forger.record(number, 3000, plan) for plan in ("yes", "no"))
        attacker = self.member(self.HONEST + 2)
        until = time.monotonic() + WAIT_S
        while not self.honest[5].when_void(number, 0.2) and time.monotonic() < until:
            attacker.send(frame(PROOF, proof))
        self.check_void(number)

    def level_with_loss(self, attacker):
        until = time.monotonic() + WAIT_S
        while time.monotonic() < until:
            attacker.send(EMPTY_DIGEST)
            if attacker.outcome(LIST, 1):
                return True
        return None


class Frames(Case):
    def test_garbage(self):
        for number, bad in ((NOBODY, os.urandom(100)), (NOBODY + 1, b""), (NOBODY + 2, b"\x01"),
                            (HOSTILE, frame(LIST, b"x")), (3, frame(DIGEST, bytes(100)))):
            attacker = self.member(number) if number < self.COUNT else self.attacker(number)
            attacker.send(bad)
            if bad[:1] == bytes([VERSION]) or len(bad) < 2:
                self.assertTrue(attacker.ends(), f"{bad[:9]!r}")

    def test_long_frames(self):
        """A frame of 1 MB ends the connection before it is read."""
        before = self.victim.show()["bytes_in"]
        for number in (NOBODY, HOSTILE):
            for _ in range(20):
                attacker = self.attacker(number)
                attacker.send(self.forger.hello(number))
                attacker.send(frame(RECORDS, bytes(1 << 20)))
                self.assertTrue(attacker.ends())
                self.attackers.pop().close()
        self.assertLess(self.victim.show()["bytes_in"], before + (1 << 20))

    def test_longest_frame(self):
        """The longest frame that is read, and one byte more."""
        attacker = self.member(3)
        attacker.send(bytes([VERSION, 99]) + bytes(FRAME_MAX - 2))  # of a kind that nobody knows
        self.assertEqual(self.level_with(attacker)[1], LIST)
        attacker.send(bytes([VERSION, 99]) + bytes(FRAME_MAX - 1))
        self.assertEqual(self.level_with(attacker), ENDED)

    def test_endless_message(self):
        """The parts of a message that never ends: libzmq keeps them all, so the connection is ended."""
        for number in (NOBODY, HOSTILE):
            attacker = self.attacker(number, hwm=0)
            attacker.send(self.forger.hello(number))
            part = bytes(30_000)
            try:
                for _ in range(3000):  # 90 MB
                    attacker.socket.send(part, zmq.SNDMORE)
                attacker.socket.send(part)
            except zmq.Again:
                pass  # it was ended meanwhile
            self.assertTrue(attacker.ends())

    def test_many_parts(self):
        attacker = self.member()
        attacker.send(frame(BYE, b""), b"", b"")
        self.assertTrue(attacker.ends())

    def test_pings(self):
        """Pings among more frames than are read, and an end in the middle of them."""
        for i in range(20):
            attacker = self.attacker(HOSTILE + i % 2, heartbeat_ms=1)
            attacker.send(self.forger.hello(HOSTILE + i % 2))
            record = frame(RECORDS, self.forger.record(3, 2000, "flood"))
            for _ in range(3000):
                if not attacker.send(record):
                    break
            self.attackers.pop().close()

    def test_busy_member(self):
        """Who sends much, within the limits, keeps its connection."""
        attacker = self.member()
        self.tell(attacker, [bytes([VERSION, 99]) + bytes(6000)] * 300)
        self.assertEqual(self.level_with(attacker)[1], LIST)

    def test_flood_of_frames(self):
        """A member that sends as fast as it can: what exceeds its rate is thrown away, or its connection ended; others
        are heard."""
        attacker, cut = self.member(), 0
        record = frame(RECORDS, self.forger.record(3, 2000, "flood"))
        for i in range(20_000):
            if not attacker.send(record):
                attacker, cut = self.member(), cut + 1
            if i % 5000 == 0:
                self.spread(1)
        self.assertTrue(cut or self.wait_shown("limited", 1000))


class Stalls(Case):
    """While the loop of the victim is busy with something else."""

    def test_pings(self):
        """Frames and pings arrive together, and then the connection is no more. In libzmq a ping that is read from a
        queue which was full when its connection ended is the end of the process."""
        trickle = bytes([VERSION, 99])  # of a kind that nobody knows
        for number in range(HOSTILE, HOSTILE + 2):
            relay = Relay(self.victim.port)
            self.addCleanup(relay.close)
            attacker = Attacker(self.forger.curve(number), self.server, relay.port, heartbeat_ms=1)
            self.attackers.append(attacker)
            attacker.send(self.forger.hello(number))
            self.assertEqual(attacker.outcome(HELLO)[1], HELLO)
            with self.victim.stalled():
                relay.hold()
                for _ in range(30):
                    attacker.send(trickle)
                    time.sleep(0.004)  # a few pings
                self.assertGreater(relay.release(), 30 * 35 + 30 * 35)
                time.sleep(0.2)  # for the kernel and libzmq to take it
                relay.reset()
                time.sleep(0.2)
            self.spread(1)

    def test_floods(self):
        """What is sent meanwhile stays bounded."""
        attackers = [self.member(number, hwm=0) for number in (HOSTILE, HOSTILE + 1)]
        attackers += [self.attacker(NOBODY + i, hwm=0) for i in range(6)]
        for attacker in attackers[2:]:
            attacker.send(frame(BYE, b""))
            self.assertEqual(attacker.outcome(HELLO)[1], HELLO)
        with self.victim.stalled():
            flooding = attackers
            for _ in range(1000):  # 30 MB of each
                flooding = [attacker for attacker in flooding if attacker.send(frame(99, bytes(30_000)))]
            for attacker in attackers:
                self.assertTrue(attacker.ends())


class SlowReaders(Case):
    """More hostile members than an agent has connections for, with records of all to ask for."""
    COUNT = 120

    def test_readers(self):
        feeder, last = self.member(self.COUNT - 1), self.COUNT - 2
        plan = "of-sixty-four-bytes".ljust(64, "-")
        records = [self.forger.record(number, 3000, plan) for number in range(HOSTILE, last + 1)]
        self.tell(feeder, [frame(RECORDS, record) for record in records])
        self.assertIsNotNone(self.victim.when(last, plan, WAIT_S))
        wanted = b"".join(self.forger.hello(number)[39:59] for number in range(self.COUNT))
        before = self.victim.show()["bytes_out"]
        slow = [self.member(number, hwm=1, options=((zmq.RCVBUF, 4096),)) for number in range(HOSTILE, HOSTILE + SLOW)]
        for i in range(200):
            for attacker in slow:
                attacker.send(frame(WANT, wanted))
            self.victim.show()  # it has read them, or would end the connections
            if i % 50 == 0:
                self.spread(1)
        self.assertTrue(self.wait_shown("bytes_out", before + SLOW * 100_000))
        self.assertGreater(self.victim.show()["unsent"], 0)
        while slow[0].outcome(RECORDS, 2):  # one wakes up: it is served again
            self.assertFalse(slow[0].ended)
        slow[0].send(frame(WANT, wanted))
        self.assertEqual(slow[0].outcome(RECORDS)[1], RECORDS)


class Dialled(Case):
    """A hostile member that listens: all dial it."""

    def setUp(self):
        self.port, = free_ports(1)
        self.OPTIONS = ("--seed", f"{HOSTILE}=tcp://127.0.0.1:{self.port}")
        super().setUp()

    def serve(self, number=HOSTILE, **options):
        server = Server(self.forger.curve(number), self.port, **options)
        self.addCleanup(server.close)
        return server

    def greeted(self, server):
        """Who has dialled, after the greetings."""
        got = server.receive()
        self.assertEqual(got[1][1], HELLO)
        self.assertTrue(server.send(got[0], self.forger.hello(HOSTILE)))
        return got[0]

    def until_gone(self, server, who, *parts):
        """Sends until the connection is no more; what it was sent is heard in part at the most."""
        until = time.monotonic() + WAIT_S
        while time.monotonic() < until and server.send(who, *parts):
            server.receive(0.01)
        for member in self.honest:
            self.assertLess(member.show()["bytes_in"], 1 << 20)
        self.assertLess(time.monotonic(), until, "the connection stands")

    def test_other_key(self):
        """Who listens in another's place without its key hears nothing."""
        server = self.serve(NOBODY)
        self.assertTrue(self.wait_shown("dialled", self.victim.show()["dialled"] + 2))
        self.assertIsNone(server.receive(0))

    def test_forged_record(self):
        server = self.serve()
        forged = self.forger.record(1, later(), "taken-over")
        self.until_gone(server, self.greeted(server), frame(RECORDS, flipped(forged, len(forged) - 1, 1)))

    def test_long_frame(self):
        server = self.serve()
        self.until_gone(server, self.greeted(server), frame(RECORDS, bytes(1 << 20)))

    def test_endless_message(self):
        server = self.serve(hwm=0)
        self.until_gone(server, self.greeted(server), *[bytes(30_000)] * 3000)  # 90 MB

    def test_reads_nothing(self):
        """A server that asks for everything as fast as it can and reads nothing."""
        server = self.serve(hwm=1)
        who = self.greeted(server)
        wanted = b"".join(self.forger.hello(number)[39:59] for number in range(self.COUNT))
        for i in range(20_000):
            if not server.send(who, frame(WANT, wanted)):
                time.sleep(0.0001)
            if i % 5000 == 0:
                self.spread(1)


class Connections(Case):
    def flood(self, greeting, address):
        """Connections that say no more than a greeting, as many as were asked for; meanwhile gossip goes on."""
        crowd, began = Crowd(self.victim.port, HELD), time.monotonic()
        self.addCleanup(crowd.close)
        for i in range(ATTEMPTS):
            crowd.connect(address(i), greeting)
            if i % max(1, ATTEMPTS // 5) == 0:
                self.spread(1)
        seconds = time.monotonic() - began
        self.assertGreater(crowd.made, ATTEMPTS * 0.99)
        self.assertTrue(self.wait_shown("accepted", ATTEMPTS / 2))  # some are over before they are accepted
        self.assertLessEqual(self.victim.show()["strangers"], STRANGERS)
        if os.environ.get("VERBOSE"):
            print(f"{crowd.made} of {ATTEMPTS} attempts in {seconds:.1f} s, "
                  f"{self.victim.show()['accepted']} accepted")

    def test_of_one(self):
        self.flood(GREETING, lambda i: "127.0.0.2")

    def test_of_many(self):
        self.flood(GREETING, lambda i: f"127.{i // 60000 + 1}.{i // 240 % 250}.{i % 240 + 1}")

    def test_silent(self):
        """Who keeps still: nothing is sent, and the place goes to others."""
        crowd = Crowd(self.victim.port, HELD)
        self.addCleanup(crowd.close)
        for i in range(500):
            crowd.connect(f"127.3.{i // 240}.{i % 240 + 1}", b"")
        late = self.member()
        late.send(frame(RECORDS, self.forger.record(HOSTILE, 7000, "got-in")))
        self.assertIsNotNone(self.victim.when(HOSTILE, "got-in", WAIT_S))

    def test_dripping(self):
        """Who sends a greeting byte by byte, and never an end of it."""
        crowd = Crowd(self.victim.port, HELD)
        self.addCleanup(crowd.close)
        for i in range(20):
            self.assertTrue(crowd.connect(f"127.4.0.{i + 1}", b""))
        for i in range(len(GREETING)):
            if crowd.drip(GREETING[i:i + 1]) == 0:
                return
            time.sleep(0.5)  # twenty times slower than anybody is
        self.fail(f"{len(crowd.open)} are still waited for")


def main():
    global ATTEMPTS
    if zmq is None or not GOSSIP_NODE or not zmq.has("curve"):
        print("skipped: needs python3-zmq with CURVE, and GOSSIP_NODE")
        sys.exit(77)
    if "--attempts" in sys.argv:
        at = sys.argv.index("--attempts")
        ATTEMPTS = int(sys.argv[at + 1])
        del sys.argv[at:at + 2]
    unittest.main()


if __name__ == "__main__":
    main()
