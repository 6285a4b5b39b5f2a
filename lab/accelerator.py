# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether KVM is of use on this machine."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from pathlib import Path

from lab.errors import LabError
from lab.podman import cache_directory
from lab.processes import DIE_WITH_PARENT
from lab.state import replace

# A boot sector that writes 42 to port 0x501, where QEMU's debug exit device ends it with 2 * 42 + 1.
BOOT_SECTOR = bytes.fromhex("ba0105 b02a ee f4 ebfd").ljust(510, b"\0") + b"\x55\xaa"
SUCCESS = 85


def accelerator() -> str:
    """Return ``kvm`` or ``tcg``: ``LAB_ACCEL`` if set, else what a probe found, remembered until the machine reboots.

    A /dev/kvm that opens proves nothing: in some virtual machines guests crawl or hang. So a boot sector is run in
    both ways, and KVM must not take much longer than emulation does.
    """
    chosen = os.environ.get("LAB_ACCEL")
    if chosen is not None:
        if chosen not in ("kvm", "tcg"):
            raise LabError(f"LAB_ACCEL={chosen!r}: expected kvm or tcg")
        return chosen
    boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    remembered = cache_directory() / "accelerator"
    if remembered.exists():
        probed_boot, _, found = remembered.read_text(encoding="ascii").strip().partition(" ")
        if probed_boot == boot:
            return found
    found = probe()
    remembered.parent.mkdir(parents=True, exist_ok=True)
    replace(remembered, f"{boot} {found}\n")
    return found


def probe() -> str:
    """Return ``kvm`` when a guest boots with it in reasonable time, else ``tcg``."""
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return "tcg"
    emulated = _seconds_to_boot("tcg", 10)
    if emulated is None:
        raise LabError("QEMU does not even boot a boot sector: qemu-system-x86_64 -accel tcg")
    return "kvm" if _seconds_to_boot("kvm", 0.5 + 5 * emulated) is not None else "tcg"


def _seconds_to_boot(accel: str, limit: float) -> float | None:
    with tempfile.NamedTemporaryFile(suffix=".img") as disk:
        disk.write(BOOT_SECTOR)
        disk.flush()
        argv = ["qemu-system-x86_64", "-accel", accel, "-m", "64", "-display", "none", "-nodefaults", "-no-reboot"]
        argv += ["-device", "isa-debug-exit,iobase=0x501,iosize=1", "-drive", f"file={disk.name},format=raw,if=ide"]
        began = time.monotonic()
        try:
            result = subprocess.run(
                [*DIE_WITH_PARENT, *argv], stdin=subprocess.DEVNULL, capture_output=True, timeout=limit, check=False
            )
        except subprocess.TimeoutExpired:
            return None
    return time.monotonic() - began if result.returncode == SUCCESS else None
