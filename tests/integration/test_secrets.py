# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys stay where they belong: in Ceph, and in what was asked for them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from lab.ceph import CephCluster
from lab.podman import podman
from tests.integration.ansible_run import ansible
from tests.integration.conftest import Machine

NAME = "client.secret"


@contextmanager
def process_list(*containers: str) -> Iterator[list[str]]:
    """Look at the processes in the containers all the time; what was seen is complete at the end."""
    seen: list[str] = []
    over = threading.Event()
    script = "while :; do for f in /proc/[0-9]*/cmdline; do tr '\\0' ' ' <$f; echo; done 2>/dev/null; sleep 0.02; done"

    def watch(container: str) -> None:
        # Bounded by itself, in case nobody ends it.
        while not over.is_set():
            words = ("timeout", "2", "sh", "-c", script)
            seen.append(podman("exec", container, *words, check=False).stdout)

    threads = [threading.Thread(target=watch, args=[container]) for container in containers]
    for thread in threads:
        thread.start()
    try:
        yield seen
    finally:
        over.set()
        for thread in threads:
            thread.join(timeout=30)


@pytest.mark.once(reason="how a key travels is the module's doing")
@pytest.mark.parametrize("bindings", ["auto", "never"])
def test_key_is_neither_printed_nor_on_a_command_line(
    ceph: CephCluster, machines: list[Machine], bindings: str
) -> None:
    node = machines[0]
    node.give_key("client.admin", ceph.run("ceph", "auth", "print-key", "client.admin").strip())
    name = f"{NAME}.{bindings}"
    options = {"name": name, "caps": {"mon": "allow r"}, "ceph_bindings": bindings}
    outputs, keys = [], []
    with process_list(node.container, ceph.name) as seen:
        for change in ({}, {"caps": {"mon": "allow rw"}}, {"rotate": "always"}):
            outputs.append(
                ansible(node.container, "diskless.ceph.cephx_user", {**options, **change}, "-vvv", "--diff").output
            )
            keys.append(ceph.run("ceph", "auth", "print-key", name).strip())
    assert keys[0] == keys[1] != keys[2]
    processes = "\n".join(seen)
    assert "python3" in processes, "nothing was seen, so nothing is proven"
    for key in keys:
        assert not any(key in output for output in outputs)
        assert key not in processes
