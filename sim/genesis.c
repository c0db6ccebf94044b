#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif

#include "sim/genesis.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim/genesis_reader.h"

/* --- what pass 1 found --- */

/* Two records with the same key: `key` names the field, members sort the lower record first. */
static bool keys_check(const struct genesis_roster *roster, const struct genesis_key *keys,
                       const char *key, const char *name, char error[GENESIS_ERROR_MAX])
{
    for (uint32_t i = 1; i < roster->count; i++) {
        if (memcmp(keys[i - 1].address, keys[i].address, ADDRESS_SIZE) == 0) {
            char place[JSON_PLACE_MAX + 32];
            snprintf(place, sizeof(place), "%s[%u].%s", roster->place, keys[i].record, key);
            return json_error(
                error, GENESIS_ERROR_MAX, name, place,
                "the same as that of %s[%u]; one record a validator expected; drop one of the two",
                roster->place, keys[i - 1].record);
        }
    }
    return true;
}

static bool kira_check(const struct genesis_roster *roster, const char *name,
                       char error[GENESIS_ERROR_MAX])
{
    uint32_t active = 0;
    for (uint32_t i = 0; i < roster->count; i++) {
        active += roster->records[i].status == STATUS_ACTIVE ? 1 : 0;
    }
    if (active == 0) {
        return json_error(error, GENESIS_ERROR_MAX, name, roster->place,
                          "none of %u validators is ACTIVE; at least one expected; "
                          "export a network that lives (`sekaid export`)",
                          roster->count);
    }
    return keys_check(roster, roster->accounts, "val_key", name, error) &&
           keys_check(roster, roster->members, "pub_key", name, error);
}

static bool plain_check(const struct genesis_roster *roster, const char *name,
                        char error[GENESIS_ERROR_MAX])
{
    int64_t total = 0;
    for (uint32_t i = 0; i < roster->count; i++) {
        int64_t power = roster->records[i].power;
        if (power > GENESIS_POWER_MAX - total) {
            char place[JSON_PLACE_MAX + 32];
            snprintf(place, sizeof(place), "%s[%u].power", roster->place, i);
            return json_error(
                error, GENESIS_ERROR_MAX, name, place,
                "the powers up to here exceed CometBFT's bound; a total below 2^60 expected; "
                "scale the powers down");
        }
        total += power;
    }
    return keys_check(roster, roster->members, "address", name, error);
}

/* The roster that counts; NULL, with a line, when there is none. */
static struct genesis_roster *roster_choose(struct genesis_reader *reader, const char *name,
                                            char error[GENESIS_ERROR_MAX])
{
    if (reader->kira.count > 0) {
        return &reader->kira;
    }
    if (reader->plain.count > 0) {
        return &reader->plain;
    }
    json_error(error, GENESIS_ERROR_MAX, name, "top level",
               "no validators: app_state.customstaking.validators is %s, validators is %s; "
               "one of them expected; "
               "export a network that lives (`%s export`)",
               reader->kira.listed ? "empty" : "missing",
               reader->plain.listed ? "empty" : "missing", reader->dcl ? "dcld" : "sekaid");
    return NULL;
}

static bool world_check(struct genesis_reader *reader, const char *name,
                        char error[GENESIS_ERROR_MAX])
{
    struct genesis *genesis = reader->genesis;
    struct genesis_roster *roster = roster_choose(reader, name, error);
    if (roster == NULL) {
        return false;
    }
    if (genesis->chain_id[0] == '\0') {
        return json_error(error, GENESIS_ERROR_MAX, name, "chain_id",
                          "missing; 1 to %d printable characters expected; " GENESIS_REMEDY,
                          CHAIN_ID_MAX - 1);
    }
    genesis_roster_sort(roster);
    genesis->plain = roster == &reader->plain;
    genesis->kind = reader->dcl && genesis->plain ? CHAIN_DCL : CHAIN_KIRA;
    return genesis->plain ? plain_check(roster, name, error) : kira_check(roster, name, error);
}

/* --- the result --- */

/* Values that chains write for "none". */
static void zeros_settle(struct genesis *genesis)
{
    genesis->initial_height = genesis->initial_height == 0 ? 1 : genesis->initial_height;
    uint64_t *min_validators = &genesis->properties.min_validators;
    *min_validators = *min_validators == 0 ? 1 : *min_validators;
}

