#include "node/command_chain.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "proto/input.h"

#define MS_PER_S 1000

static const struct topic {
    const char *name;
    const char *about;
    enum command_status (*look)(struct chain_look *look);
} topics[] = {
    {"status",
     "The nodes, one by one, and what they disagree about. Of each: chain id, head and its age,\n"
     "whether it catches up, version, its validator with its power. Exits 3 when none is to be trusted.",
     chain_look_status},
    {"validators",
     "Every validator record. Whether it stands in the set and signed the last block; how many are\n"
     "ACTIVE and in the set, and how far that is above min_validators.",
     chain_look_validators},
    {"plan", "The current and the next upgrade plan, its resources, and who has not voted YES.",
     chain_look_plan},
    {"properties", "KIRA's network properties and execution fees.", chain_look_properties},
};

#define TOPIC_COUNT (sizeof topics / sizeof topics[0])

static const enum setting flags[] = {
    SETTING_CHAIN_KIND,      SETTING_CHAIN_ID,
    SETTING_CHAIN_NODE,      SETTING_CHAIN_OTHERS,
    SETTING_CHAIN_CA_FILE,   SETTING_CHAIN_PREFIX,
    SETTING_CHAIN_DENOM,     SETTING_CHAIN_TIMEOUT,
    SETTING_CHAIN_IN_FLIGHT, SETTING_CHARTER_MIN_VALIDATORS,
};

static const struct option_row own[] = {
    {"json", NULL, "print one JSON object instead of a table", false},
};

/* --- helpers --- */

enum command_status chain_look_fail(const struct chain_look *look, enum command_status status)
{
    options_say(look->command, "%s", look->fault.text);
    return status;
}

void account_text(const struct chain_look *look, const uint8_t account[ACCOUNT_ADDRESS_SIZE],
                  char text[BECH32_TEXT_MAX])
{
    if (!bech32_encode(chain_prefix(session_chain(look->session)), account, ACCOUNT_ADDRESS_SIZE,
                       text))
        snprintf(text, BECH32_TEXT_MAX, "-");
}

json_t *json_account(const struct chain_look *look, const uint8_t account[ACCOUNT_ADDRESS_SIZE])
{
    char text[BECH32_TEXT_MAX];
    account_text(look, account, text);
    return json_string(text);
}

const char *status_text(enum coord_status status)
{
    static const char *const names[] = {
        [COORD_UNKNOWN] = "UNKNOWN",  [COORD_ACTIVE] = "ACTIVE", [COORD_INACTIVE] = "INACTIVE",
        [COORD_IS_PAUSED] = "PAUSED", [COORD_JAILED] = "JAILED",
    };
    return names[status];
}

int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * MS_PER_S + now.tv_nsec / 1000000;
}

void span_text(int64_t ms, char text[SPAN_TEXT_MAX])
{
    bool past = ms < 0;
    uint64_t s = (past ? (uint64_t)(-(ms + 1)) + 1 : (uint64_t)ms) / MS_PER_S;
    char amount[SPAN_TEXT_MAX - 8];
    if (s < 60)
        snprintf(amount, sizeof amount, "%" PRIu64 "s", s);
    else if (s < 3600)
        snprintf(amount, sizeof amount, "%" PRIu64 "m %02" PRIu64 "s", s / 60, s % 60);
    else if (s < 86400)
        snprintf(amount, sizeof amount, "%" PRIu64 "h %02" PRIu64 "m", s / 3600, s / 60 % 60);
    else
        snprintf(amount, sizeof amount, "%" PRIu64 "d %02" PRIu64 "h", s / 86400, s / 3600 % 24);
    snprintf(text, SPAN_TEXT_MAX, past ? "%s ago" : "in %s", amount);
}

/* --- the command --- */

static void usage_print(void)
{
    puts("usage: stagger chain TOPIC [OPTIONS]\n\n"
         "Looks at a network.\n");
    for (size_t i = 0; i < TOPIC_COUNT; i++)
        printf("  %-12s %.*s\n", topics[i].name, (int)strcspn(topics[i].about, "."),
               topics[i].about);
    puts(
        "\nExit statuses: 0 done; 1 a usage or configuration error; 3 the network could not be asked.\n\n"
        "`stagger chain TOPIC --help` lists the options.");
}

static const struct topic *topic_find(const char *name)
{
    for (size_t i = 0; i < TOPIC_COUNT; i++)
        if (strcmp(topics[i].name, name) == 0)
            return &topics[i];
    return NULL;
}

static int refuse_topic(const char *name)
{
    char quoted[INPUT_QUOTE_MAX];
    struct input_nearest nearest = {name, NULL, 0};
    for (size_t i = 0; i < TOPIC_COUNT; i++)
        input_nearest_offer(&nearest, topics[i].name);
    options_say("chain", "there is no topic \"%s\"%s%s%s; `stagger chain --help` lists them",
                input_quote(name, quoted), nearest.best ? ", did you mean " : "",
                nearest.best ? nearest.best : "", nearest.best ? "?" : "");
    return COMMAND_USAGE;
}

static bool option_take(void *owner, uint32_t option, const char *value, struct fault *fault)
{
    struct chain_look *look = owner;
    (void)value;
    (void)fault;
    assert(option == 0);
    look->json = true;
    return true;
}

static int topic_run(const struct topic *topic, struct chain_look *look)
{
    look->session = session_open(look->command, look->settings, &look->fault);
    if (!look->session)
        return (int)chain_look_fail(look, COMMAND_USAGE);
    enum command_status status = topic->look(look);
    session_close(&look->session);
    if (fflush(stdout) == 0 && !ferror(stdout))
        return (int)status;
    options_say(look->command, "standard output could not be written");
    return COMMAND_USAGE;
}

int command_chain(int argc, char **argv)
{
    struct chain_look look = {.json = false};
    struct settings *settings;
    if (argc < 2) {
        options_say("chain", "no topic is given; `stagger chain --help` lists them");
        return COMMAND_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        usage_print();
        return fflush(stdout) == 0 ? COMMAND_DONE : COMMAND_USAGE;
    }
    const struct topic *topic = topic_find(argv[1]);
    if (!topic)
        return refuse_topic(argv[1]);
    snprintf(look.command, sizeof look.command, "chain %s", topic->name);
    struct options_spec spec = {.command = look.command,
                                .about = topic->about,
                                .settings = flags,
                                .setting_count = sizeof flags / sizeof flags[0],
                                .own = own,
                                .own_count = 1,
                                .take = option_take};
    enum options_outcome outcome = options_parse(&spec, &look, argc - 1, argv + 1, &settings);
    if (outcome != OPTIONS_GO)
        return outcome == OPTIONS_HELP ? COMMAND_DONE : COMMAND_USAGE;
    look.settings = settings;
    int status = topic_run(topic, &look);
    settings_destroy(&settings);
    return status;
}
