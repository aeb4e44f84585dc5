"""The intended differences from the dashboard, each with its reason; docs/conformance.md is made from it.

A rule looks at (exchange, theirs, ours), the last two as normal.comparable() makes them. Exchanges are named by id: an
entry that no longer differs is a failure, so that this list stays true.
"""

ERROR_KEYS = {"detail", "code", "component", "status", "task", "request_id", "task_id"}


# What the dashboard makes and ceph-taskd refuses: members of entries of lists.
REFUSED = [("namespace", "h1/ns"), ("name", "")]


def bad_input_is_400(exchange, theirs, ours):
    """What the client did wrong is 400 in one of the dashboard's shapes, and names the field; the dashboard says 500."""
    del exchange
    return (theirs["status"] == 500 and ours["status"] in (400, 404) and set(ours["body"]) <= ERROR_KEYS
            and bool(ours["body"]["detail"]))


def says_more(exchange, theirs, ours):
    """The same error, whose text goes on to say what is wrong, and which lists in `blockers` what forbids it."""
    del exchange
    if not all(isinstance(one["body"], dict) and "detail" in one["body"] for one in (theirs, ours)):
        return False
    if not ours["body"]["detail"].startswith(theirs["body"]["detail"] + ": "):
        return False
    body = {key: value for key, value in ours["body"].items() if key != "blockers"}
    return {**ours, "body": {**body, "detail": theirs["body"]["detail"]}} == theirs


def other_tasks_are_listed(exchange, theirs, ours):
    """Which tasks have ended a minute ago depends on how long the requests before took."""
    del exchange
    if not all(isinstance(one["body"], dict) and "keys" in one["body"] for one in (theirs, ours)):
        return False
    keys, other = set(map(tuple, theirs["body"]["keys"])), set(map(tuple, ours["body"]["keys"]))
    return (keys <= other or other <= keys) and {**theirs, "body": {**theirs["body"], "keys": 0}} == \
        {**ours, "body": {**ours["body"], "keys": 0}}


def refused_is_not_listed(exchange, theirs, ours):
    """What the dashboard makes and ceph-taskd refuses, such as names that other tools cannot address, is not listed."""
    del exchange
    return theirs != ours and {**theirs, "body": without_refused(theirs["body"])} == ours


def without_refused(value):
    if isinstance(value, dict):
        return {key: without_refused(item) for key, item in value.items()}
    if isinstance(value, list):
        return [without_refused(item) for item in value
                if not isinstance(item, dict) or not any(item.get(key) == name for key, name in REFUSED)]
    return value


RULES = [bad_input_is_400, says_more, other_tasks_are_listed, refused_is_not_listed]

UNADDRESSABLE = "a name that other tools could not address is refused"
AT_ONCE = "what is wrong with the arguments is said before there is a task or the image is looked for"
VERSIONLESS = "a request without Accept, or with */* or application/json, gets the endpoint's version (P76)"
FRESH = "a list or count is never older than its request, nor capped (contract 6.14)"

# id: reason. Answers to these differ from the dashboard, running or recorded.
INTENDED = {
    "415.no-accept": VERSIONLESS,
    "415.json": VERSIONLESS,
    "415.any": VERSIONLESS,
    "order.415-before-params": VERSIONLESS,
    "image.create.slash-name": UNADDRESSABLE,
    "image.create.at-name": UNADDRESSABLE,
    "ns.create.slash": UNADDRESSABLE,
    "ns.delete.slash-name": UNADDRESSABLE,
    "snap.create.empty-name": UNADDRESSABLE,
    "snap.create.special-name": UNADDRESSABLE,
    "snap.delete.special-name": UNADDRESSABLE,
    "image.create.empty-name": AT_ONCE,
    "image.create.null-name": AT_ONCE,
    "params.query-on-put": AT_ONCE,
    "mirroring.pool.set.invalid": AT_ONCE,
    "mirroring.import.direction": AT_ONCE,
    "image.create.features-unknown": "an unknown feature is refused; the dashboard makes an image without features",
    "image.create.schedule": "a schedule needs mirroring by snapshots; the dashboard makes the image and no schedule",
    "leak.delete-at-once": "what a create that failed had made is taken back (contract 6.12)",
    "image.list.empty-params": "what a create that failed had made is taken back (contract 6.12)",
    "image.list.stale-after-create": FRESH,
    "image.list.stale-after-delete": FRESH,
    "ns.list.num_images-capped": FRESH,
    "ns.list.after-image": FRESH,
    "trash.purge.again-within-1s": FRESH,
    "image.edit.shrink": "shrinking destroys data: it needs allow_shrink (P53)",
    "image.edit.rename+configuration": "the configuration is that of the renamed image (contract 6.13)",
    "image.get.clone": "usage that only a walk over all objects of the parent could tell is null",
    "image.get.after-failed-delete": "a delete that fails has destroyed nothing (contract 6.10)",
    "image.get.after-refused-delete": "a delete that fails has destroyed nothing (contract 6.10)",
    "trash.move.in-use": "an image in use is moved to the trash only with force (P09)",
    "trash.purge.has-snapshots": "a purge goes on after a failure, and tells each",
    "body.other-ctype-allowed": "a body that is no JSON is refused where the dashboard drops it unread",
}

# id: reason. The recorded answer came of what had been done to that cluster, not of the request; only a running
# dashboard is compared.
HUNG = "the recorded copies hung (contract 6.11), and what they used was in use"
STALE_TRASH = "the recorded list of the trash was a second old (contract 6.14)"
RECORDED_ODDITIES = {
    "image.copy": HUNG,
    "image.copy.exists": HUNG,
    "image.copy.full": HUNG,
    "image.get.with-snapshot": HUNG,
    "image.get.with-child": HUNG,
    "image.delete.with-protected-snaps": HUNG,
    "image.delete.missing": HUNG,
    "image.delete.after-busy": HUNG,
    "trash.purge": STALE_TRASH,
    "trash.purge.slash": STALE_TRASH,
    "trash.purge.body-param": STALE_TRASH,
    "trash.list.after-purge": STALE_TRASH,
}

# id: reason. What a running dashboard says depends on its caches, or on how far it is; only the record is compared.
RUNNING_ODDITIES = {
    "task.dup-query": "a list of names is an error only while there are tasks",
}

# The beginning of ids: why what was recorded of them is not asked again.
NOT_REPLAYED = {
    "auth., jwt., perm., lockout., 401., order.401-": "the comparison is made without users, over the Unix socket",
    "202.create, 202.edit, 202.copy.qos, task.executing-create, summary.osd-stopped, trash.list.osd-stopped":
        "needs an OSD that hangs: tests of faults",
    "standby., failover.": "needs more than one daemon: tests of the standby and of recovery",
    "progress.": "events of mgr modules, which are not in the lists yet",
    "static., ui.langs, ui.banner, ui.motd, ui.orch, ui.rbd.status2, api.cluster, api.feature_toggles":
        "the dashboard's web page and what only it asks",
}
