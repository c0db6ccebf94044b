#include "proto/record.h"

#include <assert.h>
#include <string.h>

#include "proto/record_internal.h"

#define SIZE_AT 1
#define BINDING_AT 3
#define SEQUENCE_AT (BINDING_AT + RECORD_BINDING_SIZE)
#define FIELDS_AT (SEQUENCE_AT + 8)
#define HEAD_SIZE (8 + HASH_SIZE)
#define DIGEST_SIZE (1 + HASH_SIZE)

enum tag {
    TAG_CHARTER = 1,
    TAG_PHASE,
    TAG_PLAN,
    TAG_EXPECTED,
    TAG_SOFTWARE,
    TAG_DIGESTS,
    TAG_FAILURE,
    TAG_HEAD,
    TAG_ENDPOINTS,
    TAG_DOMAIN,
    TAG_QUIET,
    TAG_VERDICT,
};

static const char *const tag_names[] = {"tag 0",    "charter", "phase",   "plan", "expected_ms",
                                        "software", "digests", "failure", "head", "endpoints",
                                        "domain",   "quiet",   "verdict"};

/* --- what both directions demand --- */

static bool text_plain(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (text[i] < ' ' || text[i] > '~')
            return false;
    return true;
}

/* The length of the text in an array of room bytes; room when it does not end, or holds other than ASCII. */
static size_t text_length(const char *text, size_t room)
{
    size_t size = strnlen(text, room);
    return text_plain(text, size) ? size : room;
}

static bool check_text(const char *text, size_t room, enum tag tag, struct fault *fault)
{
    if (text_length(text, room) < room)
        return true;
    return fault_set(fault, "record.%s: expected at most %zu printable ASCII characters",
                     tag_names[tag], room - 1);
}

static size_t host_length(const char *text)
{
    if (text[0] != '[')
        return strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_");
    size_t inside = strspn(text + 1, "0123456789abcdefABCDEF:.");
    return inside >= 2 && text[1 + inside] == ']' ? inside + 2 : 0;
}

bool record_endpoint_check(const char *text)
{
    static const char scheme[] = "tcp://";
    if (strnlen(text, RECORD_ENDPOINT_MAX + 1) > RECORD_ENDPOINT_MAX ||
        strncmp(text, scheme, sizeof scheme - 1) != 0)
        return false;
    const char *host = text + sizeof scheme - 1;
    size_t length = host_length(host);
    if (length == 0 || host[length] != ':')
        return false;
    const char *port = host + length + 1;
    uint32_t value = 0;
    size_t digits = strspn(port, "0123456789");
    if (digits < 1 || digits > 5 || port[digits] != '\0' || port[0] == '0')
        return false;
    for (size_t i = 0; i < digits; i++)
        value = value * 10 + (uint32_t)(port[i] - '0');
    return value <= 65535;
}

static bool check_binding(const struct record_binding *binding, struct fault *fault)
{
    if (binding->serial > 0 && binding->serial <= RECORD_SERIAL_MAX)
        return true;
    return fault_set(fault, "record.binding.serial: expected Unix seconds, 1 or later");
}

static bool check_digests(const struct record *r, struct fault *fault)
{
    bool ascending = r->digest_count <= RECORD_DIGESTS_MAX;
    for (uint32_t i = 0; ascending && i < r->digest_count; i++)
        ascending = r->digests[i].kind > (i > 0 ? r->digests[i - 1].kind : 0);
    if (ascending)
        return true;
    return fault_set(fault, "record.digests: expected at most %d, of ascending kinds",
                     RECORD_DIGESTS_MAX);
}

static bool check_endpoints(const struct record *r, struct fault *fault)
{
    if (r->endpoint_count > RECORD_ENDPOINTS_MAX)
        return fault_set(fault, "record.endpoints: expected at most %d", RECORD_ENDPOINTS_MAX);
    for (uint32_t i = 0; i < r->endpoint_count; i++)
        if (!record_endpoint_check(r->endpoints[i]))
            return fault_set(fault,
                             "record.endpoints: expected \"tcp://HOST:PORT\" of at most %d "
                             "characters",
                             RECORD_ENDPOINT_MAX);
    return true;
}

