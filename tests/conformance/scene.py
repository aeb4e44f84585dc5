"""What was there on the recorded cluster before an exchange, and no exchange made. `BEFORE[id]` is called with a server."""

import time

DASHBOARD_CACHE_S = 31  # it keeps the list of images for 30 s (contract 6.14)
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
        time.sleep(DASHBOARD_CACHE_S)


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
    server.rbd("resize", "rbd/h1_a2", "--size", "1G", "--allow-shrink", "--no-progress")


def learn_trash_ids(server):
    server.learn_trash_ids("h1pool")


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
    "trash.list": learn_trash_ids,
    "image.delete.in-use": lambda server: server.watch("h1pool/h1_l0"),
    "trash.remove.has-snapshots": all_of(create("h1pool", "h1_ts"), rbd("snap", "create", "h1pool/h1_ts@s"),
                                         rbd("trash", "mv", "h1pool/h1_ts"), learn_trash_ids),
    "202.delete": create("h1pool", "h1_big", size="256G", more=("--image-feature", "layering")),
    "trash.list.before-purge": all_of(lambda server: server.end_watchers(), create("h1pool", "h1_px", "h1_py"),
                                      rbd("trash", "mv", "h1pool/h1_px"), rbd("trash", "mv", "h1pool/h1_py")),
    "image.edit.size-float": create("rbd", "h1_fd"),
}

# Trash entries are addressed by id: the recorded ids and the names of those images.
TRASH_NAMES = {"106313ab87bf": "h1_tb", "10631144dff7": "h1_ta", "1063105d840b": "h1_tc", "1063cddd3e11": "h1_ts"}


def path_on(server, path):
    for recorded, name in TRASH_NAMES.items():
        path = path.replace(recorded, server.ids.get(name, recorded))
    return path
