/* `stagger turns`: whose turn it is, computed from a node's blocks as any onlooker can. */
#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "node/command_control.h"
#include "node/commands.h"
#include "node/feed.h"
#include "node/options.h"
#include "node/session.h"
#include "node/turns.h"
#include "proto/input.h"

#define THOROUGH_BELOW 1000 /* blocks: so few are checked in every detail without being asked */
#define EPOCH_MAX UINT64_C(999999999999999) /* their blocks are numbers of 64 bits, whatever W is */
#define PROGRESS_MS 500                     /* on a terminal */
#define PROGRESS_SLOW_MS 5000               /* elsewhere */

/* --- options --- */

enum option {
    OPTION_EPOCH,
    OPTION_ALL,
    OPTION_JSON,
    OPTION_CHARTER,
    OPTION_VERIFY,
    OPTION_QUICK,
    OPTION_AGENT,
};

static const struct option_row own_options[] = {
    [OPTION_EPOCH] = {"epoch", "E", "the epoch behind block E * W; by default the latest", false},
    [OPTION_ALL] = {"all", NULL, "every epoch that the nodes have the blocks for", false},
    [OPTION_JSON] = {"json", NULL, "print JSON instead of tables", false},
    [OPTION_CHARTER] = {"charter", "HEX8",
                        "count the joins that name this charter, instead of the hash of the one "
                        "that the settings make",
                        false},
    [OPTION_VERIFY] = {"verify", NULL,
                       "verify every set, result and commit, also where more than 1000 blocks are "
                       "read",
                       false},
    [OPTION_QUICK] = {"quick", NULL, "read no more than the draw needs, also where that is little",
                      false},
    [OPTION_AGENT] =
        {"agent", NULL,
         "ask the running agent instead: its line, its own place, and when its turn is "
         "to be expected",
         false},
};

static const enum setting settings_used[] = {
    SETTING_CHAIN_KIND,
    SETTING_CHAIN_ID,
    SETTING_CHAIN_NODE,
    SETTING_CHAIN_OTHERS,
    SETTING_CHAIN_CA_FILE,
    SETTING_CHAIN_PREFIX,
    SETTING_CHAIN_TIMEOUT,
    SETTING_CHAIN_IN_FLIGHT,
    SETTING_CHARTER_MIN_VALIDATORS,
    SETTING_CHARTER_EPOCH_BLOCKS,
    SETTING_CHARTER_LIVE_BLOCKS,
    SETTING_CHARTER_ROUND_BLOCKS,
    SETTING_CHARTER_JOINS_MAX,
    SETTING_CHARTER_REFERENCE_BLOCKS,
    SETTING_CHARTER_PHI,
    SETTING_CHARTER_RESERVE,
    SETTING_CHARTER_ORDER,
    SETTING_CHARTER_RAMP,
    SETTING_CHARTER_SETTLE_BLOCKS,
    SETTING_CHARTER_BLOCK_TIME,
    SETTING_AGENT_DIR,
    SETTING_AGENT_CONTROL,
};

struct wishes {
    bool has_epoch, all, json, has_charter, verify, quick, agent;
    uint64_t epoch;
    uint32_t charter;
};

static bool take_epoch(const char *value, uint64_t *epoch, struct fault *fault)
{
    char quoted[INPUT_QUOTE_MAX];
    if (input_whole(value, epoch) && *epoch >= 1 && *epoch <= EPOCH_MAX)
        return true;
    return fault_set(fault, "\"%s\" is not accepted; expected a whole number from 1 to %" PRIu64,
                     input_quote(value, quoted), EPOCH_MAX);
}

static bool take_charter(const char *value, uint32_t *charter, struct fault *fault)
{
    if (strlen(value) != 8 || strspn(value, "0123456789abcdef") != 8)
        return fault_set(fault, "\"%s\": expected 8 hex digits in lower case, as in a join's memo",
                         value);
    *charter = (uint32_t)strtoul(value, NULL, 16);
    return true;
}

