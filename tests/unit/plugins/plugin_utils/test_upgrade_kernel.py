# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which kernel a host gets, how, and what of it would not boot."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.diskless.ceph.plugins.filter.upgrade_kernel import FilterModule
from ansible_collections.diskless.ceph.plugins.plugin_utils._upgrade_kernel import judge, packages, plan, version_key

OLD, NEW = "6.1.0-9-amd64", "6.1.0-10-amd64"
INSTALLED = f"ii |linux-image-amd64|6.1.99\nii |linux-image-{OLD}|6.1.90\nrc |linux-image-5.10.0-1-amd64|5\n"
INST = "Reading…\nInst linux-image-{} (6.1.99-1 Debian)\nInst linux-image-amd64 [6.1.90] (6.1.99)\nConf x\n"


def tree(announced: str | None, *versions: str, **kept: str) -> dict[str, Any]:
    """A boot tree; of a kept version that is not current the text is its kernel."""
    files = [f"{kind}-{version}" for version in versions for kind in ("vmlinuz", "initrd.img")]
    named = {name.replace("_", "-"): kernel for name, kernel in kept.items()}
    return {
        "kernel": announced and f"vmlinuz-{announced}",
        "files": [*files, "kernel.cfg", "start4.elf"],
        "versions": {
            name: {"kernel": f"vmlinuz-{kernel.lstrip('=')}", "files": [], "current": kernel.startswith("=")}
            for name, kernel in named.items()
        },
    }


def planned(**changes: Any) -> dict[str, Any]:
    evidence = {
        **{"host": "pi3", "state": "present", "version": "", "asked": [], "tree": tree(OLD, OLD), "running": OLD},
        **{"installed": INSTALLED, "packages": ["linux-image-amd64"], "simulated": "0 upgraded", "error": ""},
        **changes,
    }
    return plan(evidence).as_dict()


def test_versions_are_sorted_as_the_host_sorts_them() -> None:
    versions = ["6.1.0-9-amd64", "6.1.0-10-amd64", "6.12.43+deb13-amd64", "6.6.51+rpt-rpi-v8", "5.10.0-32-amd64"]
    ordered = ["5.10.0-32-amd64", "6.1.0-9-amd64", "6.1.0-10-amd64", "6.6.51+rpt-rpi-v8", "6.12.43+deb13-amd64"]
    assert sorted(versions, key=version_key) == ordered


@pytest.mark.parametrize(
    ("installed", "asked", "wanted"),
    [
        (INSTALLED, [], ["linux-image-amd64"]),
        (INSTALLED, ["linux-image-6.12"], ["linux-image-6.12"]),
        ("ii |linux-image-rpi-v8|1\nii |linux-image-6.6.51+rpt-rpi-v8|1\n", [], ["linux-image-rpi-v8"]),
        ("ii |linux-image-amd64-dbg|1\nii |linux-image-6.1.0-9-amd64|1\n", [], ["linux-image-6.1.0-9-amd64"]),
        ("rc |linux-image-amd64|1\nun |linux-image-rt-amd64|\n", [], []),
        ("", [], []),
    ],
)
def test_packages_that_bring_a_kernel(installed: str, asked: list[str], wanted: list[str]) -> None:
    assert packages(installed, asked) == wanted


def test_newer_kernel_is_installed_and_former_versions_are_not_kept_for_ever() -> None:
    kept = {"before_kernel_1": OLD, "after_kernel_1": NEW, "before_kernel_2": OLD, "before_reimage": OLD}
    found = planned(tree=tree(OLD, OLD, **kept), simulated=INST.format(NEW))
    assert (found["action"], found["version"], found["problems"]) == ("install", NEW, [])
    assert found["obsolete"] == ["before-kernel-2", "before-kernel-1", "after-kernel-1"]


def test_new_build_of_the_same_version_is_installed() -> None:
    assert planned(simulated=INST.format(OLD))["version"] == OLD


def test_host_with_the_newest_kernel_has_nothing_to_do() -> None:
    assert planned() == {
        **{"action": "none", "version": OLD, "restore": None, "obsolete": [], "problems": [], "notes": []}
    }


def test_kernel_that_was_installed_and_never_booted_is_booted_with_a_note() -> None:
    found = planned(tree=tree(NEW, OLD, NEW))
    assert (found["action"], found["version"]) == ("boot", NEW)
    assert found["notes"] == [
        f"Kernel {NEW} was announced before this run, so no version is kept to roll back to {OLD} with."
    ]
    # As after a first try that was undone.
    assert planned(tree=tree(NEW, OLD, NEW, before_kernel_1=OLD))["notes"] == []


def test_kernel_that_was_rolled_back_is_named() -> None:
    found = planned(installed=f"{INSTALLED}ii |linux-image-{NEW}|6.1.99\n")
    assert found["action"] == "none"
    assert f"-e upgrade_kernel_version={NEW}" in found["notes"][0]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"tree": None}, "pi3 has no boot tree on its boot server. Run the site playbook."),
        ({"packages": []}, "-e upgrade_kernel_package=PACKAGE"),
        ({"simulated": None, "error": "E: held"}, "pi3: apt cannot install linux-image-amd64: E: held"),
        (
            {"simulated": INST.format(OLD), "tree": tree(NEW, OLD, NEW)},
            f"kernel {OLD} is older than {NEW} in its boot tree, and the host announces the newest. Remove that one",
        ),
        ({"version": OLD, "tree": tree(NEW, OLD, NEW)}, f"apt-get remove linux-image-{NEW}"),
        ({"version": "6.9"}, f"there is {OLD}. To install it: -e upgrade_kernel_package=linux-image-6.9"),
        ({"state": "rollback"}, "pi3 has nothing to roll back to: its boot tree keeps no version before-kernel-TIME"),
        ({"state": "rollback", "tree": tree(OLD, OLD, before="5.10")}, "It keeps before."),
        ({"state": "rollback", "version": NEW}, "leave out upgrade_kernel_version and _package"),
    ],
)
def test_what_cannot_be_done_is_told_with_what_can(changes: dict[str, Any], problem: str) -> None:
    found = planned(**changes)
    assert problem in "".join(found["problems"])
    assert found["action"] == "none"


