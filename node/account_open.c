#include "node/account_open.h"

#include <stdlib.h>

#include "node/keys.h"
#include "node/passphrase.h"

static const enum setting ways[] = {SETTING_ACCOUNT_KEY, SETTING_ACCOUNT_KEY_FILE,
                                    SETTING_ACCOUNT_SIGNER};

#define WAY_COUNT (sizeof ways / sizeof *ways)

bool account_way(const struct settings *settings, enum setting *way, struct fault *fault)
{
    enum setting_source highest = SETTING_FROM_DEFAULT;
    size_t named = 0;
    for (size_t i = 0; i < WAY_COUNT; i++) {
        if (!settings_given(settings, ways[i]))
            continue;
        enum setting_source source = settings_source(settings, ways[i]);
        if (named == 0 || source > highest) {
            highest = source;
            named = 0;
        }
        if (source < highest)
            continue;
        *way = ways[i];
        named++;
    }
    if (named == 1)
        return true;
    return fault_set(fault,
                     "%s; give one of --key NAME, --key-file FILE, --signer COMMAND, or one of "
                     "key, key_file, signer in [account]",
                     named ? "it is not clear who signs: several are named in one place"
                           : "nothing says who signs");
}

static bool passphrase_of(const struct settings *settings, const char *name,
                          struct secret *passphrase, struct fault *fault)
{
    const enum setting file = SETTING_ACCOUNT_PASSPHRASE_FILE, fd = SETTING_ACCOUNT_PASSPHRASE_FD;
    struct passphrase_source source = {.file = settings_text(settings, file), .fd = -1};
    if (settings_given(settings, fd))
        source.fd = (int)settings_whole(settings, fd);
    if (source.file && source.fd >= 0) {
        if (settings_source(settings, file) == settings_source(settings, fd))
            return fault_set(fault,
                             "passphrase_file and passphrase_fd exclude each other; give one of "
                             "them");
        if (settings_source(settings, file) > settings_source(settings, fd))
            source.fd = -1;
        else
            source.file = NULL;
    }
    return passphrase_read(&source, PASSPHRASE_OPENS, name, passphrase, fault);
}

static struct signer *store_open(const struct settings *settings, struct fault *fault)
{
    char directory[KEYS_PATH_MAX];
    const char *name = settings_text(settings, SETTING_ACCOUNT_KEY);
    const char *given = settings_text(settings, SETTING_ACCOUNT_KEYS_DIR);
    struct secret SECRET_WIPED passphrase = SECRET_NONE;
    struct sealed_key sealed;
    if (!given && !keys_directory(directory, fault))
        return NULL;
    /* nobody is asked for the passphrase of a key that is not there */
    if (!keys_load(given ? given : directory, name, &sealed, fault) ||
        !passphrase_of(settings, name, &passphrase, fault))
        return NULL;
    return signer_from_store(given ? given : directory, name, passphrase.bytes, fault);
}

static struct signer *command_open(const struct settings *settings, struct fault *fault)
{
    char **words = settings_words(settings_text(settings, SETTING_ACCOUNT_SIGNER), fault);
    if (!words) {
        (void)fault_within(fault, "account.signer");
        return NULL;
    }
    struct signer *signer =
        signer_from_command(words, settings_ms(settings, SETTING_ACCOUNT_SIGNER_TIMEOUT), fault);
    free(words);
    return signer;
}

struct signer *signer_from_settings(const struct settings *settings, struct fault *fault)
{
    enum setting way;
    if (!account_way(settings, &way, fault))
        return NULL;
    secret_guard();
    if (way == SETTING_ACCOUNT_KEY)
        return store_open(settings, fault);
    if (way == SETTING_ACCOUNT_SIGNER)
        return command_open(settings, fault);
    return signer_from_file(settings_text(settings, SETTING_ACCOUNT_KEY_FILE), fault);
}
