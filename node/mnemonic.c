#include "node/mnemonic.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#define WORD_BITS 11
#define SEED_ROUNDS 2048
#define FURTHER_MAX 256
#define SALT_PREFIX "mnemonic"
#define TYPED_MAX 16     /* longer words are near to nothing */
#define DISTANCE_MEANT 2 /* changes by which a word may differ from the one that was meant */

/* Indices of words, or the bits they stand for, are as secret as the words. */
struct numbers {
    uint16_t word[MNEMONIC_WORDS_MAX];
    uint8_t bits[MNEMONIC_ENTROPY_MAX + 1];
    uint8_t digest[SHA256_DIGEST_LENGTH];
};

static void numbers_wipe(struct numbers *numbers)
{
    OPENSSL_cleanse(numbers, sizeof *numbers);
}
#define NUMBERS_WIPED __attribute__((cleanup(numbers_wipe)))

void mnemonic_wipe(struct mnemonic *mnemonic)
{
    OPENSSL_cleanse(mnemonic, sizeof *mnemonic);
}

/* --- words and bits --- */

static bool count_possible(size_t words)
{
    return words >= 12 && words <= MNEMONIC_WORDS_MAX && words % 3 == 0;
}

static void text_append(struct mnemonic *mnemonic, uint32_t word)
{
    size_t at = strlen(mnemonic->text), size = strlen(mnemonic_words[word]);
    assert(at + size + 2 <= sizeof mnemonic->text);
    if (at > 0)
        mnemonic->text[at++] = ' ';
    memcpy(mnemonic->text + at, mnemonic_words[word], size + 1);
    mnemonic->words++;
}

/* Eleven bits from bit `from` on, of at most 33 bytes. */
static uint32_t bits_get(const uint8_t *bytes, uint32_t from)
{
    uint32_t value = 0;
    for (uint32_t bit = from; bit < from + WORD_BITS; bit++)
        value = value << 1 | ((uint32_t)bytes[bit / 8] >> (7 - bit % 8) & 1u);
    return value;
}

static void bits_put(uint8_t *bytes, uint32_t from, uint32_t value)
{
    for (uint32_t i = 0; i < WORD_BITS; i++) {
        uint32_t bit = from + i, one = value >> (WORD_BITS - 1 - i) & 1u;
        bytes[bit / 8] = (uint8_t)(bytes[bit / 8] | one << (7 - bit % 8));
    }
}

void mnemonic_from_entropy(const uint8_t *entropy, size_t size, struct mnemonic *mnemonic)
{
    struct numbers numbers NUMBERS_WIPED = {0};
    uint32_t words = (uint32_t)size * 3 / 4;
    assert(size <= MNEMONIC_ENTROPY_MAX && size % 4 == 0 && count_possible(words));
    memcpy(numbers.bits, entropy, size);
    SHA256(entropy, size, numbers.digest);
    numbers.bits[size] = numbers.digest[0]; /* the checksum has at most eight bits */
    memset(mnemonic, 0, sizeof *mnemonic);
    for (uint32_t i = 0; i < words; i++)
        text_append(mnemonic, bits_get(numbers.bits, i * WORD_BITS));
}

bool mnemonic_new(uint32_t words, struct mnemonic *mnemonic)
{
    uint8_t entropy[MNEMONIC_ENTROPY_MAX];
    size_t size = words / 3 * 4;
    assert(count_possible(words));
    bool good = RAND_priv_bytes(entropy, (int)size) == 1;
    if (good)
        mnemonic_from_entropy(entropy, size, mnemonic);
    OPENSSL_cleanse(entropy, sizeof entropy);
    return good;
}

/* --- what a person typed --- */

struct typed {
    const char *at;
    size_t size;
};

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Moves *rest behind the next word; false when there is none. */
static bool word_next(const char **rest, const char *end, struct typed *word)
{
    const char *at = *rest;
    while (at < end && is_blank(*at))
        at++;
    word->at = at;
    while (at < end && !is_blank(*at))
        at++;
    word->size = (size_t)(at - word->at);
    *rest = at;
    return word->size > 0;
}

static int word_compare(const void *key, const void *entry)
{
    const struct typed *word = key;
    const char *listed = entry;
    for (size_t i = 0; i < word->size; i++) {
        unsigned char typed = (unsigned char)lower(word->at[i]), wanted = (unsigned char)listed[i];
        if (wanted == '\0' || typed != wanted)
            return typed < wanted ? -1 : 1;
    }
    return listed[word->size] == '\0' ? 0 : -1;
}

