#include "proto/block.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "proto/header_internal.h"
#include "proto/merkle.h"

#define TAG_MAX (1 + WIRE_VARINT_MAX) /* fields up to 15 */

/* Bytes that grow; `failed` once memory was short. */
struct bytes {
    uint8_t *bytes;
    size_t size, room;
    bool failed;
};

static void put(struct bytes *to, const void *from, size_t size)
{
    if (!to->failed && to->room - to->size < size) {
        size_t room = (to->size + size) * 2;
        uint8_t *more = realloc(to->bytes, room);
        to->failed = !more;
        if (more) {
            to->bytes = more;
            to->room = room;
        }
    }
    if (to->failed || size == 0)
        return;
    memcpy(to->bytes + to->size, from, size);
    to->size += size;
}

static void put_wire(struct bytes *to, struct wire *wire)
{
    put(to, wire->bytes, wire->size);
    wire->size = 0;
}

static void put_head(struct bytes *to, uint32_t field, size_t size)
{
    uint8_t head[TAG_MAX] = {(uint8_t)(field << 3 | 2)};
    assert(field < 16);
    put(to, head, 1 + wire_varint(head + 1, size));
}

/* A message that stands there also when it is empty. */
static void put_message(struct bytes *to, uint32_t field, const struct bytes *message)
{
    put_head(to, field, message->size);
    put(to, message->bytes, message->size);
    to->failed = to->failed || message->failed;
}

/* --- the four fields --- */

static void put_beginning(struct bytes *to, const struct header *header)
{
    struct wire wire = {0}, inner = {0};
    wire_uint(&inner, 1, header->version_block);
    wire_uint(&inner, 2, header->version_app);
    wire_message(&wire, 1, &inner);
    wire_bytes(&wire, 2, header->chain_id, strnlen(header->chain_id, HEADER_CHAIN_ID_MAX));
    wire_int(&wire, 3, header->height);
    inner.size = 0;
    header_wire_time(&inner, &header->time);
    wire_message(&wire, 4, &inner);
    inner.size = 0;
    header_wire_block_id(&inner, &header->last_block_id);
    wire_message(&wire, 5, &inner);
    put_wire(to, &wire);
}

static void put_header(struct bytes *to, const struct header *header)
{
    struct bytes message = {0};
    struct wire wire = {0};
    put_beginning(&message, header);
    header_wire_hash(&wire, 6, &header->last_commit_hash);
    header_wire_hash(&wire, 7, &header->data_hash);
    header_wire_hash(&wire, 8, &header->validators_hash);
    header_wire_hash(&wire, 9, &header->next_validators_hash);
    header_wire_hash(&wire, 10, &header->consensus_hash);
    put_wire(&message, &wire);
    wire_bytes(&wire, 11, header->app_hash, header->app_hash_size);
    header_wire_hash(&wire, 12, &header->last_results_hash);
    header_wire_hash(&wire, 13, &header->evidence_hash);
    wire_bytes(&wire, 14, header->proposer, ADDRESS_SIZE);
    put_wire(&message, &wire);
    put_message(to, 1, &message);
    free(message.bytes);
}

static void put_data(struct bytes *to, const struct tx_bytes *txs, uint32_t count)
{
    uint64_t size = 0;
    for (uint32_t i = 0; i < count; i++)
        size += block_tx_size(txs[i].size);
    put_head(to, 2, (size_t)size);
    for (uint32_t i = 0; i < count; i++) {
        put_head(to, 1, txs[i].size);
        put(to, txs[i].bytes, txs[i].size);
    }
}

static void put_commit(struct bytes *to, const struct commit *commit)
{
    struct bytes message = {0};
    struct wire wire = {0}, inner = {0};
    wire_int(&wire, 1, commit->height);
    wire_int(&wire, 2, commit->round);
    header_wire_block_id(&inner, &commit->block_id);
    wire_message(&wire, 3, &inner);
    put_wire(&message, &wire);
    for (uint32_t i = 0; i < commit->count; i++) {
        inner.size = 0;
        header_wire_sig(&inner, &commit->sigs[i]);
        wire_message(&wire, 4, &inner);
        put_wire(&message, &wire);
    }
    put_message(to, 4, &message);
    free(message.bytes);
}

/* --- the block --- */

uint64_t block_tx_size(size_t tx_size)
{
    uint8_t length[WIRE_VARINT_MAX];
    return 1 + wire_varint(length, tx_size) + (uint64_t)tx_size;
}

uint8_t *block_encode(const struct header *header, const struct tx_bytes *txs, uint32_t tx_count,
                      const struct commit *last_commit, size_t *size)
{
    struct bytes block = {0};
    put_header(&block, header);
    put_data(&block, txs, tx_count);
    put_message(&block, 3, &(struct bytes){0});
    put_commit(&block, last_commit);
    if (block.failed) {
        free(block.bytes);
        return NULL;
    }
    *size = block.size;
    return block.bytes;
}

void block_identify(const struct header *header, const uint8_t *block, size_t size,
                    struct block_id *id)
{
    struct merkle tree;
    *id = (struct block_id){0};
    header_hash(header, id->hash.bytes);
    merkle_begin(&tree);
    for (size_t at = 0; at < size; at += BLOCK_PART_SIZE) {
        size_t rest = size - at;
        merkle_leaf(&tree, block + at, rest < BLOCK_PART_SIZE ? rest : BLOCK_PART_SIZE);
        id->parts_total++;
    }
    merkle_root(&tree, id->parts_hash.bytes);
}
