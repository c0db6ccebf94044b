#include "node/settings.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "node/settings_internal.h"
#include "proto/record.h"

#define PLACE_MAX 160

static const char *const kinds[] = {"kira", "dcl", NULL};
static const char *const orders[] = {"long-first", "plain", NULL};

static const char *const levels[] = {"debug", "info", "unusual", "broken", NULL};
static const char *const drivers[] = {"none", "process", "docker", "systemd", "command", NULL};
static const char *const on_stops[] = {"leave", "stop", NULL};

static const struct setting_row rows[SETTING_COUNT] = {
    [SETTING_CHAIN_KIND] = {"chain", "kind", "chain", SETTING_IS_CHOICE, "kira", 0, 0, kinds,
                            "KIND", "which chain it is"},
    [SETTING_CHAIN_ID] = {"chain", "id", "chain-id", SETTING_IS_TEXT, NULL, 1, 50, NULL, "ID",
                          "chain id that the nodes must have; by default what they name"},
    [SETTING_CHAIN_NODE] = {"chain", "node", "node", SETTING_IS_URL, "http://127.0.0.1:26657", 0, 0,
                            NULL, "URL", "RPC of your own node"},
    [SETTING_CHAIN_OTHERS] = {"chain", "others", "others", SETTING_IS_URLS, NULL, 0,
                              SETTINGS_LIST_MAX, NULL, "URLS",
                              "RPC of other nodes to compare with and to fall back on"},
    [SETTING_CHAIN_CA_FILE] = {"chain", "ca_file", "ca-file", SETTING_IS_PATH, NULL, 0, 0, NULL,
                               "FILE", "certificates to trust for https, instead of the system's"},
    [SETTING_CHAIN_PREFIX] = {"chain", "prefix", "prefix", SETTING_IS_TEXT, NULL, 1, 32, NULL,
                              "TEXT", "prefix of account addresses; by default the chain's"},
    [SETTING_CHAIN_DENOM] = {"chain", "denom", "denom", SETTING_IS_TEXT, NULL, 3, 128, NULL, "TEXT",
                             "denomination of fees; by default the chain's"},
    [SETTING_CHAIN_TIMEOUT] = {"chain", "timeout", "timeout", SETTING_IS_DURATION, "10s", 100,
                               300000, NULL, "TIME", "how long one answer of a node may take"},
    [SETTING_CHAIN_IN_FLIGHT] = {"chain", "in_flight", "in-flight", SETTING_IS_WHOLE, "16", 1, 64,
                                 NULL, "N", "requests under way at once"},
    [SETTING_ACCOUNT_KEY] = {"account", "key", "key", SETTING_IS_TEXT, NULL, 1, 32, NULL, "NAME",
                             "key of the store that signs"},
    [SETTING_ACCOUNT_KEYS_DIR] = {"account", "keys_dir", "keys-dir", SETTING_IS_PATH, NULL, 0, 0,
                                  NULL, "DIR", "where the store of keys lies"},
    [SETTING_ACCOUNT_KEY_FILE] = {"account", "key_file", "key-file", SETTING_IS_PATH, NULL, 0, 0,
                                  NULL, "FILE",
                                  "raw private key, 64 hex digits, that only you can read"},
    [SETTING_ACCOUNT_SIGNER] = {"account", "signer", "signer", SETTING_IS_COMMAND, NULL, 1, 800,
                                NULL, "COMMAND", "command that signs and keeps the key to itself"},
    [SETTING_ACCOUNT_SIGNER_TIMEOUT] = {"account", "signer_timeout", "signer-timeout",
                                        SETTING_IS_DURATION, "30s", 100, 600000, NULL, "TIME",
                                        "how long the signer may take"},
    [SETTING_ACCOUNT_PASSPHRASE_FILE] = {"account", "passphrase_file", "passphrase-file",
                                         SETTING_IS_PATH, NULL, 0, 0, NULL, "FILE",
                                         "first line is the passphrase of the key"},
    [SETTING_ACCOUNT_PASSPHRASE_FD] = {"account", "passphrase_fd", "passphrase-fd",
                                       SETTING_IS_WHOLE, NULL, 0, 65535, NULL, "N",
                                       "open file descriptor whose first line is the passphrase"},
    [SETTING_CHARTER_MIN_VALIDATORS] =
        {"charter", "min_validators", "min-validators", SETTING_IS_WHOLE, NULL, 1, 16384, NULL, "N",
         "least number of active validators; by default the chain's"},
    [SETTING_CHARTER_EPOCH_BLOCKS] = {"charter", "epoch_blocks", "epoch-blocks", SETTING_IS_WHOLE,
                                      NULL, 2, 120, NULL, "N", "W, blocks of an epoch; default 3"},
    [SETTING_CHARTER_LIVE_BLOCKS] = {"charter", "live_blocks", "live-blocks", SETTING_IS_WHOLE,
                                     NULL, 1, 10, NULL, "N",
                                     "k, last commits that tell who is live; default 3"},
    [SETTING_CHARTER_ROUND_BLOCKS] = {"charter", "round_blocks", "round-blocks", SETTING_IS_WHOLE,
                                      NULL, 40, 2398, NULL, "N",
                                      "L, blocks of a round; default 1200"},
    [SETTING_CHARTER_JOINS_MAX] = {"charter", "joins_max", "joins-max", SETTING_IS_WHOLE, NULL, 3,
                                   20, NULL, "N",
                                   "J, joins of one validator in a round; default 8"},
    [SETTING_CHARTER_REFERENCE_BLOCKS] = {"charter", "reference_blocks", "reference-blocks",
                                          SETTING_IS_WHOLE, NULL, 80, UINT64_C(1) << 40, NULL, "N",
                                          "M, blocks that the reference size looks back; default "
                                          "7200, more where blocks are faster than 6s"},
    [SETTING_CHARTER_PHI] = {"charter", "phi", "phi", SETTING_IS_FRACTION, NULL, 2, 3, NULL,
                             "FRACTION", "part of the network that stays up; default 2/3"},
    [SETTING_CHARTER_RESERVE] = {"charter", "reserve", "reserve", SETTING_IS_WHOLE, NULL, 0, 16384,
                                 NULL, "N", "r, sudden losses to allow for; default n/25"},
    [SETTING_CHARTER_ORDER] = {"charter", "order", "order", SETTING_IS_CHOICE, "long-first", 0, 0,
                               orders, "ORDER", "draw order"},
    [SETTING_CHARTER_RAMP] = {"charter", "ramp", "ramp", SETTING_IS_PAIR, NULL, 0, 16384, NULL,
                              "A,B", "canaries: A, and B more for each that is back; default off"},
    [SETTING_CHARTER_SETTLE_BLOCKS] = {"charter", "settle_blocks", "settle-blocks",
                                       SETTING_IS_WHOLE, NULL, 1, 100, NULL, "N",
                                       "m, signed blocks after which a turn is over; default 3"},
    [SETTING_CHARTER_BLOCK_TIME] = {"charter", "block_time", "block-time", SETTING_IS_DURATION,
                                    "6s", 50, 3600000, NULL, "TIME",
                                    "usual time between blocks, for the default of M"},
    [SETTING_TX_GAS] = {"tx", "gas", "gas", SETTING_IS_WHOLE, "200000", 1, INT64_MAX, NULL, "N",
                        "gas limit"},
    [SETTING_TX_FEE] = {"tx", "fee", "fee", SETTING_IS_COIN, NULL, 0, UINT64_MAX, NULL, "COIN",
                        "fee, such as 100ukex; by default what the chain asks for now"},
    [SETTING_TX_TIMEOUT_BLOCKS] =
        {"tx", "timeout_blocks", "timeout-blocks", SETTING_IS_WHOLE, "20", 1, 100000, NULL, "N",
         "blocks after the latest in which a transaction may still happen"},
    [SETTING_TX_WAIT_MAX] = {"tx", "wait_max", "wait-max", SETTING_IS_DURATION, "10m", 1000,
                             86400000, NULL, "TIME",
                             "how long to go on without an answer from any node"},
    [SETTING_AGENT_DIR] = {"agent", "dir", "dir", SETTING_IS_PATH, "./stagger", 0, 0, NULL, "DIR",
                           "the agent's own files: journal, keys of gossip, socket"},
    [SETTING_AGENT_CONTROL] = {"agent", "control", "control", SETTING_IS_PATH, NULL, 0, 0, NULL,
                               "FILE",
                               "socket for commands to the agent; by default control in its dir"},
    [SETTING_AGENT_EXPECTED] = {"agent", "expected", "expected", SETTING_IS_DURATION, "5m", 1000,
                                14400000, NULL, "TIME",
                                "how long the node is away for the work of a turn"},
    [SETTING_AGENT_LOG] = {"agent", "log", "log", SETTING_IS_CHOICE, "info", 0, 0, levels, "LEVEL",
                           "least level of the lines that are printed"},
    [SETTING_LIMITS_FLOOR] = {"limits", "floor", "floor", SETTING_IS_WHOLE, "0", 0, 16384, NULL,
                              "N", "your own floor of live validators, 0: none"},
    [SETTING_LIMITS_MAX_OFFLINE] = {"limits", "max_offline", "max-offline", SETTING_IS_WHOLE, "0",
                                    0, 16384, NULL, "N",
                                    "your own cap on validators that are out, 0: none"},
    [SETTING_LIMITS_FREEZE] =
        {"limits", "freeze", "freeze", SETTING_IS_WHOLE, NULL, 0, 16384, NULL, "Z",
         "overdue validators that stop us, 0: never; default n/20, at least 2"},
    [SETTING_LIMITS_WINDOW_MARGIN] = {"limits", "window_margin", "window-margin",
                                      SETTING_IS_DURATION, "10m", 0, 86400000, NULL, "TIME",
                                      "back in the set this long before an upgrade's time"},
    [SETTING_LIMITS_DOMAIN_MAX] = {"limits", "domain_max", "domain-max", SETTING_IS_WHOLE, "0", 0,
                                   16384, NULL, "N",
                                   "validators of our failure domain out at once, 0: any"},
    [SETTING_LIMITS_FAILURES_MAX] = {"limits", "failures_max", "failures-max", SETTING_IS_WHOLE,
                                     "0", 0, 16384, NULL, "N",
                                     "reported failures at which we wait, 0: any"},
    [SETTING_LIMITS_HOURS] = {"limits", "hours", "hours", SETTING_IS_TEXT, NULL, 11, 11, NULL,
                              "FROM-TO",
                              "maintenance hours in UTC, such as 22:00-04:00; by default always"},
    [SETTING_LIMITS_ATTEMPTS] = {"limits", "attempts", "attempts", SETTING_IS_WHOLE, "3", 1, 100,
                                 NULL, "N",
                                 "tries of a reinitialisation before the old version is restored"},
    [SETTING_LIMITS_RETRY] = {"limits", "retry", "retry", SETTING_IS_DURATION, "30s", 100, 3600000,
                              NULL, "TIME", "pause between two of them"},
    [SETTING_GOSSIP_LISTEN] =
        {"gossip", "listen", "listen", SETTING_IS_ENDPOINT, NULL, 0, 0, NULL, "ENDPOINT",
         "where other agents reach us: tcp://0.0.0.0:26670; by default nowhere"},
    [SETTING_GOSSIP_ADVERTISE] = {"gossip", "advertise", "advertise", SETTING_IS_ENDPOINTS, NULL, 0,
                                  RECORD_ENDPOINTS_MAX, NULL, "ENDPOINTS",
                                  "what we tell them to dial: tcp://host:port, at most two"},
    [SETTING_GOSSIP_SEEDS] = {"gossip", "seeds", "seeds", SETTING_IS_SEEDS, NULL, 0,
                              SETTINGS_LIST_MAX, NULL, "SEEDS",
                              "agents to begin with: KEY@tcp://host:port, ..."},
    [SETTING_GOSSIP_PROXY] = {"gossip", "proxy", "proxy", SETTING_IS_ADDRESS, NULL, 0, 0, NULL,
                              "HOST:PORT", "SOCKS5 proxy for what we dial"},
    [SETTING_GOSSIP_DOMAIN] = {"gossip", "domain", "domain", SETTING_IS_TEXT, NULL, 1, 32, NULL,
                               "NAME", "failure domain: whoever shares it fails together"},
    [SETTING_GOSSIP_OFF] = {"gossip", "off", "no-gossip", SETTING_IS_BOOL, "no", 0, 0, NULL, "BOOL",
                            "no gossip at all"},
    [SETTING_RUNTIME_DRIVER] = {"runtime", "driver", "runtime", SETTING_IS_CHOICE, "none", 0, 0,
                                drivers, "DRIVER", "what runs the node"},
    [SETTING_PROCESS_HOME] = {"process", "home", "process-home", SETTING_IS_PATH, NULL, 0, 0, NULL,
                              "DIR",
                              "home of the node (DAEMON_HOME), with cosmovisor's tree in it"},
    [SETTING_PROCESS_NAME] = {"process", "name", "process-name", SETTING_IS_TEXT, NULL, 1, 64, NULL,
                              "NAME", "file name of the node's binary (DAEMON_NAME)"},
    [SETTING_PROCESS_ARGS] = {"process", "args", "process-args", SETTING_IS_COMMAND, "start", 1,
                              800, NULL, "WORDS", "its arguments"},
    [SETTING_PROCESS_GRACE] = {"process", "grace", "process-grace", SETTING_IS_DURATION, "30s", 0,
                               600000, NULL, "TIME", "from SIGTERM to SIGKILL"},
    [SETTING_PROCESS_RESTART] =
        {"process", "restart", "process-restart", SETTING_IS_DURATION, "1s", 10, 600000, NULL,
         "TIME", "first pause before a node that ended is started again; doubles to a minute"},
    [SETTING_PROCESS_ON_STOP] = {"process", "on_stop", "process-on-stop", SETTING_IS_CHOICE,
                                 "leave", 0, 0, on_stops, "WHAT",
                                 "what becomes of the node when the agent is stopped"},
    [SETTING_DOCKER_SOCKET] = {"docker", "socket", "docker-socket", SETTING_IS_PATH,
                               "/var/run/docker.sock", 0, 0, NULL, "FILE",
                               "socket of the Docker Engine"},
    [SETTING_DOCKER_CONTAINER] = {"docker", "container", "docker-container", SETTING_IS_TEXT, NULL,
                                  1, 128, NULL, "NAME", "the node's container"},
    [SETTING_DOCKER_GRACE] = {"docker", "grace", "docker-grace", SETTING_IS_DURATION, "30s", 0,
                              600000, NULL, "TIME", "from its stop signal to SIGKILL"},
    [SETTING_SYSTEMD_UNIT] = {"systemd", "unit", "systemd-unit", SETTING_IS_TEXT, NULL, 1, 255,
                              NULL, "UNIT", "the node's unit"},
    [SETTING_SYSTEMD_BUS] = {"systemd", "bus", "systemd-bus", SETTING_IS_TEXT, NULL, 1, 255, NULL,
                             "ADDRESS", "D-Bus address of systemd; by default the system bus"},
    [SETTING_SYSTEMD_REINIT] = {"systemd", "reinit", "systemd-reinit", SETTING_IS_COMMAND, NULL, 1,
                                800, NULL, "COMMAND",
                                "what is done while the unit is stopped; by default nothing"},
    [SETTING_COMMAND_STOP] = {"command", "stop", "command-stop", SETTING_IS_COMMAND, NULL, 1, 800,
                              NULL, "COMMAND", "stops the node"},
    [SETTING_COMMAND_REINIT] = {"command", "reinit", "command-reinit", SETTING_IS_COMMAND, NULL, 1,
                                800, NULL, "COMMAND", "installs what is new"},
    [SETTING_COMMAND_START] = {"command", "start", "command-start", SETTING_IS_COMMAND, NULL, 1,
                               800, NULL, "COMMAND", "starts the node"},
    [SETTING_COMMAND_RESTORE] = {"command", "restore", "command-restore", SETTING_IS_COMMAND, NULL,
                                 1, 800, NULL, "COMMAND",
                                 "puts the old version back; by default nothing"},
    [SETTING_COMMAND_HEALTH] = {"command", "health", "command-health", SETTING_IS_COMMAND, NULL, 1,
                                800, NULL, "COMMAND",
                                "ends with 0 when the node runs; by default the RPC tells"},
    [SETTING_COMMAND_REBOOTS_HOST] = {"command", "reboots_host", "command-reboots-host",
                                      SETTING_IS_BOOL, "no", 0, 0, NULL, "BOOL",
                                      "reinit reboots this very host"},
    [SETTING_HOOKS_PRE_STOP] = {"hooks", "pre_stop", "pre-stop", SETTING_IS_COMMAND, NULL, 1, 800,
                                NULL, "COMMAND", "before the node is stopped"},
    [SETTING_HOOKS_POST_STOP] = {"hooks", "post_stop", "post-stop", SETTING_IS_COMMAND, NULL, 1,
                                 800, NULL, "COMMAND", "after the node is stopped"},
    [SETTING_HOOKS_PRE_REINIT] = {"hooks", "pre_reinit", "pre-reinit", SETTING_IS_COMMAND, NULL, 1,
                                  800, NULL, "COMMAND", "before what is new is installed"},
    [SETTING_HOOKS_POST_REINIT] = {"hooks", "post_reinit", "post-reinit", SETTING_IS_COMMAND, NULL,
                                   1, 800, NULL, "COMMAND", "after what is new is installed"},
    [SETTING_HOOKS_PRE_START] = {"hooks", "pre_start", "pre-start", SETTING_IS_COMMAND, NULL, 1,
                                 800, NULL, "COMMAND", "before the node is started"},
    [SETTING_HOOKS_POST_START] = {"hooks", "post_start", "post-start", SETTING_IS_COMMAND, NULL, 1,
                                  800, NULL, "COMMAND", "after the node is started"},
    [SETTING_HOOKS_TIMEOUT] = {"hooks", "timeout", "hooks-timeout", SETTING_IS_DURATION, "10m", 100,
                               86400000, NULL, "TIME",
                               "how long a hook or a command of the driver may take"},
};

