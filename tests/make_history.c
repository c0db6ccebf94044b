/* Makes up a network's history (tests/made_chain.h) for tests/history_server.py and the benchmark:
 *
 *     make_history --history FILE --trace FILE [--chain kira|dcl] [--seed N] [--blocks N] [--first N] [--validators N]
 *                  [--late N] [--busy N] [--fork HEIGHT] [--reference BLOCKS] [--unequal] [--no-epochs]
 *
 * The trace has the lines world (with the charter and every validator), block, and epoch: the draws as
 * tests/oracle.h makes them, so that what `stagger turns` prints can be compared line by line.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "proto/bech32.h"
#include "proto/encoding.h"
#include "tests/made_chain.h"
#include "tests/oracle.h"

struct options {
    const char *history, *trace;
    bool no_epochs;
    struct made_config config;
};

static void die(const char *why)
{
    fprintf(stderr, "make_history: %s\n", why);
    exit(1);
}

/* --- the trace --- */

static void print_validator(FILE *out, const struct made *made, uint32_t i)
{
    const struct made_validator *v = &made->validators[i];
    char address[HEX_TEXT(ADDRESS_SIZE)], account[BECH32_TEXT_MAX];
    const char *prefix = made->config.chain == CHAIN_KIRA ? "kira" : "cosmos";
    hex_encode(v->member.address, ADDRESS_SIZE, address);
    if (!bech32_encode(prefix, v->account, ACCOUNT_ADDRESS_SIZE, account))
        die("an address that is none");
    fprintf(out,
            "%s{\"validator\":%" PRIu32 ",\"address\":\"%s\",\"account\":\"%s\",\"moniker\":\"%s\","
            "\"in_set\":%s,\"agent\":true}",
            i > 0 ? "," : "", i, address, account, v->moniker, v->claimed ? "true" : "false");
}

static void print_world(FILE *out, const struct made *made)
{
    const struct charter *c = &made->config.charter;
    fprintf(
        out,
        "{\"type\":\"world\",\"chain\":\"%s\",\"chain_id\":\"%s\",\"charter\":{\"hash\":\"%08" PRIx32
        "\",\"min_validators\":%" PRIu64 ",\"epoch_blocks\":%" PRIu32 ",\"live_blocks\":%" PRIu32
        ",\"round_blocks\":%" PRIu32 ",\"joins_max\":%" PRIu32 ",\"reference_blocks\":%" PRIu64
        ",\"phi\":\"%" PRIu32 "/%" PRIu32
        "\",\"reserve\":null,\"order\":\"long-first\",\"ramp\":null},\"validators\":[",
        made->config.chain == CHAIN_KIRA ? "kira" : "dcl", c->chain_id, c->id, c->min_validators,
        c->epoch_blocks, c->live_blocks, c->round_blocks, c->joins_max, c->reference_blocks,
        c->phi_num, c->phi_den);
    for (uint32_t i = 0; i < made->config.validators; i++)
        print_validator(out, made, i);
    fputs("]}\n", out);
}

static void print_block(FILE *out, const struct made *made)
{
    char hash[HEX_TEXT(HASH_SIZE)];
    hex_encode(made->id.hash.bytes, HASH_SIZE, hash);
    fprintf(out,
            "{\"type\":\"block\",\"height\":%" PRIu64 ",\"hash\":\"%s\",\"set\":%" PRIu32 "}\n",
            made->height, hash, made->now.count);
}

static void print_epoch(FILE *out, const struct made *made, const struct oracle_draw *d)
{
    fprintf(out,
            "{\"type\":\"epoch\",\"epoch\":%" PRIu64 ",\"members\":%" PRId64 ",\"live\":%" PRId64
            ",\"candidates\":%" PRIu32 ",\"used_up\":%" PRIu32 ",\"foreign\":%" PRId64
            ",\"reference\":%" PRId64 ",\"floor\":%" PRId64 ",\"budget\":%" PRId64 ",\"permits\":[",
            made->height / made->config.charter.epoch_blocks, d->members, d->live, d->candidates,
            d->used_up, d->foreign, d->reference, d->floor, d->budget);
    for (uint32_t r = 0; r < d->permits; r++)
        fprintf(out, "%s%" PRIu32, r > 0 ? "," : "", d->order[r]);
    fputs("]}\n", out);
}

/* --- the oracle's view of it --- */

static uint32_t changes_of(const struct made *made, struct view_change *changes)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < made->config.validators; i++) {
        bool was = false, is = false;
        for (uint32_t k = 0; k < made->now.count; k++)
            was = was || made->now.list[k] == i;
        for (uint32_t k = 0; k < made->next.count; k++)
            is = is || made->next.list[k] == i;
        if (was != is)
            changes[count++] = (struct view_change){i, is ? made->validators[i].member.power : 0};
    }
    return count;
}

static uint32_t entries_of(const struct made *made, struct view_tx *entries)
{
    uint32_t count = 0;
    for (uint32_t t = 0; t < made->tx_count; t++)
        for (uint32_t e = 0; e < made->txs[t].entry_count; e++)
            entries[count++] = made->txs[t].entries[e];
    return count;
}

