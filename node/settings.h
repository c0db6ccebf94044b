/* The settings: one table of every option, and where its value comes from.
 *
 *     default  <  FILE  <  conf.d/NAME.conf beside it, in byte order  <  STAGGER_SECTION_KEY  <  --flag
 *
 * FILE is named by --config or $STAGGER_CONFIG; without either there is none. It is an INI file:
 *
 *     [chain]
 *     kind = kira
 *     node = http://127.0.0.1:26657        ; a comment begins with a blank and a ';', or a line with ';' or '#'
 *     others = http://10.0.0.2:26657, https://rpc.example.org
 *
 * Everything is refused that could be meant otherwise: a section or key that does not exist (with the nearest
 * one that does), a key twice in one file, a line of more than SETTINGS_LINE_MAX bytes, a zero byte, a value
 * out of its bounds. The line of the fault names file, line, section.key and what was expected:
 *
 *     /etc/stagger.conf:7: chain.kind: "kria" is not known; expected kira or dcl; did you mean kira?
 *
 * '-' and '_' are the same in the name of a key. An empty variable of the environment counts as not set; a
 * variable whose section does not exist is not ours (orchestrators set many STAGGER_... of their own).
 *
 * Lists and commands go on in indented lines: Debian's libinih reads 198 bytes of a line.
 *
 * Secrets are no settings: a passphrase or key is named by a file or file descriptor. What can hold one all
 * the same (user and password in a URL, the arguments of a command) is left out by settings_print() and in
 * faults.
 *
 * Memory: a text that is handed out belongs to the settings and lives as long as they do.
 */
#ifndef STAGGER_NODE_SETTINGS_H
#define STAGGER_NODE_SETTINGS_H

#include <stdio.h>

#include "coord/charter.h"
#include "coord/view.h"
#include "proto/fault.h"

#define SETTINGS_LINE_MAX 1000 /* bytes of a line in a file */
#define SETTINGS_FILE_MAX ((size_t)1 << 20)
#define SETTINGS_FRAGMENTS_MAX 256 /* files in conf.d */
#define SETTINGS_LIST_MAX 15       /* items of a list */

