/* What it costs to read a large set: 1,000 validators in ten pages and the commit that they signed, beside the
 * JSON library alone, and the same number of bytes over HTTP.
 *
 *     build/release/tests/bench/rpc [--rounds N]
 *
 * Processor time of this process (the median of N rounds, 21); the server is a process of its own.
 *
 * Exit status: 0, 1 for a bad argument, 2 when a limit below was missed. */
#include <assert.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "node/reply.h"
#include "node/rpc.h"
#include "proto/encoding.h"
#include "tests/rpc_process.h"

#define MEMBERS 1000
#define PAGE 100
#define PAGES (MEMBERS / PAGE)
#define TEXT_MAX 1048576
#define ROUNDS_MAX 1001
#define ALL_MOST_MS 50.0 /* reading and transport together */

struct text {
    char *bytes;
    size_t size;
};

struct work {
    struct text pages[PAGES], commit;
    size_t bytes;
    struct rpc_process server;
    zloop_t *loop;
    struct rpc *rpc;
    uint32_t left;
    bool done;
};

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

/* --- texts as a node writes them --- */

__attribute__((format(printf, 2, 3))) static void print(struct text *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    text->size +=
        (size_t)vsnprintf(text->bytes + text->size, TEXT_MAX - text->size, format, arguments);
    va_end(arguments);
    assert(text->size < TEXT_MAX);
}

static void make_key(uint32_t i, uint8_t key[ED25519_KEY_SIZE],
                     char address[HEX_TEXT(ADDRESS_SIZE)])
{
    uint8_t bytes[ADDRESS_SIZE];
    for (uint32_t at = 0; at < ED25519_KEY_SIZE; at++)
        key[at] = (uint8_t)(i * 2654435761u >> (at % 4 * 8)) ^ (uint8_t)at;
    member_address(key, bytes);
    hex_encode_upper(bytes, sizeof bytes, address);
}

