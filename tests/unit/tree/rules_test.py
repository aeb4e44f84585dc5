#!/usr/bin/env python3
"""The rules catch what they ban and nothing else."""

import unittest

import rules


def problems(rule, path, text):
    return list(rule(path, text))


class IncludeDirection(unittest.TestCase):
    def caught(self, path, text):
        self.assertTrue(problems(rules.include_direction, path, text), (path, text))

    def fine(self, path, text):
        self.assertEqual(problems(rules.include_direction, path, text), [], (path, text))

    def test_points_one_way(self):
        self.fine("src/api/a.cpp", '#include "core/task_impl.hpp"\n#include "rbd/image.hpp"\n')
        self.fine("src/cli/a.cpp", '#include "http/client.hpp"\n#include <vector>\n')
        self.caught("src/core/a.cpp", '#include "ceph/cluster.hpp"\n')
        self.caught("src/http/a.hpp", '# include "api/routes.hpp"\n')
        self.caught("src/ceph/a.cpp", '#include "rbd/image.hpp"\n')
        self.caught("src/rbd/a.cpp", '#include "http/uri.hpp"\n')
        self.caught("src/cli/a.cpp", '#include "ceph/cluster.hpp"\n')

    def test_is_written_from_the_root(self):
        self.caught("src/core/a.cpp", '#include "task_impl.hpp"\n')
        self.caught("src/core/a.cpp", '#include "../core/task_impl.hpp"\n')

    def test_neighbours_stay_in_their_folders(self):
        self.fine("src/rbd/a.cpp", "#include <rbd/librbd.h>\n#include <rados/librados.h>\n")
        self.fine("src/http/a.cpp", "#include <boost/beast/http.hpp>\n")
        self.caught("src/worker/a.cpp", "#include <rbd/librbd.h>\n")
        self.caught("src/core/a.cpp", "#include <rados/librados.h>\n")
        self.caught("src/core/a.cpp", "#include <boost/beast/http.hpp>\n")
        self.caught("src/api/a.cpp", "#include <rados/librados.h>\n")

    def test_public_headers_include_no_private_ones(self):
        self.fine("include/taskd/a.hpp", "#include <taskd/task.hpp>\n#include <vector>\n")
        self.caught("include/taskd/a.hpp", '#include "core/mutex.hpp"\n')
        self.caught("include/taskd/a.hpp", "#include <rados/librados.h>\n")

    def test_unknown_folders_are_problems(self):
        self.caught("src/extra/a.cpp", "")

    def test_tests_are_free(self):
        self.fine("tests/unit/core/a.cpp", '#include "api/routes.hpp"\n')


class BannedWords(unittest.TestCase):
    def caught(self, text):
        self.assertTrue(problems(rules.banned_words, "src/core/a.cpp", text), text)

    def fine(self, text):
        self.assertEqual(problems(rules.banned_words, "src/core/a.cpp", text), [], text)

    def test_detach(self):
        self.caught("thread.detach();")
        self.caught("co_spawn(context, serve(), net::detached);")
        self.fine("// nothing is detached\n")
        self.fine('log("detach");')

    def test_sleep(self):
        for code in ("std::this_thread::sleep_for(1s);", "sleep_until(end);", "usleep(5);", "::sleep (1);", "nanosleep(&t, 0);"):
            self.caught(code)
        self.fine("bool asleep(int); left_to_sleep.push_back(1);")

    def test_capturing_lambda_coroutine(self):
        self.caught("co_spawn(strand, [socket, &limits]() -> asio::awaitable<void> { co_return; }, log_end);")
        self.caught("auto run = [this](std::function<void()> f, int n) mutable -> net::awaitable<int> { co_return 1; };")
        self.caught("[&]\n() -> awaitable<void> { co_return; }")
        self.fine("auto run = []() -> asio::awaitable<void> { co_return; };")
        self.fine("auto size = [this]() -> std::size_t { return size_; };")
        self.fine("array[5] = f(x); auto f() -> asio::awaitable<void>;")

    def test_the_line_is_right(self):
        code = '/* a\n comment */\nconst char* t = R"(\n\n)";\nthread.detach();\n'
        self.assertEqual([line for line, _ in problems(rules.banned_words, "src/core/a.cpp", code)], [6])

    def test_tests_may_sleep(self):
        self.assertEqual(problems(rules.banned_words, "tests/a.cpp", "sleep(1);"), [])


class MachinePaths(unittest.TestCase):
    def test_are_caught(self):
        for directory in ("work", "tmp", "root", "home"):
            self.assertTrue(problems(rules.machine_paths, "a.cpp", f"see /{directory}/main"))
            self.assertTrue(problems(rules.machine_paths, "a.sh", f'D="/{directory}/x"'))

    def test_documents_may_use_the_temporary_directory(self):
        self.assertEqual(problems(rules.machine_paths, "docs/a.md", "vstart.sh start --dir /" + "tmp/demo"), [])
        self.assertTrue(problems(rules.machine_paths, "docs/a.md", "see /" + "work/main"))

    def test_others_are_not(self):
        for text in ("${TMPDIR:-/tmp}", "/etc/ceph", "tests/work/a", "a/tmp/b", "$dir/tmp/b", "https://host.org/work/a"):
            self.assertEqual(problems(rules.machine_paths, "a.sh", text), [], text)


class Names(unittest.TestCase):
    def test_drawers_are_caught(self):
        for path in ("src/core/util.hpp", "src/core/string_utils.cpp", "tests/helpers/a.hpp", "src/common/a.hpp", "a/misc.py"):
            self.assertTrue(problems(rules.file_names, path, ""), path)

    def test_others_are_not(self):
        for path in ("src/core/utf8.hpp", "src/core/commonest.cpp", "docs/utilisation.md"):
            self.assertEqual(problems(rules.file_names, path, ""), [], path)


class Tests(unittest.TestCase):
    def test_skips_are_caught(self):
        for text in ("GTEST_SKIP();", "TEST(A, DISABLED_B)", "@unittest.skip"):
            self.assertTrue(problems(rules.skipped_tests, "tests/a.cpp", text), text)

    def test_headers_without_guard_are_caught(self):
        self.assertTrue(problems(rules.pragma_once, "src/core/a.hpp", "#include <vector>\n"))
        self.assertEqual(problems(rules.pragma_once, "src/core/a.hpp", "#pragma once\n"), [])


if __name__ == "__main__":
    unittest.main()
