# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filter preflight, documented in a YAML file beside this one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError

from ..plugin_utils._preflight.preflight import preflight as judged


def preflight(evidence: Mapping[str, Any], accepted: Sequence[str] = ()) -> dict[str, Any]:
    """The report in the types of JSON. Raises AnsibleFilterError where host specs are not complete."""
    try:
        return judged(evidence, accepted)
    except (KeyError, TypeError, ValueError) as error:
        raise AnsibleFilterError(
            f"preflight: the evidence has no complete host specs ({error!r}); expected those of the filter"
            " diskless.ceph.host_specs in its key 'specs'"
        ) from error


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {"preflight": preflight}
