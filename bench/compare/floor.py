# SPDX-License-Identifier: Apache-2.0
"""The floor: what each stage that a first backup needs costs on this machine, from the program bench_floor."""
import os
import subprocess
from statistics import median

CORES = 2
# The default of compress-zstd; bench_floor takes level 1 where that makes a blob no larger.
LEVEL = 3


def built(build, name):
    """A program of the build that is measured, or else of this tree; None when there is none."""
    for folder in (build, "build/release"):
        found = os.path.join(folder, "bench", name)
        if os.path.exists(found):
            return os.path.abspath(found)
    return None


def measure(found, place, name, out):
    """Runs bench_floor over a data set; its rows "set<tab>key<tab>value" go to the file."""
    argv = [found, os.path.join(place.data, name), os.path.join(place.work, "floor"), str(LEVEL), "1"]
    out.write(subprocess.run(argv, stdout=subprocess.PIPE, text=True, check=True).stdout)
    out.flush()


def read(path):
    """For each set its sizes, the CPU seconds of its stages (medians), their sum, and that over the cores."""
    values = {}
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            for text in file:
                name, key, value = text.rstrip("\n").split("\t")
                values.setdefault(name, {}).setdefault(key, []).append(float(value))
    found = {}
    for name, keys in values.items():
        sizes = {key: median(told) for key, told in keys.items() if key.endswith("_bytes")}
        stages = {key: median(told) for key, told in keys.items() if key not in sizes}
        total = sum(stages.values())
        found[name] = {**sizes, "stages": stages, "cpu_s": total, "floor_s": total / CORES}
    return found
