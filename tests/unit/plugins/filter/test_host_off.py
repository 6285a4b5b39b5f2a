# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter host_off: what proves that a host is off, and that nothing else does."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.diskless.ceph.plugins.filter.host_off import host_off

UNREACHABLE = "Task failed: Failed to connect to the host via ssh: ssh: connect to host 10.77.0.11 port 22: "
SILENT = {"unreachable": True, "msg": UNREACHABLE + "Connection timed out"}
LOGIN = {"rc": 0, "failed": False, "stdout": ""}
NO_DRIVER = {"state": "unknown", "proven": False, "reason": "diskless_power is missing", "driver": "none"}
OFF = {"state": "off", "proven": True, "reason": "", "driver": "ipmi"}
ON = {**OFF, "state": "on"}
FEATURES = ["layering", "exclusive-lock"]
WATCHER = {"address": "10.77.0.11:0/123", "client": "client.4170"}
FREE = {"features": FEATURES, "watchers": []}
WATCHED = {"features": FEATURES, "watchers": [WATCHER]}
NOTHING = {"off": False, "proof": "", "problems": [], "switch_off": False}


def evidence(**changes: Any) -> dict[str, Any]:
    """What is known of a host that lies there dead, without a power driver, at the first look."""
    return {
        "host": "udoo1",
        "address": "10.77.0.11",
        "power": NO_DRIVER,
        "asked": "never",
        "ssh": SILENT,
        "ping": {"rc": 1},
        "heard_seconds": 500.0,
        "image_name": "diskless/udoo1/root",
        "images": [FREE],
        "observed_seconds": 0,
        "watch_seconds": 30,
        "option": "recover_host_power_off",
        "assume_off": False,
        "first": None,
        **changes,
    }


def first(**changes: Any) -> dict[str, Any]:
    """The verdict of the first look."""
    return host_off(evidence(**changes))


def last(**changes: Any) -> dict[str, Any]:
    """The verdict of the last look, which comes after one that found nothing."""
    return host_off(evidence(**{"first": NOTHING, "images": [FREE, FREE], "observed_seconds": 35, **changes}))


def only_problem(verdict: dict[str, Any]) -> str:
    assert verdict["off"] is False
    assert verdict["switch_off"] is False
    (problem,) = verdict["problems"]
    return str(problem)


def test_host_without_a_driver_is_off_when_nothing_lives_for_long_enough() -> None:
    assert first() == NOTHING
    assert last() == {
        **NOTHING,
        "off": True,
        "proof": "nobody has watched its root image for 35 s, and no login is answered",
    }


def test_host_whose_driver_says_so_is_off() -> None:
    assert first(power=OFF) == NOTHING
    assert last(power=OFF, observed_seconds=0) == {
        **NOTHING,
        "off": True,
        "proof": "its power driver says that it is off",
    }


def test_host_that_one_can_log_in_to_is_not_off() -> None:
    problem = only_problem(first(ssh=LOGIN))
    assert problem == (
        "udoo1 answers ssh at 10.77.0.11: it runs; shut it down first (systemctl poweroff there), or give"
        " recover_host_power_off=always to cut its power"
    )


@pytest.mark.parametrize(
    "said",
    [
        "Connection refused",
        "Permission denied (publickey).",
        "Host key verification failed.",
        "Connection timed out during banner exchange",
        "kex_exchange_identification: read: Connection reset by peer",
    ],
)
@pytest.mark.parametrize("power", [NO_DRIVER, OFF])
def test_whoever_refuses_a_connection_is_alive(said: str, power: dict[str, Any]) -> None:
    assert "answers ssh at 10.77.0.11" in only_problem(first(ssh={"unreachable": True, "msg": said}, power=power))


def test_host_that_takes_a_connection_and_hangs_is_alive() -> None:
    hangs = {"failed": True, "msg": "Task failed: Timed out after 40 second(s).", "timedout": {"period": 40}}
    assert only_problem(first(ssh=hangs)) == (
        "udoo1 answers ssh at 10.77.0.11 (takes connections and then hangs): it is on; give recover_host_power_off=true"
        " to switch it off first, which is a power cut"
    )
    assert first(ssh=hangs, power=ON, asked="hung")["switch_off"] is True


