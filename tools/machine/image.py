# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guest that every machine boots: Debian trixie on one ext4 file system, with its own kernel and grub.cfg.

Made once and kept in the cache, keyed by the files that decide what is in it. No partitions and no boot record: grub is
started by QEMU as a kernel (lnxboot.img) and reads /boot/grub/grub.cfg from the disk, so that kernel arguments are the
guest's own affair and survive, or change, as on a real host.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import time
import uuid
from pathlib import Path

import cache
import progress

from . import debian, emulator, sample_mdev
from .variants import STANDARD, VARIANTS, Variant

HERE = Path(__file__).resolve().parent
GUEST = HERE / "guest"  # files of the guest, as they lie in it
DISK, LOADER, KEY, KNOWN_HOSTS, STAMP = "disk.raw", "grub.lnx", "key", "known_hosts", "image.json"
SIZE = "3G"
UNUSED_SECONDS = 30 * 24 * 3600
PACKAGES = (
    "linux-image-amd64", "initramfs-tools", "zstd", "kmod", "udev", "systemd-sysv", "iproute2", "procps", "pciutils",
    "openssh-server", "python3", "grub2-common",
)
# Decided before packages are configured, because an initramfs is made while they are.
EARLY = "etc/initramfs-tools/conf.d usr/share/initramfs-tools/modules.d"
# Documentation, and drivers of what no machine here has.
LEFT_OUT = (
    "usr/share/doc/*", "usr/share/man/*", "usr/share/locale/*", "usr/share/info/*",
    *(f"usr/lib/modules/*/kernel/{part}/*" for part in (
        "drivers/media", "drivers/staging", "drivers/iio", "drivers/net/wireless",
        "drivers/isdn", "drivers/usb/gadget", "drivers/mtd", "drivers/bluetooth", "net/bluetooth", "net/mac80211",
        "sound/soc", "sound/usb", "sound/firewire", "sound/isa", "fs/xfs", "fs/btrfs", "fs/ocfs2", "fs/bcachefs")),
)
# Drivers of displays, so of GPUs, need these.
KEPT = tuple(f"usr/lib/modules/*/kernel/drivers/media/{part}/*" for part in ("cec", "rc"))
# What only costs time: nothing here is used for long, has a screen, or reaches a network.
MASKED = (
    "apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer", "e2scrub_all.timer", "e2scrub_reap.service",
    "fstrim.timer", "getty-static.service", "getty@tty1.service", "logrotate.timer", "serial-getty@ttyS0.service",
    "systemd-binfmt.service", "systemd-journal-flush.service", "systemd-network-generator.service",
    "systemd-networkd-persistent-storage.service", "systemd-networkd-wait-online.service",
    "systemd-pcrphase.service", "systemd-random-seed.service", "systemd-tmpfiles-clean.timer",
    "systemd-tpm2-setup-early.service", "systemd-tpm2-setup.service", "systemd-update-utmp.service",
    "systemd-user-sessions.service",
)
ARGUMENTS = "console=ttyS0 quiet mitigations=off fsck.mode=skip systemd.show_status=0"
# What grub needs to read its configuration, and what a configuration made by update-grub uses.
GRUB_MODULES = ("biosdisk", "ext2", "normal", "linux", "configfile", "search", "search_fs_uuid", "search_label", "test",
                "echo", "gzio", "part_gpt", "part_msdos", "sleep", "reboot", "minicmd", "loadenv", "true", "serial",
                "terminal", "regexp")
GRUB_START = "set root=(hd0)\nset prefix=(hd0)/boot/grub\nconfigfile /boot/grub/grub.cfg\n"
CONFIGURATION = "/boot/grub/grub.cfg"
SSH_SERVER = "etc/ssh/ssh_host_ed25519_key"


