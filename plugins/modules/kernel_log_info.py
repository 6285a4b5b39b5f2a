#!/usr/bin/python
# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find evicted, blocklisted and fenced Ceph clients in the kernel log."""

from __future__ import annotations

DOCUMENTATION = r"""
module: kernel_log_info
short_description: Find evicted, blocklisted and fenced Ceph clients in the kernel log
version_added: 0.1.0
description:
  - Reads the kernel log of a host, finds what its CephFS and RBD clients logged when the cluster threw them out, and
    says what each line means, since when, for which mount or device, and what to do.
  - It needs no Ceph tools and no key, and works on any Linux host. A log without any such line is no error.
  - It knows the texts of Linux 4.9 to 6.18, with and without the C([fsid client]) that newer kernels put in front.
  - The journal is read with C(journalctl); where that has no kernel log, C(dmesg) is used. On most hosts both need
    root.
author:
  - diskless.ceph contributors (@diskless-ceph)
extends_documentation_fragment:
  - diskless.ceph.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: full
options:
  path:
    description:
      - A log file to read instead of this host's own kernel log. It may be the output of C(dmesg), a syslog file, a
        netconsole log, or a journal exported with C(journalctl -o json).
      - The log may be that of another host, so mounts and devices of this one are not brought into relation with it.
    type: path
  since:
    description:
      - Leave out what is older than this ISO 8601 time, such as V(2026-11-21T08:30:00Z), or than this age, such as
        V(90m), V(2h) or V(3d). A time without a zone is in the host's own.
      - Lines whose time is not known stay.
    type: str
  boots:
    description:
      - How many boots of the journal to read, the last one being the running one.
      - Boots that the journal no longer has are left out; without a journal there is only the running one.
    type: int
    default: 1
seealso:
  - module: diskless.ceph.mds_session_info
  - module: diskless.ceph.osd_blocklist_info
  - module: diskless.ceph.rbd_lock_info
"""

EXAMPLES = r"""
- name: Read what the kernel says about its Ceph clients
  diskless.ceph.kernel_log_info:
    since: 1d
  register: log

- name: No client of this host is shut out
  ansible.builtin.assert:
    that: log.findings | rejectattr('recovered') | selectattr('severity', 'eq', 'error') | length == 0
    fail_msg: "{{ log.findings | map(attribute='meaning') | join(' ') }}"

- name: Read the log that another host sent by netconsole before it died
  diskless.ceph.kernel_log_info:
    path: /var/log/netconsole/pi3.log
"""

