#!/usr/bin/env python3
"""Hostile peers against gossip, from a ZeroMQ client that is not ours (python3-zmq).

    GOSSIP_NODE=build/dev/tests/gossip_node python3 tests/gossip_hostile.py [--attempts 100000] [TEST...]

A network of four members, two of which (2 and 3) are hostile and have no process of ours. Each test ends with what must
be true whatever came: the process lives, has stayed under twice its memory, and what others said stands as they said it.
"""
import os
import socket
import struct
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from gossip_net import Forger, GOSSIP_NODE, Network  # noqa: E402

DEBIAN_PYTHON = "/usr/bin/python3"
try:
    import zmq
    import zmq.utils.z85
except ImportError:
    zmq = None
    if sys.executable != DEBIAN_PYTHON and os.path.exists(DEBIAN_PYTHON):  # python3-zmq is of this one
        os.execv(DEBIAN_PYTHON, [DEBIAN_PYTHON, "-B", *sys.argv])

MEMBERS = 4
HOSTILE = 2  # and 3; numbers from 100 on are nobody's
VERSION, HELLO, RECORDS, DIGEST, LIST, WANT, PROOF, BYE = 1, 1, 2, 3, 4, 5, 6, 7
GREETING = b"\xff" + bytes(7) + b"\x01\x7f\x03\x01CURVE" + bytes(15) + bytes(32)
FRAME_MAX = 32768
ATTEMPTS = 10_000
HELD = 800  # connections that an attacker keeps open


def frame(kind, body):
    return bytes([VERSION, kind]) + body


