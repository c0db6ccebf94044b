#include "sim/genesis_value.h"

#include <assert.h>
#include <string.h>

#include <openssl/sha.h>

#include "proto/bech32.h"
#include "proto/encoding.h"

#define KEY_SIZE 32
#define KEY_TEXT_MAX 128 /* characters of the longest shape, with room */

/* --- numbers --- */

static bool digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool digits(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (!digit(text[i])) {
            return false;
        }
    }
    return length > 0;
}

bool genesis_amount(const char *text, size_t length, uint64_t *amount)
{
    if (!digits(text, length)) {
        return false;
    }
    uint64_t sum = 0;
    for (size_t i = 0; i < length; i++) {
        uint64_t next = (uint64_t)(text[i] - '0');
        sum = sum > (GENESIS_NUMBER_MAX - next) / 10 ? GENESIS_NUMBER_MAX : sum * 10 + next;
    }
    *amount = sum;
    return true;
}

/* Whether digits without leading zeros write a number above GENESIS_NUMBER_MAX. */
static bool too_large(const char *text, size_t length)
{
    static const char MOST[] = "4611686018427387904";
    while (length > 0 && *text == '0') {
        text++;
        length--;
    }
    return length > strlen(MOST) || (length == strlen(MOST) && memcmp(text, MOST, length) > 0);
}

bool genesis_number(const char *text, size_t length, uint64_t *number)
{
    return digits(text, length) && !too_large(text, length) && genesis_amount(text, length, number);
}

/* Characters before the first point, or all of them. */
static size_t whole_length(const char *text, size_t length)
{
    const char *point = length == 0 ? NULL : memchr(text, '.', length);
    return point == NULL ? length : (size_t)(point - text);
}

bool genesis_seconds(const char *text, size_t length, uint64_t *seconds)
{
    if (length > 0 && text[length - 1] == 's') {
        length--;
    }
    size_t whole = whole_length(text, length);
    if (whole < length && !digits(text + whole + 1, length - whole - 1)) {
        return false;
    }
    return genesis_number(text, whole, seconds);
}

bool genesis_percent(const char *text, size_t length, uint64_t *percent)
{
    uint64_t value = 0;
    size_t whole = whole_length(text, length);
    if (!genesis_number(text, whole, &value) || value > 100) {
        return false;
    }
    if (whole < length) {
        const char *fraction = text + whole + 1;
        size_t count = length - whole - 1;
        if (!digits(fraction, count)) {
            return false;
        }
        value *= 100;
        value += 10u * (uint64_t)(fraction[0] - '0');
        value += count > 1 ? (uint64_t)(fraction[1] - '0') : 0;
        value += count > 2 && fraction[2] >= '5' ? 1 : 0;
    }
    if (value > 100) {
        return false;
    }
    *percent = value;
    return true;
}

/* --- times --- */

/* Two digits at `text`, or -1. */
static int64_t pair(const char *text)
{
    return digit(text[0]) && digit(text[1]) ? (text[0] - '0') * 10 + (text[1] - '0') : -1;
}

/* Days since 1970-01-01 of the Gregorian calendar: years begin in March, so the leap day comes
 * last. */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
    int64_t from_march = (month + 9) % 12;
    int64_t y = year - (month <= 2 ? 1 : 0);
    int64_t leap_days = (y + 400) / 4 - (y + 400) / 100 + (y + 400) / 400;
    int64_t days = (y + 400) * 365 + leap_days + (from_march * 153 + 2) / 5 + day - 1;
    return days - 865565; /* 1970-01-01 on the scale above, which begins in the year -400 */
}

