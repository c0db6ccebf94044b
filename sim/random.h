/* Chance that is the same on every machine: integer generators, and floating point that uses only the
 * operations IEEE 754 rounds exactly (no libm; compiled without contraction).
 *
 * Every purpose has a stream of its own, derived from the run's seed and a label, so that more gossip or a
 * lost frame does not change the chain's hashes or anybody's reboot time.
 */
#ifndef STAGGER_SIM_RANDOM_H
#define STAGGER_SIM_RANDOM_H

#include <stdint.h>

struct random {
    uint64_t state;
};

/* A stream for (seed, label, number). Labels are any small constants that differ. */
struct random random_stream(uint64_t seed, uint64_t label, uint64_t number);

uint64_t random_next(struct random *r);                  /* 64 even bits */
uint64_t random_below(struct random *r, uint64_t bound); /* 0 .. bound - 1; bound > 0 */
double random_unit(struct random *r);                    /* [0, 1) */
double random_normal(struct random *r);                  /* mean 0, deviation 1 */

/* median_ms * exp(sigma * normal), at least 1. */
int64_t random_lognormal_ms(struct random *r, int64_t median_ms, double sigma);

/* Waiting time with the given mean; for faults. At least 1, at most 100 means. */
int64_t random_exponential_ms(struct random *r, double mean_ms);

/* exp and log to about 1e-13, from exactly rounded operations. */
double exact_exp(double x);
double exact_log(double x); /* x > 0 */

#endif
