#include "proto/tx.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "proto/encoding.h"

#define JOIN_ANY "stagger/join/"
#define JOIN_ONE "stagger/join/1 "
#define CHARTER_DIGITS 8

static bool begins_with(const char *text, size_t size, const char *start)
{
    return size >= strlen(start) && memcmp(text, start, strlen(start)) == 0;
}

/* 1 to 240 without a leading zero; returns how many digits it read, 0 for none. */
static size_t class_read(const char *text, size_t size, uint32_t *class_minutes)
{
    uint32_t value = 0;
    size_t digits = 0;
    while (digits < size && digits < 3 && text[digits] >= '0' && text[digits] <= '9')
        value = value * 10 + (uint32_t)(text[digits++] - '0');
    *class_minutes = value;
    bool right = digits > 0 && text[0] != '0' && value >= CLASS_MIN && value <= CLASS_MAX;
    return right ? digits : 0;
}

/* Eight digits of hex, lower case. */
static bool charter_read(const char *text, size_t size, uint32_t *charter)
{
    uint8_t bytes[CHARTER_DIGITS / 2];
    for (size_t i = 0; i < size; i++)
        if (text[i] >= 'A' && text[i] <= 'F')
            return false;
    if (!hex_decode(text, size, bytes, sizeof bytes))
        return false;
    *charter =
        (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
    return true;
}

static bool join_one_read(const char *memo, size_t size, uint32_t *class_minutes, uint32_t *charter)
{
    if (!begins_with(memo, size, JOIN_ONE))
        return false;
    const char *at = memo + strlen(JOIN_ONE);
    size_t left = size - strlen(JOIN_ONE), digits = class_read(at, left, class_minutes);
    return digits > 0 && left > digits && at[digits] == ' ' &&
           charter_read(at + digits + 1, left - digits - 1, charter);
}

bool tx_join_memo(const char *memo, size_t size, uint32_t *class_minutes, uint32_t *charter,
                  bool *foreign)
{
    *foreign = false;
    if (join_one_read(memo, size, class_minutes, charter))
        return true;
    *class_minutes = CLASS_MIN;
    *charter = 0;
    *foreign = begins_with(memo, size, JOIN_ANY);
    return *foreign;
}

void tx_join_memo_text(uint32_t class_minutes, uint32_t charter, char memo[TX_JOIN_MEMO_MAX])
{
    assert(class_minutes >= CLASS_MIN && class_minutes <= CLASS_MAX);
    int length =
        snprintf(memo, TX_JOIN_MEMO_MAX, JOIN_ONE "%" PRIu32 " %08" PRIx32, class_minutes, charter);
    assert(length > 0 && length < TX_JOIN_MEMO_MAX);
}
