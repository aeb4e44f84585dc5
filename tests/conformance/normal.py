"""Takes out of an answer what differs between two equal clusters: ids, times, addresses."""

import base64
import json
import re

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z")
DATA_PREFIX = re.compile(r"^rbd_data\.\d+\.")
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
HEX_ID = re.compile(r"\b(?=[0-9a-f]*\d)(?=[0-9]*[a-f])[0-9a-f]{8,16}\b")
ANYTHING = {"mgr_host": "<url>", "mgr_id": "<mgr>", "request_id": "<uuid>", "health_status": "<health>",
            "duration": "<seconds>", "id": "<id>"}
ENDS_IN_ID = re.compile(r"[^/.]+$")
WITH_ID = ["unique_id", "image_id_spec", "block_name_prefix"]
HEADERS = ["content-type", "content-encoding", "server", "x-total-count", "content-security-policy",
           "x-content-type-options", "strict-transport-security", "location"]


def text(value):
    value = DATA_PREFIX.sub("rbd_data.<pool>.", TIME.sub("<time>", value))
    return HEX_ID.sub("<id>", UUID.sub("<uuid>", value))


def member(key, value):
    if value is None:
        return None
    if key in ANYTHING:
        return ANYTHING[key]
    if key == "token":
        return sorted(json.loads(base64.b64decode(value)))  # of another cluster, but it tells the same
    return normal(ENDS_IN_ID.sub("<id>", value) if key in WITH_ID else value)


def normal(value):
    if isinstance(value, dict):
        return {text(key): member(key, item) for key, item in value.items()}
    if isinstance(value, list):
        return [normal(item) for item in value]
    return text(value) if isinstance(value, str) else value


def keys_of_tasks(body):
    """Which tasks are still listed depends on how long the requests before took: the keys of entries are compared."""
    entries = body["executing_tasks"] + body["finished_tasks"]
    return {**body, "executing_tasks": [], "finished_tasks": [],
            "keys": sorted({(len(entry), *sorted(entry)) for entry in entries})}


def in_order_of_names(pools):
    """Entries of a trash, which the dashboard lists in the order of their random ids."""
    return [{**pool, "value": sorted(pool["value"] or [], key=lambda entry: entry["name"])} for pool in pools]


def comparable(path, reply):
    """Status, headers and body of an answer, in which equal means equal."""
    body = reply.body
    if reply.status == 200 and isinstance(body, dict) and "executing_tasks" in body:
        body = keys_of_tasks(body)
    if reply.status == 200 and path.startswith("/api/block/image/trash") and isinstance(body, list):
        body = in_order_of_names(body)
    headers = {name: reply.headers[name] for name in HEADERS if name in reply.headers}
    return {"status": reply.status, "headers": headers, "body": normal(body)}