const struct setting_row *setting_row(enum setting setting)
{
    assert(setting < SETTING_COUNT);
    return &rows[setting];
}

bool setting_key_is(const struct setting_row *row, const char *key)
{
    size_t i = 0;
    for (; row->key[i] && key[i]; i++)
        if (row->key[i] != (key[i] == '-' ? '_' : key[i]))
            return false;
    return row->key[i] == key[i];
}

void setting_value_clear(struct setting_value *value)
{
    for (uint32_t i = 0; i < value->item_count; i++)
        free(value->items[i]);
    free(value->text);
    free(value->where);
    *value = (struct setting_value){0};
}

/* How faults name a setting: "/etc/stagger.conf:7: chain.kind", "--chain". */
static void place_write(const struct setting_row *row, enum setting_source source,
                        const char *where, char place[PLACE_MAX])
{
    if (source == SETTING_FROM_FLAG)
        snprintf(place, PLACE_MAX, "%s", where);
    else
        snprintf(place, PLACE_MAX, "%.100s: %s.%s", where, row->section, row->key);
}

bool setting_take(struct settings *settings, enum setting setting, const char *text,
                  enum setting_source source, const char *where, struct fault *fault)
{
    const struct setting_row *row = setting_row(setting);
    struct setting_value value = {0};
    char place[PLACE_MAX];
    place_write(row, source, where, place);
    if (!setting_parse(row, text, &value, fault)) {
        setting_value_clear(&value);
        return fault_within(fault, place);
    }
    value.where = strdup(where);
    if (!value.where) {
        setting_value_clear(&value);
        return fault_set(fault, "%s: out of memory", place);
    }
    value.source = source;
    setting_value_clear(&settings->values[setting]);
    settings->values[setting] = value;
    return true;
}

