#!/usr/bin/env python3
"""The network of real nodes makes blocks, is asked like a devnet, and nothing of it outlives its script.

    STAGGER=build/dev/stagger python3 tests/real/network_test.py
"""
import json
import signal
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
from network import RealNet  # noqa: E402
from net import STAGGER, need_stagger, poll  # noqa: E402
from peers import peer  # noqa: E402


def naming(folder):
    """Processes whose command line names the folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if f"{folder}/".encode() in words:
            found.append(entry.name)
    return found


class NetworkTest(unittest.TestCase):
    def transact(self, net, what, power):
        """With the key that stands in the folder."""
        done = subprocess.run([STAGGER, "tx", what, "--config", str(net.dir / "agents" / "3.conf"), "--wait"],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout)
        poll(lambda: net.power(3) == power, f"after its {what} validator 3 has the power {power}")

    def test_shape(self):
        """What stands in the folder is true, and stagger takes its keys."""
        with RealNet("kira", 4, "--block-time", "500ms", "--min-validators", "3") as net:
            public = json.loads((net.dir / "devnet.json").read_text())
            self.assertEqual([entry["rpc"] for entry in public["validators"]], net.urls)
            net.wait_height(3)
            for number, entry in enumerate(public["validators"]):
                own = net.call(number, "status")["validator_info"]
                self.assertEqual((own["address"], own["voting_power"]), (entry["address"], "1"))
                self.assertEqual(entry["node_pid"], net.pid(number))
            self.assertEqual(set(net.members(3)), {entry["address"] for entry in public["validators"]})
            self.transact(net, "pause", "0")
            self.transact(net, "unpause", "1")
            net.stop_node(3)
            self.assertIsNone(net.answers(3))
            net.next_blocks(2)
            net.start_node(3)
            net.wait_height(net.height(0), 3)
            folder = net.home
        self.assertEqual(naming(folder), [])
        self.assertFalse(folder.exists())

    def check_end(self, how, is_removed):
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder, "net")
            with subprocess.Popen([sys.executable, "-B", str(HERE / "network.py"), "--validators", "2", "--dir",
                                   str(place)], stdout=subprocess.PIPE, text=True) as script:
                try:
                    poll(lambda: "Ctrl-C" in script.stdout.readline(), "the network is up")
                    self.assertEqual(len(naming(place)), 2)
                finally:
                    script.send_signal(how)
                script.wait(30)
            poll(lambda: not naming(place), "all of it has ended")
            self.assertEqual(place.exists(), not is_removed)

    def test_interrupted(self):
        self.check_end(signal.SIGINT, True)

    def test_terminated(self):
        self.check_end(signal.SIGTERM, True)

    def test_killed(self):
        """Then nobody is left to remove the folder."""
        self.check_end(signal.SIGKILL, False)


if __name__ == "__main__":
    need_stagger()
    peer("sekaid")
    unittest.main()
