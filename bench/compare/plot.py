# SPDX-License-Identifier: Apache-2.0
"""Draws the ratios of a run as bars, one panel for each kind of step, as SVG."""
import math
from html import escape

WIDTH, LEFT, RIGHT = 980, 110, 260
BAR, GAP, HEAD = 18, 6, 46
MET, MISSED, PEER = "#2e7d4f", "#c0532b", "#555"
TICKS = (0.5, 1, 2, 4, 8, 16, 32)


class Scale:
    """Ratios along x, a factor of two always as wide."""

    def __init__(self, highest):
        self.low, self.high = TICKS[0], max(8.0, highest * 1.1)

    def at(self, ratio):
        share = math.log(max(ratio, self.low) / self.low) / math.log(self.high / self.low)
        return LEFT + share * (WIDTH - LEFT - RIGHT)


def _text(x, y, text, anchor="start", size=12, weight="normal", fill="#222"):
    return '<text x="%.1f" y="%.1f" font-size="%d" text-anchor="%s" font-weight="%s" fill="%s">%s</text>' % (
        x, y, size, anchor, weight, fill, escape(text))  # fmt: skip


def _line(x, top, bottom, colour, width=1.0):
    return '<line x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f" stroke="%s" stroke-width="%.1f"/>' % (
        x, x, top, bottom, colour, width)  # fmt: skip


def _bar(verdict, scale, y):
    colour = MET if verdict.met else MISSED
    end = scale.at(verdict.ratio)
    told = "%.2f of %.3g; %.2f s, %s %.2f s" % (
        verdict.ratio, verdict.target, verdict.ours.middle, verdict.peer, verdict.theirs.middle)  # fmt: skip
    return [
        _text(LEFT - 8, y + BAR - 5, verdict.set, "end"),
        '<rect x="%d" y="%.1f" width="%.1f" height="%d" fill="%s"/>' % (LEFT, y, max(1.0, end - LEFT), BAR, colour),
        _line(scale.at(verdict.target), y - 3, y + BAR + 3, "#000", 2.5),
        _text(max(end, scale.at(verdict.target)) + 8, y + BAR - 5, told, size=10),
    ]


def _panel(title, verdicts, scale, top):
    bottom = top + HEAD - 10 + len(verdicts) * (BAR + GAP)
    parts = [_text(LEFT, top + 14, title, size=14, weight="bold")]
    for tick in (tick for tick in TICKS if tick <= scale.high):
        parts.append(_line(scale.at(tick), top + HEAD - 14, bottom, PEER if tick == 1 else "#ddd"))
        parts.append(_text(scale.at(tick), top + HEAD - 18, "%gx" % tick, "middle", 10))
    for row, verdict in enumerate(verdicts):
        parts += _bar(verdict, scale, top + HEAD - 8 + row * (BAR + GAP))
    return parts, bottom + 16


def draw(verdicts, caption):
    """All verdicts of the kind "times as fast" whose ratio is known."""
    shown = [each for each in verdicts if each.what.endswith(": times as fast") and each.ratio is not None]
    scale = Scale(max((max(each.ratio, each.target) for each in shown), default=1.0))
    parts, top = [], 58
    for title in dict.fromkeys(each.what for each in shown):
        panel, top = _panel(title, [each for each in shown if each.what == title], scale, top)
        parts += panel
    head = [
        '<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif">' % (WIDTH, top),
        '<rect width="100%" height="100%" fill="#fff"/>',
        _text(16, 24, "CyberBackup against the faster of restic over TLS and borg over SSH", size=16, weight="bold"),
        _text(16, 42, caption + " Black mark: the target. Green: met.", size=11, fill="#555"),
    ]
    return "\n".join(head + parts + ["</svg>"]) + "\n"
