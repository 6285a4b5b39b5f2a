# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Is a host off? What a driver says of its power, or else every sign of life that there could be and is not.

Whoever takes a root image from a host that still runs loses data, so a sign that cannot be read counts as one of life.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

# Whoever can be logged in to runs; whoever answers in another way is alive, and may hang.
Login = Literal["login", "alive", "silent", "unknown"]
Answer = Literal["answers", "silent", "unknown"]

# In what ssh says. Whoever refuses a connection, or takes it and then says nothing, has a kernel that runs.
_ANSWERS = (
    "connection refused",
    "permission denied",
    "host key verification failed",
    "remote host identification has changed",
    "connection reset by",
    "during banner exchange",
    "kex_exchange_identification",
    "too many authentication failures",
    "no matching",
)
_SILENT = ("timed out", "no route to host", "host is down")
# The last words of a host may still be on their way when its power is off.
_ON_ITS_WAY_SECONDS = 2
_PING_ANSWERED, _PING_NO_ANSWER = 0, 1
# Without that feature nothing keeps a host that was cut off and comes back from writing.
EXCLUSIVE_LOCK = "exclusive-lock"


@dataclass(frozen=True)
class Power:
    """What the role power says: C(state) is on, off or unknown; C(proven) whether a driver has asked the hardware.

    can_switch_off: whether there is a driver that can do so.
    """

    state: str
    proven: bool
    can_switch_off: bool
    reason: str = ""


@dataclass(frozen=True)
class Signs:
    """All that could tell whether a host is off.

    asked: whether to switch it off, C(never), C(hung) (unless one can log in) or C(always).
    heard_seconds: how long ago the boot log heard of it; None if there is no boot log, or if it never did.
    watchers: of its root image, at each look; empty if it has no image.
    features: of its root image; None if it has no image.
    observed_seconds: the time between the first and the last look.
    watch_seconds: the time after which Ceph forgets a watcher that is gone.
    assume_off: whether it is taken to have been switched off, which check mode does not do.
    """

    host: str
    address: str
    power: Power
    asked: str
    ssh: Login
    ssh_said: str
    ping: Answer
    heard_seconds: float | None
    image: str
    features: Sequence[str] | None
    watchers: Sequence[Sequence[str]]
    observed_seconds: float
    watch_seconds: float
    option: str
    assume_off: bool = False


@dataclass(frozen=True)
class Verdict:
    """Whether the host is off.

    proof: what proves it, for people; empty if nothing does.
    problems: what speaks against it.
    switch_off: whether it is to be switched off first; then that and another look decide.
    """

    off: bool = False
    proof: str = ""
    problems: Sequence[str] = field(default=())
    switch_off: bool = False

    def as_dict(self) -> dict[str, Any]:
        """The verdict in the types of JSON."""
        return {**asdict(self), "problems": list(self.problems)}


def ssh_answer(result: Mapping[str, Any]) -> tuple[Login, str]:
    """Read the result of a task that tried to log in; return it, and what was said."""
    said = " ".join(str(result.get("msg", "")).rpartition("via ssh: ")[2].split())
    if "rc" in result and not result.get("unreachable") and not result.get("failed"):
        return ("alive", f"a command fails with rc {result['rc']}") if result["rc"] else ("login", "")
    if result.get("timedout"):
        return "alive", "takes connections and then hangs"
    if not result.get("unreachable"):
        return "unknown", said
    lower = said.lower()
    if any(words in lower for words in _ANSWERS):
        return "alive", said
    return ("silent" if any(words in lower for words in _SILENT) else "unknown"), said


def ping_answer(result: Mapping[str, Any] | None) -> Answer:
    """Read the result of ping(8); unknown where it could not be run."""
    if result is None or result.get("unreachable") or "rc" not in result:
        return "unknown"
    return {_PING_ANSWERED: "answers", _PING_NO_ANSWER: "silent"}.get(result["rc"], "unknown")  # type: ignore[return-value]


def first_look(signs: Signs) -> Verdict:
    """Decide what can be decided at once: what speaks against a host being off, and whether to switch it off."""
    proven_off = signs.power.proven and signs.power.state == "off"
    refused = {"login": proven_off or signs.asked != "always", "alive": proven_off or signs.asked == "never"}
    if refused.get(signs.ssh, False):
        return Verdict(problems=(_answers_ssh(signs, proven_off),))
    if signs.asked != "never" and not proven_off:
        if signs.power.can_switch_off:
            return Verdict(switch_off=True)
        lacking = f"{signs.host} is to be switched off, but diskless_power has no driver that can; do it by hand"
        if signs.power.state == "on" or signs.ssh in refused or _signs_of_life(signs):
            return Verdict(problems=(lacking,))
    if signs.power.state == "on":
        return Verdict(problems=(_is_on(signs),))
    if proven_off:
        return Verdict(problems=_contradictions(signs))
    return Verdict(problems=(*_signs_of_life(signs), *_blind_spots(signs)))


