# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The results of the benchmark of accelerators as a plot and as a table in the documentation."""

from __future__ import annotations

import os
import platform
import statistics
from importlib import metadata
from pathlib import Path

BEGIN, END = "<!-- measured accelerators: begin -->", "<!-- measured accelerators: end -->"


def environment(loads: list[float]) -> dict:
    """On what it was measured, without anything that names the machine."""
    return {
        "cores": os.cpu_count(),
        "loads": loads,
        "python": platform.python_version(),
        "ansible_core": metadata.version("ansible-core"),
    }


def plot(report: dict, path: Path) -> None:
    """Bars of the converge with no change: remote commands and wall time."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    sides = (("role", "accelerator_passthrough", "#2563eb"), ("usual", "usual modules, looped", "#9ca3af"))
    figure, axes = pyplot.subplots(1, 2, figsize=(8, 3.5), layout="constrained")
    columns = (("remote_commands", "commands counted by the SSH server"), ("seconds", "wall time, seconds"))
    for axis, (key, title) in zip(axes, columns):
        for place, (name, label, colour) in enumerate(sides):
            value = report["converge"][name][key]
            bar = axis.bar([place], [value], 0.6, label=label, color=colour)
            axis.bar_label(bar, [f"{value:.1f}".removesuffix(".0")], fontsize=8)
        axis.set_title(title)
        axis.set_xticks([])
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False)
    figure.savefig(path, metadata={"Date": None})


def table(report: dict) -> str:
    """The measured part of docs/performance.md: the parts that were measured."""
    made = report["environment"]
    lines = _facts(report["facts"])
    lines += _converge(report["converge"]) if "converge" in report else []
    lines += _many(report["many"]) if "many" in report else []
    lines += [
        f"ansible-core {made['ansible_core']}, Python {made['python']}, {made['cores']} shared cores, other work "
        f"beside it.\nLoad before each part and at the end: {', '.join(f'{load:.1f}' for load in made['loads'])}.",
    ]
    return "\n".join(lines)


def _facts(seen: dict) -> list[str]:
    counts, files, tools = seen["counts"], seen["seconds"]["files"], seen["seconds"]["tools"]
    return [
        f"Facts of a host with {seen['gpus']} H200, {seen['functions']} PCI functions and {seen['processes']} "
        f"processes, on NVIDIA's driver, {seen['rounds']} times:",
        "",
        "| inside `accelerator_info`, by its own clock and counts | median | of all |",
        "|---|---|---|",
        f"| sysfs, procfs and the like | {statistics.median(files):.2f} s | {files[0]:.2f} to {files[-1]:.2f} s |",
        f"| `nvidia-smi`, a stand-in that answers at once | {statistics.median(tools):.2f} s | {tools[0]:.2f} to "
        f"{tools[-1]:.2f} s |",
        f"| files opened or tried | {counts['opened']} | the same each time |",
        f"| directories listed | {counts['listed']} | the same each time |",
        f"| processes started ({' and '.join(f'`{name}`' for name in seen['stand_ins'])}) | {counts['started']} | the "
        "same each time |",
        "",
        "Not in these counts: what a child reads that is forked for attributes on which a kernel may wait.",
        "",
    ]


def _converge(found: dict) -> list[str]:
    role, usual = found["role"], found["usual"]
    every = {name: ", ".join(f"{one:.1f}" for one in sorted(runs)) for name, runs in found["all_seconds"].items()}
    return [
        "A converge with no change over SSH, on that host with all cards and their siblings on VFIO already; the\n"
        f"median of {found['repeats']}, in turns:",
        "",
        "| | role `accelerator_passthrough` | usual modules, looped | ratio |",
        "|---|---|---|---|",
        f"| tasks | {role['tasks']} | {usual['tasks']} | |",
        f"| commands on the host, counted by its SSH server | {role['remote_commands']} | {usual['remote_commands']} | "
        f"{usual['remote_commands'] / role['remote_commands']:.0f} times fewer |",
        f"| wall time (and all of them) | {role['seconds']:.1f} s ({every['role']}) | {usual['seconds']:.1f} s "
        f"({every['usual']}) | "
        f"{usual['seconds'] / role['seconds']:.1f} times less |",
        f"| processor time of the controller | {role['cpu_seconds']:.1f} s | {usual['cpu_seconds']:.1f} s | "
        f"{usual['cpu_seconds'] / role['cpu_seconds']:.1f} times less |",
        "",
        f"An empty play takes {found['empty_play']['seconds']:.1f} s of each wall time.",
        "",
    ]


def _many(found: dict) -> list[str]:
    return [
        "What `plan` does on hosts, on many of them:",
        "",
        "| hosts | forks | wall time | for each host | peak memory of the controller |",
        "|---|---|---|---|---|",
        f"| {found['hosts']} | {found['forks']} | {found['seconds']:.0f} s | {found['seconds_per_host']:.2f} s | "
        f"{found['peak_mib']} MiB |",
        "",
    ]


def write_table(report: dict, path: Path) -> None:
    """Replaces what stands between the marks of the page."""
    text = path.read_text(encoding="utf-8")
    head, rest = text.split(BEGIN)
    tail = rest.split(END)[1]
    path.write_text(f"{head}{BEGIN}\n{table(report)}\n{END}{tail}", encoding="utf-8")
