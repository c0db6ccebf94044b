/* A feed for tests/test_feed.py: what it tells, one JSON line each, on standard output.
 *
 *     feed_tool [--url URL]... --chain kira|dcl --chain-id ID --records FILE [--own N] [--boundary E | --everything]
 *               [--follow --until HEIGHT] [--thorough] [--trusted HEIGHT:HASH] [--poll MS] [--leave HEIGHT]
 *               [--journal DIR [--compare] [--die taken|resulted|block:HEIGHT]] [--refresh HEIGHT:FILE] [--hashes]
 *               [--pace HEIGHT:MS] [--stamp] [--memory] [--own-node] [--begun]
 *
 * FILE has one record a line: account and consensus address, 40 hex digits each. The charter is that of
 * make_history. --until ends it when that block has been taken, --leave destroys the feed once that height has been checked.
 *
 * --journal writes what the feed gives the view into a journal and goes on from what it finds there; --compare reads
 * the journal's view back at every block and compares it with the feed's; --die makes the journal durable and
 * ends the process at once, behind what was told of HEIGHT. --refresh gives these records at that block, --pace another
 * pace. --hashes asks for the hashes of the last 100 heights, --stamp tells when a block came, in ns of the day's
 * clock, --memory what is resident, --own-node what one's own node shows, --begun where the view begins.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "node/feed.h"
#include "node/journal.h"
#include "proto/encoding.h"
#include "tests/view_same.h"

#define RECORDS_MAX 2048

struct tool {
    struct feed_config config;
    const char *urls[RPC_ENDPOINTS_MAX];
    uint32_t url_count;
    struct query_record records[RECORDS_MAX];
    uint64_t until, leave, die_at, refresh_at, pace_at, pace_ms;
    const char *die_in, *refresh_with, *journal_dir;
    int compare, stamp, memory, hashes, own_node, begun;
    struct journal *journal;
    uint64_t given; /* the last block that was told */
    struct feed *feed;
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

/* --- the journal --- */

static void die_in(struct tool *tool, const char *where, uint64_t height)
{
    struct fault fault;
    if (!tool->die_in || strcmp(tool->die_in, where) != 0 || tool->die_at != height)
        return;
    if (!journal_sync(tool->journal, &fault))
        die(fault.text);
    fflush(stdout);
    _exit(9);
}

static void keep_begin(void *owner, const struct view_config *config, const struct view *view,
                       struct height chain_first, struct height first,
                       const struct view_change *set, uint32_t count)
{
    struct tool *tool = owner;
    if (tool->journal)
        journal_append_begin(tool->journal, config, view, chain_first, first, set, count);
    if (tool->begun)
        printf("{\"type\":\"begun\",\"first\":%" PRIu64 "}\n", first.n);
}

static void keep_block(void *owner, const struct view *view, const struct view_block *block)
{
    struct tool *tool = owner;
    if (tool->journal)
        journal_append_block(tool->journal, view, block);
    tool->given = block->height.n;
    die_in(tool, "taken", block->height.n);
}

static void keep_results(void *owner, const struct view *view, const struct view_tx *txs,
                         uint32_t count)
{
    struct tool *tool = owner;
    if (tool->journal)
        journal_append_results(tool->journal, view, txs, count);
    die_in(tool, "resulted", tool->given);
}

static void compare(struct tool *tool, const struct view *view)
{
    const struct view_config config =
        feed_view_config(tool->config.chain, tool->config.empty_blocks, &tool->config.charter);
    struct fault fault;
    struct view *copy = journal_view(tool->journal, &config, &fault);
    if (!copy)
        die(fault.text);
    const char *other = view_difference(view, copy);
    if (other)
        printf("{\"type\":\"differs\",\"height\":%" PRIu64 ",\"where\":\"%s\"}\n",
               view_head(view).n, other);
    view_destroy(&copy);
}

/* --- what is told, once more --- */

static void tell_own(void *owner, const struct feed *feed)
{
    const struct feed_own *own = feed_own(feed);
    const struct tool *tool = owner;
    if (!tool->own_node)
        return;
    printf("{\"type\":\"own\",\"answers\":%s,\"conflict\":%s,\"latest\":%" PRIu64
           ",\"head\":%" PRIu64 "}\n",
           own->answers ? "true" : "false", own->conflict ? "true" : "false", own->latest.n,
           feed_head(feed).n);
    fflush(stdout);
}

static void tell_hashes(const struct feed *feed, struct height height)
{
    printf("{\"type\":\"hashes\",\"height\":%" PRIu64 ",\"known\":{", height.n);
    for (uint64_t back = 0; back < 100 && back < height.n; back++) {
        uint8_t hash[HASH_SIZE];
        char text[HEX_TEXT(HASH_SIZE)] = "";
        if (feed_hash_at(feed, height_before(height, back), hash))
            hex_encode_upper(hash, HASH_SIZE, text);
        printf("%s\"%" PRIu64 "\":\"%s\"", back > 0 ? "," : "", height.n - back, text);
    }
    puts("}}");
}

