# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The command line of the lab."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict

from lab import console
from lab.api import Lab, Status
from lab.ceph import OBJECTSTORES
from lab.demo import demo
from lab.errors import LabError
from lab.hardware import KINDS
from lab.network import BOOT_SERVERS, stations

Command = Callable[[Lab, argparse.Namespace], None]


def parser() -> argparse.ArgumentParser:
    """Return the argument parser."""
    top = argparse.ArgumentParser(prog="lab", description=__doc__)
    top.add_argument(
        "--name", default=os.environ.get("LAB_NAME", "lab"), help="the lab to act on (LAB_NAME; %(default)s)"
    )
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def command(name: str, function: Command, text: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=text, description=text)
        made.set_defaults(run=function)
        return made

    up = command("up", _up, "bring up network, Ceph cluster and boot servers")
    up.add_argument("--ceph-release", help="14, 16 (default), 18 or 20")
    up.add_argument(
        "--boot-servers", type=int, choices=sorted(BOOT_SERVERS), help="1 (default), or 2 with their trees in CephFS"
    )
    up.add_argument("--objectstore", choices=OBJECTSTORES, help="bluestore (default) or memstore")
    add = command("add", _add, "add diskless hosts, switched off")
    add.add_argument("--kind", choices=list(KINDS), default="bios", help="what machines they are (%(default)s)")
    add.add_argument("hosts", nargs="+", metavar="HOST")
    router = command("router", _router, "hand out addresses by a router beside the boot server (run site afterwards)")
    router.add_argument("switch", choices=["on", "off"])
    site = command("site", _site, "run playbooks/site.yml on the lab")
    site.add_argument("--playbook", default="playbooks/site.yml", help="another playbook (%(default)s)")
    site.add_argument("arguments", nargs=argparse.REMAINDER, help="more arguments for ansible-playbook")
    power = command("power", _power, "switch hosts or boot servers, or ask; off and cycle pull the plug")
    power.add_argument("action", choices=["on", "off", "cycle", "reset", "status"])
    power.add_argument("hosts", nargs="+", metavar="HOST")
    power.add_argument("--json", action="store_true", help="the status for programs")
    show = command("console", _console, "use the serial console of a host")
    show.add_argument("host", metavar="HOST")
    show.add_argument("--log", action="store_true", help="print what it said so far instead")
    login = command("ssh", _ssh, 'log in to a host or to "boot" ("boot1", "boot2"), or run a command there')
    login.add_argument("host", metavar="HOST")
    login.add_argument("arguments", nargs=argparse.REMAINDER, metavar="COMMAND")
    ceph = command("ceph", _ceph, 'run ceph in the cluster ("lab ceph rbd …": rbd)')
    ceph.add_argument("arguments", nargs=argparse.REMAINDER)
    for name, function, text in (("cut", _cut, "unplug the cable of"), ("join", _join, "plug in again")):
        command(name, function, f'{text} "ceph", "boot" ("boot1", "boot2") or a host').add_argument("component")
    status = command("status", _status, "show what is there")
    status.add_argument("--json", action="store_true", help="for programs")
    command("demo", _demo, "boot a diskless host, reboot it, and show what Ceph sees of that")
    command("down", _down, "delete everything but cached images")
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    arguments = parser().parse_args(argv)
    began = time.monotonic()

    def progress(line: str) -> None:
        print(f"[{time.monotonic() - began:6.1f} s] {line}", file=sys.stderr, flush=True)

    try:
        arguments.run(Lab(arguments.name, progress), arguments)
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _up(lab: Lab, arguments: argparse.Namespace) -> None:
    lab.up(arguments.ceph_release, arguments.objectstore, arguments.boot_servers)


def _add(lab: Lab, arguments: argparse.Namespace) -> None:
    lab.add(*arguments.hosts, kind=arguments.kind)


def _router(lab: Lab, arguments: argparse.Namespace) -> None:
    lab.route(arguments.switch == "on")


def _site(lab: Lab, arguments: argparse.Namespace) -> None:
    lab.site(*arguments.arguments, playbook=arguments.playbook)


def _power(lab: Lab, arguments: argparse.Namespace) -> None:
    if arguments.action == "status":
        states = {host: "on" if lab.has_power(host) else "off" for host in arguments.hosts}
        lines = [json.dumps(states)] if arguments.json else [f"{host}: {state}" for host, state in states.items()]
        print(*lines, sep="\n")
        return
    for host in arguments.hosts:
        changed = lab.power(arguments.action, host)
        print(f"{host}: power {arguments.action}{'' if changed else ' (as it was)'}")


def _console(lab: Lab, arguments: argparse.Namespace) -> None:
    if arguments.log:
        print(lab.console_text(arguments.host), end="")
    else:
        console.attach(lab.machine(arguments.host).console_socket, arguments.host)


def _ssh(lab: Lab, arguments: argparse.Namespace) -> None:
    _become([*lab.ssh_argv(arguments.host), *arguments.arguments])


def _ceph(lab: Lab, arguments: argparse.Namespace) -> None:
    words = arguments.arguments
    _become([*lab.cluster.launcher, *(words if words[:1] == ["rbd"] else ["ceph", *words])])


def _become(argv: list[str]) -> None:
    sys.stdout.flush()
    os.execvp(argv[0], argv)  # noqa: S606 # its exit status and terminal are ours


def _cut(lab: Lab, arguments: argparse.Namespace) -> None:
    lab.cut(arguments.component)


def _join(lab: Lab, arguments: argparse.Namespace) -> None:
    lab.join(arguments.component)


def _status(lab: Lab, arguments: argparse.Namespace) -> None:
    status = lab.status()
    print(json.dumps(asdict(status), indent=2) if arguments.json else table(status))


def _demo(lab: Lab, _arguments: argparse.Namespace) -> None:
    print(demo(lab))


def _down(lab: Lab, _arguments: argparse.Namespace) -> None:
    lab.down()


def table(status: Status) -> str:
    """Return the status as a table for people."""

    def link(name: str) -> str:
        return {None: "-", True: "up", False: "cut"}[status.links.get(name)]

    rows = [("NAME", "ADDRESS", "LINK", "STATE", "STAGE")]
    health = {"ceph": status.ceph, **status.boot_servers}
    addresses = stations(len(status.boot_servers))
    rows += [(name, addresses[name], link(name), state, "") for name, state in health.items()]
    rows += [(host.name, host.address, host.link, host.power, host.stage or "-") for host in status.hosts]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ("  ".join(word.ljust(width) for word, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)