def last_look(signs: Signs, first: Verdict) -> Verdict:
    """Decide, once the time has passed after which Ceph forgets a watcher that is gone."""
    if signs.assume_off:
        return Verdict(off=True, proof="its power would be switched off", switch_off=True)
    problems = [*first.problems]
    now = signs.watchers[-1] if signs.watchers else ()
    if now:
        problems.append(
            f"root image {signs.image} of {signs.host} is watched by {', '.join(now)}"
            f" {'although its power is off: that is another machine' if signs.power.proven else ''}".rstrip()
            + "; whoever that is has it open for writing, and has to be stopped first"
        )
    if signs.power.proven and signs.power.state == "off":
        problems += _contradictions(signs)
        if signs.heard_seconds is not None and signs.heard_seconds < signs.observed_seconds - _ON_ITS_WAY_SECONDS:
            problems.append(
                f"{signs.host} said something to the boot log {signs.heard_seconds:.0f} s ago, and its power driver had"
                " said that it is off: diskless_power is that of another machine"
            )
        proof = f"its power driver says that it is off{', after it was switched off' if first.switch_off else ''}"
        return _verdict(problems, proof)
    if first.switch_off:
        problems.append(f"{signs.host} was switched off, but {_power_words(signs.power)}; pull its plug")
    problems += [problem for problem in (*_signs_of_life(signs), *_blind_spots(signs)) if problem not in problems]
    if signs.features is not None and signs.observed_seconds <= signs.watch_seconds:
        problems.append(
            f"root image {signs.image} of {signs.host} was observed for {signs.observed_seconds:.0f} s; expected more"
            f" than {signs.watch_seconds:.0f} s, after which Ceph forgets a watcher that is gone"
        )
    if signs.features is None:
        problems.append(
            f"{signs.host} has no root image {signs.image} whose watchers could tell whether it runs, and"
            f" {_power_words(signs.power)}; expected a driver in diskless_power that proves that it is off"
        )
    proof = f"nobody has watched its root image for {signs.observed_seconds:.0f} s, and no login is answered"
    return _verdict(problems, proof)


def _verdict(problems: Sequence[str], proof: str) -> Verdict:
    unique = tuple(dict.fromkeys(problems))
    return Verdict(problems=unique) if unique else Verdict(off=True, proof=proof)


def _answers_ssh(signs: Signs, proven_off: bool) -> str:
    answered = f"{signs.host} answers ssh at {signs.address}{f' ({signs.ssh_said})' if signs.ssh_said else ''}"
    if proven_off:
        return f"{answered}, and its power driver says that it is off: diskless_power is that of another machine"
    if signs.ssh == "alive":
        return f"{answered}: it is on; give {signs.option}=true to switch it off first, which is a power cut"
    remedy = f"shut it down first (systemctl poweroff there), or give {signs.option}=always to cut its power"
    return f"{answered}: it runs; {remedy}"


def _is_on(signs: Signs) -> str:
    said = f"the power driver of {signs.host} says that it is on"
    return f"{said}; shut it down, or give {signs.option}=true to switch it off first, which is a power cut"


def _contradictions(signs: Signs) -> tuple[str, ...]:
    """Return what cannot be if the power of this host is off."""
    if signs.ping != "answers":
        return ()
    return (
        f"{signs.address}, the address of {signs.host}, answers ping, and its power driver says that it is off:"
        " diskless_power is that of another machine, or another machine has the address",
    )


def _signs_of_life(signs: Signs) -> tuple[str, ...]:
    found = []
    watchers = [watcher for look in signs.watchers for watcher in look]
    if watchers:
        found.append(
            f"root image {signs.image} of {signs.host} is watched by {', '.join(dict.fromkeys(watchers))}: the host"
            f" runs, or died less than {signs.watch_seconds:.0f} s ago; switch it off, or try again then"
        )
    if signs.ping == "answers":
        found.append(f"{signs.host} answers ping at {signs.address}: its kernel runs; switch it off")
    if signs.heard_seconds is not None and signs.heard_seconds <= signs.watch_seconds:
        found.append(
            f"{signs.host} said something to the boot log {signs.heard_seconds:.0f} s ago: it is on, maybe stuck in its"
            " boot; switch it off"
        )
    return tuple(found)


def _blind_spots(signs: Signs) -> tuple[str, ...]:
    """Return why silence proves nothing of this host, unless a driver says that its power is off."""
    found = []
    if signs.ssh == "unknown":
        found.append(
            f"whether {signs.host} answers ssh is not known: {signs.ssh_said or 'nothing was said'};"
            " expected a login, or a connection that times out"
        )
    if signs.features is not None and EXCLUSIVE_LOCK not in signs.features:
        found.append(
            f"root image {signs.image} of {signs.host} has no exclusive-lock, so nothing would keep a host that is only"
            f" cut off from writing later, and {_power_words(signs.power)}; expected a driver in diskless_power that"
            " proves that it is off"
        )
    return tuple(found)


def _power_words(power: Power) -> str:
    state = "whether it is off is not known" if power.state == "unknown" else f"its power driver says {power.state}"
    if power.state == "off":
        state = "what its power driver says proves nothing"
    return f"{state}{f' ({power.reason})' if power.reason else ''}"