static void tell_memory(uint64_t height)
{
    char line[128];
    FILE *file = fopen("/proc/self/status", "r");
    long kb = 0, own_kb = 0;
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, "VmRSS:", 6) == 0)
            kb = strtol(line + 6, NULL, 10);
        else if (strncmp(line, "RssAnon:", 8) == 0)
            own_kb = strtol(line + 8, NULL, 10);
    if (file)
        fclose(file);
    printf("{\"type\":\"memory\",\"height\":%" PRIu64 ",\"kb\":%ld,\"own_kb\":%ld}\n", height, kb,
           own_kb);
}

static void read_records(struct tool *tool, const char *path);

static void change(struct tool *tool, uint64_t height)
{
    if (tool->refresh_at == height) {
        tool->config.record_count = 0;
        read_records(tool, tool->refresh_with);
        feed_records(tool->feed, tool->config.records, tool->config.record_count);
    }
    if (tool->pace_at == height)
        feed_pace(tool->feed, (int64_t)tool->pace_ms);
}

static void tell_block(void *owner, const struct feed *feed, struct height height)
{
    struct tool *tool = owner;
    const struct view *view = feed_view(feed);
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (view_head(view).n != height.n)
        die("the view's head is another block");
    printf("{\"type\":\"block\",\"height\":%" PRIu64 ",\"members\":%u", height.n,
           view_pulse(view, height)->members);
    if (tool->stamp)
        printf(",\"ns\":%lld", (long long)now.tv_sec * 1000000000LL + now.tv_nsec);
    puts("}");
    if (tool->memory && height.n % 50 == 0)
        tell_memory(height.n);
    if (tool->hashes)
        tell_hashes(feed, height);
    if (tool->compare)
        compare(tool, view);
    change(tool, height.n);
    fflush(stdout);
    die_in(tool, "block", height.n);
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

/* Texts are printable. */
static void print_text(const char *name, const char *text)
{
    printf(",\"%s\":\"", name);
    for (const char *c = text; *c; c++)
        printf(*c == '"' || *c == '\\' ? "\\%c" : "%c", *c);
    putchar('"');
}

static void tell_note(void *owner, const char *line)
{
    (void)owner;
    printf("{\"type\":\"note\"");
    print_text("text", line);
    puts("}");
    fflush(stdout);
}

static void tell_done(void *owner, const struct fault *fault)
{
    struct tool *tool = owner;
    static const char *const ends[] = {"reads", "read", "failed", "gap", "fork"};
    printf("{\"type\":\"done\"");
    print_text("fault", fault ? fault->text : "");
    printf(",\"complete_from\":%" PRIu64 ",\"end\":\"%s\"}\n",
           fault ? 0 : feed_complete_from(tool->feed).n, ends[feed_ended(tool->feed)]);
    if (tool->memory)
        tell_memory(0);
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

/* HEIGHT:TEXT, or with the height behind. */
static char *part(char *text, uint64_t *height, bool height_first)
{
    char *colon = strchr(text, ':');
    if (!colon)
        die("an option that wants HEIGHT and more");
    *colon = '\0';
    *height = strtoull(height_first ? text : colon + 1, NULL, 10);
    return height_first ? colon + 1 : text;
}

static void take_more(struct tool *tool, int option, char *value)
{
    switch (option) {
    case 'j':
        tool->journal_dir = value;
        break;
    case 'd':
        tool->die_in = part(value, &tool->die_at, false);
        break;
    case 'f':
        tool->refresh_with = part(value, &tool->refresh_at, true);
        break;
    case 'a':
        tool->pace_ms = strtoull(part(value, &tool->pace_at, true), NULL, 10);
        break;
    default:
        die("an option that is none");
    }
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
        take_more(tool, option, value);
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
        {"thorough", no_argument, &thorough, 1},     {"journal", required_argument, NULL, 'j'},
        {"die", required_argument, NULL, 'd'},       {"refresh", required_argument, NULL, 'f'},
        {"pace", required_argument, NULL, 'a'},      {"compare", no_argument, &tool->compare, 1},
        {"stamp", no_argument, &tool->stamp, 1},     {"memory", no_argument, &tool->memory, 1},
        {"hashes", no_argument, &tool->hashes, 1},   {"own-node", no_argument, &tool->own_node, 1},
        {"begun", no_argument, &tool->begun, 1},     {NULL, 0, NULL, 0},
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

static void open_journal(struct tool *tool)
{
    struct feed_config *config = &tool->config;
    const struct view_config made =
        feed_view_config(config->chain, config->empty_blocks, &config->charter);
    struct journal_found found;
    struct fault fault;
    if (!tool->journal_dir)
        return;
    if (!journal_open(tool->journal_dir, "feed_tool", (struct instant){0}, &tool->journal, &found,
                      &fault))
        die(fault.text);
    if (!found.history)
        return;
    config->kept = journal_view(tool->journal, &made, &fault);
    config->kept_results_due = journal_results_due(tool->journal);
    if (!config->kept)
        die(fault.text);
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
    config->begun = keep_begin;
    config->taken = keep_block;
    config->resulted = keep_results;
    config->own_changed = tell_own;
    open_journal(&tool);
    tool.feed = feed_create(config);
    feed_run(tool.feed);
    zloop_start(config->loop);
    feed_destroy(&tool.feed);
    journal_close(&tool.journal);
    rpc_destroy(&config->rpc);
    zloop_destroy(&config->loop);
    return 0;
}