static bool check_failure(const struct record *r, struct fault *fault)
{
    if (r->failure == RECORD_FAILURE_NONE && r->failure_text[0] != '\0')
        return fault_set(fault, "record.failure: a text without a failure");
    return check_text(r->failure_text, sizeof r->failure_text, TAG_FAILURE, fault);
}

static bool check_record(const struct record *r, struct fault *fault)
{
    if (r->sequence == 0 || r->sequence > RECORD_SEQUENCE_MAX)
        return fault_set(fault, "record.sequence: expected 1 to 2^62 - 1");
    if ((unsigned)r->phase >= COORD_STATE_COUNT)
        return fault_set(fault, "record.phase: expected 0 to %d", COORD_STATE_COUNT - 1);
    if ((unsigned)r->failure > UINT8_MAX)
        return fault_set(fault, "record.failure: expected a number below 256");
    if (r->verdict_size > RECORD_VERDICT_MAX)
        return fault_set(fault, "record.verdict: expected at most %d bytes", RECORD_VERDICT_MAX);
    return check_binding(&r->binding, fault) &&
           check_text(r->plan, sizeof r->plan, TAG_PLAN, fault) &&
           check_text(r->software, sizeof r->software, TAG_SOFTWARE, fault) &&
           check_text(r->domain, sizeof r->domain, TAG_DOMAIN, fault) && check_failure(r, fault) &&
           check_digests(r, fault) && check_endpoints(r, fault);
}

/* --- writing --- */

struct writer {
    uint8_t *bytes;
    size_t size;
};

static void put(struct writer *to, const void *bytes, size_t size)
{
    assert(to->size + size <= RECORD_MAX - RECORD_SIGNATURE_SIZE); /* R2 */
    if (size > 0)
        memcpy(to->bytes + to->size, bytes, size);
    to->size += size;
}

static void put_number(struct writer *to, uint64_t value, size_t size)
{
    uint8_t out[8];
    store_number(out, value, size);
    put(to, out, size);
}

static void put_field(struct writer *to, enum tag tag, const void *bytes, size_t size)
{
    assert(size <= UINT8_MAX);
    if (size == 0)
        return;
    put_number(to, (uint64_t)tag, 1);
    put_number(to, size, 1);
    put(to, bytes, size);
}

static void put_text(struct writer *to, enum tag tag, const char *text)
{
    put_field(to, tag, text, strlen(text));
}

static void put_whole(struct writer *to, enum tag tag, uint64_t value)
{
    uint8_t out[8];
    size_t skip = 0;
    store_number(out, value, sizeof out);
    while (skip < sizeof out && out[skip] == 0)
        skip++;
    put_field(to, tag, out + skip, sizeof out - skip);
}

static void put_digests(struct writer *to, const struct record *r)
{
    uint8_t out[RECORD_DIGESTS_MAX * DIGEST_SIZE];
    for (uint32_t i = 0; i < r->digest_count; i++) {
        out[i * DIGEST_SIZE] = r->digests[i].kind;
        memcpy(out + i * DIGEST_SIZE + 1, r->digests[i].hash, HASH_SIZE);
    }
    put_field(to, TAG_DIGESTS, out, r->digest_count * DIGEST_SIZE);
}

static void put_failure(struct writer *to, const struct record *r)
{
    uint8_t out[1 + RECORD_FAILURE_MAX];
    size_t size = strlen(r->failure_text);
    out[0] = (uint8_t)r->failure;
    memcpy(out + 1, r->failure_text, size);
    put_field(to, TAG_FAILURE, out, r->failure == RECORD_FAILURE_NONE ? 0 : 1 + size);
}

