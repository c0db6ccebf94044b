/* From the text of a setting to its value, by kind. */
#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "node/settings_internal.h"
#include "proto/encoding.h"
#include "proto/input.h"
#include "proto/record.h"

#define FRACTION_PART_MAX 1000000
#define PORT_MAX 65535

static const char *const url_schemes[] = {"http://", "https://", "tcp://"};

/* Of kinds whose bounds are always the same; NULL: of the others. */
static const char *const expected_texts[] = {
    [SETTING_IS_URL] = "a URL such as http://127.0.0.1:26657",
    [SETTING_IS_BOOL] = "yes or no",
    [SETTING_IS_PATH] = "a path",
    [SETTING_IS_COIN] = "an amount with its denomination, such as 100ukex",
    [SETTING_IS_ADDRESS] = "a host and its port, such as 127.0.0.1:9050",
    [SETTING_IS_ENDPOINT] = "an endpoint such as tcp://0.0.0.0:26670",
    [SETTING_IS_SEEDS] = NULL, /* the last kind */
};

/* What stands before, between and behind the two bounds. */
struct expected_bounds {
    const char *before, *between, *behind;
};

static void bounds_write(const struct setting_row *row, struct expected_bounds words,
                         char out[SETTING_EXPECTED_MAX])
{
    snprintf(out, SETTING_EXPECTED_MAX, "%s%" PRIu64 "%s%" PRIu64 "%s", words.before, row->min,
             words.between, row->max, words.behind);
}

static void max_write(const struct setting_row *row, const char *what,
                      char out[SETTING_EXPECTED_MAX])
{
    bool list = setting_is_list(row);
    snprintf(out, SETTING_EXPECTED_MAX, "%sat most %" PRIu64 " %s%s", list ? "" : "a command of ",
             row->max, what, list ? " with commas between them" : "");
}

static void duration_write(const struct setting_row *row, char out[SETTING_EXPECTED_MAX])
{
    char from[INPUT_DURATION_MAX], to[INPUT_DURATION_MAX];
    input_duration_text((int64_t)row->min, from);
    input_duration_text((int64_t)row->max, to);
    snprintf(out, SETTING_EXPECTED_MAX, "a duration from %s to %s", from, to);
}

static void choices_write(const struct setting_row *row, char out[SETTING_EXPECTED_MAX])
{
    size_t used = 0;
    for (uint32_t i = 0; row->choices[i]; i++)
        used += (size_t)snprintf(out + used, SETTING_EXPECTED_MAX - used, "%s%s", i ? " or " : "",
                                 row->choices[i]);
}

void setting_expected(const struct setting_row *row, char out[SETTING_EXPECTED_MAX])
{
    switch (row->kind) {
    case SETTING_IS_TEXT:
        bounds_write(row, (struct expected_bounds){"", " to ", " printable characters"}, out);
        return;
    case SETTING_IS_WHOLE:
        bounds_write(row, (struct expected_bounds){"a whole number from ", " to ", ""}, out);
        return;
    case SETTING_IS_FRACTION:
        bounds_write(row, (struct expected_bounds){"a fraction of at least ", "/", " and below 1"},
                     out);
        return;
    case SETTING_IS_PAIR:
        bounds_write(row,
                     (struct expected_bounds){"two whole numbers from ", " to ",
                                              " with a comma between them"},
                     out);
        return;
    case SETTING_IS_DURATION:
        duration_write(row, out);
        return;
    case SETTING_IS_CHOICE:
        choices_write(row, out);
        return;
    case SETTING_IS_URLS:
        max_write(row, "URLs", out);
        return;
    case SETTING_IS_ENDPOINTS:
        max_write(row, "endpoints tcp://host:port", out);
        return;
    case SETTING_IS_SEEDS:
        max_write(row, "seeds KEY@tcp://host:port", out);
        return;
    case SETTING_IS_COMMAND:
        max_write(row, "characters", out);
        return;
    default:
        assert(expected_texts[row->kind]); /* a kind without words */
        snprintf(out, SETTING_EXPECTED_MAX, "%s", expected_texts[row->kind]);
    }
}

void setting_url_shown(const char *url, char *out, size_t size)
{
    const char *host = strstr(url, "://");
    host = host ? host + 3 : url;
    size_t authority = strcspn(host, "/");
    const char *at = NULL;
    for (size_t i = 0; i < authority; i++)
        if (host[i] == '@')
            at = host + i;
    if (at)
        snprintf(out, size, "%.*s***%s", (int)(host - url), url, at);
    else
        snprintf(out, size, "%s", url);
}

/* A list of URLs may hold a password anywhere, and what was meant for another option of [account] may be a key:
 * their text is not repeated. */
