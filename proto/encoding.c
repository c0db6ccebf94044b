#include "proto/encoding.h"

#include <string.h>

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool hex_decode(const char *text, size_t length, uint8_t *bytes, size_t size)
{
    if (length != size * 2)
        return false;
    for (size_t i = 0; i < size; i++) {
        int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        bytes[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static void encode_with(const char *digits, const uint8_t *bytes, size_t size, char *text)
{
    for (size_t i = 0; i < size; i++) {
        *text++ = digits[bytes[i] >> 4];
        *text++ = digits[bytes[i] & 15];
    }
    *text = '\0';
}

void hex_encode(const uint8_t *bytes, size_t size, char *text)
{
    encode_with("0123456789abcdef", bytes, size, text);
}

void hex_encode_upper(const uint8_t *bytes, size_t size, char *text)
{
    encode_with("0123456789ABCDEF", bytes, size, text);
}

static const char base64_alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static int base64_digit(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Four characters, `pads` of them padding, become 3 - pads bytes. */
static bool decode_group(const char *text, size_t pads, uint8_t out[3])
{
    uint32_t bits = 0;
    for (size_t i = 0; i < 4; i++) {
        int digit = i >= 4 - pads ? 0 : base64_digit(text[i]);
        if (digit < 0)
            return false;
        bits = bits << 6 | (uint32_t)digit;
    }
    for (size_t i = 0; i < 3; i++)
        out[i] = (uint8_t)(bits >> (16 - 8 * i));
    return pads == 0 || (bits & ((1u << 8 * pads) - 1)) == 0;
}

bool base64_decode(const char *text, size_t length, uint8_t *bytes, size_t room, size_t *size)
{
    *size = 0;
    if (length % 4 != 0)
        return false;
    for (size_t at = 0; at < length; at += 4) {
        bool last = at + 4 == length;
        size_t pads = !last || text[at + 3] != '=' ? 0 : text[at + 2] != '=' ? 1 : 2;
        uint8_t group[3];
        if (!decode_group(text + at, pads, group) || room - *size < 3 - pads)
            return false;
        memcpy(bytes + *size, group, 3 - pads);
        *size += 3 - pads;
    }
    return true;
}

void base64_encode(const uint8_t *bytes, size_t size, char *text)
{
    for (size_t at = 0; at < size; at += 3) {
        size_t left = size - at < 3 ? size - at : 3;
        uint32_t bits = (uint32_t)bytes[at] << 16;
        if (left > 1)
            bits |= (uint32_t)bytes[at + 1] << 8;
        if (left > 2)
            bits |= bytes[at + 2];
        for (size_t i = 0; i < 4; i++)
            *text++ = i > left ? '=' : base64_alphabet[bits >> (18 - 6 * i) & 63];
    }
    *text = '\0';
}
