"""What a client's image has been through, and so what may be done to it next. One image, its snapshots, and a clone of one
of them; names are used again and again, so that an operation that goes by the name would hit the wrong image sooner or
later."""

import collections
import json
import urllib.parse

MIB = 1 << 20
GIB = 1 << 30
MOST_SNAPSHOTS = 3

# `effect`: what the model is to hold when it has succeeded.
Step = collections.namedtuple("Step", "name method path body effect")


def path_of(*parts):
    return "/api/block/image/" + "/".join(urllib.parse.quote(part, safe="") for part in parts)


class Image:
    def __init__(self, name, random, cluster, has_snapshots):
        """@param has_snapshots  Whether the daemon serves snapshots, clones and the trash, too."""
        self.has_snapshots = has_snapshots
        self.name = name
        self.child = name + "-child"
        self.spec = "rbd/" + name
        self.random = random
        self.cluster = cluster
        self.serial = 0
        self.forget()

    def forget(self):
        self.size = None  # None: there is none
        self.snapshots = {}  # name: is it protected
        self.cloned = None  # the snapshot that has a clone
        self.trash_id = None  # set: it is in the trash

    def __contains__(self, task):
        """Whether a task is about it."""
        words = json.dumps(task["metadata"])
        return self.name in words or (self.trash_id is not None and self.trash_id in words)

    def next_step(self):
        choices = self.choices()
        return self.random.choices([step for step, _ in choices], [weight for _, weight in choices])[0]()

    def choices(self):
        """What may be done now, and how often it should be."""
        if self.size is None:
            return [(self.create, 1)]
        if not self.has_snapshots:
            return [(self.delete, 1)]
        if self.trash_id:
            return [(self.restore, 2), (self.remove_from_trash, 1)]
        choices = [(self.roll_back, 1), (self.rename_snapshot, 1), (self.purge_snapshots, 1)] if self.snapshots else []
        if len(self.snapshots) < MOST_SNAPSHOTS:
            choices.append((self.make_snapshot, 3))
        if self.free_snapshots(False):
            choices += [(self.delete_snapshot, 1), (self.protect_snapshot, 3)]
        if self.free_snapshots(True):
            choices.append((self.unprotect_snapshot, 1))
            if self.size and not self.cloned:  # Ceph does not clone what has no bytes
                choices.append((self.clone, 4))
        return choices + ([(self.delete_child, 3)] if self.cloned else [(self.delete, 3), (self.move_to_trash, 2)])

    def free_snapshots(self, protected):
        return [name for name, is_protected in self.snapshots.items()
                if is_protected == protected and name != self.cloned]

    def new_name(self):
        self.serial += 1
        return f"s{self.serial}"

    # --- the image

    def create(self):
        size = self.random.choice([0, MIB, GIB, 4 * GIB, 16 * GIB]) + self.random.randrange(4) * MIB
        body = {"pool_name": "rbd", "name": self.name, "size": size, "features": ["layering"]}

        def effect():
            self.size = size
        return Step("rbd/create", "POST", "/api/block/image", body, effect)

    def delete(self):
        return Step("rbd/delete", "DELETE", path_of(self.spec), None, self.forget)

    def move_to_trash(self):
        def effect():
            self.trash_id = self.ids_in_trash()[0]
        return Step("rbd/trash/move", "POST", path_of(self.spec, "move_trash"), {"delay": 0}, effect)

    def restore(self):
        def effect():
            self.trash_id = None
        return Step("rbd/trash/restore", "POST", path_of("trash", "rbd/" + self.trash_id, "restore"),
                    {"new_image_name": self.name}, effect)

    def remove_from_trash(self):
        path = path_of("trash", "rbd/" + self.trash_id) + "?snapshots=remove"
        return Step("rbd/trash/remove", "DELETE", path, None, self.forget)

    def ids_in_trash(self):
        """Of those that somebody has put there; what is being removed does not show."""
        entries = json.loads(self.cluster.tool("rbd", "trash", "ls", "--format", "json").stdout)
        return [entry["id"] for entry in entries if entry["name"] == self.name]

    # --- snapshots

    def make_snapshot(self):
        name = self.new_name()

        def effect():
            self.snapshots[name] = False
        return Step("rbd/snap/create", "POST", path_of(self.spec, "snap"),
                    {"snapshot_name": name, "mirrorImageSnapshot": False}, effect)

    def edit(self, name, body, effect):
        return Step("rbd/snap/edit", "PUT", path_of(self.spec, "snap", name), body, effect)

    def rename_snapshot(self):
        name, new_name = self.random.choice(sorted(self.snapshots)), self.new_name()

        def effect():
            self.snapshots[new_name] = self.snapshots.pop(name)
            if self.cloned == name:
                self.cloned = new_name
        return self.edit(name, {"new_snap_name": new_name}, effect)

    def set_protected(self, protected):
        name = self.random.choice(self.free_snapshots(not protected))
        return self.edit(name, {"is_protected": protected}, lambda: self.snapshots.update({name: protected}))

    def protect_snapshot(self):
        return self.set_protected(True)

    def unprotect_snapshot(self):
        return self.set_protected(False)

    def delete_snapshot(self):
        name = self.random.choice(self.free_snapshots(False))
        return Step("rbd/snap/delete", "DELETE", path_of(self.spec, "snap", name), None,
                    lambda: self.snapshots.pop(name))

    def purge_snapshots(self):
        def effect():
            self.snapshots = {name: True for name, protected in self.snapshots.items() if protected}
        return Step("rbd/snap/purge", "POST", path_of(self.spec, "snap", "purge"), {"protected": "keep"}, effect)

    def roll_back(self):
        name = self.random.choice(sorted(self.snapshots))
        return Step("rbd/snap/rollback", "POST", path_of(self.spec, "snap", name, "rollback"), None, lambda: None)

    # --- the clone

    def clone(self):
        name = self.random.choice(self.free_snapshots(True))

        def effect():
            self.cloned = name
        return Step("rbd/clone", "POST", path_of(self.spec, "snap", name, "clone"),
                    {"child_pool_name": "rbd", "child_image_name": self.child, "features": ["layering"]}, effect)

    def delete_child(self):
        def effect():
            self.cloned = None
        return Step("rbd/delete", "DELETE", path_of("rbd/" + self.child), None, effect)

    # --- the end

    def clearance(self):
        """What makes the model right again whatever is there: each as it is needed, as what is in the trash shows only
        then. A step may find nothing to remove."""
        yield self.delete_child()
        for self.trash_id in self.ids_in_trash():
            yield self.remove_from_trash()
        yield self.delete()

    def images(self):
        """Names and sizes that the cluster must list."""
        listed = {} if self.size is None or self.trash_id else {self.name: self.size}
        if self.cloned:
            listed[self.child] = self.size
        return listed