def test_host_on_which_nothing_can_be_started_is_alive_and_may_be_switched_off() -> None:
    broken = {"rc": 126, "failed": False, "msg": "non-zero return code"}
    assert "(a command fails with rc 126): it is on" in only_problem(first(ssh=broken))
    assert first(ssh=broken, power=ON, asked="hung")["switch_off"] is True


@pytest.mark.parametrize("said", ["No route to host", "Connection timed out", "Host is down"])
def test_silence_of_ssh_is_no_sign_of_life(said: str) -> None:
    assert first(ssh={"unreachable": True, "msg": UNREACHABLE + said}) == NOTHING


@pytest.mark.parametrize("said", ["Could not resolve hostname udoo1", "Network is unreachable", ""])
def test_what_ssh_cannot_tell_speaks_against_it_unless_a_driver_knows(said: str) -> None:
    silent = {"unreachable": True, "msg": said}
    assert "whether udoo1 answers ssh is not known" in only_problem(first(ssh=silent))
    assert first(ssh=silent, power=OFF) == NOTHING


def test_kernel_that_answers_ping_is_alive() -> None:
    assert only_problem(first(ping={"rc": 0})) == ("udoo1 answers ping at 10.77.0.11: its kernel runs; switch it off")


@pytest.mark.parametrize("ping", [None, {"unreachable": True}, {"rc": 2}, {"failed": True, "msg": "no ping"}])
def test_ping_that_cannot_be_sent_says_nothing(ping: Any) -> None:
    assert first(ping=ping) == NOTHING


def test_host_that_talks_to_the_boot_log_is_stuck_not_off() -> None:
    assert only_problem(first(heard_seconds=12.4)) == (
        "udoo1 said something to the boot log 12 s ago: it is on, maybe stuck in its boot; switch it off"
    )
    assert "said something to the boot log 1 s ago" in only_problem(last(heard_seconds=1))
    assert first(heard_seconds=None) == NOTHING


def test_watched_image_is_that_of_a_host_that_runs_or_has_just_died() -> None:
    assert only_problem(first(images=[WATCHED])) == (
        "root image diskless/udoo1/root of udoo1 is watched by 10.77.0.11:0/123 (client.4170): the host runs, or died"
        " less than 30 s ago; switch it off, or try again then"
    )


def test_watcher_that_went_while_it_was_looked_at_proves_nothing() -> None:
    """It may be a host that boots: a driver has to say that its power is off."""
    assert "is watched by 10.77.0.11:0/123" in only_problem(last(images=[WATCHED, FREE]))
    assert last(images=[WATCHED, FREE], power=OFF)["off"] is True


@pytest.mark.parametrize("power", [NO_DRIVER, OFF])
def test_watcher_at_the_last_look_is_always_refused(power: dict[str, Any]) -> None:
    """Whatever the power driver says: another machine may have the image open."""
    verdict = last(images=[FREE, WATCHED], power=power)
    assert verdict["off"] is False
    assert any("is watched by 10.77.0.11:0/123 (client.4170)" in problem for problem in verdict["problems"])


def test_time_that_was_too_short_proves_nothing() -> None:
    assert "was observed for 30 s; expected more than 30 s" in only_problem(last(observed_seconds=30))


def test_image_without_a_lock_needs_a_driver() -> None:
    """A host that was only cut off would come back and write: there is no lock to take from it."""
    image = {**FREE, "features": ["layering"]}
    problem = only_problem(first(images=[image]))
    assert "has no exclusive-lock" in problem
    assert "whether it is off is not known (diskless_power is missing)" in problem
    assert first(images=[image], power=OFF) == NOTHING
    assert last(images=[image, image], power=OFF, observed_seconds=0)["off"] is True


