#include "node/settings_check.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "node/account_open.h"
#include "node/cosmovisor.h"
#include "node/gossip_key.h"
#include "node/keys.h"
#include "node/limits.h"
#include "node/runtime.h"
#include "proto/input.h"

#define CHAIN_ID_GUESS "unknown" /* where the node is to say */

struct check {
    const struct settings *settings;
    void (*tell)(void *owner, bool is_fault, const char *line);
    void *owner;
    uint32_t faults;
};

/* Tells the fault unless all was well. */
static void expect(struct check *check, bool good, const struct fault *fault)
{
    if (good)
        return;
    check->faults++;
    check->tell(check->owner, true, fault->text);
}

__attribute__((format(printf, 3, 4))) static void refuse(struct check *check, enum setting setting,
                                                         const char *format, ...)
{
    char text[FAULT_MAX];
    struct fault fault;
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    expect(check, settings_refuse(check->settings, setting, &fault, "%s", text), &fault);
}

static const char *text_of(const struct check *check, enum setting setting)
{
    return settings_text(check->settings, setting);
}

static bool given(const struct check *check, enum setting setting)
{
    return settings_given(check->settings, setting);
}

static void check_readable(struct check *check, enum setting setting)
{
    const char *path = text_of(check, setting);
    if (path && access(path, R_OK) != 0)
        refuse(check, setting, "%.200s cannot be read: %s", path, strerror(errno));
}

/* --- programs --- */

static bool is_program(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0 && S_ISREG(about.st_mode) && access(path, X_OK) == 0;
}

/* As execvp() looks for it. */
static bool program_exists(const char *name)
{
    const char *at = getenv("PATH");
    char path[PATH_MAX];
    if (strchr(name, '/'))
        return is_program(name);
    while (at && *at) {
        size_t length = strcspn(at, ":");
        int size = snprintf(path, sizeof path, "%.*s/%s", (int)length, length ? at : ".", name);
        if (size > 0 && (size_t)size < sizeof path && is_program(path))
            return true;
        at += length + (at[length] == ':');
    }
    return false;
}

static void check_program(struct check *check, enum setting setting)
{
    struct fault fault;
    char quoted[INPUT_QUOTE_MAX];
    if (!given(check, setting))
        return;
    char **words = settings_words(text_of(check, setting), &fault);
    if (!words)
        refuse(check, setting, "%s", fault.text);
    else if (!program_exists(words[0]))
        refuse(check, setting, "\"%s\" is no program that can be executed%s",
               input_quote(words[0], quoted),
               strchr(words[0], '/') ? "" : ", nor is one of that name in PATH");
    free(words);
}

/* --- who signs --- */

static void check_store(struct check *check)
{
    const char *name = text_of(check, SETTING_ACCOUNT_KEY);
    const char *directory = text_of(check, SETTING_ACCOUNT_KEYS_DIR);
    char usual[KEYS_PATH_MAX];
    struct sealed_key sealed;
    struct fault fault;
    bool good = (directory || keys_directory(usual, &fault)) &&
                keys_load(directory ? directory : usual, name, &sealed, &fault);
    if (!good)
        refuse(check, SETTING_ACCOUNT_KEY, "%s", fault.text);
    else if (!given(check, SETTING_ACCOUNT_PASSPHRASE_FILE) &&
             !given(check, SETTING_ACCOUNT_PASSPHRASE_FD))
        check->tell(check->owner, false,
                    "account.key: its passphrase will be asked for at the terminal; a service has "
                    "none, give account.passphrase_file");
}

/* Nobody is asked and no descriptor is read that can be read once only. */
static bool can_be_opened(const struct check *check, enum setting way)
{
    return way == SETTING_ACCOUNT_KEY_FILE ||
           (way == SETTING_ACCOUNT_KEY && given(check, SETTING_ACCOUNT_PASSPHRASE_FILE) &&
            !given(check, SETTING_ACCOUNT_PASSPHRASE_FD));
}

