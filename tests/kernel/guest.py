# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A virtual machine that is a kernel, BusyBox, Python and a few modules.

What it sends to 10.0.2.2 arrives at this machine's loopback.
"""

from __future__ import annotations

import contextlib
import re
import shlex
import shutil
import socket
import subprocess
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from lab.accelerator import accelerator
from lab.patience import patience
from lab.processes import DIE_WITH_PARENT

from .debian_kernel import Kernel

MODULES = ("virtio_pci", "virtio_net", "netconsole", "bridge", "bonding", "dummy", "veth")
PROGRAMS = ("busybox", "kmod", "ip", "python3")
APPLETS = (
    *(
        "awk",
        "cat",
        "chmod",
        "cut",
        "date",
        "dmesg",
        "echo",
        "env",
        "find",
        "grep",
        "head",
        "kill",
        "ln",
        "ls",
        "mkdir",
    ),
    *("mount", "mv", "ping", "printf", "rm", "rmdir", "sed", "seq", "sh", "sleep", "stty", "tail", "tr", "uname", "wc"),
)
HOST, GUEST = "10.0.2.2", "10.0.2.15"
# Of Python's library, what small programs need; tests and graphics would be most of it.
LEFT_OUT = (
    "test",
    "idlelib",
    "tkinter",
    "lib2to3",
    "ensurepip",
    "pydoc_data",
    "unittest",
    "config-*",
    "dist-packages",
    "__pycache__",
)
INIT = """#!/bin/sh
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
mount -t tmpfs tmpfs /run
PATH=/bin:/sbin; export PATH PYTHONDONTWRITEBYTECODE=1
for module in virtio_pci virtio_net; do modprobe $module; done
ip link set lo up
ip link set eth0 up
ip addr add 10.0.2.15/24 dev eth0
ip route add default via 10.0.2.2
stty -F /dev/ttyS1 raw -echo
# Each line is a number and a command; in a subshell, so that none of them can end this one.
serve() {
    while read -r number line; do
        ( eval "$line" ) </dev/null
        echo "==$number==$?."
    done </dev/ttyS1 >/dev/ttyS1 2>&1
}
serve &
# Not in process 1: the death of an orphan, whose parent that becomes, makes "read" lose what it has read of a line.
while :; do
    wait
    sleep 1
