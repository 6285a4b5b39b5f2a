# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Action boot_tree_info: tells the module, which runs on the boot server, what the inventory asks for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from hashlib import sha256
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ..plugin_utils._host_spec import HostSpec
from ..plugin_utils._rendered_tree import rendered_tree

ARGUMENT_SPEC: dict[str, dict[str, Any]] = {
    "hosts": {"type": "list", "elements": "dict", "required": True},
    "directory": {"type": "path"},
    "link_root": {"type": "path"},
    "tftp_user": {"type": "str"},
}


class ActionModule(ActionBase):  # type: ignore[misc] # ansible-core is untyped
    """The controller's half of M(diskless.ceph.boot_tree_info)."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Render what the module compares with, and run it."""
        answer: dict[str, Any] = super().run(tmp, task_vars)
        args = self.validate_argument_spec(argument_spec=ARGUMENT_SPEC)[1]
        options = {name: args[name] for name in ("directory", "link_root", "tftp_user") if args[name] is not None}
        module_args = {**options, "hosts": [], "expected": [_expected(spec) for spec in _specs(args["hosts"])]}
        answer.update(
            self._execute_module(
                module_name="diskless.ceph.boot_tree_info", module_args=module_args, task_vars=task_vars
            )
        )
        return answer


def _specs(hosts: Sequence[dict[str, Any]]) -> list[HostSpec]:
    try:
        return [HostSpec.from_dict(host) for host in hosts]
    except KeyError as error:
        raise AnsibleActionFail(
            f"hosts holds something that is no host spec: {error} is missing; expected the output of the filter"
            " diskless.ceph.host_specs"
        ) from None


def _expected(spec: HostSpec) -> dict[str, Any]:
    """What is expected of one host. Of the files only digests: nothing else is needed, and there may be many hosts."""
    tree = rendered_tree(spec, b"")
    firmware = tree.firmware
    return {
        "name": tree.name,
        "mac": tree.mac,
        "address": spec.address,
        "loader": tree.loader,
        "views": list(tree.views),
        "firmware": {**asdict(firmware), "files": list(firmware.files)} if firmware else None,
        "digests": {name: sha256(text.encode()).hexdigest() for name, text in tree.files.items()},
    }
