#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Medians, ratios, targets, tables and the plot, from rows whose outcome is known."""
import os
import sys
import tempfile
import unittest
import xml.etree.ElementTree

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../bench/compare"))
import floor  # noqa: E402
import plot  # noqa: E402
import report  # noqa: E402
import rows  # noqa: E402
import table  # noqa: E402
from rows import Figure, Results, Row  # noqa: E402
from targets import CHANGED, FIRST, QUICK, RESTORE, RESTORE_CHANGED, SAME, Judge  # noqa: E402


def row(tool, name, op, wall, rep=1, **more):
    values = dict(
        client_cpu_s=1.0,
        client_rss_kib=10 << 10,
        server_cpu_s=0.5,
        server_rss_kib=20 << 10,
        repo_bytes=100_000_000,
        catalog_bytes=0,
        data_bytes=200_000_000,
        files=1,
        changed_bytes=0,
        other_cpu_s=0.0,
        ok="yes",
    )
    values.update(more)
    return Row(rep, tool, name, op, wall, **values)


def verdict(found, what, floors=None, name=None):
    """The one verdict whose name begins so."""
    judged = Judge(Results(found), floors or {}).all()
    named = [each for each in judged if each.what.startswith(what) and name in (None, each.set)]
    assert len(named) == 1, [each.what for each in judged]
    return named[0]


class Figures(unittest.TestCase):
    def test_the_median_counts_and_the_spread_is_told(self):
        self.assertEqual(Figure.of([3.0, 1.0, 9.0]), Figure(3.0, 1.0, 9.0))
        self.assertEqual(Figure.of([1.0, 3.0]), Figure(2.0, 1.0, 3.0))
        self.assertEqual(table.figure(Figure(3.0, 1.0, 9.0)), "3.00 (1.000..9.00)")
        self.assertEqual(table.figure(Figure(2.0, 2.0, 2.0)), "2.00")

    def test_rows_come_back_from_their_file(self):
        made = [row("cyberbackup", "dup", FIRST, 1.25), row("bup", "dup", FIRST, 2.5, rep=2, ok="no(1)")]
        with tempfile.NamedTemporaryFile("w+", suffix=".tsv") as file:
            file.write("# machine: two cores: fast\n%s\n" % rows.header())
            file.write("".join(rows.line(each) + "\n" for each in made))
            file.flush()
            found, notes = rows.read(file.name)
        self.assertEqual(found, made)
        self.assertEqual(notes, {"machine": "two cores: fast"})

    def test_what_failed_counts_for_nothing_but_is_told(self):
        results = Results([row("restic-tls", "dup", FIRST, 1.0, ok="no(3)")])
        self.assertIsNone(results.fastest(("restic-tls",), "dup", FIRST))
        text = table.whole(results, [], {}, [], {})
        self.assertIn("restic-tls dup backup1 (no(3))", text)

    def test_growth_is_taken_within_a_repetition(self):
        found = [
            row("bup", "dup", SAME, 1, rep=1, repo_bytes=100),
            row("bup", "dup", CHANGED, 1, rep=1, repo_bytes=110),
            row("bup", "dup", SAME, 1, rep=2, repo_bytes=500),
            row("bup", "dup", CHANGED, 1, rep=2, repo_bytes=530),
            row("bup", "dup", CHANGED, 1, rep=3, repo_bytes=999),
        ]
        self.assertEqual(Results(found).added("bup", "dup", SAME, CHANGED), Figure(20.0, 10, 30))