@pytest.mark.parametrize(
    ("there", "running", "action", "restore"),
    [
        (tree(NEW, OLD, NEW), OLD, "boot", None),
        (tree(NEW, OLD, NEW), NEW, "none", None),
        (tree(OLD, OLD, NEW), OLD, "announce", None),
        (tree(OLD, OLD, after_kernel_1=NEW, after_kernel_2=NEW), OLD, "restore", "after-kernel-2"),
    ],
)
def test_named_kernel_is_announced_from_where_it_is(
    there: dict[str, Any], running: str, action: str, restore: str | None
) -> None:
    found = planned(version=NEW, tree=there, running=running)
    assert (found["action"], found["version"], found["restore"], found["problems"]) == (action, NEW, restore, [])


def test_kernel_without_initramfs_is_not_there() -> None:
    there = {**tree(OLD, OLD), "files": [f"vmlinuz-{NEW}", f"vmlinuz-{OLD}", f"initrd.img-{OLD}"]}
    assert "not in its boot tree with an initramfs" in planned(version=NEW, tree=there)["problems"][0]


@pytest.mark.parametrize("running", [NEW, None])
def test_rollback_takes_the_newest_of_what_was_kept(running: str | None) -> None:
    kept = {"before_kernel_1": "5.10", "before_kernel_2": OLD, "after_kernel_3": NEW, "before_x": "4"}
    found = planned(state="rollback", tree=tree(NEW, OLD, NEW, **kept), running=running)
    assert (found["action"], found["version"], found["restore"]) == ("restore", OLD, "before-kernel-2")
    assert found["obsolete"] == []


@pytest.mark.parametrize(("running", "action"), [(OLD, "none"), (NEW, "boot"), (None, "boot")])
def test_rollback_that_is_announced_already_is_not_made_twice(running: str | None, action: str) -> None:
    found = planned(state="rollback", tree=tree(OLD, OLD, before_kernel_2=f"={OLD}"), running=running)
    assert (found["action"], found["notes"]) == (action, [])


WELL: dict[str, Any] = {
    **{"host": "pi3", "version": NEW, "initramfs": {"problems": []}},
    "boot": {
        "boot1": {
            "hosts": {
                "pi3": {"exists": True, "kernel": f"vmlinuz-{NEW}", "initrd": f"initrd.img-{NEW}", "problems": []}
            }
        }
    },
    "ceph": {"reached": True, "error": None, "hosts": {"pi3": {"image": {"problems": []}}}},
}


def test_kernel_that_would_boot_has_no_problem() -> None:
    assert judge(WELL) == []
    assert judge({**WELL, "initramfs": None, "boot": None, "ceph": None}) == []


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        (
            {"initramfs": {"problems": [{"file": "i", "problem": "lacks rbd", "remedy": "Do."}]}},
            "pi3: i lacks rbd. Do.",
        ),
        ({"initramfs": {"msg": "no way"}}, "pi3: its initramfs could not be looked at: no way"),
        ({"boot": {}}, "pi3: no boot server was asked for its boot tree; expected one in the group boot_servers"),
        ({"boot": {"b": {"msg": "down"}}}, "b: the boot tree of pi3 could not be looked at: down"),
        (
            {"boot": {"b": {"hosts": {"pi3": {"exists": None}}}}},
            "b: the boot tree of pi3 could not be looked at: no answer",
        ),
        (
            {
                "boot": {
                    "b": {
                        "hosts": {
                            "pi3": {
                                "exists": True,
                                "kernel": f"vmlinuz-{OLD}",
                                "initrd": f"initrd.img-{NEW}",
                                "problems": [],
                            }
                        }
                    }
                }
            },
            f"b: the boot tree of pi3 boots vmlinuz-{OLD}; expected vmlinuz-{NEW}",
        ),
        (
            {
                "boot": {
                    "b": {
                        "hosts": {
                            "pi3": {
                                **WELL["boot"]["boot1"]["hosts"]["pi3"],
                                "problems": [{"file": "kernel.txt", "problem": "is empty"}],
                            }
                        }
                    }
                }
            },
            "b: boot tree of pi3: kernel.txt is empty",
        ),
        (
            {"ceph": {"reached": False, "error": "no monitor"}},
            f"pi3: not known whether kernel {NEW} can map its root image: no monitor",
        ),
        ({"ceph": {"msg": "failed"}}, f"pi3: not known whether kernel {NEW} can map its root image: failed"),
        (
            {"ceph": {"reached": True, "hosts": {"pi3": {"image": {"problems": ["no kernel maps journaling"]}}}}},
            f"pi3: kernel {NEW} and its root image: no kernel maps journaling",
        ),
    ],
)
def test_what_would_keep_it_from_booting_is_told(changes: dict[str, Any], problem: str) -> None:
    assert judge({**WELL, **changes}) == [problem]


def test_filters_say_when_they_get_something_else() -> None:
    filters = FilterModule().filters()
    assert filters["upgrade_kernel_packages"](INSTALLED) == ["linux-image-amd64"]
    for name in ("upgrade_kernel_plan", "upgrade_kernel_problems"):
        with pytest.raises(AnsibleFilterError, match="the evidence is not complete"):
            filters[name]({"tree": {}, "running": None, "state": "present"})
