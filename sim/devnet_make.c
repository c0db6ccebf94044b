/* Making a devnet's directory, and what may change of it from run to run. */
#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <openssl/rand.h>

#include "proto/encoding.h"
#include "proto/input.h"
#include "sim/devnet_internal.h"

#define SOCKET_OWN "chain/chain.sock"
#define OTHERS 2 /* nodes that an agent's configuration names beside its own */
#define TRUSTEES 3

/* --- settings.json --- */

static json_t *duration_json(int64_t ms)
{
    char text[INPUT_DURATION_MAX];
    input_duration_text(ms, text);
    return json_string(text);
}

static json_t *nodes_json(const struct devnet_dir *dir)
{
    json_t *nodes = json_array();
    for (uint32_t i = 0; nodes && i < dir->genesis.count; i++) {
        char key[HEX_TEXT(ACCOUNT_PUBLIC_SIZE)];
        hex_encode(dir->genesis.validators[i].account_key, ACCOUNT_PUBLIC_SIZE, key);
        (void)json_array_append_new(
            nodes, json_pack("{s:s,s:s}", "account_key", key, "node_id", dir->node_ids[i]));
    }
    return nodes;
}

bool devnet_settings_write(const struct devnet_dir *dir, struct fault *fault)
{
    char path[DEVNET_PATH_MAX], seed[24], own[DEVNET_PATH_MAX];
    (void)snprintf(seed, sizeof seed, "%" PRIu64, dir->seed);
    bool inside = strcmp(devnet_dir_file(dir, SOCKET_OWN, own), dir->socket) == 0;
    json_t *json = json_pack("{s:i,s:s,s:i,s:o,s:o,s:o,s:I,s:b,s:i,s:o,s:s,s:o}", "version", 1,
                             "chain", dir->genesis.kind == CHAIN_DCL ? "dcl" : "kira", "base_port",
                             (int)dir->base_port, "block_time", duration_json(dir->block_time_ms),
                             "empty_blocks", duration_json(dir->empty_blocks_ms), "timeout_propose",
                             duration_json(dir->timeout_propose_ms), "min_validators",
                             (json_int_t)dir->min_validators, "guard",
                             dir->genesis.properties.guard, "trustees", (int)dir->genesis.trustees,
                             "seed", dir->seeded ? json_string(seed) : json_null(), "socket",
                             inside ? SOCKET_OWN : dir->socket, "nodes", nodes_json(dir));
    bool good = devnet_write_json(devnet_dir_file(dir, "settings.json", path), 0600, json, fault);
    json_decref(json);
    return good;
}

/* A name in DIR if it is short enough, otherwise one in the runtime folder, new each time it is asked for. */
static bool socket_choose(struct devnet_dir *dir, struct fault *fault)
{
    char folder[DEVNET_RUNTIME_MAX], name[HEX_TEXT(8)];
    uint8_t bytes[8];
    int size = snprintf(dir->socket, sizeof dir->socket, "%s/%s", dir->path, SOCKET_OWN);
    if (size > 0 && (size_t)size < sizeof dir->socket)
        return true;
    if (!devnet_runtime_folder(folder, fault))
        return false;
    if (RAND_bytes(bytes, sizeof bytes) != 1)
        return fault_set(fault, "no random bytes to be had; try again");
    hex_encode(bytes, sizeof bytes, name);
    (void)snprintf(dir->socket, sizeof dir->socket, "%s/%s.sock", folder, name);
    return true;
}

/* --- making --- */

bool devnet_may_make(const char *path, struct fault *fault)
{
    static const char *const ours[] = {".",     "..",   "lock",  "genesis.json",
                                       "chain", "node", "agents"};
    DIR *folder = opendir(path);
    char stranger[INPUT_QUOTE_MAX] = "";
    if (!folder)
        return fault_set(fault, "%s: %s; a directory expected", path, strerror(errno));
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        bool known = strstr(entry->d_name, ".part") != NULL;
        for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
            known = known || strcmp(entry->d_name, ours[i]) == 0;
        if (!known)
            (void)input_quote(entry->d_name, stranger);
    }
    closedir(folder);
    return !stranger[0] ||
           fault_set(fault,
                     "%s: there is no devnet in it, but other things ('%s'); choose a new or "
                     "empty directory",
                     path, stranger);
}

static bool folders_make(const struct devnet_dir *dir, uint32_t count, struct fault *fault)
{
    char path[DEVNET_PATH_MAX];
    if (!devnet_make_folder(devnet_dir_file(dir, "chain", path), fault) ||
        !devnet_make_folder(devnet_dir_file(dir, "node", path), fault) ||
        !devnet_make_folder(devnet_dir_file(dir, "agents", path), fault))
        return false;
    for (uint32_t i = 0; i < count; i++)
        if (!devnet_make_folder(devnet_node_file(dir, i, "", path), fault))
            return false;
    return true;
}

static int64_t now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

