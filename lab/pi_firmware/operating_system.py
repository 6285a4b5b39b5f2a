# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""start4.elf: loads the operating system that config.txt describes.

https://www.raspberrypi.com/documentation/computers/config_txt.html; the order of the requests and the messages are
observed.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field

from lab.pi_firmware import config_txt
from lab.pi_firmware.board import Board
from lab.pi_firmware.bootloader import configuration
from lab.pi_firmware.config_txt import Config
from lab.pi_firmware.errors import (
    CommandLineNotFound,
    DeviceTreeNotFound,
    InitramfsNotFound,
    KernelIncompatible,
    KernelNotFound,
)
from lab.pi_firmware.partition import Partition

KERNEL = "kernel8.img"
KNOWN_KERNEL = re.compile(r"kernel(.+)\.img")  # which auto_initramfs=1 finds a counterpart to
ARM_STUB = "armstub8-gic.bin"
UPSTREAM = "upstream/"  # os_prefix with upstream_kernel=1
OVERLAYS = "overlays/"
WORD = 4  # bytes; every initramfs begins at a multiple of it (firmware issue 1318)
GZIP = b"\x1f\x8b"
GZIP_WINDOW = 31  # zlib's word for a gzip header
DEVICE_TREE_MAGIC = bytes.fromhex("d00dfeed")
# https://docs.kernel.org/arch/arm64/booting.html: "ARM\x64" at offset 56
IMAGE_MAGIC, IMAGE_MAGIC_AT, IMAGE_HEADER = b"ARMd", 56, 64


@dataclass(frozen=True)
class OperatingSystem:
    """What the operating system is started with. Paths are on the boot partition, contents as they were served.

    initramfs: all files of the ``initramfs`` line, one after the other.
    overlays: loaded, but not applied to the device tree.
    warnings: what does not do what it seems to.
    """

    kernel_path: str
    kernel: bytes
    initramfs: bytes | None
    device_tree_path: str
    device_tree: bytes
    command_line: str
    overlays: dict[str, bytes] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def load(partition: Partition, board: Board, tryboot: bool, say: Callable[[str], None]) -> OperatingSystem:
    """Load everything that config.txt asks for.

    :raises FirmwareError: one of its subclasses says what is missing or of no use.
    """
    return _Loader(partition, board, tryboot, say).load()


