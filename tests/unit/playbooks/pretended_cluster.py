# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Ceph cluster, two diskless hosts and their power that exist in a file alone, for playbooks that change root images.

``ceph`` and ``rbd`` are one program that reads and changes the file and writes down what it was told, so that the
modules of the collection run as they are. The hosts have no ssh that answers, unless ``login`` says what it answers.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
POOL = "diskless"
ADDRESSES = {"udoo1": "10.77.0.11", "udoo2": "10.77.0.12"}
FEATURES = ["layering", "exclusive-lock", "object-map", "fast-diff"]
DEAD = {"id": "auto 140", "locker": "client.4154", "address": "10.77.0.11:0/1345063765"}
LATER = "2100-01-01T00:00:00.000000+0000"
TIME = 1000000.0
# A key that opens nothing.
KEY = "AQBlAAAAAAAAABAAMDEyMzQ1Njc4OWFiY2RlZg=="

SHARED = """
import fcntl, json, pathlib, sys
PLACE = pathlib.Path(@PLACE@)
guard = (PLACE / "guard").open("w")
fcntl.flock(guard, fcntl.LOCK_EX)
state = json.loads((PLACE / "state.json").read_text())
images = state["images"]

def note(*words):
    with (PLACE / "history").open("a") as history:
        print(*words, file=history)

def done():
    (PLACE / "state.json").write_text(json.dumps(state, indent=1))
    sys.exit(0)
"""
# What has a value, and what stands alone, of the options that the modules give.
CEPH = """
VALUED = ("--name", "--connect-timeout", "--client-mount-timeout", "--format", "-f", "--from-snap", "--image-feature",
          "--rbd-default-clone-format", "--size")
tool, given, words = sys.argv[1], iter(sys.argv[2:]), []
if tool == "python3":
    sys.exit(96)  # no bindings
for word in given:
    if word in VALUED:
        next(given)
    elif not word.startswith("--"):
        words.append(word)
said = " ".join(words)

def answer(value):
    print(json.dumps(value))
    sys.exit(0)

def image(name):
    if name not in images:
        print("rbd: (2) No such file or directory", file=sys.stderr)
        sys.exit(2)
    return images[name]

def entry(address):
    return address if "/" in address else address + ":0/0"

READ = ("dump", "ls", "info", "status", "diff", "children", "help")
if not set(words) & set(READ):
    note(tool, said)

if tool == "ceph" and said == "mon dump":
    ports = {"v2": 3300, "v1": 6789}
    addresses = [{"type": kind, "addr": "10.77.0.1:%d" % ports[kind], "nonce": 0} for kind in ports]
    mon = {"rank": 0, "name": "a", "public_addrs": {"addrvec": addresses}, "addr": "10.77.0.1:6789/0"}
    answer({"fsid": "f", "min_mon_release": 16, "min_mon_release_name": "pacific", "mons": [mon], "quorum": [0]})
if tool == "ceph" and said == "osd dump":
    answer({"blocklist": state["blocklist"], "range_blocklist": state["ranges"], "osds": []})
if said.startswith("osd blocklist add"):
    state["blocklist"].setdefault(entry(words[3]), @LATER@)
    done()
if said.startswith("osd blocklist range rm"):
    address, _slash, bits = words[4].partition("/")
    state["ranges"].pop("cidr:%s:0/%s" % (address, bits))
    done()
if said.startswith("osd blocklist rm"):
    state["blocklist"].pop(entry(words[3]))
    done()
if said == "osd pool ls":
    answer([@POOL@])
if said == "osd pool ls detail":
    answer([{"pool_name": @POOL@, "application_metadata": {"rbd": {}}}])
if said == "config dump":
    answer([])
if said == "config ls":
    answer(["osd_client_watch_timeout"])
if said.startswith("config help"):
    texts = dict.fromkeys(("desc", "long_desc", "daemon_default", "min", "max"), "")
    lists = {name: [] for name in ("enum_values", "see_also", "tags", "flags", "services")}
    about = {"name": words[2], "type": "int", "level": "advanced", "default": "1", "can_update_at_runtime": True}
    answer({**about, **texts, **lists})
if said == "auth ls":
    answer({"auth_dump": [{"entity": name, **user} for name, user in state["users"].items()]})
if said.startswith("auth import"):
    for line in sys.stdin.read().splitlines():
        name, _sign, value = line.strip().partition(" = ")
        if line.startswith("["):
            user = state["users"][line[1:-1]] = {"key": "", "caps": {}}
        elif name == "key":
            user["key"] = value
        elif name:
            user["caps"][name.split()[1]] = json.loads(value)
    done()
if said.startswith("auth rm"):
    state["users"].pop(words[2])
    done()
if said.startswith("namespace ls"):
    answer([{"name": name} for name in state["namespaces"]])
if said.startswith("namespace rm"):
    state["namespaces"].remove(words[2].rpartition("/")[2])
    done()
if words[0] == "ls":
    place = words[1].rstrip("/") + "/"
    answer([name[len(place):] for name in images if name.startswith(place) and "/" not in name[len(place):]])
if words[0] == "info":
    found = image(words[1])
    about = {"name": words[1].rpartition("/")[2], "flags": [], "snapshot_count": len(found["snaps"])}
    about.update({key: found[key] for key in ("id", "size", "features")})
    if found["parent"]:
        parent, _at, snapshot = found["parent"].partition("@")
        about["parent"] = {"pool": @POOL@, "pool_namespace": "", "image": parent, "snapshot": snapshot, "trash": False}
    answer(about)
if said.startswith("snap ls"):
    answer([{"name": name, "size": image(words[2])["size"], "protected": guarded}
            for name, guarded in image(words[2])["snaps"].items()])
if words[0] == "status":
    answer({"watchers": image(words[1])["watchers"]})
if said.startswith("image-meta ls"):
    answer({})
if said.startswith("lock ls"):
    lock = image(words[2])["lock"]
    answer([lock] if lock else [])
if said.startswith("lock rm"):
    state["blocklist"].setdefault(image(words[2])["lock"]["address"], @LATER@)
    image(words[2])["lock"] = None
    done()
if said.startswith("snap create"):
    name, _at, snapshot = words[2].partition("@")
    image(name)["snaps"][snapshot] = "false"
    done()
if said.startswith("snap rm"):
    name, _at, snapshot = words[2].partition("@")
    image(name)["snaps"].pop(snapshot)
    done()
if said.startswith("snap rollback") or words[0] == "resize":
    done()
if words[0] == "diff":
    answer([{"offset": 0, "length": 1, "exists": "true"}])
if words[0] == "children":
    answer([])
if words[0] == "rename":
    images[words[2]] = images.pop(words[1])
    done()
if words[0] == "rm":
    images.pop(words[1])
    done()
if words[0] == "clone":
    images[words[2]] = {**images[words[1].partition("@")[0]], "features": @FEATURES@, "snaps": {},
                        "parent": words[1].rpartition("/")[2]}
    done()
print("not pretended:", tool, said, file=sys.stderr)
sys.exit(22)
"""
POWER = """
verb, host = sys.argv[1:]
if verb == "status":
    print("power", state["power"][host])
    sys.exit(0)
note("power", verb, host)
state["power"][host] = verb
root, address = images[@POOL@ + "/" + host + "/root"], @ADDRESSES@[host] + ":0/9999"
root["watchers"] = [{"address": address, "client": 9, "cookie": 1}] if verb == "on" else []
if verb == "on":
    root["lock"] = {"id": "auto 9", "locker": "client.9", "address": address}
    state["boots"][host] += 1
done()
"""
STATUS = """
def host(name):
    return {"name": name, "state": "ready", "stage": "ready", "boot": state["boots"][name], "trouble": None,
            "boot_id": "boot-%d" % state["boots"][name], "last": {"time": @TIME@ - 500, "text": "its last words"}}

everybody = {"time": @TIME@, "hosts": [host(name) for name in state["boots"]]}
print(json.dumps(host(sys.argv[-1]) if "--host" in sys.argv else everybody))
"""
SSH = """
if "-O" in sys.argv:
    sys.exit(0)
for words, answer in state["login"].items():
    if words in sys.argv[-1]:
        note("ssh", words)
        print(answer)
        sys.exit(0)
print("ssh: connect to host 10.77.0.11 port 22: " + state["ssh"], file=sys.stderr)
sys.exit(255)
"""
PROGRAMS = {"launch": CEPH, "power": POWER, "diskless-status": STATUS, "ssh": SSH, "ping": "sys.exit(1)\n"}


