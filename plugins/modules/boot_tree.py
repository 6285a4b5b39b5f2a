# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Module boot_tree: the half that runs on the boot server."""

from __future__ import annotations

DOCUMENTATION = r"""
module: boot_tree
short_description: Bring the boot trees of diskless hosts up to date, or remove them
version_added: 0.1.0
author: diskless.ceph contributors (@diskless-ceph)
description:
  - A boot tree is the directory of one host on the boot server. It is served by TFTP, exported by NFS,
    and mounted as C(/boot) on the host.
  - An action plugin renders the loader configuration and C(host.cpio) of all hosts on the controller. The module
    compares them with the trees and replaces, atomically, only what differs. One task does the whole fleet.
  - C(host.cpio), which holds the cephx key of its host, can be read by O(tftp_user) alone.
    Neither diff nor result ever show a key.
  - GRUB reads C(grub.cfg), the firmware of a Raspberry Pi C(config.txt) and C(cmdline.txt). Which kernel to boot they
    read in turn from a file that the host itself writes, C(kernel.cfg) or C(kernel.txt).
  - A tree without that file is seeded from the golden image's C(boot.tar). From then on, kernel, initramfs, device
    tree, the firmware of a Raspberry Pi and that file belong to the host.
  - What a machine is shown by TFTP is a directory named after its MAC address that holds nothing but links. For GRUB,
    C(grub) leads to the tree and C(grub.pxe), C(shimx64.efi) and C(grubx64.efi) to the loaders for BIOS and UEFI.
    For a Raspberry Pi, the last eight digits of its serial number and its MAC address lead to the tree.
  - Links that lead to another host's tree, or to a tree that is no longer that of the machine, are removed before any
    tree is changed. The directory itself stays, because dnsmasq shows everything to a machine that has none.
  - A run that dies half-way leaves every host bootable; the next run removes its temporary files.
  - With O(state=absent) it removes the trees of O(hosts) and what leads to them, and touches no other tree.
  - Hosts can write into their own trees. What they put there is never followed or opened unless it is a regular file.
extends_documentation_fragment:
  - diskless.ceph.attributes
attributes:
  check_mode:
    support: full
    details:
      - What earlier tasks would have made on the boot server, such as the loader, is assumed to come, with a warning.
  diff_mode:
    support: full
    details:
      - Of C(host.cpio) the diff shows C(host.conf) and a checksum, never the key.
  idempotent:
    support: partial
    details: Not with O(reseed).
options:
  hosts:
    description:
      - Host specs of the whole fleet, made by P(diskless.ceph.host_specs#filter).
      - Trees of hosts that are not in the list are stale, see O(prune).
      - With O(reseed) and with O(state=absent) those of the hosts in question alone.
    type: list
    elements: dict
    required: true
  state:
    description:
      - V(present) ensures the trees of O(hosts).
      - V(absent) removes the trees of O(hosts), with what leads to them. Only trees with the marker file C(.diskless)
        are removed. The other options but O(root) and O(link_root) count for nothing.
    type: str
    choices: [present, absent]
    default: present
  reseed:
    description:
      - Whether kernel, initramfs, device tree, firmware and the file that names them are those of the golden image
        again, which is what a host needs that gets another root image. Whatever else lies in the tree is removed, but
        for directories; M(diskless.ceph.boot_tree_version) keeps it.
      - The hosts in question have to be off.
    type: bool
    default: false
  cephx_keys:
    description:
      - Base64 cephx key of every host by its name, as M(diskless.ceph.host_storage) returns them.
      - Required with O(state=present).
    type: dict
  monitors:
    description:
      - Monitors of the cluster, each with V(v1) and V(v2) (address with port, or null),
        as M(diskless.ceph.host_storage) returns them.
      - A host whose spec has monitors of its own uses those.
      - Required with O(state=present).
    type: list
    elements: dict
  golden_boot:
    description:
      - Path, on the boot server, of the golden image's C(boot.tar) for every architecture.
      - For a Raspberry Pi it has to hold the firmware, C(start4.elf) and C(fixup4.dat), and what C(kernel.txt) names.
      - Required with O(state=present).
    type: dict
  root:
    description:
      - Directory of the boot server's data. The trees are in C(boot), the links for TFTP in C(tftp),
        and the loaders in C(loader), where C(grub.pxe) has to be there if any host boots with GRUB.
    type: path
    default: /srv/diskless
  link_root:
    description: Where the TFTP server sees the directory C(boot). The links in C(tftp) lead there.
    type: path
    default: /run/diskless/boot
  tftp_user:
    description: User of the TFTP service.
    type: str
    default: dnsmasq
  prune:
    description:
      - Whether stale trees are removed, with their links. Without it they are only reported.
      - Only trees with the marker file C(.diskless) are ever removed.
      - Not together with O(reseed) or O(state=absent).
    type: bool
    default: false
  rendered:
    description: What the action plugin has rendered. Leave it out.
    type: str
seealso:
  - module: diskless.ceph.boot_tree_version
  - module: diskless.ceph.host_storage
  - plugin: diskless.ceph.host_specs
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Boot trees are up to date
  diskless.ceph.boot_tree:
    hosts: "{{ hostvars | diskless.ceph.host_specs(groups['diskless_hosts']) }}"
    cephx_keys: "{{ storage.cephx_keys }}"
    monitors: "{{ storage.monitors }}"
    golden_boot:
      amd64: /srv/diskless/golden/golden-bookworm-amd64-0123456789ab.tar
      arm64: /srv/diskless/golden/golden-bookworm-arm64-ba9876543210.tar

- name: Boot trees of retired hosts are removed
  diskless.ceph.boot_tree:
    hosts: "{{ hostvars | diskless.ceph.host_specs(groups['diskless_hosts']) }}"
    cephx_keys: "{{ storage.cephx_keys }}"
    monitors: "{{ storage.monitors }}"
    golden_boot:
      amd64: /srv/diskless/golden/golden-bookworm-amd64-0123456789ab.tar
    prune: true

- name: Host boots the kernel of its new root image
  diskless.ceph.boot_tree:
    hosts: "{{ hostvars | diskless.ceph.host_specs(['udoo1']) }}"
    cephx_keys: "{{ storage.cephx_keys }}"
    monitors: "{{ storage.monitors }}"
    golden_boot:
      amd64: /srv/diskless/golden/golden-bookworm-amd64-0123456789ab.tar
    reseed: true

- name: Boot tree of a retired host is gone
  diskless.ceph.boot_tree:
    hosts: "{{ hostvars | diskless.ceph.host_specs(['udoo7']) }}"
    state: absent
"""

