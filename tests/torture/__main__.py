# SPDX-License-Identifier: Apache-2.0
"""Trials of the whole product: see docs/reliability.md and scripts/torture --help."""
import argparse
import multiprocessing
import os
import random
import shutil
import sys
import tempfile
import time
import traceback

import disk
from faults import FaultTrial
from house import House, Trouble
from kill import KillTrial
from network import LinkTrial, NetworkTrial, why_no_link
from power import PowerTrial
from tally import Tally

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def conduct(trial, options, until):
    """From begin to end; whatever comes, no daemon stays behind."""
    try:
        trial.begin()
        trial.run(until, options.rounds)
        trial.end()
    finally:
        trial.house.kill()


def kill(options, folder, store, dice, tally, until):
    trial = KillTrial(options.build, folder, store, dice, tally, TESTS)
    conduct(trial, options, until)
    if options.rounds > 4 * len(trial.steps):
        for step in sorted(set(trial.steps) - tally.seen.get("steps", set())):
            print("kill: step %s was never passed" % step, flush=True)


def power(options, folder, store, dice, tally, until):
    problem = disk.why_not(folder)
    if problem:
        tally.skip("power: " + problem)
        return
    kind = dice.choice(list(disk.SIZES))
    trial = PowerTrial(options.build, folder, store, dice, tally, TESTS, kind, dice.random() < 0.5)
    try:
        conduct(trial, options, until)
    finally:
        trial.disk.unmount()


def faults(options, folder, store, dice, tally, until):
    trial = FaultTrial(options.build, folder, store, dice, tally, TESTS, options.every)
    conduct(trial, options, until)


def network(options, folder, store, dice, tally, until):
    trial = NetworkTrial(options.build, folder, store, dice, tally, TESTS)
    conduct(trial, options, until)


def link(options, folder, store, dice, tally, until):
    problem = why_no_link()
    if problem:
        tally.skip("link: " + problem)
        return
    trial = LinkTrial(options.build, folder, store, dice, tally, TESTS)
    try:
        conduct(trial, options, until)
    finally:
        trial.link.remove()


# Each with its share of the time.
PARTS = {"kill": (kill, 3), "power": (power, 3), "faults": (faults, 3), "network": (network, 2), "link": (link, 1)}


def run_part(name, options, store, seed, seconds):
    """One house of one part, in a process of its own; what it finds goes back as a Tally."""
    tally = Tally()
    folder = tempfile.mkdtemp(prefix="cyberbackup-torture-%s-" % name, dir=options.folder)
    dice = random.Random(seed)
    House.broken = options.broken
    print("torture: %s on store-%s, seed %d, at most %d s" % (name, store, seed, seconds), flush=True)
    try:
        PARTS[name][0](options, folder, store, dice, tally, time.monotonic() + seconds)
    except Trouble as trouble:
        tally.fail("other trouble", str(trouble))
    except Exception:  # pylint: disable=broad-except # a defect of the trial is a failure of it
        tally.fail("other trouble", traceback.format_exc())
    if not tally.failures:
        shutil.rmtree(folder, ignore_errors=True)
    else:
        tally.failures.append("%s, store-%s, seed %d: its files are in %s" % (name, store, seed, folder))
    return tally


def arguments():
    parser = argparse.ArgumentParser(prog="scripts/torture", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help="%s (default: all)" % ", ".join(PARTS))
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=1 << 30, help="of each house at most")
    parser.add_argument("--every", action="store_true", help="faults: each call with each error, none by chance")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--stores", default="fs,sqlite")
    parser.add_argument("--break", dest="broken", default=None, help="leave a protection out: this must end with 1")
    parser.add_argument("--build", required=True)
    parser.add_argument("--folder", default=None, help="where houses are made")
    options = parser.parse_args()
    for part in options.parts:
        if part not in PARTS:
            parser.error("no such part: %s" % part)
    options.parts = options.parts or list(PARTS)
    return options


def main():
    options = arguments()
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(1 << 31)
    stores = options.stores.split(",")
    shares = sum(PARTS[part][1] for part in options.parts)
    total = Tally()
    for part in options.parts:
        seconds = options.minutes * 60 * PARTS[part][1] / shares
        with multiprocessing.Pool(len(stores)) as pool:
            jobs = [(part, options, store, seed + i, seconds) for i, store in enumerate(stores)]
            for tally in pool.starmap(run_part, jobs, chunksize=1):
                total.add(tally)
    for line in total.failures:
        print("torture: FAILED: " + line)
    for line in total.skipped:
        print("torture: not done: " + line)
    for line in total.lines():
        print(line)
    return 1 if total.failures else 77 if total.skipped else 0


sys.exit(main())