static bool refuse(const struct setting_row *row, const char *text, struct fault *fault)
{
    char expected[SETTING_EXPECTED_MAX], shown[INPUT_QUOTE_MAX + 1] = "", quoted[INPUT_QUOTE_MAX];
    setting_expected(row, expected);
    if (!*text)
        return fault_set(fault, "it is empty; expected %s", expected);
    if (setting_is_list(row) || row->kind == SETTING_IS_COMMAND ||
        strcmp(row->section, "account") == 0)
        return fault_set(fault, "its value is not accepted; expected %s", expected);
    if (row->kind == SETTING_IS_URL)
        setting_url_shown(text, shown, sizeof shown);
    return fault_set(fault, "\"%s\" is not accepted; expected %s",
                     input_quote(*shown ? shown : text, quoted), expected);
}

static bool text_is_printable(const char *text)
{
    for (; *text; text++)
        if (*text < ' ' || *text > '~')
            return false;
    return true;
}

/* A path may hold every byte that is no control character. */
static bool path_is_good(const char *text)
{
    if (!*text)
        return false;
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || *text == 127)
            return false;
    return true;
}

static bool port_is_good(const char *text, size_t length)
{
    char digits[8];
    uint64_t port;
    if (length == 0 || length >= sizeof digits)
        return false;
    memcpy(digits, text, length);
    digits[length] = '\0';
    return input_whole(digits, &port) && port >= 1 && port <= PORT_MAX;
}

/* host, host:port, [address]:port */
static bool host_is_good(const char *host, size_t length)
{
    size_t name = 0;
    if (length && host[0] == '[') {
        name = 1 + strspn(host + 1, "0123456789abcdefABCDEF:.");
        if (name < 3 || name >= length || host[name++] != ']')
            return false;
    } else {
        name = strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_");
        if (name == 0 || name > length)
            return false;
    }
    return name == length ||
           (host[name] == ':' && port_is_good(host + name + 1, length - name - 1));
}

static bool url_is_good(const char *url)
{
    const char *host = NULL;
    for (size_t i = 0; i < sizeof url_schemes / sizeof url_schemes[0]; i++)
        if (strncmp(url, url_schemes[i], strlen(url_schemes[i])) == 0)
            host = url + strlen(url_schemes[i]);
    if (!host)
        return false;
    for (const char *c = url; *c; c++)
        if (*c <= ' ' || *c > '~' || strchr("\"<>\\^`{|}?#", *c))
            return false;
    size_t length = strcspn(host, "/");
    for (size_t i = length; i > 0; i--)
        if (host[i - 1] == '@')
            return host_is_good(host + i, length - i);
    return host_is_good(host, length);
}

/* "KEY@ENDPOINT" */
static bool seed_is_good(const char *seed)
{
    uint8_t key[RECORD_KEY_SIZE];
    const char *at = strchr(seed, '@');
    return at && hex_decode(seed, (size_t)(at - seed), key, sizeof key) &&
           record_endpoint_check(at + 1);
}

static bool item_check(const struct setting_row *row, const char *item, uint32_t number,
                       struct fault *fault)
{
    if (row->kind == SETTING_IS_URLS)
        return url_is_good(item) ||
               fault_set(fault, "number %u of the list is no URL such as http://127.0.0.1:26657",
                         number);
    if (row->kind == SETTING_IS_ENDPOINTS)
        return record_endpoint_check(item) ||
               fault_set(fault,
                         "number %u of the list is no endpoint such as tcp://192.0.2.1:26670, of "
                         "at most %d characters",
                         number, RECORD_ENDPOINT_MAX);
    return seed_is_good(item) ||
           fault_set(fault,
                     "number %u of the list is not KEY@tcp://host:port, as `stagger gossip-key` "
                     "prints it on the other host: a key of 64 hex digits and at most %d "
                     "characters behind the @",
                     number, RECORD_ENDPOINT_MAX);
}

static bool list_parse(const struct setting_row *row, const char *text, struct setting_value *value,
                       struct fault *fault)
{
    assert(row->max <= SETTINGS_LIST_MAX);
    for (const char *at = text;;) {
        at += strspn(at, " \t");
        if (!*at && value->item_count > 0)
            return true; /* a comma at the end, where an indented line may go on */
        size_t length = strcspn(at, ","), used = length;
        while (used && (at[used - 1] == ' ' || at[used - 1] == '\t'))
            used--;
        if (value->item_count == row->max)
            return refuse(row, text, fault);
        char *item = strndup(at, used);
        if (!item)
            return fault_set(fault, "out of memory");
        value->items[value->item_count++] = item;
        if (!item_check(row, item, value->item_count, fault))
            return false;
        if (!at[length])
            return true;
        at += length + 1;
    }
}

static bool bool_parse(const char *text, uint64_t *number)
{
    static const char *const words[] = {"no", "yes", "false", "true", "off", "on"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(text, words[i]) == 0) {
            *number = i % 2;
            return true;
        }
    }
    return false;
}

static bool choice_parse(const struct setting_row *row, const char *text, uint64_t *number,
                         struct fault *fault)
{
    char expected[SETTING_EXPECTED_MAX], quoted[INPUT_QUOTE_MAX];
    struct input_nearest nearest = {text, NULL, 0};
    for (uint64_t i = 0; row->choices[i]; i++) {
        if (strcmp(text, row->choices[i]) == 0) {
            *number = i;
            return true;
        }
        input_nearest_offer(&nearest, row->choices[i]);
    }
    if (!*text || !nearest.best)
        return refuse(row, text, fault);
    setting_expected(row, expected);
    return fault_set(fault, "\"%s\" is not known; expected %s; did you mean %s?",
                     input_quote(text, quoted), expected, nearest.best);
}

