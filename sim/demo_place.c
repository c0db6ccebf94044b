/* The directory of a demo: where it is, the nodes' trees, the agents' settings. */
#define _XOPEN_SOURCE 700 /* mkdtemp(), nftw(), realpath() */

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/input.h"
#include "sim/demo_internal.h"

#define SOCKET_MAX 107 /* bytes of a Unix socket's name */
#define LONGEST_SOCKET "/agent/39/control"
#define OPEN_AT_ONCE 16
#define ENDPOINT_MAX 40
#define SEED_FILE "seed" /* KEY@tcp://host:port */
#define SEEDS 3
#define MARGIN_MS 4000 /* of an agent's expected time over the work itself */

const char *demo_file(const struct demo *demo, const char *name, uint32_t validator,
                      const char *file, char path[DEVNET_PATH_MAX])
{
    (void)snprintf(path, DEVNET_PATH_MAX, "%.800s/%s/%u%s%s", demo->dir, name, validator,
                   file[0] ? "/" : "", file);
    return path;
}

/* --- where --- */

static bool is_empty(const char *path)
{
    DIR *folder = opendir(path);
    uint32_t entries = 0;
    while (folder && readdir(folder))
        entries++;
    if (folder)
        closedir(folder);
    return folder && entries == 2; /* itself and its parent */
}

static bool given_make(struct demo *demo, const char *given)
{
    if (!devnet_make_folder(given, &demo->fault))
        return false;
    if (!is_empty(given))
        return fault_set(&demo->fault,
                         "%.200s: it is not empty; choose a new or empty directory with --dir",
                         given);
    demo->dir = realpath(given, NULL);
    return demo->dir || fault_set(&demo->fault, "%.200s: %s", given, strerror(errno));
}

static bool temporary_make(struct demo *demo)
{
    char path[DEVNET_PATH_MAX];
    const char *given = getenv("TMPDIR");
    (void)snprintf(path, sizeof path, "%.800s/stagger-demo-XXXXXX",
                   given && *given ? given : "/tmp");
    if (!mkdtemp(path))
        return fault_set(&demo->fault,
                         "%.800s: %s; set TMPDIR to a directory that can be written, or give --dir",
                         path, strerror(errno));
    demo->remove = !demo->options.given[DEMO_KEEP];
    demo->dir = realpath(path, NULL);
    return demo->dir || fault_set(&demo->fault, "%.200s: %s", path, strerror(errno));
}

static bool name_check(struct demo *demo)
{
    char quoted[INPUT_QUOTE_MAX];
    size_t room = SOCKET_MAX - strlen(LONGEST_SOCKET), size = strlen(demo->dir);
    if (size > room)
        return fault_set(
            &demo->fault,
            "%.120s: the name has %zu bytes, and sockets in it have room for %zu; choose "
            "a shorter one with --dir or TMPDIR",
            demo->dir, size, room);
    for (const char *at = demo->dir; *at; at++)
        if ((unsigned char)*at < ' ' || *at == 127 || *at == ';')
            return fault_set(&demo->fault,
                             "%.200s: its name holds a control character or a ';', which "
                             "settings cannot; choose another with --dir or TMPDIR",
                             input_quote(demo->dir, quoted));
    return true;
}

/* --- the nodes' binaries --- */

static bool text_write(const char *path, mode_t mode, FILE *out, char **text, struct fault *fault)
{
    bool good = fclose(out) == 0 || fault_set(fault, "memory is short");
    good = good && devnet_write(path, mode, *text, fault);
    free(*text);
    *text = NULL;
    return good;
}

/* A node of this version: this very program. The arguments that a node would be given are of no use to it. */
static bool binary_write(struct demo *demo, uint32_t validator, const char *folder,
                         const char *version)
{
    char path[DEVNET_PATH_MAX], inner[96], *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return fault_set(&demo->fault, "memory is short");
    fputs("#!/bin/sh\nexec ", out);
    devnet_quote_print(demo->program, out);
    fprintf(out, " devnet node run %u --software %s --dir ", validator, version);
    devnet_quote_print(demo->dir, out);
    fputs("/net\n", out);
    (void)snprintf(inner, sizeof inner, "cosmovisor/%s/bin/node", folder);
    return text_write(demo_file(demo, "node", validator, inner, path), 0700, out, &text,
                      &demo->fault);
}

static bool tree_make(struct demo *demo, uint32_t validator)
{
    static const char *const folders[] = {
        "",
        "cosmovisor",
        "cosmovisor/genesis",
        "cosmovisor/genesis/bin",
        "cosmovisor/upgrades",
        "cosmovisor/upgrades/" DEMO_VERSION_NEW,
        "cosmovisor/upgrades/" DEMO_VERSION_NEW "/bin",
    };
    char path[DEVNET_PATH_MAX];
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        if (!devnet_make_folder(demo_file(demo, "node", validator, folders[i], path), &demo->fault))
            return false;
    return devnet_make_folder(demo_file(demo, "agent", validator, "", path), &demo->fault) &&
           binary_write(demo, validator, "genesis", DEMO_VERSION_OLD) &&
           binary_write(demo, validator, "upgrades/" DEMO_VERSION_NEW, DEMO_VERSION_NEW);
}

static bool program_find(struct demo *demo)
{
    ssize_t size = readlink("/proc/self/exe", demo->program, sizeof demo->program - 1);
    demo->program[size > 0 ? size : 0] = '\0';
    return size > 0 || fault_set(&demo->fault, "/proc/self/exe: %s; mount /proc", strerror(errno));
}

/* Known before the two minutes, not after them. */
static bool page_check(struct demo *demo)
{
    const char *path = demo->options.text[DEMO_HTML];
    bool there = devnet_exists(path);
    FILE *page = fopen(path, "ae");
    if (!page)
        return fault_set(&demo->fault,
                         "%.400s: the page cannot be written: %s; name another file with --html",
                         path, strerror(errno));
    fclose(page);
    if (!there)
        (void)unlink(path);
    return true;
}

