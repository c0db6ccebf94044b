"""Hostile ends of gossip's connections, made with a ZeroMQ client that is not ours (python3-zmq) and with bare sockets.

    attacker = Attacker(forger.curve(2), forger.curve(0)[1], port)     # (secret, public), the victim's public key
    attacker.send(forger.hello(2))
    attacker.outcome(HELLO)                                            # a frame, ENDED, or None: nothing in time
"""
import socket
import struct
import threading
import time

try:
    import zmq
    import zmq.utils.z85
    from zmq.utils.monitor import recv_monitor_message
except ImportError:
    zmq = None

VERSION, HELLO, RECORDS, DIGEST, LIST, WANT, PROOF, BYE = 1, 1, 2, 3, 4, 5, 6, 7
GREETING = b"\xff" + bytes(7) + b"\x01\x7f\x03\x01CURVE" + bytes(15) + bytes(32)
ASKS = 1  # flag of a HELLO: "I do not know you"
FRAME_MAX = 32768
WAIT_S = 60  # for what must come, on a machine that is busy with other things
ENDED = b"ended"
NO_LINGER = struct.pack("ii", 1, 0)


def frame(kind, body):
    return bytes([VERSION, kind]) + body


EMPTY_DIGEST = frame(DIGEST, bytes(512))


def set_curve(one, keys, server=None):
    """Keys of a client, or (server None) of a server."""
    secret, public = keys
    one.curve_secretkey, one.curve_publickey = zmq.utils.z85.encode(secret), zmq.utils.z85.encode(public)
    if server is None:
        one.curve_server = True
    else:
        one.curve_serverkey = zmq.utils.z85.encode(server)


class Attacker:
    """A DEALER of its own context."""

    def __init__(self, keys, server, port, hwm=1000, heartbeat_ms=0, options=()):
        self.context = zmq.Context()
        self.socket = self.context.socket(zmq.DEALER)
        self.monitor = self.socket.get_monitor_socket(
            zmq.EVENT_HANDSHAKE_SUCCEEDED | zmq.EVENT_HANDSHAKE_FAILED_AUTH | zmq.EVENT_DISCONNECTED
            | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL)
        for option, value in ((zmq.LINGER, 0), (zmq.SNDHWM, hwm), (zmq.RCVHWM, hwm), (zmq.RECONNECT_IVL, -1),
                              (zmq.HEARTBEAT_IVL, heartbeat_ms), (zmq.HEARTBEAT_TIMEOUT, 10_000),
                              (zmq.SNDTIMEO, 200), *options):
            self.socket.setsockopt(option, value)
        if keys:
            set_curve(self.socket, keys, server)
        self.ended = False
        self.socket.connect(f"tcp://127.0.0.1:{port}")

    def event(self, seconds=WAIT_S):
        """The next thing that happens to the connection, None when nothing does."""
        if not self.monitor.poll(1000 * seconds):
            return None
        event = recv_monitor_message(self.monitor)["event"]
        self.ended = self.ended or event != zmq.EVENT_HANDSHAKE_SUCCEEDED
        return event

    def ends(self, seconds=WAIT_S):
        until = time.monotonic() + seconds
        while not self.ended and time.monotonic() < until:
            self.event(1)
        return self.ended

    def send(self, *parts):
        """False when it cannot be sent: nobody reads, or nobody is there."""
        try:
            self.socket.send_multipart(parts)
            return True
        except zmq.Again:
            return False

    def outcome(self, kind, seconds=WAIT_S):
        """The next frame of a kind, or ENDED, or None when neither comes in time."""
        poller = zmq.Poller()
        poller.register(self.socket, zmq.POLLIN)
        poller.register(self.monitor, zmq.POLLIN)
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            ready = dict(poller.poll(1000))
            if self.socket in ready:
                got = self.socket.recv()
                if got[1] == kind:
                    return got
            elif self.monitor in ready:
                self.event(0)
            if self.ended:
                return ENDED
        return None

    def close(self):
        self.socket.disable_monitor()
        self.monitor.close(0)
        self.socket.close(0)
        self.context.destroy(0)


class Server:
    """A ROUTER that members dial, since it holds the seat of one of them."""

    def __init__(self, keys, port, hwm=1000):
        self.context = zmq.Context()
        self.socket = self.context.socket(zmq.ROUTER)
        for option, value in ((zmq.LINGER, 0), (zmq.SNDHWM, hwm), (zmq.RCVHWM, hwm), (zmq.ROUTER_MANDATORY, 1)):
            self.socket.setsockopt(option, value)
        set_curve(self.socket, keys)
        self.socket.bind(f"tcp://127.0.0.1:{port}")

    def receive(self, seconds=WAIT_S):
        """(who, frame), or None."""
        return self.socket.recv_multipart() if self.socket.poll(1000 * seconds) else None

    def send(self, who, *parts):
        """False when the connection is no more."""
        try:
            self.socket.send_multipart((who, *parts), zmq.DONTWAIT)
            return True
        except zmq.ZMQError:
            return False

    def close(self):
        self.socket.close(0)
        self.context.destroy(0)


class Relay:
    """Stands between an attacker and its victim. What it holds back arrives all at once, and the connection can be
    ended without a farewell."""

    def __init__(self, port):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port, self.target, self.held = self.listener.getsockname()[1], port, None
        self.lock, self.ends = threading.Lock(), []
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        client, _ = self.listener.accept()
        server = socket.create_connection(("127.0.0.1", self.target))
        self.ends = [client, server]
        threading.Thread(target=self._back, daemon=True).start()
        try:
            while data := client.recv(65536):
                with self.lock:
                    if self.held is None:
                        server.sendall(data)
                    else:
                        self.held += data
        except OSError:
            pass

    def _back(self):
        client, server = self.ends
        try:
            while data := server.recv(65536):
                client.sendall(data)
        except OSError:
            pass

    def hold(self):
        with self.lock:
            self.held = b""

    def release(self):
        """Lets go what was held; returns how many bytes that were."""
        with self.lock:
            data, self.held = self.held, None
            self.ends[1].sendall(data)
            return len(data)

    def reset(self):
        """Ends the victim's side as a machine does that knows nothing of the connection."""
        self.ends[1].setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
        self.ends[1].shutdown(socket.SHUT_RD)  # wakes who reads, so that nobody keeps the descriptor
        self.ends[1].close()

    def close(self):
        self.listener.close()
        for end in self.ends:
            end.close()


class Crowd:
    """Connections without ZeroMQ, of which the newest are kept open."""

    def __init__(self, port, held):
        self.port, self.held, self.open, self.made = port, held, [], 0

    def connect(self, address, greeting):
        """One more from this address of loopback; False when the kernel does not make it."""
        one = socket.socket()
        one.settimeout(WAIT_S)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)  # its port is free at once
        try:
            one.bind((address, 0))
            one.connect(("127.0.0.1", self.port))
            one.setblocking(False)
            one.send(greeting)
        except OSError:
            one.close()
            return False
        self.made += 1
        self.open.append(one)
        if len(self.open) > self.held:
            self.open.pop(0).close()
        return True

    def drip(self, byte):
        """Sends each a byte more; returns how many are still there."""
        alive = []
        for one in self.open:
            try:
                one.send(byte)
                ended = one.recv(64) == b""
            except BlockingIOError:
                ended = False
            except OSError:
                ended = True
            if ended:
                one.close()
            else:
                alive.append(one)
        self.open = alive
        return len(alive)

    def close(self):
        for one in self.open:
            one.close()
