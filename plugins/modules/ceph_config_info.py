#!/usr/bin/python
# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Return options: what is configured, and what each running daemon has in effect."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ceph_config_info
short_description: Configured and effective values of Ceph's options
version_added: 0.1.0
description:
  - Returns for options what the monitors' configuration database has for them, by section and mask, and what each
    running daemon has in effect and where that comes from.
  - From Ceph 16 on every daemon is asked itself. On Ceph 14 the mgr answers for it, with what it heard up to
    C(mgr_stats_period) seconds ago.
author:
  - diskless.ceph contributors (@diskless-ceph)
extends_documentation_fragment:
  - diskless.ceph.attributes
  - diskless.ceph.ceph
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
    details: Changes nothing.
  idempotent:
    support: full
options:
  names:
    description:
      - Names of options. Without it, all that the database has a value for.
      - C(blacklist) and C(blocklist) in a name mean the same.
    type: list
    elements: str
  daemons:
    description:
      - Running daemons to ask, by type (V(mds)) or name (V(mds.a)). Without it, those that use the option by its own
        account, and those that the database has a value for.
      - An empty list asks none.
    type: list
    elements: str
seealso:
  - module: diskless.ceph.ceph_config
  - name: Ceph, configuration
    description: Sections, masks and sources of values.
    link: https://docs.ceph.com/en/latest/rados/configuration/ceph-conf/
"""

EXAMPLES = r"""
- name: How much memory does each MDS use for its cache, and who says so
  diskless.ceph.ceph_config_info:
    names: [mds_cache_memory_limit]
  register: cache

- name: Nobody has overridden it by hand
  ansible.builtin.assert:
    that: cache.options[0].effective | rejectattr('source', 'in', ['mon', 'default']) | length == 0

- name: Everything that is configured, without asking a daemon
  diskless.ceph.ceph_config_info:
    daemons: []
"""

RETURN = r"""
options:
  description: The options by name.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The cluster's own name of the option.
      type: str
      sample: mds_cache_memory_limit
    type:
      description: Its type; null if the cluster does not know an option that its database has a value for.
      type: str
      sample: size
    level:
      description: Whom it is meant for, V(basic), V(advanced) or V(dev); null as with RV(options[].type).
      type: str
      sample: basic
    default:
      description: The value that a daemon has without any setting; null as with RV(options[].type).
      type: str
      sample: '4294967296'
    can_update_at_runtime:
      description: Whether daemons take a new value without a restart; null as with RV(options[].type).
      type: bool
      sample: true
    configured:
      description: What the configuration database has.
      type: list
      elements: dict
      contains:
        section:
          description: The section with its mask.
          type: str
          sample: mds/root:default
        value:
          description: The value.
          type: str
          sample: '6442450944'
    effective:
      description: What the running daemons have in effect; without those that did not answer.
      type: list
      elements: dict
      contains:
        daemon:
          description: Name of the daemon.
          type: str
          sample: mds.a
        value:
          description: The value.
          type: str
          sample: '6442450944'
        source:
          description:
            - V(default), V(mon) for the configuration database, V(file) for C(ceph.conf), V(env), V(cmdline), or
              V(override) for the daemon itself, or somebody through C(ceph tell) or the admin socket.
          type: str
          sample: mon
        section:
          description: The section that gives the value, null if it does not come from the configuration database.
          type: str
          sample: mds/root:default
