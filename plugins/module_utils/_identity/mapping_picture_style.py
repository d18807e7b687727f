# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the picture of a mapping looks, light and dark, nothing fetched. Pure."""

from __future__ import annotations

# Colours stand beside what has them, not in variables: converters to other formats do not know those.
STYLE = """
text { font: 12px ui-monospace, "DejaVu Sans Mono", "Liberation Mono", Menlo, Consolas, monospace; fill: #16211d; }
.title { font: 600 17px system-ui, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
.column { font: 12px system-ui, "Segoe UI", Roboto, "Noto Sans", sans-serif; fill: #55635d; }
.name, .head { font-weight: 600; }
.value { fill: #55635d; }
.yes, .tip { fill: #17624a; }
.no { fill: #9a3412; }
.paper { fill: #f4f5f2; }
.card { fill: #ffffff; stroke: #cfd7d1; }
.hit { stroke: #17624a; stroke-width: 1.5; }
.miss { stroke-dasharray: 5 4; }
.arrow { fill: none; stroke: #17624a; stroke-width: 1.5; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6eeea; }
  .column, .value { fill: #a3b3ac; }
  .yes, .tip { fill: #5fd0a4; }
  .no { fill: #fb9a6f; }
  .paper { fill: #0f1513; }
  .card { fill: #171f1c; stroke: #35423c; }
  .hit, .arrow { stroke: #5fd0a4; }
}
"""