RETURN = r"""
source:
  description: Where the lines come from, V(journal), V(dmesg) or V(file).
  returned: success
  type: str
  sample: file
lines_read:
  description: How many lines of the kernel log were read, of any kind; with O(since), how many were left.
  returned: success
  type: int
  sample: 16
incidents:
  description: The kinds of incident among the findings, each once.
  returned: success
  type: list
  elements: str
  sample: [caps_stale, data_lost, evicted, session_lost]
clients:
  description: The client instances that the kernel says it has had, in the order in which it got them.
  returned: success
  type: list
  elements: dict
  contains:
    client:
      description: Name of the client instance, as RV(findings[].client) and Ceph itself give it.
      type: str
    fsid:
      description: Id of the cluster.
      type: str
  sample:
    - client: client.4137
      fsid: 4f1e9a30-7c5e-4f0e-8a56-0e8d3c1f2b11
findings:
  description:
    - What was found, in the order of the first lines. Lines of the same kind, from the same boot and about the same
      MDS, monitor or device, are one finding.
  returned: success
  type: list
  elements: dict
  contains:
    signature:
      description: Name of the kind of line.
      type: str
    incident:
      description:
        - What happened, one of V(evicted), V(blocklisted), V(rejected), V(fenced), V(caps_stale), V(mds_unresponsive),
          V(session_lost), V(data_lost), V(lock_broken), V(lock_not_broken), V(io_error).
        - V(fenced) is an RBD client that is blocklisted; V(rejected) a CephFS client that gets no session, often
          because it is blocklisted.
      type: str
    severity:
      description: V(error) if the client is shut out or data is lost, otherwise V(warning).
      type: str
    meaning:
      description: What the line means.
      type: str
    remedy:
      description: What to do.
      type: str
    recovered:
      description:
        - Whether the kernel logged later that it is over, such as C(caps renewed) after C(caps stale).
        - It never logs that of lost data, of locks and of fences.
      type: bool
    count:
      description: How many lines.
      type: int
    first_time:
      description: Time of the first line, UTC; null if the log does not tell.
      type: str
    last_time:
      description: Time of the last line, UTC; null if the log does not tell.
      type: str
    first_uptime_seconds:
      description: Seconds from the boot of the kernel to the first line; null if the log does not tell.
      type: float
    last_uptime_seconds:
      description: Seconds from the boot of the kernel to the last line; null if the log does not tell.
      type: float
    boot:
      description: Id of the boot, as the journal gives it; null from any other source.
      type: str
    subject:
      description: The MDS rank, monitor, RBD device or image that the line names; null if it names none.
      type: str
    fsid:
      description: Id of the cluster, if the log tells it.
      type: str
    client:
      description: Name of the client instance, if the line tells it.
      type: str
    mounts:
      description:
        - Mount points that the line is about. If it does not name a cluster or monitor, all CephFS mounts.
        - Empty if nothing is mounted (any more), and with O(path).
      type: list
      elements: str
    devices:
      description: Mapped RBD images that the line is about.
      type: list
      elements: dict
      contains:
        device:
          description: Name of the block device.
          type: str
        image:
          description: The image, V(pool/image) or V(pool/namespace/image).
          type: str
    sample:
      description: The first of the lines, without its time.
      type: str
  sample:
    - signature: caps_stale
      incident: caps_stale
      severity: warning
      meaning: >-
        The client has not heard from the MDS for session_timeout, so it no longer trusts its caps: access to files
        waits. Eviction follows when session_autoclose has passed.
      remedy: Check the network and the clock of this host, and the load of the MDS.
      recovered: false
      count: 1
      first_time: null
      last_time: null
      first_uptime_seconds: 3601.120128
      last_uptime_seconds: 3601.120128
      boot: null
      subject: mds0
      fsid: null
      client: null
      mounts: []
      devices: []
      sample: "ceph: mds0 caps stale"
"""

from datetime import datetime
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.diskless.ceph.plugins.module_utils._kernel_ceph_clients import Device, Mount
from ansible_collections.diskless.ceph.plugins.module_utils._kernel_log import (
    KernelLine,
    lines_since,
    parse_file,
    parse_since,
)
from ansible_collections.diskless.ceph.plugins.module_utils._kernel_log_findings import ceph_clients, find_incidents
from ansible_collections.diskless.ceph.plugins.module_utils._kernel_log_reader import (
    LogUnreadable,
    read_clients,
    read_dmesg,
    read_journal,
)


def read_file(path: str) -> list[KernelLine]:
    """Read a log file."""
    try:
        text = Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise LogUnreadable(f"cannot read the log file {path}: {error.strerror}") from error
    return parse_file(text, datetime.now().astimezone())


def read_log(module: AnsibleModule) -> tuple[str, list[KernelLine]]:
    """Return where the lines come from, and the lines."""
    if module.params["path"]:
        return "file", read_file(module.params["path"])
    lines = read_journal(module, module.params["boots"])
    return ("journal", lines) if lines else ("dmesg", read_dmesg(module))


def report(lines: list[KernelLine], mounts: list[Mount], devices: list[Device]) -> dict[str, Any]:
    """Return what the lines say."""
    findings = find_incidents(lines, mounts, devices)
    return {
        "findings": findings,
        "incidents": sorted({finding["incident"] for finding in findings}),
        "clients": ceph_clients(lines),
        "lines_read": len(lines),
    }


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path"},
            "since": {"type": "str"},
            "boots": {"type": "int", "default": 1},
        },
        supports_check_mode=True,
    )
    if module.params["boots"] < 1:
        module.fail_json(msg=f"boots is {module.params['boots']}: at least the running one has to be read")
    try:
        source, lines = read_log(module)
        if module.params["since"]:
            lines = lines_since(lines, parse_since(module.params["since"], datetime.now().astimezone()))
    except (LogUnreadable, ValueError) as error:
        module.fail_json(msg=str(error))
    mounts, devices = ([], []) if source == "file" else read_clients()
    module.exit_json(changed=False, source=source, **report(lines, mounts, devices))


if __name__ == "__main__":
    main()