static void put_head(struct writer *to, const struct record *r)
{
    uint8_t out[HEAD_SIZE];
    store_number(out, r->head.n, 8);
    memcpy(out + 8, r->head_hash, HASH_SIZE);
    put_field(to, TAG_HEAD, out, r->head.n == 0 ? 0 : sizeof out);
}

static void put_endpoints(struct writer *to, const struct record *r)
{
    uint8_t out[RECORD_ENDPOINTS_MAX * (1 + RECORD_ENDPOINT_MAX)];
    size_t size = 0;
    for (uint32_t i = 0; i < r->endpoint_count; i++) {
        size_t length = strlen(r->endpoints[i]);
        out[size] = (uint8_t)length;
        memcpy(out + size + 1, r->endpoints[i], length);
        size += 1 + length;
    }
    put_field(to, TAG_ENDPOINTS, out, size);
}

static void put_fields(struct writer *to, const struct record *r)
{
    put_whole(to, TAG_CHARTER, r->charter);
    put_whole(to, TAG_PHASE, (uint64_t)r->phase);
    put_text(to, TAG_PLAN, r->plan);
    put_whole(to, TAG_EXPECTED, r->expected_ms);
    put_text(to, TAG_SOFTWARE, r->software);
    put_digests(to, r);
    put_failure(to, r);
    put_head(to, r);
    put_endpoints(to, r);
    put_text(to, TAG_DOMAIN, r->domain);
    put_whole(to, TAG_QUIET, r->quiet);
    put_field(to, TAG_VERDICT, r->verdict, r->verdict_size);
}

void record_binding_encode(const struct record_binding *binding, uint8_t out[RECORD_BINDING_SIZE])
{
    uint8_t *at = out;
    memcpy(at, binding->validator, ADDRESS_SIZE);
    at += ADDRESS_SIZE;
    store_number(at, binding->serial, 8);
    at += 8;
    memcpy(at, binding->account, ACCOUNT_PUBLIC_SIZE);
    at += ACCOUNT_PUBLIC_SIZE;
    memcpy(at, binding->identity, RECORD_KEY_SIZE);
    at += RECORD_KEY_SIZE;
    memcpy(at, binding->curve, RECORD_KEY_SIZE);
    at += RECORD_KEY_SIZE;
    memcpy(at, binding->signature, ACCOUNT_SIGNATURE_SIZE);
    assert(at + ACCOUNT_SIGNATURE_SIZE == out + RECORD_BINDING_SIZE);
}

size_t record_encode(const struct record *record, uint8_t bytes[RECORD_MAX], struct fault *fault)
{
    if (!check_record(record, fault))
        return 0;
    uint8_t binding[RECORD_BINDING_SIZE];
    struct writer to = {.bytes = bytes};
    record_binding_encode(&record->binding, binding);
    put_number(&to, RECORD_VERSION, 1);
    put_number(&to, 0, 2); /* the size, not known yet */
    put(&to, binding, sizeof binding);
    put_number(&to, record->sequence, 8);
    put_fields(&to, record);
    store_number(bytes + SIZE_AT, to.size + RECORD_SIGNATURE_SIZE, 2);
    return to.size;
}

/* --- reading --- */

struct field {
    uint8_t tag;
    const uint8_t *bytes;
    size_t size; /* > 0 */
};

static bool wrong(const struct field *field, const char *expected, struct fault *fault)
{
    return fault_set(fault, "record.%s: expected %s", tag_names[field->tag], expected);
}

static bool take_whole(const struct field *field, uint64_t max, uint64_t *value,
                       struct fault *fault)
{
    if (field->size > 8 || field->bytes[0] == 0)
        return wrong(field, "a number without leading zero bytes", fault);
    *value = load_number(field->bytes, field->size);
    return *value <= max || wrong(field, "a smaller number", fault);
}

static bool take_text(const struct field *field, char *text, size_t room, struct fault *fault)
{
    if (field->size >= room || !text_plain((const char *)field->bytes, field->size))
        return wrong(field, "a shorter text of printable ASCII characters", fault);
    memcpy(text, field->bytes, field->size);
    return true;
}

