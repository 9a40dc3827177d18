# SPDX-License-Identifier: Apache-2.0
"""Writes what a run showed as Markdown: each target on each data set, then all tools side by side."""
from targets import ALL_DATA, CHANGED, FIRST, QUICK, RESTORE, RESTORE_CHANGED, SAME

STEPS = {
    FIRST: "First backup",
    SAME: "Second backup, nothing changed",
    CHANGED: "Backup after the change",
    "backup4-shifted": "vm-image with 100 bytes inserted near the front",
    RESTORE: "Full restore",
    RESTORE_CHANGED: "Full restore of vm-image after the 1 % change",
    QUICK: "Quick check",
    ALL_DATA: "Check of all data",
}


def number(value):
    if value is None:
        return "-"
    size = abs(value)
    return ("%.0f" if size >= 1000 else "%.1f" if size >= 100 else "%.2f" if size >= 2 else "%.3f") % value


def figure(value):
    if value is None:
        return "-"
    if value.low == value.high:
        return number(value.middle)
    return "%s (%s..%s)" % (number(value.middle), number(value.low), number(value.high))


def met(verdict):
    return {True: "met", False: "**not met**", None: "not measured"}[verdict.met]


def _target(verdict):
    return "%s %g" % (">=" if verdict.at_least else "<=", verdict.target)


def targets(verdicts):
    lines = [
        "| target | data set | CyberBackup | peer | ratio or figure | target | |",
        "|---|---|---|---|---|---|---|",
    ]
    for each in verdicts:
        peer = "%s %s %s" % (each.peer, figure(each.theirs), each.unit) if each.theirs else each.peer or "-"
        ours = "%s %s" % (figure(each.ours), each.unit)
        cells = (each.what, each.set, ours, peer, number(each.ratio), _target(each), met(each))
        lines.append("| %s |" % " | ".join(cells))
    judged = [each for each in verdicts if each.met is not None]
    lines += ["", "%d of %d targets met." % (sum(each.met for each in judged), len(judged))]
    return lines


def _side_by_side(results, op, cell):
    names = [name for name in results.sets() if any(results.of(tool, name, op) for tool in results.tools())]
    lines = ["| tool | %s |" % " | ".join(names), "|---|%s" % ("---|" * len(names))]
    for tool in results.tools():
        cells = [cell(tool, name) for name in names]
        if any(text != "-" for text in cells):
            lines.append("| %s | %s |" % (tool, " | ".join(cells)))
    return lines


def _time_cell(results, op):
    def cell(tool, name):
        wall = results.figure(tool, name, op, lambda row: row.wall_s)
        if wall is None:
            return "-"
        client = results.figure(tool, name, op, lambda row: row.client_cpu_s).middle
        server = results.figure(tool, name, op, lambda row: row.server_cpu_s).middle
        return "%s; %.2f+%.2f" % (figure(wall), client, server)

    return cell


def _space_cell(results):
    def cell(tool, name):
        stored = results.figure(tool, name, FIRST, lambda row: row.repo_bytes / 1e6)
        if stored is None:
            return "-"
        text = number(stored.middle)
        for before, after in ((SAME, CHANGED), (CHANGED, "backup4-shifted")):
            added = results.added(tool, name, before, after)
            if added is not None:
                text += ", +%s" % number(added.middle / 1e6)
        return text

    return cell


def _memory_cell(results):
    def cell(tool, name):
        rows = [row for row in results.rows if (row.tool, row.set) == (tool, name)]
        if not rows:
            return "-"
        client = max(row.client_rss_kib for row in rows) / 1024
        return "%.0f (%.0f)" % (client, max(row.server_rss_kib for row in rows) / 1024)

    return cell


def tools(results):
    """One table for each step."""
    lines = []
    for op, title in STEPS.items():
        if any(row.op == op for row in results.rows):
            lines += ["", "### " + title, "", "Wall seconds, median (min..max); CPU seconds of client+server.", ""]
            lines += _side_by_side(results, op, _time_cell(results, op))
    lines += ["", "### Stored", "", "MB after the first backup, then added by the change, and by the insertion.", ""]
    lines += _side_by_side(results, FIRST, _space_cell(results))
    lines += ["", "### Peak memory", "", "MiB of the largest client process (of the server), over all steps.", ""]
    return lines + _side_by_side(results, FIRST, _memory_cell(results))


def floors(told_of):
    """A row for each set: CPU seconds of each stage, their sum, and the floor."""
    if not told_of:
        return []
    names = list(next(iter(told_of.values()))["stages"])
    lines = [
        "| data set | new data | sent | %s | sum, CPU s | floor, s |" % " | ".join(names),
        "|---|%s" % ("---|" * (len(names) + 4)),
    ]
    for name, told in told_of.items():
        cells = ["%.3f" % told["stages"][stage] for stage in names]
        sizes = ["%.1f MB" % (told[key] / 1e6) for key in ("new_bytes", "sent_bytes")]
        cells = [name, *sizes, *cells, "%.3f" % told["cpu_s"], "%.3f" % told["floor_s"]]
        lines.append("| %s |" % " | ".join(cells))
    return lines


def stages(costs):
    """What a CPU second does of each stage of the product."""
    lines = ["| stage | a CPU second does |", "|---|---|"]
    return lines + ["| %s | %s %s |" % (name, number(float(rate)), unit) for name, unit, rate in costs]


def disturbed(row):
    """Did something else take more than a fifth of a processor?"""
    return row.other_cpu_s > 0.2 * row.wall_s + 0.05


def whole(results, verdicts, told_of_floors, costs, notes):
    lines = ["# Figures of the last run", "", "Made by `scripts/bench`; the raw rows are in bench/results/latest.tsv."]
    lines += ["", *("* %s: %s" % note for note in notes.items())]
    busy = sum(disturbed(row) for row in results.rows)
    lines.append("* disturbed: other work on the machine in %d of %d steps" % (busy, len(results.rows)))
    if results.failed:
        failures = ("%s %s %s (%s)" % (row.tool, row.set, row.op, row.ok) for row in results.failed)
        lines += ["", "**Failed, and left out:** " + ", ".join(failures)]
    lines += ["", "## Targets", "", *targets(verdicts)]
    if told_of_floors:
        lines += ["", "## The floor", "", *floors(told_of_floors)]
    if costs:
        lines += ["", "## Cost of the product's own stages", "", *stages(costs)]
    return "\n".join(lines + ["", "## All tools", *tools(results)]) + "\n"
