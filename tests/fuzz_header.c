/* Fuzzes the hashes and checks of proto/header.h: a small network that verifies, with changes made to it.
 *
 *     input = (spot, offset, mask)*, three bytes each     what light_world_spots() shows, xored
 *
 * As long as a change is left, the checks must refuse the network; as soon as all are undone, accept it. A mask
 * of 0 cuts a list or a signature instead, which must be refused and survived.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/light_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MEMBERS 4
#define CHANGES_MAX 16

static void stop(const char *why, const char *what)
{
    fprintf(stderr, "fuzz_header: %s: %s\n", why, what);
    abort();
}

/* The spots lie in `world`; the same place in its untouched copy. */
static const void *original(const struct light_world *world, const struct light_world *fresh,
                            const struct light_spot *spot)
{
    return (const uint8_t *)fresh + ((const uint8_t *)spot->bytes - (const uint8_t *)world);
}

static bool unchanged(const struct light_world *world, const struct light_world *fresh,
                      const struct light_spot *spots, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (spots[i].size &&
            memcmp(spots[i].bytes, original(world, fresh, &spots[i]), spots[i].size) != 0)
            return false;
    return true;
}

static void cut(struct light_world *w, uint8_t what, uint8_t by)
{
    struct commit *commit = what & 1 ? &w->commit : &w->last_commit;
    struct commit_sig *sig = &commit->sigs[by % MEMBERS];
    if (what & 2)
        commit->count = by % (MEMBERS + 1);
    else if (what & 4)
        sig->signature_size = by % (ED25519_SIGNATURE_SIZE + 1);
    else if (what & 8)
        w->count = by % (MEMBERS + 1);
    else
        w->txs[by % LIGHT_TXS].size = by % (LIGHT_TX_SIZE + 1);
}

static bool is_cut(const struct light_world *w, const struct light_world *fresh)
{
    bool differs = w->count != fresh->count || w->commit.count != fresh->commit.count ||
                   w->last_commit.count != fresh->last_commit.count;
    for (uint32_t i = 0; i < MEMBERS; i++)
        differs |= w->sigs[i].signature_size != fresh->sigs[i].signature_size ||
                   w->last_sigs[i].signature_size != fresh->last_sigs[i].signature_size;
    for (uint32_t i = 0; i < LIGHT_TXS; i++)
        differs |= w->txs[i].size != fresh->txs[i].size;
    return differs;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct light_world world, fresh; /* with pointers into `world` both */
    struct light_spot spots[LIGHT_SPOTS_MAX];
    struct fault fault = {""};
    if (!fresh.count) {
        light_world_make(&world, MEMBERS);
        fresh = world;
    }
    world = fresh;
    uint32_t count = light_world_spots(&world, spots);
    for (size_t i = 0; i + 3 <= size && i < 3 * CHANGES_MAX; i += 3) {
        const struct light_spot *spot = &spots[data[i] % count];
        if (!data[i + 2])
            cut(&world, data[i], data[i + 1]);
        else if (spot->size)
            ((uint8_t *)spot->bytes)[data[i + 1] % spot->size] ^= data[i + 2];
    }
    bool same = unchanged(&world, &fresh, spots, count) && !is_cut(&world, &fresh);
    bool right = light_world_check(&world, &fault);
    if (right && !same)
        stop("a changed network is accepted", "");
    if (!right && same)
        stop("an unchanged network is refused", fault.text);
    if (!right && !*fault.text)
        stop("refused without a fault", "");
    return 0;
}
