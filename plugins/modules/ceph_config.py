#!/usr/bin/python
# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Set and remove options in the monitors' configuration database."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ceph_config
short_description: Set and remove options in the configuration database of the Ceph monitors
version_added: 0.1.0
description:
  - Brings about values of options in the monitors' configuration database, for any section and mask, many in one call.
    Options that are not named are left alone.
  - Values are compared as Ceph compares them. V(4G) is the same as V(4294967296), V(1h) as V(3600), V(true) as V(1).
  - An option can be given with C(blacklist) or C(blocklist) in its name, whatever the release. The cluster's own name
    is written, and a value that was left under the other name is removed.
  - All that is wrong with a task is reported together, before anything is changed. That is an option that does not
    exist, with the names that come near, a value that Ceph would refuse, and a mask that would never apply.
  - It then looks whether the running daemons have the value in effect, and says where that takes a restart and where
    C(ceph.conf), an override through C(ceph tell) or the admin socket, or a more specific section wins.
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
    details: Shows the values. Give a task that sets a password of a mgr module C(no_log).
  idempotent:
    support: full
options:
  section:
    description:
      - Whom the values of O(options) are for. One of V(global), V(mon), V(mgr), V(osd), V(mds) and V(client), or one
        daemon or client, as in V(mds.a).
      - A mask can follow, V(/TYPE:NAME) with a type of the CRUSH map, V(/class:NAME) with a device class, or both,
        as in V(osd/host:store1/class:ssd).
      - Ceph compares C(host) masks with the place of an OSD in the CRUSH map only, from Ceph 16 on. For other daemons,
        and for all on Ceph 14, a mask has to name what lies above the host, such as V(rack:r1).
    type: str
  options:
    description:
      - Values by option. Null removes the option from the section.
      - Names may be written with spaces or C(-) for C(_).
      - On the command line, and so in the process list of the machine that runs it, values show if Ceph's Python
        bindings are not used (see O(ceph_bindings)).
    type: dict
  settings:
    description: Values for several sections, in place of O(section) and O(options).
    type: list
    elements: dict
    suboptions:
      section:
        description: As O(section).
        type: str
        required: true
      options:
        description: As O(options).
        type: dict
        required: true
  report_effective:
    description:
      - Look at the running daemons that the values are for. That costs one command for each of them.
      - Without it RV(settings[].restart_required) and RV(settings[].overridden_by) are empty.
    type: bool
    default: true
seealso:
  - module: diskless.ceph.ceph_config_info
  - name: Ceph, configuration
    description: Sections, masks and sources of values.
    link: https://docs.ceph.com/en/latest/rados/configuration/ceph-conf/
"""

EXAMPLES = r"""
- name: MDS may use 8 GiB for its cache, and clients have longer to reconnect
  diskless.ceph.ceph_config:
    section: mds
    options:
      mds_cache_memory_limit: 8G
      mds_reconnect_timeout: 90

- name: Several sections at once, among them one with a mask; what mds.a had of its own is gone
  diskless.ceph.ceph_config:
    settings:
      - section: osd/class:hdd
        options:
          osd_recovery_sleep: 0.2
      - section: mds.a
        options:
          mds_cache_memory_limit: null
"""

RETURN = r"""
settings:
  description: What was asked for, in that order.
  returned: success
  type: list
  elements: dict
  contains:
    section:
      description: The section with its mask, as Ceph writes it.
      type: str
      sample: mds
    option:
      description: The cluster's own name of the option.
      type: str
      sample: mds_reconnect_timeout
    before:
      description: The value that was found; null if there was none.
      type: str
      sample: null
    after:
      description: The value after the task, or as check mode expects it; null if there is none.
      type: str
      sample: '90.000000'
    removed_name:
      description: The other name of the option, blacklist for blocklist or reverse, if a value under it was removed.
      type: str
      sample: null
    restart_required:
      description: The running daemons that take this value only when they start again.
      type: list
      elements: str
      sample: []
    overridden_by:
      description: The running daemons that have another value in effect, and where that comes from.
      type: list
      elements: dict
      contains:
        daemon:
          description: Name of the daemon.
          type: str
          sample: mds.a
        value:
          description: The value that is in effect.
          type: str
          sample: '60.000000'
        source:
          description:
            - Where it comes from. V(file) is C(ceph.conf), V(env) the environment, V(cmdline) the command line of the
              daemon.
            - V(override) is the daemon itself, or somebody through C(ceph tell) or the admin socket; until it restarts.
            - V(mon) is the configuration database, see RV(settings[].overridden_by[].section).
          type: str
          sample: override
        section:
          description: The section that wins, null if the value does not come from the database.
          type: str
          sample: null