static int64_t month_days(int64_t year, int64_t month)
{
    static const int64_t DAYS[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return DAYS[month - 1] + (month == 2 && leap ? 1 : 0);
}

/* "2025-11-05T14:04:27" to seconds. */
static bool clock_read(const char *text, int64_t *seconds)
{
    int64_t century = pair(text), years = pair(text + 2), month = pair(text + 5),
            day = pair(text + 8);
    int64_t hour = pair(text + 11), minute = pair(text + 14), second = pair(text + 17);
    bool shaped = text[4] == '-' && text[7] == '-' && (text[10] == 'T' || text[10] == 't') &&
                  text[13] == ':' && text[16] == ':';
    if (!shaped || century < 0 || years < 0 || month < 1 || month > 12 || day < 1) {
        return false;
    }
    int64_t year = century * 100 + years;
    if (day > month_days(year, month) || hour < 0 || hour > 23 || minute < 0 || minute > 59 ||
        second < 0 || second > 60) {
        return false;
    }
    *seconds = ((days_of(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
    return true;
}

/* "Z" or "+02:00" to seconds ahead of UTC. */
static bool offset_read(const char *text, size_t length, int64_t *seconds)
{
    if (length == 1 && (text[0] == 'Z' || text[0] == 'z')) {
        *seconds = 0;
        return true;
    }
    if (length != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':') {
        return false;
    }
    int64_t hours = pair(text + 1), minutes = pair(text + 4);
    if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) {
        return false;
    }
    *seconds = (hours * 60 + minutes) * (text[0] == '-' ? -60 : 60);
    return true;
}

bool genesis_time(const char *text, size_t length, int64_t *time_ms)
{
    const size_t clock = 19;
    int64_t seconds = 0, offset = 0, ms = 0;
    if (length <= clock || !clock_read(text, &seconds)) {
        return false;
    }
    size_t at = clock;
    if (text[at] == '.') {
        size_t first = ++at;
        for (int64_t unit = 100; at < length && digit(text[at]); at++, unit /= 10) {
            ms += unit * (text[at] - '0');
        }
        if (at == first) {
            return false;
        }
    }
    if (!offset_read(text + at, length - at, &offset)) {
        return false;
    }
    int64_t time = (seconds - offset) * 1000 + ms;
    if (time > GENESIS_TIME_MAX_MS) {
        return false;
    }
    *time_ms = time < 0 ? 0 : time;
    return true;
}

/* --- keys --- */

/* Each returns the number of bytes, 0 for what is no such text. */
static size_t hex_read(const char *text, size_t length, uint8_t bytes[KEY_TEXT_MAX])
{
    return hex_decode(text, length, bytes, length / 2) ? length / 2 : 0;
}

static size_t base64_read(const char *text, size_t length, uint8_t bytes[KEY_TEXT_MAX])
{
    size_t size;
    return base64_decode(text, length, bytes, KEY_TEXT_MAX, &size) ? size : 0;
}

static size_t bech32_read(const char *text, size_t length, uint8_t *bytes)
{
    struct bech32 decoded;
    if (bech32_decode(text, length, &decoded) != NULL ||
        !bech32_prefix_ends(&decoded, "valconspub")) {
        return 0;
    }
    memcpy(bytes, decoded.bytes, decoded.size);
    return decoded.size;
}

/* The shapes do not overlap: only one of them can give the right number of bytes. */
static size_t key_read(const char *text, size_t length, uint8_t bytes[KEY_TEXT_MAX])
{
    static const char BEFORE[] = "PubKeyEd25519{";
    size_t before = strlen(BEFORE);
    if (length > before && memcmp(text, BEFORE, before) == 0 && text[length - 1] == '}') {
        return hex_read(text + before, length - before - 1, bytes);
    }
    size_t size = hex_read(text, length, bytes);
    if (size >= KEY_SIZE) {
        return size;
    }
    size = base64_read(text, length, bytes);
    return size >= KEY_SIZE ? size : bech32_read(text, length, bytes);
}

bool genesis_key_address(const char *text, size_t length, uint8_t address[ADDRESS_SIZE])
{
    static const uint8_t AMINO[] = {0x16, 0x24, 0xde, 0x64, 0x20}; /* name of the type, length */
    static const uint8_t PROTOBUF[] = {0x0a, 0x20};                /* field 1, length */
    uint8_t bytes[KEY_TEXT_MAX], hash[SHA256_DIGEST_LENGTH];
    if (length == 0 || length > KEY_TEXT_MAX) {
        return false;
    }
    size_t size = key_read(text, length, bytes), frame = 0;
    if (size == KEY_SIZE + sizeof(AMINO) && memcmp(bytes, AMINO, sizeof(AMINO)) == 0) {
        frame = sizeof(AMINO);
    } else if (size == KEY_SIZE + sizeof(PROTOBUF) &&
               memcmp(bytes, PROTOBUF, sizeof(PROTOBUF)) == 0) {
        frame = sizeof(PROTOBUF);
    }
    if (size != KEY_SIZE + frame) {
        return false;
    }
    SHA256(bytes + frame, KEY_SIZE, hash);
    memcpy(address, hash, ADDRESS_SIZE);
    return true;
}

/* --- monikers --- */

/* Length of the UTF-8 character at `text` and its number; 0 if there is none. */
static size_t character_read(const uint8_t *text, size_t length, uint32_t *number)
{
    static const uint32_t LEAST[] = {0, 0, 0x80, 0x800, 0x10000};
    uint8_t lead = text[0];
    size_t size = lead < 0x80 ? 1 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if ((lead >= 0x80 && lead < 0xc2) || lead > 0xf4 || size > length) {
        return 0;
    }
    uint32_t value = size == 1 ? lead : lead & (0x7fu >> size);
    for (size_t i = 1; i < size; i++) {
        if ((text[i] & 0xc0) != 0x80) {
            return 0;
        }
        value = value << 6 | (text[i] & 0x3f);
    }
    if (value < LEAST[size] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff)) {
        return 0;
    }
    *number = value;
    return size;
}

/* What stands in the moniker for the character at `text`, which is `eaten` bytes long there. */
static size_t character_copy(const char *text, size_t length, bool quoted, const char **copy,
                             size_t *eaten)
{
    uint32_t number = 0;
    bool escape = quoted && length > 1 && text[0] == '\\' && (text[1] == '"' || text[1] == '\\');
    size_t size = character_read((const uint8_t *)text, length, &number);
    *eaten = escape ? 2 : size == 0 ? 1 : size;
    *copy = escape ? text + 1 : text;
    if (size == 0) {
        *copy = "?";
    } else if (number < 0x20 || (number >= 0x7f && number <= 0x9f)) {
        *copy = " ";
    } else {
        return escape ? 1 : size;
    }
    return 1;
}

void genesis_moniker(const char *text, size_t length, char *moniker, size_t size)
{
    size_t used = 0;
    bool quoted = length >= 2 && text[0] == '"' && text[length - 1] == '"';
    if (quoted) {
        text++;
        length -= 2;
    }
    while (length > 0) {
        const char *copy = NULL;
        size_t eaten = 0, added = character_copy(text, length, quoted, &copy, &eaten);
        if (used + added >= size) {
            break;
        }
        if (used > 0 || copy[0] != ' ') {
            memcpy(moniker + used, copy, added);
            used += added;
        }
        text += eaten;
        length -= eaten;
    }
    while (used > 0 && moniker[used - 1] == ' ') {
        used--;
    }
    assert(used < size);
    moniker[used] = '\0';
}
