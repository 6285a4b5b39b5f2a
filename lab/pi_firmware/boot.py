# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From power on to the kernel: DHCP, bootloader, start4.elf, and what happens when one of them gives up."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from lab.pi_firmware import bootloader, operating_system
from lab.pi_firmware.board import Board
from lab.pi_firmware.dhcp import negotiate
from lab.pi_firmware.eeprom import Eeprom
from lab.pi_firmware.errors import FirmwareError
from lab.pi_firmware.link import Link
from lab.pi_firmware.operating_system import OperatingSystem
from lab.pi_firmware.partition import Partition
from lab.pi_firmware.tftp import Request, Tftp


@dataclass(frozen=True)
class PowerOn:
    """A board that has just got power.

    tryboot: whether it was rebooted with the tryboot flag instead.
    say: told what is going on, a line at a time.
    log: told of every TFTP request.
    """

    link: Link
    board: Board
    eeprom: Eeprom
    tryboot: bool
    say: Callable[[str], None]
    log: Callable[[Request], None]

    def boot(self) -> OperatingSystem:
        """Boot from the network, as often as the bootloader's configuration says.

        When start4.elf cannot go on, the board stands still, unless BOOT_WATCHDOG_TIMEOUT resets it; the tryboot flag
        does not survive that.

        :raises FirmwareError: the reason of the last try.
        """
        tryboot = self.tryboot
        while True:
            began = time.monotonic()
            partition = self._load_firmware(tryboot)
            try:
                return operating_system.load(partition, self.board, tryboot, self.say)
            except FirmwareError as error:
                if not self.eeprom.boot_watchdog_timeout:
                    raise
                self.say(f"{error}; waiting for the watchdog")
                time.sleep(max(0, began + self.eeprom.boot_watchdog_timeout - time.monotonic()))
                tryboot = False

    def _load_firmware(self, tryboot: bool) -> Partition:
        left = self.eeprom.attempts
        while True:
            try:
                return bootloader.load(self._partition(), self.board, tryboot, self.say)
            except FirmwareError as error:
                left -= 1
                if left <= 0:
                    raise
                self.say(f"{error}; trying again")
                time.sleep(self.eeprom.retry_pause)

    def _partition(self) -> Partition:
        lease = negotiate(self.link, self.board, self.eeprom, self.say)
        for warning in lease.warnings:
            self.say(f"warning: {warning}")
        self.say(f"NET {lease.address} router {lease.router or 'none'} tftp {lease.boot_server}")
        self.link.configure(lease)
        tftp = Tftp(str(lease.boot_server), self.eeprom.tftp_file_timeout, self.eeprom.tftp_resend, self._requested)
        return Partition(tftp, self.eeprom.prefix(self.board))

    def _requested(self, request: Request) -> None:
        self.say(f"TFTP: {request}")
        self.log(request)