bool demo_place_make(struct demo *demo)
{
    char path[DEVNET_PATH_MAX];
    const char *given = demo->options.text[DEMO_DIR];
    if (!page_check(demo) || !(given ? given_make(demo, given) : temporary_make(demo)) ||
        !name_check(demo) || !program_find(demo))
        return false;
    (void)snprintf(path, sizeof path, "%.800s/agent", demo->dir);
    if (!devnet_make_folder(path, &demo->fault))
        return false;
    (void)snprintf(path, sizeof path, "%.800s/node", demo->dir);
    if (!devnet_make_folder(path, &demo->fault))
        return false;
    for (uint32_t i = 0; i < demo->count; i++)
        if (!tree_make(demo, i))
            return false;
    return true;
}

/* --- the agents' settings --- */

/* What the devnet says of the node: [chain], [account], and on DCL the charter's min_validators. */
static bool settings_begin(struct demo *demo, uint32_t validator, FILE *out)
{
    char path[DEVNET_PATH_MAX], name[32], error[INPUT_ERROR_MAX], *text;
    size_t size;
    (void)snprintf(name, sizeof name, "agents/%u.conf", validator);
    devnet_dir_file(&demo->net, name, path);
    if (!input_file(path, DEVNET_PATH_MAX * 4, true, &text, &size, error))
        return fault_set(&demo->fault, "%s: %s", path, error);
    fputs(text, out);
    free(text);
    return true;
}

static const char *endpoint(const struct demo *demo, uint32_t validator, char text[ENDPOINT_MAX])
{
    (void)snprintf(text, ENDPOINT_MAX, "tcp://127.0.0.1:%u",
                   demo->base_port + demo->count + validator);
    return text;
}

bool demo_keys_make(struct demo *demo)
{
    for (uint32_t i = 0; i < demo->count; i++) {
        char dir[DEVNET_PATH_MAX], log[DEVNET_PATH_MAX], reached[ENDPOINT_MAX];
        char *words[] = {"stagger", "gossip-key", "--dir", dir, "--advertise", reached, NULL};
        demo_file(demo, "agent", i, "", dir);
        demo_file(demo, "agent", i, SEED_FILE, log);
        endpoint(demo, i, reached);
        if (!demo_child_start(&demo->nodes[i].key, words, log, &demo->fault))
            return demo_fail(demo);
    }
    return true;
}

bool demo_keys_ready(const struct demo *demo)
{
    bool all = true;
    for (uint32_t i = 0; i < demo->count; i++)
        all = all && !demo->nodes[i].key.runs;
    return all;
}

/* The next few in a ring, so that everybody is known to somebody. */
static void seeds_put(const struct demo *demo, uint32_t validator, FILE *out)
{
    char path[DEVNET_PATH_MAX], line[DEVNET_LINE_MAX];
    for (uint32_t i = 1; i <= SEEDS; i++) {
        devnet_log_tail(demo_file(demo, "agent", (validator + i) % demo->count, SEED_FILE, path),
                        line);
        fprintf(out, "%s%s\n", i == 1 ? "seeds = " : "    ", line);
    }
}

static void settings_put(const struct demo *demo, uint32_t validator, FILE *out)
{
    char block[INPUT_DURATION_MAX], expected[INPUT_DURATION_MAX], path[DEVNET_PATH_MAX];
    uint64_t reboot_ms = demo->options.number[DEMO_REBOOT];
    char reached[ENDPOINT_MAX];
    input_duration_text((int64_t)demo->options.number[DEMO_BLOCK_TIME], block);
    input_duration_text((int64_t)reboot_ms + MARGIN_MS, expected);
    if (demo->net.genesis.kind != CHAIN_DCL)
        fputs("[charter]\n", out);
    fprintf(out, "block_time = %s\n", block);
    fprintf(out, "[agent]\ndir = %s\nexpected = %s\n",
            demo_file(demo, "agent", validator, "", path), expected);
    endpoint(demo, validator, reached);
    fprintf(out, "[gossip]\nlisten = %s\nadvertise = %s\n", reached, reached);
    seeds_put(demo, validator, out);
    fprintf(out,
            "[runtime]\ndriver = process\n[process]\nhome = %s\nname = node\non_stop = stop\n"
            "restart = 200ms\n",
            demo_file(demo, "node", validator, "", path));
    fprintf(out,
            "[hooks]\n; the work that takes its time\npre_reinit = sleep %" PRIu64 ".%03" PRIu64
            "\n",
            reboot_ms / 1000, reboot_ms % 1000);
}

bool demo_place_agents(struct demo *demo)
{
    char path[DEVNET_PATH_MAX], *text = NULL;
    size_t size;
    for (uint32_t i = 0; i < demo->count; i++) {
        FILE *out = open_memstream(&text, &size);
        if (!out)
            return fault_set(&demo->fault, "memory is short");
        bool good = settings_begin(demo, i, out);
        settings_put(demo, i, out);
        demo_file(demo, "agent", i, "agent.conf", path);
        if (!text_write(path, 0600, out, &text, &demo->fault) || !good)
            return false;
    }
    return true;
}

/* --- the end --- */

static int entry_remove(const char *path, const struct stat *state, int kind, struct FTW *where)
{
    (void)state;
    (void)kind;
    (void)where;
    (void)remove(path);
    return 0;
}

void demo_place_remove(struct demo *demo)
{
    if (demo->dir && demo->remove)
        (void)nftw(demo->dir, entry_remove, OPEN_AT_ONCE, FTW_DEPTH | FTW_PHYS);
}
