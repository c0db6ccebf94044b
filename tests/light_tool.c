/* Answers light.py: one command a line on standard input, one line out. Words are decimal numbers, hex of
 * bytes, or "-" for none.
 *
 *     header BLOCK APP CHAIN HEIGHT S NANOS ID*3 HASH*8 PROPOSER    its hash
 *     members COUNT (ADDRESS KEY POWER)*                            their hash; kept
 *     commit HEIGHT ROUND ID*3 COUNT (FLAG ADDRESS S NANOS SIG)*    its hash; kept
 *     txs COUNT BYTES*    results COUNT (CODE DATA GAS GAS)*        their hash
 *     vote CHAIN INDEX                                              the bytes signed, of the commit kept
 *     verify CHAIN ID*3 HEIGHT                                      "ok" or "no: FAULT"
 *
 * Lines come from light.py alone: what it would never write ends the tool.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/encoding.h"
#include "proto/header.h"

#define ITEMS_MAX 128

struct tool {
    char *rest;    /* of the line */
    uint8_t *pool; /* for bytes of any length */
    size_t pool_size, pool_used;
    struct member members[ITEMS_MAX];
    uint32_t member_count;
    struct commit_sig sigs[ITEMS_MAX];
    struct commit commit;
};

static void stop(const char *why)
{
    fprintf(stderr, "light_tool: %s\n", why);
    exit(1);
}

static const char *next_word(struct tool *tool)
{
    char *word = strtok_r(tool->rest, " \n", &tool->rest);
    if (!word)
        stop("a line is too short");
    return word;
}

static int64_t read_int(struct tool *tool)
{
    return strtoll(next_word(tool), NULL, 10);
}

static uint64_t read_uint(struct tool *tool)
{
    return strtoull(next_word(tool), NULL, 10);
}

static uint32_t read_count(struct tool *tool)
{
    uint64_t count = read_uint(tool);
    if (count > ITEMS_MAX)
        stop("a list is too long");
    return (uint32_t)count;
}

/* At most `room` bytes; returns how many. */
static size_t read_bytes(struct tool *tool, uint8_t *bytes, size_t room)
{
    const char *word = next_word(tool);
    size_t length = strcmp(word, "-") == 0 ? 0 : strlen(word);
    if (length / 2 > room || !hex_decode(word, length, bytes, length / 2))
        stop("no hex, or too much of it");
    return length / 2;
}

static const uint8_t *read_pooled(struct tool *tool, size_t *size)
{
    uint8_t *bytes = tool->pool + tool->pool_used;
    *size = read_bytes(tool, bytes, tool->pool_size - tool->pool_used);
    tool->pool_used += *size;
    return bytes;
}

static void read_text(struct tool *tool, char text[HEADER_CHAIN_ID_MAX])
{
    const char *word = next_word(tool);
    memset(text, 0, HEADER_CHAIN_ID_MAX);
    if (strcmp(word, "-") != 0)
        memcpy(text, word, strnlen(word, HEADER_CHAIN_ID_MAX - 1));
}

static struct hash read_hash(struct tool *tool)
{
    struct hash hash = {0};
    hash.none = read_bytes(tool, hash.bytes, HASH_SIZE) == 0;
    return hash;
}

static struct block_id read_id(struct tool *tool)
{
    struct block_id id = {0};
    id.hash = read_hash(tool);
    id.parts_total = (uint32_t)read_uint(tool);
    id.parts_hash = read_hash(tool);
    return id;
}

static struct time_stamp read_time(struct tool *tool)
{
    struct time_stamp time = {0};
    time.seconds = read_int(tool);
    time.nanos = (int32_t)read_int(tool);
    return time;
}

static void print_hex(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        printf("%02x", bytes[i]);
    putchar('\n');
}

static void do_header(struct tool *tool)
{
    struct header h = {0};
    uint8_t hash[HASH_SIZE];
    h.version_block = read_uint(tool);
    h.version_app = read_uint(tool);
    read_text(tool, h.chain_id);
    h.height = read_int(tool);
    h.time = read_time(tool);
    h.last_block_id = read_id(tool);
    h.last_commit_hash = read_hash(tool);
    h.data_hash = read_hash(tool);
    h.validators_hash = read_hash(tool);
    h.next_validators_hash = read_hash(tool);
    h.consensus_hash = read_hash(tool);
    h.app_hash_size = read_bytes(tool, h.app_hash, sizeof h.app_hash);
    h.last_results_hash = read_hash(tool);
    h.evidence_hash = read_hash(tool);
    (void)read_bytes(tool, h.proposer, ADDRESS_SIZE);
    header_hash(&h, hash);
    print_hex(hash, HASH_SIZE);
}

