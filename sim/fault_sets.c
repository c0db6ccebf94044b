#include <string.h>

#include "sim/config.h"

/* Moderate on purpose: a network of 100 sees a few dozen faults in the half hour of its upgrade, so
 * that the floor can be demanded of every run. Accidents that take members away stay well under the
 * reserve. */
static const struct fault_set sets[] = {
    {.name = "none", .about = "nothing goes wrong"},
    {.name = "crashes",
     .about = "agents die and start again, now and then without their journal",
     .crash_agent = 1.0,
     .lose_journal = 0.2},
    {.name = "network",
     .about = "lost gossip, slow links, short partitions of single hosts, nodes whose RPC lags",
     .partition = 0.05,
     .lag = 0.2,
     .slow = 0.2,
     .loss = 0.1},
    {.name = "hosts",
     .about = "hosts go down by accident and come back, clocks are wrong",
     .crash_agent = 0.2,
     .crash_host = 0.05,
     .skew = 0.1},
    {.name = "people",
     .about = "operators pause and unpause by hand, and restart agents",
     .crash_agent = 0.1,
     .operator_pause = 0.05},
    {.name = "mixed",
     .about = "all of the above at about half the rate",
     .crash_agent = 0.6,
     .crash_host = 0.02,
     .lose_journal = 0.1,
     .partition = 0.02,
     .lag = 0.1,
     .slow = 0.1,
     .skew = 0.05,
     .operator_pause = 0.02,
     .loss = 0.05},
};

const struct fault_set *fault_sets(uint32_t *count)
{
    *count = sizeof sets / sizeof sets[0];
    return sets;
}

const struct fault_set *fault_set_find(const char *name)
{
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++)
        if (strcmp(sets[i].name, name) == 0)
            return &sets[i];
    return NULL;
}
