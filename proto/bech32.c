#include "proto/bech32.h"

#include <assert.h>
#include <string.h>

#define CHECKSUM_SIZE 6
#define TEXT_LENGTH_MAX (BECH32_TEXT_MAX - 1)

static const char ALPHABET[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

static uint32_t polymod_step(uint32_t sum, uint8_t value)
{
    static const uint32_t GENERATOR[5] = {0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd,
                                          0x2a1462b3};
    uint32_t top = sum >> 25;
    sum = (sum & 0x1ffffff) << 5 ^ value;
    for (uint32_t i = 0; i < 5; i++) {
        if (top >> i & 1) {
            sum ^= GENERATOR[i];
        }
    }
    return sum;
}

static uint32_t polymod_prefix(const char *prefix, size_t length)
{
    uint32_t sum = 1;
    for (size_t i = 0; i < length; i++) {
        sum = polymod_step(sum, (uint8_t)prefix[i] >> 5);
    }
    sum = polymod_step(sum, 0);
    for (size_t i = 0; i < length; i++) {
        sum = polymod_step(sum, (uint8_t)prefix[i] & 31);
    }
    return sum;
}

/* Copies in lower case; returns what is wrong with the characters, if anything. */
static const char *characters_check(const char *text, size_t length, char lower[BECH32_TEXT_MAX])
{
    bool has_lower = false, has_upper = false;
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        if (c < 33 || c > 126) {
            return "it has a character that no bech32 text can have";
        }
        has_lower = has_lower || (c >= 'a' && c <= 'z');
        has_upper = has_upper || (c >= 'A' && c <= 'Z');
        lower[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
    }
    lower[length] = '\0';
    return has_lower && has_upper ? "it mixes upper and lower case" : NULL;
}

/* Turns the data characters into five-bit values in place of a second buffer's bytes. */
static const char *values_read(const char *data, size_t length, uint32_t sum, uint8_t *values)
{
    for (size_t i = 0; i < length; i++) {
        const char *place = strchr(ALPHABET, data[i]);
        if (place == NULL) {
            return "it has a character behind the last '1' that bech32 does not use";
        }
        values[i] = (uint8_t)(place - ALPHABET);
        sum = polymod_step(sum, values[i]);
    }
    return sum == 1 ? NULL : "its checksum does not match";
}

static const char *bytes_read(const uint8_t *values, size_t count, struct bech32 *decoded)
{
    uint32_t bits = 0, held = 0;
    decoded->size = 0;
    for (size_t i = 0; i < count; i++) {
        bits = (bits << 5 | values[i]) & 0xfff;
        held += 5;
        if (held >= 8) {
            held -= 8;
            decoded->bytes[decoded->size++] = (uint8_t)(bits >> held);
        }
    }
    bool clean = held < 5 && (bits & ((1u << held) - 1)) == 0;
    return clean ? NULL : "its data is no whole number of bytes";
}

const char *bech32_decode(const char *text, size_t length, struct bech32 *decoded)
{
    char lower[BECH32_TEXT_MAX];
    uint8_t values[BECH32_TEXT_MAX];
    memset(decoded, 0, sizeof(*decoded));
    if (length > TEXT_LENGTH_MAX) {
        return "it is longer than 90 characters";
    }
    const char *wrong = characters_check(text, length, lower);
    if (wrong != NULL) {
        return wrong;
    }
    const char *one = strrchr(lower, '1');
    if (one == NULL || one == lower) {
        return "it has no prefix followed by '1'";
    }
    size_t prefix = (size_t)(one - lower);
    size_t count = length - prefix - 1;
    if (count < CHECKSUM_SIZE) {
        return "it is too short for a checksum";
    }
    wrong = values_read(one + 1, count, polymod_prefix(lower, prefix), values);
    if (wrong != NULL) {
        return wrong;
    }
    memcpy(decoded->prefix, lower, prefix);
    return bytes_read(values, count - CHECKSUM_SIZE, decoded);
}

bool bech32_prefix_ends(const struct bech32 *decoded, const char *tail)
{
    size_t length = strlen(decoded->prefix), want = strlen(tail);
    return length >= want && strcmp(decoded->prefix + length - want, tail) == 0;
}

static size_t values_write(const uint8_t *bytes, size_t size, uint8_t *values)
{
    uint32_t bits = 0, held = 0;
    size_t count = 0;
    for (size_t i = 0; i < size; i++) {
        bits = (bits << 8 | bytes[i]) & 0xfff;
        held += 8;
        while (held >= 5) {
            held -= 5;
            values[count++] = bits >> held & 31;
        }
    }
    if (held > 0) {
        values[count++] = bits << (5 - held) & 31;
    }
    return count;
}

static bool prefix_possible(const char *prefix, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (prefix[i] < 33 || prefix[i] > 126 || (prefix[i] >= 'A' && prefix[i] <= 'Z')) {
            return false;
        }
    }
    return length > 0;
}

bool bech32_encode(const char *prefix, const uint8_t *bytes, size_t size,
                   char text[BECH32_TEXT_MAX])
{
    uint8_t values[BECH32_TEXT_MAX];
    size_t length = strlen(prefix);
    text[0] = '\0';
    if (!prefix_possible(prefix, length) || size > BECH32_BYTES_MAX ||
        length + 1 + (size * 8 + 4) / 5 + CHECKSUM_SIZE > TEXT_LENGTH_MAX) {
        return false;
    }
    size_t count = values_write(bytes, size, values);
    uint32_t sum = polymod_prefix(prefix, length);
    for (size_t i = 0; i < count; i++) {
        sum = polymod_step(sum, values[i]);
    }
    for (size_t i = 0; i < CHECKSUM_SIZE; i++) {
        sum = polymod_step(sum, 0);
    }
    sum ^= 1;
    for (uint32_t i = 0; i < CHECKSUM_SIZE; i++) {
        values[count++] = sum >> 5 * (5 - i) & 31;
    }
    assert(length + 1 + count <= TEXT_LENGTH_MAX);
    memcpy(text, prefix, length);
    text[length] = '1';
    for (size_t i = 0; i < count; i++) {
        text[length + 1 + i] = ALPHABET[values[i]];
    }
    text[length + 1 + count] = '\0';
    return true;
}