static bool take_option(void *owner, uint32_t option, const char *value, struct fault *fault)
{
    struct wishes *wishes = owner;
    switch ((enum option)option) {
    case OPTION_EPOCH:
        wishes->has_epoch = true;
        return take_epoch(value, &wishes->epoch, fault);
    case OPTION_CHARTER:
        wishes->has_charter = true;
        return take_charter(value, &wishes->charter, fault);
    case OPTION_ALL:
        wishes->all = true;
        break;
    case OPTION_JSON:
        wishes->json = true;
        break;
    case OPTION_VERIFY:
        wishes->verify = true;
        break;
    case OPTION_QUICK:
        wishes->quick = true;
        break;
    case OPTION_AGENT:
        wishes->agent = true;
        break;
    }
    return true;
}

static const struct options_spec spec = {
    .command = "turns",
    .about =
        "Computes the draw from a node's blocks: who stands in line, who holds a permit, why the\n"
        "budget is what it is, and who is out. Everything that a hash or signature covers is\n"
        "verified; what does not hold is named, with the endpoint that said it.",
    .settings = settings_used,
    .setting_count = sizeof settings_used / sizeof *settings_used,
    .own = own_options,
    .own_count = sizeof own_options / sizeof *own_options,
    .take = take_option,
};

/* --- one run --- */

struct run {
    const struct wishes *wishes;
    struct session *session;
    zloop_t *loop;
    struct charter charter;
    const char *prefix;
    struct feed *feed;
    bool ended, failed;
    struct fault fault;
    uint32_t *numbers; /* by validator of the view; with the first draw */
    FILE *lines;       /* of --all: what is printed once everything has been verified */
    char *text;
    size_t text_size;
    struct turns *latest; /* the draw that was asked for, or the latest */
    int64_t told_ms;      /* when progress was last shown */
    bool told;
};

static int leave_loop(zloop_t *loop, int timer, void *owner)
{
    (void)loop;
    (void)timer;
    (void)owner;
    return -1;
}

static void take_end(void *owner, const struct fault *fault)
{
    struct run *run = owner;
    run->ended = true;
    run->failed = fault != NULL;
    if (fault)
        run->fault = *fault;
    zloop_timer(run->loop, 0, 1, leave_loop, NULL);
}

static void clear_progress(struct run *run)
{
    if (run->told && isatty(STDERR_FILENO))
        fputs("\r\033[K", stderr);
    run->told = false;
}

static void note_unusual(void *owner, const char *line)
{
    clear_progress(owner);
    options_say(spec.command, "note: %s", line);
}

static void show_progress(void *owner, const struct feed_progress *progress)
{
    struct run *run = owner;
    bool terminal = isatty(STDERR_FILENO);
    int64_t now = zclock_mono();
    if (run->told_ms == 0)
        run->told_ms = now;
    if (now - run->told_ms < (terminal ? PROGRESS_MS : PROGRESS_SLOW_MS))
        return;
    uint64_t done = progress->head.n - progress->first.n + 1;
    uint64_t all = progress->top.n - progress->first.n + 1;
    fprintf(stderr,
            "%sstagger turns: block %" PRIu64 ", %" PRIu64 " of %" PRIu64 " (%" PRIu64 "%%)%s",
            terminal ? "\r" : "", progress->head.n, done, all, done * 100 / all,
            terminal ? "\033[K" : "\n");
    fflush(stderr);
    run->told_ms = now;
    run->told = true;
}

static void print_json(json_t *value, FILE *out)
{
    json_dumpf(value, out, JSON_COMPACT | JSON_PRESERVE_ORDER);
    fputc('\n', out);
    json_decref(value);
}

static void keep_draw(void *owner, const struct feed *feed, const struct draw *draw)
{
    struct run *run = owner;
    const struct wishes *wishes = run->wishes;
    if (!run->numbers)
        run->numbers = turns_numbers(feed);
    if (wishes->all && wishes->json)
        print_json(turns_epoch_json(draw, run->numbers), run->lines);
    else if (wishes->all)
        turns_print_short(draw, run->lines);
    else if (!wishes->has_epoch || draw->epoch.n == wishes->epoch) {
        turns_destroy(&run->latest);
        run->latest = turns_collect(feed, draw, run->numbers, run->prefix);
    }
}