struct settings *settings_create(void)
{
    struct fault fault;
    struct settings *settings = calloc(1, sizeof *settings);
    for (enum setting i = 0; settings && i < SETTING_COUNT; i++) {
        assert(rows[i].section);
        if (!rows[i].fallback)
            continue;
        if (!setting_take(settings, i, rows[i].fallback, SETTING_FROM_DEFAULT, "default", &fault))
            settings_destroy(&settings);
    }
    return settings;
}

void settings_destroy(struct settings **settings)
{
    if (!*settings)
        return;
    for (uint32_t i = 0; i < SETTING_COUNT; i++)
        setting_value_clear(&(*settings)->values[i]);
    free(*settings);
    *settings = NULL;
}

bool settings_read_flag(struct settings *settings, enum setting setting, const char *value,
                        struct fault *fault)
{
    char where[40];
    assert(setting_row(setting)->flag);
    snprintf(where, sizeof where, "--%s", setting_row(setting)->flag);
    return setting_take(settings, setting, value, SETTING_FROM_FLAG, where, fault);
}

/* --- the values --- */

static const struct setting_value *value_of(const struct settings *settings, enum setting setting)
{
    assert(setting < SETTING_COUNT);
    return &settings->values[setting];
}

bool settings_given(const struct settings *settings, enum setting setting)
{
    return value_of(settings, setting)->given;
}