enum setting {
    /* [chain] */
    SETTING_CHAIN_KIND, /* choice: enum chain_kind */
    SETTING_CHAIN_ID,   /* text; unset: what the node says */
    SETTING_CHAIN_NODE, /* URL of one's own node */
    SETTING_CHAIN_OTHERS,
    SETTING_CHAIN_CA_FILE,
    SETTING_CHAIN_PREFIX, /* text; unset: the driver's */
    SETTING_CHAIN_DENOM,  /* likewise */
    SETTING_CHAIN_TIMEOUT,
    SETTING_CHAIN_IN_FLIGHT,
    /* [account] */
    SETTING_ACCOUNT_KEY, /* name in the store */
    SETTING_ACCOUNT_KEYS_DIR,
    SETTING_ACCOUNT_KEY_FILE,
    SETTING_ACCOUNT_SIGNER, /* command line: settings_words() */
    SETTING_ACCOUNT_SIGNER_TIMEOUT,
    SETTING_ACCOUNT_PASSPHRASE_FILE,
    SETTING_ACCOUNT_PASSPHRASE_FD,
    /* [charter]; what is unset follows charter_default(): settings_charter() */
    SETTING_CHARTER_MIN_VALIDATORS,
    SETTING_CHARTER_EPOCH_BLOCKS,
    SETTING_CHARTER_LIVE_BLOCKS,
    SETTING_CHARTER_ROUND_BLOCKS,
    SETTING_CHARTER_JOINS_MAX,
    SETTING_CHARTER_REFERENCE_BLOCKS,
    SETTING_CHARTER_PHI,
    SETTING_CHARTER_RESERVE,
    SETTING_CHARTER_ORDER, /* choice: enum draw_order */
    SETTING_CHARTER_RAMP,
    SETTING_CHARTER_SETTLE_BLOCKS,
    SETTING_CHARTER_BLOCK_TIME, /* what the default of reference_blocks is made from */
    /* [tx] */
    SETTING_TX_GAS,
    SETTING_TX_FEE,            /* coin; unset: read live */
    SETTING_TX_TIMEOUT_BLOCKS, /* timeout_height = latest height + this */
    SETTING_TX_WAIT_MAX,       /* how long --wait looks for a block */
    /* [agent] */
    SETTING_AGENT_DIR,      /* journal, keys of gossip, control socket */
    SETTING_AGENT_CONTROL,  /* path of the socket; unset: DIR/control */
    SETTING_AGENT_EXPECTED, /* how long the work of a turn takes */
    SETTING_AGENT_LOG,      /* choice: enum coord_level */
    /* [limits]: struct coord_policy */
    SETTING_LIMITS_FLOOR,
    SETTING_LIMITS_MAX_OFFLINE,
    SETTING_LIMITS_FREEZE, /* whole; unset: the default; 0: off */
    SETTING_LIMITS_WINDOW_MARGIN,
    SETTING_LIMITS_DOMAIN_MAX,
    SETTING_LIMITS_FAILURES_MAX,
    SETTING_LIMITS_HOURS, /* "22:00-04:00" UTC, as text: limits_policy() */
    SETTING_LIMITS_ATTEMPTS,
    SETTING_LIMITS_RETRY,
    /* [gossip] */
    SETTING_GOSSIP_LISTEN,    /* "tcp://0.0.0.0:26670"; unset: nobody can dial us */
    SETTING_GOSSIP_ADVERTISE, /* "tcp://host:port,..."; unset: not told */
    SETTING_GOSSIP_SEEDS,     /* "KEY@tcp://host:port, ..."; unset: none */
    SETTING_GOSSIP_PROXY,
    SETTING_GOSSIP_DOMAIN, /* failure domain */
    SETTING_GOSSIP_OFF,
    /* [runtime] */
    SETTING_RUNTIME_DRIVER, /* choice: enum runtime_kind */
    /* [process] */
    SETTING_PROCESS_HOME, /* DAEMON_HOME */
    SETTING_PROCESS_NAME, /* DAEMON_NAME */
    SETTING_PROCESS_ARGS, /* settings_words() */
    SETTING_PROCESS_GRACE,
    SETTING_PROCESS_RESTART, /* first pause before a node that ended by itself is started again */
    SETTING_PROCESS_ON_STOP, /* choice: enum process_on_stop */
    /* [docker] */
    SETTING_DOCKER_SOCKET,
    SETTING_DOCKER_CONTAINER,
    SETTING_DOCKER_GRACE,
    /* [systemd] */
    SETTING_SYSTEMD_UNIT,
    SETTING_SYSTEMD_BUS, /* address; unset: the system's */
    SETTING_SYSTEMD_REINIT,
    /* [command] */
    SETTING_COMMAND_STOP,
    SETTING_COMMAND_REINIT,
    SETTING_COMMAND_START,
    SETTING_COMMAND_RESTORE,
    SETTING_COMMAND_HEALTH,
    SETTING_COMMAND_REBOOTS_HOST,
    /* [hooks] */
    SETTING_HOOKS_PRE_STOP,
    SETTING_HOOKS_POST_STOP,
    SETTING_HOOKS_PRE_REINIT,
    SETTING_HOOKS_POST_REINIT,
    SETTING_HOOKS_PRE_START,
    SETTING_HOOKS_POST_START,
    SETTING_HOOKS_TIMEOUT, /* of a hook and of a [command] */
    SETTING_COUNT,
};

enum setting_kind {
    SETTING_IS_TEXT,     /* printable ASCII, min to max characters */
    SETTING_IS_URL,      /* http://, https:// or tcp:// with a host */
    SETTING_IS_URLS,     /* 1 to SETTINGS_LIST_MAX of them, separated by commas */
    SETTING_IS_WHOLE,    /* decimal digits, min to max */
    SETTING_IS_DURATION, /* "250ms", "5m"; min to max in ms */
    SETTING_IS_BOOL,     /* yes, no, true, false, on, off */
    SETTING_IS_CHOICE,   /* one of `choices`; its index is the value */
    SETTING_IS_FRACTION, /* "2/3", "0.7", "67%" */
    SETTING_IS_PATH,
    SETTING_IS_COIN,      /* "100ukex" */
    SETTING_IS_PAIR,      /* "4,2": two whole numbers, each min to max */
    SETTING_IS_COMMAND,   /* a command line of min to max characters: settings_words() */
    SETTING_IS_ADDRESS,   /* "host:port" */
    SETTING_IS_ENDPOINT,  /* "tcp://host:port" as records have it */
    SETTING_IS_ENDPOINTS, /* 1 to max of them, separated by commas */
    SETTING_IS_SEEDS,     /* "KEY@tcp://host:port", 1 to SETTINGS_LIST_MAX of them */
};

