/* How fast a history is bound: headers, commits, sets and signatures, each beside the bare library calls that
 * it cannot do without.
 *
 *     build/release/tests/bench/light [--blocks N] [--members M]
 *
 * A history of N blocks (10,000) with M members (100) needs N header hashes and N commit hashes, a set where it
 * changes, and one commit with signatures. Processor time of this thread; the baselines run between the
 * measurements.
 *
 * Exit status: 0, 1 for a bad argument, 2 when a limit below was missed. */
#include <getopt.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "coord/digest.h"
#include "tests/light_world.h"

#define HISTORY_MOST_S 2.0       /* of the ten that the whole history may take */
#define SIGNATURE_MOST_TIMES 1.2 /* what a verified entry costs, in bare verifications */
#define VERIFIED 20              /* commits */
#define HEADER_DIGESTS 27        /* 14 leaves, 13 nodes */

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static double line(const char *what, double seconds, uint32_t count)
{
    printf("%-44s %10.2f us each %12.0f /s\n", what, seconds / count * 1e6, count / seconds);
    return seconds / count;
}

/* `count` digests of `size` bytes, nothing else. */
static double bare_digests(const char *what, uint32_t count, size_t size)
{
    uint8_t bytes[128] = {0};
    struct digest *digest = digest_create();
    double start = now_s();
    for (uint32_t i = 0; digest && i < count; i++)
        digest_sha256(digest, &(struct digest_piece){bytes, size}, 1, bytes);
    double seconds = now_s() - start;
    digest_destroy(&digest);
    return line(what, seconds, count);
}

static double bare_verifications(const struct light_world *w, uint32_t count)
{
    uint8_t vote[COMMIT_VOTE_MAX];
    size_t size = commit_vote_bytes(&w->commit, w->now.chain_id, 0, vote);
    const struct commit_sig *sig = &w->commit.sigs[0];
    uint32_t right = 0;
    double start = now_s();
    for (uint32_t i = 0; i < count; i++) {
        EVP_PKEY *key = EVP_PKEY_new_raw_public_key(
            EVP_PKEY_ED25519, NULL, w->next_members[0].public_key, ED25519_KEY_SIZE);
        EVP_MD_CTX *context = EVP_MD_CTX_new();
        right += EVP_DigestVerifyInit(context, NULL, NULL, NULL, key) == 1 &&
                 EVP_DigestVerify(context, sig->signature, sig->signature_size, vote, size) == 1;
        EVP_MD_CTX_free(context);
        EVP_PKEY_free(key);
    }
    double seconds = now_s() - start;
    if (right != count)
        exit(2);
    return line("  bare ed25519 verification", seconds, count);
}

static double headers(struct light_world *w, uint32_t blocks)
{
    uint8_t hash[HASH_SIZE];
    double start = now_s();
    for (uint32_t i = 0; i < blocks; i++) {
        w->now.height = i + 1;
        header_hash(&w->now, hash);
    }
    return line("header", now_s() - start, blocks);
}

static double commits(struct light_world *w, uint32_t blocks)
{
    uint8_t hash[HASH_SIZE];
    double start = now_s();
    for (uint32_t i = 0; i < blocks; i++) {
        w->sigs[0].time.nanos = (int32_t)i;
        commit_hash(&w->commit, hash);
    }
    return line("commit, hashed", now_s() - start, blocks);
}

static void sets(const struct light_world *w, uint32_t count)
{
    uint8_t hash[HASH_SIZE];
    double start = now_s();
    for (uint32_t i = 0; i < count; i++)
        members_hash(w->members, w->count, hash);
    line("set, hashed", now_s() - start, count);
}

static double verified(const struct light_world *w)
{
    struct fault fault;
    double start = now_s();
    for (uint32_t i = 0; i < VERIFIED; i++)
        if (!commit_verify(&w->commit, w->now.chain_id, &w->now_id, w->now.height, w->next_members,
                           w->count, &fault)) {
            fprintf(stderr, "%s\n", fault.text);
            exit(2);
        }
    return line("commit, all signatures verified", now_s() - start, VERIFIED) / w->count;
}

static int measure(struct light_world *w, uint32_t blocks)
{
    printf("%" PRIu32 " blocks, %" PRIu32 " members\n", blocks, w->count);
    double bare = bare_verifications(w, 2000), one = verified(w);
    double header = headers(w, blocks);
    bare_digests("  a digest of 65 bytes (a header has 27)", blocks * HEADER_DIGESTS, 65);
    double commit = commits(w, blocks);
    bare_digests("  a digest of 112 bytes (an entry)", blocks * 10, 112);
    sets(w, blocks / 10 + 1);
    double history = blocks * (header + commit);
    printf("a history of %" PRIu32 " blocks: %.2f s; a verified entry is %.2f bare ones\n", blocks,
           history, one / bare);
    return history <= HISTORY_MOST_S && one <= bare * SIGNATURE_MOST_TIMES ? 0 : 2;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"blocks", required_argument, NULL, 'b'}, {"members", required_argument, NULL, 'm'}, {0}};
    static struct light_world world;
    long blocks = 10000, members = 100;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == '?')
            return 1;
        *(option == 'b' ? &blocks : &members) = strtol(optarg, NULL, 10);
    }
    if (blocks < 1 || blocks > 1000000 || members < 4 || members > LIGHT_MEMBERS_MAX) {
        fprintf(stderr, "light: --blocks 1 to 1000000, --members 4 to %d\n", LIGHT_MEMBERS_MAX);
        return 1;
    }
    light_world_make(&world, (uint32_t)members);
    return measure(&world, (uint32_t)blocks);
}
