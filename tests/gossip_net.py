"""Processes of gossip_node, for tests and measurements."""
import contextlib
import fcntl
import json
import os
import queue
import random
import socket
import struct
import subprocess
import termios
import threading
import time

GOSSIP_NODE = os.environ.get("GOSSIP_NODE", "")
ANSWER_S = 60
PIPE_BYTES = 65536


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as one:
            one.bind(("::1", 0))
        return True
    except OSError:
        return False


def free_ports(count, host="127.0.0.1"):
    """Ports that were free a moment ago, and below those that the kernel gives to who dials."""
    ports = []
    while len(ports) < count:
        port = random.randrange(10_000, 32_000)
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as one:
            try:
                one.bind((host, port))
            except OSError:
                continue
        if port not in ports:
            ports.append(port)
    return ports


class Member:
    """One process; what it hears is kept in `heard`, {number of a member: [(plan, ms)]}. The host is written as in an
    endpoint."""

    def __init__(self, members, number, port=None, seeds=(), options=(), host="127.0.0.1"):
        command = [GOSSIP_NODE, "--members", str(members), "--number", str(number), *map(str, options)]
        if port:
            command += ["--listen", f"tcp://{host}:{port}"]
        for seed, seed_port in seeds:
            command += ["--seed", f"{seed}=tcp://{host}:{seed_port}"]
        self.number, self.port = number, port
        self.heard, self.voids, self.answers = {}, {}, queue.Queue()
        self.reading = threading.Event()
        self.reading.set()
        self.news = threading.Condition()
        settings = os.environ.get("ASAN_OPTIONS", ""), "quarantine_size_mb=1:thread_local_quarantine_size_kb=64"
        environment = {**os.environ, "ASAN_OPTIONS": ":".join(filter(None, settings))}
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        env=environment)  # what is freed is to be free in such builds, too
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        self.answers.get(timeout=ANSWER_S)  # the first "said"

    def _read(self):
        for line in self.process.stdout:
            self.reading.wait()
            words = line.split()
            with self.news:
                if words[0] == "heard":
                    self.heard.setdefault(int(words[1]), []).append((words[2], int(words[3])))
                elif words[0] == "void":
                    self.voids[int(words[1])] = int(words[2])
                else:
                    self.answers.put(line)
                self.news.notify_all()

    def tell(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def ask(self, line):
        self.tell(line)
        return self.answers.get(timeout=ANSWER_S)

    @contextlib.contextmanager
    def stalled(self):
        """While its loop stands still: it writes more than a pipe takes, and nobody reads. Its other threads go on."""
        pending, questions = bytearray(4), 4000
        self.reading.clear()
        self.tell("\n".join(["level"] * questions))
        while struct.unpack("i", pending)[0] < PIPE_BYTES - 4096:
            time.sleep(0.01)
            fcntl.ioctl(self.process.stdout.fileno(), termios.FIONREAD, pending)
        try:
            yield
        finally:
            self.reading.set()
            for _ in range(questions):
                self.answers.get(timeout=ANSWER_S)

    def say(self, plan):
        """When the plan was said, in ms of the clock."""
        return int(self.ask(f"plan {plan}").split()[2])

    def show(self):
        return json.loads(self.ask("show"))

    def level(self):
        return self.ask("level")

    def when(self, number, plan, seconds):
        """When this plan of another was heard, in ms; None when it was not within so many seconds."""
        until = time.monotonic() + seconds
        with self.news:
            while True:
                for said, at_ms in self.heard.get(number, ()):
                    if said == plan:
                        return at_ms
                if not self.news.wait(timeout=max(0.0, until - time.monotonic())):
                    return None

    def when_void(self, number, seconds):
        with self.news:
            self.news.wait_for(lambda: number in self.voids, timeout=seconds)
            return self.voids.get(number)

    def status(self, name):
        """A line of /proc/PID/status, in KB."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as lines:
            return next(int(line.split()[1]) for line in lines if line.startswith(name + ":"))

    def memory_factor(self):
        """Twice its memory; but a sanitizer, known by terabytes of shadow, rounds up and keeps what is freed."""
        return 3 if self.status("VmSize") > 1 << 30 else 2

    def pss(self):
        with open(f"/proc/{self.process.pid}/smaps_rollup", encoding="ascii") as lines:
            return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))

    def cpu_s(self):
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as line:
            fields = line.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def signal(self, number):
        self.process.send_signal(number)

    def close(self):
        if self.process.poll() is None:
            self.process.stdin.close()
        try:
            status = self.process.wait(timeout=ANSWER_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = self.process.wait()
        self.reader.join()
        self.process.stdout.close()
        return status


class Network:
    """`count` members, the first the seed of all; those of `hidden` cannot be dialled. `absent` have no process."""

    def __init__(self, count, hidden=(), absent=(), options=(), seed_port=None):
        ports = free_ports(count)
        seeds = [(0, seed_port or ports[0])]
        self.ports, self.members = ports, {}
        for number in range(count):
            if number not in absent:
                self.members[number] = Member(count, number, None if number in hidden else ports[number],
                                              seeds if number > 0 else (), ["--random", count, *options])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        statuses = {number: member.close() for number, member in self.members.items()}
        assert not any(statuses.values()), f"members ended with a status: {statuses}"

    def wait_level(self, seconds, among=None):
        """How long it takes until all know the same, in seconds; None when it takes longer."""
        began = time.monotonic()
        among = list(self.members) if among is None else among
        while time.monotonic() - began < seconds:
            shown = [self.members[number].show()["known"] for number in among]
            if min(shown) >= len(among) and len({self.members[number].level() for number in among}) == 1:
                return time.monotonic() - began
            time.sleep(0.05)
        return None

    def spread(self, number, plan, seconds, among=None):
        """Milliseconds until each other member has heard the plan; None for who has not."""
        said_ms = self.members[number].say(plan)
        heard = []
        for other in (self.members if among is None else among):
            if other != number:
                at_ms = self.members[other].when(number, plan, seconds)
                heard.append(None if at_ms is None else max(0, at_ms - said_ms))
        return heard


class Forger:
    """Keys, greetings and records of any member, as hostile peers use them."""

    def __init__(self, members):
        self.process = subprocess.Popen([GOSSIP_NODE, "--members", str(members), "--forge"],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return bytes.fromhex(self.process.stdout.readline())

    def curve(self, number):
        """(secret, public)"""
        both = self.ask(f"curve {number}")
        return both[:32], both[32:]

    def hello(self, number):
        return self.ask(f"hello {number}")

    def record(self, number, sequence, plan):
        return self.ask(f"record {number} {sequence} {plan}")

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()
