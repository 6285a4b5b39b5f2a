# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The diagnosis: each fault is found, a healthy host has none, and what is not known is never guessed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.diskless.ceph.plugins.plugin_utils._diagnosis import diagnose as engine
from ansible_collections.diskless.ceph.plugins.plugin_utils._diagnosis.diagnose import RULES, diagnose
from ansible_collections.diskless.ceph.plugins.plugin_utils._diagnosis.evidence import Evidence
from ansible_collections.diskless.ceph.plugins.plugin_utils._diagnosis.rules.boot_log import SIGNS, STAGES
from ansible_collections.diskless.ceph.plugins.plugin_utils._diagnosis.verdict import Finding

from .diagnosis_evidence import BEGAN, GONE, NAME, NOW, boot, changed, healthy, stopped, unreachable
from .diagnosis_faults import FAULTS, FORMER, HOST_CONF, Fault, down, files, starts_over

ROOT = Path(__file__).parents[4]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.cause)
def test_fault_is_found_first_with_evidence_and_what_to_type(fault: Fault) -> None:
    found = fault.diagnosis()["findings"]
    assert [finding["cause"] for finding in found if not finding["explained_by"]] == [fault.cause]
    assert any(fault.fact in fact for fact in found[0]["evidence"]), found[0]["evidence"]
    assert fault.command in found[0]["command"], found[0]["command"]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.cause)
def test_what_a_cause_explains_comes_after_it(fault: Fault) -> None:
    consequences = [finding for finding in fault.diagnosis()["findings"] if finding["explained_by"]]
    assert {finding["cause"] for finding in consequences} == set(fault.consequences)
    assert {finding["explained_by"] for finding in consequences} <= {fault.cause}


def _causes_in_the_code() -> list[str]:
    rules = Path(engine.__file__).parent / "rules"
    text = "".join(path.read_text(encoding="utf-8") for path in sorted(rules.glob("*.py")))
    return re.findall(r'\b(?:Finding|Sign)\(\s*"([a-z-]+)"', text)


def test_every_cause_has_an_example() -> None:
    assert set(_causes_in_the_code()) == {fault.cause for fault in FAULTS}


def _explanations() -> dict[str, set[str]]:
    """What may explain each cause."""
    found: dict[str, set[str]] = {}
    for fault in FAULTS:
        evidence = Evidence(changed(fault.evidence, fault.changes))
        for verdict in (rule(evidence) for rule in RULES):
            if isinstance(verdict, Finding):
                found.setdefault(verdict.cause, set()).update(verdict.explained_by)
    return found


def test_explanations_name_causes_and_none_explains_itself() -> None:
    explanations = _explanations()
    assert set().union(*explanations.values()) <= set(explanations)
    for cause in explanations:
        above, behind = set(explanations[cause]), set[str]()
        while above:
            behind |= above
            above = {further for one in above for further in explanations[one]} - behind
        assert cause not in behind


def test_every_reason_of_the_boot_log_is_understood() -> None:
    """Those of the initramfs, of dnsmasq's log, of the kernel's messages, and of hosts that say nothing."""
    shell = "".join(path.read_text() for path in (ROOT / "roles/initramfs/files/usr/lib/diskless").glob("*.sh"))
    bootlog = ROOT / "roles/bootlog/files/bootlog"
    dnsmasq, signs = ((bootlog / name).read_text() for name in ("dnsmasq.py", "kernel_signs.py"))
    given = {
        *re.findall(r"REASON=([a-z-]+)", shell),
        *re.findall(r"boot_failed [a-z]+ ([a-z-]+)", shell),
        *re.findall(r'^[A-Z_]+ = "([a-z-]+)"', dnsmasq, re.MULTILINE),
        *re.findall(r'^    Sign\("[^"]+", "(?:fatal|error)", "([a-z-]+)"', signs, re.MULTILINE),
        *("silent", "waiting", "unit-failed"),
    }
    assert len(given) >= 35  # the expressions still find them
    assert given == {reason for sign in SIGNS for reason in sign.reasons}


def test_healthy_host_has_no_findings_and_nothing_is_unknown() -> None:
    found = diagnose(healthy())
    assert (found["findings"], found["unknown"]) == ([], [])
    assert [fine["check"] for fine in found["fine"]] == [rule.name for rule in RULES]
    assert found["summary"] == f"{NAME}: nothing wrong was found; {len(RULES)} checks are fine, 0 could not be made"