struct setting_row {
    const char *section, *key; /* of the file; the key with '_' */
    const char *flag;          /* without "--"; NULL: none */
    enum setting_kind kind;
    const char *fallback; /* NULL: unset by default */
    uint64_t min, max;
    const char *const *choices; /* ends with NULL */
    const char *argument;       /* word for the help: "URL" */
    const char *help;           /* one line, no full stop */
};

/* Of every setting; never NULL. */
const struct setting_row *setting_row(enum setting setting);

struct settings;

/* All defaults. NULL when memory is short. */
struct settings *settings_create(void);
void settings_destroy(struct settings **settings);

/* --- reading; each may be called on its own, later ones win --- */

/* The text of a file; `name` is what faults call it. For settings_read_file() and the fuzzer. */
MUST_CHECK bool settings_read_text(struct settings *settings, const char *name, const char *text,
                                   size_t size, struct fault *fault);

/* A file and its fragments: DIRECTORY/conf.d/NAME.conf. */
MUST_CHECK bool settings_read_file(struct settings *settings, const char *path,
                                   struct fault *fault);

/* environment: "NAME=value" texts that end with NULL. */
MUST_CHECK bool settings_read_environment(struct settings *settings, char *const *environment,
                                          struct fault *fault);

/* One flag's value. */
MUST_CHECK bool settings_read_flag(struct settings *settings, enum setting setting,
                                   const char *value, struct fault *fault);

/* --- the values; the kind of the setting must be the one asked for --- */

bool settings_given(const struct settings *settings, enum setting setting); /* not unset */
bool settings_is_default(const struct settings *settings, enum setting setting);

/* Where a given value comes from; the greater one wins. Fragments count as the file. */
enum setting_source {
    SETTING_FROM_DEFAULT,
    SETTING_FROM_FILE,
    SETTING_FROM_ENVIRONMENT,
    SETTING_FROM_FLAG,
};
enum setting_source settings_source(const struct settings *settings, enum setting setting);

/* Whether a setting has the same value in both. */
bool settings_same(const struct settings *one, const struct settings *other, enum setting setting);

/* For what only the part that uses the value can find wrong: "/etc/stagger.conf:7: limits.hours: ..." Returns
 * false. */
__attribute__((format(printf, 4, 5))) bool settings_refuse(const struct settings *settings,
                                                           enum setting setting,
                                                           struct fault *fault, const char *format,
                                                           ...);
/* NULL: unset. Texts, paths, commands, addresses, single URLs and endpoints. */
const char *settings_text(const struct settings *settings, enum setting setting);
uint64_t settings_whole(const struct settings *settings, enum setting setting);
int64_t settings_ms(const struct settings *settings, enum setting setting);
bool settings_bool(const struct settings *settings, enum setting setting);
uint32_t settings_choice(const struct settings *settings, enum setting setting);
uint64_t settings_pair(const struct settings *settings, enum setting setting, uint32_t which);
#define settings_numerator(settings, setting) settings_pair(settings, setting, 0)
#define settings_denominator(settings, setting) settings_pair(settings, setting, 1)

/* A coin's amount, and its denomination through *denom. */
uint64_t settings_coin(const struct settings *settings, enum setting setting, const char **denom);

/* The items of a list, 0 when it is unset. */
uint32_t settings_list(const struct settings *settings, enum setting setting,
                       const char *items[SETTINGS_LIST_MAX]);

/* chain.node, then chain.others, without repetitions; returns how many. */
uint32_t settings_urls(const struct settings *settings, const char *urls[SETTINGS_LIST_MAX + 1]);

enum chain_kind settings_chain_kind(const struct settings *settings);

/* The charter that the settings ask for, sealed: charter_default() with what is given in [charter].
 * min_validators is the chain's unless the settings give another. A fault when charter_check() refuses. */
MUST_CHECK bool settings_charter(const struct settings *settings, const char *chain_id,
                                 uint64_t min_validators, struct charter *charter,
                                 struct fault *fault);

/* A command line split at blanks; '...' and "..." hold words together, nothing else is special. Returns an
 * array that ends with NULL, in one allocation (free), or NULL with a fault. */
char **settings_words(const char *text, struct fault *fault);

/* The effective settings in the form of a file, every line with where its value comes from. */
void settings_print(const struct settings *settings, FILE *out);

#endif