"""

from typing import Any, Iterable, Sequence

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_client import (
    CEPH_ARGUMENT_SPEC,
    CephClient,
    CephError,
)
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_config import Daemon, Target, row_for
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_config_effective import (
    DAEMON_TYPES,
    Effective,
    concerned,
    effective_value,
    read_daemons,
    read_effective,
)
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_config_reader import (
    ConfigDatabase,
    find_names,
    read_database,
    read_options,
)
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_option import CephOption
from ansible_collections.diskless.ceph.plugins.module_utils._nearest import nearest

GLOBAL = Target("global")


def wanted_names(
    client: CephClient, database: ConfigDatabase, given: Sequence[str] | None
) -> tuple[list[str], list[str]]:
    """Return the names to report: of options that the cluster has, and of others that only its database has.

    Raises ValueError for what neither has.
    """
    rows = {row.name for row in database.rows}
    texts = sorted(rows) if given is None else given
    names = find_names(client, database, texts)
    own = {names.own(text) for text in texts if names.has(names.own(text))}
    rest = [text for text in texts if not names.has(names.own(text))]
    problems = [names.problem(text) for text in rest if text not in rows]
    if problems:
        raise ValueError("; ".join(problems))
    return sorted(own), sorted(rest)


def select(running: Sequence[Daemon], selectors: Iterable[str]) -> list[Daemon]:
    """Return the daemons that are meant; raises ValueError for a selector that means none."""
    wanted = set(selectors)
    names = [daemon.name for daemon in running]
    absent = sorted(wanted - set(names) - set(DAEMON_TYPES))
    if absent:
        raise ValueError("; ".join(f"no daemon {name} is running{nearest(name, names)}" for name in absent))
    return [daemon for daemon in running if wanted & {daemon.name, daemon.type}]


def users(running: Sequence[Daemon], database: ConfigDatabase, option: CephOption) -> list[Daemon]:
    """Return the daemons that use the option, or that the database has a value for."""
    targets = [GLOBAL, *(row.target for row in database.rows if row.name == option.name)]
    names = {daemon.name for target in targets for daemon in concerned(running, target, option)}
    return [daemon for daemon in running if daemon.name in names]


def describe(
    database: ConfigDatabase, name: str, option: CephOption | None, daemons: Sequence[Daemon], effective: Effective
) -> dict[str, Any]:
    """Return one of RV(options)."""
    return {
        "name": name,
        "type": option.type if option else None,
        "level": option.level if option else None,
        "default": option.default if option else None,
        "can_update_at_runtime": option.can_update_at_runtime if option else None,
        "configured": [{"section": row.target.who, "value": row.value} for row in database.rows if row.name == name],
        "effective": [
            {"daemon": daemon.name, **found}
            for daemon in daemons
            for found in _in_effect(database, option, daemon, effective)
        ],
    }


def _in_effect(
    database: ConfigDatabase, option: CephOption | None, daemon: Daemon, effective: Effective
) -> Iterable[dict[str, Any]]:
    runs = effective_value(effective, daemon, option) if option else None
    if option and runs:
        row = row_for(database.rows, daemon, option.name, database.location_types) if runs.source == "mon" else None
        yield {"value": runs.value, "source": runs.source, "section": row.target.who if row else None}


def read(client: CephClient, given: Sequence[str] | None, selectors: Sequence[str] | None) -> list[dict[str, Any]]:
    """Read everything that the task asks for; raises ValueError for what does not exist."""
    database = read_database(client)
    names, unknown = wanted_names(client, database, given)
    options = read_options(client, names)
    release = database.cluster.release
    types = DAEMON_TYPES if selectors is None else {selector.partition(".")[0] for selector in selectors}
    running = read_daemons(client, types, release)
    chosen = running if selectors is None else select(running, selectors)
    asked = {name: users(chosen, database, option) if selectors is None else chosen for name, option in options.items()}
    needed = {daemon.name for daemons in asked.values() for daemon in daemons}
    effective = read_effective(client, release, [daemon for daemon in running if daemon.name in needed])
    return [
        describe(database, name, options.get(name), asked.get(name, []), effective)
        for name in sorted([*names, *unknown])
    ]


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "names": {"type": "list", "elements": "str"},
            "daemons": {"type": "list", "elements": "str"},
            **CEPH_ARGUMENT_SPEC,
        },
        supports_check_mode=True,
    )
    client = CephClient.from_params(module.params)
    try:
        options = read(client, module.params["names"], module.params["daemons"])
    except (CephError, ValueError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=False, options=options)


if __name__ == "__main__":
    main()
