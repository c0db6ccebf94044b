/* The broken variants of coord/mutation.h, in the program that is built with them. */
#include <stddef.h>
#include <string.h>

#include "tests/model/search.h"

#ifdef STAGGER_MUTATIONS
#include "tests/mutations/mutation.h"

static const char *const names[] = {
#define NAME(name) #name,
    "NONE", MUTATIONS(NAME)
#undef NAME
};

bool broken_choose(const char *name)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(names[i], name) != 0)
            continue;
        mutation_choose((enum mutation)i);
        mutation_within(true); /* who judges does it by hand */
        return true;
    }
    return false;
}
#else
bool broken_choose(const char *name)
{
    (void)name;
    return false;
}
#endif