def test_host_that_was_told_nothing_about_has_no_findings() -> None:
    found = diagnose({"spec": healthy()["spec"]})
    assert (found["findings"], found["fine"]) == ([], [])
    assert [unknown["check"] for unknown in found["unknown"]] == [rule.name for rule in RULES]


def _paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The ways to everything in the evidence but the spec."""
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in parts:
        if (*path, key) != ("spec",):
            yield (*path, key)
            yield from _paths(part, (*path, key))


def _with(path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    result = healthy()
    at: Any = result
    for key in path[:-1]:
        at = at[key]
    if value is GONE:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    return result


@pytest.mark.parametrize("path", list(_paths(healthy())), ids=str)
def test_what_is_not_known_is_never_a_finding(path: tuple[Any, ...]) -> None:
    assert diagnose(_with(path, None))["findings"] == []


@pytest.mark.parametrize(
    "path",
    [path for path in _paths(healthy()) if path[-1] not in ("error", "path", "v2") and "host_conf" not in path],
    ids=str,
)
def test_what_is_called_unknown_is_never_a_finding(path: tuple[Any, ...]) -> None:
    """But for names and addresses, which may be any word."""
    assert diagnose(_with(path, "unknown"))["findings"] == []


@pytest.mark.parametrize(
    "path",
    [
        path
        for path in _paths(healthy())
        if not isinstance(path[-1], int) and path[0] in ("ceph", "boot", "host", "network")
    ],
    ids=str,
)
def test_what_is_missing_is_never_a_finding(path: tuple[Any, ...]) -> None:
    """But for settings that host.cpio lacks: that is what is wrong with it."""
    found = [finding["cause"] for finding in diagnose(_with(path, GONE))["findings"]]
    assert found == [] or "host_conf" in path


@pytest.mark.parametrize("odd", ["x", -1, True, [], {}, ["x"], [{}], {"x": 1}], ids=repr)
def test_evidence_of_any_form_is_survived(odd: Any) -> None:
    for evidence in (healthy(), unreachable()):
        for path in _paths(evidence):
            result = diagnose(_with(path, odd))
            assert len(result["fine"]) + len(result["unknown"]) + len(result["findings"]) == len(RULES)


def test_truth_value_is_no_number() -> None:
    found = diagnose(changed(healthy(), {"host/mtu": True}))
    assert found["findings"] == []
    assert [unknown["check"] for unknown in found["unknown"]] == ["mtu"]


@pytest.mark.parametrize(
    ("part", "why"),
    [("ceph", "ceph1 does not answer"), ("boot", "boot1 does not answer"), ("boot_log", "log1 does not answer")],
)
def test_source_that_was_not_reached_says_why(part: str, why: str) -> None:
    found = diagnose(changed(healthy(), {part: None, "errors": {part: why}}))
    assert found["findings"] == []
    assert why in {unknown["why"] for unknown in found["unknown"]}


def test_ceph_that_answers_in_part_says_what_is_missing() -> None:
    found = diagnose(changed(healthy(), {"ceph/error": "client.x may not do that", "ceph/me/user/exists": None}))
    assert found["findings"] == []
    (unknown,) = found["unknown"]
    assert (unknown["check"], unknown["why"]) == ("user", "Ceph does not tell user exists: client.x may not do that")


# Order


def test_cause_at_the_stage_where_the_boot_stands_comes_first() -> None:
    gone = {"ceph/me/image": {"exists": False}, "boot/me/files": files(vmlinuz=-1)}
    at_loader = stopped("loader", "file-missing", "file …/vmlinuz not found for 10.77.0.12")
    at_map = stopped("map", "no-image", "image diskless/udoo2/root does not exist")
    for evidence, first, second in (
        (at_loader, "named-file-missing", "image-missing"),
        (at_map, "image-missing", "named-file-missing"),
    ):
        found = diagnose(changed(evidence, gone))["findings"]
        assert [finding["cause"] for finding in found[:2]] == [first, second]
        assert found[0]["likelihood"] > found[1]["likelihood"]


def test_of_equal_causes_the_one_that_stops_a_boot_earlier_comes_first() -> None:
    found = diagnose(changed(healthy(), {"boot/me/admitted": False, "ceph/me/image": {"exists": False}}))["findings"]
    assert [finding["cause"] for finding in found] == ["not-admitted", "image-missing"]


def test_consequence_of_a_consequence_is_put_below_the_root() -> None:
    """No such user: so it may not blocklist, so a dead owner keeps the lock, so the map hangs."""
    user = {"exists": False, "can_blocklist_itself": False}
    evidence = stopped("map", "timeout", "the monitors answer, but …")
    locked = {"ceph/me/user": user, "ceph/me/locks": [FORMER], "ceph/me/owner_alive": False}
    found = diagnose(changed(evidence, locked))["findings"]
    assert [finding["cause"] for finding in found if finding["explained_by"] is None] == ["user-missing"]
    assert {finding["explained_by"] for finding in found[1:]} == {"user-missing"}
    assert {"cannot-blocklist", "lock-of-dead-owner", "map-hangs"} <= {finding["cause"] for finding in found}


# What is fine although it looks otherwise


def _fine(evidence: Mapping[str, Any], check: str) -> str:
    found = diagnose(evidence)
    assert found["findings"] == [], found["findings"]
    return next(str(fine["text"]) for fine in found["fine"] if fine["check"] == check)


def _booting(stage: str, since: float) -> dict[str, Any]:
    boots = [boot(8, since, STAGES[: STAGES.index(stage) + 1])]
    log = {"state": "booting", "stage": stage, "since": since, "trouble": None, "last": None, "boots": boots}
    return changed(unreachable(), {"boot_log": log})


def test_lock_that_a_power_cut_left_is_broken_by_the_host_itself() -> None:
    evidence = changed(_booting("kernel", NOW - 5), {"ceph/me/locks": [FORMER], "ceph/me/owner_alive": False})
    assert "the host breaks it at its next boot by itself" in _fine(evidence, "lock")


def test_former_self_counts_as_alive_for_a_moment() -> None:
    evidence = changed(_booting("kernel", NOW - 5), {"ceph/me/locks": [FORMER], "ceph/me/owner_alive": True})
    assert "its former self" in _fine(evidence, "lock")


def test_owner_at_the_own_address_that_stays_alive_while_the_host_waits_is_another_machine() -> None:
    evidence = stopped("map", "timeout", "the monitors answer, but …")
    held = {"ceph/me/locks": [FORMER], "ceph/me/owner_alive": True}
    found = diagnose(changed(evidence, held))["findings"]
    assert found[0]["cause"] == "lock-owner-alive"
    assert "10.77.0.12 is the address of udoo2 itself" in found[0]["evidence"]
    recent = diagnose(changed(evidence, {**held, "boot_log/since": NOW - 20}))["findings"]
    assert "lock-owner-alive" not in {finding["cause"] for finding in recent}


def test_host_that_answers_has_power_whatever_no_driver_says() -> None:
    assert _fine(changed(healthy(), {"power": "unknown"}), "power") == "it answers by SSH"


def test_entry_for_a_former_client_is_no_fence() -> None:
    assert _fine(healthy(), "fences") == "no entry for the whole host or its network"
    assert "no entry for" in _fine(healthy(), "running-client")


def test_service_that_takes_its_time_is_no_fault_yet() -> None:
    evidence = stopped("userspace", "waiting", "systemd waits for slow.service/start", "booting")
    assert "not for long yet" in _fine(evidence, "userspace")


def test_boot_that_has_not_come_far_says_nothing_about_later_stages() -> None:
    found = diagnose(_booting("kernel", NOW - 5))
    checks = {unknown["check"] for unknown in found["unknown"]}
    assert {"map", "root", "userspace"} <= checks
    assert {"dhcp", "transfers", "kernel"} <= {fine["check"] for fine in found["fine"]}


def test_host_that_never_was_heard_of_is_not_said_to_have_booted() -> None:
    silent: dict[str, Any] = {"state": "silent", "stage": None, "trouble": None, "boots": [], "last": None}
    found = diagnose(changed(unreachable(), {"boot_log": silent}))
    assert found["findings"][0]["cause"] == "no-request"
    assert {"dhcp", "kernel", "map", "root"} <= {unknown["check"] for unknown in found["unknown"]}


def test_silence_is_no_evidence_when_the_boot_server_does_not_tell() -> None:
    found = diagnose(changed(down(), {"boot/services/diskless-boot-events.service": "failed"}))
    assert [finding["cause"] for finding in found["findings"]] == ["no-ssh", "boot-events-down"]
    assert "first-request" in {unknown["check"] for unknown in found["unknown"]}


def test_silence_is_no_evidence_where_nobody_tells_the_boot_log() -> None:
    found = diagnose(changed(down(), {"boot/services/diskless-boot-events.service": GONE}))
    assert [finding["cause"] for finding in found["findings"]] == ["no-ssh"]


def test_stage_that_is_being_tried_was_not_reached() -> None:
    found = diagnose(stopped("map", "panic", "Kernel panic - not syncing: Attempted to kill init!"))
    assert [finding["cause"] for finding in found["findings"]] == ["panic"]
    assert {"map", "root"} <= {unknown["check"] for unknown in found["unknown"]}
    assert {"network", "kernel"} <= {fine["check"] for fine in found["fine"]}


def test_exitrd_that_the_inventory_switches_off_is_not_missed() -> None:
    evidence = changed(healthy(), {"host/exitrd": False, "spec/exitrd": False, f"{HOST_CONF}/DISKLESS_EXITRD": "no"})
    assert "diskless_exitrd" in _fine(evidence, "exitrd")


def test_clock_is_compared_with_the_time_it_took_to_ask() -> None:
    slow = {"asked": {"began": NOW, "ended": NOW + 600}}
    assert _fine(changed(healthy(), {**slow, "host/clock": NOW + 550}), "clock")
    (ahead,) = diagnose(changed(healthy(), {**slow, "host/clock": NOW + 700}))["findings"]
    assert ahead["evidence"] == ["it is at least 100 s ahead of that of the controller"]


def test_boots_that_were_shut_down_are_no_loop() -> None:
    boots = [boot(20 - number, NOW - 900 * number, (*STAGES[:4], "shutdown")) for number in range(5)]
    assert diagnose(changed(starts_over(), {"boot_log/boots": boots}))["findings"] == []


def test_boots_of_former_days_are_no_loop() -> None:
    boots = [boot(20 - number, BEGAN - 86400 * number, STAGES[:4]) for number in range(5)]
    assert diagnose(changed(starts_over(), {"boot_log/boots": boots}))["findings"] == []


def test_monitor_that_was_added_is_a_minor_matter() -> None:
    two = [{"v2": "10.77.0.1:3300", "v1": None}, {"v2": "10.77.0.2:3300", "v1": None}]
    (added,) = diagnose(changed(healthy(), {"ceph/cluster/monitors": two}))["findings"]
    assert (added["cause"], added["likelihood"]) == ("other-monitors", 20)


def test_monitors_of_the_old_protocol_are_those_of_legacy_hosts() -> None:
    legacy = {f"{HOST_CONF}/DISKLESS_MS_MODE": "legacy", f"{HOST_CONF}/DISKLESS_MONITORS": "10.77.0.1:6789"}
    evidence = changed(healthy(), {**legacy, "spec/ms_mode": "legacy", "network/monitors": {"10.77.0.1:6789": "ok"}})
    assert _fine(evidence, "host-monitors") == "10.77.0.1:6789"


def test_monitors_of_the_inventory_are_wanted_even_if_the_cluster_calls_them_otherwise() -> None:
    by_nat = {f"{HOST_CONF}/DISKLESS_MONITORS": "192.0.2.1:3300", "network/monitors": {"192.0.2.1:3300": "ok"}}
    assert _fine(changed(healthy(), {**by_nat, "spec/monitors": ["192.0.2.1:3300"]}), "host-monitors")


# Several boot servers


def test_boot_server_that_serves_is_believed() -> None:
    other = {"services": {**healthy()["boot"]["services"], "diskless-dnsmasq.service": "failed"}, "hosts": {}}
    evidence = changed(healthy(), {"boot": GONE, "boot_servers": {"boot0": other, "boot1": healthy()["boot"]}})
    (finding,) = diagnose(evidence)["findings"]
    assert (finding["cause"], finding["evidence"]) == (
        "other-boot-server-down",
        ["boot0: diskless-dnsmasq.service: failed"],
    )


def test_boot_server_is_no_other_boot_server_of_itself() -> None:
    server = changed(healthy(), {"boot/services/diskless-dnsmasq.service": "failed"})["boot"]
    found = diagnose(changed(healthy(), {"boot": GONE, "boot_servers": {"boot1": server}}))
    assert [finding["cause"] for finding in found["findings"]] == ["boot-server-down"]


def test_boot_server_that_cannot_be_asked_is_unknown() -> None:
    evidence = changed(healthy(), {"boot": GONE, "boot_servers": {"boot0": None, "boot1": healthy()["boot"]}})
    found = diagnose(evidence)
    assert found["findings"] == []
    assert [unknown["why"] for unknown in found["unknown"]] == ["boot0 could not be asked"]


def test_commands_are_for_the_boot_server_that_was_believed() -> None:
    servers = {"boot1": None, "boot2": changed(healthy(), {"boot/me/admitted": False})["boot"]}
    server = servers["boot2"]
    assert server is not None
    server["services"]["diskless-dnsmasq.service"] = "failed"
    found = diagnose(changed(healthy(), {"boot": GONE, "boot_servers": servers}))["findings"]
    assert found[0]["command"] == "ansible boot2 -i inventory.yml -a 'systemctl restart diskless-dnsmasq.service'"


# Commands


def test_boot_tree_whose_kernel_is_gone_is_seeded_again() -> None:
    gone = changed(healthy(), {"boot/me/files": files(vmlinuz=-1), "controller/boot_trees": "/data/boot"})
    (finding,) = diagnose(gone)["findings"]
    remove = f"ansible boot1 -i inventory.yml -a 'rm --force /data/boot/{NAME}/kernel.cfg'"
    assert finding["command"] == f"{remove} && ansible-playbook diskless.ceph.site -i inventory.yml"


def test_file_of_the_site_playbook_is_written_again_and_nothing_is_removed() -> None:
    (finding,) = diagnose(changed(healthy(), {"boot/me/files": files(grub=0)}))["findings"]
    assert (finding["cause"], finding["evidence"]) == ("file-damaged", ["grub.cfg: 0 bytes"])
    assert finding["command"] == "ansible-playbook diskless.ceph.site -i inventory.yml"


def test_old_cluster_is_asked_in_its_own_words() -> None:
    evidence = stopped("map", "blocklisted", "Ceph has blocklisted this host (10.77.0.12/24)")
    (finding,) = diagnose(changed(evidence, {"ceph/cluster/release": 14}))["findings"]
    assert finding["command"] == "ansible ceph1 -i inventory.yml -a 'ceph osd blacklist ls'"


# What hosts say may be anything


def test_what_a_host_says_cannot_act_on_a_terminal_or_in_a_command() -> None:
    units = ["\x1b]0;x\x07.service", "{{ lookup('pipe', 'id') }}.service", "a b; reboot", "data.mount"]
    (finding,) = diagnose(changed(healthy(), {"host/failed_units": units}))["findings"]
    assert finding["command"] == f"ansible {NAME} -i inventory.yml -a 'systemctl status --no-pager data.mount'"
    assert finding["evidence"][0] == r"\x1b]0;x\x07.service"
    assert all(fact.isprintable() for fact in finding["evidence"])


def test_what_others_say_is_quoted_in_commands() -> None:
    services = {"x.service; reboot": "failed", "{{ evil }}": "failed"}
    found = diagnose(changed(healthy(), {"boot/services": services}))["findings"]
    assert found[0]["command"] == (
        """ansible boot1 -i inventory.yml -a 'systemctl restart '"'"'x.service; reboot'"'"' '"'"'?'"'"''"""
    )


def test_endless_text_is_cut() -> None:
    (finding,) = diagnose(stopped("network", "panic", "x" * 100_000))["findings"]
    assert len(finding["evidence"][0]) < 500


def test_commands_reach_ceph_as_the_inventory_says() -> None:
    controller = {"ceph_launcher": ["podman", "exec", "-i", "mon"], "ceph_arguments": ["--name", "client.ops"]}
    paused = {"controller": controller, "ceph/cluster/flags": ["pauserd"]}
    (finding,) = diagnose(changed(healthy(), paused))["findings"]
    assert finding["command"] == ("ansible 'ceph_admin[0]' -a 'podman exec -i mon ceph --name client.ops osd unpause'")


# The runbook


def _runbook() -> str:
    return (ROOT / "docs" / "host-does-not-come-back.md").read_text(encoding="utf-8")


def test_runbook_lists_every_cause() -> None:
    assert sorted(re.findall(r"^\| `([a-z-]+)` \|", _runbook(), re.MULTILINE)) == sorted(
        fault.cause for fault in FAULTS
    )


def test_runbook_shows_what_is_really_said() -> None:
    """Every line about a finding."""
    examples = list(re.finditer(r"^  1\. ([a-z-]+): .*?(?=\n\n|\n```)", _runbook(), re.MULTILINE | re.DOTALL))
    assert [example[1] for example in examples] == ["cannot-blocklist", "lost", "fenced", "lock-owner-alive"]
    for example in examples:
        fault = next(fault for fault in FAULTS if fault.cause == example[1])
        said = "\n".join(
            line
            for found in fault.diagnosis()["findings"]
            for line in (f"{found['cause']}: {found['text']}", *found["evidence"], found["remedy"], found["command"])
        ).replace("SSH: ssh: ", "SSH: Failed to connect to the host via ssh: ssh: ")  # Ansible's words
        for line in example[0].splitlines():
            words = re.sub(r"^ *(?:1\. |\| |\$ |It explains )?", "", line)
            assert words in said, words
