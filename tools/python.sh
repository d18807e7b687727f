#!/bin/sh
# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Prints an interpreter that really runs here and is new enough for ansible-core 2.19 (Python 3.11, 3.12 or 3.13).
# Found by running each one: the first python3 on PATH may be unreadable for this user (somebody else's pyenv),
# or a shim for a version that is not selected.
check='import sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))'
for candidate in ${PYTHON:-} python3.11 python3.12 python3.13 python3 \
    /usr/bin/python3.11 /usr/bin/python3.12 /usr/bin/python3.13 /usr/bin/python3 /usr/local/bin/python3; do
    if "$candidate" -c "$check" >/dev/null 2>&1; then
        # Shims cost a second each time: print what is behind them.
        "$candidate" -c 'import sys; print(sys.executable)'
        exit 0
    fi
done
echo "No Python 3.11, 3.12 or 3.13 runs here. On Debian and Ubuntu: apt-get install python3 python3-venv" >&2
exit 1