RETURN = r"""
hosts:
  description: Hosts whose trees were changed, or would be in check mode.
  type: list
  elements: dict
  returned: success
  contains:
    name:
      description: Name of the host.
      type: str
    changes:
      description: Files that were written, V(seed) for the files of the golden image, V(links) for TFTP.
      type: list
      elements: str
  sample:
    - name: udoo1
      changes: [grub.cfg, host.cpio]
removed_links:
  description: Links for TFTP that were removed because they led to what their machine should not see any more.
  type: list
  elements: str
  returned: success
  sample: [52-54-00-77-00-11/grub]
stale:
  description: Names of stale trees that bear the marker.
  type: list
  elements: str
  returned: success
  sample: [udoo7]
pruned:
  description: Names of trees that were removed.
  type: list
  elements: str
  returned: success
  sample: []
"""

import base64
import json
import pwd
import zlib
from pathlib import Path
from typing import Any, Sequence

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._boot_tree import (
    HOST_CPIO,
    LOADERS,
    MARKER,
    Plan,
    WantedFile,
    WantedTree,
    plan,
    plan_removal,
)
from ..module_utils._boot_tree_diff import diff
from ..module_utils._boot_tree_files import Busy, apply, locked, read_state
from ..module_utils._golden_boot import GoldenBoot, GoldenBootError
from ..module_utils._kernel_txt import Firmware

NO_USER = -1


