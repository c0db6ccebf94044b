"""Checks the model of the draw with spin: every property holds in every world, every broken variant is rejected.

    python3 tests/model/check.py            everything, about a minute
    python3 tests/model/check.py NAME...    only the worlds, broken variants and limits of these names

One line a run: what was run, the states that spin saw, the verdict. A line that starts with FAIL is followed by the
commands that repeat it and show how it comes about. Exit status: 0 all as it should be, 1 not, 77 skipped, as spin is
missing; where CI is set that is a failure too.
"""
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
MODEL = HERE / "draw.pml"
COMPILE = "gcc -w -O2 -DSAFETY -DMEMLIM=1900 -o pan pan.c"
RUN = "./pan -m20000 -w22"
RUN_S = 240

# The numbers of a world; see the head of draw.pml.
PLAIN = {"N": 7, "W": 3, "L": 6, "R": 0, "PHI_NUM": 2, "PHI_DEN": 3}
WORLDS = {
    "plain": PLAIN,
    "round-within-epoch": {**PLAIN, "L": 7},
    "reserve": {**PLAIN, "R": 1},
    "short-epochs": {**PLAIN, "N": 5, "W": 2, "L": 4, "PHI_NUM": 1, "PHI_DEN": 2},
    "long-epochs": {**PLAIN, "N": 5, "W": 4, "L": 8, "PHI_NUM": 1, "PHI_DEN": 2},
    # the charter's bounds for phi let the first term always decide; here the second does
    "low-floor": {**PLAIN, "N": 4, "PHI_NUM": 1, "PHI_DEN": 4},
}

# A variant: the world it is run in, and the properties that it has to break, each checked alone.
BROKEN = {
    "NO_TIMEOUT": ("plain", ["FLOOR", "IN_FLIGHT", "EPOCH", "ONE_PAUSE"]),
    "TIMEOUT_LATE": ("plain", ["FLOOR", "IN_FLIGHT", "EPOCH"]),
    "GONE_IGNORED": ("plain", ["FLOOR"]),
    "SET_OF_E": ("plain", ["FLOOR"]),
    "RESULTS_OF_E": ("plain", ["SAME"]),
    "BUDGET": ("plain", ["FLOOR"]),
    "FOREIGN_IGNORED": ("plain", ["FLOOR"]),
    "NO_THIRDS": ("low-floor", ["THIRDS"]),
    "RATCHET": ("plain", ["FLOOR"]),
    "RESERVE_IGNORED": ("reserve", ["FLOOR"]),
    "NOT_USED_UP": ("plain", ["ONE_TURN"]),
    "USED_UP_UNSERVED": ("plain", ["STAYS"]),
    "NOT_SPENT": ("plain", ["ONE_PAUSE"]),
}

# A limit: its world, what it costs, and what holds all the same.
LIMITS = {
    "COPIES": ("long-epochs", ["ONE_PAUSE"], ["FLOOR"]),
    "UNSEEN_LOSSES": ("reserve", ["FLOOR"], []),
    "LOWER_FLOOR": ("plain", ["FLOOR"], []),
}


class Outcome:
    """What one run of spin came to."""

    def __init__(self, text, properties):
        states = re.search(r"(\d+) states, stored", text)
        self.states = int(states[1]) if states else 0
        errors = re.search(r"errors: (\d+)", text)
        broken = re.search(r"assertion violated \(+\d+!=0\)&&\(\d+!=(\d+)\)", text)
        self.broken = next((name for name, number in properties.items() if broken and int(broken[1]) == number), None)
        self.complete = bool(errors) and errors[1] == "0" and not re.search(
            r"not completed|max search depth too small|reached -DMEMLIM|out of memory", text)
        self.text = text
        self.unreached = set(re.findall(r"^\t\S*?([\w.]+:\d+), state \d+, (\".*\")", text, re.M))

    def verdict(self):
        if self.complete:
            return "holds"
        return f"breaks {self.broken}" if self.broken else "no verdict"


