/* The operator's own limits ([limits] of the settings) as the core wants them. They only withhold: whatever stands
 * here, no turn is taken that the draw has not given.
 *
 *     [limits]
 *     floor = 20                  own_floor
 *     freeze = 3                  unset: COORD_FREEZE_DEFAULT, 0: COORD_FREEZE_OFF
 *     hours = 22:00-04:00         from 22:00 up to, but not including, 04:00 UTC, by header time
 *
 * Hours are "HH:MM-HH:MM" from 00:00 to 23:59; the end may be 24:00. Both alike is a fault, since it could be
 * meant as always and as never.
 */
#ifndef STAGGER_NODE_LIMITS_H
#define STAGGER_NODE_LIMITS_H

#include "coord/coord.h"
#include "node/settings.h"

/* False with a fault that names the setting; then *policy is as it was. */
MUST_CHECK bool limits_policy(const struct settings *settings, struct coord_policy *policy,
                              struct fault *fault);

#endif
