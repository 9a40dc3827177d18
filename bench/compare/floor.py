# SPDX-License-Identifier: Apache-2.0
"""The floor: what each stage that a first backup needs costs on this machine, from the program bench_floor."""
import os
import subprocess

CORES = 2


def measure(given, place, path):
    """Runs bench_floor over each data set; its rows "set<tab>key<tab>value" go to the file."""
    program = os.path.join(given.build, "bench", "bench_floor")
    if not os.path.exists(program):
        print("no floor: there is no %s" % program)
        return
    with open(path, "w", encoding="utf-8") as out:
        for name in given.sets:
            print("measuring the floor of %s" % name, flush=True)
            argv = [program, os.path.join(place.data, name), os.path.join(place.work, "floor")]
            out.write(subprocess.run(argv, stdout=subprocess.PIPE, text=True, check=True).stdout)


def read(path):
    """For each set its sizes, the CPU seconds of its stages, their sum, and that over the cores."""
    found = {}
    if not os.path.exists(path):
        return found
    with open(path, encoding="utf-8") as file:
        for text in file:
            name, key, value = text.rstrip("\n").split("\t")
            told = found.setdefault(name, {"stages": {}})
            if key.endswith("_bytes"):
                told[key] = int(value)
            else:
                told["stages"][key] = float(value)
    for told in found.values():
        told["cpu_s"] = sum(told["stages"].values())
        told["floor_s"] = told["cpu_s"] / CORES
    return found
