#!/usr/bin/python
# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Return the session policy of the MDS."""

from __future__ import annotations

DOCUMENTATION = r"""
module: mds_options_info
short_description: Return when the MDS evicts a client and whether it then puts it on the blocklist
version_added: 0.1.0
description:
  - Returns all that M(diskless.ceph.mds_options) sets, as configured, by default, and as every running daemon works
    with it, and where these differ.
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
    details: Nothing is changed.
  idempotent:
    support: full
options: {}
seealso:
  - module: diskless.ceph.mds_options
  - module: diskless.ceph.cephfs_settings_info
"""

EXAMPLES = r"""
- name: Session policy is known
  diskless.ceph.mds_options_info:
  register: policy

- name: Every MDS works with what is configured, and blocklists whom it evicts
  ansible.builtin.assert:
    that:
      - policy.drift == []
      - policy.options.session_blocklist_on_timeout.effective.values() | map(attribute='value') is all
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
    - What the release has of the session policy, by the names of the options of M(diskless.ceph.mds_options). The
      sample shows two.
    - C(option) is what the cluster calls it, C(default) its default, C(configured) the values in the configuration
      database by section, C(left_under_old_name) those under the name of another release, which have no effect, and
      C(effective) what every running daemon works with, and its source. That is C(default), C(mon) for the
      configuration database, C(file) for ceph.conf, or C(override) if it was set at run time. It is null for a
      daemon that does not answer.
  returned: success
  type: dict
  sample:
    session_blocklist_on_timeout:
      option: mds_session_blocklist_on_timeout
      default: true
      configured: {}
      left_under_old_name: {}
      effective:
        mds.a:
          value: true
          source: default
    client_blocklist_duration:
      option: mon_osd_blocklist_default_expire
      default: 3600.0
      configured: {}
      left_under_old_name: {}
      effective:
        mon.a:
          value: 3600.0
          source: default
not_in_release:
  description: Options of M(diskless.ceph.mds_options) that the release does not have; the sample is of release 14.
  returned: success
  type: list
  elements: str
  sample: [defer_client_eviction_on_laggy_osds, deny_all_reconnect]
drift:
  description: Where a running daemon does not work with what is configured for it, or else the default.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name of the option.
      type: str
      sample: cap_revoke_eviction_timeout
    daemon:
      description: The daemon.
      type: str
      sample: mds.a
    configured:
      description: What it should work with.
      type: raw
      sample: 0.0
    effective:
      description: What it works with; null if it does not answer.
      type: raw
      sample: 11.0
    source:
      description: Where it has that from, see RV(options); null if it does not answer.
      type: str
      sample: override
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_client import (
    CEPH_ARGUMENT_SPEC,
    CephClient,
    CephError,
)
from ansible_collections.diskless.ceph.plugins.module_utils._mds_options import POLICY
from ansible_collections.diskless.ceph.plugins.module_utils._mds_options_plan import configured, drift
from ansible_collections.diskless.ceph.plugins.module_utils._mds_options_read import read_policy


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=dict(CEPH_ARGUMENT_SPEC), supports_check_mode=True)
    try:
        state = read_policy(CephClient.from_params(module.params))
    except (CephError, ValueError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(
        changed=False,
        release=state.dialect.release,
        dialect=state.dialect.word,
        mds=sorted(daemon.name for daemon in state.daemons if daemon.type == "mds"),
        options=configured(state),
        not_in_release=[part.name for part in POLICY if part.name not in state.options],
        drift=drift(state),
    )


if __name__ == "__main__":
    main()
