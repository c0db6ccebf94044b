#!/usr/bin/env python3
"""Gossip between real processes over loopback.

    GOSSIP_NODE=build/dev/tests/gossip_node python3 tests/test_gossip_net.py [TEST...]

Limits of time are those of the issue; what they are measured at with 100 processes is in tests/bench/README.md.
"""
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from gossip_net import GOSSIP_NODE, Member, Network, free_ports, has_ipv6  # noqa: E402

COUNT = 8
MANY = 72  # more than GOSSIP_MESH
SPREAD_MS = 1000
LEVEL_S = 5
KNOWN_S = 120  # to get to know one another; nobody has promised how soon


class SocksProxy:
    """SOCKS5 without authentication, as RFC 1928 has it: CONNECT only. Notes whom it was asked for."""

    def __init__(self):
        self.asked, self.open = [], True
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self._accept, daemon=True)
        self.thread.start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    @staticmethod
    def _exactly(client, size):
        got = b""
        while len(got) < size:
            more = client.recv(size - len(got))
            if not more:
                raise OSError("closed")
            got += more
        return got

    def _serve(self, client):
        try:
            _, methods = self._exactly(client, 2)
            self._exactly(client, methods)
            client.sendall(b"\x05\x00")
            kind = self._exactly(client, 4)[3]
            size = {1: 4, 4: 16}.get(kind) or self._exactly(client, 1)[0]
            host = self._exactly(client, size)
            port, = struct.unpack(">H", self._exactly(client, 2))
            self.asked.append((socket.inet_ntoa(host) if kind == 1 else host.decode(), port))
            server = socket.create_connection(("127.0.0.1", port))
            client.sendall(b"\x05\x00\x00\x01" + bytes(6))
        except (OSError, KeyError, ValueError):
            client.close()
            return
        threading.Thread(target=self._pass_on, args=(server, client), daemon=True).start()
        self._pass_on(client, server)

    @staticmethod
    def _pass_on(source, target):
        try:
            while data := source.recv(65536):
                target.sendall(data)
        except OSError:
            pass
        for one in (source, target):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                one.close()

    def close(self):
        self.listener.close()