done
"""


class Guest:
    """A machine that runs, with a shell on its second serial line."""

    def __init__(self, shell: socket.socket, port: int, receiver: socket.socket) -> None:
        self._shell = shell
        self._asked = 0
        self.port = port
        self._receiver = receiver

    def run(self, command: str, timeout: float = 30) -> str:
        """Run a line of shell and return what it printed. Raises AssertionError unless it succeeds."""
        self._asked += 1
        mark = f"=={self._asked}=="
        self._shell.sendall(f"{self._asked} {command}\n".encode())
        printed = self._until(re.compile(rf"{mark}(\d+)\.\r?\n".encode()), timeout)
        output, result = printed
        assert result == 0, f"{command}: rc {result}: {output}"
        return output

    def _until(self, end: re.Pattern[bytes], timeout: float) -> tuple[str, int]:
        deadline = time.monotonic() + timeout * patience()
        seen = b""
        while not (found := end.search(seen)):
            self._shell.settimeout(max(0.01, deadline - time.monotonic()))
            try:
                more = self._shell.recv(65536)
            except TimeoutError:
                raise AssertionError(f"no answer in {timeout} s: {seen!r}") from None
            assert more, f"the machine has ended: {seen!r}"
            seen += more
        return seen[: found.start()].decode(errors="replace").replace("\r\n", "\n"), int(found[1])

    def type(self, command: str) -> None:
        """Begin a line of shell that may not end."""
        self._shell.sendall(f"0 {command}\n".encode())

    def write(self, path: str, text: str) -> None:
        """Make a file in the machine."""
        self.run(
            f"printf '%b' {shlex.quote(text.replace(chr(92), chr(92) * 2).replace(chr(10), chr(92) + 'n'))} >{path}"
        )

    def say(self, text: str) -> None:
        """Make the kernel say something: one line of its log."""
        self.run(f"echo '<5>{text}' >/dev/kmsg")

    def received(self, last: str, timeout: float = 10) -> list[bytes]:
        """The datagrams that arrived until one holds ``last``. Raises AssertionError if none does."""
        deadline = time.monotonic() + timeout * patience()
        datagrams: list[bytes] = []
        while not (datagrams and last.encode() in datagrams[-1]):
            self._receiver.settimeout(max(0.01, deadline - time.monotonic()))
            try:
                datagrams.append(self._receiver.recv(65536))
            except TimeoutError:
                raise AssertionError(f"{last!r} has not arrived in {timeout} s; last were {datagrams[-3:]}") from None
        return datagrams

    def silent(self, text: str) -> list[bytes]:
        """What arrives although the kernel has only said ``text`` and cannot send that anywhere."""
        self.say(text)
        time.sleep(0.5)
        return self.pending()

    def pending(self) -> list[bytes]:
        """What has arrived and was not asked for."""
        datagrams = []
        self._receiver.settimeout(0.2)
        with contextlib.suppress(TimeoutError):
            while True:
                datagrams.append(self._receiver.recv(65536))
        return datagrams

    def tree(self, path: str) -> dict[str, str]:
        """Files below a directory with their content; directories have none."""
        command = (
            f"cd {path} && find . -mindepth 1 | while read -r file; do echo @$file; [ -d $file ] || cat $file; done"
        )
        entries = [part.partition("\n") for part in re.split(r"^@\./", self.run(command), flags=re.MULTILINE)[1:]]
        return {name: content for name, dummy, content in entries}


@contextlib.contextmanager
def guest(kernel: Kernel, directory: Path, files: Iterable[tuple[Path, str]] = ()) -> Iterator[Guest]:
    """Boot a machine.

    :param directory: where its initramfs and its console are kept.
    :param files: pairs of a file or directory and its absolute path in the machine.
    """
    initramfs = _initramfs(kernel, directory, files)
    shell = directory / "shell"
    console = directory / "console.log"
    accel = ["kvm", "host"] if accelerator() == "kvm" else ["tcg", "max"]
    argv = [
        "qemu-system-x86_64",
        "-M",
        "pc",
        "-accel",
        accel[0],
        "-cpu",
        accel[1],
        "-m",
        "384",
        "-nodefaults",
        "-no-reboot",
    ]
    argv += ["-display", "none", "-kernel", str(kernel.image), "-initrd", str(initramfs)]
    argv += ["-append", "console=ttyS0 rdinit=/init panic=-1 net.ifnames=0 quiet"]
    argv += ["-netdev", "user,id=net,ipv4=on,ipv6=on", "-device", "virtio-net-pci,netdev=net,romfile="]
    # Another card, without a cable.
    argv += ["-device", "virtio-net-pci,romfile="]
    argv += ["-serial", f"file:{console}", "-serial", f"unix:{shell},server=on,wait=off"]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * 1024 * 1024)
        receiver.bind(("127.0.0.1", 0))
        process = subprocess.Popen([*DIE_WITH_PARENT, *argv], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        try:
            with _connected(shell, process) as connection:
                made = Guest(connection, receiver.getsockname()[1], receiver)
                _wait_for_shell(made, console)
                yield made
        finally:
            process.kill()
            process.wait()
            if process.stderr:
                process.stderr.close()


def _connected(path: Path, process: subprocess.Popen[bytes]) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    for _dummy in range(100):
        with contextlib.suppress(FileNotFoundError, ConnectionRefusedError):
            connection.connect(str(path))
            return connection
        assert process.poll() is None, process.stderr and process.stderr.read()
        time.sleep(0.1)
    raise AssertionError("QEMU has made no serial line")


def _wait_for_shell(made: Guest, console: Path) -> None:
    for _dummy in range(60):
        with contextlib.suppress(AssertionError):
            made.run("echo", timeout=2)
            made.run("true", timeout=2)
            return
    raise AssertionError(f"the machine has not booted:\n{console.read_text(errors='replace')[-3000:]}")


def _initramfs(kernel: Kernel, directory: Path, files: Iterable[tuple[Path, str]]) -> Path:
    root = directory / "root"
    for name in ("bin", "dev", "proc", "run", "sys", "tmp", "etc"):
        (root / name).mkdir(parents=True, exist_ok=True)
    for link in ("sbin", "usr/bin", "usr/sbin"):
        (root / link).parent.mkdir(exist_ok=True)
        (root / link).symlink_to("/bin")
    for program in PROGRAMS:
        add_program(root, program)
    for applet in APPLETS:
        (root / "bin" / applet).symlink_to("busybox")
    for name in ("modprobe", "lsmod", "rmmod"):
        (root / "bin" / name).symlink_to("kmod")
    _add_python(root)
    _add_modules(root, kernel)
    for source, target in files:
        place = root / target.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, place, symlinks=True, dirs_exist_ok=True)
        else:
            shutil.copy2(source, place)
    init = root / "init"
    init.write_text(INIT, encoding="utf-8")
    init.chmod(0o755)
    archive = directory / "initramfs.cpio"
    names = "\n".join(sorted(str(path.relative_to(root)) for path in root.rglob("*")))
    with archive.open("wb") as output:
        cpio = ["cpio", "-o", "-H", "newc", "--quiet", "-R", "0:0"]
        subprocess.run(cpio, input=names.encode(), stdout=output, cwd=root, check=True, timeout=60)
    return archive


def add_program(root: Path, name: str) -> None:
    program = Path(shutil.which(name) or f"/bin/{name}").resolve()
    shutil.copy2(program, root / "bin" / name)
    listed = subprocess.run(["ldd", program], capture_output=True, text=True, check=False, timeout=10).stdout
    for library in re.findall(r"(/[^ ]+) \(0x", listed):
        place = root / library.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        if not place.exists():
            shutil.copy2(Path(library).resolve(), place)


def _add_python(root: Path) -> None:
    libraries = Path("/usr/lib") / Path(shutil.which("python3", path="/usr/bin") or "/usr/bin/python3").resolve().name
    ignored = shutil.ignore_patterns(*LEFT_OUT)
    shutil.copytree(libraries, root / str(libraries).lstrip("/"), ignore=ignored, dirs_exist_ok=True)


def _add_modules(root: Path, kernel: Kernel) -> None:
    argv = ["modprobe", "-d", str(kernel.root), "-S", kernel.release, "--show-depends", "-a", *MODULES]
    shown = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=30).stdout
    for found in re.findall(r"^insmod (\S+)", shown, re.MULTILINE):
        module = Path(found)
        place = root / module.relative_to(kernel.root)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(module, place)
    for name in ("modules.order", "modules.builtin", "modules.builtin.modinfo"):
        shutil.copy2(kernel.root / "lib/modules" / kernel.release / name, root / "lib/modules" / kernel.release / name)
    subprocess.run(["depmod", "-b", root, kernel.release], check=True, timeout=60)
