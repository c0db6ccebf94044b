/* The short form of a block: who was missing, how the set changes, and what its transactions are to the view. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "node/feed_internal.h"

/* Made with room for the most there could be: a day of them is kept while a range is read. */
static void *fitted(void *list, size_t count, size_t size)
{
    if (count > 0)
        return feed_room(list, count, size);
    free(list);
    return NULL;
}

/* --- the last commit against V(h-1) --- */

static bool find_missing(const struct set *signers, const struct commit *last, struct facts *facts,
                         struct fault *fault)
{
    if (last->count != signers->count)
        return fault_set(fault, "last_commit.signatures: %u, but the set of that block has %u",
                         last->count, signers->count);
    facts->missing = feed_room(NULL, last->count, sizeof *facts->missing);
    for (uint32_t i = 0; i < last->count; i++) {
        const struct commit_sig *sig = &last->sigs[i];
        if (sig->flag != COMMIT_ABSENT &&
            memcmp(sig->address, signers->members[i].address, ADDRESS_SIZE) != 0)
            return fault_set(fault,
                             "last_commit.signatures[%u].validator_address is not the member's "
                             "in that place",
                             i);
        if (sig->flag != COMMIT_FOR_BLOCK)
            facts->missing[facts->missing_count++] = signers->index[i];
    }
    facts->missing = fitted(facts->missing, facts->missing_count, sizeof *facts->missing);
    return true;
}

/* --- V(h+1) against V(h) --- */

static void add_change(struct facts *facts, uint32_t validator, int64_t power)
{
    facts->changes[facts->change_count++] = (struct view_change){validator, power};
}

static void find_changes(struct feed *feed, const struct set *now, const struct set *after,
                         struct facts *facts)
{
    if (now == after || memcmp(now->hash, after->hash, HASH_SIZE) == 0)
        return;
    facts->changes = feed_room(NULL, now->count + after->count, sizeof *facts->changes);
    for (uint32_t i = 0; i < now->count; i++)
        feed->powers[now->index[i]] = now->members[i].power;
    for (uint32_t i = 0; i < after->count; i++) {
        int64_t *power = &feed->powers[after->index[i]];
        if (*power != after->members[i].power)
            add_change(facts, after->index[i], after->members[i].power);
        *power = 0;
    }
    for (uint32_t i = 0; i < now->count; i++)
        if (feed->powers[now->index[i]] != 0) {
            add_change(facts, now->index[i], 0);
            feed->powers[now->index[i]] = 0;
        }
    facts->changes = fitted(facts->changes, facts->change_count, sizeof *facts->changes);
}

/* --- transactions --- */

static struct deed *add_deed(struct facts *facts, uint32_t index)
{
    uint32_t count = facts->deed_count++;
    if ((count & (count - 1)) == 0) /* a power of two: full */
        facts->deeds = feed_room(facts->deeds, count ? 2 * count : 1, sizeof *facts->deeds);
    struct deed *deed = &facts->deeds[count];
    *deed = (struct deed){.index = index, .codespace = ""};
    return deed;
}

static bool is_claim(const struct tx_message *message)
{
    return (message->kind == TX_MESSAGE_CLAIM_VALIDATOR ||
            message->kind == TX_MESSAGE_CREATE_VALIDATOR) &&
           message->has_validator && message->has_consensus;
}

static void add_entry(const struct feed *feed, const struct tx_entry *entry, struct facts *facts,
                      uint32_t index)
{
    struct deed *deed = add_deed(facts, index);
    deed->kind = entry->kind;
    deed->class_minutes = entry->class_minutes;
    deed->charter = entry->foreign ? ~feed->config.charter.id : entry->charter;
    memcpy(deed->who, entry->who, ACCOUNT_ADDRESS_SIZE);
}

/* Any bytes can stand in a block. What does not decode is no join (PROTOCOL section 5), and a chain that cannot
 * decode it either carries nothing of it out. */
static void add_tx(struct feed *feed, const struct tx_bytes *bytes, struct facts *facts,
                   uint32_t index)
{
    struct tx_decoded tx;
    struct tx_entry entry;
    struct fault fault;
    if (!tx_decode(bytes->bytes, bytes->size, &tx, &fault))
        return;
    for (uint32_t i = 0; i < tx.message_count; i++) {
        const struct tx_message *message = &tx.messages[i];
        if (tx_entry(feed->config.chain, &tx, i, &entry))
            add_entry(feed, &entry, facts, index);
        if (is_claim(message)) {
            struct deed *deed = add_deed(facts, index);
            deed->claim = true;
            memcpy(deed->who, message->validator, ACCOUNT_ADDRESS_SIZE);
            memcpy(deed->consensus, message->consensus, ADDRESS_SIZE);
        }
    }
    tx_decoded_destroy(&tx);
}

/* --- the whole --- */

static struct instant instant_of(const struct time_stamp *time)
{
    return (struct instant){time->seconds * 1000 + time->nanos / 1000000};
}

bool feed_facts_add(struct feed *feed, const struct slot *slot, const struct set *after,
                    struct fault *fault)
{
    struct facts facts = {
        .height = height_at(slot->height),
        .time = instant_of(&slot->header.time),
    };
    memcpy(facts.hash, slot->id.hash.bytes, HASH_SIZE);
    if (slot->full && feed->before &&
        !find_missing(feed->before, &slot->block.last_commit, &facts, fault)) {
        feed_facts_free(&facts);
        return false;
    }
    find_changes(feed, feed->now, after, &facts);
    for (uint32_t i = 0; slot->full && i < slot->block.tx_count; i++)
        add_tx(feed, &slot->block.txs[i], &facts, i);
    if (feed->fact_count == feed->fact_room) {
        feed->fact_room = feed->fact_room ? 2 * feed->fact_room : 256;
        feed->facts = feed_room(feed->facts, feed->fact_room, sizeof *feed->facts);
    }
    feed->facts[feed->fact_count++] = facts;
    return true;
}

/* The view tells apart what makes a DCL join count, and nothing else. */
static const char *codespace_of(const char *text)
{
    static const char *const known[] = {"", "staking", "validator", "customslashing", "sdk"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(text, known[i]) == 0)
            return known[i];
    return "other";
}

void feed_facts_results(struct facts *facts, const struct reply_results *results)
{
    for (uint32_t i = 0; i < facts->deed_count; i++) {
        struct deed *deed = &facts->deeds[i];
        assert(deed->index < results->count);
        deed->code = results->results[deed->index].bound.code;
        deed->codespace = codespace_of(results->results[deed->index].codespace);
    }
}

void feed_facts_free(struct facts *facts)
{
    free(facts->missing);
    free(facts->changes);
    free(facts->deeds);
    *facts = (struct facts){.missing = NULL};
}