"""

from dataclasses import dataclass
from typing import Any, Iterable, Sequence

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_client import (
    CEPH_ARGUMENT_SPEC,
    CephClient,
    CephError,
)
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_config import Daemon, Target, parse_target
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_config_effective import (
    DAEMON_TYPES,
    Effective,
    concerned,
    concerned_types,
    read_daemons,
    read_effective,
    wait_effective,
)
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_config_plan import (
    Change,
    Obstacle,
    Wish,
    obstacles,
    plan,
    planned_rows,
    reached,
    wish_for,
)
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_config_reader import (
    ConfigDatabase,
    find_names,
    read_database,
    read_location_types,
    read_options,
)
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_option import problem

# A daemon hears of a change at once; on Ceph 14 the mgr reports it after mgr_stats_period, 5 seconds.
EFFECTIVE_SECONDS = 15


@dataclass(frozen=True)
class Asked:
    """One option of the task."""

    target: Target
    name: str
    value: Any


def read_asked(client: CephClient, database: ConfigDatabase, settings: Iterable[dict[str, Any]]) -> list[Wish]:
    """Return the wishes of the task; raises ValueError with everything that is wrong with it."""
    sections = list(settings)
    names = find_names(client, database, (given for item in sections for given in item["options"]))
    types: Iterable[str] = database.location_types
    if any("/" in item["section"] for item in sections):
        types = read_location_types(client)
    problems: list[str] = []
    asked: list[Asked] = []
    for item in sections:
        try:
            target = parse_target(item["section"], types)
        except ValueError as error:
            problems.append(str(error))
            target = Target(item["section"])
        asked += [Asked(target, names.own(given), value) for given, value in item["options"].items()]
        problems += [names.problem(given) for given in item["options"] if not names.has(names.own(given))]
    options = read_options(client, (one.name for one in asked if names.has(one.name)))
    for one in asked:
        wrong = problem(options[one.name], one.value) if one.name in options and one.value is not None else None
        problems += [wrong] if wrong else []
    seen = [(one.target, one.name) for one in asked]
    problems += [
        f"option {name} is given twice for section {target.who}"
        for target, name in sorted(set(seen), key=str)
        if seen.count((target, name)) > 1
    ]
    if problems:
        raise ValueError("; ".join(problems))
    return [wish_for(one.target, options[one.name], one.value, names.dialect.other(one.name)) for one in asked]


def find_daemons(client: CephClient, wishes: Sequence[Wish], release: int) -> list[Daemon]:
    """Return the running daemons that any of the wishes may be for."""
    types = {kind for wish in wishes for kind in concerned_types(wish.target, wish.option)}
    running = read_daemons(client, types, release)
    wanted = {daemon.name for wish in wishes for daemon in concerned(running, wish.target, wish.option)}
    return [daemon for daemon in running if daemon.name in wanted]


def look(
    module: AnsibleModule, client: CephClient, database: ConfigDatabase, changes: Sequence[Change]
) -> list[list[Obstacle]]:
    """Return for each change what stands in its way in the running daemons."""
    wishes = [change.wish for change in changes]
    release = database.cluster.release
    daemons = find_daemons(client, wishes, release)
    rows = planned_rows(database.rows, changes)

    def found(effective: Effective) -> list[list[Obstacle]]:
        return [obstacles(wish, rows, daemons, effective, database.location_types) for wish in wishes]

    def pending(effective: Effective) -> list[str]:
        return [
            f"{wish.option.name} in {obstacle.daemon}"
            for wish, some in zip(wishes, found(effective))
            for obstacle in some
            if obstacle.kind == "pending"
        ]

    seconds = 0 if module.check_mode else EFFECTIVE_SECONDS
    effective = wait_effective(lambda: read_effective(client, release, daemons), pending, seconds)
    if pending(effective) and not module.check_mode:
        module.warn(f"not in effect after {seconds} s: {', '.join(pending(effective))}")
    for wish in wishes:
        if wish.target.mask and wish.target.type in DAEMON_TYPES and not any(reached(wish, each) for each in daemons):
            module.warn(f"mask {wish.target.mask} matches no running daemon of section {wish.target.section}")
    return found(effective)


def values(changes: Iterable[Change], when: str) -> dict[str, dict[str, str | None]]:
    """Return the values by section and option, for the diff."""
    shown: dict[str, dict[str, str | None]] = {}
    for change in changes:
        wish = change.wish
        section = shown.setdefault(wish.target.who, {})
        section[wish.option.name] = change.before if when == "before" else change.after
        if change.before_other is not None and wish.other_name:
            section[wish.other_name] = change.before_other if when == "before" else None
    return shown


def as_result(change: Change, found: Sequence[Obstacle]) -> dict[str, Any]:
    """Return one of RV(settings)."""
    return {
        "section": change.wish.target.who,
        "option": change.wish.option.name,
        "before": change.before,
        "after": change.after,
        "removed_name": None if change.before_other is None else change.wish.other_name,
        "restart_required": [obstacle.daemon for obstacle in found if obstacle.kind == "restart"],
        "overridden_by": [
            {"daemon": one.daemon, "value": one.value, "source": one.source, "section": one.section}
            for one in found
            if one.kind == "overridden"
        ],
    }


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "section": {"type": "str"},
            "options": {"type": "dict"},
            "settings": {
                "type": "list",
                "elements": "dict",
                "options": {
                    "section": {"type": "str", "required": True},
                    "options": {"type": "dict", "required": True},
                },
            },
            "report_effective": {"type": "bool", "default": True},
            **CEPH_ARGUMENT_SPEC,
        },
        required_one_of=[("options", "settings")],
        mutually_exclusive=[("options", "settings"), ("section", "settings")],
        required_together=[("section", "options")],
        supports_check_mode=True,
    )
    given = {"section": module.params["section"], "options": module.params["options"]}
    settings = module.params["settings"] if given["options"] is None else [given]
    client = CephClient.from_params(module.params)
    try:
        database = read_database(client)
        changes = plan(database.rows, read_asked(client, database, settings))
        if not module.check_mode:
            client.ceph_many([command for change in changes for command in change.commands()], parallel=True)
        looks = module.params["report_effective"]
        found: list[list[Obstacle]] = look(module, client, database, changes) if looks else [[] for change in changes]
    except (CephError, ValueError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(
        changed=any(change.changed for change in changes),
        diff={"before": values(changes, "before"), "after": values(changes, "after")},
        settings=[as_result(change, some) for change, some in zip(changes, found)],
    )


if __name__ == "__main__":
    main()
