/* Which broken variant is active, and whether its place was reached. */
#include "tests/mutations/mutation.h"

#include <stdint.h>

static enum mutation chosen;
static bool within;
static uint64_t reached;

bool mutation_active(enum mutation mutation)
{
    if (!within || mutation != chosen)
        return false;
    reached++;
    return true;
}

void mutation_within(bool agent)
{
    within = agent;
}

void mutation_choose(enum mutation mutation)
{
    chosen = mutation;
    reached = 0;
}

uint64_t mutation_reached(void)
{
    return reached;
}
