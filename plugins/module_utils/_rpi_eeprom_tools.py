# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The vendor's tools for the Pi's bootloader: rpi-eeprom-config, rpi-eeprom-update, rpi-eeprom-digest.

They are of the package rpi-eeprom of Raspberry Pi OS; the first and the last are also in usbboot, for any machine.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Callable, NamedTuple

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.diskless.ceph.plugins.module_utils._rpi_eeprom_bootloader import version, version_of_image

_PENDING = "pieeprom.upd"
# What was flashed since the board booted: until it boots again, it reports the configuration that it booted with.
FLASHED = Path("/run/diskless-rpi-eeprom.conf")


class EepromError(Exception):
    """Something cannot be read or written; the text says what, why, and what to do."""


class Answer(NamedTuple):
    """How a command ended."""

    rc: int
    stdout: str
    stderr: str


Run = Callable[..., Answer]


class VendorTools:
    """Calls the tools. ``run`` takes the words of a command."""

    def __init__(self, run: Run, missing: Callable[[str], bool] = lambda name: False) -> None:
        """Take how commands are run, and how to tell that a tool is not installed."""
        self._run = run
        self.missing = missing

    @classmethod
    def of_module(cls, module: AnsibleModule, directory: str | None) -> VendorTools:
        """Run commands by the module, from this directory before all others."""
        directories = [directory] if directory else []
        path = os.pathsep.join([*directories, os.environ.get("PATH", os.defpath)])

        def missing(name: str) -> bool:
            return module.get_bin_path(name, opt_dirs=directories) is None

        def run(*command: str) -> Answer:
            program = module.get_bin_path(command[0], opt_dirs=directories)
            if program is None:
                raise EepromError(
                    f"{command[0]} is not installed: it is in the package rpi-eeprom of Raspberry Pi OS, which Debian "
                    "does not have; tools_directory names another place, such as the directory tools of usbboot"
                )
            environ = {"LC_ALL": "C.UTF-8", "PATH": path}
            return Answer(*module.run_command([program, *command[1:]], environ_update=environ))

        return cls(run, missing)

    def running(self) -> str:
        """Return the configuration that the board has booted with."""
        return self._output("the configuration of this board cannot be read", "rpi-eeprom-config")

    def reported(self) -> str:
        """Return the same as the firmware reports it."""
        return self._output("the configuration of this board cannot be read", "vcgencmd", "bootloader_config")

    def of_image(self, image: str) -> str:
        """Return the configuration in an image."""
        if not Path(image).is_file():
            raise EepromError(f"image {image} does not exist")
        return self._output(f"the configuration in image {image} cannot be read", "rpi-eeprom-config", image)

    def write_image(self, image: str, config: str, out: str) -> None:
        """Make the image ``out`` of another one and a configuration file."""
        command = ("rpi-eeprom-config", "--config", config, "--out", out, image)
        self._output(f"image {image} cannot be given this configuration", *command)
        if self.of_image(out) != read_text(config):
            raise EepromError(
                f"rpi-eeprom-config has made of {image} an image without the configuration that was given"
            )

    def write_digest(self, image: str, digest: str) -> None:
        """Write the file that goes with an image for rpiboot and for self-update."""
        command = ("rpi-eeprom-digest", "-i", image, "-o", digest)
        self._output(f"the digest of image {image} cannot be written", *command)

    def pending(self) -> str | None:
        """Return the path of the update that the next boot takes or that the last one took, or None."""
        path = os.path.join(self.boot_directory(), _PENDING)  # noqa: PTH118  # as the vendor's tool says it
        return path if Path(path).exists() else None

    def waiting(self, running: str) -> str | None:
        """Return the path of an update that the board has not yet taken, or None.

        Of one that was taken, the file may remain: it is rpi-eeprom-update that removes it, if it runs at boot.
        """
        path = self.pending()
        if path is None:
            return None
        now, then = version()["build_timestamp"], version_of_image(path)["build_timestamp"]
        taken = self.of_image(path).rstrip() == running.rstrip() and now in (None, then)
        return None if taken else path

    def boot_directory(self) -> str:
        """Return where rpi-eeprom-update puts updates for the next boot."""
        return self._output("the boot partition cannot be found", "rpi-eeprom-update", "-b").strip()

    def latest(self) -> str:
        """Return the image that applying a configuration installs; raises EepromError where the vendor refuses.

        Where it refuses, rpi-eeprom-update explains so and ends with success: on a Compute Module 4, and on boards
        without such an EEPROM. What it then prints is no path.
        """
        said = self._output("there is no bootloader image to install", "rpi-eeprom-update", "-l").split("\n")
        if not Path(said[0]).is_file():
            raise EepromError(
                "rpi-eeprom-update refuses to update this board; where it is a Compute Module 4, put "
                "CM4_ENABLE_RPI_EEPROM_UPDATE=1 into /etc/default/rpi-eeprom-update, or prepare an image for rpiboot. "
                f"It says: {said[0] or 'nothing'}"
            )
        return said[0]

    def apply(self, config: str) -> str | None:
        """Install the latest image with this configuration, and prove it as far as the board lets one.

        :returns: the path of the update that the next boot takes, or None if the EEPROM has been written.
        """
        self.latest()
        self._output("the configuration cannot be applied", "rpi-eeprom-config", "--apply", config)
        pending = self.pending()
        if pending is not None and self.of_image(pending) != read_text(config):
            raise EepromError(f"rpi-eeprom-config --apply has left an update without the configuration in {pending}")
        return pending

    def _output(self, failure: str, *command: str) -> str:
        answer = self._run(*command)
        if answer.rc == 0:
            return answer.stdout
        said = (answer.stderr.strip() or answer.stdout.strip() or f"exit status {answer.rc}").splitlines()
        # A Python traceback says it in its last line.
        what = said[-1] if said[0].startswith("Traceback") else " ".join(said)
        raise EepromError(f"{failure}: {' '.join(command)}: {what}")


def read_text(path: str) -> str:
    """Return the text of a file, whatever its bytes."""
    return Path(path).read_bytes().decode("utf-8", "surrogateescape")


def write_text(path: str, text: str) -> None:
    """Write a text that was read as above."""
    Path(path).write_bytes(text.encode("utf-8", "surrogateescape"))


def digest_of(image: str) -> str:
    """Return what the first line of a digest file says of this image."""
    return hashlib.sha256(Path(image).read_bytes()).hexdigest()


def said_by_digest(path: str) -> str:
    """Return which image a digest file is for; an empty text if there is no such file."""
    return read_text(path).split("\n", 1)[0].strip() if Path(path).is_file() else ""


def note_flashed(text: str) -> None:
    """Remember, until the next boot, what was flashed."""
    write_text(str(FLASHED), text)


def flashed() -> str | None:
    """Return the configuration that was flashed since the board booted, or None."""
    return read_text(str(FLASHED)) if FLASHED.is_file() else None