bool settings_is_default(const struct settings *settings, enum setting setting)
{
    const struct setting_value *value = value_of(settings, setting);
    return !value->given || value->source == SETTING_FROM_DEFAULT;
}

enum setting_source settings_source(const struct settings *settings, enum setting setting)
{
    assert(settings_given(settings, setting));
    return value_of(settings, setting)->source;
}

bool settings_same(const struct settings *one, const struct settings *other, enum setting setting)
{
    const char *a = value_of(one, setting)->text, *b = value_of(other, setting)->text;
    return a && b ? strcmp(a, b) == 0 : a == b;
}

bool settings_refuse(const struct settings *settings, enum setting setting, struct fault *fault,
                     const char *format, ...)
{
    const struct setting_row *row = setting_row(setting);
    const struct setting_value *value = value_of(settings, setting);
    char text[FAULT_MAX], place[PLACE_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (value->given)
        place_write(row, value->source, value->where, place);
    else
        snprintf(place, sizeof place, "%s.%s", row->section, row->key);
    (void)fault_set(fault, "%s", text);
    return fault_within(fault, place);
}

const char *settings_text(const struct settings *settings, enum setting setting)
{
    enum setting_kind kind = setting_row(setting)->kind;
    assert(kind == SETTING_IS_TEXT || kind == SETTING_IS_PATH || kind == SETTING_IS_URL ||
           kind == SETTING_IS_COMMAND || kind == SETTING_IS_ADDRESS || kind == SETTING_IS_ENDPOINT);
    return value_of(settings, setting)->text;
}

/* The first number of a value that is given and of this kind. */
static uint64_t number_of(const struct settings *settings, enum setting setting,
                          enum setting_kind kind)
{
    assert(setting_row(setting)->kind == kind);
    assert(settings_given(settings, setting));
    return value_of(settings, setting)->number[0];
}

uint64_t settings_whole(const struct settings *settings, enum setting setting)
{
    return number_of(settings, setting, SETTING_IS_WHOLE);
}

int64_t settings_ms(const struct settings *settings, enum setting setting)
{
    return (int64_t)number_of(settings, setting, SETTING_IS_DURATION);
}

bool settings_bool(const struct settings *settings, enum setting setting)
{
    return number_of(settings, setting, SETTING_IS_BOOL) != 0;
}

uint32_t settings_choice(const struct settings *settings, enum setting setting)
{
    return (uint32_t)number_of(settings, setting, SETTING_IS_CHOICE);
}

uint64_t settings_pair(const struct settings *settings, enum setting setting, uint32_t which)
{
    enum setting_kind kind = setting_row(setting)->kind;
    assert((kind == SETTING_IS_PAIR || kind == SETTING_IS_FRACTION) && which < 2);
    assert(settings_given(settings, setting));
    return value_of(settings, setting)->number[which];
}

uint64_t settings_coin(const struct settings *settings, enum setting setting, const char **denom)
{
    *denom = value_of(settings, setting)->items[0];
    return number_of(settings, setting, SETTING_IS_COIN);
}

bool setting_is_list(const struct setting_row *row)
{
    return row->kind == SETTING_IS_URLS || row->kind == SETTING_IS_ENDPOINTS ||
           row->kind == SETTING_IS_SEEDS;
}

uint32_t settings_list(const struct settings *settings, enum setting setting,
                       const char *items[SETTINGS_LIST_MAX])
{
    const struct setting_value *value = value_of(settings, setting);
    assert(setting_is_list(setting_row(setting)));
    for (uint32_t i = 0; i < value->item_count; i++)
        items[i] = value->items[i];
    return value->item_count;
}

static uint32_t url_add(const char **urls, uint32_t count, const char *url)
{
    for (uint32_t i = 0; i < count; i++)
        if (strcmp(urls[i], url) == 0)
            return count;
    urls[count] = url;
    return count + 1;
}

uint32_t settings_urls(const struct settings *settings, const char *urls[SETTINGS_LIST_MAX + 1])
{
    const struct setting_value *others = value_of(settings, SETTING_CHAIN_OTHERS);
    uint32_t count = url_add(urls, 0, settings_text(settings, SETTING_CHAIN_NODE));
    for (uint32_t i = 0; i < others->item_count; i++)
        count = url_add(urls, count, others->items[i]);
    return count;
}

enum chain_kind settings_chain_kind(const struct settings *settings)
{
    return settings_choice(settings, SETTING_CHAIN_KIND) == 0 ? CHAIN_KIRA : CHAIN_DCL;
}

/* --- the charter --- */

static void charter_numbers(const struct settings *settings, struct charter *charter)
{
    const struct {
        enum setting setting;
        uint32_t *field;
    } fields[] = {
        {SETTING_CHARTER_EPOCH_BLOCKS, &charter->epoch_blocks},
        {SETTING_CHARTER_LIVE_BLOCKS, &charter->live_blocks},
        {SETTING_CHARTER_ROUND_BLOCKS, &charter->round_blocks},
        {SETTING_CHARTER_JOINS_MAX, &charter->joins_max},
        {SETTING_CHARTER_SETTLE_BLOCKS, &charter->settle_blocks},
    };
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        if (settings_given(settings, fields[i].setting))
            *fields[i].field = (uint32_t)settings_whole(settings, fields[i].setting);
}

static void charter_others(const struct settings *settings, struct charter *charter)
{
    if (settings_given(settings, SETTING_CHARTER_REFERENCE_BLOCKS))
        charter->reference_blocks = settings_whole(settings, SETTING_CHARTER_REFERENCE_BLOCKS);
    if (settings_given(settings, SETTING_CHARTER_RESERVE))
        charter->reserve = (int64_t)settings_whole(settings, SETTING_CHARTER_RESERVE);
    if (settings_given(settings, SETTING_CHARTER_PHI)) {
        charter->phi_num = (uint32_t)settings_numerator(settings, SETTING_CHARTER_PHI);
        charter->phi_den = (uint32_t)settings_denominator(settings, SETTING_CHARTER_PHI);
    }
    if (settings_given(settings, SETTING_CHARTER_RAMP)) {
        charter->ramp = true;
        charter->ramp_a = (uint32_t)settings_pair(settings, SETTING_CHARTER_RAMP, 0);
        charter->ramp_b = (uint32_t)settings_pair(settings, SETTING_CHARTER_RAMP, 1);
    }
    charter->order =
        settings_choice(settings, SETTING_CHARTER_ORDER) == 0 ? ORDER_LONG_FIRST : ORDER_PLAIN;
}

bool settings_charter(const struct settings *settings, const char *chain_id,
                      uint64_t min_validators, struct charter *charter, struct fault *fault)
{
    if (settings_given(settings, SETTING_CHARTER_MIN_VALIDATORS))
        min_validators = settings_whole(settings, SETTING_CHARTER_MIN_VALIDATORS);
    *charter = charter_default(chain_id, min_validators,
                               settings_ms(settings, SETTING_CHARTER_BLOCK_TIME));
    charter_numbers(settings, charter);
    charter_others(settings, charter);
    const char *wrong = charter_check(charter, settings_chain_kind(settings) == CHAIN_KIRA);
    if (wrong)
        return fault_set(fault, "charter: %s", wrong);
    charter_seal(charter);
    return true;
}