class Attacker:
    """A DEALER of its own context."""

    def __init__(self, keys, server, port, hwm=1000, heartbeat_ms=0):
        self.context = zmq.Context()
        self.socket = self.context.socket(zmq.DEALER)
        self.monitor = self.socket.get_monitor_socket(
            zmq.EVENT_HANDSHAKE_SUCCEEDED | zmq.EVENT_HANDSHAKE_FAILED_AUTH | zmq.EVENT_DISCONNECTED
            | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL)
        secret, public = keys
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.setsockopt(zmq.SNDHWM, hwm)
        self.socket.setsockopt(zmq.RCVHWM, hwm)
        self.socket.setsockopt(zmq.RECONNECT_IVL, -1)
        self.socket.setsockopt(zmq.HEARTBEAT_IVL, heartbeat_ms)
        self.socket.setsockopt(zmq.HEARTBEAT_TIMEOUT, 10_000)
        self.socket.setsockopt(zmq.SNDTIMEO, 200)
        self.socket.curve_secretkey = zmq.utils.z85.encode(secret)
        self.socket.curve_publickey = zmq.utils.z85.encode(public)
        self.socket.curve_serverkey = zmq.utils.z85.encode(server)
        self.socket.connect(f"tcp://127.0.0.1:{port}")

    def event(self, seconds=10):
        """The next thing that happens to the connection, None when nothing does."""
        from zmq.utils.monitor import recv_monitor_message
        return recv_monitor_message(self.monitor)["event"] if self.monitor.poll(1000 * seconds) else None

    def ends(self, seconds=10):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if self.event(1) in (zmq.EVENT_DISCONNECTED, zmq.EVENT_HANDSHAKE_FAILED_AUTH,
                                 zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL):
                return True
        return False

    def send(self, *parts):
        """False when it cannot be sent: nobody reads, or nobody is there."""
        try:
            self.socket.send_multipart(parts)
            return True
        except zmq.Again:
            return False

    def receive(self, kind, seconds=5):
        """The next frame of a kind."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if self.socket.poll(100):
                got = self.socket.recv()
                if got[1] == kind:
                    return got
        return None

    def close(self):
        self.socket.disable_monitor()
        self.monitor.close(0)
        self.socket.close(0)
        self.context.destroy(0)


class Hostile(unittest.TestCase):
    def setUp(self):
        self.forger = Forger(MEMBERS)
        self.addCleanup(self.forger.close)
        self.network = Network(MEMBERS, absent=(2, 3))
        self.addCleanup(self.network.__exit__)
        self.victim, self.other = self.network.members[0], self.network.members[1]
        self.server = self.forger.curve(0)[1]
        self.assertIsNotNone(self.network.wait_level(15))
        self.assertNotIn(None, self.network.spread(1, "steady", 10))
        self.assertNotIn(None, self.network.spread(0, "calm", 10))
        self.before_kb = self.victim.show()["rss_kb"]
        self.attackers = []

    def tearDown(self):
        shown = self.victim.show()
        if os.environ.get("VERBOSE"):
            print(f"{self._testMethodName}: {self.before_kb} KB, at most {shown['peak_kb']} KB")
        self.assertLess(shown["peak_kb"], 2 * self.before_kb, "memory")
        self.assertEqual(shown["plans"][:2], ["calm", "steady"])
        self.assertEqual(self.other.show()["plans"][:2], ["calm", "steady"])
        for attacker in self.attackers:
            attacker.close()
        self.assertNotIn(None, self.network.spread(1, "after", 10), "gossip goes on")

    def attacker(self, number, server=None, **options):
        self.attackers.append(Attacker(self.forger.curve(number), server or self.server,
                                       self.victim.port, **options))
        return self.attackers[-1]

    def member(self, number=HOSTILE, **options):
        """A hostile one that has greeted as the member it is."""
        attacker = self.attacker(number, **options)
        attacker.send(self.forger.hello(number))
        self.assertIsNotNone(attacker.receive(HELLO))
        return attacker

    def wait_shown(self, name, least, seconds=10):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if self.victim.show()[name] >= least:
                return True
            time.sleep(0.02)
        return False

    # --- keys ---

    def test_wrong_server_key(self):
        """Who does not know our key does not get in."""
        attacker = self.attacker(HOSTILE, server=self.forger.curve(100)[1])
        self.assertNotEqual(attacker.event(), zmq.EVENT_HANDSHAKE_SUCCEEDED)

    def test_plain_client(self):
        context = zmq.Context()
        dealer = context.socket(zmq.DEALER)
        dealer.setsockopt(zmq.LINGER, 0)
        dealer.connect(f"tcp://127.0.0.1:{self.victim.port}")
        dealer.send(self.forger.hello(HOSTILE))
        self.assertFalse(dealer.poll(1000))
        context.destroy(0)

    def test_unbound_key(self):
        """A key of nobody's gets a connection, no answer but a greeting, and five seconds."""
        attacker = self.attacker(100)
        shown = self.victim.show()
        attacker.send(frame(RECORDS, self.forger.record(HOSTILE, 5, "smuggled")))
        self.assertTrue(self.wait_shown("frames_in", shown["frames_in"] + 1))
        self.assertEqual(self.victim.show()["plans"][HOSTILE], "")
        self.assertTrue(attacker.ends(15))

    def test_stolen_binding(self):
        """Another's binding from one's own key is a lie, so the key is barred."""
        attacker = self.attacker(100)
        attacker.send(self.forger.hello(1))
        self.assertTrue(attacker.ends())
        again = self.attacker(100)
        self.assertTrue(again.ends(), "barred for a minute")

    # --- records ---

    def test_forged_records(self):
        """A record of another with any byte changed, or signed by somebody else, changes nothing."""
        genuine = self.forger.record(1, int(time.time() * 1000) + 60_000, "taken-over")
        self.assertEqual(len(genuine), len(self.forger.record(1, int(time.time() * 1000) + 60_000, "taken-over")))
        for place in (len(genuine) - 1, len(genuine) - 60, 230):
            attacker = self.member(HOSTILE + place % 2)
            forged = bytearray(genuine)
            forged[place] ^= 1
            attacker.send(frame(RECORDS, bytes(forged)))
            if not attacker.ends(5):
                self.fail(f"byte {place}: the connection stands")
            if place % 2 == 1:
                break
        self.assertEqual(self.victim.show()["plans"][1], "steady")

    def test_replayed_records(self):
        """Old versions and repetitions of a record do nothing."""
        attacker = self.member()
        new = self.forger.record(3, 2000, "new")
        old = self.forger.record(3, 1000, "old")
        attacker.send(frame(RECORDS, new))
        self.assertIsNotNone(self.victim.when(3, "new", 10))
        shown = self.victim.show()
        for _ in range(100):
            attacker.send(frame(RECORDS, old + new))
        self.assertTrue(self.wait_shown("old", shown["old"] + 200))
        self.assertEqual(self.victim.show()["plans"][3], "new")
        self.assertIsNotNone(self.other.when(3, "new", 10))

    def test_contradiction(self):
        """Two records of one number, told to two agents: all learn of it."""
        first = self.member()
        second = Attacker(self.forger.curve(HOSTILE), self.forger.curve(1)[1], self.other.port)
        self.attackers.append(second)
        second.send(self.forger.hello(HOSTILE))
        first.send(frame(RECORDS, self.forger.record(HOSTILE, 3000, "yes")))
        second.send(frame(RECORDS, self.forger.record(HOSTILE, 3000, "no")))
        self.assertIsNotNone(self.victim.when_void(HOSTILE, 15))
        self.assertIsNotNone(self.other.when_void(HOSTILE, 15))
        self.assertEqual(self.other.show()["plans"][HOSTILE], "VOID")

    def test_changing_mind(self):
        """New versions without end: a few are taken, all others are let wait."""
        attacker = self.member()
        for i in range(500):
            attacker.send(frame(RECORDS, self.forger.record(HOSTILE, 4000 + i, f"p{i}")))
        self.assertTrue(self.wait_shown("records_limited", 100))

    # --- frames ---

    def test_garbage(self):
        for number, bad in ((100, os.urandom(100)), (101, b""), (102, b"\x01"), (HOSTILE, frame(LIST, b"x")),
                            (3, frame(DIGEST, bytes(100)))):
            attacker = self.member(number) if number < MEMBERS else self.attacker(number)
            attacker.send(bad)
            if bad[:1] == bytes([VERSION]) or len(bad) < 2:
                self.assertTrue(attacker.ends(), f"{bad[:9]!r}")

    def test_long_frames(self):
        """A frame of 1 MB ends the connection before it is read."""
        for number in (100, HOSTILE):
            attacker = self.attacker(number)
            attacker.send(self.forger.hello(number))
            attacker.send(frame(RECORDS, bytes(1 << 20)))
            self.assertTrue(attacker.ends())

    def test_endless_message(self):
        """The parts of a message that never ends: libzmq keeps them all, so the connection is ended."""
        for number in (100, HOSTILE):
            attacker = self.attacker(number, hwm=0)
            attacker.send(self.forger.hello(number))
            part = bytes(30_000)
            for _ in range(3000):  # 90 MB
                attacker.socket.send(part, zmq.SNDMORE)
            attacker.socket.send(part)
            self.assertTrue(attacker.ends(30))

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
        self.assertNotIn(None, self.network.spread(1, "steady", 10))

    def test_many_parts(self):
        attacker = self.member()
        attacker.send(frame(BYE, b""), b"", b"")
        self.assertTrue(attacker.ends())

    def test_flood_of_frames(self):
        """A member that sends as fast as it can: what exceeds its rate is thrown away, others are heard."""
        attacker = self.member()
        record = frame(RECORDS, self.forger.record(3, 2000, "flood"))
        for _ in range(20_000):
            attacker.send(record)
        self.assertNotIn(None, self.network.spread(1, "steady", 10))
        self.assertTrue(self.wait_shown("limited", 1000, 20))

    def test_chosen_routing_id(self):
        """A connection that names itself is not heard."""
        context = zmq.Context()
        dealer = context.socket(zmq.DEALER)
        dealer.setsockopt(zmq.LINGER, 0)
        dealer.setsockopt(zmq.ROUTING_ID, b"peer-of-mine")
        secret, public = self.forger.curve(HOSTILE)
        dealer.curve_secretkey, dealer.curve_publickey = map(zmq.utils.z85.encode, (secret, public))
        dealer.curve_serverkey = zmq.utils.z85.encode(self.server)
        dealer.connect(f"tcp://127.0.0.1:{self.victim.port}")
        dealer.send(self.forger.hello(HOSTILE))
        self.assertFalse(dealer.poll(1000))
        context.destroy(0)

    def test_slow_reader(self):
        """Members that ask for all and read nothing."""
        addresses = b"".join(self.forger.hello(number)[39:59] for number in range(MEMBERS))
        for number in (HOSTILE, 3):
            attacker = self.attacker(number, hwm=1)
            attacker.send(self.forger.hello(number))
            for _ in range(3000):
                attacker.send(frame(WANT, addresses))
        self.assertNotIn(None, self.network.spread(1, "steady", 10))

    # --- connections ---

    def flood(self, count, greeting, address):
        held = []
        for i in range(count):
            one = socket.socket()
            one.settimeout(5)
            try:
                one.bind((address(i), 0))
                one.connect(("127.0.0.1", self.victim.port))
                one.setblocking(False)
                one.send(greeting)
                held.append(one)
            except OSError:
                one.close()
            if len(held) > HELD:
                held.pop(0).close()
        return held

    def check_flood(self, count, greeting, address):
        held = self.flood(count, greeting, address)
        self.addCleanup(lambda: [one.close() for one in held])
        self.assertNotIn(None, self.network.spread(1, "steady", 10))
        shown = self.victim.show()
        self.assertLessEqual(shown["strangers"], 32)

    def test_connections_of_one(self):
        self.check_flood(ATTEMPTS, GREETING, lambda i: "127.0.0.2")

    def test_connections_of_many(self):
        self.check_flood(ATTEMPTS, GREETING, lambda i: f"127.{i // 60000 + 1}.{i // 240 % 250}.{i % 240 + 1}")

    def test_silent_connections(self):
        """Who keeps still: nothing is sent, and the place goes to others."""
        held = self.flood(500, b"", lambda i: f"127.3.{i // 240}.{i % 240 + 1}")
        late = self.member()
        late.send(frame(RECORDS, self.forger.record(HOSTILE, 7000, "got-in")))
        self.assertIsNotNone(self.victim.when(HOSTILE, "got-in", 10))
        for one in held:
            one.close()

    def test_handshakes(self):
        """Complete handshakes with keys of nobody's."""
        for i in range(200):
            attacker = Attacker(self.forger.curve(200 + i), self.server, self.victim.port)
            attacker.send(self.forger.hello(200 + i))
            self.attackers.append(attacker)
            if len(self.attackers) > 40:
                self.attackers.pop(0).close()


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