static void check_account(struct check *check)
{
    uint32_t before = check->faults;
    struct fault fault;
    enum setting way;
    if (!account_way(check->settings, &way, &fault)) {
        expect(check, fault_within(&fault, "account"), &fault);
        return;
    }
    if (way == SETTING_ACCOUNT_KEY)
        check_store(check);
    if (way == SETTING_ACCOUNT_SIGNER)
        check_program(check, way);
    if (check->faults > before || !can_be_opened(check, way))
        return;
    struct signer *signer = signer_from_settings(check->settings, &fault);
    if (signer)
        signer_destroy(&signer);
    else
        refuse(check, way, "%s", fault.text);
}

/* --- the agent's folder --- */

/* The nearest folder above that is there. */
static void folder_above(const char *path, char above[PATH_MAX])
{
    struct stat about;
    snprintf(above, PATH_MAX, "%s", path);
    while (stat(above, &about) != 0) {
        char *slash = strrchr(above, '/');
        if (!slash || slash == above) {
            snprintf(above, PATH_MAX, "%s", slash ? "/" : ".");
            return;
        }
        *slash = '\0';
    }
}

static void check_folder(struct check *check)
{
    const char *dir = text_of(check, SETTING_AGENT_DIR);
    char above[PATH_MAX];
    struct stat about;
    bool there = stat(dir, &about) == 0;
    if (there && !S_ISDIR(about.st_mode))
        refuse(check, SETTING_AGENT_DIR, "%.200s is no directory", dir);
    else if (there && (about.st_mode & 077) != 0)
        refuse(check, SETTING_AGENT_DIR,
               "%.200s is open to others (mode %04o); expected 0700: chmod 0700 it", dir,
               (unsigned)about.st_mode & 07777u);
    folder_above(dir, above);
    if ((!there || S_ISDIR(about.st_mode)) && access(above, W_OK | X_OK) != 0)
        refuse(check, SETTING_AGENT_DIR, "%.200s cannot be written to: %s", above, strerror(errno));
}

static void check_socket(struct check *check)
{
    const char *control = text_of(check, SETTING_AGENT_CONTROL);
    size_t length =
        control ? strlen(control) : strlen(text_of(check, SETTING_AGENT_DIR)) + strlen("/control");
    if (length >= sizeof((struct sockaddr_un *)NULL)->sun_path)
        refuse(check, control ? SETTING_AGENT_CONTROL : SETTING_AGENT_DIR,
               "the path of the control socket has %zu bytes, a socket's may have %zu; name a "
               "shorter agent.control",
               length, sizeof((struct sockaddr_un *)NULL)->sun_path - 1);
}

/* --- gossip --- */

/* Nobody can dial what names no host. */
static bool is_unspecified(const char *endpoint)
{
    return strncmp(endpoint, "tcp://0.0.0.0:", 14) == 0 ||
           strncmp(endpoint, "tcp://[::]:", 11) == 0;
}

static void check_endpoints(struct check *check)
{
    const char *items[SETTINGS_LIST_MAX];
    uint32_t count = settings_list(check->settings, SETTING_GOSSIP_ADVERTISE, items);
    for (uint32_t i = 0; i < count; i++)
        if (is_unspecified(items[i]))
            refuse(check, SETTING_GOSSIP_ADVERTISE,
                   "nobody can dial %.80s; expected the address or name under which other hosts "
                   "reach this one",
                   items[i]);
    if (count > 0 && !given(check, SETTING_GOSSIP_LISTEN))
        refuse(check, SETTING_GOSSIP_ADVERTISE,
               "nobody listens there; give gossip.listen, such as tcp://0.0.0.0:26670");
    if (count == 0 && given(check, SETTING_GOSSIP_LISTEN))
        check->tell(check->owner, false,
                    "gossip.listen: other agents do not learn where; give gossip.advertise");
    if (count == 0 && !given(check, SETTING_GOSSIP_SEEDS))
        check->tell(check->owner, false,
                    "gossip: no seeds, and nobody learns of this agent: it hears nobody");
}

/* Of a folder that is as it should be. */
static void check_key(struct check *check)
{
    struct gossip_key GOSSIP_KEY_WIPED key;
    struct fault fault;
    bool missing;
    expect(check,
           gossip_key_read(text_of(check, SETTING_AGENT_DIR), &key, &missing, &fault) || missing,
           &fault);
}

/* --- what runs the node --- */

static void require(struct check *check, enum setting setting, const char *what)
{
    if (!given(check, setting))
        refuse(check, setting, "not set; expected %s", what);
}

