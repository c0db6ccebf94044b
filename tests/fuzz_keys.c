/* libFuzzer entry of everything that reads keys. The first byte says what the rest is:
 *
 *     'f'  the text of a key file           'm'  a mnemonic
 *     'r'  the fields of a key file, raw    'p'  a derivation path
 *     't'  what a person imports
 */
#include <assert.h>
#include <ctype.h>
#include <string.h>

#include "node/hd.h"
#include "node/keys.h"
#include "node/mnemonic.h"

#define CHEAP_MAX                                                                                  \
    4096 /* n * r * p of files that are opened: scrypt itself is not what is looked at */
#define DIGITS_MAX 24 /* in a row of what came from outside, which no fault may hold */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fault_assert(const struct fault *fault, const char *text, size_t size)
{
    assert(fault->text[0] != '\0' && strlen(fault->text) < FAULT_MAX && !strchr(fault->text, '\n'));
    for (size_t i = 0, digits = 0; i < size; i++) {
        char piece[DIGITS_MAX + 1] = "";
        digits = isxdigit((unsigned char)text[i]) ? digits + 1 : 0;
        if (digits < DIGITS_MAX)
            continue;
        memcpy(piece, text + i + 1 - DIGITS_MAX, DIGITS_MAX);
        assert(!strstr(fault->text, piece));
    }
}

static void sealed_try(const struct sealed_key *sealed)
{
    struct secret_key key = {{0}};
    struct fault fault;
    if ((uint64_t)sealed->cost.n * sealed->cost.r * sealed->cost.p > CHEAP_MAX)
        return;
    if (!keys_unseal(sealed, "fuzz", &key, &fault))
        fault_assert(&fault, NULL, 0);
}

static void file_try(const char *text, size_t size)
{
    struct sealed_key sealed;
    struct fault fault;
    char again[KEYS_FILE_MAX];
    if (!sealed_read(text, size, &sealed, &fault)) {
        fault_assert(&fault, text, size);
        return;
    }
    assert(keys_name_check(sealed.name, &fault));
    assert(sealed.cost.n >= 2 && sealed.cost.n <= KEYS_COST_N_MAX && sealed.cost.r >= 1 &&
           sealed.cost.r <= KEYS_COST_R_MAX && sealed.cost.p >= 1 &&
           sealed.cost.p <= KEYS_COST_P_MAX);
    assert(sealed_write(&sealed, again) == size && memcmp(again, text, size) == 0);
    sealed_try(&sealed);
}

/* A file whose form and checksum are right, whatever it holds. */
static void fields_try(const uint8_t *data, size_t size)
{
    static const char LETTERS[] = "abcdefghijklmnopqrstuvwxyz0123456789_-";
    struct sealed_key sealed = {.cost = {2, 1, 1}}, read;
    struct fault fault;
    char text[KEYS_FILE_MAX];
    uint8_t all[sizeof sealed] = {0};
    memcpy(all, data, size < sizeof all ? size : sizeof all);
    memcpy(sealed.public_key, all + 40, sizeof sealed.public_key);
    memcpy(sealed.salt, all + 80, sizeof sealed.salt);
    memcpy(sealed.nonce, all + 112, sizeof sealed.nonce);
    memcpy(sealed.tag, all + 124, sizeof sealed.tag);
    memcpy(sealed.ciphertext, all + 140, sizeof sealed.ciphertext);
    sealed.cost = (struct keys_cost){1u << (1 + all[0] % 18), 1 + all[1] % KEYS_COST_R_MAX,
                                     1 + all[2] % KEYS_COST_P_MAX};
    for (size_t i = 0; i < 1u + all[3] % KEYS_NAME_MAX; i++)
        sealed.name[i] = LETTERS[all[4 + i] % (sizeof LETTERS - 1)];
    bool taken = sealed_read(text, sealed_write(&sealed, text), &read, &fault);
    assert(taken && memcmp(&read, &sealed, sizeof read) == 0);
    sealed_try(&read);
}

static void mnemonic_try(const char *text, size_t size)
{
    struct mnemonic read, again;
    struct fault fault;
    if (!mnemonic_read(text, size, &read, &fault)) {
        fault_assert(&fault, text, size);
        assert(read.text[0] == '\0' && read.words == 0);
        return;
    }
    assert(read.words >= 12 && read.words <= MNEMONIC_WORDS_MAX && read.words % 3 == 0);
    bool taken = mnemonic_read(read.text, strlen(read.text), &again, &fault);
    assert(taken && memcmp(&again, &read, sizeof again) == 0);
}

static void path_try(const char *text, size_t size)
{
    char copy[256] = "";
    struct hd_path path;
    struct fault fault;
    memcpy(copy, text, size < sizeof copy ? size : sizeof copy - 1);
    if (!hd_path_read(copy, &path, &fault))
        fault_assert(&fault, text, 0);
    else
        assert(path.depth <= HD_DEPTH_MAX);
}

static void text_try(const char *text, size_t size)
{
    uint8_t public_key[ACCOUNT_PUBLIC_SIZE];
    struct secret_key key = {{0}};
    struct hd_path path;
    struct fault fault;
    enum keys_text kind;
    bool good = hd_path_read("0", &path, &fault);
    assert(good);
    if (keys_from_text(text, size, &path, &key, &kind, &fault))
        assert(account_public(key.bytes, public_key));
    else
        fault_assert(&fault, text, size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data + 1;
    if (size == 0)
        return 0;
    if (data[0] == 'f')
        file_try(text, size - 1);
    else if (data[0] == 'r')
        fields_try(data + 1, size - 1);
    else if (data[0] == 'm')
        mnemonic_try(text, size - 1);
    else if (data[0] == 'p')
        path_try(text, size - 1);
    else if (data[0] == 't')
        text_try(text, size - 1);
    return 0;
}