class Gossip(unittest.TestCase):
    def network(self, *arguments, **options):
        network = Network(*arguments, **options)
        self.addCleanup(network.__exit__)
        self.assertIsNotNone(network.wait_level(KNOWN_S), "all know one another")
        return network

    def check_spread(self, network, number, plan, among=None):
        spread = network.spread(number, plan, 10, among)
        self.assertNotIn(None, spread)
        self.assertLess(max(spread), SPREAD_MS)

    def wait_bound(self, members, wanted):
        """Until they have so many connections with others."""
        until = time.monotonic() + KNOWN_S
        while time.monotonic() < until:
            bound = [member.show()["bound"] for member in members.values()]
            if bound == wanted:
                return
            time.sleep(0.1)
        self.fail(f"connections {bound}")

    def test_news(self):
        """A changed record reaches all; two of eight cannot be dialled, one of them says it."""
        network = self.network(COUNT, hidden=(3, 7))
        for number in (0, 3, 5):
            self.check_spread(network, number, f"first-{number}")
        self.check_spread(network, 3, "second")
        self.assertIsNotNone(network.wait_level(LEVEL_S))

    def test_loss(self):
        """The same with a fifth of the frames lost."""
        network = self.network(COUNT, options=("--lose", 20))
        for number in range(4):
            self.check_spread(network, number, "through")
        self.assertIsNotNone(network.wait_level(LEVEL_S))

    def test_mesh(self):
        """Everybody who can be dialled is connected with everybody, once."""
        self.wait_bound(self.network(COUNT, hidden=(7,)).members, [COUNT - 1] * COUNT)

    def test_stopped(self):
        """One that stood still for a while is level soon after."""
        network = self.network(COUNT)
        stopped = network.members[4]
        others = [number for number in network.members if number != 4]
        stopped.signal(signal.SIGSTOP)
        for i in range(4):
            network.spread(i, f"meanwhile-{i}", 10, others)
        stopped.signal(signal.SIGCONT)
        self.assertIsNotNone(network.wait_level(LEVEL_S))

    def test_killed(self):
        """One that was killed comes back without its journal and is heard again, with a higher number."""
        network = self.network(COUNT)
        self.check_spread(network, 5, "before")
        killed = network.members[5]
        killed.signal(signal.SIGKILL)
        killed.close()
        self.check_spread(network, 1, "while-away", [n for n in network.members if n != 5])
        network.members[5] = Member(COUNT, 5, network.ports[5], [(0, network.ports[0])])
        self.assertIsNotNone(network.members[5].when(1, "while-away", LEVEL_S))
        spread = network.spread(5, "after", 10)
        self.assertNotIn(None, spread)
        self.assertEqual(network.members[5].show()["double"], 0)

    def test_seed_gone(self):
        """Without the seed the others go on, and it finds back to them."""
        network = self.network(COUNT)
        network.members.pop(0).close()
        self.check_spread(network, 2, "headless")
        network.members[0] = Member(COUNT, 0, network.ports[0])
        self.assertIsNotNone(network.members[0].when(2, "headless", 30))

    def test_proxy(self):
        """An agent behind a SOCKS proxy that nobody can dial takes part fully."""
        proxy = SocksProxy()
        self.addCleanup(proxy.close)
        network = self.network(4, absent=(3,))
        network.members[3] = Member(4, 3, None, [(0, network.ports[0])], ["--proxy", f"127.0.0.1:{proxy.port}"])
        self.assertIsNotNone(network.wait_level(20))
        self.check_spread(network, 3, "from-behind")
        self.check_spread(network, 1, "to-behind")
        self.assertTrue(set(proxy.asked) <= {("127.0.0.1", port) for port in network.ports})
        self.assertTrue(proxy.asked)

    def test_names(self):
        """A seed by its name; one whose name nobody knows does no harm."""
        ports = free_ports(2)
        first = Member(2, 0, ports[0])
        self.addCleanup(first.close)
        second = Member(2, 1, None, options=["--seed", f"0=tcp://no-such-host.invalid:{ports[1]}",
                                             "--seed", f"0=tcp://localhost:{ports[0]}"])
        self.addCleanup(second.close)
        first.say("by-name")
        self.assertIsNotNone(second.when(0, "by-name", 20))

    @unittest.skipUnless(has_ipv6(), "this machine has no ::1")
    def test_ipv6(self):
        """Listening and dialling over IPv6: a seed, and an endpoint that only a record tells of."""
        ports = free_ports(3, "::1")
        members = {number: Member(3, number, ports[number], [(0, ports[0])] if number else (), host="[::1]")
                   for number in range(3)}
        for member in members.values():
            self.addCleanup(member.close)
        members[1].say("by-six")
        self.assertIsNotNone(members[2].when(1, "by-six", KNOWN_S))
        self.assertIsNotNone(members[0].when(1, "by-six", KNOWN_S))
        self.wait_bound(members, [2, 2, 2])  # 1 and 2 know of each other by records only

    @unittest.skipUnless(has_ipv6(), "this machine has no ::1")
    def test_both_protocols(self):
        """One that listens for both, dialled by each."""
        port, = free_ports(1, "::")
        first = Member(3, 0, port, host="[::]")
        self.addCleanup(first.close)
        others = [Member(3, number, None, [(0, port)], host=host) for number, host in ((1, "127.0.0.1"), (2, "[::1]"))]
        for other in others:
            self.addCleanup(other.close)
        first.say("to-both")
        for other in others:
            self.assertIsNotNone(other.when(0, "to-both", KNOWN_S))
        others[0].say("from-four")
        self.assertIsNotNone(others[1].when(1, "from-four", KNOWN_S))
        self.assertEqual(first.show()["bound"], 2)

    def test_partial_view(self):
        """Too many for connections of everybody with everybody: each has some, and news reach all."""
        network = self.network(MANY, hidden=range(5, MANY, 5), options=("--neighbours", 64, "--strangers", 64))
        for number in (0, 5, MANY - 1):  # the seed, one that nobody can dial, and another
            self.assertNotIn(None, network.spread(number, "through-the-crowd", KNOWN_S))
        end = time.monotonic() + KNOWN_S
        bound = [0]
        while min(bound) < 8 and time.monotonic() < end:  # they go on dialling for a while
            bound = [member.show()["bound"] for member in network.members.values()]
        self.assertGreaterEqual(min(bound), 8)
        self.assertLess(sum(bound), MANY * (MANY - 1), "not everybody is connected with everybody")

    def test_refused(self):
        """What cannot be started says why."""
        taken = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(taken.close)
        port = taken.getsockname()[1]
        ended = subprocess.run([GOSSIP_NODE, "--members", "1", "--number", "0", "--listen", f"tcp://127.0.0.1:{port}"],
                               stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20, check=False)
        self.assertEqual(ended.returncode, 1)
        self.assertRegex(ended.stderr, re.escape(f"gossip listen tcp://127.0.0.1:{port}: Address already in use"))

    def test_two_at_once(self):
        """Two agents with the keys of one validator: it is void, and both know."""
        network = self.network(4)
        twin = Member(4, 2, None, [(0, network.ports[0])])
        self.addCleanup(twin.close)
        until = time.monotonic() + 20
        doubles = set()
        while time.monotonic() < until and not doubles & {1, 2}:
            doubles = {network.members[2].show()["double"], twin.show()["double"]}
        self.assertTrue(doubles & {1, 2})


if __name__ == "__main__":
    if not os.path.exists(GOSSIP_NODE):
        print("skipped: needs GOSSIP_NODE")
        sys.exit(77)
    unittest.main()
