/* The desk: requests from the socket to whoever answers them. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "node/agent_desk.h"
#include "node/json_value.h"

json_t *agent_refusal(enum command_status status, const char *code, const char *text)
{
    return json_pack("{s:b, s:i, s:s, s:o}", "ok", 0, "status", (int)status, "code", code, "text",
                     json_text(text));
}

static void answer_status(struct agent *agent, struct control_client *client,
                          const struct agent_request *request)
{
    if (request->watch)
        agent_wait(agent, (struct agent_waiter){.client = client, .watch = true});
    else
        control_answer(client, agent_status(agent));
}

static void answer(struct agent *agent, struct control_client *client,
                   const struct agent_request *request)
{
    switch (request->question) {
    case ASK_STATUS:
        answer_status(agent, client, request);
        return;
    case ASK_OK_TO_STOP:
        control_answer(client, agent_ok_to_stop(agent));
        return;
    case ASK_TURNS:
        control_answer(client, agent_turns(agent));
        return;
    case ASK_EXPLAIN:
        control_answer(client, agent_explain(agent, request->has_epoch, request->epoch));
        return;
    case ASK_WAIT:
        agent_wait(agent, (struct agent_waiter){.client = client, .goal = request->goal});
        return;
    default:
        agent_operator(agent, client, request);
    }
}

static void on_request(void *owner, struct control_client *client, const json_t *object)
{
    struct agent *agent = owner;
    struct agent_request request;
    struct fault fault;
    assert(!agent->stepping);
    if (agent_is_ready(agent))
        agent_show_head(agent); /* the answer is of now, however long the core has slept */
    if (agent_request_read(object, &request, &fault))
        answer(agent, client, &request);
    else
        control_answer(client, agent_refusal(COMMAND_USAGE, "bad-request", fault.text));
}

static void on_gone(void *owner, struct control_client *client)
{
    agent_wait_gone(owner, client);
    agent_operator_gone(owner, client);
}

bool agent_control_start(struct agent *agent, struct fault *fault)
{
    char path[CONTROL_PATH_MAX];
    if (!control_path(agent->settings, path, fault))
        return false;
    const struct control_config config = {
        .loop = agent->loop,
        .path = path,
        .owner = agent,
        .request = on_request,
        .gone = on_gone,
    };
    agent->desk = calloc(1, sizeof *agent->desk);
    agent->control = agent->desk ? control_create(&config, fault) : NULL;
    if (agent->control)
        return true;
    if (!agent->desk)
        fault_set(fault, "memory is short");
    free(agent->desk);
    agent->desk = NULL;
    return false;
}

void agent_control_stop(struct agent *agent)
{
    if (!agent->desk)
        return;
    agent_wait_end(agent);
    control_destroy(&agent->control);
    free(agent->desk);
    agent->desk = NULL;
}

void agent_control_changed(struct agent *agent)
{
    if (agent->desk)
        agent_wait_look(agent);
}
