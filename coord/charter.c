#include "coord/charter.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "coord/digest.h"

#define REFERENCE_DEFAULT 7200
#define REFERENCE_SPAN_MS (INT64_C(12) * 3600 * 1000)
#define PHI_PART_MAX 1000000

struct charter charter_default(const char *chain_id, uint64_t min_validators, int64_t block_ms)
{
    struct charter c = {
        .min_validators = min_validators,
        .epoch_blocks = 3,
        .live_blocks = 3,
        .round_blocks = 1200,
        .joins_max = 8,
        .reference_blocks = REFERENCE_DEFAULT,
        .phi_num = 2,
        .phi_den = 3,
        .reserve = RESERVE_DEFAULT,
        .order = ORDER_LONG_FIRST,
        .settle_blocks = 3,
    };
    assert(block_ms > 0);
    uint64_t spanning = (uint64_t)((REFERENCE_SPAN_MS + block_ms - 1) / block_ms);
    if (spanning > c.reference_blocks)
        c.reference_blocks = spanning;
    if (strlen(chain_id) < CHAIN_ID_MAX)
        memcpy(c.chain_id, chain_id, strlen(chain_id) + 1);
    charter_seal(&c);
    return c;
}

static const char *check_rounds(const struct charter *c)
{
    if (c->round_blocks < 20 * (uint64_t)c->epoch_blocks)
        return "round_blocks (L) is below 20 epochs; expected 20 W <= L: raise L or lower W";
    if ((uint64_t)c->round_blocks + c->epoch_blocks > FOREIGN_BLOCKS)
        return "round_blocks (L) is too long; expected L + W <= 2400: lower L";
    if (c->joins_max < 3 || c->joins_max > 20)
        return "joins_max (J) is out of bounds; expected 3 to 20";
    if (c->reference_blocks < 2 * (uint64_t)c->round_blocks)
        return "reference_blocks (M) is below two rounds; expected M >= 2 L: raise M or lower L";
    if (c->reference_blocks > (UINT64_C(1) << 40))
        return "reference_blocks (M) is absurd; expected at most 2^40";
    return NULL;
}

static const char *check_floor(const struct charter *c)
{
    if (c->phi_den == 0 || c->phi_den > PHI_PART_MAX || c->phi_num >= c->phi_den ||
        3 * (uint64_t)c->phi_num < 2 * (uint64_t)c->phi_den)
        return "phi is out of bounds; expected a fraction with 2/3 <= phi < 1";
    if (c->reserve < RESERVE_DEFAULT || c->reserve > INT32_MAX)
        return "reserve (r) is out of bounds; expected 0 or more, or the default";
    if (c->min_validators < 1 || c->min_validators > INT32_MAX)
        return "min_validators is out of bounds; expected 1 or more, as the chain has it";
    return NULL;
}

const char *charter_check(const struct charter *c, bool empty_blocks)
{
    if (c->chain_id[0] == '\0')
        return "chain_id is empty or longer than 63 bytes; expected the id that the chain's blocks carry";
    if (c->epoch_blocks < 2 || c->epoch_blocks > FOREIGN_BLOCKS)
        return "epoch_blocks (W) is out of bounds; expected 2 or more";
    if (c->epoch_blocks < 3 && !empty_blocks)
        return "epoch_blocks (W) is below 3; a chain that makes no empty blocks needs W >= 3";
    if (c->live_blocks < 1 || c->live_blocks > 10)
        return "live_blocks (k) is out of bounds; expected 1 to 10";
    if (c->settle_blocks < 1 || c->settle_blocks > 100)
        return "settle_blocks (m) is out of bounds; expected 1 to 100";
    const char *wrong = check_rounds(c);
    return wrong ? wrong : check_floor(c);
}

size_t charter_text(const struct charter *c, char text[CHARTER_TEXT_MAX])
{
    char reserve[24] = "n/25", ramp[32] = "off";
    if (c->reserve != RESERVE_DEFAULT)
        snprintf(reserve, sizeof reserve, "%" PRId64, c->reserve);
    if (c->ramp)
        snprintf(ramp, sizeof ramp, "%" PRIu32 ",%" PRIu32, c->ramp_a, c->ramp_b);
    int size =
        snprintf(text, CHARTER_TEXT_MAX,
                 "stagger charter 1\nchain_id %s\nmin_validators %" PRIu64 "\nepoch_blocks %" PRIu32
                 "\nlive_blocks %" PRIu32 "\nround_blocks %" PRIu32 "\njoins_max %" PRIu32
                 "\nreference_blocks %" PRIu64 "\nphi %" PRIu32 "/%" PRIu32
                 "\nreserve %s\norder %s\nramp %s\nsettle_blocks %" PRIu32 "\n",
                 c->chain_id, c->min_validators, c->epoch_blocks, c->live_blocks, c->round_blocks,
                 c->joins_max, c->reference_blocks, c->phi_num, c->phi_den, reserve,
                 c->order == ORDER_PLAIN ? "plain" : "long-first", ramp, c->settle_blocks);
    assert(size > 0 && size < CHARTER_TEXT_MAX);
    return (size_t)size;
}

void charter_seal(struct charter *charter)
{
    char text[CHARTER_TEXT_MAX];
    uint8_t hash[HASH_SIZE];
    size_t size = charter_text(charter, text);
    struct digest *digest = digest_create();
    assert(digest);
    digest_sha256(digest, &(struct digest_piece){text, size}, 1, hash);
    digest_destroy(&digest);
    charter->id =
        (uint32_t)hash[0] << 24 | (uint32_t)hash[1] << 16 | (uint32_t)hash[2] << 8 | hash[3];
}

bool charter_reference_is_short(const struct charter *charter, int64_t block_ms)
{
    return charter->reference_blocks <
           (uint64_t)(REFERENCE_SPAN_MS / (block_ms > 0 ? block_ms : 1));
}
