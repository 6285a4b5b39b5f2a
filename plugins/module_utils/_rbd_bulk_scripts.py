# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scripts that read or clone many RBD images in one process.

``rbd info`` costs 42 ms per image, librbd in one process 3.5 ms; behind a launcher such as ``podman exec`` each
command costs another quarter of a second. They are strings, not modules, because they run behind the launcher, and
with whatever Python is there: 3.6 in the older Ceph containers.

``REQUEST`` is put in front of the script, a list. The rbd bindings print nothing of their own, so the answer is all
of stdout; a failure ends the script, with the reason on stderr.
"""

from __future__ import annotations

_CONNECT = r"""
import json
import sys
from concurrent.futures import ThreadPoolExecutor

try:
    import rados
    import rbd
except ImportError as error:
    sys.exit("%s: install Ceph's Python bindings, Debian packages python3-rados and python3-rbd" % error)


def for_each(verb, function, requests):
    # librbd waits for the cluster about as long as it computes.
    with ThreadPoolExecutor(8) as executor:
        futures = [executor.submit(function, *request) for request in requests]
    failures = [
        "cannot %s image %s: %s" % (verb, "/".join(filter(None, request[:3])), future.exception())
        for request, future in zip(requests, futures)
        if future.exception()
    ]
    if failures:
        sys.exit("\n".join(failures))
    return [future.result() for future in futures]


def connect(conf, name, keyring, connect_timeout):
    # An empty conffile means: search where Ceph's own tools do.
    options = {"client_mount_timeout": connect_timeout, "rbd_default_clone_format": "2"}
    if keyring:
        options["keyring"] = keyring
    try:
        cluster = rados.Rados(name=name, conffile=conf, conf=options)
        cluster.connect()
    except rados.Error as error:
        sys.exit("error connecting to the cluster: %s" % error)
    return cluster
"""

# REQUEST: [[pool, namespace, image]]. Answer: {"namespaces": {pool: [name] or null without that pool},
# "images": [...]}; an image that does not exist is left out.
READ_SCRIPT = (
    _CONNECT
    + r"""
def read_parent(image):
    try:
        spec = image.get_parent_image_spec()
    except rbd.ImageNotFound:
        return None
    return {
        "pool": spec["pool_name"],
        "namespace": spec["pool_namespace"],
        "image": spec["image_name"],
        "snapshot": spec["snap_name"],
        "id": image.parent_id(),
    }


def read_open_image(image):
    return {
        "id": image.id(),
        "size": image.size(),
        "features": image.features(),
        "parent": read_parent(image),
        "snapshots": [
            {"name": snap["name"], "size": snap["size"], "protected": bool(image.is_protected_snap(snap["name"]))}
            for snap in image.list_snaps()
            if snap["namespace"] == rbd.RBD_SNAP_NAMESPACE_TYPE_USER
        ],
        "watchers": [
            {"address": watcher["addr"], "client": "client.%d" % watcher["id"]} for watcher in image.watchers_list()
        ],
    }


def read_image(pool, namespace, name):
    with cluster.open_ioctx(pool) as ioctx:
        ioctx.set_namespace(namespace)
        try:
            with rbd.Image(ioctx, name, read_only=True) as image:
                return dict(read_open_image(image), pool=pool, namespace=namespace, image=name)
        except rbd.ImageNotFound:
            return None


def read_namespaces(pool):
    try:
        with cluster.open_ioctx(pool) as ioctx:
            return rbd.RBD().namespace_list(ioctx)
    except rados.ObjectNotFound:
        return None


cluster = connect(*sys.argv[1:5])
namespaces = {pool: read_namespaces(pool) for pool in sorted({wanted[0] for wanted in REQUEST})}
found = for_each("read", read_image, [wanted for wanted in REQUEST if namespaces[wanted[0]] is not None])
cluster.shutdown()
json.dump({"namespaces": namespaces, "images": [image for image in found if image]}, sys.stdout)
"""
)

# REQUEST: [[pool, namespace, image, its size in bytes at least, whether to create the namespace,
# null or {"pool", "namespace", "image", "snapshot": what to clone, "features": bit mask}]]. Answer: their number.
BRING_ABOUT_SCRIPT = (
    _CONNECT
    + r"""
def bring_about(pool, namespace, image, size, create_namespace, clone):
    with cluster.open_ioctx(pool) as ioctx:
        if create_namespace:
            rbd.RBD().namespace_create(ioctx, namespace)
        ioctx.set_namespace(namespace)
        if clone:
            with cluster.open_ioctx(clone["pool"]) as parent_ioctx:
                parent_ioctx.set_namespace(clone["namespace"])
                source = (parent_ioctx, clone["image"], clone["snapshot"])
                rbd.RBD().clone(*source, ioctx, image, features=clone["features"])
        with rbd.Image(ioctx, image) as opened:
            if opened.size() < size:
                opened.resize(size)


cluster = connect(*sys.argv[1:5])
done = for_each("bring about", bring_about, REQUEST)
cluster.shutdown()
json.dump(len(done), sys.stdout)
"""
)