/* Hands the chosen records over to the result. */
static void records_move(struct genesis_reader *reader)
{
    struct genesis *genesis = reader->genesis;
    struct genesis_roster *roster = genesis->plain ? &reader->plain : &reader->kira;
    genesis->records = roster->records;
    genesis->record_count = roster->count;
    roster->records = NULL;
    roster->count = 0;
    for (uint32_t i = 0; i < genesis->record_count; i++) {
        struct model_record *record = &genesis->records[i];
        record->can_vote = genesis->plan.pending;
        if (record->moniker[0] == '\0') {
            snprintf(record->moniker, sizeof(record->moniker), "validator %u", i);
        }
    }
}

static void roster_clear(struct genesis_roster *roster)
{
    free(roster->records);
    free(roster->accounts);
    free(roster->members);
    memset(roster, 0, sizeof(*roster));
}

static bool passes_run(struct genesis_reader *reader, FILE *file, const char *name,
                       char error[GENESIS_ERROR_MAX])
{
    struct json_reader world = genesis_world_reader(reader),
                       details = genesis_details_reader(reader);
    if (!json_stream_read(file, name, &world, error, GENESIS_ERROR_MAX) ||
        !world_check(reader, name, error)) {
        return false;
    }
    zeros_settle(reader->genesis);
    if (reader->genesis->plain) {
        return true;
    }
    if (fseek(file, 0, SEEK_SET) != 0) {
        return json_error(error, GENESIS_ERROR_MAX, name, "reading",
                          "%s; a file that can be read twice expected; save it to disk first",
                          strerror(errno));
    }
    return json_stream_read(file, name, &details, error, GENESIS_ERROR_MAX);
}

bool genesis_read_file(FILE *file, const char *name, struct genesis *genesis,
                       char error[GENESIS_ERROR_MAX])
{
    memset(genesis, 0, sizeof(*genesis));
    genesis->properties = model_properties_default(1);
    struct genesis_reader *reader = calloc(1, sizeof(*reader));
    if (reader == NULL) {
        return json_error(error, GENESIS_ERROR_MAX, name, "reading",
                          "out of memory; 1 MB expected; free some");
    }
    reader->genesis = genesis;
    snprintf(reader->denom, sizeof(reader->denom), "ukex");
    bool read = passes_run(reader, file, name, error);
    if (read) {
        records_move(reader);
        error[0] = '\0';
    } else {
        genesis_clear(genesis);
    }
    assert(read == (genesis->record_count > 0));
    roster_clear(&reader->kira);
    roster_clear(&reader->plain);
    free(reader);
    return read;
}

/* Opens without waiting for a pipe's writer. Returns NULL with a line in `error`. */
static FILE *file_open(const char *path, char error[GENESIS_ERROR_MAX])
{
    struct stat state;
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    FILE *file = NULL;
    if (descriptor < 0 || fstat(descriptor, &state) != 0) {
        json_error(error, GENESIS_ERROR_MAX, path, "opening",
                   "%s; a genesis file that can be read expected; check the path", strerror(errno));
    } else if (!S_ISREG(state.st_mode)) {
        json_error(error, GENESIS_ERROR_MAX, path, "opening",
                   "it is %s; a regular file expected, as it is read twice; %s",
                   S_ISDIR(state.st_mode) ? "a directory" : "no regular file",
                   S_ISDIR(state.st_mode) ? "name the file in it" : "save it to disk first");
    } else {
        file = fdopen(descriptor, "rb");
        if (file == NULL) {
            json_error(error, GENESIS_ERROR_MAX, path, "opening", "%s; memory expected; free some",
                       strerror(errno));
        }
    }
    if (file == NULL && descriptor >= 0) {
        close(descriptor);
    }
    return file;
}

bool genesis_read(const char *path, struct genesis *genesis, char error[GENESIS_ERROR_MAX])
{
    memset(genesis, 0, sizeof(*genesis));
    FILE *file = file_open(path, error);
    if (file == NULL) {
        return false;
    }
    bool read = genesis_read_file(file, path, genesis, error);
    fclose(file);
    return read;
}

void genesis_clear(struct genesis *genesis)
{
    free(genesis->records);
    memset(genesis, 0, sizeof(*genesis));
}