class Prerequisites:
    """What has to be on the boot server before trees can be made: loader, TFTP user, golden boot archives.

    lacking: what is not there. It makes the module fail, but in check mode an earlier task may only not have made it.
    """

    def __init__(self, tftp_user: str) -> None:
        self.lacking: list[str] = []
        self.problems: list[str] = []
        self.golden: dict[str, GoldenBoot] = {}
        self.tftp_uid = self._uid(tftp_user)

    def look_for_loaders(self, loader_root: Path, loaders: set[str]) -> None:
        """Look for the first file of each loader; those for UEFI are links that lead nowhere until they are there."""
        for names in (LOADERS[loader] for loader in sorted(loaders)):
            if names and not (loader_root / names[0]).is_file():
                self.lacking.append(
                    f"loader {loader_root / names[0]} does not exist; the role diskless.ceph.boot_server builds it"
                )

    def open_golden(self, golden_boot: dict[str, Any], seeded: Sequence[WantedTree]) -> None:
        """Open the archives that these trees are seeded from, and see whether their boards can boot from them."""
        for arch in sorted({tree.arch for tree in seeded}):
            path = golden_boot.get(arch)
            if not path:
                self.problems.append(f"golden_boot has no boot.tar for {arch}, from which to seed new boot trees")
                continue
            try:
                self.golden[arch] = GoldenBoot(str(path))
            except FileNotFoundError:
                self.lacking.append(f"golden boot archive {path} for {arch} does not exist")
            except (GoldenBootError, OSError) as error:
                self.problems.append(f"golden boot archive for {arch}: {error}")
            else:
                self.problems += _not_booting(self.golden[arch], [tree for tree in seeded if tree.arch == arch])

    def _uid(self, user: str) -> int:
        try:
            return pwd.getpwnam(user).pw_uid
        except KeyError:
            self.lacking.append(f"user {user} (tftp_user) does not exist")
            return NO_USER


def _not_booting(golden: GoldenBoot, trees: Sequence[WantedTree]) -> list[str]:
    """Return what keeps boards from booting from the archive, one text per board."""
    texts = []
    firmware = {tree.board: tree.firmware for tree in trees if tree.firmware}
    for board in sorted(firmware):
        found = golden.problems(firmware[board])
        if found:
            names = [tree.name for tree in trees if tree.board == board]
            texts.append(
                f"golden boot archive {golden.path} does not boot board {board} ({', '.join(names)}):"
                f" {', '.join(found)}; build the golden image anew, with the package raspi-firmware in it"
            )
    return texts


def wanted_trees(rendered: str, tftp_uid: int, link_root: str, loader_root: Path) -> list[WantedTree]:
    """Return the trees that the action plugin has rendered, with what only the boot server knows."""
    trees = []
    for tree in json.loads(zlib.decompress(base64.b64decode(rendered))):
        marker = f"Boot tree of {tree['name']}. Made by diskless.ceph, which may remove it.\n"
        files = (
            WantedFile(MARKER, marker.encode()),
            *(WantedFile(name, text.encode()) for name, text in tree["files"].items()),
            WantedFile(HOST_CPIO, base64.b64decode(tree["host_cpio"]), 0o400, tftp_uid),
        )
        links = {
            **{name: f"{link_root}/{tree['name']}" for name in tree["views"]},
            **{name: str(loader_root / name) for name in LOADERS[tree["loader"]]},
        }
        firmware = Firmware(**tree["firmware"]) if tree["firmware"] else None
        about = {name: tree[name] for name in ("name", "mac", "board", "arch", "loader")}
        trees.append(WantedTree(**about, files=files, links=links, firmware=firmware))
    return trees


def result(planned: Plan, wanted: list[WantedTree]) -> dict[str, Any]:
    """Return what the module returns."""
    views = {view.name for view in planned.views}
    changes = {change.tree.name: change.summary() for change in planned.trees}
    for tree in wanted:
        if tree.view in views:
            changes.setdefault(tree.name, []).append("links")
    return {
        "changed": planned.changed,
        "hosts": [{"name": name, "changes": changes[name]} for name in sorted(changes)],
        "removed_links": [link for view in planned.views for link in view.removed],
        "stale": list(planned.stale),
        "pruned": list(planned.prune),
    }


