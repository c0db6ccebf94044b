/* `stagger keys add` and `stagger keys import`: keys that were not in the store before. */
#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "node/command_keys.h"
#include "node/mnemonic.h"
#include "node/options.h"
#include "node/passphrase.h"
#include "node/prompt.h"

#define PASSPHRASE_SHORT 8 /* characters below which a person is warned */

static struct passphrase_source source_of(const struct settings *settings)
{
    struct passphrase_source source = {
        .file = settings_text(settings, SETTING_ACCOUNT_PASSPHRASE_FILE), .fd = -1};
    if (settings_given(settings, SETTING_ACCOUNT_PASSPHRASE_FD))
        source.fd = (int)settings_whole(settings, SETTING_ACCOUNT_PASSPHRASE_FD);
    return source;
}

static bool passphrase_take(const struct keys_call *call, struct secret *passphrase,
                            struct fault *fault)
{
    struct passphrase_source source = source_of(call->settings);
    if (!passphrase_read(&source, PASSPHRASE_SEALS, call->name, passphrase, fault))
        return false;
    if (passphrase->size < PASSPHRASE_SHORT)
        options_say(call->command,
                    "warning: the passphrase has fewer than %d characters; who gets "
                    "the file can try them all",
                    PASSPHRASE_SHORT);
    return true;
}

static bool key_store(const struct keys_call *call, const struct secret_key *key,
                      const struct secret *passphrase, struct sealed_key *sealed,
                      struct fault *fault)
{
    return keys_seal(call->name, key, passphrase->bytes, KEYS_COST, sealed, fault) &&
           keys_save(call->directory, sealed, fault);
}

/* --- add --- */

/* Past stdio, whose buffers keep what they held. */
static bool mnemonic_show(const struct mnemonic *mnemonic)
{
    static const char before[] = "mnemonic    ";
    return fflush(stdout) == 0 && secret_show(STDOUT_FILENO, before, sizeof before - 1) &&
           secret_show(STDOUT_FILENO, mnemonic->text, strlen(mnemonic->text)) &&
           secret_show(STDOUT_FILENO, "\n", 1);
}

static void mnemonic_warn(const struct keys_call *call)
{
    options_say(call->command,
                "these %u words are the key, and this is the only time they are "
                "shown: write them down on paper, in this order, for nobody else",
                call->words);
    if (!isatty(STDOUT_FILENO))
        options_say(call->command, "warning: standard output is no terminal; where it leads, the "
                                   "words now lie in clear");
}

/* A key whose words nobody has seen could never be brought back, so it is not kept. */
static bool mnemonic_hand_over(const struct keys_call *call, const struct sealed_key *sealed,
                               const struct mnemonic *mnemonic, struct fault *fault)
{
    struct fault why;
    if (keys_print(call, sealed, &why) && mnemonic_show(mnemonic)) {
        mnemonic_warn(call);
        return true;
    }
    bool gone = keys_delete(call->directory, call->name, &why);
    return fault_set(fault,
                     "standard output cannot be written to, so nobody has seen the words; the "
                     "key %s",
                     gone ? "was not kept" : "should be deleted");
}

static bool mnemonic_make(const struct keys_call *call, struct mnemonic *mnemonic,
                          struct secret_key *key, struct fault *fault)
{
    uint8_t seed[MNEMONIC_SEED_SIZE];
    if (!mnemonic_new(call->words, mnemonic))
        return fault_set(fault, "the system gives no random numbers");
    mnemonic_seed(mnemonic, "", seed);
    bool good = hd_derive(seed, sizeof seed, &call->path, key, fault);
    OPENSSL_cleanse(seed, sizeof seed);
    return good;
}

bool keys_add(const struct keys_call *call, struct fault *fault)
{
    struct secret passphrase SECRET_WIPED = SECRET_NONE;
    struct secret_key key SECRET_KEY_WIPED = {{0}};
    struct mnemonic mnemonic MNEMONIC_WIPED = {{0}, 0};
    struct sealed_key sealed;
    return keys_vacant(call->directory, call->name, fault) &&
           passphrase_take(call, &passphrase, fault) &&
           mnemonic_make(call, &mnemonic, &key, fault) &&
           key_store(call, &key, &passphrase, &sealed, fault) &&
           mnemonic_hand_over(call, &sealed, &mnemonic, fault);
}

/* --- import --- */

static bool input_is_stream(const struct keys_call *call)
{
    return call->file ? strcmp(call->file, KEYS_STDIN) == 0 : !isatty(STDIN_FILENO);
}

static bool text_read(const struct keys_call *call, struct secret *text, struct fault *fault)
{
    if (input_is_stream(call))
        return secret_read_stream("standard input", STDIN_FILENO, SECRET_TEXT_MAX, false, text,
                                  fault);
    if (call->file)
        return secret_read_file("--file", call->file, SECRET_TEXT_MAX, false, text, fault);
    if (prompt_line("Mnemonic or private key (not shown): ", false, text, fault))
        return true;
    return fault_within(fault, "the key");
}

static bool key_read(const struct keys_call *call, struct secret_key *key, struct fault *fault)
{
    struct secret text SECRET_WIPED = SECRET_NONE;
    enum keys_text kind;
    if (!text_read(call, &text, fault) ||
        !keys_from_text(text.bytes, text.size, &call->path, key, &kind, fault))
        return false;
    if (kind == KEYS_TEXT_RAW && call->path_given)
        return fault_set(fault, "--path is for mnemonics; this is a raw key, which has none");
    return true;
}

bool keys_import(const struct keys_call *call, struct fault *fault)
{
    struct secret passphrase SECRET_WIPED = SECRET_NONE;
    struct secret_key key SECRET_KEY_WIPED = {{0}};
    struct sealed_key sealed;
    /* on one stream the passphrase is the first line, and the key what follows; otherwise a person hears first
     * whether the key is one */
    bool passphrase_first = input_is_stream(call) && source_of(call->settings).fd == STDIN_FILENO;
    if (!keys_vacant(call->directory, call->name, fault) ||
        (passphrase_first && !passphrase_take(call, &passphrase, fault)) ||
        !key_read(call, &key, fault) ||
        (!passphrase_first && !passphrase_take(call, &passphrase, fault)) ||
        !key_store(call, &key, &passphrase, &sealed, fault))
        return false;
    return keys_print(call, &sealed, fault);
}