/* cosmovisor's variables stand in for what the settings leave out. */
static const char *text_or(const struct check *check, enum setting setting, const char *variable)
{
    const char *text = text_of(check, setting), *other = getenv(variable);
    return text ? text : other && *other ? other : NULL;
}

static void check_process(struct check *check)
{
    const char *home = text_or(check, SETTING_PROCESS_HOME, "DAEMON_HOME");
    const char *name = text_or(check, SETTING_PROCESS_NAME, "DAEMON_NAME");
    char version[RUNTIME_TARGET_MAX], path[COSMOVISOR_PATH_MAX];
    struct cosmovisor tree;
    struct fault fault;
    if (!home)
        require(check, SETTING_PROCESS_HOME, "the node's home (DAEMON_HOME)");
    if (!name)
        require(check, SETTING_PROCESS_NAME, "the file name of the node's binary (DAEMON_NAME)");
    if (home && name)
        expect(check,
               cosmovisor_open(&tree, home, name, &fault) &&
                   cosmovisor_current(&tree, version, &fault) &&
                   cosmovisor_binary(&tree, version, path, &fault),
               &fault);
}

static void check_docker(struct check *check)
{
    const char *socket = text_of(check, SETTING_DOCKER_SOCKET);
    struct stat about;
    require(check, SETTING_DOCKER_CONTAINER, "the name of the node's container");
    if (stat(socket, &about) != 0 || !S_ISSOCK(about.st_mode))
        refuse(check, SETTING_DOCKER_SOCKET, "%.200s is no socket: is the Docker Engine running?",
               socket);
    else if (access(socket, R_OK | W_OK) != 0)
        refuse(check, SETTING_DOCKER_SOCKET, "%.200s: %s; add the agent's user to the group docker",
               socket, strerror(errno));
}

static void check_runtime(struct check *check)
{
    for (enum setting i = SETTING_COMMAND_STOP; i <= SETTING_COMMAND_HEALTH; i++)
        check_program(check, i);
    for (enum setting i = SETTING_HOOKS_PRE_STOP; i <= SETTING_HOOKS_POST_START; i++)
        check_program(check, i);
    check_program(check, SETTING_SYSTEMD_REINIT);
    switch ((enum runtime_kind)settings_choice(check->settings, SETTING_RUNTIME_DRIVER)) {
    case RUNTIME_NONE:
        check->tell(check->owner, false,
                    "runtime.driver: none, so nothing is stopped or started here; turns are for "
                    "work by hand (stagger pause)");
        break;
    case RUNTIME_PROCESS:
        check_process(check);
        break;
    case RUNTIME_DOCKER:
        check_docker(check);
        break;
    case RUNTIME_SYSTEMD:
        require(check, SETTING_SYSTEMD_UNIT, "the node's unit, such as kirad.service");
        break;
    case RUNTIME_COMMAND:
        require(check, SETTING_COMMAND_STOP, "the command that stops the node");
        require(check, SETTING_COMMAND_START, "the command that starts the node");
        break;
    }
}

/* --- all of it --- */

static void check_charter(struct check *check)
{
    const char *chain_id = text_of(check, SETTING_CHAIN_ID);
    struct charter charter;
    struct fault fault;
    expect(check,
           settings_charter(check->settings, chain_id ? chain_id : CHAIN_ID_GUESS, 1, &charter,
                            &fault),
           &fault);
}

uint32_t settings_check(const struct settings *settings,
                        void (*tell)(void *owner, bool is_fault, const char *line), void *owner)
{
    struct check check = {.settings = settings, .tell = tell, .owner = owner};
    struct coord_policy policy;
    struct fault fault;
    expect(&check, limits_policy(settings, &policy, &fault), &fault);
    check_charter(&check);
    check_readable(&check, SETTING_CHAIN_CA_FILE);
    check_account(&check);
    uint32_t before = check.faults;
    check_folder(&check);
    bool folder_is_good = check.faults == before;
    check_socket(&check);
    if (!settings_bool(settings, SETTING_GOSSIP_OFF)) {
        check_endpoints(&check);
        if (folder_is_good)
            check_key(&check);
    }
    check_runtime(&check);
    return check.faults;
}
