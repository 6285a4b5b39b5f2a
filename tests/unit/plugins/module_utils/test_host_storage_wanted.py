# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Host specs as the Ceph side reads them: every fault is named, with its host."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._host_storage_wanted import (
    WantedHost,
    parse_golden,
    parse_hosts,
)
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_image import ImageName, parse_snapshot_name


def spec(name: str = "pi1", number: int = 11, **other: Any) -> dict[str, Any]:
    return {
        "name": name,
        "arch": "amd64",
        "address": f"10.77.0.{number}",
        "pool": "diskless",
        "namespace": name,
        "image": "root",
        "cephx_user": f"client.diskless.{name}",
        "root_size": 8 << 30,
        "features": ["layering", "exclusive-lock", "object-map", "fast-diff"],
        "kernel": "6.1",
        "mac": "52:54:00:77:00:11",
        **other,
    }


def test_hosts_are_sorted_and_extra_keys_ignored() -> None:
    hosts, problems = parse_hosts([spec("pi2", 12), spec()])
    assert problems == []
    assert [host.name for host in hosts] == ["pi1", "pi2"]
    assert hosts[0] == WantedHost(
        name="pi1",
        arch="amd64",
        address="10.77.0.11",
        root=ImageName("diskless", "pi1", "root"),
        cephx_user="client.diskless.pi1",
        root_size=8 << 30,
        features=("layering", "exclusive-lock", "object-map", "fast-diff"),
        kernel="6.1",
    )


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"pool": None}, "the host spec has no pool"),
        ({"address": "10.77.0.256"}, "address: '10.77.0.256' does not appear to be an IPv4 or IPv6 address"),
        ({"root_size": "8GiB"}, "root_size '8GiB' is not a number of bytes"),
        ({"root_size": -1}, "root_size -1 is not a number of bytes"),
        ({"cephx_user": "pi1"}, "cephx_user 'pi1' does not begin with client."),
        ({"namespace": "a b"}, "namespace 'a b': only letters, digits and . _ - can stand in cephx caps"),
        ({"kernel": "six"}, "kernel 'six': expected a version such as 6.1"),
        ({"features": ["exclusive-lock"]}, "features has no layering, without which there are no clones"),
        ({"features": ["layering", "object-map", "fast-diff"]}, "feature object-map needs exclusive-lock"),
        (
            {"features": ["layering", "exclusive-lock", "journaling"]},
            "kernel 6.1 cannot map a root image like that: no kernel maps journaling",
        ),
        (
            {"kernel": "4.15", "features": ["layering"]},
            "kernel 4.15 cannot map a root image like that: operations needs kernel 4.16",
        ),
    ],
)
def test_faulty_spec(change: dict[str, Any], problem: str) -> None:
    hosts, problems = parse_hosts([spec(**change)])
    assert problems == [f"host pi1: {problem}"]
    assert hosts == []


def test_old_kernel_is_told_every_feature_it_lacks() -> None:
    _hosts, problems = parse_hosts([spec(kernel="5.2")])
    assert [problem.rpartition(": ")[2] for problem in problems] == [
        "object-map needs kernel 5.3",
        "fast-diff needs kernel 5.3",
    ]


def test_all_faults_of_all_hosts_are_reported() -> None:
    _hosts, problems = parse_hosts([spec(address="x", cephx_user="x"), {"arch": "amd64"}])
    assert len([problem for problem in problems if problem.startswith("host pi1: ")]) == 2
    assert "host number 2: the host spec has no name" in problems


def test_hosts_share_nothing() -> None:
    _hosts, problems = parse_hosts([spec(), spec("pi2", 12, namespace="pi1"), spec("pi3", 12)])
    assert problems == [
        "hosts pi2, pi3: the same address 10.77.0.12",
        "hosts pi1, pi2: the same namespace diskless/pi1",
    ]


def test_golden_images() -> None:
    golden, problems = parse_golden({"amd64": "p/g@root", "arm64": "p/g"})
    assert golden == {"amd64": parse_snapshot_name("p/g@root")}
    assert problems == [
        "golden_images arm64: snapshot 'p/g': expected pool/image@snapshot or pool/namespace/image@snapshot",
    ]
