"""The description of the routes (/api/openapi.json), and whether an answer is as it says. Needs python3-jsonschema."""

import json
import re
import urllib.parse

import jsonschema

OF_NO_ROUTE = (404, 408, 411, 413, 415, 431)  # which the description tells of once, in words


class Description:
    """@param document  Of GET /api/openapi.json."""

    def __init__(self, document):
        self.document = document
        # Literal paths before those with parameters, as the router has it.
        self.patterns = sorted(((re.compile("^" + re.sub(r"\\\{[a-z_]+\\\}", "[^/]+", re.escape(path)) + "$"), path)
                                for path in document["paths"]), key=lambda pair: pair[1].count("{"))

    def resolved(self, value):
        """What a `$ref` stands for."""
        if "$ref" not in value:
            return value
        found = self.document
        for part in value["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        return found

    def operation(self, method, target):
        """That which answers the request, as (name, description); (None, None): no route does."""
        path = re.sub("/+", "/", urllib.parse.urlsplit(re.sub("^/+", "/", target)).path)
        path = path.rstrip("/") or "/"
        for pattern, name in self.patterns:
            if pattern.match(path) and method.lower() in self.document["paths"][name]:
                return f"{method} {name}", self.document["paths"][name][method.lower()]
        return None, None

    def problems_of(self, schema, value):
        """What of the value does not fit the schema, in words."""
        validator = jsonschema.Draft202012Validator({"components": self.document["components"], **schema})
        return [f"{error.json_path}: {error.message[:300]}" for error in validator.iter_errors(value)]

    def problems_of_answer(self, method, target, status, headers, body):
        """What of the answer is not as described. @param headers  By their names. @param body  Parsed, where it is JSON."""
        name, operation = self.operation(method, target)
        if operation is None:
            return [] if status in OF_NO_ROUTE else [f"{method} {target}: answered with {status}, and not described"]
        described = operation["responses"].get(str(status))
        if described is None:
            return [f"{name}: {status} is not described"]
        described = self.resolved(described)
        names = {header.lower() for header in headers}
        missing = [header for header in described.get("headers", {}) if header.lower() not in names]
        problems = [f"{name}: {status} lacks the header {header}" for header in missing]
        if "content" not in described:
            return problems + ([f"{name}: {status} has a body"] if body else [])
        media_type = next(value for header, value in headers.items() if header.lower() == "content-type")
        media = described["content"].get(media_type)
        if media is None:
            return problems + [f"{name}: {status} is {media_type}, not one of {list(described['content'])}"]
        if "json" in media_type:
            problems += [f"{name}: {status}: {problem}" for problem in self.problems_of(media["schema"], body)]
        return problems


def description_of(daemon):
    """What the daemon tells of itself. @param daemon  Of harness.py."""
    return Description(daemon.get("/api/openapi.json").body)


def read_description(path):
    with open(path) as file:
        return Description(json.load(file))
