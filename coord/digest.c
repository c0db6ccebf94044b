#include "coord/digest.h"

#include <assert.h>
#include <openssl/evp.h>
#include <stdlib.h>

struct digest {
    EVP_MD *sha256;
    EVP_MD_CTX *context;
};

struct digest *digest_create(void)
{
    struct digest *d = calloc(1, sizeof *d);
    if (!d)
        return NULL;
    d->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    d->context = EVP_MD_CTX_new();
    if (!d->sha256 || !d->context || !EVP_DigestInit_ex2(d->context, d->sha256, NULL))
        digest_destroy(&d);
    return d;
}

void digest_destroy(struct digest **digest)
{
    if (!*digest)
        return;
    EVP_MD_CTX_free((*digest)->context);
    EVP_MD_free((*digest)->sha256);
    free(*digest);
    *digest = NULL;
}

void digest_sha256(struct digest *digest, const struct digest_piece *pieces, size_t count,
                   uint8_t out[HASH_SIZE])
{
    int ok = EVP_DigestInit_ex2(digest->context, NULL, NULL);
    for (size_t i = 0; i < count; i++)
        ok &= EVP_DigestUpdate(digest->context, pieces[i].data, pieces[i].size);
    ok &= EVP_DigestFinal_ex(digest->context, out, NULL);
    assert(ok); /* nothing in these calls can fail once the algorithm is fetched */
}