static bool genesis_write(const struct devnet_dir *dir, const struct devnet_options *options,
                          const struct devnet_seat *seats, struct fault *fault)
{
    char path[DEVNET_PATH_MAX];
    bool dcl = dir->genesis.kind == CHAIN_DCL;
    const char *chain_id = options->text[OPTION_CHAIN_ID];
    struct devnet_plan plan = {
        .kind = dir->genesis.kind,
        .chain_id = chain_id ? chain_id
                    : dcl    ? "dcl-devnet-1"
                             : "kira-devnet-1",
        .time_ms = now_ms(),
        .min_validators = options->number[OPTION_MIN_VALIDATORS],
        .proposal_s = options->number[OPTION_PROPOSAL_TIME] / 1000,
        .enactment_s = options->number[OPTION_ENACTMENT_TIME] / 1000,
        .seats = seats,
        .count = dir->genesis.count,
        .trustees = dir->genesis.trustees,
    };
    json_t *json = devnet_genesis_make(&plan);
    bool good = devnet_write_json(devnet_dir_file(dir, "genesis.json", path), 0600, json, fault);
    json_decref(json);
    return good;
}

static void dir_fill(struct devnet_dir *dir, const struct devnet_options *options)
{
    const uint64_t *number = options->number;
    uint32_t count = dir->genesis.count = (uint32_t)number[OPTION_VALIDATORS];
    dir->genesis.kind = (enum chain_kind)number[OPTION_CHAIN];
    dir->genesis.trustees = dir->genesis.kind != CHAIN_DCL ? 0
                            : count < TRUSTEES             ? count
                                                           : TRUSTEES;
    dir->genesis.properties.guard = options->given[OPTION_GUARD];
    dir->min_validators = number[OPTION_MIN_VALIDATORS];
    dir->block_time_ms = (int64_t)number[OPTION_BLOCK_TIME];
    dir->empty_blocks_ms = (int64_t)number[OPTION_EMPTY_BLOCKS];
    dir->timeout_propose_ms = (int64_t)number[OPTION_TIMEOUT_PROPOSE];
    dir->seeded = options->given[OPTION_SEED];
    dir->seed = number[OPTION_SEED];
}

static bool seats_make(struct devnet_dir *dir, struct devnet_seat *seats, struct fault *fault)
{
    for (uint32_t i = 0; i < dir->genesis.count; i++) {
        if (!devnet_seat_make(&seats[i], i, dir->seeded, dir->seed, fault) ||
            !devnet_seat_write(dir, i, &seats[i], fault))
            return false;
        memcpy(dir->genesis.validators[i].account_key, seats[i].account_public,
               ACCOUNT_PUBLIC_SIZE);
        devnet_node_id(&seats[i], dir->node_ids[i]);
    }
    return true;
}

bool devnet_make(const char *path, const struct devnet_options *options, uint16_t base_port,
                 struct fault *fault)
{
    uint32_t count = (uint32_t)options->number[OPTION_VALIDATORS];
    struct devnet_seat *seats = calloc(count, sizeof *seats);
    struct devnet_dir dir = {.path = strdup(path), .base_port = base_port};
    dir_fill(&dir, options);
    dir.genesis.validators = calloc(count, sizeof *dir.genesis.validators);
    dir.node_ids = calloc(count, sizeof *dir.node_ids);
    bool good = (seats && dir.path && dir.genesis.validators && dir.node_ids) ||
                fault_set(fault, "memory is short");
    good = good && folders_make(&dir, count, fault) && socket_choose(&dir, fault) &&
           seats_make(&dir, seats, fault) && genesis_write(&dir, options, seats, fault) &&
           devnet_settings_write(&dir, fault);
    for (uint32_t i = 0; seats && i < count; i++)
        devnet_seat_clear(&seats[i]);
    free(seats);
    devnet_dir_close(&dir);
    return good;
}

/* --- an existing one --- */

static bool fixed_number(const struct devnet_dir *dir, enum devnet_option option, uint64_t *number)
{
    switch (option) {
    case OPTION_VALIDATORS:
        *number = dir->genesis.count;
        return true;
    case OPTION_MIN_VALIDATORS:
        *number = dir->min_validators;
        return true;
    case OPTION_PROPOSAL_TIME:
        *number = (uint64_t)dir->genesis.proposal_end_s * 1000;
        return true;
    case OPTION_ENACTMENT_TIME:
        *number = (uint64_t)dir->genesis.proposal_enactment_s * 1000;
        return true;
    case OPTION_SEED:
        *number = dir->seed;
        return dir->seeded;
    default:
        *number = dir->genesis.kind;
        return option == OPTION_CHAIN;
    }
}

