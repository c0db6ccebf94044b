/* No driver: the operator runs the node. */
#include <stdlib.h>

#include "node/runtime.h"

struct none {
    struct runtime *runtime;
};

static void *create(struct runtime *runtime, const struct runtime_config *config,
                    struct fault *fault)
{
    struct none *none = calloc(1, sizeof *none);
    (void)config;
    if (!none)
        (void)fault_set(fault, "out of memory");
    else
        none->runtime = runtime;
    return none;
}

static void destroy(void *driver, bool stop_node)
{
    (void)stop_node;
    free(driver);
}

static void supervise(void *driver)
{
    (void)driver;
}

static void check(void *driver, const char *target)
{
    (void)target;
    runtime_checked(
        ((struct none *)driver)->runtime, false,
        "runtime.driver is none, so nothing can be reinstalled here; set it to process, "
        "docker, systemd or command");
}

/* The agent takes no reboot with this driver. Should one be under way all the same (the setting was changed in the middle
 * of it), REINIT is refused until it is given up, and the validator returns as it is. */
static void step(void *driver, const struct runtime_job *job)
{
    struct runtime *runtime = ((struct none *)driver)->runtime;
    switch (job->step) {
    case STEP_STOP:
        runtime_ended(runtime, true, "runtime.driver is none: the node is left as it is");
        return;
    case STEP_START:
        runtime_ended(runtime, true, "runtime.driver is none: start the node yourself");
        return;
    case STEP_RESTORE:
        runtime_ended(runtime, true,
                      "runtime.driver is none: put the old version back and start the node "
                      "yourself");
        return;
    case STEP_NONE:
    case STEP_REINIT:
        break;
    }
    runtime_ended(runtime, false,
                  "runtime.driver is none, so this agent reboots nothing: set it to process, "
                  "docker, systemd or command, or pause for a maintenance and do it by hand");
}

static enum runtime_health health(void *driver)
{
    (void)driver;
    return RUNTIME_UNKNOWN;
}

static const char *installed(void *driver)
{
    (void)driver;
    return "";
}

const struct runtime_driver runtime_none = {RUNTIME_NONE, "none", create, destroy, supervise,
                                            NULL,         check,  step,   health,  installed};
