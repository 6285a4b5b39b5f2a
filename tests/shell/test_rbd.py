# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mapping the root image: once, provably, and with a reason when it does not work."""

from __future__ import annotations

import pytest

from .conftest import HOST, Shell

PARTS = ("report.sh", "job.sh", "config.sh", "rbd.sh")
AUTHENTICATION_FAILED = "libceph: auth protocol 'cephx' msgr authentication failed: -13\n"
KEY = "AQDYKABrdz/pNxAAWeKkk7b0Dk3Vy1QniFZpHQ=="


def mapping(shell: Shell, number: int, spec: str, snapshot: str = "-") -> None:
    at = f"sys/bus/rbd/devices/{number}"
    pool, namespace, image = spec.split("/")
    for attribute, value in {"pool": pool, "pool_ns": namespace, "name": image, "current_snap": snapshot}.items():
        shell.write(f"{at}/{attribute}", value + "\n")


def test_our_device_is_found_among_others(shell: Shell) -> None:
    mapping(shell, 0, "diskless/pi4/root")
    mapping(shell, 1, "diskless/pi3/root", "s1")
    mapping(shell, 2, "other/pi3/root")
    mapping(shell, 3, "diskless/pi3/root")
    mapping(shell, 10, "diskless/pi3/data")
    assert shell.output(HOST + "find_mapping", *PARTS) == "3\n"


def test_image_without_namespace_is_found_where_the_kernel_has_no_such_attribute(shell: Shell) -> None:
    mapping(shell, 0, "diskless//root")
    (shell.machine / "sys/bus/rbd/devices/0/pool_ns").unlink()
    assert shell.output(HOST + "DISKLESS_NAMESPACE=; find_mapping", *PARTS) == "0\n"


def test_nothing_mapped(shell: Shell) -> None:
    assert shell.run(HOST + "find_mapping", *PARTS).returncode != 0


@pytest.mark.parametrize("name", ["add", "add_single_major"])
def test_map_line_goes_where_the_kernel_wants_it(shell: Shell, name: str) -> None:
    for made in ("add", name):
        shell.write(f"sys/bus/rbd/{made}", "")
    shell.write("etc/host.conf", "")
    shell.write("etc/key", KEY + "\n")
    shell.output(HOST + "map_image mark 0", *PARTS)
    assert shell.read(f"sys/bus/rbd/{name}") == (
        "10.77.0.1:3300 name=diskless.pi3,ms_mode=prefer-crc,_pool_ns=pi3,mount_timeout=30,"
        f"secret={KEY} diskless root -\n"
    )


@pytest.mark.parametrize("refused", [False, True])
def test_key_appears_nowhere_else_even_when_tracing(shell: Shell, refused: bool) -> None:
    if refused:
        (shell.machine / "sys/bus/rbd/add_single_major").symlink_to("/dev/full")
    else:
        shell.write("sys/bus/rbd/add_single_major", "")
    shell.write("etc/host.conf", "")
    shell.write("etc/key", KEY + "\n")
    result = shell.run(HOST + 'set -x\nmap_image mark 0; echo "$? $TEXT"; env; cat "$RUN"/* || :', *PARTS)
    assert f"\n{int(refused)} " in "\n" + result.stdout
    assert KEY not in result.stdout + result.stderr + shell.read("kmsg") + shell.read("console")


@pytest.mark.parametrize(
    ("error", "messages", "reason", "text"),
    [
        (
            "write error: No such device or address",
            "rbd: image root: image uses unsupported features: 0x40\n",
            "unsupported-features",
            "cannot map: journaling (0x40)",
        ),
        ("write error: No such file or directory", "", "no-image", "image diskless/pi3/root does not exist"),
        (
            "I/O error",
            "rbd: image diskless/pi3/root does not exist\n",
            "no-image",
            "image diskless/pi3/root does not exist",
        ),
        ("write error: Permission denied", "", "auth", "client.diskless.pi3"),
        ("write error: Operation not permitted", "", "auth", "client.diskless.pi3"),
        ("I/O error", AUTHENTICATION_FAILED, "auth", "wrong key"),
        ("write error: Cannot send after transport endpoint shutdown", "", "blocklisted", "10.77.0.11/24"),
        ("write error: Connection timed out", "", "unreachable", "10.77.0.1:3300"),
        ("write error: Invalid argument", "", "unknown", "Invalid argument"),
        ("", "", "unknown", "no error text"),
    ],
)
def test_failure_is_told_by_its_cause(shell: Shell, error: str, messages: str, reason: str, text: str) -> None:
    shell.write("error", error)
    shell.write("messages", messages)
    script = 'classify_map_error "$(cat "$T/error")" "$(cat "$T/messages")"; echo "$REASON: $TEXT"'
    shown = shell.output(HOST + script, *PARTS)
    assert shown.startswith(reason + ": ")
    assert text in shown


def test_failed_write_is_classified_from_the_kernel_messages_since_then(shell: Shell) -> None:
    shell.write("log", f"rbd: image x does not exist\n[1.0] diskless: mark 2\n{AUTHENTICATION_FAILED}")
    script = 'dmesg() { cat "$T/log"; }; write_map() { return 1; }; map_image "mark 2" 0 || echo "$REASON"'
    assert shell.output(HOST + script, *PARTS) == "auth\n"


def test_hanging_map_is_not_killed_and_not_repeated(shell: Shell) -> None:
    script = (
        'job_wait() { [ "$2" = 0 ] || return 124; }; write_map() { sleep 1; echo done >"$T/written"; }\n'
        'map_image mark 0 || echo "$REASON: $TEXT"; wait; cat "$T/written"'
    )
    shown = shell.output(HOST + script, *PARTS)
    assert shown.startswith("timeout: the monitors answer")
    assert shown.endswith("done\n")


@pytest.mark.parametrize(
    ("bits", "names"),
    [
        ("0x40", "journaling"),
        ("0x3d", "layering, exclusive-lock, object-map, fast-diff, deep-flatten"),
        ("0x100040", "journaling, unknown ones"),
    ],
)
def test_features_have_names(shell: Shell, bits: str, names: str) -> None:
    assert shell.output(f"feature_names {bits}", *PARTS) == names + "\n"


def test_unmap_writes_the_id(shell: Shell) -> None:
    shell.write("sys/bus/rbd/remove_single_major", "")
    shell.output("unmap 3", *PARTS)
    assert shell.read("sys/bus/rbd/remove_single_major") == "3\n"
    shell.output("unmap 3 force", *PARTS)
    assert shell.read("sys/bus/rbd/remove_single_major") == "3 force\n"