class Targets(unittest.TestCase):
    def first(self, ours, restic, borg, name="big-random"):
        return [
            row("cyberbackup", name, FIRST, ours),
            row("restic-tls", name, FIRST, restic),
            row("borg-ssh", name, FIRST, borg),
            # Not of those to be compared with.
            row("rsync-ssh", name, FIRST, 0.01),
        ]

    def test_the_faster_networked_peer_is_the_one_to_beat(self):
        told = verdict(self.first(1.0, 5.0, 2.5), "first backup: times as fast")
        self.assertEqual((told.peer, told.ratio, told.target, told.met), ("borg-ssh", 2.5, 2.5, True))
        told = verdict(self.first(1.0, 2.49, 5.0), "first backup: times as fast")
        self.assertEqual((told.peer, told.met), ("restic-tls", False))

    def test_each_data_set_has_its_own_target(self):
        for name, target in (("big-text", 3.0), ("many-small", 4.0), ("vm-image", 2.5), ("dup", 3.0)):
            self.assertEqual(verdict(self.first(1, 9, 9, name), "first backup: times as fast").target, target)

    def test_medians_are_compared_not_single_runs(self):
        found = [row("cyberbackup", "dup", FIRST, wall, rep) for rep, wall in enumerate((1.0, 9.0, 1.0))]
        found += [row("restic-tls", "dup", FIRST, wall, rep) for rep, wall in enumerate((3.0, 3.0, 0.1))]
        self.assertEqual(verdict(found, "first backup: times as fast").ratio, 3.0)

    def test_without_a_peer_nothing_is_claimed(self):
        told = verdict([row("cyberbackup", "dup", FIRST, 1.0)], "first backup: times as fast")
        self.assertIsNone(told.ratio)
        self.assertIsNone(told.met)
        self.assertEqual(table.met(told), "not measured")

    def test_cpu_of_both_ends_is_compared_with_the_faster_peer(self):
        found = self.first(1.0, 2.0, 3.0)
        found[0].client_cpu_s, found[0].server_cpu_s = 0.5, 0.5
        found[1].client_cpu_s, found[1].server_cpu_s = 1.5, 0.5
        told = verdict(found, "first backup: share")
        self.assertEqual((told.ratio, told.met), (0.5, True))
        found[0].server_cpu_s = 0.6
        self.assertFalse(verdict(found, "first backup: share").met)

    def test_the_floor(self):
        found = [row("cyberbackup", "dup", FIRST, 3.0), row("cyberbackup", "big-text", FIRST, 3.0)]
        floors = {"dup": 1.0, "big-text": 1.0}
        self.assertTrue(verdict(found, "first backup: times the floor", floors, "dup").met)
        told = verdict(found, "first backup: times the floor", floors, "big-text")
        self.assertEqual((told.ratio, told.target, told.met), (3.0, 1.6, False))

    def test_an_unchanged_backup_may_take_so_long_for_so_many_files(self):
        found = [row("cyberbackup", "many-small", SAME, 0.22, files=25_000)]
        self.assertTrue(verdict(found, "unchanged backup: 5 us").met)
        found[0].wall_s = 0.23
        self.assertFalse(verdict(found, "unchanged backup: 5 us").met)

    def test_restore_of_files_a_second(self):
        found = [row("cyberbackup", "many-small", RESTORE, 1.0, files=18_000)]
        self.assertTrue(verdict(found, "restore: files a second").met)
        found[0].wall_s = 1.01
        self.assertFalse(verdict(found, "restore: files a second").met)

    def test_stored_bytes_against_the_smaller_peer(self):
        found = self.first(1, 1, 1)
        found[0].repo_bytes, found[1].repo_bytes, found[2].repo_bytes = 1005, 1000, 2000
        found[3].repo_bytes = 1  # not encrypted
        told = verdict(found, "stored by the first backup")
        self.assertEqual((told.peer, told.met), ("restic-tls", True))
        found[0].repo_bytes = 1007
        self.assertFalse(verdict(found, "stored by the first backup").met)

    def test_dup_against_bup_or_what_it_would_store(self):
        found = [row("cyberbackup", "dup", FIRST, 1, repo_bytes=30_000_000, data_bytes=314_600_000)]
        what = "stored by the first backup: share of bup"
        self.assertAlmostEqual(verdict(found, what).ratio, 30 / 24.1, 6)
        found.append(row("bup", "dup", FIRST, 1, repo_bytes=10_000_000))
        told = verdict(found, what)
        self.assertEqual((told.ratio, told.met), (3.0, False))

    def test_one_per_cent_of_an_image(self):
        found = [
            row("cyberbackup", "vm-image", SAME, 1, repo_bytes=0),
            row("cyberbackup", "vm-image", CHANGED, 1, repo_bytes=10_000_000, changed_bytes=4_000_000),
            row("cyberbackup", "vm-image", RESTORE, 1.0),
            row("cyberbackup", "vm-image", RESTORE_CHANGED, 1.4),
        ]
        told = verdict(found, "stored by the 1 % change")
        self.assertEqual((told.ratio, told.met), (2.5, True))
        self.assertFalse(verdict(found, "restore after the 1 % change").met)

    def test_memory_is_judged_by_the_worst_row(self):
        found = [
            row("cyberbackup", "dup", FIRST, 1, client_rss_kib=10 << 10),
            row("cyberbackup", "dup", RESTORE, 1, client_rss_kib=97 << 10, server_rss_kib=64 << 10),
        ]
        told = verdict(found, "peak memory of the client")
        self.assertEqual((told.set, told.ratio, told.met), ("dup (restore)", 97, False))
        self.assertTrue(verdict(found, "peak memory of the daemon").met)

    def test_a_quick_check(self):
        self.assertTrue(verdict([row("cyberbackup", "dup", QUICK, 0.19)], "quick check").met)
        self.assertFalse(verdict([row("cyberbackup", "dup", QUICK, 0.21)], "quick check").met)


