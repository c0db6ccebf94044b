#include "node/keys.h"

#include <ctype.h>
#include <openssl/crypto.h>
#include <string.h>

#include "node/hd.h"
#include "node/mnemonic.h"
#include "proto/encoding.h"

#define ARMOUR "-----BEGIN"

struct span {
    const char *at;
    size_t size;
};

static bool is_blank(char c)
{
    return isspace((unsigned char)c) != 0;
}

static struct span trimmed(const char *text, size_t size)
{
    while (size > 0 && is_blank(text[0])) {
        text++;
        size--;
    }
    while (size > 0 && is_blank(text[size - 1]))
        size--;
    return (struct span){text, size};
}

static bool span_begins(const struct span *span, const char *with)
{
    size_t size = strlen(with);
    return span->size >= size && memcmp(span->at, with, size) == 0;
}

static bool words_several(const struct span *span)
{
    for (size_t i = 0; i < span->size; i++)
        if (is_blank(span->at[i]))
            return true;
    return false;
}

/* What people have at hand that looks like a key. */
static bool foreign_refuse(const struct span *span, struct fault *fault)
{
    if (span->size == 0)
        return fault_set(fault, "the key: is empty; expected a mnemonic or 64 hex digits");
    if (span_begins(span, ARMOUR))
        return fault_set(fault,
                         "the key: is an armoured export, sealed in a way of its own; export "
                         "it with `sekaid keys export NAME --unarmored-hex --unsafe` (on DCL "
                         "with dcld) and import what that prints");
    if (span_begins(span, "{"))
        return fault_set(fault,
                         "the key: is JSON; expected a mnemonic or 64 hex digits of an account "
                         "key (a node's priv_validator_key.json holds another kind of key)");
    return true;
}

static bool raw_read(const struct span *span, struct secret_key *key, struct fault *fault)
{
    uint8_t public_key[ACCOUNT_PUBLIC_SIZE];
    bool marked = span_begins(span, "0x") || span_begins(span, "0X");
    const char *digits = span->at + (marked ? 2 : 0);
    size_t count = span->size - (marked ? 2 : 0);
    for (size_t i = 0; i < count; i++)
        if (!isxdigit((unsigned char)digits[i]))
            return fault_set(fault,
                             "the key: character %zu is no hex digit; expected 64 hex digits, "
                             "or a mnemonic with blanks between its words",
                             i + 1 + (marked ? 2 : 0));
    if (count != 2 * sizeof key->bytes)
        return fault_set(fault, "the key: has %zu hex digits; expected 64", count);
    bool good = hex_decode(digits, count, key->bytes, sizeof key->bytes) &&
                account_public(key->bytes, public_key);
    if (!good)
        return fault_set(fault, "the key: is none: zero, or not below the order of secp256k1");
    return true;
}

static bool mnemonic_take(const struct span *span, const struct hd_path *path,
                          struct secret_key *key, struct fault *fault)
{
    struct mnemonic mnemonic MNEMONIC_WIPED;
    uint8_t seed[MNEMONIC_SEED_SIZE];
    if (!path)
        return fault_set(fault,
                         "the key: is no 64 hex digits; a mnemonic is taken by `stagger keys "
                         "import`");
    if (!mnemonic_read(span->at, span->size, &mnemonic, fault))
        return false;
    mnemonic_seed(&mnemonic, "", seed);
    bool good = hd_derive(seed, sizeof seed, path, key, fault);
    OPENSSL_cleanse(seed, sizeof seed);
    return good;
}

bool keys_from_text(const char *text, size_t size, const struct hd_path *path,
                    struct secret_key *key, enum keys_text *kind, struct fault *fault)
{
    struct span span = trimmed(text, size);
    if (!foreign_refuse(&span, fault))
        return false;
    *kind = words_several(&span) ? KEYS_TEXT_MNEMONIC : KEYS_TEXT_RAW;
    bool good = *kind == KEYS_TEXT_MNEMONIC ? mnemonic_take(&span, path, key, fault)
                                            : raw_read(&span, key, fault);
    if (!good)
        secret_key_wipe(key);
    return good;
}
