#include "sim/random.h"

#include <assert.h>
#include <float.h>

_Static_assert(FLT_EVAL_METHOD == 0,
               "doubles must be rounded at every operation to be the same everywhere");

#define LN2 0.69314718055994530942
#define TERMS 20

static uint64_t mix(uint64_t x)
{
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

struct random random_stream(uint64_t seed, uint64_t label, uint64_t number)
{
    uint64_t a = mix(seed + UINT64_C(0x9e3779b97f4a7c15));
    uint64_t b = mix(a ^ (label + UINT64_C(0x632be59bd9b4e019)));
    return (struct random){mix(b ^ (number * UINT64_C(0xd1342543de82ef95) + 1))};
}

uint64_t random_next(struct random *r)
{
    r->state += UINT64_C(0x9e3779b97f4a7c15);
    return mix(r->state);
}

uint64_t random_below(struct random *r, uint64_t bound)
{
    assert(bound > 0);
    uint64_t limit = UINT64_MAX - UINT64_MAX % bound, x;
    do
        x = random_next(r);
    while (x >= limit);
    return x % bound;
}

double random_unit(struct random *r)
{
    return (double)(random_next(r) >> 11) * (1.0 / 9007199254740992.0);
}

/* The sum of 48 uniforms, exactly: close to normal up to some six deviations, and no function of libm. */
double random_normal(struct random *r)
{
    double sum = 0;
    for (int i = 0; i < 48; i++)
        sum += random_unit(r);
    return (sum - 24) / 2;
}

double exact_exp(double x)
{
    if (x > 700)
        x = 700;
    if (x < -700)
        return 0;
    int halvings = 0;
    for (double size = x < 0 ? -x : x; size > 0.5; size /= 2)
        halvings++;
    for (int i = 0; i < halvings; i++)
        x /= 2;
    double sum = 1;
    for (int i = TERMS; i > 0; i--)
        sum = 1 + x * sum / i;
    while (halvings-- > 0)
        sum *= sum;
    return sum;
}

double exact_log(double x)
{
    assert(x > 0);
    int twos = 0;
    for (; x > 1.5; twos++)
        x /= 2;
    for (; x < 0.75; twos--)
        x *= 2;
    double t = (x - 1) / (x + 1), square = t * t, power = t, sum = 0;
    for (int i = 1; i < 2 * TERMS; i += 2) {
        sum += power / i;
        power *= square;
    }
    return 2 * sum + twos * LN2;
}

static int64_t whole_ms(double ms)
{
    return ms < 1 ? 1 : ms > 1e15 ? INT64_C(1000000000000000) : (int64_t)(ms + 0.5);
}

int64_t random_lognormal_ms(struct random *r, int64_t median_ms, double sigma)
{
    return whole_ms((double)median_ms * exact_exp(sigma * random_normal(r)));
}

int64_t random_exponential_ms(struct random *r, double mean_ms)
{
    double x = -exact_log(1 - random_unit(r));
    return whole_ms(mean_ms * (x < 100 ? x : 100));
}
