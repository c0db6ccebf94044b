/* The feed: fills a view (coord/view.h) with a network's blocks, and believes nothing that a hash can check.
 *
 *     status of every endpoint --> range of heights --> block, results, V(h+1) of each, a few at once
 *                                                            |
 *              each in its place, ascending                  v
 *     header h   hash = block_id.hash = last_block_id of header h+1;  validators_hash = what header h-1 promised
 *     block h    data_hash, last_commit_hash, evidence_hash;  its last commit is that of the block before
 *     V(h+1)     next_validators_hash of header h
 *     results h  last_results_hash of header h+1
 *     top        its commit holds signatures of more than two thirds of V(top): so everything below is bound
 *                                                            |
 *                     only when all of that holds            v
 *                     view_block(), view_results() of each block, the draws told one by one
 *
 * What is asked. A block always, its results only where it has transactions, V(h+1) only where header h says that it
 * differs from V(h). Where the rule needs nothing but sets (PROTOCOL section 2: the reference size), headers are
 * read twenty at a time. With `thorough` everything is asked for at every height and every commit's signatures are
 * verified, those for nil too.
 *
 * Who is asked. One endpoint is one's own node: its head is the head, and whatever it has is read from it. Blocks that
 * it no longer has come from others. A call that fails goes to the next endpoint; an answer that a hash
 * contradicts as well, and then the endpoint is named by a note and used last from then on. When nobody is left who
 * could answer, the feed ends with a fault that names the height, what is wrong and who said it:
 *
 *     block 57 from http://127.0.0.1:26657: its header does not match block_id.hash (99E026A1 there, FB4D1C7D computed)
 *
 * What no hash binds is believed of one's own node: the codespace of a result (it comes from others only where one's own
 * node has the block no more) and the records.
 *
 * Accounts and consensus addresses are matched as of every block: a record whose claim stands in a block that was
 * read counts from there, every other one from the beginning (records are never removed). That is why blocks are kept
 * until the last one has been read, in a short form: what the view needs, and no more.
 *
 * The head. Results of a block are bound by the header behind it, so they are asked for and given to the view when that
 * has come, just before the view takes the block behind; no draw needs them earlier. Without `follow` those of the top
 * block are not read. With it the head is looked at every poll_ms, and the last commit of each new block is
 * verified by signatures; when one's own node does not answer, that is noted once and tried again. Where nobody has
 * the commit of the top block, that is noted: then it stands on the word of one's own node, and what is below on the
 * signatures of its last commit.
 *
 * Invariants, asserted:
 *   F1 the view takes heights without a gap; nothing is given to it that has not been checked.
 *   F2 done() is called once when the range has been read, and once more if a feed that follows fails later; never
 *      from within another callback, so that the owner may destroy the feed in it, and in no other callback.
 *   F3 at most in_flight_max answers are awaited at a time, a fixed number of heights is held beyond the next.
 */
#ifndef STAGGER_NODE_FEED_H
#define STAGGER_NODE_FEED_H

#include <czmq.h>

#include "coord/view.h"
#include "node/rpc.h"
#include "proto/header.h"
#include "proto/query.h"

#define FEED_IN_FLIGHT_DEFAULT 8
#define FEED_POLL_MS_DEFAULT 1000

struct feed;

struct feed_progress {
    struct height first, head, top; /* of the range; the last height checked */
    uint64_t requests;              /* sent so far */
};

/* What the feed knows of a validator of the view beside what the view knows. */
struct feed_validator {
    const struct query_record *record; /* NULL: it has none; account and moniker stand there */
    bool first_member;                 /* of V(first) */
    bool member;                       /* of V(head + 1) */
    /* The first height h with V(h) as it is for this validator now, in the set or out of it; HEIGHT_NONE: as long
     * as the feed looks back. Header time of the block that decided it, h - 2. */
    struct height since;
    struct instant since_ms;
    struct height pause;     /* latest pause of it that happened; HEIGHT_NONE */
    struct instant pause_ms; /* header time of that block */
};

struct feed_config {
    zloop_t *loop; /* borrowed, as is rpc */
    struct rpc *rpc;
    uint32_t own; /* the endpoint that is one's own node, or is taken for it */
    enum chain_kind chain;
    bool empty_blocks;
    struct charter charter; /* checked and sealed; chain_id is the one that headers must name */
    const struct query_record *records; /* as of now, in any order; copied */
    uint32_t record_count;

    /* What is read. `everything`: from the first block that anybody has to the head. Otherwise what the draw of
     * `boundary` needs, up to the block behind it; HEIGHT_NONE: of the latest boundary. */
    bool everything;
    struct height boundary;
    bool follow;
    bool thorough;
    uint64_t
        thorough_below; /* thorough by itself when the range is of at most so many blocks, 0: never */

    /* A block known from elsewhere, a journal for example: HEIGHT_NONE, or its height and hash. */
    struct height trusted;
    uint8_t trusted_hash[HASH_SIZE];

    uint32_t in_flight_max; /* 0: FEED_IN_FLIGHT_DEFAULT */
    int64_t poll_ms;        /* 0: FEED_POLL_MS_DEFAULT */

    void *owner; /* of all that follow; NULL: not told */
    void (*progress)(void *owner, const struct feed_progress *progress); /* after every height */
    void (*note)(void *owner,
                 const char *line); /* something unusual, for the operator; once each */
    /* A draw has been made; the view's head is its boundary. */
    void (*draw)(void *owner, const struct feed *feed, const struct draw *draw);
    void (*block)(void *owner, const struct feed *feed,
                  struct height height); /* after view_block() */
    /* NULL: the range has been read to its end (`follow` goes on); otherwise the feed has stopped for good. */
    void (*done)(void *owner, const struct fault *fault);
};

/* NULL when memory is short. The config is copied. */
struct feed *feed_create(const struct feed_config *config);
void feed_destroy(struct feed **feed); /* calls under way are dropped */

/* Starts it; to be called once. */
void feed_run(struct feed *feed);

/* The view: it has seen nothing before the range has been read. */
const struct view *feed_view(const struct feed *feed);

/* Of a validator of the view, as of the view's head. */
struct feed_validator feed_validator(const struct feed *feed, uint32_t validator);

/* The range, known when the first draw is told: the first block read, and whether the chain begins there. */
struct height feed_first(const struct feed *feed, bool *is_chain_first);

/* From which boundary on draws rest on everything that section 2 demands. */
struct height feed_complete_from(const struct feed *feed);

bool feed_thorough(const struct feed *feed);

#endif