/* The changes (a letter more, less or another one) that lead from what was typed to a word of the list. */
static uint32_t distance(const struct typed *word, const char *listed)
{
    uint32_t row[MNEMONIC_WORD_MAX + 1];
    size_t size = strlen(listed);
    for (uint32_t j = 0; j <= size; j++)
        row[j] = j;
    for (uint32_t i = 0; i < word->size; i++) {
        uint32_t diagonal = row[0];
        row[0] = i + 1;
        for (uint32_t j = 1; j <= size; j++) {
            uint32_t changed = diagonal + (lower(word->at[i]) != listed[j - 1]);
            uint32_t least = row[j - 1] < row[j] ? row[j - 1] + 1 : row[j] + 1;
            diagonal = row[j];
            row[j] = changed < least ? changed : least;
        }
    }
    return row[size];
}

static const char *word_nearest(const struct typed *word)
{
    const char *best = NULL;
    uint32_t best_distance = DISTANCE_MEANT + 1;
    for (uint32_t i = 0; i < MNEMONIC_LIST && word->size <= TYPED_MAX; i++) {
        uint32_t changes = distance(word, mnemonic_words[i]);
        if (changes < best_distance && changes < word->size) {
            best = mnemonic_words[i];
            best_distance = changes;
        }
    }
    return best;
}

static size_t words_count(const char *text, const char *end)
{
    struct typed word;
    size_t count = 0;
    while (word_next(&text, end, &word))
        count++;
    return count;
}

static bool word_read(const struct typed *word, size_t position, struct numbers *numbers,
                      struct fault *fault)
{
    const char *found =
        bsearch(word, mnemonic_words, MNEMONIC_LIST, sizeof mnemonic_words[0], word_compare);
    if (!found) {
        const char *nearest = word_nearest(word);
        return fault_set(fault, "the mnemonic: word %zu is not in the English list of BIP-39%s%s%s",
                         position + 1, nearest ? "; did you mean \"" : "", nearest ? nearest : "",
                         nearest ? "\"?" : "; look at what was written down");
    }
    numbers->word[position] = (uint16_t)((found - mnemonic_words[0]) / (MNEMONIC_WORD_MAX + 1));
    return true;
}

/* Compares the checksum; the bits of all words have been put together. */
static bool checksum_matches(struct numbers *numbers, size_t words)
{
    size_t size = words / 3 * 4, checksum_bits = size / 4;
    SHA256(numbers->bits, size, numbers->digest);
    return (numbers->digest[0] ^ numbers->bits[size]) >> (8 - checksum_bits) == 0;
}

bool mnemonic_read(const char *text, size_t length, struct mnemonic *mnemonic, struct fault *fault)
{
    struct numbers numbers NUMBERS_WIPED = {0};
    const char *end = text + length;
    struct typed word;
    size_t count = words_count(text, end);
    memset(mnemonic, 0, sizeof *mnemonic);
    if (!count_possible(count))
        return fault_set(fault, "the mnemonic: has %zu word%s; expected 12, 15, 18, 21 or 24",
                         count, count == 1 ? "" : "s");
    for (size_t i = 0; i < count; i++) {
        bool there = word_next(&text, end, &word);
        assert(there);
        if (!word_read(&word, i, &numbers, fault))
            return false;
        bits_put(numbers.bits, (uint32_t)i * WORD_BITS, numbers.word[i]);
    }
    if (!checksum_matches(&numbers, count))
        return fault_set(fault, "the mnemonic: its checksum does not match: all words are in the "
                                "list, but one is another than was written down, or two have "
                                "changed places");
    for (size_t i = 0; i < count; i++)
        text_append(mnemonic, numbers.word[i]);
    return true;
}

void mnemonic_seed(const struct mnemonic *mnemonic, const char *further,
                   uint8_t seed[MNEMONIC_SEED_SIZE])
{
    char salt[sizeof SALT_PREFIX + FURTHER_MAX] = SALT_PREFIX;
    size_t prefix = strlen(SALT_PREFIX), size = strlen(further);
    assert(size <= FURTHER_MAX);
    memcpy(salt + prefix, further, size);
    int good = PKCS5_PBKDF2_HMAC(mnemonic->text, (int)strlen(mnemonic->text),
                                 (const unsigned char *)salt, (int)(prefix + size), SEED_ROUNDS,
                                 EVP_sha512(), MNEMONIC_SEED_SIZE, seed);
    OPENSSL_cleanse(salt, sizeof salt);
    assert(good == 1); /* fails for lack of memory only */
}
