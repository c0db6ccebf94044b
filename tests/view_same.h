/* Whether two views answer every question alike. */
#ifndef STAGGER_TESTS_VIEW_SAME_H
#define STAGGER_TESTS_VIEW_SAME_H

#include "coord/view.h"

/* NULL, or the name of the first answer that differs. */
const char *view_difference(const struct view *a, const struct view *b);

#endif
