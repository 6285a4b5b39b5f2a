#!/usr/bin/python
# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ensure the session policy of the MDS."""

from __future__ import annotations

DOCUMENTATION = r"""
module: mds_options
short_description: Set when the MDS evicts a client and whether it then puts it on the blocklist
version_added: 0.1.0
description:
  - Sets the options of Ceph that make up the session policy, in the monitors' configuration database, and proves that
    every running daemon that they are for works with them.
  - Every option can be named by what it means or as Ceph names it, with C(blacklist) or C(blocklist). What the cluster
    is given is its own name; a value of the same section under the other name is moved.
  - What is not given is left as it is. An option that the cluster's release does not have is an error.
  - After how long a silent client is evicted is a setting of the file system, see M(diskless.ceph.cephfs_settings).
notes:
  - >-
    What is risked without blocklisting: the MDS hands what the evicted client held to others, while that client does
    not know it and may still write to the OSDs. When its network is back, it writes over what others wrote since.
    The blocklist is what keeps it from doing so. Before turning it off, consider a longer C(session_autoclose)
    (M(diskless.ceph.cephfs_settings)), so that fewer clients are evicted, and the mount option C(recover_session=clean)
    of the kernel client, which connects again by itself and drops what could not be written.
  - >-
    To leave clients off the blocklist does not by itself heal a ceph-fuse client: unless it runs with
    C(client_reconnect_stale=true), its calls hang until it is mounted again, instead of failing with C(ESHUTDOWN).
author:
  - diskless.ceph contributors (@diskless-ceph)
extends_documentation_fragment:
  - diskless.ceph.attributes
  - diskless.ceph.ceph
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  section:
    description:
      - The section of the configuration database, V(mds), V(mds.a) for one MDS, V(mds/host:ceph1) for those of a host,
        or V(global). What concerns the monitors is set for V(mon), unless this is V(global).
    type: str
    default: mds
  session_blocklist_on_timeout:
    description:
      - Whether a client that was silent for the C(session_autoclose) of its file system goes on the blocklist.
      - V(false) needs O(accept_data_loss_risk=true).
    type: bool
    aliases: [mds_session_blocklist_on_timeout, session_blacklist_on_timeout, mds_session_blacklist_on_timeout]
  session_blocklist_on_evict:
    description:
      - Whether a client that an administrator evicts goes on the blocklist.
      - V(false) needs O(accept_data_loss_risk=true).
    type: bool
    aliases: [mds_session_blocklist_on_evict, session_blacklist_on_evict, mds_session_blacklist_on_evict]
  reconnect_timeout:
    description: Seconds that an MDS which takes over waits for the clients of its predecessor, before it evicts them.
    type: float
    aliases: [mds_reconnect_timeout]
  cap_revoke_eviction_timeout:
    description: Seconds after which a client that does not give back what others wait for is evicted; 0 is never.
    type: float
    aliases: [mds_cap_revoke_eviction_timeout]
  defer_session_stale:
    description: Whether a session counts as stale only once somebody else wants what its client holds.
    type: bool
    aliases: [mds_defer_session_stale]
  defer_client_eviction_on_laggy_osds:
    description:
      - Whether no client is evicted while an OSD is slow, as that may be why it is silent.
      - Not in release 14.
    type: bool
  deny_all_reconnect:
    description:
      - Whether an MDS that takes over lets no client connect again; they are all evicted.
      - Not in release 14.
    type: bool
    aliases: [mds_deny_all_reconnect]
  max_caps_per_client:
    description: Number of capabilities, about one for each file in use, that a client may hold.
    type: int
    aliases: [mds_max_caps_per_client]
  session_cap_acquisition_throttle:
    description: Number of capabilities taken in a short time above which a client is slowed down.
    type: int
    aliases: [mds_session_cap_acquisition_throttle]
  client_blocklist_duration:
    description:
      - Seconds that a client stays on the blocklist, if whoever puts it there does not say.
      - The monitors act on this one.
    type: float
    aliases:
      - client_blacklist_duration
      - mon_osd_blocklist_default_expire
      - osd_blocklist_default_expire
      - mon_osd_blacklist_default_expire
      - osd_blacklist_default_expire
  blocklist_interval:
    description:
      - Seconds that an MDS which was replaced stays on the blocklist, at least 3600.
      - The monitors act on this one.
    type: float
    aliases:
      - blacklist_interval
      - mon_mds_blocklist_interval
      - mds_blocklist_interval
      - mon_mds_blacklist_interval
      - mds_blacklist_interval
  reset:
    description: Names of options, as above, that go back to their defaults in this section.
    type: list
    elements: str
    default: []
  accept_data_loss_risk:
    description: That you have read the first note, and want clients to be left off the blocklist.
    type: bool
    default: false
  verify_timeout:
    description:
      - Seconds to wait until all running daemons work with the values; on release 14 these are known with a delay of
        several seconds.
      - The task fails if one does not by then, with the value it has and where that comes from.
    type: int
    default: 30
seealso:
  - module: diskless.ceph.mds_options_info
  - module: diskless.ceph.cephfs_settings
  - name: Ceph, eviction of CephFS clients
    description: What eviction and blocklisting do.
    link: https://docs.ceph.com/en/latest/cephfs/eviction/
"""

EXAMPLES = r"""
- name: An MDS that takes over waits longer for its clients
  diskless.ceph.mds_options:
    reconnect_timeout: 120
    session_blocklist_on_timeout: true
    session_blocklist_on_evict: true

- name: Clients that time out stay off the blocklist, at the risk that the notes describe
  diskless.ceph.mds_options:
    session_blocklist_on_timeout: false
    accept_data_loss_risk: true

- name: Everything that this MDS has of its own is gone
  diskless.ceph.mds_options:
    section: mds.a
    reset:
      - session_blocklist_on_timeout
      - reconnect_timeout
"""

