# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The benchmark's results as a plot and as a table in the documentation."""

from __future__ import annotations

import os
import platform
from importlib import metadata
from pathlib import Path

BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
PHASES = ("create", "recheck")


def environment() -> dict:
    """On what it was measured, without anything that names the machine."""
    return {
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        "ansible_core": metadata.version("ansible-core"),
        "openstacksdk": metadata.version("openstacksdk"),
    }


def plot(report: dict, path: Path) -> None:
    """Bars of wall time and calls, logarithmic, both sides beside each other."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, 2, figsize=(10, 4), layout="constrained")
    rows = [(part, phase) for part in report["sets"] for phase in PHASES]
    labels = [f"{part['name']}\n{phase}" for part, phase in rows]
    for axis, key, title in zip(axes, ("seconds", "calls"), ("wall time, seconds", "calls counted at the servers")):
        for place, (who, label, colour) in enumerate(
            (("ours", "sovereign.region", "#2563eb"), ("loop", "openstack.cloud 2.6.0, looped", "#9ca3af"))
        ):
            values = [part[f"{who}_{phase}"][key] for part, phase in rows]
            positions = [index + (place - 0.5) * 0.4 for index in range(len(rows))]
            bars = axis.bar(positions, values, 0.38, label=label, color=colour)
            axis.bar_label(bars, [f"{value:.0f}" if value >= 20 else f"{value:.1f}".removesuffix(".0")
                                  for value in values], fontsize=8)
        axis.set_yscale("log")
        axis.set_title(title)
        axis.set_xticks(range(len(rows)), labels)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False)
    figure.savefig(path, metadata={"Date": None})


def table(report: dict) -> str:
    """The measured part of docs/performance.md."""
    made = report["environment"]
    lines = [
        "| state | phase | sovereign.region | openstack.cloud 2.6.0, looped | calls | wall time | peak memory |",
        "|---|---|---|---|---|---|---|",
    ]
    for part in report["sets"]:
        state = f"{part['projects']} projects, {part['flavors']} flavors ({part['private_flavors']} private)"
        for phase in PHASES:
            ours, loop = part[f"ours_{phase}"], part[f"loop_{phase}"]
            lines.append(
                f"| {state} | {phase} | {ours['seconds']:.1f} s, {ours['calls']} calls | "
                f"{loop['seconds']:.1f} s, {loop['calls']} calls | {loop['calls'] / ours['calls']:.0f} times fewer | "
                f"{loop['seconds'] / ours['seconds']:.0f} times less | {ours['peak_mib']} and {loop['peak_mib']} MiB |"
            )
    starts = report["region"]
    lines += [
        "",
        f"An empty play takes {report['empty_play']['seconds']:.1f} s of each wall time. "
        f"The region: {starts['from_nothing']:.1f} s from nothing (databases made), {starts['warm']:.1f} s with its "
        f"state, {starts['already_up']:.1f} s when it is up already.",
        "",
        f"ansible-core {made['ansible_core']}, openstacksdk {made['openstacksdk']}, Python {made['python']}, "
        f"{made['cores']} shared cores, load {made['load']} at the end. Rechecks of this collection are the median "
        "of three.",
    ]
    return "\n".join(lines)


def write_table(report: dict, path: Path) -> None:
    """Replaces what stands between the marks of the page."""
    text = path.read_text(encoding="utf-8")
    head, rest = text.split(BEGIN)
    tail = rest.split(END)[1]
    path.write_text(f"{head}{BEGIN}\n{table(report)}\n{END}{tail}", encoding="utf-8")
