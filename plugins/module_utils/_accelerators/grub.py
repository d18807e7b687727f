# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kernel arguments with GRUB as Debian and Ubuntu have it: a drop-in of ours, and the menu that is made from it.

``grub-mkconfig`` sources ``/etc/default/grub`` and then ``/etc/default/grub.d/*.cfg``, and gives every normal entry
``GRUB_CMDLINE_LINUX`` and after it ``GRUB_CMDLINE_LINUX_DEFAULT``. What the operator has in other files is never
changed and never repeated. Source: ``util/grub-mkconfig.in`` with Debian's patch ``mkconfig-grub.d``.
"""

from __future__ import annotations

from .._core.change import Action
from .._core.errors import HostError, NotInEffect, Refused
from . import arguments, grub_menu, shell

MAIN = "/etc/default/grub"
FOLDER = "/etc/default/grub.d"
DROP_IN = FOLDER + "/90-sovereign-region.cfg"
MENU = "/boot/grub/grub.cfg"
_ALL, _NORMAL = "GRUB_CMDLINE_LINUX", "GRUB_CMDLINE_LINUX_DEFAULT"
_HEAD = """\
# Written by sovereign.region.kernel_arguments. Changes by hand are lost; put arguments of your own into
# {0} instead, where they are found and never repeated here.
""".format(MAIN)
# os-prober looks at every disk.
_TIMEOUT = 600


def observe(host):
    """Return what is set and what is in the menu: ``{"files": [[path, text], ...], "own", "menu"}``.

    ``files``: what is sourced besides our drop-in, in order. ``own``: the text of the drop-in, or None. ``menu``: see
    ``grub_menu.read``; None without one.
    """
    names = [name for name in host.names(FOLDER) if name.endswith(".cfg") and not name.startswith(".")]
    paths = [MAIN] + ["{0}/{1}".format(FOLDER, name) for name in names]
    texts = [[path, host.text(path)] for path in paths if path != DROP_IN]
    menu = host.text(MENU)
    return {
        "files": [[path, text] for path, text in texts if text is not None],
        "own": _own_text(host),
        "menu": None if menu is None else grub_menu.read(menu),
    }


def _own_text(host):
    try:
        return host.read_text(DROP_IN)
    except OSError:
        return None


def drop_in(items):
    """Return the text of our drop-in; None when there is nothing to say. Pure."""
    if not items:
        return None
    return '{0}{1}="${1} {2}"\n'.format(_HEAD, _ALL, " ".join(items))


def own_arguments(text):
    """Return the arguments in the text of our drop-in. Pure."""
    return [word for word, unused, line in shell.words(shell.source([(DROP_IN, text or "")]).values.get(_ALL, ()))]


def sourced(files, own):
    """Return shell.Sourced for the operator's files with our drop-in at its place. Pure."""
    given = list(files)
    if own is not None:
        after = [path for path, text in given if path > DROP_IN]
        place = len(given) - len(after)
        given.insert(place, (DROP_IN, own))
    return shell.source(given)


def words(state):
    """Return (argument, path, line) of every argument of a normal entry, in order. Pure."""
    return shell.words(state.values.get(_ALL, ())) + shell.words(state.values.get(_NORMAL, ()))


def _reaching(found):
    """Return those of ``words`` that reach the kernel."""
    return found[:len(arguments.kernel_part([word for word, path, line in found]))]


def wanted(declared, absent, observed):
    """Return what our drop-in should hold: what it has, without what goes, and what is declared and set nowhere else.

    Pure. Raises Refused when what the operator set elsewhere stands against it.
    """
    theirs = _reaching(words(sourced(observed["files"], None)))
    refusals = _refusals(declared, absent, theirs)
    if refusals:
        raise Refused("\n".join(refusals))
    elsewhere = [word for word, path, line in theirs]
    ours = arguments.missing(elsewhere, declared)
    own, kept = own_arguments(observed["own"]), []
    if arguments.named(declared, "hugepages") and _pages(own) != _pages(ours):
        own = [one for one in own if one not in _pages(own)]
    for one in own:
        gone = any(arguments.matches(one, other) for other in absent)
        replaced = any(arguments.opposed([one], other) for other in declared)
        doubled = one not in ours and any(arguments.plain(one) == arguments.plain(other) for other in declared)
        if not gone and not replaced and not doubled:
            kept.append(one)
    return _merged(kept, ours)


def _pages(items):
    return arguments.named(items, "hugepages")


def _merged(kept, ours):
    """Keep the order that is there, so that two tasks do not take turns; take the declared one where order counts."""
    ordered = [one for one in ours if arguments.is_repeated(arguments.name_of(one))]
    merged = kept + [one for one in ours if one not in kept]
    if [one for one in merged if one in ordered] == ordered:
        return merged
    kept = [one for one in kept if one not in ordered]
    return kept + [one for one in ours if one not in kept]


def _refusals(declared, absent, theirs):
    found = []
    for word, path, line in theirs:
        pattern = next((one for one in absent if arguments.matches(word, one)), None)
        if pattern:
            found.append("{0}:{1}: {2!r} is set there, and declared absent by {3!r}; this file is yours: take it out "
                         "there and run update-grub".format(path, line, word, pattern))
            continue
        against = next((one for one in declared if arguments.opposed([word], one)), None)
        if against:
            found.append("{0}:{1}: {2!r} is set there, and {3!r} is declared; only one of them can count, and this "
                         "file is yours: take it out there".format(path, line, word, against))
    pages, mine = _pages([word for word, path, line in theirs]), _pages(declared)
    if pages and mine and arguments.missing(pages, mine):
        path, line = next(one[1:] for one in theirs if one[0] == pages[0])
        found.append("{0}:{1}: {2!r} is set there; huge pages only mean something as one list, so they cannot be "
                     "declared beside it: take them out there, or declare none".format(path, line, " ".join(pages)))
    return found


def plan(declared, absent, observed, deferred):
    """Return the actions. Pure.

    Args:
        declared: arguments that should be there.
        absent: arguments, or names of arguments, that should not.
        observed: as ``observe`` returned it.
        deferred: what the change waits for, or None.
    """
    items = wanted(declared, absent, observed)
    own, text = observed["own"], drop_in(items)
    state = sourced(observed["files"], text)
    if state.broken:
        path, line, why = state.broken[0]
        raise Refused("{0}:{1}: {2}; update-grub cannot read that file: mend it first".format(path, line, why))
    there = [word for word, path, line in _reaching(words(state))]
    lost = arguments.missing(there, declared)
    if lost:
        raise Refused(_lost(lost[0], len(there) < len(words(state)), state))
    before = own_arguments(own)
    actions = []
    if own != text:
        verb = "create" if own is None else "delete" if text is None else "update"
        actions.append(Action(verb, "GRUB drop-in", DROP_IN, None if own is None else {"arguments": before},
                              None if text is None else {"arguments": items}, deferred=deferred, details=text))
    # What older runs left in our drop-in is held too, as far as the operator's files let it count.
    rest = [one for one in items if one not in declared]
    every = declared + [one for one in rest if one not in arguments.missing(there, rest)]
    unclear = bool({_ALL, _NORMAL, "*"}.intersection(state.unclear))
    aim = (every, absent, None if unclear else there)
    left = difference(observed["menu"], *aim)
    if actions or left["missing"] or left["unwanted"] or not left["complete"]:
        actions.append(Action("run", "boot menu", MENU, left, dict(left, missing=[], unwanted=[], complete=True),
                              deferred=deferred, details=aim))
    return actions


def _lost(argument, is_cut, state):
    after = [one for one in state.assigned if one[0] == _ALL and one[1] > DROP_IN]
    if is_cut and not after:
        return "{0!r} would stand after '--', where the kernel does not read it; take '--' out of {1}".format(
            argument, MAIN)
    where = "{0}:{1}".format(after[-1][1], after[-1][2]) if after else FOLDER
    return ("{0}: {1} is set anew there, so what comes before it is lost, {2!r} among it; write "
            "{1}=\"${1} …\" there".format(where, _ALL, argument))


def difference(menu, every, absent, there):
    """Return how the menu differs from what the settings say: entries, missing, unwanted, complete. Pure.

    Args:
        menu: as ``grub_menu.read`` returned it, or None.
        every: arguments that each entry should have.
        absent: arguments, or names of arguments, that none should have.
        there: what the settings give an entry; None when that is not wholly known.
    """
    menu = menu or {"entries": [], "complete": False}
    missing, unwanted = [], []
    for entry in menu["entries"]:
        has = entry["arguments"]
        missing += [one for one in arguments.missing(has, every) + _moved(has, every, there) if one not in missing]
        for one in has:
            gone = any(arguments.matches(one, other) for other in absent)
            # What the settings have once and the menu has twice is left over from older settings.
            many = there is not None and one in every and has.count(one) > max(1, there.count(one))
            if (gone or many) and one not in unwanted:
                unwanted.append(one)
    return {"entries": len(menu["entries"]), "missing": missing, "unwanted": unwanted,
            "complete": menu["complete"] and bool(menu["entries"])}


def _moved(has, every, there):
    """Return those of which each counts, when they stand in another order than the settings have them."""
    is_ordered = [one for one in every if arguments.is_repeated(arguments.name_of(one))]
    if there is None or [one for one in has if one in is_ordered] == [one for one in there if one in is_ordered]:
        return []
    return is_ordered


def perform(host, action):
    """Carry out one action. Raises HostError, NotInEffect."""
    if action.kind == "boot menu":
        _make_menu(host, action)
    elif action.verb == "delete":
        host.remove_file(DROP_IN)
    else:
        host.make_directory(FOLDER)
        host.write_file(DROP_IN, action.details)


def _make_menu(host, action):
    done = host.run(["update-grub"], _TIMEOUT, changes=True)
    if not done.ok:
        raise HostError("{0}; {1} is as it was".format(done.words(), MENU))
    menu = observe(host)["menu"]
    left = difference(menu, *action.details)
    if left["missing"] or left["unwanted"] or not left["complete"]:
        raise NotInEffect(
            "update-grub ended well, but {0} is not as its settings say ({1} normal entries; missing in one of them: "
            "{2}; left over: {3}); look at the scripts in /etc/grub.d".format(
                MENU, left["entries"], ", ".join(left["missing"]) or "nothing",
                ", ".join(left["unwanted"]) or "nothing"))


def doubts(observed):
    """Return one sentence for each setting of which only a shell could tell what it adds. Pure."""
    state = sourced(observed["files"], observed["own"])
    return ["{0}:{1}: {2}; what is set there is only seen in {3}".format(path, line, why, MENU)
            for name, (path, line, why) in sorted(state.unclear.items()) if name in (_ALL, _NORMAL, "*")]