/* --- printing --- */

static void print_all(struct run *run)
{
    fclose(run->lines);
    run->lines = NULL;
    if (run->wishes->json)
        print_json(turns_world_json(run->feed, run->numbers, run->prefix), stdout);
    else
        turns_print_short(NULL, stdout);
    fwrite(run->text, 1, run->text_size, stdout);
}

static void note_incomplete(const struct run *run)
{
    struct height from = feed_complete_from(run->feed);
    if (view_complete(feed_view(run->feed), feed_first(run->feed, NULL)))
        return;
    options_say(spec.command,
                "note: the nodes have blocks from %" PRIu64
                " on; draws are complete from epoch %" PRIu64 " (block %" PRIu64 ") on",
                feed_first(run->feed, NULL).n, from.n / run->charter.epoch_blocks, from.n);
}

static void note_short_reference(const struct run *run)
{
    const struct view *view = feed_view(run->feed);
    int64_t block_ms = view_block_ms(view, view_head(view));
    if (block_ms > 0 && charter_reference_is_short(&run->charter, block_ms))
        options_say(spec.command,
                    "note: blocks come every %" PRId64 " ms, so reference_blocks %" PRIu64
                    " spans less than 12 hours",
                    block_ms, run->charter.reference_blocks);
}

static enum command_status print_result(struct run *run)
{
    if (!run->numbers || (!run->wishes->all && !run->latest)) {
        uint64_t first = feed_first(run->feed, NULL).n, width = run->charter.epoch_blocks;
        options_say(spec.command,
                    "no draw is made: the first is at block %" PRIu64
                    ", the first boundary at least %u blocks behind block %" PRIu64
                    ", where the nodes' blocks begin",
                    (first + run->charter.live_blocks + width - 1) / width * width,
                    run->charter.live_blocks, first);
        return COMMAND_NO_NETWORK;
    }
    note_short_reference(run);
    if (run->wishes->all) {
        note_incomplete(run);
        print_all(run);
    } else if (run->wishes->json) {
        print_json(turns_json(run->latest), stdout);
    } else {
        turns_print(run->latest, stdout);
    }
    if (fflush(stdout) == 0 && !ferror(stdout))
        return COMMAND_DONE;
    options_say(spec.command, "standard output could not be written");
    return COMMAND_USAGE;
}

/* --- from the settings to the feed --- */

static bool read_charter(struct run *run, const struct settings *settings, struct fault *fault)
{
    const struct chain_facts *facts = session_facts(run->session);
    uint64_t least = facts->properties_at.known ? facts->properties.min_validators : 1;
    if (!settings_charter(settings, facts->status.chain_id, least > 0 ? least : 1, &run->charter,
                          fault))
        return false;
    if (run->wishes->has_charter)
        run->charter.id = run->wishes->charter;
    return true;
}

/* A draw with another min_validators than the chain's is another draw; but where the floor is far above it, as it
 * mostly is, the difference does not show, so an onlooker gets it with a note. */
static void ask_least(struct run *run, const struct settings *settings)
{
    struct fault fault;
    if (settings_chain_kind(settings) != CHAIN_KIRA ||
        settings_given(settings, SETTING_CHARTER_MIN_VALIDATORS))
        return;
    if (!session_ask(run->session, CHAIN_PROPERTIES, NULL, &fault))
        options_say(spec.command,
                    "note: min_validators is taken for 1, since the network properties cannot be "
                    "read (%s); --min-validators gives another",
                    fault.text);
}

static bool ask_chain(struct run *run, const struct settings *settings, struct fault *fault)
{
    if (!session_ask(run->session, CHAIN_STATUS | CHAIN_RECORDS, NULL, fault))
        return false;
    ask_least(run, settings);
    return true;
}

