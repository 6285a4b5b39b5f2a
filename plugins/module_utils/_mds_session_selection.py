# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which sessions a task means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Iterable, Mapping

from ansible_collections.diskless.ceph.plugins.module_utils._mds_session import KINDS, STATES, Session
from ansible_collections.diskless.ceph.plugins.module_utils._osd_blocklist_address import (
    Address,
    Instance,
    Range,
    parse_address,
)

# Those that name clients; the others only narrow down.
NAMING = ("client_ids", "addresses", "hostnames", "entities")
_ENTITY_TYPES = ("client", "mgr")
_LISTS = (*NAMING, "states", "kinds", "roots")

SELECTION_ARGUMENT_SPEC: dict[str, dict[str, Any]] = {
    "file_system": {"type": "str"},
    "client_ids": {"type": "list", "elements": "int"},
    "addresses": {"type": "list", "elements": "str"},
    "hostnames": {"type": "list", "elements": "str"},
    "entities": {"type": "list", "elements": "str"},
    "states": {"type": "list", "elements": "str", "choices": list(STATES)},
    "kinds": {"type": "list", "elements": "str", "choices": list(KINDS)},
    "roots": {"type": "list", "elements": "str"},
    "older_than_seconds": {"type": "int"},
}


class SelectionError(Exception):
    """The options select nothing that could be meant; the text has all problems."""


@dataclass(frozen=True)
class Selection:
    """The sessions for which every part holds; in a part any one value does; None leaves it open."""

    client_ids: tuple[int, ...] | None = None
    addresses: tuple[Address, ...] | None = None
    hostnames: tuple[str, ...] | None = None
    entities: tuple[str, ...] | None = None
    states: tuple[str, ...] | None = None
    kinds: tuple[str, ...] | None = None
    roots: tuple[str, ...] | None = None
    older_than_seconds: int | None = None

    def matches(self, session: Session) -> bool:
        """Tell whether the session is meant."""
        return (
            (self.addresses is None or any(_at(session.target, address) for address in self.addresses))
            and (self.older_than_seconds is None or session.uptime_seconds > self.older_than_seconds)
            and all(
                allowed is None or value in allowed
                for allowed, value in (
                    (self.client_ids, session.client_id),
                    (self.hostnames, session.hostname),
                    (self.entities, session.entity),
                    (self.states, session.state),
                    (self.kinds, session.kind),
                    (self.roots, session.root),
                )
            )
        )

    def spares(self, session: Session) -> bool:
        """Tell whether it is a manager's session that merely runs where clients are meant."""
        return session.of_manager and self.client_ids is None and self.entities is None


def parse_selection(params: Mapping[str, Any]) -> Selection:
    """Return the selection that the options of :data:`SELECTION_ARGUMENT_SPEC` describe.

    An empty list is refused: it would not narrow anything down, and is what a template makes of a group without hosts.
    """
    problems = [
        f"{option} is empty: leave it out, or name at least one" for option in _LISTS if params[option] in ([], [""])
    ]
    addresses = []
    for text in params["addresses"] or []:
        try:
            addresses.append(_address(text))
        except ValueError as error:
            problems.append(str(error))
    problems += [
        f"entities: {name!r} has no type; write client.{name}"
        for name in params["entities"] or []
        if name.partition(".")[0] not in _ENTITY_TYPES
    ]
    if problems:
        raise SelectionError("; ".join(problems))
    parts = {option: _tuple(params[option]) for option in _LISTS if option != "addresses"}
    return Selection(
        **parts,
        addresses=None if params["addresses"] is None else tuple(addresses),
        older_than_seconds=params["older_than_seconds"],
    )


def refuse_everybody(params: Mapping[str, Any], selection: Selection) -> None:
    """Raise :class:`SelectionError` if the selection names no client, or all there can be."""
    if all(params[option] is None for option in NAMING):
        raise SelectionError(
            f"no client is selected: give {', '.join(NAMING[:-1])} or {NAMING[-1]}; all at once are never evicted"
        )
    everywhere = [
        str(address)
        for address in selection.addresses or ()
        if isinstance(address, Range) and address.network.prefixlen == 0
    ]
    if everywhere:
        raise SelectionError(f"addresses: {', '.join(everywhere)} is every client; name the networks that are meant")


def _tuple(values: Iterable[Any] | None) -> Any:
    return None if values is None else tuple(values)


def _address(text: str) -> Address:
    # An instance may also be given as Ceph prints it, with the client's name in front.
    bare = text.rpartition(" ")[2]
    try:
        return parse_address(bare)
    except ValueError:
        raise ValueError(
            f"addresses: {text!r} is none: expected 10.0.0.1 (all clients there), 10.0.0.1:0/123 (one client) or "
            "10.0.0.0/24; names of hosts go into hostnames"
        ) from None


def _at(client: Instance, address: Address) -> bool:
    if isinstance(address, Range):
        return client.ip in address.network
    return client.ip == address.ip if address.whole_host else client == address
