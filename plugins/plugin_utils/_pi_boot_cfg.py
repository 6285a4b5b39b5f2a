# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""config.txt and cmdline.txt: how the firmware of a Raspberry Pi starts a host from its boot tree.

https://www.raspberrypi.com/documentation/computers/config_txt.html
"""

from __future__ import annotations

from ._command_line import command_line
from ._host_spec import HostSpec

CONFIG_TXT = "config.txt"
CMDLINE_TXT = "cmdline.txt"

_SERIAL = ("ttyS", "ttyAMA")


def config_txt(spec: HostSpec) -> str:
    """What the firmware is to do. No line is longer than the 98 characters that it reads, whatever the host's name."""
    return "".join(f"{line}\n" for line in _lines(spec))


def cmdline_txt(spec: HostSpec) -> str:
    """The kernel command line: one line."""
    return " ".join(command_line(spec.console, spec.kernel_options)) + "\n"


def _lines(spec: HostSpec) -> list[str]:
    return [
        f"# Written by diskless.ceph for {spec.name};",
        "# changes are overwritten.",
        "arm_64bit=1",
        *(["enable_uart=1"] if any(console.startswith(_SERIAL) for console in spec.console) else []),
        "# kernel.txt is the host's own: it names the kernel and initramfs to boot.",
        "include kernel.txt",
        *(["[all]", *spec.config_txt] if spec.config_txt else []),
    ]
