# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the page of a region looks: one style sheet, light and dark, nothing fetched. Pure."""

from __future__ import annotations

STYLE = """
:root {
  color-scheme: light dark;
  --paper: #f4f5f2; --card: #ffffff; --ink: #16211d; --soft: #5a6862; --line: #dfe4df;
  --free: #d5eadf; --free-edge: #4f9d7c; --used: #17624a; --kept: #b7791f; --chip: #eaf0ec; --note: #fff3d6;
  --note-ink: #6b4a06;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #0f1513; --card: #171f1c; --ink: #e6eeea; --soft: #98a8a1; --line: #2a3531;
    --free: #1b332a; --free-edge: #3f8268; --used: #5fd0a4; --kept: #e0ac4f; --chip: #22302a; --note: #33290f;
    --note-ink: #f2d48d;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--paper); color: var(--ink); line-height: 1.5;
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif;
}
main, header, footer { max-width: 68rem; margin: 0 auto; padding: 0 1.5rem; }
header { padding-top: 3rem; }
h1 { font-size: 2.5rem; line-height: 1.15; letter-spacing: -.02em; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 1.3rem; letter-spacing: -.01em; margin: 3rem 0 1rem; }
h3 { font-size: 1.05rem; margin: 0; }
p { margin: 0; }
.kicker { color: var(--soft); font-size: .8rem; letter-spacing: .12em; text-transform: uppercase; }
.note {
  display: inline-block; margin-top: 1rem; padding: .35rem .8rem; border-radius: .5rem; background: var(--note);
  color: var(--note-ink); font-size: .92rem;
}
.sums { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: 1rem; margin: 2rem 0 0; }
.sums div { background: var(--card); border: 1px solid var(--line); border-radius: .8rem; padding: 1rem 1.2rem; }
.sums dt { color: var(--soft); font-size: .85rem; }
.sums dd { margin: 0; font-size: 2rem; font-weight: 650; letter-spacing: -.02em; font-variant-numeric: tabular-nums; }
.key { display: flex; flex-wrap: wrap; gap: 1.2rem; color: var(--soft); font-size: .88rem; }
.key span { display: inline-flex; align-items: center; gap: .45rem; }
.sites { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 27rem), 1fr)); gap: 1.25rem;
  margin-top: 1rem; }
.site { background: var(--card); border: 1px solid var(--line); border-radius: 1rem; padding: 1.4rem 1.5rem; }
.site > div:first-child, .pool-head { display: flex; justify-content: space-between; align-items: baseline; gap: 1rem; }
.site h3 { font-size: 1.15rem; }
.soft { color: var(--soft); font-size: .9rem; font-weight: 400; }
.pool { margin-top: 1.2rem; padding-top: 1.2rem; border-top: 1px solid var(--line); }
.pool h4 { margin: 0; font-size: 1rem; }
.bar { display: flex; height: .4rem; margin: .7rem 0 .9rem; border-radius: .2rem; overflow: hidden;
  background: var(--free); }
.bar i { background: var(--used); } .bar i + i { background: var(--kept); }
.host { display: grid; grid-template-columns: 6.5rem 1fr; align-items: center; gap: .75rem; padding: .3rem 0; }
.host > span { font-size: .92rem; overflow-wrap: anywhere; }
.devices { display: flex; flex-wrap: wrap; gap: .35rem; margin: 0; padding: 0; list-style: none; }
.d { width: 1.45rem; height: 1.45rem; border-radius: .32rem; flex: none; background: var(--free);
  border: 1.5px solid var(--free-edge); }
.d.used { background: var(--used); border-color: var(--used); }
.d.reserved { border-color: var(--kept);
  background: repeating-linear-gradient(45deg, var(--kept) 0 2px, transparent 2px 6px); }
.d.unknown { background: none; border: 1.5px dashed var(--soft); }
.key .d { width: 1rem; height: 1rem; border-radius: .25rem; }
.table { background: var(--card); border: 1px solid var(--line); border-radius: 1rem; overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .94rem; }
caption, .unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%);
  white-space: nowrap; }
th, td { text-align: left; vertical-align: top; padding: .75rem 1.2rem; border-top: 1px solid var(--line); }
thead th { border-top: 0; color: var(--soft); font-weight: 500; font-size: .85rem; }
tbody th { font-weight: 600; overflow-wrap: anywhere; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.chip { display: inline-block; margin: 0 .3rem .3rem 0; padding: .08rem .55rem; border-radius: 1rem;
  background: var(--chip); font-size: .88rem; overflow-wrap: anywhere; }
footer { margin-top: 3rem; padding-bottom: 3rem; color: var(--soft); font-size: .88rem; }
@media print { body { background: none; } .site, .table { break-inside: avoid; } }
"""