static bool fraction_parse(const struct setting_row *row, const char *text, uint64_t number[2])
{
    uint64_t num, den;
    if (!input_ratio(text, &num, &den) || den > FRACTION_PART_MAX || num >= den)
        return false;
    if (num * row->max < den * row->min)
        return false;
    number[0] = num;
    number[1] = den;
    return true;
}

static bool whole_within(const struct setting_row *row, const char *text, uint64_t *number)
{
    return input_whole(text, number) && *number >= row->min && *number <= row->max;
}

static bool pair_parse(const struct setting_row *row, const char *text, uint64_t number[2])
{
    char first[24];
    size_t length = strcspn(text, ",");
    if (length >= sizeof first || text[length] != ',')
        return false;
    memcpy(first, text, length);
    first[length] = '\0';
    return whole_within(row, first, &number[0]) && whole_within(row, text + length + 1, &number[1]);
}

/* A letter, then 2 to 127 letters, digits and / : . _ - as the chains have it. */
static bool denom_is_good(const char *denom)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    size_t length = strlen(denom);
    if (length < 3 || length > 128 || !strchr(letters, denom[0]))
        return false;
    for (const char *c = denom; *c; c++)
        if (!strchr(letters, *c) && !strchr("0123456789/:._-", *c))
            return false;
    return true;
}

static bool coin_parse(const struct setting_row *row, const char *text, struct setting_value *value)
{
    char digits[24];
    size_t length = strspn(text, "0123456789");
    if (length == 0 || length >= sizeof digits || !denom_is_good(text + length))
        return false;
    memcpy(digits, text, length);
    digits[length] = '\0';
    if (!whole_within(row, digits, &value->number[0]))
        return false;
    value->items[0] = strdup(text + length);
    value->item_count = value->items[0] ? 1 : 0;
    return value->items[0] != NULL;
}

static bool duration_parse(const struct setting_row *row, const char *text, uint64_t *number)
{
    int64_t ms;
    if (!input_duration(text, &ms))
        return false;
    *number = (uint64_t)ms;
    return *number >= row->min && *number <= row->max;
}

static bool length_fits(const struct setting_row *row, const char *text)
{
    return text_is_printable(text) && strlen(text) >= row->min && strlen(text) <= row->max;
}

/* Its words may hold anything, so none is repeated. */
static bool command_check(const struct setting_row *row, const char *text, struct fault *fault)
{
    if (!length_fits(row, text))
        return refuse(row, text, fault);
    char **words = settings_words(text, fault);
    free(words);
    return words != NULL;
}

/* "host:port"; the port is not left out. */
static bool address_is_good(const char *text)
{
    const char *colon = strrchr(text, ':');
    return colon && colon[1] && !strchr(colon, ']') && host_is_good(text, strlen(text));
}

static bool kind_parse(const struct setting_row *row, const char *text, struct setting_value *value,
                       struct fault *fault)
{
    bool good = false;
    switch (row->kind) {
    case SETTING_IS_TEXT:
        good = length_fits(row, text);
        break;
    case SETTING_IS_PATH:
        good = path_is_good(text);
        break;
    case SETTING_IS_URL:
        good = url_is_good(text);
        break;
    case SETTING_IS_URLS:
    case SETTING_IS_ENDPOINTS:
    case SETTING_IS_SEEDS:
        return list_parse(row, text, value, fault);
    case SETTING_IS_COMMAND:
        return command_check(row, text, fault);
    case SETTING_IS_ADDRESS:
        good = address_is_good(text);
        break;
    case SETTING_IS_ENDPOINT:
        good = record_endpoint_check(text);
        break;
    case SETTING_IS_WHOLE:
        good = whole_within(row, text, &value->number[0]);
        break;
    case SETTING_IS_DURATION:
        good = duration_parse(row, text, &value->number[0]);
        break;
    case SETTING_IS_BOOL:
        good = bool_parse(text, &value->number[0]);
        break;
    case SETTING_IS_CHOICE:
        return choice_parse(row, text, &value->number[0], fault);
    case SETTING_IS_FRACTION:
        good = fraction_parse(row, text, value->number);
        break;
    case SETTING_IS_COIN:
        good = coin_parse(row, text, value);
        break;
    case SETTING_IS_PAIR:
        good = pair_parse(row, text, value->number);
        break;
    }
    return good || refuse(row, text, fault);
}

bool setting_parse(const struct setting_row *row, const char *text, struct setting_value *value,
                   struct fault *fault)
{
    *value = (struct setting_value){0};
    if (!kind_parse(row, text, value, fault))
        return false;
    value->text = strdup(text);
    value->given = value->text != NULL;
    return value->given || fault_set(fault, "out of memory");
}
