# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What gives PCI functions their declared drivers at boot, on hosts without driverctl: four small files.

The format is driverctl's own: ``/etc/driverctl.d/pci-<address>`` holds the name of a driver. Source: driverctl 0.111,
``save_override`` and ``05-driverctl.rules``.

The unit runs before udev looks at the devices that are there, so a native driver is not even loaded for them; what the
initramfs bound already is moved, and nothing can be using it yet. The udev rule is for functions that appear later,
such as virtual ones; it takes nothing from a driver but a network VF whose interface is down. The script lies in /etc
because that is there before anything is mounted, and is run by /bin/sh, so it needs no execute permission.
"""

from __future__ import annotations

from .._hardware import boot_drivers

SCRIPT = r"""#!/bin/sh
# Written by sovereign.region.pci_driver; a change made here is replaced.
# Gives PCI functions the drivers that /etc/driverctl.d/pci-<address> names.
#   pci-driver.sh                 all of them; for early boot, when nothing uses a device yet
#   pci-driver.sh --add ADDRESS   one that has just appeared; it is not taken from a driver that may be using it
#   --root DIRECTORY              what stands for /
set -u
root=
added=
while [ $# -gt 0 ]; do
    case $1 in
        --root) root=${2:?a directory}; shift 2 ;;
        --add) added=${2:?an address}; shift 2 ;;
        *) echo "usage: pci-driver.sh [--root DIRECTORY] [--add ADDRESS]" >&2; exit 64 ;;
    esac
done
pci=$root/sys/bus/pci
status=0

fail() {
    echo "pci-driver: $*" >&2
    status=1
}

put() {
    echo "$1" 2>/dev/null > "$2" || fail "the kernel refused $1 in $2"
}

wanted() {
    driver=
    [ -r "$root/etc/driverctl.d/pci-$1" ] || return 1
    read -r driver < "$root/etc/driverctl.d/pci-$1" || :
    [ -n "$driver" ] && [ -e "$pci/devices/$1/driver_override" ]
}

current() {
    now=$(readlink "$pci/devices/$1/driver") || now=
    now=${now##*/}
}

idle_network_vf() {
    [ -e "$pci/devices/$1/physfn" ] || return 1
    read -r class < "$pci/devices/$1/class" || return 1
    case $class in 0x02*) ;; *) return 1 ;; esac
    for file in "$pci/devices/$1"/net/*/flags; do
        [ -r "$file" ] || continue
        read -r flags < "$file" || return 1
        [ $((flags & 1)) -eq 0 ] || return 1
    done
}

addresses=$added
if [ -z "$added" ]; then
    for file in "$root"/etc/driverctl.d/pci-*; do
        [ -f "$file" ] && addresses="$addresses ${file##*/pci-}"
    done
fi

# All overrides first, then all unbinding, then all binding: an IOMMU group is used as a whole.
ready=
for address in $addresses; do
    wanted "$address" || continue
    if [ "$driver" != none ] && [ ! -d "$pci/drivers/$driver" ] && ! modprobe "$driver"; then
        fail "$address stays as it is: there is no driver $driver in this kernel"
        continue
    fi
    read -r override < "$pci/devices/$address/driver_override" || override=
    [ "$override" = "$driver" ] || put "$driver" "$pci/devices/$address/driver_override"
    ready="$ready $address"
done
for address in $ready; do
    wanted "$address" || continue
    current "$address"
    [ -n "$now" ] && [ "$now" != "$driver" ] || continue
    if [ -z "$added" ] || idle_network_vf "$address"; then
        put "$address" "$pci/drivers/$now/unbind"
    fi
done
for address in $ready; do
    wanted "$address" || continue
    [ "$driver" != none ] || continue
    current "$address"
    [ -n "$now" ] || put "$address" "$pci/drivers_probe"
    current "$address"
    [ "$now" = "$driver" ] || fail "$address is on ${now:-no driver} instead of $driver"
done
exit $status
"""

UNIT = """# Written by sovereign.region.pci_driver; a change made here is replaced.
[Unit]
Description=Give PCI functions the drivers that /etc/driverctl.d names
DefaultDependencies=no
ConditionDirectoryNotEmpty=/etc/driverctl.d
Before=systemd-udev-trigger.service systemd-modules-load.service sysinit.target
# It takes functions from their drivers, which is safe only at boot.
RefuseManualStart=yes
RefuseManualStop=yes

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh {0}
TimeoutStartSec=120
""".format(boot_drivers.SCRIPT)

WANTS = """# Written by sovereign.region.pci_driver; a change made here is replaced.
[Unit]
Wants=sovereign-region-pci-driver.service
"""

RULES = """# Written by sovereign.region.pci_driver; a change made here is replaced.
ACTION=="add", SUBSYSTEM=="pci", TEST=="/etc/driverctl.d/pci-$kernel", RUN+="/bin/sh {0} --add $kernel"
""".format(boot_drivers.SCRIPT)

# In this order each file finds what it names: a power cut between two leaves nothing that points to nothing.
FILES = ((boot_drivers.SCRIPT, SCRIPT), (boot_drivers.UNIT, UNIT), (boot_drivers.RULES, RULES),
         (boot_drivers.WANTS, WANTS))
