# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to be done about releases: new files first, then the switch, and collection last. Pure.

``observed`` is what ``release.observe`` returns; its docstring has the shape.
"""

from __future__ import annotations

from .._core.change import Action
from .._core.errors import DeclarationError, Refused, nearest
from . import release_files, release_holders, release_manifest, release_tarball


def name_of(params):
    """Return the name of the declared release."""
    return release_manifest.name_of(params["version"], params["flavour"])


def directory_of(params):
    """Return the directory of releases, without a slash at its end."""
    return params["directory"].rstrip("/")


def path_of(params, name):
    """Return the path of a name in the directory of releases."""
    return "{0}/{1}".format(directory_of(params), name)


def cached_tarball(params):
    """Return the path under which a downloaded tarball lies until it is unpacked; None when nothing is downloaded."""
    if "://" not in (params["source"] or "") or not params["sha256"]:
        return None
    return path_of(params, "{0}/{1}.tar.{2}".format(
        release_files.TARBALLS, params["sha256"].lower(), release_tarball.compression(params["source"])))


def decide(params, observed):
    """Return the plan. Raises DeclarationError, Refused."""
    for role, text in sorted(observed["foreign"].items()):
        raise Refused("{0} is {1}, and no link to a release in that directory; move it away first".format(
            path_of(params, "{0}-{1}".format(role, params["flavour"])), text))
    steps = {"absent": _absent, "rolled_back": _rolled_back}.get(params["state"], _present)
    return steps(params, observed)


def _present(params, observed):
    plan = _leftovers(params, observed) + _install(params, observed)
    links = after_switch(params, observed["links"], observed["releases"])
    # The previous one first: a run that is killed in between has lost nothing that the next one needs.
    plan += _switch(params, observed["links"], links, ("previous", "current"))
    return plan + [_removal(params, name) for name in collectable(params, observed) if not kept_because(observed, name)]


def after_switch(params, links, releases):
    """Return {"current", "previous"} as they are to be: names of releases, or None."""
    name = name_of(params)
    if params["state"] != "current" or links["current"] == name:
        return dict(links)
    before = links["current"] if links["current"] in releases else links["previous"]
    return {"current": name, "previous": before if before != name else None}


def collectable(params, observed):
    """Return the names of releases that ``keep`` or ``state=absent`` would remove, whether or not they are in use.

    The current and the previous release count among those that are kept, and of the others the newest are kept.
    """
    name, releases = name_of(params), observed["releases"]
    if params["state"] == "absent":
        return [name] if name in releases else []
    if params["keep"] is None or params["state"] == "rolled_back":
        return []
    links = after_switch(params, observed["links"], releases)
    # In a list of releases none is removed for the sake of another that is declared beside it.
    declared = [name_of(one) for one in params.get("beside") or ()
                if one["flavour"] == params["flavour"] and one["state"] in ("present", "current")]
    safe = {one for one in [name] + declared + list(links.values()) if one}
    others = [one for one, release in releases.items()
              if release["record"] and release["flavour"] == params["flavour"] and one not in safe]
    others.sort(key=lambda one: (release_tarball.version_key(releases[one]["version"]), one), reverse=True)
    return sorted(others[max(0, params["keep"] - len(safe)):])


def kept_because(observed, name):
    """Return the sentences that say why a release must not be removed now; none when it may be."""
    found = list(observed["holders"].get(name, ()))
    found += ["{0} names it".format(path) for path in observed["references"].get(name, ())]
    return found + ["it cannot be told whether it is in use: {0}".format(one) for one in observed["doubts"]]


def _leftovers(params, observed):
    """Return what removes the remains of killed runs. What another run is at work on, or a process uses, stays."""
    return [Action("delete", "leftover", path_of(params, name), {"path": path_of(params, name)}, None,
                   details=("remove", path_of(params, name)))
            for name in observed["leftovers"] if name not in observed["busy"] and not _is_held(observed, name)]


def _is_held(observed, name):
    return name.startswith(release_files.REMOVING) and bool(kept_because(observed, name))


def _install(params, observed):
    name = name_of(params)
    release, path, cache = observed["releases"].get(name), path_of(params, name), cached_tarball(params)
    tarball = observed["tarball"]
    if release is not None:
        _refuse_other(params, release, path)
        if cache and tarball:
            return [Action("delete", "tarball", cache, {"path": cache}, None, details=("remove", cache))]
        return []
    _refuse_without_means(params, observed)
    plan = []
    shown = {"source": release_manifest.public_source(params["source"]), "sha256": params["sha256"].lower()}
    if cache and tarball and tarball["sha256"] != shown["sha256"]:
        plan.append(Action("delete", "tarball", cache, {"sha256": tarball["sha256"]}, None, details=("remove", cache)))
        tarball = None
    if cache and not tarball:
        plan.append(Action("create", "tarball", cache, None, shown, details=("fetch", cache)))
    plan.append(Action("create", "Kata release", name, None, dict(shown, path=path),
                       details=("install", cache or params["source"])))
    if cache:
        plan.append(Action("delete", "tarball", cache, {"path": cache}, None, details=("remove", cache)))
    return plan


def _refuse_other(params, release, path):
    """Raise Refused when the directory is not what would be unpacked into it; nothing is ever overwritten."""
    if release["record"] is None:
        raise Refused("{0} is there, and {1}; nothing is overwritten: move it away, or choose another directory".format(
            path, release["problem"]))
    if release["record"]["sha256"] != params["sha256"].lower():
        raise Refused("sha256: {0} was unpacked from the tarball {1} ({2}), declared is {3}; a release is never "
                      "overwritten: give the other build a version of its own, such as {4}-2".format(
                          path, release["record"]["sha256"], release["record"]["source"], params["sha256"].lower(),
                          params["version"]))
    if release["damage"]:
        raise Refused("{0} is not as it was unpacked ({1}); a release is never repaired in place: switch to another "
                      "one, remove this one with state=absent, and install it anew".format(path, release["damage"]))


def _refuse_without_means(params, observed):
    name, source, tarball = name_of(params), params["source"], observed["tarball"]
    if release_files.UNPACKING + name in observed["busy"]:
        raise Refused("another run is unpacking {0} just now; try again when it is done".format(name))
    if not source:
        raise DeclarationError("version: {0!r} of {1!r} is not installed, and source does not say where its tarball "
                               "is; installed: {2}".format(params["version"], params["flavour"],
                                                           _others(params, observed) or "none"))
    if release_tarball.compression(source) == "zst" and not observed["unpacker"]:
        raise Refused("{0} is compressed with Zstandard, and this host has no program zstd; install the package zstd "
                      "(it is called so in Debian, Ubuntu, Fedora, RHEL and SUSE)".format(
                          release_manifest.public_source(source)))
    if "://" in source:
        return
    if tarball is None:
        close = nearest(source.rpartition("/")[2], observed["near"])
        raise DeclarationError("source: there is no file {0} on the host{1}".format(
            source, "; the nearest there is {0!r}".format(close) if close else ""))
    if tarball["sha256"] != params["sha256"].lower():
        raise DeclarationError("sha256: {0} has the SHA-256 {1}, declared is {2}; nothing was unpacked".format(
            source, tarball["sha256"], params["sha256"].lower()))


def _switch(params, before, after, order):
    plan = []
    for role in order:
        if before[role] == after[role]:
            continue
        link = path_of(params, "{0}-{1}".format(role, params["flavour"]))
        old = None if before[role] is None else {"release": before[role]}
        new = None if after[role] is None else {"release": after[role]}
        verb = "create" if old is None else "delete" if new is None else "update"
        details = ("remove", link) if new is None else ("link", link, after[role])
        plan.append(Action(verb, "{0} release".format(role), params["flavour"], old, new, details=details))
    return plan


def _rolled_back(params, observed):
    name, links, releases = name_of(params), observed["links"], observed["releases"]
    plan, back = _leftovers(params, observed), links["previous"]
    if links["current"] != name:
        # A run that was killed between the two links.
        halfway = links["current"] is not None and back == links["current"] and name in releases
        return plan + _switch(params, links, dict(links, previous=name if halfway else back), ("previous",))
    if back is None or back == name or back not in releases:
        raise Refused("{0} is current, and there is no previous release to go back to; others that are installed: "
                      "{1}; to choose one of them, declare it with state=current".format(
                          name, _others(params, observed) or "none"))
    release = releases[back]
    if release["record"] is None or release["damage"]:
        raise Refused("{0}, the previous release, cannot take over: {1}".format(
            path_of(params, back), release["damage"] or release["problem"]))
    return plan + _switch(params, links, {"current": back, "previous": name}, ("current", "previous"))


def _others(params, observed):
    """Return the versions of the flavour that are installed besides the declared one, as a text."""
    return ", ".join(one["version"] for one in observed["releases"].values()
                     if one["flavour"] == params["flavour"] and one["version"] != params["version"])


def _absent(params, observed):
    name, (links, later) = name_of(params), _links_in_a_list(params, observed)
    plan, release = _leftovers(params, observed), observed["releases"].get(name)
    path = path_of(params, name)
    if release is None:
        held = release_files.REMOVING + name
        if held in observed["leftovers"] and _is_held(observed, held):
            raise Refused("{0} is in use: {1}".format(
                path_of(params, held), release_holders.words(kept_because(observed, held))))
        return plan
    if release["record"] is None:
        raise Refused("{0}: {1}; remove it by hand when it is not needed".format(path, release["problem"]))
    reasons = []
    if observed["links"]["current"] == name and not _is_alone(params, observed):
        reasons.append("it is the current release; switch to another one first")
    elif observed["links"]["current"] != name and name in (links["current"], later["current"]):
        reasons.append("a rollback of the list makes it the current one; remove it in a later run")
    reasons += kept_because(observed, name)
    if reasons:
        raise Refused("{0} cannot be removed: {1}".format(path, release_holders.words(reasons)))
    # The links first: a run that is killed in between leaves none that leads to nothing.
    after = {role: None if one == name else one for role, one in links.items()}
    return plan + _switch(params, links, after, ("previous", "current")) + [_removal(params, name)]


def _is_alone(params, observed):
    """Whether no other release of the flavour is installed, or is to be, but those that the same list removes."""
    beside = params.get("beside") or ()
    declared = [name_of(one) for one in beside if one["state"] in ("present", "current")]
    leaving = [name_of(one) for one in beside if one["state"] == "absent"] + [name_of(params)]
    return not [one for one in declared + list(observed["releases"])
                if one not in leaving and release_manifest.split_name(one)[1] == params["flavour"]]


def _links_in_a_list(params, observed):
    """Return the links as they are when it is the turn of this release in its list, and after the whole of it."""
    links = mine = dict(observed["links"])
    for one in params.get("beside") or ():
        if name_of(one) == name_of(params):
            mine = links
        elif one["flavour"] == params["flavour"] and one["state"] == "rolled_back" and links["current"] == name_of(one):
            links = {"current": links["previous"], "previous": links["current"]}
        elif one["flavour"] == params["flavour"]:
            links = after_switch(one, links, observed["releases"])
    return mine, links


def _removal(params, name):
    return Action("delete", "Kata release", name, {"path": path_of(params, name)}, None, details=("collect", name))
