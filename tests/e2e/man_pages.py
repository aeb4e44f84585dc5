"""The manual pages name what the programs have: each option of each command, and no option that there is not.

Each check is a function; the names of checks may be given as arguments.
"""

import os
import re
import sys

from harness import CEPH_TASK, CEPH_TASKD, SOURCE, Suite, expect, run

suite = Suite()
PAGES = os.path.join(SOURCE, "docs/man")


class World:
    """Needs no cluster."""

    def __init__(self, directory):
        self.directory = directory

    def show_logs(self):
        pass

    def close(self):
        pass


def page(name):
    """As it is read, on one line."""
    text = run("mandoc", "-Tutf8", "-Owidth=1000", os.path.join(PAGES, name)).stdout
    return " ".join(re.sub(".\b", "", text).split())


class Help:
    def __init__(self, program, *words):
        self.words = words
        self.text = run(program, *words, "--help").stdout
        self.options = {option for line in re.findall(r"^ +(-[-\w,]+)", self.text, re.M) for option in line.split(",")}
        listed = re.search(r"^Subcommands:\n((?:  .*\n)+)", self.text, re.M)
        self.subcommands = [line.split()[0].rstrip(",") for line in listed[1].splitlines()] if listed else []


def all_of(program, *words):
    """The help of a command and of all below it."""
    one = Help(program, *words)
    yield one
    for word in one.subcommands:
        yield from all_of(program, *words, word)


def options_in(text):
    return set(re.findall(r"(?<![\w-])(--?[a-z][-a-z]*)", text))


def expect_all_named(text, helps):
    known = set().union(*(one.options for one in helps))
    for one in helps:
        missing = one.options - options_in(text)
        expect(not missing, f"the page does not name {missing} of {' '.join(one.words) or 'the program'}")
    made_up = {option for option in options_in(text) - known if option.startswith("--")}
    expect(not made_up, f"the page names {made_up}, which there are not")


@suite.check
def ceph_task_is_all_there(_):
    text = page("ceph-task.1")
    helps = list(all_of(CEPH_TASK))
    expect(len(helps) > 50, "all commands are found")
    expect_all_named(text, helps)
    for one in helps:
        if not one.subcommands:
            expect(f" {' '.join(one.words)} " in text, f"the page does not name {' '.join(one.words)}")


@suite.check
def ceph_taskd_is_all_there(_):
    text = page("ceph-taskd.8")
    users = [*all_of(CEPH_TASKD, "user"), *all_of(CEPH_TASKD, "role")]
    # What `user create` and the like have of their own is told by their --help.
    expect_all_named(text, [Help(CEPH_TASKD), Help(CEPH_TASKD, "caps"), *(one for one in users if one.subcommands)])
    for one in users:
        expect(one.words[-1] in text, f"the page does not name {' '.join(one.words)}")


if __name__ == "__main__":
    sys.exit(suite.main(sys.argv[1:], World))
