# SPDX-License-Identifier: Apache-2.0
"""Makes ratios.md and latest.svg anew from latest.tsv and floor.tsv.

usage: report.py FOLDER [DOCUMENT]    DOCUMENT gets the tables between its markers
"""
import os
import sys

import floor
import plot
import stages
import table
from rows import Results, read
from targets import Judge

BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"


def write(folder):
    """Returns the lines about the targets."""
    rows, notes = read(os.path.join(folder, "latest.tsv"))
    results = Results(rows)
    floors = floor.read(os.path.join(folder, "floor.tsv"))
    costs = stages.read(os.path.join(folder, "stages.tsv"))
    verdicts = Judge(results, {name: told["floor_s"] for name, told in floors.items()}).all()
    with open(os.path.join(folder, "ratios.md"), "w", encoding="utf-8") as file:
        file.write(table.whole(results, verdicts, floors, costs, notes))
    caption = "%s; scale %s; %s repetitions." % tuple(notes.get(key, "?") for key in ("date", "scale", "repetitions"))
    with open(os.path.join(folder, "latest.svg"), "w", encoding="utf-8") as file:
        file.write(plot.draw(verdicts, caption))
    return "\n".join(table.targets(verdicts))


def put_between_markers(document, text):
    """The document with `text` between its markers."""
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError("no markers %s and %s" % (BEGIN, END))
    return "%s%s\n%s\n%s%s" % (before, BEGIN, text.strip("\n"), END, after)


def update(document, folder):
    """Puts the tables of ratios.md between the markers of the document, one level deeper, under its headings."""
    with open(os.path.join(folder, "ratios.md"), encoding="utf-8") as file:
        text = file.read().partition("\n")[2]
    with open(document, encoding="utf-8") as file:
        changed = put_between_markers(file.read(), text.replace("\n#", "\n##"))
    with open(document, "w", encoding="utf-8") as file:
        file.write(changed)


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    print(write(sys.argv[1]))
    if len(sys.argv) == 3:
        update(sys.argv[2], sys.argv[1])


if __name__ == "__main__":
    main()
