"""Checks of the description of the routes that a linter does not know of. Usage: document.py FILE

References lead somewhere and nothing is described in vain; names are told once; examples fit their schemas; request
bodies are closed. Its last line is `N passed, N failed`.
"""

import json
import os
import re
import sys

import jsonschema

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "e2e"))
from described import read_description  # noqa: E402


def without_repetition(pairs):
    names = [name for name, _ in pairs]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ValueError(f"told twice: {repeated}")
    return dict(pairs)


def values(value, where="#"):
    """All objects in it, with where they are."""
    if isinstance(value, dict):
        yield where, value
        for name, member in value.items():
            yield from values(member, f"{where}/{name}")
    elif isinstance(value, list):
        for index, member in enumerate(value):
            yield from values(member, f"{where}/{index}")


def operations(document):
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield f"{method.upper()} {path}", operation


def no_name_is_told_twice(path, _):
    with open(path) as file:
        try:
            json.load(file, object_pairs_hook=without_repetition)
        except ValueError as error:
            yield str(error)


def references_lead_somewhere(_, description):
    for where, value in values(description.document):
        if "$ref" in value:
            try:
                description.resolved(value)
            except KeyError:
                yield f"{where}: nothing is at {value['$ref']}"


def every_component_is_used(_, description):
    used = {value["$ref"] for _, value in values(description.document) if "$ref" in value}
    for kind, members in description.document["components"].items():
        for name in members if kind != "securitySchemes" else []:
            if f"#/components/{kind}/{name}" not in used:
                yield f"components/{kind}/{name} is not used"


def operations_have_names_of_their_own(_, description):
    seen = {}
    for where, operation in operations(description.document):
        name = operation["operationId"]
        if name in seen:
            yield f"{where} and {seen[name]} are both {name}"
        seen[name] = where


def tags_are_declared(_, description):
    declared = {tag["name"] for tag in description.document["tags"]}
    for where, operation in operations(description.document):
        yield from (f"{where}: no tag {tag}" for tag in operation["tags"] if tag not in declared)


def schemas_are_schemas(_, description):
    for name, schema in description.document["components"]["schemas"].items():
        try:
            jsonschema.Draft202012Validator.check_schema(schema)
        except jsonschema.SchemaError as error:
            yield f"{name}: {error.message}"


def examples_fit(_, description):
    for where, value in values(description.document):
        if re.search(r"/properties$|/example$", where):
            continue
        schema = value.get("schema", value)
        examples = ([value["example"]] if "example" in value else []) + (value.get("examples") or [])
        for example in examples:
            yield from (f"{where}: {problem}" for problem in description.problems_of(schema, example))


def most_answers_have_an_example(_, description):
    """So that `examples_fit` does not pass for want of any."""
    count = sum("example" in value for _, value in values(description.document))
    if count < 40:
        yield f"there are {count} examples"


def main():
    path = sys.argv[1]
    description = read_description(path)
    failed = 0
    checks = [no_name_is_told_twice, references_lead_somewhere, every_component_is_used,
              operations_have_names_of_their_own, tags_are_declared, schemas_are_schemas, examples_fit,
              most_answers_have_an_example]
    for check in checks:
        problems = list(check(path, description))
        failed += bool(problems)
        print(f"{check.__name__}: {'failed' if problems else 'passed'}")
        for problem in problems:
            print(f"  {problem}")
    print(f"{len(checks) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
