"""The intended differences from the dashboard, each with its reason; docs/conformance.md is made from it.

A rule looks at (exchange, theirs, ours), the last two as normal.comparable() makes them. Exchanges are named by id: an
entry that no longer differs is a failure, so that this list stays true.
"""

ERROR_KEYS = {"detail", "code", "component", "status", "task", "request_id", "task_id"}


def bad_input_is_400(exchange, theirs, ours):
    """What the client did wrong is 400 in one of the dashboard's shapes, and names the field; the dashboard says 500."""
    return (theirs["status"] == 500 and ours["status"] in (400, 404) and set(ours["body"]) <= ERROR_KEYS
            and bool(ours["body"]["detail"]))


def says_more(exchange, theirs, ours):
    """The same error, whose text goes on to say what is wrong."""
    del exchange
    if not all(isinstance(one["body"], dict) and "detail" in one["body"] for one in (theirs, ours)):
        return False
    return (ours["body"]["detail"].startswith(theirs["body"]["detail"] + ": ")
            and {**ours, "body": {**ours["body"], "detail": theirs["body"]["detail"]}} == theirs)


def other_tasks_are_listed(exchange, theirs, ours):
    """Which tasks have ended a minute ago depends on how long the requests before took."""
    del exchange
    if not all(isinstance(one["body"], dict) and "keys" in one["body"] for one in (theirs, ours)):
        return False
    keys, other = set(map(tuple, theirs["body"]["keys"])), set(map(tuple, ours["body"]["keys"]))
    return (keys <= other or other <= keys) and {**theirs, "body": {**theirs["body"], "keys": 0}} == \
        {**ours, "body": {**ours["body"], "keys": 0}}


RULES = [bad_input_is_400, says_more, other_tasks_are_listed]

# id: reason. Answers to these differ from the dashboard, running or recorded.
INTENDED = {
    "415.no-accept": "a request without Accept, such as curl's, gets the endpoint's version",
    "415.any": "a request with Accept: */* gets the endpoint's version",
    "image.create.slash-name": "a name that could not be addressed again is refused (contract 4.3)",
    "image.create.at-name": "a name that could not be addressed again is refused (contract 4.3)",
    "image.create.empty-name": "bad input is refused before there is a task, and the field named",
    "image.create.null-name": "bad input is refused before there is a task, and the field named",
    "ns.create.slash": "a name that could not be addressed again is refused",
    "ns.list": "lists the namespace that ns.create.slash made there",
    "ns.list.slash": "lists the namespace that ns.create.slash made there",
    "ns.list.after-image": "lists the namespace that ns.create.slash made there",
    "ns.delete.slash-name": "removes the namespace that ns.create.slash made there",
    "image.list.stale-after-create": "a list is never older than its request (contract 6.14)",
    "image.list.stale-after-delete": "a list is never older than its request (contract 6.14)",
    "ns.list.num_images-capped": "a count is never older than its request, and not capped (contract 6.14)",
    "image.edit.shrink": "shrinking destroys data: it needs allow_shrink (P53)",
    "image.edit.rename+configuration": "the configuration is that of the renamed image (contract 6.13)",
    "image.create.schedule": "not yet; the refusal tells the command that adds a schedule",
    "snap.create.empty-name": "a name that could not be addressed again is refused",
    "image.create.features-unknown": "an unknown feature is refused; the dashboard makes an image without features",
}

# id: reason. The recorded answer came of what had been done to that cluster, not of the request; only a running
# dashboard is compared.
RECORDED_ODDITIES = {
    "image.copy": "the recorded copy hung (contract 6.11)",
    "image.copy.exists": "the recorded copy hung (contract 6.11)",
    "image.copy.full": "the recorded copy hung (contract 6.11)",
    "image.get.with-snapshot": "the limit that made the recorded copy hang is gone",
    "image.get.with-child": "the limit that made the recorded copy hang is gone",
    "image.get.clone": "the limit that made the recorded copy hang is gone",
    "image.delete.with-protected-snaps": "the recorded source was in use by the copies that hung",
    "image.delete.missing": "the recorded source was in use by the copies that hung",
    "image.delete.after-busy": "the recorded source was in use by the copies that hung",
    "trash.purge.has-snapshots": "a recorded image in the trash took long to delete",
    "image.list.empty-params": "the recorded cluster held other images besides",
}

# id: reason. What a running dashboard says depends on its caches, or on how far it is; only the record is compared.
RUNNING_ODDITIES = {
    "task.dup-query": "a list of names is an error only while there are tasks",
}
