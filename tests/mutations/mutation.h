/* Choosing a broken variant of the core; see coord/mutation.h. One thread. */
#ifndef STAGGER_TESTS_MUTATION_H
#define STAGGER_TESTS_MUTATION_H

#include <stdint.h>

#include "coord/mutation.h"

void mutation_choose(enum mutation mutation);
uint64_t mutation_reached(void); /* how often its place was come to since */

#endif
