#include "sim/devnet_node_signer.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto/encoding.h"
#include "sim/devnet_file.h"

#define STEP_PRECOMMIT 3
#define TAG_VOTE_TIME 0x2a /* field 5 of a canonical vote */
#define STATE_MAX 2048

/* --- the state's file --- */

static bool read_number(const json_t *state, const char *name, int64_t *value)
{
    const json_t *field = json_object_get(state, name);
    if (json_is_integer(field)) {
        *value = json_integer_value(field);
        return *value >= 0;
    }
    const char *text = json_string_value(field);
    char *end = NULL;
    errno = 0;
    *value = text && *text ? strtoll(text, &end, 10) : -1;
    return errno == 0 && end && *end == '\0' && *value >= 0;
}

/* Both or neither are there; a state of height 0 has none. */
static bool read_vote(struct devnet_signer *signer, const json_t *state)
{
    const char *signature = json_string_value(json_object_get(state, "signature"));
    const char *bytes = json_string_value(json_object_get(state, "signbytes"));
    size_t size = 0;
    if (!signature || !bytes)
        return !signature && !bytes;
    signer->size = strlen(bytes) / 2;
    return signer->size <= sizeof signer->bytes &&
           hex_decode(bytes, strlen(bytes), signer->bytes, signer->size) &&
           base64_decode(signature, strlen(signature), signer->signature, sizeof signer->signature,
                         &size) &&
           size == sizeof signer->signature;
}

static bool read_state(struct devnet_signer *signer, struct fault *fault)
{
    json_error_t error;
    int64_t round = 0, step = 0;
    json_t *state = json_load_file(signer->path, 0, &error);
    bool good = state && read_number(state, "height", &signer->height) &&
                read_number(state, "round", &round) && round <= INT32_MAX &&
                read_number(state, "step", &step) && step <= STEP_PRECOMMIT &&
                read_vote(signer, state);
    signer->round = (int32_t)round;
    json_decref(state);
    return good ||
           fault_set(fault,
                     "%s: expected CometBFT's height, round, step, signature and signbytes; "
                     "nothing is signed before it is mended, for what was signed last is "
                     "not known",
                     signer->path);
}

bool devnet_signer_open(struct devnet_signer *signer, const char *state_path,
                        const struct devnet_key *key, struct fault *fault)
{
    memset(signer, 0, sizeof *signer);
    if (strlen(state_path) >= sizeof signer->path)
        return fault_set(fault, "%s: the path is too long", state_path);
    strcpy(signer->path, state_path);
    signer->key = *key;
    member_address(key->public_key, signer->address);
    return access(state_path, F_OK) != 0 || read_state(signer, fault);
}

static bool write_state(const struct devnet_signer *signer, struct fault *fault)
{
    char text[STATE_MAX];
    char signature[BASE64_TEXT(ED25519_SIGNATURE_SIZE)], bytes[HEX_TEXT(COMMIT_VOTE_MAX)];
    base64_encode(signer->signature, sizeof signer->signature, signature);
    hex_encode_upper(signer->bytes, signer->size, bytes);
    (void)snprintf(text, sizeof text,
                   "{\n  \"height\": \"%" PRId64 "\",\n  \"round\": %" PRId32
                   ",\n  \"step\": %d,\n  \"signature\": \"%s\",\n  \"signbytes\": \"%s\"\n}",
                   signer->height, signer->round, STEP_PRECOMMIT, signature, bytes);
    return devnet_write_alone(signer->path, 0600, text, fault) ||
           fault_within(fault, "nothing is signed");
}

/* --- signing --- */

static size_t varint_at(const uint8_t *bytes, size_t size, uint64_t *value)
{
    *value = 0;
    for (size_t i = 0; i < size && i < 10; i++) {
        *value |= (uint64_t)(bytes[i] & 0x7f) << (7 * i);
        if (!(bytes[i] & 0x80))
            return i + 1;
    }
    return 0;
}

/* Timestamp { seconds = 1; nanos = 2 }, zero values left out. */
static bool read_stamp(const uint8_t *bytes, size_t size, struct time_stamp *time)
{
    *time = (struct time_stamp){0};
    for (size_t at = 0; at < size;) {
        uint8_t tag = bytes[at++];
        uint64_t value;
        size_t used = varint_at(bytes + at, size - at, &value);
        if (used == 0 || (tag != 0x08 && tag != 0x10))
            return false;
        at += used;
        if (tag == 0x08)
            time->seconds = (int64_t)value;
        else
            time->nanos = (int32_t)value;
    }
    return true;
}

/* The time in the bytes that were signed last. Its field is the only one whose tag and length can stand where they
 * make the same bytes again, which the caller checks. */
static bool vote_again(const struct devnet_signer *signer, struct devnet_ballot *ballot)
{
    uint8_t bytes[COMMIT_VOTE_MAX];
    for (size_t at = 0; at + 2 <= signer->size; at++) {
        struct devnet_ballot same = *ballot;
        size_t length = signer->bytes[at + 1];
        if (signer->bytes[at] != TAG_VOTE_TIME || length > signer->size - at - 2 ||
            !read_stamp(signer->bytes + at + 2, length, &same.time))
            continue;
        if (devnet_vote_bytes(&same, bytes) == signer->size &&
            memcmp(bytes, signer->bytes, signer->size) == 0) {
            ballot->time = same.time;
            return true;
        }
    }
    return false;
}

static bool refuse(const struct devnet_signer *signer, const struct devnet_ballot *ballot,
                   struct fault *fault)
{
    return fault_set(fault,
                     "asked for a vote on block %" PRId64 ", round %" PRId32
                     ", and has signed block %" PRId64 ", round %" PRId32 "; nothing is signed",
                     ballot->height, ballot->round, signer->height, signer->round);
}

bool devnet_signer_sign(struct devnet_signer *signer, struct devnet_ballot *ballot,
                        uint8_t signature[ED25519_SIGNATURE_SIZE], struct fault *fault)
{
    if (ballot->height == signer->height && ballot->round == signer->round && signer->size > 0 &&
        vote_again(signer, ballot)) {
        memcpy(signature, signer->signature, ED25519_SIGNATURE_SIZE);
        return true;
    }
    if (ballot->height < signer->height ||
        (ballot->height == signer->height && ballot->round <= signer->round))
        return refuse(signer, ballot, fault);
    struct devnet_signer next = *signer;
    next.height = ballot->height;
    next.round = ballot->round;
    next.size = devnet_vote_bytes(ballot, next.bytes);
    if (!devnet_vote_sign(ballot, signer->key.seed, next.signature))
        return fault_set(fault, "block %" PRId64 ": OpenSSL does not sign", ballot->height);
    if (!write_state(&next, fault))
        return false;
    *signer = next;
    memcpy(signature, signer->signature, ED25519_SIGNATURE_SIZE);
    return true;
}