def root_image(**changes: Any) -> dict[str, Any]:
    """A root image that nobody has open, with a snapshot."""
    golden = "golden-bookworm-amd64-aaa@root"
    snaps = {"before": "false"}
    about = {"id": "1", "size": 8 << 30, "features": FEATURES, "snaps": snaps, "watchers": [], "lock": None}
    return {**about, "parent": golden, **changes}


@dataclass(frozen=True)
class Cluster:
    """Cluster, boot server and hosts, in a directory."""

    directory: Path

    @classmethod
    def of(cls, directory: Path, **changes: Any) -> Cluster:
        """Make a cluster in which the lock of udoo1 is that of a client that is dead, and both hosts are off."""
        cluster = cls(directory)
        golden = {"features": ["layering"], "size": 2 << 30, "snaps": {"root": "true"}, "parent": None}
        state = {
            "blocklist": {"10.77.0.11:0/77": LATER},
            "ranges": {},
            "namespaces": list(ADDRESSES),
            "users": {f"client.diskless.{host}": {"key": KEY, "caps": {"mon": "allow r"}} for host in ADDRESSES},
            "images": {
                f"{POOL}/golden-bookworm-amd64-aaa": root_image(id="a", **golden),
                f"{POOL}/golden-bookworm-amd64-bbb": root_image(id="b", **golden),
                f"{POOL}/udoo1/root": root_image(lock=DEAD),
                f"{POOL}/udoo2/root": root_image(),
            },
            "power": dict.fromkeys(ADDRESSES, "off"),
            "boots": dict.fromkeys(ADDRESSES, 1),
            "ssh": "Connection timed out",
            "login": {},
            **changes,
        }
        (directory / "bin").mkdir()
        (directory / "history").touch()
        cluster.write(state)
        for name, text in PROGRAMS.items():
            cluster._program(name, SHARED + text)
        cluster._inventory()
        for host in ADDRESSES:
            cluster.boots(host, "1")
        (directory / "srv" / "loader").mkdir()
        (directory / "srv" / "loader" / "grub.pxe").touch()
        (directory / "srv" / "golden").mkdir()
        (directory / "srv" / "tftp").mkdir()
        return cluster

    def play(self, playbook: str, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a playbook of the collection; -e of the words is added."""
        command = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "inventory.json"]
        environment = {
            **os.environ,
            "PATH": f"{self.directory}/bin:{os.environ['PATH']}",
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".ansible" / "collections"),
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_HOME": str(self.directory / "home"),
        }
        return subprocess.run(
            [*command, str(ROOT / "playbooks" / f"{playbook}.yml"), *words],
            cwd=self.directory,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    @property
    def history(self) -> list[str]:
        """What was done, in order."""
        return (self.directory / "history").read_text(encoding="utf-8").splitlines()

    def read(self) -> dict[str, Any]:
        """What there is."""
        state: dict[str, Any] = json.loads((self.directory / "state.json").read_text(encoding="utf-8"))
        return state

    def write(self, state: dict[str, Any]) -> None:
        """Make it so."""
        (self.directory / "state.json").write_text(json.dumps(state), encoding="utf-8")

    def tree(self, host: str) -> Path:
        """The boot tree of a host."""
        return self.directory / "srv" / "boot" / host

    def boots(self, host: str, version: str) -> None:
        """Put a kernel into the boot tree of a host, as its packages do."""
        self.tree(host).mkdir(parents=True, exist_ok=True)
        config = f"set kernel=vmlinuz-{version}\nset initrd=initrd.img-{version}\n"
        files = {f"vmlinuz-{version}": "k", f"initrd.img-{version}": "i", "kernel.cfg": config, ".diskless": "m"}
        for name, text in files.items():
            (self.tree(host) / "new").write_text(text, encoding="utf-8")
            (self.tree(host) / "new").rename(self.tree(host) / name)

    def kernel(self, host: str) -> str:
        """The kernel that a host boots."""
        return (self.tree(host) / "kernel.cfg").read_text(encoding="utf-8").split()[1].partition("=")[2]

    def _program(self, name: str, text: str) -> None:
        values = {"PLACE": str(self.directory), "POOL": POOL, "LATER": LATER, "TIME": TIME}
        for word, value in {**values, "FEATURES": FEATURES, "ADDRESSES": ADDRESSES}.items():
            text = text.replace(f"@{word}@", repr(value))
        path = self.directory / "bin" / name
        path.write_text(f"#!{sys.executable}\n{text}", encoding="utf-8")
        path.chmod(0o755)

    def _inventory(self) -> None:
        here = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
        power = {"driver": "command", "on_pattern": "power on", "off_pattern": "power off", "pause": 0}
        commands = {
            f"{verb}_command": [f"{self.directory}/bin/power", verb, "{host}"] for verb in ("on", "off", "status")
        }
        hosts = {
            name: {"diskless_address": f"{address}/24", "diskless_mac": f"52:54:00:77:00:{address[-2:]}"}
            for name, address in ADDRESSES.items()
        }
        shared = {"diskless_board": "udoo_x86", "ansible_ssh_executable": f"{self.directory}/bin/ssh"}
        groups = {
            "diskless_hosts": {"hosts": hosts, "vars": {**shared, "diskless_power": {**power, **commands}}},
            "ceph_admin": {"hosts": {"admin": {**here, "root_image_artifacts_dir": f"{self.directory}/artifacts"}}},
            "boot_servers": {"hosts": {"boot": {**here, "boot_server_root": f"{self.directory}/srv"}}},
            "log_hosts": {"hosts": {"boot": None}},
        }
        everywhere = {
            "diskless_boot_network": "10.77.0.0/24",
            "diskless_boot_server": "10.77.0.3",
            "diskless_ceph_launcher": [f"{self.directory}/bin/launch"],
            "ansible_remote_tmp": str(self.directory / "home" / "tmp"),
        }
        inventory = {"all": {"children": groups, "vars": everywhere}}
        (self.directory / "inventory.json").write_text(json.dumps(inventory), encoding="utf-8")