static void begin(struct text *text)
{
    text->bytes = malloc(TEXT_MAX);
    assert(text->bytes != NULL);
    print(text, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{");
}

static void write_page(struct text *text, uint32_t page)
{
    begin(text);
    print(text, "\"block_height\":\"1234567\",\"validators\":[");
    for (uint32_t i = page * PAGE; i < (page + 1) * PAGE; i++) {
        uint8_t key[ED25519_KEY_SIZE];
        char address[HEX_TEXT(ADDRESS_SIZE)], base64[BASE64_TEXT(ED25519_KEY_SIZE)];
        make_key(i, key, address);
        base64_encode(key, sizeof key, base64);
        print(text,
              "%s{\"address\":\"%s\",\"pub_key\":{\"type\":\"tendermint/PubKeyEd25519\",\"value\":"
              "\"%s\"},\"voting_power\":\"10\",\"proposer_priority\":\"-1234567\"}",
              i % PAGE == 0 ? "" : ",", address, base64);
    }
    print(text, "],\"count\":\"%d\",\"total\":\"%d\"}}", PAGE, MEMBERS);
}

static void write_header(struct text *text)
{
    static const char hash[] = "02786BB5EFF9F7BEF12D2C4B23634BAD1AD8D8A9026C841103B79225DA7A8DCD";
    static const char *const names[] = {"last_commit_hash",     "data_hash",      "validators_hash",
                                        "next_validators_hash", "consensus_hash", "app_hash",
                                        "last_results_hash",    "evidence_hash"};
    print(
        text,
        "\"header\":{\"version\":{\"block\":\"11\"},\"chain_id\":\"bench\",\"height\":\"1234567\","
        "\"time\":\"2026-11-21T16:28:02.138024347Z\",\"last_block_id\":{\"hash\":\"%s\",\"parts\":"
        "{\"total\":1,\"hash\":\"%s\"}},",
        hash, hash);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        print(text, "\"%s\":\"%s\",", names[i], hash);
    print(text, "\"proposer_address\":\"%.40s\"},\"commit\":{\"height\":\"1234567\",\"round\":0,",
          hash);
    print(text, "\"block_id\":{\"hash\":\"%s\",\"parts\":{\"total\":1,\"hash\":\"%s\"}},", hash,
          hash);
}

static void write_commit(struct text *text)
{
    begin(text);
    print(text, "\"signed_header\":{");
    write_header(text);
    print(text, "\"signatures\":[");
    for (uint32_t i = 0; i < MEMBERS; i++) {
        uint8_t bytes[ED25519_SIGNATURE_SIZE];
        char address[HEX_TEXT(ADDRESS_SIZE)], base64[BASE64_TEXT(ED25519_SIGNATURE_SIZE)];
        make_key(i, bytes, address);
        make_key(i + MEMBERS, bytes + ED25519_KEY_SIZE, address);
        base64_encode(bytes, sizeof bytes, base64);
        print(text,
              "%s{\"block_id_flag\":2,\"validator_address\":\"%s\",\"timestamp\":"
              "\"2026-11-21T16:28:02.%09" PRIu32 "Z\",\"signature\":\"%s\"}",
              i == 0 ? "" : ",", address, i, base64);
    }
    print(text, "]}},\"canonical\":true}}");
}

/* --- what is measured --- */

static json_t *parse(const struct text *text, struct rpc_envelope *envelope)
{
    struct fault fault;
    json_t *tree = rpc_parse(text->bytes, text->size, &fault);
    bool good = tree != NULL && rpc_envelope(tree, 1, envelope, &fault);
    assert(good);
    return tree;
}

static void read_all(struct work *work)
{
    struct rpc_envelope envelope;
    struct fault fault;
    for (uint32_t i = 0; i < PAGES; i++) {
        struct reply_validators page;
        json_t *tree = parse(&work->pages[i], &envelope);
        bool good = reply_validators(envelope.result, &page, &fault);
        assert(good && page.count == PAGE);
        reply_validators_destroy(&page);
        json_decref(tree);
    }
    struct reply_commit commit;
    json_t *tree = parse(&work->commit, &envelope);
    bool good = reply_commit(envelope.result, &commit, &fault);
    assert(good && commit.commit.count == MEMBERS);
    reply_commit_destroy(&commit);
    json_decref(tree);
}

static void parse_only(struct work *work)
{
    for (uint32_t i = 0; i <= PAGES; i++) {
        const struct text *text = i < PAGES ? &work->pages[i] : &work->commit;
        json_t *tree = json_loadb(text->bytes, text->size, 0, NULL);
        assert(tree != NULL);
        json_decref(tree);
    }
}

static void on_answer(void *owner, const struct rpc_answer *answer)
{
    struct work *work = owner;
    assert(answer->outcome == RPC_OK);
    work->done = --work->left == 0;
}

/* As many bytes in as many replies, which hold one text each. */
static void transport(struct work *work)
{
    work->done = false;
    for (work->left = 0; work->left <= PAGES; work->left++) {
        const struct text *text = work->left < PAGES ? &work->pages[work->left] : &work->commit;
        (void)rpc_call(work->rpc, "huge", json_pack("{s:I}", "size", (json_int_t)text->size),
                       RPC_ANY, on_answer, work);
    }
    bool all = rpc_wait(work->rpc, &work->done);
    assert(all);
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double measure(const char *what, void (*run)(struct work *), struct work *work,
                      uint32_t rounds)
{
    double *times = malloc(rounds * sizeof *times);
    assert(times != NULL);
    run(work); /* once to warm up */
    for (uint32_t i = 0; i < rounds; i++) {
        double start = now_ms();
        run(work);
        times[i] = now_ms() - start;
    }
    qsort(times, rounds, sizeof *times, by_size);
    double median = times[rounds / 2];
    free(times);
    printf("%-44s %8.2f ms %8.1f MB/s\n", what, median, (double)work->bytes / median / 1e3);
    return median;
}

static void set_up(struct work *work)
{
    struct fault fault;
    *work = (struct work){0};
    for (uint32_t i = 0; i < PAGES; i++) {
        write_page(&work->pages[i], i);
        work->bytes += work->pages[i].size;
    }
    write_commit(&work->commit);
    work->bytes += work->commit.size;
    rpc_process_start(&work->server, 1, false);
    const char *url = work->server.urls[0];
    work->loop = zloop_new();
    work->rpc = rpc_create(work->loop, &(struct rpc_config){.urls = &url, .url_count = 1}, &fault);
    assert(work->rpc != NULL);
}

static void clear(struct work *work)
{
    rpc_destroy(&work->rpc);
    zloop_destroy(&work->loop);
    rpc_process_stop(&work->server);
    for (uint32_t i = 0; i < PAGES; i++)
        free(work->pages[i].bytes);
    free(work->commit.bytes);
}

int main(int argc, char *argv[])
{
    static const struct option options[] = {{"rounds", required_argument, NULL, 'r'}, {0}};
    unsigned long rounds = 21;
    for (int flag; (flag = getopt_long(argc, argv, "", options, NULL)) != -1;)
        rounds = flag == 'r' ? strtoul(optarg, NULL, 10) : 0;
    if (rounds < 1 || rounds > ROUNDS_MAX || optind != argc) {
        fprintf(stderr, "usage: rpc [--rounds 1...%d]\n", ROUNDS_MAX);
        return 1;
    }
    struct work work;
    zsys_handler_set(NULL);
    set_up(&work);
    printf("%d validators in %d pages, a commit of as many: %zu bytes\n", MEMBERS, PAGES,
           work.bytes);
    (void)measure("JSON library alone", parse_only, &work, (uint32_t)rounds);
    double reading = measure("limits, JSON, envelope, reading", read_all, &work, (uint32_t)rounds);
    double moving = measure("over HTTP, loopback", transport, &work, (uint32_t)rounds);
    printf("%-44s %8.2f ms, at most %.0f\n", "together", reading + moving, ALL_MOST_MS);
    clear(&work);
    return reading + moving > ALL_MOST_MS ? 2 : 0;
}
