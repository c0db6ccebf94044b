#include "proto/header.h"

#include <inttypes.h>
#include <string.h>

#include "proto/encoding.h"
#include "proto/header_internal.h"

#define SHOWN 8 /* bytes of a hash in a fault */

static const char *show(const struct hash *hash, char text[HEX_TEXT(SHOWN)])
{
    if (hash->none)
        return "none";
    hex_encode_upper(hash->bytes, SHOWN, text);
    return text;
}

/* `what` is a clause such as "its transactions do not match data_hash". */
static bool same(const struct header *header, const struct hash *bound, const struct hash *computed,
                 const char *what, struct fault *fault)
{
    char a[HEX_TEXT(SHOWN)], b[HEX_TEXT(SHOWN)];
    if (hash_equal(bound, computed))
        return true;
    return fault_set(fault,
                     "block %" PRId64 ": %s (%s there, %s computed); "
                     "the reply is not what the network signed, ask another node",
                     header->height, what, show(bound, a), show(computed, b));
}

bool header_check_id(const struct header *header, const struct block_id *block_id,
                     struct fault *fault)
{
    struct hash computed = {0};
    header_hash(header, computed.bytes);
    return same(header, &block_id->hash, &computed, "its header does not match block_id.hash",
                fault);
}

static bool check_set(const struct header *header, const struct hash *bound,
                      const struct member *members, uint32_t count, const char *what,
                      struct fault *fault)
{
    struct hash computed = {0};
    members_hash(members, count, computed.bytes);
    if (!same(header, bound, &computed, what, fault))
        return false;
    const struct member *wrong = members_misaddressed(members, count);
    if (!wrong)
        return true;
    char address[HEX_TEXT(ADDRESS_SIZE)];
    hex_encode_upper(wrong->address, ADDRESS_SIZE, address);
    return fault_set(fault, "block %" PRId64 ": validator %td's address %s is not its key's",
                     header->height, wrong - members + 1, address);
}

bool header_check_members(const struct header *header, const struct member *members, uint32_t count,
                          struct fault *fault)
{
    return check_set(header, &header->validators_hash, members, count,
                     "its validators do not match validators_hash", fault);
}

bool header_check_next(const struct header *header, const struct member *members, uint32_t count,
                       struct fault *fault)
{
    return check_set(header, &header->next_validators_hash, members, count,
                     "the validators of the next block do not match next_validators_hash", fault);
}

/* The hash binds the entries alone, so height and block id are compared here. The first block's last commit
 * is empty. */
bool header_check_commit(const struct header *header, const struct commit *last_commit,
                         struct fault *fault)
{
    struct hash computed = {0};
    bool first = header->last_block_id.hash.none;
    commit_hash(last_commit, computed.bytes);
    if (!same(header, &header->last_commit_hash, &computed,
              "its last commit does not match last_commit_hash", fault))
        return false;
    if (!same(header, &header->last_block_id.hash, &last_commit->block_id.hash,
              "its last commit is not for last_block_id.hash", fault))
        return false;
    if (!block_id_equal(&header->last_block_id, &last_commit->block_id))
        return fault_set(fault, "block %" PRId64 ": its last commit is not for last_block_id.parts",
                         header->height);
    if (last_commit->height < 0 || last_commit->height != (first ? 0 : header->height - 1))
        return fault_set(fault, "block %" PRId64 ": its last commit is of height %" PRId64,
                         header->height, last_commit->height);
    if (first && last_commit->count)
        return fault_set(fault, "block %" PRId64 ": it is the first and has a last commit",
                         header->height);
    return true;
}

bool header_check_data(const struct header *header, const struct tx_bytes *txs, uint32_t count,
                       struct fault *fault)
{
    struct hash computed = {0};
    data_hash(txs, count, computed.bytes);
    return same(header, &header->data_hash, &computed, "its transactions do not match data_hash",
                fault);
}

bool header_check_results(const struct header *next, const struct tx_result *results,
                          uint32_t count, struct fault *fault)
{
    struct hash computed = {0};
    results_hash(results, count, computed.bytes);
    return same(next, &next->last_results_hash, &computed,
                "the results of the block before do not match last_results_hash", fault);
}

bool header_check_evidence(const struct header *header, uint32_t count, struct fault *fault)
{
    struct hash empty = {0};
    data_hash(NULL, 0, empty.bytes); /* trees without leaves are all the same */
    if (hash_equal(&header->evidence_hash, &empty) == (count == 0))
        return true;
    return fault_set(fault,
                     "block %" PRId64 ": its %" PRIu32 " pieces of evidence do not match "
                     "evidence_hash",
                     header->height, count);
}

static bool later(const struct time_stamp *time, const struct time_stamp *before)
{
    return time->seconds != before->seconds ? time->seconds > before->seconds
                                            : time->nanos > before->nanos;
}

bool header_check_next_header(const struct header *header, const struct header *next,
                              struct fault *fault)
{
    if (next->height < 1 || next->height - 1 != header->height)
        return fault_set(fault, "block %" PRId64 ": the next header is of height %" PRId64,
                         header->height, next->height);
    if (strncmp(header->chain_id, next->chain_id, HEADER_CHAIN_ID_MAX) != 0)
        return fault_set(fault, "block %" PRId64 ": chain_id is not that of the block before",
                         next->height);
    struct hash computed = {0};
    header_hash(header, computed.bytes);
    if (!same(next, &next->last_block_id.hash, &computed,
              "last_block_id.hash is not that of the block before", fault))
        return false;
    if (!same(next, &next->validators_hash, &header->next_validators_hash,
              "validators_hash is not next_validators_hash of the block before", fault))
        return false;
    if (!later(&next->time, &header->time))
        return fault_set(fault,
                         "block %" PRId64 ": time is not later than that of the block before",
                         next->height);
    return true;
}
