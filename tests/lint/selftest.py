#!/usr/bin/env python3
"""The lints, tried on small made-up trees: each must catch what it is for, and nothing else."""
import unittest

import csource
import includes
import prose
import sizes
import symbols

ARCHIVE = "lib.a[view.c.o]: "


def lint_includes(files):
    return includes.check(sorted(files), files.get, lambda name: name in files)


def lint_symbols(names, source="", elsewhere=""):
    listing = "\n".join(ARCHIVE + name + " U         " for name in names) + "\n" + elsewhere
    return symbols.check(listing, lambda name: source)


class Includes(unittest.TestCase):
    def test_the_right_direction_passes(self):
        self.assertEqual(lint_includes({
            "coord/view.h": "#include <stdint.h>\n",
            "coord/view.c": '#include "coord/view.h"\n#include <string.h>\n',
            "coord/hash.c": "#include <openssl/sha.h>\n",
            "proto/codec.h": '#include "coord/view.h"\n',
            "node/chain.h": "",
            "node/chain_kira.c": '#include "node/chain.h"\n#include "proto/codec.h"\n',
            "sim/sim.h": '#include "coord/view.h"\n#include <time.h>\n',
            "node/main.c": '#include "sim/sim.h"\n',
            "tests/test_view.c": '#include "coord/view.h"\n#include "sim/sim.h"\n',
        }), [])

    def test_node_and_sim_do_not_see_each_other(self):
        files = {"node/loop.c": '#include "sim/sim.h"\n', "sim/sim.c": '#include "node/loop.h"\n',
                 "node/loop.h": "", "sim/sim.h": ""}
        self.assertEqual(lint_includes(files), [
            'node/loop.c:1: node/ may not see sim/ ("sim/sim.h")',
            'sim/sim.c:1: sim/ may not see node/ ("node/loop.h")'])

    def test_nobody_looks_up(self):
        files = {"coord/a.c": '#include "proto/b.h"\n', "proto/b.h": '#include "sim/c.h"\n',
                 "sim/c.h": '#include "tests/d.h"\n', "tests/d.h": ""}
        self.assertEqual(len(lint_includes(files)), 3)

    def test_what_drivers_share_is_no_driver(self):
        files = {"node/chain_kira.c": '#include "node/chain_internal.h"\n#include "node/chain_dcl.h"\n',
                 "node/chain_internal.h": "", "node/chain_dcl.h": ""}
        self.assertEqual(lint_includes(files),
                         ['node/chain_kira.c:2: a driver may not see another driver ("node/chain_dcl.h")'])

    def test_generated_types_stay_inside_proto(self):
        files = {"proto/kira.proto": "", "proto/tx.c": '#include "kira.pb-c.h"\n#include <protobuf-c/protobuf-c.h>\n',
                 "proto/tx_internal.h": '#include "kira.pb-c.h"\n', "proto/old.c": '#include "gone.pb-c.h"\n',
                 "proto/tx.h": '#include "kira.pb-c.h"\n', "node/a.c": '#include "kira.pb-c.h"\n',
                 "node/b.c": "#include <protobuf-c/protobuf-c.h>\n"}
        self.assertEqual([line.split(":")[0] for line in lint_includes(files)],
                         ["node/a.c", "node/b.c", "proto/old.c", "proto/tx.h"])

    def test_the_core_opens_nothing(self):
        for header in ("time.h", "sys/socket.h", "stdatomic.h", "unistd.h", "math.h", "openssl/rand.h"):
            self.assertEqual(len(lint_includes({"coord/a.c": f"#include <{header}>\n"})), 1, header)

    def test_one_file_hashes(self):
        wrong = lint_includes({"coord/a.c": "#include <openssl/sha.h>\n",
                               "coord/b.c": "\n#  include <openssl/evp.h>\n"})
        self.assertEqual(len(wrong), 1)
        self.assertTrue(wrong[0].startswith("coord/b.c:2: SHA-256 is already used by coord/a.c"))

    def test_a_driver_sees_no_driver(self):
        files = {"node/chain_kira.c": '#include "node/chain_dcl.h"\n#include "node/runtime_docker.h"\n'
                                      '#include "node/chain_kira.h"\n#include "node/chain.h"\n',
                 "node/chain_dcl.h": "", "node/chain_kira.h": "", "node/runtime_docker.h": "",
                 "node/chain.h": ""}
        self.assertEqual([line.split(":")[1] for line in lint_includes(files)], ["1", "2"])

    def test_names_start_at_the_root_and_exist(self):
        files = {"sim/a.c": '#include "b.h"\n#include "sim/../coord/c.h"\n#include "sim/none.h"\n'
                            '#include "sim/d.c"\n', "sim/b.h": "", "sim/d.c": ""}
        self.assertEqual(len(lint_includes(files)), 4)

    def test_comments_are_not_read(self):
        self.assertEqual(lint_includes({"coord/a.c": '/*\n#include <time.h>\n*/\n// #include <time.h>\n'}),
                         [])


