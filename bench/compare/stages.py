# SPDX-License-Identifier: Apache-2.0
"""What each stage of the product's own code costs, from the program bench_micro."""
import json
import os
import subprocess

from floor import built

ARGUMENTS = ("--benchmark_format=json", "--benchmark_min_time=0.2", "--benchmark_repetitions=3")


def measure(build, path, more=()):
    """Writes "name<tab>unit<tab>rate" lines: MB or thousands of items for a CPU second of both ends."""
    found = built(build, "bench_micro")
    if found is None:
        return False
    told = subprocess.run([found, *ARGUMENTS, *more], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
    with open(path, "w", encoding="utf-8") as out:
        for each in json.loads(told.stdout)["benchmarks"]:
            if each.get("aggregate_name") == "median":
                name = each["run_name"].partition("/")[0]
                rate = each.get("bytes_per_second", 0) / 1e6 or each["items_per_second"] / 1e3
                unit = "MB" if "bytes_per_second" in each else "thousand items"
                out.write("%s\t%s\t%.1f\n" % (name, unit, rate))
    return True


def read(path):
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as file:
        return [text.rstrip("\n").split("\t") for text in file]
