/* A feed for tests/test_feed.py: what it tells, one JSON line each, on standard output.
 *
 *     feed_tool [--url URL]... --chain kira|dcl --chain-id ID --records FILE [--own N] [--boundary E | --everything]
 *               [--follow --until HEIGHT] [--thorough] [--trusted HEIGHT:HASH] [--poll MS] [--leave HEIGHT]
 *
 * FILE has one record a line: account and consensus address, 40 hex digits each. The charter is that of
 * make_history. --until ends it when that block has been taken, --leave destroys the feed once that height has been checked.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "node/feed.h"
#include "proto/encoding.h"

#define RECORDS_MAX 256

struct tool {
    struct feed_config config;
    const char *urls[RPC_ENDPOINTS_MAX];
    uint32_t url_count;
    struct query_record records[RECORDS_MAX];
    uint64_t until, leave;
    struct feed *feed;
    int status;
};

static void die(const char *why)
{
    fprintf(stderr, "feed_tool: %s\n", why);
    exit(1);
}

/* --- what is told --- */

static void tell_draw(void *owner, const struct feed *feed, const struct draw *d)
{
    (void)owner;
    printf("{\"type\":\"epoch\",\"epoch\":%" PRIu64 ",\"members\":%" PRId64 ",\"live\":%" PRId64
           ",\"candidates\":%u,\"used_up\":%u,\"foreign\":%" PRId64 ",\"reference\":%" PRId64
           ",\"floor\":%" PRId64 ",\"budget\":%" PRId64 ",\"complete\":%s,\"permits\":[",
           d->epoch.n, d->members, d->live, d->candidates, d->used_up, d->foreign, d->reference,
           d->floor, d->budget, d->complete ? "true" : "false");
    for (uint32_t r = 0; r < d->permits; r++) {
        char address[HEX_TEXT(ADDRESS_SIZE)];
        hex_encode(view_validator(feed_view(feed), d->order[r])->address, ADDRESS_SIZE, address);
        printf("%s\"%s\"", r > 0 ? "," : "", address);
    }
    puts("]}");
}

static int leave_loop(zloop_t *loop, int timer, void *owner)
{
    (void)loop;
    (void)timer;
    (void)owner;
    return -1;
}

static void tell_block(void *owner, const struct feed *feed, struct height height)
{
    struct tool *tool = owner;
    const struct view *view = feed_view(feed);
    if (view_head(view).n != height.n)
        die("the view's head is another block");
    printf("{\"type\":\"block\",\"height\":%" PRIu64 ",\"members\":%u}\n", height.n,
           view_pulse(view, height)->members);
    fflush(stdout);
    if (tool->until == height.n)
        zloop_timer(tool->config.loop, 0, 1, leave_loop, NULL);
}

static void tell_progress(void *owner, const struct feed_progress *progress)
{
    struct tool *tool = owner;
    if (progress->head.n < progress->first.n || progress->top.n < progress->head.n)
        die("progress out of its range");
    if (tool->leave && tool->leave == progress->head.n)
        zloop_timer(tool->config.loop, 0, 1, leave_loop, NULL);
}

static void tell_note(void *owner, const char *line)
{
    (void)owner;
    printf("{\"type\":\"note\",\"text\":\"%s\"}\n", line);
    fflush(stdout);
}

static void tell_done(void *owner, const struct fault *fault)
{
    struct tool *tool = owner;
    printf("{\"type\":\"done\",\"fault\":\"%s\",\"complete_from\":%" PRIu64 "}\n",
           fault ? fault->text : "", fault ? 0 : feed_complete_from(tool->feed).n);
    fflush(stdout);
    if (fault || !tool->config.follow)
        zloop_timer(tool->config.loop, 0, 1, leave_loop, NULL);
    if (fault) /* the owner may */
        feed_destroy(&tool->feed);
}

/* --- arguments --- */