def location(variant: Variant = VARIANTS[STANDARD]) -> Path:
    """Where the image is or will be."""
    key = hashlib.sha256("\0".join(variant.packages).encode())
    sources = [HERE / name for name in ("debian.py", "image.py", "sample_mdev.py", "emulator.py")]
    for path in [*sources, *sorted(path for path in GUEST.rglob("*") if path.is_file())]:
        key.update(f"{path.relative_to(HERE)}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return cache.root() / "machine" / f"image-{key.hexdigest()[:16]}"


def make(variant: Variant = VARIANTS[STANDARD]) -> Path:
    """The directory of the image, made now unless it exists."""
    directory = location(variant)
    if not (directory / STAMP).exists():
        with cache.locked(directory, "the image of the test machines"):
            if not (directory / STAMP).exists():
                emulator.make()
                _build(directory, variant)
                _forget(directory.parent)
    (directory / STAMP).touch()
    return directory


def _forget(images: Path) -> None:
    """Removes images that nobody has used for a month: each change of what goes into one makes another."""
    for stamp in images.glob(f"image-*/{STAMP}"):
        if time.time() - stamp.stat().st_mtime > UNUSED_SECONDS:
            shutil.rmtree(stamp.parent, ignore_errors=True)


def change_first_boot(disk: Path, arguments: str) -> None:
    """Adds kernel arguments to grub.cfg on that disk, and to nothing else: the guest's next update-grub loses them."""
    shell = emulator.command("usr/sbin/debugfs", "-w", "-f", "-", str(disk))
    read = emulator.command("usr/sbin/debugfs", "-R", f"cat {CONFIGURATION}", str(disk))
    run = {"env": emulator.variables(), "check": True, "text": True, "stdout": subprocess.PIPE,
           "stderr": subprocess.DEVNULL}
    lines = subprocess.run(read, stdin=subprocess.DEVNULL, **run).stdout.splitlines()
    draft = disk.with_suffix(".cfg")
    wanted = "".join(f"{line} {arguments}\n" if line.startswith("linux ") else f"{line}\n" for line in lines)
    draft.write_text(wanted)
    # debugfs takes words: by its name alone, the file is found also where the directory has a space in its name.
    subprocess.run(shell, input=f"rm {CONFIGURATION}\nwrite {draft.name} {CONFIGURATION}\n", cwd=disk.parent, **run)
    draft.unlink()
    if subprocess.run(read, stdin=subprocess.DEVNULL, **run).stdout != wanted:
        raise OSError(f"{disk}: {CONFIGURATION} could not be changed")


def _build(directory: Path, variant: Variant) -> None:
    started = time.monotonic()
    shutil.rmtree(directory, ignore_errors=True)
    root = directory / "root"
    early = f"cd '{GUEST}' && tar c --owner=0 --group=0 {EARLY} | tar x -C \"$1\""
    paths = [*(f"exclude=/{pattern}" for pattern in LEFT_OUT), *(f"include=/{pattern}" for pattern in KEPT)]
    debian.tree(root, f"guest of the {variant.name} test machines", (*PACKAGES, *variant.packages),
                ["--variant=minbase", f"--essential-hook={early}", *(f"--dpkgopt=path-{path}" for path in paths)])
    release = next((root / "usr/lib/modules").iterdir()).name
    sample_mdev.install(root, release)
    identifier = str(uuid.uuid4())
    _configure(root, release, identifier)
    _make_keys(root, directory)
    _make_disk(root, directory, identifier)
    _make_loader(directory)
    shutil.rmtree(root)
    facts = {"release": release, "seconds": round(time.monotonic() - started),
             "mib": round((directory / DISK).stat().st_blocks * 512 / 2**20)}
    (directory / STAMP).write_text(json.dumps(facts) + "\n", encoding="utf-8")
    progress.say(f"  image of the {variant.name} machines: {facts['mib']} MiB, {facts['seconds']} s, kernel {release}")


def _configure(root: Path, release: str, identifier: str) -> None:
    """Everything that makes it this machine and not just any Debian."""
    shutil.copytree(GUEST, root, dirs_exist_ok=True)
    (root / "etc/fstab").write_text(f"UUID={identifier} / ext4 noatime,errors=remount-ro 0 0\n", encoding="utf-8")
    (root / "etc/machine-id").write_text(uuid.uuid4().hex + "\n", encoding="utf-8")
    grub = root / "boot/grub"
    grub.mkdir(exist_ok=True)
    # As update-grub would make it; it needs the running machine to find the root file system, so not here.
    (root / "etc/default/grub").write_text(
        f'GRUB_DEFAULT=0\nGRUB_TIMEOUT=0\nGRUB_TERMINAL=console\nGRUB_DISTRIBUTOR=Debian\n'
        f'GRUB_CMDLINE_LINUX_DEFAULT="{ARGUMENTS}"\nGRUB_CMDLINE_LINUX=""\n', encoding="utf-8")
    (grub / "grub.cfg").write_text(
        f"linux /boot/vmlinuz-{release} root=UUID={identifier} ro {ARGUMENTS}\n"
        f"initrd /boot/initrd.img-{release}\nboot\n", encoding="utf-8")
    for unit in MASKED:
        link = root / "etc/systemd/system" / unit
        link.unlink(missing_ok=True)
        link.symlink_to("/dev/null")
    generators = root / "etc/systemd/system-generators"
    generators.mkdir(exist_ok=True)
    (generators / "systemd-ssh-generator").symlink_to("/dev/null")  # it complains that there is no vsock
    # Loading them is most of a boot; an emulated processor unpacks slowly.
    modules = sorted(map(str, (root / "usr/lib/modules" / release).rglob("*.ko.xz")))
    subprocess.run(["xargs", "-0", "-P2", "-n64", "xz", "-d"], input="\0".join(modules), text=True, check=True)
    _inside(root, "systemctl", "enable", "systemd-networkd.service", "ssh.service")
    _inside(root, "systemctl", "set-default", "multi-user.target")
    _inside(root, "depmod", release)
    for path in GUEST.rglob("*"):
        inside = root / path.relative_to(GUEST)
        os.chown(inside, 0, 0)
        os.chmod(inside, 0o755 if path.is_dir() else 0o644)
    shutil.rmtree(root / "var/lib/apt/lists", ignore_errors=True)
    for name in ("etc/.updated", "var/.updated"):
        (root / name).touch()  # or the first boot of every machine makes caches anew
    shutil.rmtree(root / "var/cache/apt", ignore_errors=True)


def _make_keys(root: Path, directory: Path) -> None:
    """A key for this image alone, and the guest's own, known before the first connection."""
    for old in (root / "etc/ssh").glob("ssh_host_*"):
        old.unlink()
    for path, comment in ((directory / KEY, "test machine"), (root / SSH_SERVER, "guest")):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", str(path)], check=True)
    allowed = root / "root/.ssh"
    allowed.mkdir(mode=0o700, exist_ok=True)
    shutil.copy(directory / f"{KEY}.pub", allowed / "authorized_keys")
    public = Path(f"{root / SSH_SERVER}.pub").read_text(encoding="utf-8")
    (directory / KNOWN_HOSTS).write_text(f"machine {public}", encoding="utf-8")


def _make_disk(root: Path, directory: Path, identifier: str) -> None:
    make_file_system = emulator.command(
        "usr/sbin/mke2fs", "-q", "-t", "ext4", "-L", "root", "-U", identifier, "-O", "^orphan_file,^metadata_csum_seed",
        "-E", "nodiscard,lazy_itable_init=1", "-m", "0", "-d", str(root), str(directory / DISK), SIZE)
    subprocess.run(make_file_system, env=emulator.variables(), stdin=subprocess.DEVNULL, check=True)


def _make_loader(directory: Path) -> None:
    modules = emulator.make() / "usr/lib/grub/i386-pc"
    early, core = directory / "early.cfg", directory / "core.img"
    early.write_text(GRUB_START, encoding="utf-8")
    subprocess.run(
        emulator.command("usr/bin/grub-mkimage", "-O", "i386-pc", "-d", str(modules), "-c", str(early), "-p",
                         "(hd0)/boot/grub", "-o", str(core), *GRUB_MODULES), env=emulator.variables(), check=True)
    (directory / LOADER).write_bytes((modules / "lnxboot.img").read_bytes() + core.read_bytes())


def _inside(root: Path, *command: str) -> None:
    subprocess.run(["chroot", str(root), *command], stdin=subprocess.DEVNULL, check=True, capture_output=True,
                   env={"PATH": "/usr/sbin:/usr/bin", "LC_ALL": "C.UTF-8"})