def run(module: AnsibleModule) -> dict[str, Any]:
    """Read, plan, and unless in check mode apply. Returns the result; ends the module on failure."""
    root, link_root = module.params["root"], module.params["link_root"].rstrip("/")
    loader_root = Path(root) / "loader"
    prerequisites = Prerequisites(module.params["tftp_user"])
    wanted = wanted_trees(module.params["rendered"], prerequisites.tftp_uid, link_root, loader_root)
    prerequisites.look_for_loaders(loader_root, {tree.loader for tree in wanted})
    state = read_state(root, wanted)
    reseed = module.params["reseed"]
    planned = plan(state, wanted, link_root, str(loader_root), module.params["prune"], reseed)
    prerequisites.open_golden(module.params["golden_boot"], [change.tree for change in planned.trees if change.seed])

    problems = prerequisites.problems + ([] if module.check_mode else prerequisites.lacking)
    if problems:
        module.fail_json(msg=f"Boot trees cannot be brought up to date: {'; '.join(problems)}")
    for text in prerequisites.lacking:
        module.warn(f"{text}; check mode assumes that an earlier task makes it")
    if not reseed:
        warn_of_others(module, planned)

    answer = result(planned, wanted)
    if module._diff:
        answer["diff"] = diff(root, planned, prerequisites.golden)
    failures = list(planned.problems)
    if planned.changed and not module.check_mode:
        failures += apply(root, planned, prerequisites.golden)
    if failures:
        module.fail_json(msg=f"Some boot trees could not be brought up to date: {'; '.join(failures)}", **answer)
    return answer


def warn_of_others(module: AnsibleModule, planned: Plan) -> None:
    """Name the trees of hosts that are not in the list, which is that of the whole fleet."""
    for name in planned.unmarked:
        path = f"{module.params['root']}/boot/{name}"
        module.warn(f"{path} belongs to no diskless host and has no marker {MARKER}; it is left alone")
    unpruned = [name for name in planned.stale if name not in planned.prune]
    if unpruned:
        module.warn(
            f"stale boot trees of hosts that are not in the inventory: {', '.join(unpruned)}; prune removes them"
        )


def remove(module: AnsibleModule) -> dict[str, Any]:
    """Remove the trees of the hosts, unless in check mode. Returns the result; ends the module on failure."""
    root, names = module.params["root"], json.loads(module.params["rendered"])
    planned = plan_removal(read_state(root, []), names, module.params["link_root"].rstrip("/"), f"{root}/loader")
    if planned.problems:
        module.fail_json(msg=f"No boot tree was removed: {'; '.join(planned.problems)}")
    answer = result(planned, [])
    if module._diff:
        answer["diff"] = diff(root, planned, {})
    if planned.changed and not module.check_mode:
        apply(root, planned, {})
    return answer


def main() -> None:
    """Entry point."""
    module = AnsibleModule(
        argument_spec={
            "hosts": {"type": "list", "elements": "dict", "required": True},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "reseed": {"type": "bool", "default": False},
            "cephx_keys": {"type": "dict", "no_log": True},
            "monitors": {"type": "list", "elements": "dict"},
            "golden_boot": {"type": "dict"},
            "root": {"type": "path", "default": "/srv/diskless"},
            "link_root": {"type": "path", "default": "/run/diskless/boot"},
            "tftp_user": {"type": "str", "default": "dnsmasq"},
            "prune": {"type": "bool", "default": False},
            "rendered": {"type": "str", "no_log": True},
        },
        supports_check_mode=True,
    )
    if not module.params["rendered"]:
        module.fail_json(
            msg="boot_tree works only through its action plugin, which renders the trees on the controller"
        )
    try:
        with locked(module.params["root"], module.check_mode):
            answer = run(module) if module.params["state"] == "present" else remove(module)
    except Busy as error:
        module.fail_json(msg=str(error))
    except OSError as error:
        module.fail_json(msg=f"Boot trees in {module.params['root']}: {error}")
    module.exit_json(**answer)


if __name__ == "__main__":
    main()