def test_host_without_an_image_needs_a_driver() -> None:
    assert "has no root image diskless/udoo1/root whose watchers" in only_problem(last(images=[None, None]))
    assert last(images=[None, None], power=OFF)["off"] is True


def test_host_that_is_on_is_switched_off_only_when_asked() -> None:
    assert only_problem(first(power=ON, images=[WATCHED])) == (
        "the power driver of udoo1 says that it is on; shut it down, or give recover_host_power_off=true to switch it"
        " off first, which is a power cut"
    )
    wanted = {**NOTHING, "switch_off": True}
    assert first(power=ON, images=[WATCHED], ping={"rc": 0}, heard_seconds=1, asked="hung") == wanted


def test_host_that_one_can_log_in_to_is_cut_off_only_when_that_is_meant() -> None:
    problem = only_problem(first(power=ON, ssh=LOGIN, asked="hung"))
    assert "or give recover_host_power_off=always to cut its power" in problem
    assert first(power=ON, ssh=LOGIN, asked="always")["switch_off"] is True


@pytest.mark.parametrize("driver", ["none", "wake_on_lan"])
def test_host_that_nobody_can_switch_off_is_told_only_if_it_seems_to_run(driver: str) -> None:
    power = {**NO_DRIVER, "driver": driver}
    for sign in ({"images": [WATCHED]}, {"ssh": {"unreachable": True, "msg": "Connection refused"}}):
        problem = only_problem(first(power=power, asked="hung", **sign))
        assert problem == "udoo1 is to be switched off, but diskless_power has no driver that can; do it by hand"
    assert first(power=power, asked="hung") == NOTHING


def test_driver_that_knows_nothing_is_asked_to_switch_off_all_the_same() -> None:
    assert first(power={**ON, "state": "unknown", "proven": False}, asked="hung")["switch_off"] is True


def test_host_that_was_switched_off_is_off_once_the_driver_says_so_and_ceph_has_forgotten_it() -> None:
    before = {**NOTHING, "switch_off": True}
    verdict = last(first=before, power=OFF, images=[WATCHED, FREE], ping={"rc": 1}, asked="hung")
    assert verdict["off"] is True
    assert verdict["proof"] == "its power driver says that it is off, after it was switched off"
    refused = last(first=before, power=OFF, images=[WATCHED, WATCHED], ping={"rc": 1}, asked="hung")
    assert "although its power is off: that is another machine" in only_problem(refused)


def test_host_that_did_not_go_off_is_not_off() -> None:
    verdict = last(first={**NOTHING, "switch_off": True}, power={**ON, "proven": True}, asked="hung")
    assert verdict["off"] is False
    assert verdict["problems"][0] == "udoo1 was switched off, but its power driver says on; pull its plug"


@pytest.mark.parametrize("look", [first, last])
def test_driver_of_another_machine_is_found_out(look: Any) -> None:
    for sign in ({"ssh": LOGIN}, {"ping": {"rc": 0}}):
        if look is last and "ssh" in sign:
            continue
        assert "diskless_power is that of another machine" in only_problem(look(power=OFF, **sign))


def test_driver_of_another_machine_is_found_out_by_what_the_host_still_says() -> None:
    assert "said something to the boot log 3 s ago" in only_problem(last(power=OFF, heard_seconds=3))
    assert last(power=OFF, heard_seconds=34)["off"] is True


def test_check_mode_takes_a_host_to_have_been_switched_off() -> None:
    verdict = last(first={**NOTHING, "switch_off": True}, power=ON, images=[WATCHED, WATCHED], assume_off=True)
    assert verdict == {**NOTHING, "off": True, "proof": "its power would be switched off", "switch_off": True}


def test_evidence_that_is_not_complete_is_an_error_not_a_verdict() -> None:
    for key in evidence():
        if key != "first":
            incomplete = {name: value for name, value in evidence().items() if name != key}
            with pytest.raises(AnsibleFilterError, match="the evidence is not complete"):
                host_off(incomplete)
