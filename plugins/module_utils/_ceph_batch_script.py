# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The script that runs many ``ceph`` commands in one process, by Ceph's own Python bindings.

A ``ceph`` command costs 195 ms, almost all of it to start and connect; on an open connection the same costs half a
millisecond. The words of a command stay those of the command line: Ceph's argparse module, which is what ``ceph``
itself is made of, turns them into what the daemons understand, whatever the release.

It is a string, not a module, because it runs behind the launcher, with whatever Python is there: 3.6 in the older Ceph
containers. ``REQUEST``, put in front of it: {"commands": [{"args": [word], "stdin": text}], "parallel": whether all
run at once}. Answer: [{"rc", "stdout", "stderr"}], up to the first that failed unless parallel.
"""

from __future__ import annotations

# The exit code that says: there are no bindings here, nothing was done.
NO_BINDINGS = 96

BATCH_SCRIPT = r"""
import contextlib
import errno
import io
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

try:
    import ceph_argparse
    import rados
except ImportError as error:
    print(error, file=sys.stderr)
    sys.exit(96)

conf, name, keyring, connect_timeout = sys.argv[1:5]
options = {"client_mount_timeout": connect_timeout}
if keyring:
    options["keyring"] = keyring
try:
    # An empty conffile means: search where Ceph's own tools do.
    cluster = rados.Rados(name=name, conffile=conf, conf=options)
    cluster.connect()
except rados.Error as error:
    sys.exit("error connecting to the cluster: %s" % error)

signatures = {}
# Ceph's parser says what is wrong on stderr, which belongs to the whole process.
parsing = threading.Lock()


def signatures_of(target):
    if target not in signatures:
        ret, out, text = ceph_argparse.json_command(cluster, target=target, prefix="get_command_descriptions")
        if ret != 0:
            return ret, text
        signatures[target] = ceph_argparse.parse_json_funcsigs(out.decode("utf-8"), "cli")
    return 0, ""


def failed(ret, text):
    code = abs(ret)
    return {"rc": code, "stdout": "", "stderr": "Error %s: %s" % (errno.errorcode.get(code, "Unknown"), text)}


def parse(args):
    words = list(args)
    options = {}
    for option in ("-f", "-i"):
        if option in words:
            at = words.index(option)
            options[option] = words[at + 1]
            del words[at : at + 2]
    target = ("mon", "")
    if words[0] == "tell":
        target = ceph_argparse.find_cmd_target(words)
        words = words[2:]
    ret, text = signatures_of(target)
    if ret != 0:
        return None, target, failed(ret, text)
    complaint = io.StringIO()
    with contextlib.redirect_stderr(complaint):
        command = ceph_argparse.validate_command(signatures[target], words)
    if not command:
        return None, target, failed(errno.EINVAL, "invalid command: " + complaint.getvalue())
    if "-f" in options:
        command["format"] = options["-f"]
    return command, target, None


def run(args, stdin):
    with parsing:
        command, target, failure = parse(args)
    if failure:
        return failure
    ret, out, text = ceph_argparse.json_command(cluster, target=target, argdict=command, inbuf=stdin.encode("utf-8"))
    if ret < 0:
        return failed(ret, text)
    return {"rc": ret, "stdout": (out or b"").decode("utf-8", "replace"), "stderr": text or ""}


def run_in_order(commands):
    done = []
    for command in commands:
        done.append(run(**command))
        if done[-1]["rc"] != 0:
            break
    return done


if REQUEST["parallel"]:
    # The monitors gather what arrives together into one round of Paxos.
    with ThreadPoolExecutor(128) as executor:
        answers = list(executor.map(lambda command: run(**command), REQUEST["commands"]))
else:
    answers = run_in_order(REQUEST["commands"])
cluster.shutdown()
json.dump(answers, sys.stdout)
"""
