#!/usr/bin/env python3
"""Rules about the sources that no compiler checks. Usage: rules.py RULE SOURCE_DIR

A rule is a function of a file's path (relative, with slashes) and its text that yields (line, problem).
Checked is what git tracks, so that a build folder or a scratch file in the tree is nobody's problem.
"""

import pathlib
import re
import subprocess
import sys

# The folders of src/ whose headers a folder may include, beside its own.
MAY_INCLUDE = {
    "core": set(),
    "ceph": {"core"},
    "rbd": {"core", "ceph"},
    "auth": {"core", "ceph"},
    "worker": {"core", "ceph", "rbd"},
    "http": {"core"},
    "page": set(),
    "mgr": {"core", "ceph", "auth", "http"},
    "api": {"core", "ceph", "rbd", "auth", "worker", "http", "page", "mgr"},
    "daemon": {"core", "ceph", "rbd", "auth", "worker", "http", "mgr", "api"},
    "cli": {"core", "http"},
}

# The folders of src/ that may include a third party's headers, by how the include begins.
MAY_INCLUDE_THIRD_PARTY = {
    "rados/": {"ceph", "rbd", "worker"},
    "rbd/librbd": {"rbd"},
    "boost/beast": {"http"},
    "systemd/": {"daemon"},
    "jwt.h": {"auth"},
    "crypt.h": {"auth"},
    "CLI/": {"cli", "daemon"},
    "prometheus/": {"api"},
}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
BANNED_WORDS = [
    (re.compile(r"\bdetach(ed)?\b"), "nothing is detached: a thread is joined, a coroutine's end is handled"),
    (re.compile(r"\b(sleep_for|sleep_until)\b|\b(u|nano)?sleep\s*\("), "no sleep: wait for what is awaited, with a bound"),
    (
        re.compile(r"\[[^\[\]]+\]\s*(\([^()]*(\([^()]*\)[^()]*)*\))?\s*(mutable|noexcept|\s)*->\s*[\w:]*\bawaitable\b"),
        "no capturing lambda coroutine: its captures die before it ends; a named function owns its arguments",
    ),
]
MACHINE_PATH = re.compile(r"(?<![\w.}~*)-])/(work|tmp|root|home)/\w")
DIRECTORY_OF_EXAMPLES = "/tmp/"  # which a reader may type
# A drawer has no idea of its own, so nothing in it has a place of its own.
DRAWER = re.compile(r"(^|[_-])(utils?|utilit(y|ies)|helpers?|common|misc)([_.-]|$)")
SKIPPED_TEST = re.compile(r"GTEST_SKIP|\bDISABLED_|unittest\.skip|pytest\.mark\.skip|\bskipTest\(")


def is_cpp(path):
    return path.endswith((".cpp", ".hpp", ".h", ".cc"))


def without_comments_and_texts(text):
    """The text with comments and literals blanked, lines kept."""
    token = re.compile(r'//[^\n]*|/\*.*?\*/|R"\((.*?)\)"|"(\\.|[^"\\\n])*"', re.DOTALL)
    return token.sub(lambda match: "\n" * match.group().count("\n"), text)


def line_of(text, position):
    return text.count("\n", 0, position) + 1


def public_header_owner(header, source_dir):
    """The folder of src/ that implements include/taskd/<header>: the one with a source of its name."""
    name = pathlib.PurePosixPath(header).stem + ".cpp"
    for folder in MAY_INCLUDE:
        if source_dir and (source_dir / "src" / folder / name).exists():
            return folder
    return "core"


def include_direction(path, text, source_dir=None):
    parts = path.split("/")
    if not is_cpp(path) or parts[0] not in ("src", "include"):
        return
    folder = parts[1] if parts[0] == "src" else public_header_owner(path, source_dir)
    if folder not in MAY_INCLUDE:
        yield 1, f"src/{folder} is not among the folders that tests/unit/tree/rules.py knows"
        return
    allowed = MAY_INCLUDE[folder] | {folder}
    for number, line in enumerate(text.splitlines(), 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        quote, header = match.groups()
        first = header.split("/")[0]
        if quote == '"':
            if first not in MAY_INCLUDE:
                yield number, f'"{header}" is not written from the include root'
            elif first not in allowed:
                yield number, f"{folder} may not include {first}"
            elif parts[0] == "include":
                yield number, f'a public header includes the private "{header}"'
        elif first == "taskd":
            owner = public_header_owner(header, source_dir)
            if owner not in allowed:
                yield number, f"{folder} may not include {owner}, whose header <{header}> is"
        else:
            for beginning, folders in MAY_INCLUDE_THIRD_PARTY.items():
                if header.startswith(beginning) and folder not in folders:
                    yield number, f"only {', '.join(sorted(folders))} may include <{header}>"


def banned_words(path, text, source_dir=None):
    if not is_cpp(path) or path.split("/")[0] not in ("src", "include"):
        return
    code = without_comments_and_texts(text)
    for pattern, problem in BANNED_WORDS:
        for match in pattern.finditer(code):
            yield line_of(code, match.start()), problem


def machine_paths(path, text, source_dir=None):
    for match in MACHINE_PATH.finditer(text):
        if path.endswith(".md") and match.group().startswith(DIRECTORY_OF_EXAMPLES):
            continue
        yield line_of(text, match.start()), f"a path of one machine: {match.group()}…"


def file_names(path, text, source_dir=None):
    for part in path.split("/"):
        if DRAWER.search(part):
            yield 1, f"'{part}' names a drawer, not an idea"


def skipped_tests(path, text, source_dir=None):
    if path.startswith("tests/unit/tree/"):
        return
    for match in SKIPPED_TEST.finditer(text):
        yield line_of(text, match.start()), "a test that is skipped tests nothing"


def pragma_once(path, text, source_dir=None):
    if path.endswith(".hpp") and not text.startswith("#pragma once\n"):
        yield 1, "a header begins with #pragma once"


RULES = {
    rule.__name__: rule
    for rule in (include_direction, banned_words, machine_paths, file_names, skipped_tests, pragma_once)
}


def tracked_files(source_dir):
    listed = subprocess.run(["git", "-C", source_dir, "ls-files", "-z"], check=True, capture_output=True)
    return [name for name in listed.stdout.decode().split("\0") if name]


def main(rule_name, source):
    source_dir = pathlib.Path(source)
    rule = RULES[rule_name]
    checked = 0
    problems = 0
    for name in tracked_files(source_dir):
        file = source_dir / name
        if not file.is_file() or file.is_symlink():
            continue
        try:
            text = file.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        checked += 1
        for line, problem in rule(name, text, source_dir):
            problems += 1
            print(f"{name}:{line}: {problem}")
    print(f"{rule_name}: {checked} files, {problems} problems")
    return 1 if problems or not checked else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