static struct oracle *oracle_of(const struct made *made)
{
    struct view_change set[MADE_VALIDATORS_MAX];
    for (uint32_t i = 0; i < made->now.count; i++)
        set[i] = (struct view_change){made->now.list[i],
                                      made->validators[made->now.list[i]].member.power};
    struct oracle *oracle = oracle_create(&made->config.charter, made->config.chain,
                                          height_at(made->config.first), set, made->now.count);
    for (uint32_t i = 0; i < made->config.validators; i++)
        oracle_enrol(oracle, i, made->validators[i].member.address);
    return oracle;
}

static void feed_oracle(struct oracle *oracle, const struct made *made, FILE *trace)
{
    struct view_change changes[MADE_VALIDATORS_MAX];
    struct view_tx entries[2 * MADE_TXS_MAX];
    uint32_t missing[MADE_VALIDATORS_MAX], missing_count = 0;
    for (uint32_t i = 0; i < made->last_commit.count; i++)
        if (made->last_commit.sigs[i].flag != COMMIT_FOR_BLOCK)
            missing[missing_count++] = made->before.list[i];
    const struct time_stamp *time = &made->header.time;
    const struct view_block block = {
        .height = height_at(made->height),
        .time = {time->seconds * 1000 + time->nanos / 1000000},
        .hash = made->id.hash.bytes,
        .missing = missing,
        .missing_count = missing_count,
        .txs = entries,
        .tx_count = entries_of(made, entries),
        .changes = changes,
        .change_count = changes_of(made, changes),
    };
    oracle_block(oracle, &block);
    if (oracle_is_drawn(oracle, block.height)) {
        struct oracle_draw draw;
        oracle_draw(oracle, block.height, &draw);
        print_epoch(trace, made, &draw);
    }
    oracle_results(oracle, entries, block.tx_count);
}

/* --- the whole --- */

static FILE *opened(const char *path)
{
    FILE *file = path ? fopen(path, "w") : NULL;
    if (!file)
        die("--history and --trace must name files that can be written");
    return file;
}

static void make(const struct options *options)
{
    FILE *history = opened(options->history), *trace = opened(options->trace);
    struct made *made = made_create(&options->config);
    struct oracle *oracle = NULL;
    print_world(trace, made);
    while (made_next(made)) {
        if (!oracle && !options->no_epochs)
            oracle = oracle_of(made);
        made_print(made, history);
        print_block(trace, made);
        if (oracle)
            feed_oracle(oracle, made, trace);
    }
    if (oracle)
        oracle_destroy(&oracle);
    made_destroy(&made);
    if (fclose(history) != 0 || fclose(trace) != 0)
        die("the files could not be written");
}

static uint64_t number(const char *text)
{
    char *end;
    uint64_t value = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end)
        die("expected a whole number");
    return value;
}

static void take(struct options *options, int option, const char *value)
{
    struct made_config *config = &options->config;
    switch (option) {
    case 'h':
        options->history = value;
        break;
    case 't':
        options->trace = value;
        break;
    case 'c':
        config->chain = strcmp(value, "dcl") == 0 ? CHAIN_DCL : CHAIN_KIRA;
        break;
    case 's':
        config->seed = number(value);
        break;
    case 'b':
        config->blocks = number(value);
        break;
    case 'i':
        config->first = number(value);
        break;
    case 'v':
        config->validators = (uint32_t)number(value);
        break;
    case 'l':
        config->late = (uint32_t)number(value);
        break;
    case 'y':
        config->busy = (uint32_t)number(value);
        break;
    case 'f':
        config->fork = number(value);
        break;
    case 'r':
        config->charter.reference_blocks = number(value);
        break;
    case 'u':
        config->unequal = true;
        break;
    case 'n':
        options->no_epochs = true;
        break;
    default:
        die("usage: make_history --history FILE --trace FILE [OPTIONS]");
    }
}

int main(int argc, char **argv)
{
    static const struct option rows[] = {
        {"history", required_argument, NULL, 'h'},    {"trace", required_argument, NULL, 't'},
        {"chain", required_argument, NULL, 'c'},      {"seed", required_argument, NULL, 's'},
        {"blocks", required_argument, NULL, 'b'},     {"first", required_argument, NULL, 'i'},
        {"validators", required_argument, NULL, 'v'}, {"late", required_argument, NULL, 'l'},
        {"busy", required_argument, NULL, 'y'},       {"fork", required_argument, NULL, 'f'},
        {"reference", required_argument, NULL, 'r'},  {"unequal", no_argument, NULL, 'u'},
        {"no-epochs", no_argument, NULL, 'n'},        {NULL, 0, NULL, 0},
    };
    struct options options = {
        .config = {.seed = 1, .blocks = 200, .first = 1, .validators = 9, .late = 2, .busy = 6}};
    options.config.charter = charter_default("made-1", 2, 6000);
    options.config.charter.round_blocks = 60;
    options.config.charter.reference_blocks = 120;
    int option;
    while ((option = getopt_long(argc, argv, "", rows, NULL)) != -1)
        take(&options, option, optarg);
    charter_seal(&options.config.charter);
    if (charter_check(&options.config.charter, true))
        die("the charter is none");
    make(&options);
    return 0;
}