static bool take_digests(const struct field *field, struct record *r, struct fault *fault)
{
    if (field->size % DIGEST_SIZE != 0 || field->size / DIGEST_SIZE > RECORD_DIGESTS_MAX)
        return wrong(field, "one to four of 33 bytes", fault);
    r->digest_count = (uint32_t)(field->size / DIGEST_SIZE);
    for (uint32_t i = 0; i < r->digest_count; i++) {
        r->digests[i].kind = field->bytes[i * DIGEST_SIZE];
        memcpy(r->digests[i].hash, field->bytes + i * DIGEST_SIZE + 1, HASH_SIZE);
    }
    return true;
}

static bool take_failure(const struct field *field, struct record *r, struct fault *fault)
{
    const struct field text = {field->tag, field->bytes + 1, field->size - 1};
    r->failure = (enum record_failure)field->bytes[0];
    return r->failure != RECORD_FAILURE_NONE
               ? take_text(&text, r->failure_text, sizeof r->failure_text, fault)
               : wrong(field, "a failure other than none", fault);
}

static bool take_head(const struct field *field, struct record *r, struct fault *fault)
{
    if (field->size != HEAD_SIZE)
        return wrong(field, "40 bytes", fault);
    r->head = height_at(load_number(field->bytes, 8));
    memcpy(r->head_hash, field->bytes + 8, HASH_SIZE);
    return r->head.n > 0 || wrong(field, "a height above 0", fault);
}

static bool take_endpoints(const struct field *field, struct record *r, struct fault *fault)
{
    for (size_t at = 0; at < field->size; r->endpoint_count++) {
        const struct field text = {field->tag, field->bytes + at + 1, field->bytes[at]};
        if (r->endpoint_count == RECORD_ENDPOINTS_MAX || text.size > field->size - at - 1)
            return wrong(field, "one or two texts with their lengths", fault);
        if (!take_text(&text, r->endpoints[r->endpoint_count], RECORD_ENDPOINT_MAX + 1, fault))
            return false;
        at += 1 + text.size;
    }
    return true;
}

static bool take_verdict(const struct field *field, struct record *r, struct fault *fault)
{
    if (field->size > RECORD_VERDICT_MAX)
        return wrong(field, "at most 112 bytes", fault);
    memcpy(r->verdict, field->bytes, field->size);
    r->verdict_size = (uint32_t)field->size;
    return true;
}

static bool take_small(const struct field *field, struct record *r, struct fault *fault)
{
    uint64_t value = 0;
    switch (field->tag) {
    case TAG_CHARTER:
        if (!take_whole(field, UINT32_MAX, &value, fault))
            return false;
        r->charter = (uint32_t)value;
        return true;
    case TAG_PHASE:
        if (!take_whole(field, COORD_STATE_COUNT - 1, &value, fault))
            return false;
        r->phase = (enum coord_state)value;
        return true;
    case TAG_EXPECTED:
        return take_whole(field, UINT64_MAX, &r->expected_ms, fault);
    default:
        assert(field->tag == TAG_QUIET);
        r->quiet = true;
        return take_whole(field, 1, &value, fault);
    }
}

static bool take_field(const struct field *field, struct record *r, struct fault *fault)
{
    switch (field->tag) {
    case TAG_CHARTER:
    case TAG_PHASE:
    case TAG_EXPECTED:
    case TAG_QUIET:
        return take_small(field, r, fault);
    case TAG_PLAN:
        return take_text(field, r->plan, sizeof r->plan, fault);
    case TAG_SOFTWARE:
        return take_text(field, r->software, sizeof r->software, fault);
    case TAG_DOMAIN:
        return take_text(field, r->domain, sizeof r->domain, fault);
    case TAG_DIGESTS:
        return take_digests(field, r, fault);
    case TAG_FAILURE:
        return take_failure(field, r, fault);
    case TAG_HEAD:
        return take_head(field, r, fault);
    case TAG_ENDPOINTS:
        return take_endpoints(field, r, fault);
    case TAG_VERDICT:
        return take_verdict(field, r, fault);
    default:
        return true; /* of a later version */
    }
}

