# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scripts that read or change many RBD images in one process.

``rbd info`` costs 42 ms per image, librbd in one process 3.5 ms; behind a launcher such as ``podman exec`` each
command costs another quarter of a second. They are strings, not modules, because they run behind the launcher, and
with whatever Python is there: 3.6 in the older Ceph containers.

``REQUEST`` is put in front of the script. The rbd bindings print nothing of their own, so the answer is all of
stdout; what ends the script as a whole says so on stderr. Without bindings the exit code is ``NO_BINDINGS`` (see
``_ceph_batch_script``).
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
    print(error, file=sys.stderr)
    sys.exit(96)


def run_all(function, requests):
    # librbd waits for the cluster about as long as it computes.
    with ThreadPoolExecutor(16) as executor:
        return [executor.submit(function, *request) for request in requests]


def for_each(function, requests):
    futures = run_all(function, requests)
    failures = [
        "cannot read image %s: %s" % ("/".join(filter(None, request[:3])), future.exception())
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

# REQUEST: [[pool, namespace, image]]. Answer: {"pools": [name], "namespaces": {pool: [name] or null without that
# pool}, "images": [...]}; an image that does not exist is left out.
READ_SCRIPT = (
    _CONNECT
    + r"""
FLAGS = ((1, "object map invalid"), (2, "fast diff invalid"))
pool_names = {}


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


def read_lock(image):
    found = image.list_lockers()
    if not found:
        return None
    locker, lock_id, address = found["lockers"][0]
    return {"locker": locker, "address": address, "lock_id": lock_id, "exclusive": bool(found["exclusive"])}


def read_data_pool(image):
    return pool_names[image.data_pool_id()] if image.features() & rbd.RBD_FEATURE_DATA_POOL else None


def read_open_image(image):
    flags = image.flags()
    return {
        "id": image.id(),
        "size": image.size(),
        "features": image.features(),
        "flags": [name for bit, name in FLAGS if flags & bit],
        "data_pool": read_data_pool(image),
        "metadata": dict(image.metadata_list()),
        "parent": read_parent(image),
        "snapshots": [
            {"name": snap["name"], "size": snap["size"], "protected": bool(image.is_protected_snap(snap["name"]))}
            for snap in image.list_snaps()
            if snap["namespace"] == rbd.RBD_SNAP_NAMESPACE_TYPE_USER
        ],
        "watchers": [
            {"address": watcher["addr"], "client": "client.%d" % watcher["id"]} for watcher in image.watchers_list()
        ],
        "lock": read_lock(image),
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
    with cluster.open_ioctx(pool) as ioctx:
        return rbd.RBD().namespace_list(ioctx)


cluster = connect(*sys.argv[1:5])
pools = cluster.list_pools()
pool_names.update((cluster.pool_lookup(pool), pool) for pool in pools)
wanted_pools = sorted({wanted[0] for wanted in REQUEST})
namespaces = {pool: read_namespaces(pool) if pool in pools else None for pool in wanted_pools}
found = for_each(read_image, [wanted for wanted in REQUEST if namespaces[wanted[0]] is not None])
cluster.shutdown()
json.dump({"pools": pools, "namespaces": namespaces, "images": [image for image in found if image]}, sys.stdout)
"""
)

# REQUEST: [pool, namespace, or null for every namespace]. Answer: [[namespace, image]]; nothing without that pool.
LIST_SCRIPT = (
    _CONNECT
    + r"""
def list_namespace(namespace):
    with cluster.open_ioctx(pool) as ioctx:
        ioctx.set_namespace(namespace)
        return [[namespace, name] for name in rbd.RBD().list(ioctx)]


pool, namespace = REQUEST
cluster = connect(*sys.argv[1:5])
images = []
if cluster.pool_exists(pool):
    with cluster.open_ioctx(pool) as ioctx:
        existing = [""] + rbd.RBD().namespace_list(ioctx)
    for found in run_all(list_namespace, [[name] for name in existing if namespace in (None, name)]):
        images += found.result()
cluster.shutdown()
json.dump(images, sys.stdout)
"""
)

# REQUEST: [pool]. Answer: {pool: value of rbd_default_features for new images in it}.
DEFAULT_FEATURES_SCRIPT = (
    _CONNECT
    + r"""
def default_features(pool):
    with cluster.open_ioctx(pool) as ioctx:
        return next(
            option["value"] for option in rbd.RBD().config_list(ioctx) if option["name"] == "rbd_default_features"
        )


cluster = connect(*sys.argv[1:5])
answer = {pool: default_features(pool) for pool in REQUEST}
cluster.shutdown()
json.dump(answer, sys.stdout)
"""
)

# REQUEST: [[[kind, pool, namespace, image, arguments]]]: jobs, each a list of operations (see _rbd_operations).
# Answer: for each job null, or [number of the operation that failed, why].
APPLY_SCRIPT = (
    _CONNECT
    + r"""
def bits(features):
    return sum(getattr(rbd, "RBD_FEATURE_" + name.upper().replace("-", "_")) for name in features)


def creation(given):
    options = {"features": bits(given["features"])} if given["features"] else {}
    return dict(options, data_pool=given["data_pool"]) if given["data_pool"] else options


def clone(ioctx, name, given):
    pool, namespace, image, snapshot = given["parent"]
    with cluster.open_ioctx(pool) as parent:
        parent.set_namespace(namespace)
        rbd.RBD().clone(parent, image, snapshot, ioctx, name, **creation(given))


# What needs no open image, or must not have one.
POOL_VERBS = {
    "create_image": lambda ioctx, name, given: rbd.RBD().create(
        ioctx, name, given["size"], old_format=False, **creation(given)
    ),
    "clone_image": clone,
    "rename_image": lambda ioctx, name, given: rbd.RBD().rename(ioctx, name, given["new_name"]),
    "remove_image": lambda ioctx, name, given: rbd.RBD().remove(ioctx, name),
}
IMAGE_VERBS = {
    "resize_image": lambda image, given: image.resize(given["size"], allow_shrink=given["shrink"]),
    "flatten_image": lambda image, given: image.flatten(),
    "enable_features": lambda image, given: image.update_features(bits(given["features"]), True),
    "disable_features": lambda image, given: image.update_features(bits(given["features"]), False),
    "rebuild_object_map": lambda image, given: image.rebuild_object_map(),
    "set_metadata": lambda image, given: image.metadata_set(given["key"], given["value"]),
    "remove_metadata": lambda image, given: image.metadata_remove(given["key"]),
    "create_snapshot": lambda image, given: image.create_snap(given["snapshot"]),
    "protect_snapshot": lambda image, given: image.protect_snap(given["snapshot"]),
    "unprotect_snapshot": lambda image, given: image.unprotect_snap(given["snapshot"]),
    "remove_snapshot": lambda image, given: image.remove_snap(given["snapshot"]),
    "rollback_snapshot": lambda image, given: image.rollback_to_snap(given["snapshot"]),
    "remove_lock": lambda image, given: image.break_lock(given["locker"], given["lock_id"]),
}


class OpenImages:
    # The operations of a job share one open image.
    def __init__(self):
        self.place = None

    def close(self):
        if self.place is not None:
            self.image.close()
            self.ioctx.close()
            self.place = None

    def get(self, pool, namespace, name):
        if self.place != (pool, namespace, name):
            self.close()
            self.ioctx = cluster.open_ioctx(pool)
            self.ioctx.set_namespace(namespace)
            self.image = rbd.Image(self.ioctx, name)
            self.place = (pool, namespace, name)
        return self.image


def apply(opened, kind, pool, namespace, name, given):
    if kind in IMAGE_VERBS:
        IMAGE_VERBS[kind](opened.get(pool, namespace, name), given)
        return
    opened.close()
    with cluster.open_ioctx(pool) as ioctx:
        if kind == "create_namespace":
            rbd.RBD().namespace_create(ioctx, namespace)
            return
        if kind == "remove_namespace":
            rbd.RBD().namespace_remove(ioctx, namespace)
            return
        ioctx.set_namespace(namespace)
        POOL_VERBS[kind](ioctx, name, given)


def run_job(*operations):
    opened = OpenImages()
    try:
        for number, operation in enumerate(operations):
            try:
                apply(opened, *operation)
            except (rados.Error, rbd.Error) as error:
                return [number, str(error)]
    finally:
        opened.close()
    return None


cluster = connect(*sys.argv[1:5])
done = [future.result() for future in run_all(run_job, REQUEST)]
cluster.shutdown()
json.dump(done, sys.stdout)
"""
)
