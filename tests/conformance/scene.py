"""What was there on the recorded cluster before an exchange, and no exchange made: `BEFORE[id]` takes a server."""

import json
import time

DASHBOARD_TRASH_CACHE_S = 1.1  # it keeps the list of a pool's trash for 1 s (contract 6.14)
MIB = 1 << 20


def rbd(*words):
    return lambda server: server.rbd(*words)


def all_of(*steps):
    def run(server):
        for step in steps:
            step(server)
    return run


def create(pool, *names, size="1M", more=()):
    return all_of(*(rbd("create", f"{pool}/{name}", "--size", size, *more) for name in names))


def numbered_images(server):
    for number in range(7):
        server.rbd("create", f"h1pool/h1_l{number}", "--size", f"{number + 1}M")


def forget_cached_lists(server):
    if server.name == "dashboard":
        server.forget_cached_lists()


def forget_cached_trash(server):
    if server.name == "dashboard":
        time.sleep(max(0, server.trash_read_at + DASHBOARD_TRASH_CACHE_S - time.monotonic()))


def fill_namespace(server):
    for number in range(6):
        server.rbd("create", f"h1pool/h1ns/h1_f{number}", "--size", "1M")


def empty_namespace(server):
    for name in server.rbd("ls", "h1pool/h1ns").split():
        server.rbd("rm", f"h1pool/h1ns/{name}")


def without_limits(server):
    """The recorded copies hung because of such a limit and a snapshot that was made meanwhile: contract 6.11."""
    for option in ("rbd_qos_iops_limit", "rbd_qos_bps_limit"):
        server.cluster.tool("rbd", "config", "image", "remove", "rbd/h1_a2", option, check=False)
    server.cluster.tool("rbd", "resize", "rbd/h1_a2", "--size", "1G", "--allow-shrink", "--no-progress",
                        check=False)  # rbd(8) calls it an error where it has that size


def learn_trash_ids(server):
    server.learn_trash_ids("h1pool")


def move_to_trash_what_was_in_use(server):
    server.end_watchers()
    server.cluster.tool("rbd", "trash", "mv", "h1pool/h1_l0", check=False)  # the dashboard did it while it was in use


def remove_from_trash_what_has_snapshots(server):
    server.rbd("trash", "restore", "h1pool/" + server.ids["h1_ts"])
    server.rbd("snap", "purge", "h1pool/h1_ts", "--no-progress")
    server.rbd("rm", "h1pool/h1_ts", "--no-progress")


def snapshots(image, *names):
    return all_of(create("rbd", image), *(rbd("snap", "create", f"rbd/{image}@{name}") for name in names))


BEFORE = {
    "image.list.default": all_of(numbered_images, forget_cached_lists),
    "image.list.stale-after-create": create("h1pool", "h1_lnew"),
    "image.list.stale-after-delete": rbd("rm", "h1pool/h1_l6"),
    "ns.list.num_images-capped": fill_namespace,
    "ns.delete.contains-images": forget_cached_lists,
    "ns.delete.stale-contains-images": empty_namespace,
    "ns.delete": rbd("namespace", "create", "h1pool/h1ns2"),
    "image.edit.as-angular": without_limits,
    "image.copy": without_limits,
    "image.edit.enable-mirror": rbd("rename", "rbd/h1_a4", "rbd/h1_a2"),
    "snap.clone.unprotected": rbd("snap", "create", "rbd/h1_a2@unprot"),
    "snap.rollback": rbd("snap", "create", "rbd/h1_a2@rb"),
    "trash.list.empty": create("h1pool", "h1_ta", "h1_tb", "h1_tc", "h1_td"),
    "trash.list": all_of(learn_trash_ids, forget_cached_trash),
    "trash.purge": forget_cached_trash,
    "trash.purge.slash": forget_cached_trash,
    "trash.purge.body-param": forget_cached_trash,
    "trash.list.after-purge": forget_cached_trash,
    "trash.purge.has-snapshots": forget_cached_trash,
    "image.delete.in-use": lambda server: server.watch("h1pool/h1_l0"),
    "trash.remove.has-snapshots": all_of(create("h1pool", "h1_ts"), rbd("snap", "create", "h1pool/h1_ts@s"),
                                         rbd("trash", "mv", "h1pool/h1_ts"), learn_trash_ids),
    "202.delete": create("h1pool", "h1_big", size="512G", more=("--image-feature", "layering")),
    "image.list.removing": forget_cached_lists,
    "trash.list.before-purge": all_of(move_to_trash_what_was_in_use, remove_from_trash_what_has_snapshots,
                                      create("h1pool", "h1_px", "h1_py"), rbd("trash", "mv", "h1pool/h1_px"),
                                      rbd("trash", "mv", "h1pool/h1_py"), forget_cached_trash),
    "trash.purge.all-pools": forget_cached_trash,
    "trash.list.after-purge-ok": forget_cached_trash,
    "image.list.empty-params": forget_cached_lists,
    "image.edit.size-float": create("rbd", "h1_fd"),
    "image.get.features-empty": rbd("create", "rbd/h1_f5", "--size", "1M", "--rbd-default-features=0"),
    "image.delete.partial-snapshot-loss": all_of(snapshots("sl", "a", "b", "c"), rbd("snap", "protect", "rbd/sl@c"),
                                                 rbd("clone", "rbd/sl@c", "rbd/sl_child")),
    "image.delete.in-use-loses-snapshots": all_of(snapshots("sl2", "a", "b"), lambda server: server.watch("rbd/sl2")),
}

def make_mirrored_pool(server):
    server.cluster.tool("ceph", "osd", "pool", "create", "h1mirror", "8")
    server.rbd("pool", "init", "h1mirror")


def learn_peer(server):
    mirroring = json.loads(server.rbd("mirror", "pool", "info", "--format", "json", "h1mirror"))
    for peer in mirroring.get("peers", []):
        server.ids["PEER-UUID"] = peer["uuid"]


def learn_token(server):
    made = server.cluster.tool("rbd", "mirror", "pool", "peer", "bootstrap", "create", "h1mirror", check=False)
    server.ids["OWN-TOKEN"] = made.stdout.strip()


BEFORE.update({
    "mirroring.site_name": make_mirrored_pool,
    "mirroring.peer": learn_peer,
    "mirroring.peer.with-attributes": learn_peer,
    "mirroring.import.own": learn_token,
})

# Trash entries are addressed by id: the recorded ids and the names of those images.
TRASH_NAMES = {"106313ab87bf": "h1_tb", "10631144dff7": "h1_ta", "1063105d840b": "h1_tc", "1063cddd3e11": "h1_ts"}


def path_on(server, path):
    for recorded, name in TRASH_NAMES.items():
        path = path.replace(recorded, server.ids.get(name, recorded))
    return path.replace("PEER-UUID", server.ids.get("PEER-UUID", "unknown"))


def body_on(server, body):
    if not isinstance(body, dict) or body.get("token") != "OWN-TOKEN":
        return body
    return {**body, "token": server.ids["OWN-TOKEN"]}