static void read_records(struct tool *tool, const char *path)
{
    FILE *file = fopen(path, "r");
    char line[128];
    if (!file)
        die(path);
    while (fgets(line, sizeof line, file)) {
        struct query_record *record = &tool->records[tool->config.record_count++];
        if (tool->config.record_count > RECORDS_MAX || strlen(line) < 81 ||
            !hex_decode(line, 40, record->account, ACCOUNT_ADDRESS_SIZE) ||
            !hex_decode(line + 41, 40, record->consensus, ADDRESS_SIZE))
            die("a wrong record");
    }
    fclose(file);
    tool->config.records = tool->records;
}

static void read_trusted(struct tool *tool, const char *text)
{
    char *end;
    tool->config.trusted = height_at(strtoull(text, &end, 10));
    if (*end != ':' || !hex_decode(end + 1, strlen(end + 1), tool->config.trusted_hash, HASH_SIZE))
        die("--trusted: expected HEIGHT:HASH");
}

static void take(struct tool *tool, int option, char *value)
{
    struct feed_config *config = &tool->config;
    uint64_t number = value ? strtoull(value, NULL, 10) : 0;
    switch (option) {
    case 'u':
        tool->urls[tool->url_count++ % RPC_ENDPOINTS_MAX] = value;
        break;
    case 'c':
        config->chain = strcmp(value, "dcl") == 0 ? CHAIN_DCL : CHAIN_KIRA;
        break;
    case 'i':
        config->charter = charter_default(value, 2, 6000);
        break;
    case 'r':
        read_records(tool, value);
        break;
    case 'b':
        config->boundary = height_at(number);
        break;
    case 'n':
        tool->until = number;
        break;
    case 't':
        read_trusted(tool, value);
        break;
    case 'p':
        config->poll_ms = (int64_t)number;
        break;
    case 'l':
        tool->leave = number;
        break;
    case 'o':
        config->own = (uint32_t)number;
        break;
    default:
        die("an option that is none");
    }
}

static void read_arguments(struct tool *tool, int argc, char **argv)
{
    int everything = 0, follow = 0, thorough = 0;
    const struct option rows[] = {
        {"url", required_argument, NULL, 'u'},       {"chain", required_argument, NULL, 'c'},
        {"chain-id", required_argument, NULL, 'i'},  {"records", required_argument, NULL, 'r'},
        {"boundary", required_argument, NULL, 'b'},  {"until", required_argument, NULL, 'n'},
        {"trusted", required_argument, NULL, 't'},   {"poll", required_argument, NULL, 'p'},
        {"leave", required_argument, NULL, 'l'},     {"own", required_argument, NULL, 'o'},
        {"everything", no_argument, &everything, 1}, {"follow", no_argument, &follow, 1},
        {"thorough", no_argument, &thorough, 1},     {NULL, 0, NULL, 0},
    };
    int option;
    while ((option = getopt_long(argc, argv, "", rows, NULL)) != -1)
        if (option != 0)
            take(tool, option, optarg);
    tool->config.everything = everything;
    tool->config.follow = follow;
    tool->config.thorough = thorough;
    tool->config.charter.round_blocks = 60;
    tool->config.charter.reference_blocks = 120;
    charter_seal(&tool->config.charter);
}

int main(int argc, char **argv)
{
    static struct tool tool;
    struct fault fault;
    read_arguments(&tool, argc, argv);
    zsys_handler_set(NULL);
    struct feed_config *config = &tool.config;
    config->loop = zloop_new();
    const struct rpc_config rpc = {.urls = tool.urls, .url_count = tool.url_count};
    config->rpc = rpc_create(config->loop, &rpc, &fault);
    if (!config->rpc)
        die(fault.text);
    config->owner = &tool;
    config->draw = tell_draw;
    config->block = tell_block;
    config->progress = tell_progress;
    config->note = tell_note;
    config->done = tell_done;
    tool.feed = feed_create(config);
    feed_run(tool.feed);
    zloop_start(config->loop);
    feed_destroy(&tool.feed);
    rpc_destroy(&config->rpc);
    zloop_destroy(&config->loop);
    return 0;
}
