"""Agents of serf on loopback, for gossip.py: serf's own profile for a LAN, with nothing encrypted and nothing signed,
which is cheaper than what stagger does.

News of an agent is a changed tag: the part of serf that is a state, as a record is, and reaches also who was away. It
is heard of in the line that an agent logs as soon as it knows; handlers and streams of serf's agent hear of it a second
later at the earliest, since they are told of many changes at once. The line is stamped when it is read here, some
milliseconds late at worst. Tags are set over a connection that is open already, so no process start is counted.
"""
import re
import selectors
import signal
import socket
import subprocess
import threading
import time

from gossip_net import free_ports

LINE = re.compile(rb"serf: EventMember(Join|Update): n(\d+)")
HERE = "127.0.0.1"


def packed(value):
    """MessagePack, as much of it as requests to an agent need."""
    if isinstance(value, str):
        text = value.encode()
        assert len(text) < 32
        return bytes([0xa0 | len(text)]) + text
    if isinstance(value, int):
        return b"\xce" + value.to_bytes(4, "big")
    assert len(value) < 16
    return bytes([0x80 | len(value)]) + b"".join(packed(part) for pair in value.items() for part in pair)


class Agent:
    def __init__(self, program, number, ports, seed_port):
        self.number, self.rpc_port, self.line = number, ports[1], None
        self.sequence, self.pending = 0, False
        self.joined, self.updates = set(), {}
        command = [program, "agent", f"-node=n{number}", f"-bind={HERE}:{ports[0]}", f"-rpc-addr={HERE}:{ports[1]}",
                   "-profile=lan", "-log-level=info", "-tag=plan=none"]
        command += [f"-retry-join={HERE}:{seed_port}", "-retry-interval=1s"] if seed_port else []
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT)
        self.rest = b""

    def read(self):
        """Lines that have come; False at the end."""
        part = self.process.stdout.read1(65536)
        at_ms = time.time() * 1000
        *lines, self.rest = (self.rest + part).split(b"\n")
        for line in lines:
            found = LINE.search(line)
            if found and found[1] == b"Join":
                self.joined.add(int(found[2]))
            elif found:
                self.updates.setdefault(int(found[2]), []).append(at_ms)
        return bool(part)

    def dial(self):
        until = time.monotonic() + 30
        while True:
            try:
                self.line = socket.create_connection((HERE, self.rpc_port), timeout=30)
                break
            except ConnectionError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.05)
        self.send("handshake", {"Version": 1})

    def send(self, command, body):
        if self.pending:
            self.answer()
        self.sequence, self.pending = self.sequence + 1, True
        self.line.sendall(packed({"Command": command, "Seq": self.sequence}) + packed(body))

    def answer(self):
        """Of the last request; setting a tag is answered when the agent has told enough others."""
        self.pending, said = False, b""
        while b"\xa5Error" not in said or said.endswith(b"\xa5Error"):
            part = self.line.recv(4096)
            assert part, f"agent {self.number} hangs up"
            said += part
        assert b"\xa5Error\xa0" in said, f"agent {self.number}: {said}"

    def plan(self, text):
        """Sets the tag; when, in ms."""
        if not self.line:
            self.dial()
        if self.pending:
            self.answer()
        said_ms = time.time() * 1000
        self.send("tags", {"Tags": {"plan": text}, "DeleteTags": {}})
        return said_ms

    def close(self, how=signal.SIGKILL):
        if self.line:
            self.line.close()
        self.process.send_signal(how)
        self.process.wait()


class SerfNetwork:
    """What gossip.py asks of a network, from agents of serf."""

    def __init__(self, program, count):
        self.program, self.count, self.ports = program, count, free_ports(2 * count)
        self.members, self.reader = {}, threading.Thread(target=self._read, daemon=True)
        self.selector, self.news, self.ending = selectors.DefaultSelector(), threading.Condition(), False

    def __enter__(self):
        for number in range(self.count):
            self.start(number)
        self.reader.start()
        return self

    def __exit__(self, *_):
        self.ending = True
        for member in self.members.values():
            member.close()
        if self.reader.is_alive():
            self.reader.join()
        for member in self.members.values():
            member.process.stdout.close()

    def start(self, number):
        seed = self.ports[0] if number else self.ports[2]
        ports = self.ports[2 * number:2 * number + 2]
        self.members[number] = Agent(self.program, number, ports, seed)
        self.selector.register(self.members[number].process.stdout, selectors.EVENT_READ, self.members[number])

    def restart(self, number):
        self.members[number].close()
        self.start(number)

    def _read(self):
        while not self.ending:
            ready = self.selector.select(timeout=0.2)
            with self.news:
                for key, _ in ready:
                    if not key.data.read():
                        self.selector.unregister(key.fileobj)
                self.news.notify_all()

    def wait_level(self, seconds):
        began = time.monotonic()
        with self.news:
            level = self.news.wait_for(lambda: all(len(one.joined) == self.count for one in self.members.values()),
                                       timeout=seconds)
        return time.monotonic() - began if level else None

    def say(self, number, plan):
        self.members[number].plan(plan)

    def spread(self, number, plan, seconds):
        """Milliseconds until each other agent knows that the tag has changed; None for who does not."""
        others = [member for member in self.members.values() if member.number != number]
        with self.news:
            for member in others:
                member.updates.pop(number, None)
        said_ms = self.members[number].plan(plan)
        with self.news:
            self.news.wait_for(lambda: all(number in member.updates for member in others), timeout=seconds)
            heard = [max(0, member.updates[number][0] - said_ms) if number in member.updates else None
                     for member in others]
        return heard
