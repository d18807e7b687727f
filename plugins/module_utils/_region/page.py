# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page of a region: one HTML document that needs no network, no script and no other file. Pure.

Everything that comes from outside goes through ``text``: names are chosen by tenants.
"""

from __future__ import annotations

from html import escape

from .page_style import STYLE

STATES = ("free", "used", "reserved")


def page(view):
    """Return the HTML document.

    Args:
        view: what page_view.view() returns.
    """
    return "\n".join([
        "<!DOCTYPE html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; style-src \'unsafe-inline\'">',
        "<title>Region {0}</title>".format(text(view["region"])),
        "<style>{0}</style>".format(STYLE),
        "</head>",
        "<body>",
        _header(view),
        "<main>",
        _sites(view["sites"]),
        _flavors(view["flavors"]),
        _projects(view["projects"]),
        _people(view["people"], view["providers"]),
        "</main>",
        _footer(view),
        "</body>",
        "</html>",
        "",
    ])


def text(value):
    """Return a value as HTML text, safe between tags and in quoted attributes."""
    return escape(str(value), quote=True)


def _header(view):
    pools = [pool for site in view["sites"] for pool in site["pools"]]
    numbers = {state: sum(pool[state] for pool in pools) for state in STATES}
    sums = [("devices free", numbers["free"]), ("in use", numbers["used"])]
    if numbers["reserved"]:
        sums.append(("reserved", numbers["reserved"]))
    sums += [("sites", len(view["sites"])), ("flavors", len(view["flavors"])), ("projects", len(view["projects"]))]
    cells = "".join("<div><dt>{0}</dt><dd>{1}</dd></div>".format(text(word), number) for word, number in sums)
    note = '<p class="note">{0}</p>'.format(text(view["note"])) if view["note"] else ""
    return '<header><p class="kicker">GPU region</p><h1>{0}</h1>{1}<dl class="sums">{2}</dl></header>'.format(
        text(view["region"]), note, cells
    )


def _sites(sites):
    key = "".join(
        '<span><i class="d {0}"></i>{1}</span>'.format(state, word)
        for state, word in (("free", "free"), ("used", "in use"), ("reserved", "reserved, not for tenants"))
    )
    return (
        '<section><h2>Where the devices are</h2><p class="key" aria-hidden="true">{0}</p>'
        '<div class="sites">{1}</div></section>'
    ).format(key, "".join(_site(site) for site in sites))


def _site(site):
    pools = "".join(_pool(pool) for pool in site["pools"]) or '<p class="pool soft">No pool.</p>'
    return (
        '<section class="site"><div><h3>{0}</h3><span class="soft">jurisdiction {1}</span></div>{2}</section>'.format(
            text(site["name"]), text(site["jurisdiction"]), pools
        )
    )


def _pool(pool):
    total = max(pool["total"], 1)
    widths = [(100.0 * pool[state] / total) for state in ("used", "reserved")]
    return (
        '<div class="pool"><div class="pool-head"><h4>{model} <span class="soft">pool {name}, {mode}</span></h4>'
        '<span class="soft">{said}</span></div>'
        '<div class="bar" aria-hidden="true"><i style="width:{used:.2f}%"></i><i style="width:{kept:.2f}%"></i></div>'
        "{hosts}</div>"
    ).format(
        model=text(pool["model"]),
        name=text(pool["name"]),
        mode=text(pool["mode"]),
        said="{0} of {1} free".format(pool["free"], pool["total"]) if pool["known"] else "not known",
        used=widths[0],
        kept=widths[1],
        hosts="".join(_host(host) for host in pool["hosts"]),
    )


def _host(host):
    numbers = [(state, sum(1 for device in host["devices"] if device["state"] == state))
               for state in STATES + ("unknown",)]
    said = ", ".join("{0} {1}".format(number, state) for state, number in numbers if number) or "no device"
    squares = "".join(
        '<li class="d {0}" title="{1}"><span class="unseen">{1}</span></li>'.format(
            device["state"] if device["state"] in STATES else "unknown", text(_device(device))
        )
        for device in host["devices"]
    )
    return '<div class="host"><span>{0}</span><ul class="devices" aria-label="{0}: {1}">{2}</ul></div>'.format(
        text(host["name"]), said, squares
    )


def _device(device):
    words = "{0} {1}".format(device["name"], device["state"]).strip()
    return "{0} by {1}".format(words, device["holder"]) if device["holder"] else words


def _flavors(flavors):
    rows = "".join(
        '<tr><th scope="row">{0}</th><td class="n">{1} &times; {2}</td><td class="n">{3}</td>'
        '<td class="n">{4:g} GiB</td><td class="n">{5} GiB</td><td>{6}</td></tr>'.format(
            text(flavor["name"]), flavor["gpus"], text(flavor["model"]), flavor["vcpus"], flavor["ram_mib"] / 1024.0,
            flavor["disk_gib"], _chips(flavor["access"]) if not flavor["public"] else "every project",
        )
        for flavor in flavors
    )
    return _table("What can be booted, and by whom", "Flavors and the projects that may use them", (
        ("Flavor", ""), ("GPUs", "n"), ("vCPUs", "n"), ("RAM", "n"), ("Disk", "n"), ("Who may use it", "")), rows)


def _projects(projects):
    rows = "".join(
        '<tr><th scope="row">{0}</th><td>{1}</td><td>{2}</td><td>{3}</td><td>{4}</td></tr>'.format(
            text(project["name"]) + ("" if project["enabled"] else ' <span class="chip">disabled</span>'),
            text(project["description"]),
            text(project["residency"] or "anywhere"),
            _chips(project["flavors"]),
            _chips("{0} × {1}".format(one["devices"], one["model"]) for one in project["holds"]) or "nothing",
        )
        for project in projects
    )
    return _table("Who there is, and what they hold", "Projects, the flavors they may use and the devices they hold", (
        ("Project", ""), ("What for", ""), ("Must stay in", ""), ("May use", ""), ("Holds now", "")), rows)


def _people(people, providers):
    """Return the tables of who may do what and who vouches for them; nothing where nothing of it is declared."""
    rows = "".join(
        '<tr><th scope="row">{0}</th><td>{1}</td><td>{2}</td><td>{3}</td></tr>'.format(
            text(one["name"]), text(one["description"]), _chips(one["is"]) or "nothing", _chips(one["who"]))
        for one in people
    )
    vouching = "".join(
        '<tr><th scope="row">{0}</th><td>{1}</td><td>{2}</td><td>{3}</td></tr>'.format(
            text(one["name"]) + ("" if one["enabled"] else ' <span class="chip">disabled</span>'),
            text(one["description"]), text(one["domain"]), _chips(one["ways"]))
        for one in providers
    )
    found = _table("Who may do what", "Groups and users and what they are, as declared", (
        ("Group or user", ""), ("What for", ""), ("Is", ""), ("Who that is", "")), rows) if rows else ""
    return found + (_table("Who vouches for users", "Identity providers, as declared", (
        ("Identity provider", ""), ("What for", ""), ("Domain of its users", ""), ("Logs in by", "")), vouching)
        if vouching else "")


def _table(title, caption, columns, rows):
    heads = "".join('<th scope="col"{0}>{1}</th>'.format(' class="n"' if kind else "", word) for word, kind in columns)
    rows = rows or '<tr><td colspan="{0}" class="soft">None.</td></tr>'.format(len(columns))
    return (
        '<section><h2>{0}</h2><div class="table" tabindex="0" role="region" aria-label="{0}"><table>'
        "<caption>{1}</caption><thead><tr>{2}</tr></thead><tbody>{3}</tbody></table></div></section>"
    ).format(text(title), text(caption), heads, rows)


def _chips(words):
    return "".join('<span class="chip">{0}</span>'.format(text(word)) for word in words)


def _footer(view):
    return "<footer><p>Asked of the region's own Keystone, Nova and Placement at {0}. {1}</p></footer>".format(
        text(view["written"]), text(view["note"])
    )