class Symbols(unittest.TestCase):
    def test_clock_file_socket_entropy_environment_are_caught(self):
        for name in ("time", "clock_gettime", "fopen", "open", "socket", "rand", "getrandom",
                     "RAND_bytes", "getenv", "printf", "stderr", "pthread_create", "setlocale", "exp",
                     "realloc", "qsort", "__errno_location"):
            self.assertEqual(lint_symbols([name]), [f"view.c.o: the core may not use {name}"])

    def test_what_is_listed_passes(self):
        self.assertEqual(lint_symbols(["memcpy", "EVP_DigestUpdate", "__assert_fail", "snprintf"]), [])

    def test_instruments_pass(self):
        self.assertEqual(lint_symbols([
            "__asan_report_load4", "__ubsan_handle_add_overflow_abort", "__gcov_init",
            "__sanitizer_cov_trace_cmp4", "__start___sancov_guards", "__sancov_lowest_stack"]), [])

    def test_other_objects_of_the_archive_count(self):
        there = "lib.a[draw.c.o]: draw_make T 0 10"
        self.assertEqual(lint_symbols(["draw_make"], elsewhere=there), [])
        hidden = "lib.a[draw.c.o]: draw_make t 0 10"
        self.assertEqual(len(lint_symbols(["draw_make"], elsewhere=hidden)), 1)

    def test_listing_with_headings(self):
        listing = "lib.a[view.c.o]:\ntime U         \nview_create T 0 10\n"
        self.assertEqual(symbols.undefined(listing), {"view.c.o": {"time"}})

    def test_memory_is_taken_by_create_only(self):
        good = "struct view *view_create(void)\n{\n    return malloc(8);\n}\n" \
               "void view_destroy(struct view **view)\n{\n    free(*view);\n    *view = NULL;\n}\n"
        bad = "void view_block(struct view *view)\n{\n    view->tail = calloc(1, 8); /* free(x) */\n}\n"
        self.assertEqual(lint_symbols(["malloc", "free"], good), [])
        self.assertEqual(lint_symbols(["calloc"], good + bad), [
            "view.c.o: view_block() calls calloc(); only *_create and *_destroy may"])

    def test_helpers_of_create_may_help_nobody_else(self):
        helper = "static void *allocate(void)\n{\n    return malloc(8);\n}\n" \
                 "void *view_create(void)\n{\n    return allocate();\n}\n"
        other = "void *view_block(void)\n{\n    return allocate();\n}\n"
        self.assertEqual(lint_symbols(["malloc"], helper), [])
        self.assertEqual(len(lint_symbols(["malloc"], helper + other)), 1)


class Functions(unittest.TestCase):
    SOURCE = """#define LOOP(x) \\
    do { x; \\
    } while (0)
static const struct row rows[] = {
    {"}", '{'},
};
struct pair { int a, b; };

/* returns { nothing } */
static int
twice(int value)
{
    if (value) {
        return 2 * value;
    }
    return 0;
}

void call_back(int (*run)(int), struct pair pair)
{
    run(pair.a);
}
"""

    def test_functions_are_found(self):
        found = [(name, first, last) for name, first, last, _ in csource.functions(self.SOURCE)]
        self.assertEqual(found, [("twice", 10, 17), ("call_back", 19, 22)])

    def test_long_ones_are_caught(self):
        def body(lines):
            return "int f(void)\n{\n" + "    g();\n" * (lines - 3) + "}\n"
        at_limit, over = body(sizes.FUNCTION_LIMIT), body(sizes.FUNCTION_LIMIT + 1)
        self.assertEqual(sizes.too_long(*sizes.measure(["a.c"], lambda _: at_limit)), [])
        self.assertEqual(sizes.too_long(*sizes.measure(["a.c"], lambda _: over)),
                         ["a.c:1: f() has 81 lines, the limit is 80"])

    def test_long_files_are_caught(self):
        text = "\n" * (sizes.FILE_LIMIT + 1)
        self.assertEqual(sizes.too_long(*sizes.measure(["a.c"], lambda _: text)),
                         ["a.c: 701 lines, the limit is 700"])

    def test_percentile(self):
        self.assertEqual(sizes.percentile(range(1, 101), 90), 90)
        self.assertEqual(sizes.percentile([5], 90), 5)


class Prose(unittest.TestCase):
    def lint(self, path, text):
        return prose.check([path], lambda _: text)

    def test_machine_paths_are_caught(self):
        for text in ("see /" + "work/main", "in '/ho" + "me/ann/src/x'", "from eu." + "pkg.dev/x"):
            self.assertEqual(len(self.lint("README.md", text)), 1, text)

    def test_ordinary_prose_passes(self):
        self.assertEqual(self.lint("README.md", "clockwork/main.c, ../work, home/page, the network/work"),
                         [])

    def test_shared_data_is_for_tests_and_documents(self):
        self.assertEqual(len(self.lint("sim/genesis.c", '"../sha' + 'red/data"')), 1)
        self.assertEqual(self.lint("tests/test_genesis.c", '"../sha' + 'red/data"'), [])
        self.assertEqual(self.lint("sim/README.md", "../sha" + "red/data"), [])


if __name__ == "__main__":
    unittest.main()