class Checker:
    def __init__(self):
        text = MODEL.read_text(encoding="utf-8")
        listed = text[text.index("/* Properties;"):text.index("#ifndef ONLY")]
        self.properties = {name: int(number) for name, number in re.findall(r"#define (\w+) (\d+) ", listed)}
        variants = (HERE / "broken.pml").read_text(encoding="utf-8")
        self.variants = set(re.findall(r"defined\((\w+)\)", variants))
        self.failures = 0
        self.states = 0

    def spin(self, world, defines):
        """(Outcome, the commands that repeat it)"""
        values = [f"-D{key}={value}" for key, value in WORLDS[world].items()] + [f"-D{name}" for name in defines]
        generate = ["spin", *values, "-a", str(MODEL)]
        with tempfile.TemporaryDirectory() as place:
            text = ""
            for command in (generate, COMPILE.split(), RUN.split()):
                try:
                    done = subprocess.run(command, cwd=place, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                          text=True, timeout=RUN_S, check=False)
                except subprocess.TimeoutExpired:
                    text += f"{command[0]} took longer than {RUN_S} s: not completed\n"
                    break
                text += done.stdout
                if done.returncode and command[0] != "./pan":
                    break
        trail = " ".join(["spin", "-k", "draw.pml.trail", "-p", "-g", *values, str(MODEL)])
        return Outcome(text, self.properties), [" ".join(generate), f"{COMPILE} && {RUN}", trail]

    def say(self, title, states, verdict, fine, commands=(), text=""):
        print(f"{'ok  ' if fine else 'FAIL'} {title:44} {states:>10,} states  {verdict}", flush=True)
        self.states += states
        if not fine:
            self.failures += 1
            told = [line for line in text.splitlines() if line.strip() and not line.startswith("Depth=")]
            print("".join(f"     {line}\n" for line in told[:6]), end="")
            print("".join(f"     {command}\n" for command in commands), end="")

    def run(self, title, world, defines, wanted):
        out, commands = self.spin(world, defines)
        fine = out.verdict() == wanted
        verdict = out.verdict() if fine else f"{out.verdict()}, where it {wanted} was expected"
        self.say(title, out.states, verdict, fine, commands, out.text)
        return out

    def worlds(self, names):
        """All properties at once. Nobody believes a model in which something cannot happen: what no world reaches
        is a failure too."""
        unreached = [self.run(name, name, [], "holds").unreached for name in names]
        never = set.intersection(*unreached) if len(names) == len(WORLDS) else set()
        for where, statement in sorted(never):
            self.say(where, 0, f"reached in no world: {statement}", False)

    def variant(self, name, world, breaks, holds):
        for properties, wanted in ((breaks, "breaks {}"), (holds, "holds")):
            for one in properties:
                self.run(f"{name} {one}", world, [name, f"ONLY={one}"], wanted.format(one))

    def lists(self):
        """Nothing is forgotten: every variant of broken.pml is run, every property has one that breaks it."""
        known = {f"BROKEN_{name}" for name in BROKEN} | {f"LIMIT_{name}" for name in LIMITS}
        rejected = {one for _, breaks in BROKEN.values() for one in breaks}
        for name in sorted(known ^ self.variants):
            self.say(name, 0, "stands in one of broken.pml and check.py only", False)
        for name in sorted(set(self.properties) ^ rejected):
            self.say(name, 0, "a property without a broken variant, or the other way round", False)


def main(names):
    if not shutil.which("spin"):
        required = bool(os.environ.get("CI"))
        print(f"{'FAIL' if required else 'skipped'}: spin is not installed (Debian package: spin)")
        return 1 if required else 77
    checker = Checker()
    unknown = set(names) - set(WORLDS) - set(BROKEN) - set(LIMITS)
    if unknown:
        print(f"no world, broken variant or limit is called {sorted(unknown)[0]}; there are:",
              *WORLDS, *BROKEN, *LIMITS)
        return 1
    checker.lists()
    checker.worlds([name for name in WORLDS if not names or name in names])
    for name, (world, breaks) in BROKEN.items():
        if not names or name in names:
            checker.variant(f"BROKEN_{name}", world, breaks, [])
    for name, (world, breaks, holds) in LIMITS.items():
        if not names or name in names:
            checker.variant(f"LIMIT_{name}", world, breaks, holds)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"{checker.states:,} states, {checker.failures} failures, "
          f"{used.ru_utime + used.ru_stime:.0f} s of processor time, at most {used.ru_maxrss / 1024:.0f} MB")
    return 1 if checker.failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
