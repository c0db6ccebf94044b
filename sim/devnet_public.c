/* What a devnet shows: devnet.json for programs, a summary for people. */
#define _GNU_SOURCE /* flock() */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "proto/encoding.h"
#include "proto/input.h"
#include "sim/devnet_internal.h"

#define LISTED_MAX 10

/* --- devnet.json --- */

static json_t *validator_json(const struct devnet_dir *dir, uint32_t node)
{
    char account[BECH32_TEXT_MAX], address[HEX_TEXT(ADDRESS_SIZE)], rpc[48], key[40];
    uint8_t bytes[ADDRESS_SIZE];
    devnet_account_text(&dir->genesis, node, account);
    member_address(dir->genesis.validators[node].consensus_key, bytes);
    hex_encode_upper(bytes, sizeof bytes, address);
    (void)snprintf(rpc, sizeof rpc, "http://127.0.0.1:%u", devnet_node_port(dir, node));
    (void)snprintf(key, sizeof key, "node/%u/account.key", node);
    return json_pack("{s:i,s:s,s:s,s:s,s:s,s:I}", "validator", (int)node, "account", account,
                     "address", address, "rpc", rpc, "key_file", key, "node_pid",
                     (json_int_t)devnet_lock_holder(dir, node));
}

static json_t *public_json(const struct devnet_dir *dir)
{
    json_t *validators = json_array();
    for (uint32_t i = 0; validators && i < dir->genesis.count; i++)
        (void)json_array_append_new(validators, validator_json(dir, i));
    return json_pack("{s:s,s:s,s:o,s:I,s:I}", "chain",
                     dir->genesis.kind == CHAIN_DCL ? "dcl" : "kira", "chain_id",
                     dir->genesis.chain_id, "validators", validators, "chain_pid",
                     (json_int_t)devnet_lock_holder(dir, DEVNET_CHAIN), "supervisor_pid",
                     (json_int_t)devnet_lock_holder(dir, DEVNET_SUPERVISOR));
}

/* One writer at a time, so that an older state is never written over a newer one. -1: no matter, go on. */
static int writer_lock(const struct devnet_dir *dir)
{
    char path[DEVNET_PATH_MAX];
    int descriptor = open(devnet_dir_file(dir, "chain/devnet.json.lock", path),
                          O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    while (descriptor >= 0 && flock(descriptor, LOCK_EX) != 0 && errno == EINTR)
        ;
    return descriptor;
}

bool devnet_public_write(const struct devnet_dir *dir, bool first, struct fault *fault)
{
    char path[DEVNET_PATH_MAX];
    bool good = true;
    devnet_dir_file(dir, "devnet.json", path);
    int lock = writer_lock(dir);
    if (first || devnet_exists(path)) {
        json_t *json = public_json(dir);
        good = devnet_write_json(path, 0600, json, fault);
        json_decref(json);
    }
    if (lock >= 0)
        close(lock);
    return good;
}

void devnet_public_remove(const struct devnet_dir *dir)
{
    char path[DEVNET_PATH_MAX];
    int lock = writer_lock(dir);
    (void)unlink(devnet_dir_file(dir, "devnet.json", path));
    if (lock >= 0)
        close(lock);
}

/* --- the summary --- */

void devnet_quote_print(const char *path, FILE *out)
{
    bool plain = path[strspn(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                   "/._-+=:@%,")] == '\0';
    if (plain) {
        fputs(path, out);
        return;
    }
    putc('\'', out);
    for (; *path; path++)
        if (*path == '\'')
            fputs("'\\''", out);
        else
            putc(*path, out);
    putc('\'', out);
}

static void command_print(const struct devnet_dir *dir, const char *command, const char *name)
{
    char path[DEVNET_PATH_MAX];
    printf("  %s ", command);
    devnet_quote_print(name[0] ? devnet_dir_file(dir, name, path) : dir->path, stdout);
}

void devnet_summary_print(const struct devnet_dir *dir, bool detached, bool external,
                          int64_t height)
{
    char account[BECH32_TEXT_MAX], every[INPUT_DURATION_MAX];
    uint32_t count = dir->genesis.count;
    input_duration_text(dir->block_time_ms, every);
    if (external)
        printf("devnet %s waits for its %u node%s, a block every %s then\n\n",
               dir->genesis.chain_id, count, count == 1 ? "" : "s", every);
    else
        printf("devnet %s is up at height %" PRId64 ": %u validator%s, a block every %s\n\n",
               dir->genesis.chain_id, height, count, count == 1 ? "" : "s", every);
    for (uint32_t i = 0; i < count; i++) {
        if (i == LISTED_MAX && count > LISTED_MAX + 1) {
            printf("  ... and so on up to node %u\n", count - 1);
            i = count - 1;
        }
        devnet_account_text(&dir->genesis, i, account);
        printf("  node %-3u http://127.0.0.1:%u  %s\n", i, devnet_node_port(dir, i), account);
    }
    printf("\nTry\n  curl -s http://127.0.0.1:%u/status\n", devnet_node_port(dir, 0));
    command_print(dir, "stagger chain status --config", "agents/0.conf");
    putchar('\n');
    command_print(dir, "stagger tx pause --config", "agents/0.conf");
    printf(" --wait\n");
    command_print(
        dir, external ? "stagger devnet node run 0 --dir" : "stagger devnet node kill 0 --dir", "");
    putchar('\n');
    command_print(dir, detached ? "stagger devnet stop --dir" : "stagger devnet status --dir", "");
    printf("%s\n", detached ? "" : "\n\nCtrl-C stops it; the next start goes on from there.");
    fflush(stdout);
}