static void do_members(struct tool *tool)
{
    uint8_t hash[HASH_SIZE];
    tool->member_count = read_count(tool);
    for (uint32_t i = 0; i < tool->member_count; i++) {
        struct member *m = &tool->members[i];
        (void)read_bytes(tool, m->address, ADDRESS_SIZE);
        (void)read_bytes(tool, m->public_key, ED25519_KEY_SIZE);
        m->power = read_int(tool);
    }
    members_hash(tool->members, tool->member_count, hash);
    print_hex(hash, HASH_SIZE);
}

static struct commit_sig read_sig(struct tool *tool)
{
    struct commit_sig sig = {0};
    sig.flag = (enum commit_flag)read_int(tool);
    (void)read_bytes(tool, sig.address, ADDRESS_SIZE);
    sig.time = read_time(tool);
    sig.signature_size = read_bytes(tool, sig.signature, ED25519_SIGNATURE_SIZE);
    return sig;
}

static void do_commit(struct tool *tool)
{
    uint8_t hash[HASH_SIZE];
    tool->commit.height = read_int(tool);
    tool->commit.round = (int32_t)read_int(tool);
    tool->commit.block_id = read_id(tool);
    tool->commit.sigs = tool->sigs;
    tool->commit.count = read_count(tool);
    for (uint32_t i = 0; i < tool->commit.count; i++)
        tool->sigs[i] = read_sig(tool);
    commit_hash(&tool->commit, hash);
    print_hex(hash, HASH_SIZE);
}

static void do_txs(struct tool *tool)
{
    struct tx_bytes txs[ITEMS_MAX];
    uint8_t hash[HASH_SIZE];
    uint32_t count = read_count(tool);
    for (uint32_t i = 0; i < count; i++)
        txs[i].bytes = read_pooled(tool, &txs[i].size);
    data_hash(txs, count, hash);
    print_hex(hash, HASH_SIZE);
}

static void do_results(struct tool *tool)
{
    struct tx_result results[ITEMS_MAX];
    uint8_t hash[HASH_SIZE];
    uint32_t count = read_count(tool);
    for (uint32_t i = 0; i < count; i++) {
        results[i].code = (uint32_t)read_uint(tool);
        results[i].data = read_pooled(tool, &results[i].data_size);
        results[i].gas_wanted = read_int(tool);
        results[i].gas_used = read_int(tool);
    }
    results_hash(results, count, hash);
    print_hex(hash, HASH_SIZE);
}

static void do_vote(struct tool *tool)
{
    char chain_id[HEADER_CHAIN_ID_MAX];
    uint8_t bytes[COMMIT_VOTE_MAX];
    read_text(tool, chain_id);
    print_hex(bytes, commit_vote_bytes(&tool->commit, chain_id, read_count(tool), bytes));
}

static void do_verify(struct tool *tool)
{
    char chain_id[HEADER_CHAIN_ID_MAX];
    struct fault fault;
    read_text(tool, chain_id);
    struct block_id id = read_id(tool);
    if (commit_verify(&tool->commit, chain_id, &id, read_int(tool), tool->members,
                      tool->member_count, &fault))
        puts("ok");
    else
        printf("no: %s\n", fault.text);
}

static const struct {
    const char *name;
    void (*run)(struct tool *tool);
} commands[] = {
    {"header", do_header},   {"members", do_members}, {"commit", do_commit}, {"txs", do_txs},
    {"results", do_results}, {"vote", do_vote},       {"verify", do_verify},
};

static void answer(struct tool *tool)
{
    const char *name = next_word(tool);
    tool->pool_used = 0;
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (strcmp(name, commands[i].name) == 0) {
            commands[i].run(tool);
            return;
        }
    stop("an unknown command");
}

int main(void)
{
    static struct tool tool;
    char *line = NULL;
    size_t room = 0;
    while (getline(&line, &room, stdin) > 0) {
        if (tool.pool_size < room) {
            free(tool.pool);
            tool.pool = malloc(room);
            tool.pool_size = tool.pool ? room : 0;
        }
        tool.rest = line;
        answer(&tool);
    }
    free(tool.pool);
    free(line);
    return 0;
}
