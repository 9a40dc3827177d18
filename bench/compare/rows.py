# SPDX-License-Identifier: Apache-2.0
"""The raw rows of a run: written as they come, read back by set, tool and step."""
from dataclasses import asdict, dataclass, fields
from statistics import median


@dataclass
class Row:
    rep: int
    tool: str
    set: str
    op: str
    wall_s: float
    client_cpu_s: float
    client_rss_kib: int
    server_cpu_s: float
    server_rss_kib: int
    repo_bytes: int
    catalog_bytes: int
    data_bytes: int
    files: int
    changed_bytes: int
    other_cpu_s: float
    ok: str

    @property
    def cpu_s(self):
        return self.client_cpu_s + self.server_cpu_s


NAMES = [each.name for each in fields(Row)]


def _shown(value):
    return "%.4f" % value if isinstance(value, float) else str(value)


def header():
    return "\t".join(NAMES)


def line(row):
    return "\t".join(_shown(value) for value in asdict(row).values())


def read(path):
    """The rows of a file, and what its comment lines say as KEY: VALUE."""
    rows, notes = [], {}
    with open(path, encoding="utf-8") as file:
        for text in file:
            text = text.rstrip("\n")
            if text.startswith("# "):
                key, _, value = text[2:].partition(": ")
                notes[key] = value
            elif text and text != header():
                parts = text.split("\t")
                rows.append(Row(*(each.type(part) for each, part in zip(fields(Row), parts))))
    return rows, notes


@dataclass
class Figure:
    """A median with what it lies between."""

    middle: float
    low: float
    high: float

    @staticmethod
    def of(values):
        return Figure(median(values), min(values), max(values))


class Results:
    """Rows that went well, found by what was measured."""

    def __init__(self, rows):
        self.rows = [row for row in rows if row.ok == "yes"]
        self.failed = [row for row in rows if row.ok != "yes"]

    def sets(self):
        return list(dict.fromkeys(row.set for row in self.rows))

    def tools(self):
        return list(dict.fromkeys(row.tool for row in self.rows))

    def of(self, tool, name, op):
        return [row for row in self.rows if (row.tool, row.set, row.op) == (tool, name, op)]

    def figure(self, tool, name, op, value):
        """Of all repetitions; None when there is no row."""
        values = [value(row) for row in self.of(tool, name, op)]
        return Figure.of(values) if values else None

    def fastest(self, tools, name, op):
        """The tool of the least median wall time; None when none of them has a row."""
        timed = {tool: self.figure(tool, name, op, lambda row: row.wall_s) for tool in tools}
        known = [tool for tool in tools if timed[tool] is not None]
        return min(known, key=lambda tool: timed[tool].middle, default=None)

    def added(self, tool, name, before, after):
        """Bytes by which the repository grew between two steps of the same repetition."""
        first = {row.rep: row.repo_bytes for row in self.of(tool, name, before)}
        grown = [row.repo_bytes - first[row.rep] for row in self.of(tool, name, after) if row.rep in first]
        return Figure.of(grown) if grown else None
