# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""grub.cfg: how GRUB starts a host from its boot tree, be it by BIOS or by UEFI."""

from __future__ import annotations

from ._command_line import REBOOT_SECONDS, command_line
from ._host_spec import HostSpec

GRUB_CFG = "grub.cfg"
# What GRUB takes the boot tree for, because Debian's signed GRUB has it built in: it asks for /grub/grub.cfg.
DIRECTORY = "grub"

# Every command needs its module in the loader's core image: boot echo linux normal reboot sleep test.
# Whether source fails tells nothing here: over TFTP it also succeeds for a file that is missing (GRUB 2.06).
# The words of the kernel command line are validated to hold no quote, so quoting them is enough.
TEMPLATE = """\
# Written by diskless.ceph for {name}; changes are overwritten.
# kernel.cfg is the host's own: its operating system names there the kernel and initramfs to boot.
source $prefix/kernel.cfg
if [ -z "$kernel" -o -z "$initrd" ]; then
  echo 'diskless: kernel.cfg in the boot tree of {name} is missing or names no kernel and initrd'
else
  echo "diskless: {name} boots $kernel"
  if linux "$prefix/$kernel" {command_line}; then
    if initrd "$prefix/$initrd" $prefix/host.cpio; then
      boot
    fi
  fi
fi
echo 'diskless: {name} cannot boot, next try in {seconds} seconds'
sleep {seconds}
reboot
"""


def grub_cfg(spec: HostSpec) -> str:
    """The configuration that GRUB reads from the boot tree."""
    words = " ".join(f"'{word}'" for word in command_line(spec.console, spec.kernel_options))
    return TEMPLATE.format(name=spec.name, command_line=words, seconds=REBOOT_SECONDS)