class _Loader:
    def __init__(self, partition: Partition, board: Board, tryboot: bool, say: Callable[[str], None]) -> None:
        self.partition = partition
        self.board = board
        self.tryboot = tryboot
        self.say = say
        self.warnings: list[str] = []
        self.config = Config()
        self.prefix = ""

    def load(self) -> OperatingSystem:
        """config.txt is read again and again, so a change in the middle of a boot may be half seen."""
        self.partition.peek("recovery.elf")
        self._read_config()
        self.partition.get("dt-blob.bin")
        self.partition.peek("recovery.elf")
        self._read_config()
        self.partition.get("bootcfg.txt")
        self._choose_prefix()
        initramfs = self._initramfs()
        device_tree_path, device_tree = self._device_tree()
        self._read_config()
        overlays = self._overlays()
        command_line = self._command_line()
        kernel_path, kernel = self._kernel()
        for warning in self.warnings:
            self.say(f"warning: {warning}")
        self.say(f"starting {self.partition.prefix}{kernel_path} with: {command_line}")
        return OperatingSystem(
            kernel_path,
            kernel,
            initramfs,
            device_tree_path,
            device_tree,
            command_line,
            overlays,
            tuple(self.warnings),
        )

    def _read_config(self) -> None:
        name = configuration(self.tryboot)
        content = self.partition.load(name)
        if content is None:
            self._warn(f"there is no {name}")
        self.config = config_txt.parse(
            content or b"", self.board, name=name, tryboot=self.tryboot, read=self.partition.load
        )
        for warning in self.config.warnings:
            self._warn(warning)
        if "arm_64bit" not in self.config.values:
            self._warn("arm_64bit is not set: firmware from before 2023 starts a kernel in 32-bit mode then")

    def _choose_prefix(self) -> None:
        """os_prefix counts only where kernel and device tree are found with it."""
        wanted = self.config.values.get("os_prefix", "")
        if not wanted and self.config.number("upstream_kernel"):
            wanted = UPSTREAM
        needed = [wanted + name for name in (self._kernel_name(), self._device_tree_names()[0])]
        if wanted and None in [self.partition.peek(name) for name in needed]:
            self._warn(f"os_prefix={wanted} is ignored, because one of these is missing: {', '.join(needed)}")
            wanted = ""
        self.prefix = wanted

    def _path(self, name: str) -> str:
        """Return a path on the boot partition; with a slash in front a name goes without os_prefix."""
        return name.lstrip("/") if name.startswith("/") else self.prefix + name

    def _initramfs(self) -> bytes | None:
        names = self.config.initramfs
        known = KNOWN_KERNEL.fullmatch(self._kernel_name())
        if not names and known and self.config.number("auto_initramfs"):
            name = f"initramfs{known[1]}"
            names = (name,) if self.partition.peek(self._path(name)) is not None else ()
        if not names:
            return None
        loaded = bytearray()
        for name in names:
            content = self.partition.load(self._path(name))
            if content is None:
                raise InitramfsNotFound(f"Failed to load '{self._path(name)}' - initramfs disabled: no way to the root")
            loaded += bytes(-len(loaded) % WORD) + content
        self.say(f"initramfs {', '.join(names)} loaded ({len(loaded)} bytes)")
        return bytes(loaded)

    def _device_tree_names(self) -> list[str]:
        model = self.board.model
        if "device_tree" in self.config.values:
            return [self.config.values["device_tree"]]
        if self.config.number("upstream_kernel"):
            return [model.upstream_device_tree, model.device_tree]
        return [model.device_tree]

    def _device_tree(self) -> tuple[str, bytes]:
        names = [self._path(name) for name in self._device_tree_names() if name]
        if not names:
            raise DeviceTreeNotFound("Device Tree loading disabled: device_tree= is empty")
        for name in names:
            content = self.partition.load(name)
            if content is not None and content.startswith(DEVICE_TREE_MAGIC):
                self.say(f"device tree {name} loaded ({len(content)} bytes)")
                return name, content
        raise DeviceTreeNotFound(f"Failed to load Device Tree file '{names[-1]}'")

    def _overlays(self) -> dict[str, bytes]:
        """A missing overlay does not stop the firmware. Without README in it, os_prefix has no overlays of its own."""
        directory = self.config.values.get("overlay_prefix", OVERLAYS)
        if self.prefix and self.partition.peek(self.prefix + directory + "README") is not None:
            directory = self.prefix + directory
        self.partition.load(f"{directory}overlay_map.dtb")
        found = {}
        for name in self.config.overlays:
            path = name.lstrip("/") if name.startswith("/") else f"{directory}{name}.dtbo"
            content = self.partition.load(path)
            if content is None or not content.startswith(DEVICE_TREE_MAGIC):
                self._warn(f"Failed to load overlay '{name}' from {path}")
            else:
                found[name] = content
        return found

    def _command_line(self) -> str:
        name = self._path(self.config.values.get("cmdline", "cmdline.txt"))
        content = self.partition.load(name)
        if content is None:
            raise CommandLineNotFound(f"Failed to open command line file '{name}': the built-in one knows no such root")
        lines = content.decode("latin-1").splitlines()
        if any(line.strip() for line in lines[1:]):
            self._warn(f"{name}: only the first line is the command line")
        if not lines or not lines[0].strip():
            raise CommandLineNotFound(f"{name}: there is no command line in it")
        return lines[0].strip()

    def _kernel_name(self) -> str:
        return self.config.values.get("kernel") or KERNEL

    def _kernel(self) -> tuple[str, bytes]:
        if self.config.number("arm_64bit", 1) == 0:
            raise KernelIncompatible("arm_64bit=0: the kernel would be started in 32-bit mode")
        if not self.config.values.get("kernel"):
            self.partition.peek("recovery8.img")
        self.partition.get(self.config.values.get("armstub", ARM_STUB))
        name = self._path(self._kernel_name())
        content = self.partition.load(name)
        if content is None:
            raise KernelNotFound(f"No compatible kernel found: there is no {name}")
        _check_kernel(name, content)
        return name, content

    def _warn(self, text: str) -> None:
        if text not in self.warnings:
            self.warnings.append(text)


def _check_kernel(name: str, content: bytes) -> None:
    """Refuse what is not a Linux image for 64-bit Arm, as it is or inside gzip."""
    image = content
    if content.startswith(GZIP):
        try:
            image = zlib.decompressobj(GZIP_WINDOW).decompress(content, IMAGE_HEADER)
        except zlib.error as error:
            raise KernelIncompatible(f"{name}: kernel GZIP decompression failed - error {error}") from None
    if image[IMAGE_MAGIC_AT:IMAGE_HEADER][: len(IMAGE_MAGIC)] != IMAGE_MAGIC:
        raise KernelIncompatible(f"No compatible kernel found: {name} is neither an arm64 Image nor one inside gzip")
