# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which product a PCI device is, by its ids, and by which names a pool may call it. Pure; the table is generated."""

from __future__ import annotations

import re

from .models_table import MODELS, VENDORS

_BRAND = re.compile(r"^(NVIDIA|AMD|HGX|GRID|Tesla|Quadro|GeForce|FirePro|Radeon Instinct|Instinct|Radeon Pro|Radeon|"
                    r"Data Center GPU) ", re.I)
_MEMORY = re.compile(r"[ -](\d+ ?GB?|HBM\d\w*)\b")
_FORM = re.compile(r"[ -](SXM\d?|PCIe|NVL\d*|DGXS|FHHL)\b", re.I)
_NOISE = re.compile(r"[ -](VF|MxGPU|AC|LC|secured|HL-\d+|Generation|"
                    r"(Max-Q )?(Server|Workstation) Edition|SFF Edition)\b")


def lookup(vendor_id, device_id, subsystem_vendor_id=None, subsystem_device_id=None):
    """Return what the catalogue has: a mapping with vendor, model, models, known and kind.

    Args:
        vendor_id: four hexadecimal digits, such as ``10de``, or None. The others likewise.

    ``model`` and ``kind`` are None and ``models`` is empty when the id is not in the catalogue; ``vendor`` is None when
    the vendor is not.
    """
    key = (vendor_id or "") + (device_id or "")
    row = MODELS.get(key + (subsystem_vendor_id or "") + (subsystem_device_id or "")) or MODELS.get(key)
    kind, model = row[:2] if row else (None, None)
    return {"vendor": VENDORS.get(vendor_id), "model": model, "models": names(model) if model else [],
            "known": row is not None, "kind": kind}


def names(model):
    """Return the names under which a pool may call a model, a list, the shortest first.

    ``H200 SXM 141GB`` gives H200, H200 SXM, H200 141GB and the whole name: who wants no H200 NVL says H200 SXM.

    Args:
        model: a name of the catalogue. One that stands for several products, such as ``A2 / A16``, gives the names of
            all of them: the ids do not tell which it is.
    """
    found = []
    for one in _products(model):
        stages = _stages(one)
        bare = stages[0]
        plain = _NOISE.sub("", _MEMORY.sub("", bare))
        form = _FORM.search(plain)
        short = _FORM.sub("", plain)
        found += [re.sub(r"^(RTX PRO \d+\w*) Blackwell$", r"\1", short), short]
        found.append(re.sub(r"^Gaudi(\d)", r"Gaudi \1", short))
        if form:
            found += [short + " " + form.group(1).rstrip("0123456789"), short + " " + form.group(1)]
        if _MEMORY.search(bare):
            found.append(_NOISE.sub("", _FORM.sub("", bare)).replace("-", " "))
        found += stages
    return [name for name in dict.fromkeys(found) if re.search("[A-Za-z]", name)]


def is_called(device, name):
    """Whether a device of the facts is of the model that a pool names; capitals, blanks and dashes make no difference.

    Args:
        device: a device of the facts.
        name: ``model`` of a pool.
    """
    return _folded(name) in {_folded(one) for one in device["models"]}


def _folded(name):
    return re.sub("[^a-z0-9]+", "", name.lower())


def _stages(name):
    """Return the name without its brands, then with more and more of them."""
    stages = [name]
    while _BRAND.match(stages[0]):
        stages.insert(0, _BRAND.sub("", stages[0]))
    return stages


def _products(model):
    """Return what one name stands for: ``Quadro RTX 6000/8000`` is Quadro RTX 6000 and Quadro RTX 8000."""
    parts = [part.strip() for part in model.split("/")]
    words = parts[0].split(" ")
    common = words[:next((n for n, word in enumerate(words) if re.search(r"\d", word)), 0)]
    found = [parts[0]]
    for part in parts[1:]:
        if re.match(r"\d+ ?GB?$", part):
            continue
        own = _BRAND.match(part) or (common and part.split(" ")[0] == common[0])
        found.append(part if own else " ".join(common + [part]))
    return found