/* What DIR has, as one would give it; "" when it has nothing like the option. */
static void fixed_text(const struct devnet_dir *dir, enum devnet_option option,
                       char text[HEADER_CHAIN_ID_MAX])
{
    uint64_t number;
    text[0] = '\0';
    if (option == OPTION_CHAIN_ID)
        (void)snprintf(text, HEADER_CHAIN_ID_MAX, "%s", dir->genesis.chain_id);
    else if (option == OPTION_CHAIN)
        (void)snprintf(text, HEADER_CHAIN_ID_MAX, "%s",
                       dir->genesis.kind == CHAIN_DCL ? "dcl" : "kira");
    else if (fixed_number(dir, option, &number) && number > 0 &&
             (option == OPTION_PROPOSAL_TIME || option == OPTION_ENACTMENT_TIME))
        input_duration_text((int64_t)number, text);
    else if (fixed_number(dir, option, &number))
        (void)snprintf(text, HEADER_CHAIN_ID_MAX, "%" PRIu64, number);
}

static bool contradicts(const struct devnet_dir *dir, const struct devnet_options *options,
                        enum devnet_option option)
{
    uint64_t number;
    if (!options->given[option])
        return false;
    if (option == OPTION_GUARD)
        return !dir->genesis.properties.guard;
    if (option == OPTION_CHAIN_ID)
        return strcmp(options->text[option], dir->genesis.chain_id) != 0;
    return !fixed_number(dir, option, &number) || number != options->number[option];
}

static bool fixed_check(const struct devnet_dir *dir, const struct devnet_options *options,
                        struct fault *fault)
{
    for (enum devnet_option i = 0; i < OPTION_FOR_GOOD; i++) {
        char has[HEADER_CHAIN_ID_MAX];
        if (!contradicts(dir, options, i))
            continue;
        fixed_text(dir, i, has);
        return fault_set(fault,
                         "--%s%s%s: the devnet in %s was made %s%s; leave the option out, or "
                         "choose another --dir",
                         devnet_option_name(i), options->text[i] ? " " : "",
                         options->text[i] ? options->text[i] : "", dir->path,
                         has[0] ? "with " : "without it", has);
    }
    return true;
}

bool devnet_settings_merge(struct devnet_dir *dir, const struct devnet_options *options,
                           struct fault *fault)
{
    const uint64_t *number = options->number;
    bool follows = dir->empty_blocks_ms == dir->block_time_ms; /* and so it goes on */
    if (!fixed_check(dir, options, fault))
        return false;
    if (options->given[OPTION_BASE_PORT])
        dir->base_port = (uint16_t)number[OPTION_BASE_PORT];
    if (options->given[OPTION_BLOCK_TIME])
        dir->block_time_ms = (int64_t)number[OPTION_BLOCK_TIME];
    if (options->given[OPTION_EMPTY_BLOCKS])
        dir->empty_blocks_ms = (int64_t)number[OPTION_EMPTY_BLOCKS];
    else if (follows)
        dir->empty_blocks_ms = dir->block_time_ms;
    if (options->given[OPTION_TIMEOUT_PROPOSE])
        dir->timeout_propose_ms = (int64_t)number[OPTION_TIMEOUT_PROPOSE];
    if (dir->empty_blocks_ms < dir->block_time_ms)
        return fault_set(fault,
                         "--empty-blocks: shorter than the block time; choose at least that");
    if (dir->base_port + dir->genesis.count - 1 > UINT16_MAX)
        return fault_set(fault,
                         "--base-port: %u and the %u nodes' ports above it pass 65535; choose a "
                         "lower one",
                         dir->base_port, dir->genesis.count);
    return socket_choose(dir, fault) && devnet_settings_write(dir, fault);
}

/* --- agents --- */

static bool agent_write(const struct devnet_dir *dir, uint32_t node, struct fault *fault)
{
    char path[DEVNET_PATH_MAX], key[DEVNET_PATH_MAX], name[32];
    uint32_t count = dir->genesis.count, others = count - 1 < OTHERS ? count - 1 : OTHERS;
    bool dcl = dir->genesis.kind == CHAIN_DCL;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return fault_set(fault, "memory is short");
    fprintf(out,
            "# node %u of the devnet; written anew at every start\n[chain]\nkind = %s\nid = %s\n"
            "node = http://127.0.0.1:%u\n",
            node, dcl ? "dcl" : "kira", dir->genesis.chain_id, devnet_node_port(dir, node));
    for (uint32_t i = 1; i <= others; i++)
        fprintf(out, "%shttp://127.0.0.1:%u", i == 1 ? "others = " : ", ",
                devnet_node_port(dir, (node + i) % count));
    fprintf(out, "%s[account]\nkey_file = %s\n", others ? "\n" : "",
            devnet_node_file(dir, node, "account.key", key));
    if (dcl && dir->min_validators > 1)
        fprintf(out, "[charter]\nmin_validators = %" PRIu64 "\n", dir->min_validators);
    bool good = fclose(out) == 0;
    (void)snprintf(name, sizeof name, "agents/%u.conf", node);
    good = (good || fault_set(fault, "memory is short")) &&
           devnet_write(devnet_dir_file(dir, name, path), 0600, text, fault);
    free(text);
    return good;
}

bool devnet_agents_write(const struct devnet_dir *dir, struct fault *fault)
{
    for (uint32_t i = 0; i < dir->genesis.count; i++)
        if (!agent_write(dir, i, fault))
            return false;
    return true;
}