RETURN = r"""
release:
  description: Release of Ceph that all monitors run at least.
  returned: success
  type: int
  sample: 18
dialect:
  description: The cluster's word, C(blacklist) in release 14, C(blocklist) later.
  returned: success
  type: str
  sample: blocklist
mds:
  description: The running MDS, active and standby.
  returned: success
  type: list
  elements: str
  sample: [mds.a]
options:
  description:
    - What is configured after the task, or as check mode expects it, of all that the task is about. By section, then by
      the name that the cluster has for the option.
  returned: success
  type: dict
  sample:
    mds:
      mds_reconnect_timeout: "120.000000"
      mds_session_blocklist_on_evict: "true"
      mds_session_blocklist_on_timeout: "true"
"""

from dataclasses import dataclass, replace
from typing import Any, Sequence

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_client import (
    CEPH_ARGUMENT_SPEC,
    CephClient,
    CephError,
)
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_config import ConfigValue, parse_target
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_config_effective import Effective, wait_effective
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_config_plan import Change, Wish, plan, planned_rows
from ansible_collections.diskless.ceph.plugins.module_utils._mds_options import POLICY, argument_spec, risk_problems
from ansible_collections.diskless.ceph.plugins.module_utils._mds_options_plan import (
    Missing,
    PolicyState,
    PolicyWish,
    missing_in,
)
from ansible_collections.diskless.ceph.plugins.module_utils._mds_options_read import read_again, read_policy

FIRST_PROMPT_RELEASE = 16


class PolicyError(Exception):
    """The task cannot have what it wants; the text says why."""


def wishes_of(params: dict[str, Any], state: PolicyState) -> list[Wish]:
    """Return what the task wants; raises PolicyError with everything that speaks against it."""
    values = {part.name: params[part.name] for part in POLICY if params[part.name] is not None}
    problems = risk_problems(values, params["accept_data_loss_risk"])
    try:
        target = parse_target(params["section"])
    except ValueError as error:
        raise PolicyError("; ".join([str(error), *problems])) from error
    wish = PolicyWish(target, values, params["reset"])
    problems += wish.problems(state)
    if problems:
        raise PolicyError("; ".join(problems))
    return wish.wishes(state)


@dataclass(frozen=True)
class Proof:
    """That all daemons work with what is wanted, once the database has these rows."""

    client: CephClient
    state: PolicyState
    wishes: Sequence[Wish]
    rows: Sequence[ConfigValue]

    def missing(self, effective: Effective, overridden_only: bool) -> list[Missing]:
        """Return where it is not so."""
        found = missing_in(replace(self.state, effective=effective), self.wishes, self.rows)
        return [one for one in found if one.overridden or not overridden_only]

    def demand(self, timeout_seconds: int, overridden_only: bool = False) -> None:
        """Wait until it is so; raises PolicyError with what is missing when the time is over."""
        missing = self.missing(self.state.effective, overridden_only)
        if missing:
            last = wait_effective(
                lambda: read_again(self.client, self.state).effective,
                lambda effective: self.missing(effective, overridden_only),
                timeout_seconds,
            )
            missing = self.missing(last, overridden_only)
        if missing:
            raise PolicyError("; ".join(map(str, missing)))


def run(client: CephClient, params: dict[str, Any], check_mode: bool) -> tuple[PolicyState, list[Change]]:
    """Read, plan and, unless in check mode, apply and verify."""
    state = read_policy(client)
    wishes = wishes_of(params, state)
    changes = plan(state.rows, wishes)
    proof = Proof(client, state, wishes, planned_rows(state.rows, changes))
    timeout = params["verify_timeout"]
    # Before Ceph 16 what was set at run time is known with a delay: it may have been taken back by now.
    proof.demand(timeout if state.dialect.release < FIRST_PROMPT_RELEASE else 0, overridden_only=True)
    if not check_mode:
        client.ceph_many([command for change in changes for command in change.commands()], parallel=True)
        proof.demand(timeout)
    return state, changes


def configured_rows(changes: Sequence[Change]) -> tuple[dict[str, dict[str, str]], dict[str, dict[str, str]]]:
    """Return what the sections have of what the task is about, before and after."""
    before: dict[str, dict[str, str]] = {}
    after: dict[str, dict[str, str]] = {}
    for change in changes:
        who, name, other = change.wish.target.who, change.wish.option.name, change.wish.other_name
        found = ((before, name, change.before), (before, other, change.before_other), (after, name, change.after))
        for rows, option, value in found:
            rows.setdefault(who, {})
            if option is not None and value is not None:
                rows[who][option] = value
    return ordered(before), ordered(after)


def ordered(rows: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    """Return rows by section and option in the order of the alphabet."""
    return {who: dict(sorted(rows[who].items())) for who in sorted(rows)}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "section": {"type": "str", "default": "mds"},
            **argument_spec(),
            "reset": {"type": "list", "elements": "str", "default": []},
            "accept_data_loss_risk": {"type": "bool", "default": False},
            "verify_timeout": {"type": "int", "default": 30},
            **CEPH_ARGUMENT_SPEC,
        },
        supports_check_mode=True,
    )
    try:
        state, changes = run(CephClient.from_params(module.params), module.params, module.check_mode)
    except (CephError, PolicyError, ValueError) as error:
        module.fail_json(msg=str(error))
    before, after = configured_rows(changes)
    module.exit_json(
        changed=any(change.changed for change in changes),
        release=state.dialect.release,
        dialect=state.dialect.word,
        options=after,
        mds=sorted(daemon.name for daemon in state.daemons if daemon.type == "mds"),
        diff={"before": before, "after": after},
    )


if __name__ == "__main__":
    main()
