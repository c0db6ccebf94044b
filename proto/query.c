#include "proto/query_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "proto/bech32.h"

#define UNPACKED_MAX ((size_t)64 << 20) /* whatever the reply's size */

void *query_unpack(struct arena *arena, const ProtobufCMessageDescriptor *type,
                   const uint8_t *bytes, size_t size, const char *what, struct fault *fault)
{
    size_t budget = size > QUERY_SIZE_MAX ? 0 : ARENA_BUDGET(size);
    arena_begin(arena, budget < UNPACKED_MAX ? budget : UNPACKED_MAX);
    if (size > QUERY_SIZE_MAX) {
        fault_set(fault, "%s: a reply of %zu bytes is longer than any that can be true", what,
                  size);
        return NULL;
    }
    void *message = bounded_unpack(arena, type, bytes, size, what, fault);
    if (!message)
        arena_end(arena);
    return message;
}

void query_pack(struct query *query, const char *path, const ProtobufCMessage *request)
{
    query->path = path;
    query->size = protobuf_c_message_get_packed_size(request);
    assert(query->size <= sizeof query->request);
    protobuf_c_message_pack(request, query->request);
}

/* QueryAccountRequest stands for every request that is one text. */
void query_by_text(struct query *query, const char *path, const char *text)
{
    Cosmos__QueryAccountRequest request = COSMOS__QUERY_ACCOUNT_REQUEST__INIT;
    request.address = bounded_text(text);
    query_pack(query, path, &request.base);
}

void query_page_request(Cosmos__PageRequest *page, const uint8_t *key, size_t key_size)
{
    assert(key_size <= QUERY_KEY_MAX);
    cosmos__page_request__init(page);
    page->limit = QUERY_PAGE_MAX;
    page->count_total = key_size == 0;
    page->key = bounded_bytes(key, key_size);
}

/* How many bytes a well-formed UTF-8 sequence of a character fit for a terminal has; 0 when it is
 * none. */
static size_t character_size(const uint8_t *text, size_t left)
{
    static const uint32_t smallest[] = {0, 0x20, 0xa0, 0x800, 0x10000};
    size_t size = text[0] < 0x80 ? 1 : text[0] < 0xe0 ? 2 : text[0] < 0xf0 ? 3 : 4;
    uint32_t point = size == 1 ? text[0] : text[0] & (0x7fu >> size);
    if (size > left || (text[0] >= 0x80 && text[0] < 0xc0) || text[0] >= 0xf8)
        return 0;
    for (size_t i = 1; i < size; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
        point = point << 6 | (text[i] & 0x3f);
    }
    bool surrogate = point >= 0xd800 && point <= 0xdfff;
    bool invisible = point == 0x7f || (point >= 0x200b && point <= 0x200f) ||
                     (point >= 0x2028 && point <= 0x202e) || (point >= 0x2060 && point <= 0x206f) ||
                     point == 0xfeff;
    return point < smallest[size] || point > 0x10ffff || surrogate || invisible ? 0 : size;
}

void query_say(const ProtobufCBinaryData *text, char *out, size_t room)
{
    size_t at = 0, used = 0, fits = 0; /* fits: where "..." may stand */
    assert(room > 4);
    while (at < text->len) {
        size_t size = character_size(text->data + at, text->len - at);
        size_t step = size ? size : 1;
        if (used + step > room - 1)
            break;
        memcpy(out + used, size ? (const char *)text->data + at : "?", step);
        at += step;
        used += step;
        fits = used <= room - 4 ? used : fits;
    }
    out[used] = '\0';
    if (at < text->len)
        memcpy(out + fits, "...", 4);
}

bool query_is(const ProtobufCBinaryData *text, const char *word)
{
    return text->len == strlen(word) && memcmp(text->data, word, text->len) == 0;
}

bool query_digits(const ProtobufCBinaryData *text, char *out, size_t room)
{
    if (text->len == 0 || text->len >= room)
        return false;
    for (size_t i = 0; i < text->len; i++) {
        if (text->data[i] < '0' || text->data[i] > '9')
            return false;
        out[i] = (char)text->data[i];
    }
    out[text->len] = '\0';
    return true;
}

/* An account's prefix is any that is not one of the other kinds: networks choose their own. */
static bool prefix_fits(const struct bech32 *decoded, const char *tail)
{
    if (*tail)
        return bech32_prefix_ends(decoded, tail);
    return !bech32_prefix_ends(decoded, "valoper") && !bech32_prefix_ends(decoded, "valcons") &&
           !bech32_prefix_ends(decoded, "pub");
}

bool query_address(const ProtobufCBinaryData *text, const char *tail, const char *what,
                   uint8_t address[ACCOUNT_ADDRESS_SIZE], struct fault *fault)
{
    struct bech32 decoded;
    const char *wrong = bech32_decode((const char *)text->data, text->len, &decoded);
    if (!wrong && decoded.size != ACCOUNT_ADDRESS_SIZE)
        wrong = "it does not hold 20 bytes";
    if (!wrong && !prefix_fits(&decoded, tail))
        wrong = "its prefix is that of another kind of address";
    if (wrong)
        return fault_set(fault, "%s: no address: %s", what, wrong);
    memcpy(address, decoded.bytes, ACCOUNT_ADDRESS_SIZE);
    return true;
}

bool query_raw_address(const ProtobufCBinaryData *bytes, const char *what,
                       uint8_t address[ACCOUNT_ADDRESS_SIZE], struct fault *fault)
{
    if (bytes->len != ACCOUNT_ADDRESS_SIZE)
        return fault_set(fault, "%s: an address of 20 bytes was expected, here are %zu", what,
                         bytes->len);
    memcpy(address, bytes->data, ACCOUNT_ADDRESS_SIZE);
    return true;
}

bool query_not_negative(int64_t value, const char *what, struct fault *fault)
{
    return value >= 0 || fault_set(fault, "%s: it is negative, which cannot be", what);
}

bool query_next_key(const Cosmos__PageResponse *page, uint8_t *next_key, size_t *next_key_size,
                    uint64_t *total, const char *what, struct fault *fault)
{
    *next_key_size = page ? page->next_key.len : 0;
    *total = page ? page->total : 0;
    if (*next_key_size > QUERY_KEY_MAX)
        return fault_set(fault, "%s.pagination.next_key: at most %d bytes were expected", what,
                         QUERY_KEY_MAX);
    if (*next_key_size)
        memcpy(next_key, page->next_key.data, *next_key_size);
    return true;
}

static int accounts_compare(const void *a, const void *b)
{
    return memcmp(a, b, ACCOUNT_ADDRESS_SIZE);
}

bool query_accounts_sort(uint8_t (*accounts)[ACCOUNT_ADDRESS_SIZE], uint32_t count)
{
    if (count)
        qsort(accounts, count, sizeof *accounts, accounts_compare);
    for (uint32_t i = 1; i < count; i++) {
        if (accounts_compare(accounts[i - 1], accounts[i]) == 0)
            return false;
    }
    return true;
}

bool query_votes_sort(struct query_votes *votes)
{
    _Static_assert(offsetof(struct query_vote, account) == 0, "compared by its first member");
    if (votes->count)
        qsort(votes->votes, votes->count, sizeof *votes->votes, accounts_compare);
    for (uint32_t i = 1; i < votes->count; i++) {
        if (accounts_compare(&votes->votes[i - 1], &votes->votes[i]) == 0)
            return false;
    }
    return true;
}
