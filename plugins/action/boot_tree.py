# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Action boot_tree: renders the trees of hosts on the controller, then runs the module on the boot server."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Sequence
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ..plugin_utils._host_spec import HostSpec
from ..plugin_utils._host_values import netaddr_missing
from ..plugin_utils._rendered_tree import RenderedTree, RenderError, rendered_trees

ARGUMENT_SPEC: dict[str, dict[str, Any]] = {
    "hosts": {"type": "list", "elements": "dict", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "reseed": {"type": "bool", "default": False},
    "cephx_keys": {"type": "dict", "no_log": True},
    "monitors": {"type": "list", "elements": "dict"},
    "golden_boot": {"type": "dict"},
    "root": {"type": "path"},
    "link_root": {"type": "path"},
    "tftp_user": {"type": "str"},
    "prune": {"type": "bool"},
}


class ActionModule(ActionBase):  # type: ignore[misc] # ansible-core is untyped
    """The controller's half of M(diskless.ceph.boot_tree)."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Render everything, or say everything that is missing, and only then touch the boot server."""
        answer: dict[str, Any] = super().run(tmp, task_vars)
        args = self.validate_argument_spec(
            argument_spec=ARGUMENT_SPEC,
            required_if=[("state", "present", ("cephx_keys", "monitors", "golden_boot"))],
        )[1]
        missing = netaddr_missing()
        if missing:
            raise AnsibleActionFail(missing)
        if not args["hosts"]:
            raise AnsibleActionFail("hosts is empty; expected the host specs of the whole fleet")
        others_go = args["prune"] and (args["reseed"] or args["state"] == "absent")
        if others_go or (args["reseed"] and args["state"] == "absent"):
            raise AnsibleActionFail(
                "prune, reseed and state=absent exclude each other: prune removes the trees of all hosts that are not "
                "in hosts, and the others are for some hosts alone"
            )
        specs = _specs(args["hosts"])
        options = {name: args[name] for name in ("golden_boot", "root", "link_root", "tftp_user", "prune")}
        module_args = {
            **{name: value for name, value in options.items() if value is not None},
            **{name: args[name] for name in ("state", "reseed") if args[name] != ARGUMENT_SPEC[name]["default"]},
            # Required as far as the user is concerned; what the module needs of them is rendered.
            **{"hosts": [], "cephx_keys": {}, "monitors": []},
            "rendered": _rendered(specs, args) if args["state"] == "present" else json.dumps([s.name for s in specs]),
        }
        answer.update(
            self._execute_module(module_name="diskless.ceph.boot_tree", module_args=module_args, task_vars=task_vars)
        )
        return answer


def packed(trees: Sequence[RenderedTree]) -> str:
    """The trees as one string, so that one no_log option hides every key in them."""
    return base64.b64encode(zlib.compress(json.dumps([tree.as_dict() for tree in trees]).encode())).decode()


def _rendered(specs: Sequence[HostSpec], args: dict[str, Any]) -> str:
    try:
        return packed(rendered_trees(specs, args["cephx_keys"], args["monitors"]))
    except RenderError as error:
        raise AnsibleActionFail(str(error)) from error


def _specs(hosts: Sequence[dict[str, Any]]) -> list[HostSpec]:
    try:
        return [HostSpec.from_dict(host) for host in hosts]
    except KeyError as error:
        raise AnsibleActionFail(
            f"hosts holds something that is no host spec: {error} is missing; expected the output of the filter"
            " diskless.ceph.host_specs"
        ) from None
