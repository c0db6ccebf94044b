"""Where a fleet lives: in namespaces of its own where this machine permits them, so that nothing outlives the test and
links can be cut; otherwise on the loopback of everybody.

    own_world()                     # first thing in main(): starts the script again, inside
    with Place(hosts) as place:
        place.words(3, ["stagger", "run"])      # a command line that runs on host 3
        place.address(3)                        # by which the others reach it
        place.cut(3); place.join(3)             # its cable
        place.refuse(3); place.accept(3)        # connections to it and from it are reset
        place.mute(3); place.unmute(3)          # its own node's RPC is not to be reached

A process namespace ends everything in it when its first process dies, and that dies with the script that began it, also
by kill -9. Each host has a network namespace: its loopback, where its node listens, and a cable to a bridge.

           bridge 10.77.0.1 ---- eth0 10.77.1.N --DNAT--> 127.0.0.1:RPC   the node
                                      |                                      ^
                                      +---- gossip <---- the agent ----------+
"""
import os
import subprocess
import sys
from pathlib import Path

INSIDE = "FLEET_INSIDE"
WORLD = ["unshare", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
FIRST = ["sh", "-c", '"$@"; exit $?', "sh"]  # the first process: takes in orphans, and waits for its child
NET = "10.77"


def own_world():
    """Goes on in a world of its own if there can be one; says so when there cannot."""
    if os.environ.get(INSIDE):
        return
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    for words in (WORLD, [*WORLD, "--user", "--map-root-user"]):
        tried = subprocess.run([*words, "ip", "link", "set", "lo", "up"], stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, check=False) if may_try() else None
        if tried and tried.returncode == 0:
            os.environ[INSIDE] = "yes"
            sys.stdout.flush()
            os.execvp(words[0], [*words, *FIRST, sys.executable, "-B", *sys.argv])
    print("no namespaces of one's own here: loopback, and links are not cut", flush=True)


def may_try():
    return all(any(Path(folder, tool).exists() for folder in os.environ["PATH"].split(":"))
               for tool in ("unshare", "nsenter", "ip", "iptables")) and not os.environ.get("FLEET_LOOPBACK")


def run(*words):
    subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)


class Place:
    """Of so many hosts, with cables if they are wanted and can be had."""

    def __init__(self, count, cables):
        self.count, self.holders, self.cables = count, [], cables and bool(os.environ.get(INSIDE))

    def __enter__(self):
        if os.environ.get(INSIDE):
            run("ip", "link", "set", "lo", "up")
        try:
            if self.cables:
                self.lay()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for holder in self.holders:
            holder.kill()
            holder.wait()
        if self.cables:
            subprocess.run(["ip", "link", "del", "bridge"], stderr=subprocess.DEVNULL, check=False)

    def lay(self):
        run("ip", "link", "add", "bridge", "type", "bridge")
        run("ip", "addr", "add", f"{NET}.0.1/16", "dev", "bridge")
        run("ip", "link", "set", "bridge", "up")
        for host in range(self.count):
            self.lay_cable(host)

    def lay_cable(self, host):
        """The namespace lives as long as its holder, which says a line once it is there."""
        holder = subprocess.Popen(["unshare", "--net", "sh", "-c", "echo there; exec cat"], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE)
        self.holders.append(holder)
        holder.stdout.readline()
        run("ip", "link", "add", f"cable{host}", "type", "veth", "peer", "name", "eth0", "netns", str(holder.pid))
        run("ip", "link", "set", f"cable{host}", "master", "bridge", "up")
        self.inside(host, f"ip link set lo up; ip addr add {self.address(host)}/16 dev eth0; ip link set eth0 up; "
                          "echo 1 > /proc/sys/net/ipv4/conf/eth0/route_localnet")

    def expose(self, host, port):
        """A port of its loopback, for the others."""
        if self.cables:
            self.inside(host, f"iptables -t nat -A PREROUTING -i eth0 -p tcp --dport {port} -j DNAT "
                              f"--to-destination 127.0.0.1:{port}")

    def inside(self, host, script):
        run(*self.words(host, ["sh", "-ec", script]))

    # --- what is asked ---

    def words(self, host, words):
        if not self.cables:
            return list(words)
        return ["nsenter", f"--net=/proc/{self.holders[host].pid}/ns/net", "--", *words]

    def address(self, host):
        return f"{NET}.1.{host + 1}" if self.cables else "127.0.0.1"

    # --- what goes wrong ---

    def cut(self, host):
        run("ip", "link", "set", f"cable{host}", "down")

    def join(self, host):
        run("ip", "link", "set", f"cable{host}", "up")

    def rules(self, host, change, where, target):
        self.inside(host, "; ".join(f"iptables -{change} {chain} -p tcp {way} {where} -j {target}"
                                    for chain, way in (("INPUT", "-i"), ("OUTPUT", "-o"))))

    def refuse(self, host):
        self.rules(host, "I", "eth0", "REJECT --reject-with tcp-reset")

    def accept(self, host):
        self.rules(host, "D", "eth0", "REJECT --reject-with tcp-reset")

    def mute(self, host):
        self.rules(host, "I", "lo", "DROP")

    def unmute(self, host):
        self.rules(host, "D", "lo", "DROP")