/* One's own node, unless the comparison says that it is not to be used; that has been told then. */
static uint32_t own_endpoint(const struct chain_comparison *comparison)
{
    bool well = comparison->count == 0 || comparison->witnesses[0].verdict == CHAIN_WELL;
    return well || comparison->best == RPC_ANY ? 0 : comparison->best;
}

static struct feed *make_feed(struct run *run)
{
    struct chain *chain = session_chain(run->session);
    const struct chain_facts *facts = session_facts(run->session);
    const struct chain_driver *driver = chain_driver_of(chain);
    const struct wishes *wishes = run->wishes;
    const struct feed_config config = {
        .loop = run->loop,
        .rpc = chain_rpc(chain),
        .own = own_endpoint(chain_comparison(chain)),
        .chain = driver->kind,
        .empty_blocks = driver->empty_blocks,
        .charter = run->charter,
        .records = facts->records,
        .record_count = facts->record_count,
        .everything = wishes->all,
        .boundary = height_at(wishes->has_epoch ? wishes->epoch * run->charter.epoch_blocks : 0),
        .thorough = wishes->verify,
        .thorough_below = wishes->quick ? 0 : THOROUGH_BELOW,
        .owner = run,
        .progress = show_progress,
        .note = note_unusual,
        .draw = keep_draw,
        .done = take_end,
    };
    return feed_create(&config);
}

static enum command_status run_feed(struct run *run)
{
    run->lines = open_memstream(&run->text, &run->text_size);
    run->feed = make_feed(run);
    if (!run->feed || !run->lines) {
        options_say(spec.command, "memory is short");
        return COMMAND_USAGE;
    }
    feed_run(run->feed);
    while (!run->ended)
        zloop_start(run->loop);
    clear_progress(run);
    if (!run->failed)
        return print_result(run);
    options_say(spec.command, "%s", run->fault.text);
    return COMMAND_NO_NETWORK;
}

static enum command_status run_turns(struct run *run, const struct settings *settings)
{
    struct fault fault;
    run->session = session_open(spec.command, settings, &fault);
    if (!run->session) {
        options_say(spec.command, "%s", fault.text);
        return COMMAND_USAGE;
    }
    run->loop = session_loop(run->session);
    run->prefix = chain_prefix(session_chain(run->session));
    enum command_status status = COMMAND_NO_NETWORK;
    if (!ask_chain(run, settings, &fault))
        options_say(spec.command, "%s", fault.text);
    else if (!read_charter(run, settings, &fault)) {
        options_say(spec.command, "%s", fault.text);
        status = COMMAND_USAGE;
    } else
        status = run_feed(run);
    turns_destroy(&run->latest);
    free(run->numbers);
    if (run->lines)
        fclose(run->lines);
    free(run->text);
    feed_destroy(&run->feed);
    session_close(&run->session);
    return status;
}

int command_turns(int argc, char **argv)
{
    struct wishes wishes = {.all = false};
    struct settings *settings;
    enum options_outcome outcome = options_parse(&spec, &wishes, argc, argv, &settings);
    if (outcome != OPTIONS_GO)
        return outcome == OPTIONS_HELP ? COMMAND_DONE : COMMAND_USAGE;
    enum command_status status = COMMAND_USAGE;
    struct run run = {.wishes = &wishes};
    if (wishes.all && wishes.has_epoch)
        options_say(spec.command, "--all and --epoch exclude each other");
    else if (wishes.verify && wishes.quick)
        options_say(spec.command, "--verify and --quick exclude each other");
    else if (wishes.agent && (wishes.all || wishes.has_epoch || wishes.has_charter))
        options_say(spec.command, "--agent tells the present draw by the agent's own charter: no "
                                  "--all, --epoch or --charter beside it");
    else if (wishes.agent)
        status = control_turns(spec.command, settings, wishes.json);
    else
        status = run_turns(&run, settings);
    settings_destroy(&settings);
    return (int)status;
}