static bool take_fields(const uint8_t *bytes, size_t size, struct record *r, struct fault *fault)
{
    uint8_t last = 0;
    for (size_t at = 0; at < size;) {
        if (size - at < 3 || bytes[at + 1] == 0 || bytes[at + 1] > size - at - 2)
            return fault_set(fault, "record: a field that is empty or reaches beyond the record");
        const struct field field = {bytes[at], bytes + at + 2, bytes[at + 1]};
        if (field.tag <= last)
            return fault_set(fault, "record: tag %d after tag %d; expected ascending tags",
                             field.tag, last);
        if (!take_field(&field, r, fault))
            return false;
        last = field.tag;
        at += 2 + field.size;
    }
    return true;
}

bool record_binding_decode(const uint8_t bytes[RECORD_BINDING_SIZE], struct record_binding *binding,
                           struct fault *fault)
{
    const uint8_t *at = bytes;
    memcpy(binding->validator, at, ADDRESS_SIZE);
    at += ADDRESS_SIZE;
    binding->serial = load_number(at, 8);
    at += 8;
    memcpy(binding->account, at, ACCOUNT_PUBLIC_SIZE);
    at += ACCOUNT_PUBLIC_SIZE;
    memcpy(binding->identity, at, RECORD_KEY_SIZE);
    at += RECORD_KEY_SIZE;
    memcpy(binding->curve, at, RECORD_KEY_SIZE);
    at += RECORD_KEY_SIZE;
    memcpy(binding->signature, at, ACCOUNT_SIGNATURE_SIZE);
    return check_binding(binding, fault);
}

uint8_t record_version(const uint8_t *bytes)
{
    return bytes[0];
}

size_t record_extent(const uint8_t *bytes, size_t size)
{
    if (size < BINDING_AT)
        return 0;
    size_t extent = (size_t)load_number(bytes + SIZE_AT, 2);
    return extent >= BINDING_AT && extent <= size ? extent : 0;
}

bool record_peek(const uint8_t *bytes, size_t size, struct record_peek *peek, struct fault *fault)
{
    if (size < FIELDS_AT + RECORD_SIGNATURE_SIZE || size > RECORD_MAX)
        return fault_set(fault, "record: %zu bytes; expected %d to %d", size,
                         FIELDS_AT + RECORD_SIGNATURE_SIZE, RECORD_MAX);
    if (bytes[0] != RECORD_VERSION)
        return fault_set(fault, "record: version %d; expected %d", bytes[0], RECORD_VERSION);
    if (record_extent(bytes, size) != size)
        return fault_set(fault, "record: its size does not say %zu bytes", size);
    peek->validator = bytes + BINDING_AT;
    peek->binding = bytes + BINDING_AT;
    peek->serial = load_number(bytes + BINDING_AT + ADDRESS_SIZE, 8);
    peek->sequence = load_number(bytes + SEQUENCE_AT, 8);
    peek->signed_size = size - RECORD_SIGNATURE_SIZE;
    if (peek->serial == 0 || peek->serial > RECORD_SERIAL_MAX || peek->sequence == 0 ||
        peek->sequence > RECORD_SEQUENCE_MAX)
        return fault_set(fault, "record: serial or sequence out of bounds; expected 1 to 2^62 - 1");
    return true;
}

bool record_decode(const uint8_t *bytes, size_t size, struct record *record, struct fault *fault)
{
    struct record_peek peek;
    if (!record_peek(bytes, size, &peek, fault))
        return false;
    memset(record, 0, sizeof *record);
    record->sequence = peek.sequence;
    return record_binding_decode(peek.binding, &record->binding, fault) &&
           take_fields(bytes + FIELDS_AT, peek.signed_size - FIELDS_AT, record, fault) &&
           check_record(record, fault);
}