class Reports(unittest.TestCase):
    def test_the_floor_is_the_median_of_each_stage_over_the_cores(self):
        with tempfile.NamedTemporaryFile("w+") as file:
            for seconds in (1.0, 5.0, 2.0):
                file.write("dup\tread\t%f\ndup\tseal\t1.0\ndup\tnew_bytes\t7\ndup\tsent_bytes\t5\n" % seconds)
            file.flush()
            told = floor.read(file.name)["dup"]
        self.assertEqual(told["stages"], {"read": 2.0, "seal": 1.0})
        self.assertEqual((told["cpu_s"], told["floor_s"], told["new_bytes"]), (3.0, 1.5, 7))
        self.assertIn("| dup | 0.0 MB | 0.0 MB | 2.000 | 1.000 | 3.000 | 1.500 |", table.floors({"dup": told}))

    def test_ratios_and_plot_are_made_from_the_raw_rows(self):
        found = [row("cyberbackup", "dup", FIRST, 1.0), row("restic-tls", "dup", FIRST, 6.0)]
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, "latest.tsv"), "w", encoding="utf-8") as file:
                file.write("# date: today\n%s\n" % rows.header())
                file.write("".join(rows.line(each) + "\n" for each in found))
            report.write(folder)
            with open(os.path.join(folder, "ratios.md"), encoding="utf-8") as file:
                text = file.read()
            drawn = xml.etree.ElementTree.parse(os.path.join(folder, "latest.svg"))
        self.assertIn("| first backup: times as fast | dup | 1.000 s | restic-tls 6.00 s | 6.00 | >= 3 | met |", text)
        self.assertIn("* date: today", text)
        bars = [each for each in drawn.iter("{http://www.w3.org/2000/svg}rect") if each.get("fill") == plot.MET]
        self.assertEqual(len(bars), 1)

    def test_costs_of_stages_are_told_in_their_unit(self):
        self.assertIn("| seal | 3000 MB |", table.stages([["seal", "MB", "3000.4"], ["scan", "thousand items", "600"]]))
        self.assertIn("| scan | 600.0 thousand items |", table.stages([["scan", "thousand items", "600"]]))

    def test_a_longer_bar_is_a_higher_ratio(self):
        scale = plot.Scale(20)
        self.assertLess(scale.at(1), scale.at(2))
        self.assertAlmostEqual(scale.at(4) - scale.at(2), scale.at(2) - scale.at(1), 6)
        self.assertLessEqual(scale.at(20), plot.WIDTH - plot.RIGHT)

    def test_only_what_is_between_the_markers_is_replaced(self):
        document = "before\n%s\nold\n%s\nafter\n" % (report.BEGIN, report.END)
        made = report.put_between_markers(document, "new")
        self.assertEqual(made, "before\n%s\nnew\n%s\nafter\n" % (report.BEGIN, report.END))
        with self.assertRaises(ValueError):
            report.put_between_markers("no markers", "new")


if __name__ == "__main__":
    unittest.main()
