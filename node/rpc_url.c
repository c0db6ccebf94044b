#include "node/rpc_url.h"

#include <assert.h>
#include <curl/curl.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define TCP "tcp://"

static char *copy(const char *text)
{
    char *out = malloc(strlen(text) + 1);
    assert(out != NULL);
    return strcpy(out, text);
}

/* One part of the URL as memory of our own; NULL when it has none. */
static char *part(CURLU *url, CURLUPart which, unsigned int flags)
{
    char *theirs, *ours;
    if (curl_url_get(url, which, &theirs, flags) != CURLUE_OK)
        return NULL;
    ours = copy(theirs);
    curl_free(theirs);
    return ours;
}

static bool has_part(CURLU *url, CURLUPart which)
{
    char *text;
    if (curl_url_get(url, which, &text, 0) != CURLUE_OK)
        return false;
    curl_free(text);
    return true;
}

static bool is_scheme(CURLU *url, const char *scheme)
{
    char *text = part(url, CURLUPART_SCHEME, 0);
    bool same = text != NULL && strcmp(text, scheme) == 0;
    free(text);
    return same;
}

/* tcp:// is how CometBFT writes the addresses on which it listens. */
static CURLUcode set_text(CURLU *url, const char *text)
{
    if (strncasecmp(text, TCP, strlen(TCP)) != 0)
        return curl_url_set(url, CURLUPART_URL, text, 0);
    char *http = malloc(strlen(text) + 2);
    assert(http != NULL);
    strcpy(strcpy(http, "http://") + strlen("http://"), text + strlen(TCP));
    CURLUcode code = curl_url_set(url, CURLUPART_URL, http, 0);
    free(http);
    return code;
}

/* http://localhost:26657/ is written without the slash, as people do. */
static char *whole_text(CURLU *url)
{
    char *text = part(url, CURLUPART_URL, 0), *path = part(url, CURLUPART_PATH, 0);
    if (text != NULL && path != NULL && strcmp(path, "/") == 0)
        text[strlen(text) - 1] = '\0';
    free(path);
    return text;
}

static bool take_apart(CURLU *url, const char *text, struct rpc_url *out, struct fault *fault)
{
    const char *shown = strchr(text, '@') == NULL ? text : "the URL with a user";
    if (set_text(url, text) != CURLUE_OK)
        return fault_set(fault, "\"%.100s\" is no URL such as http://localhost:26657", shown);
    if (!is_scheme(url, "http") && !is_scheme(url, "https"))
        return fault_set(fault, "\"%.100s\" begins with none of http://, https://, tcp://", shown);
    if (has_part(url, CURLUPART_QUERY) || has_part(url, CURLUPART_FRAGMENT))
        return fault_set(fault, "\"%.100s\" has something behind its path, leave that out", shown);
    out->user = part(url, CURLUPART_USER, CURLU_URLDECODE);
    out->password = part(url, CURLUPART_PASSWORD, CURLU_URLDECODE);
    (void)curl_url_set(url, CURLUPART_USER, NULL, 0);
    (void)curl_url_set(url, CURLUPART_PASSWORD, NULL, 0);
    (void)curl_url_set(url, CURLUPART_OPTIONS, NULL, 0);
    out->text = whole_text(url);
    return out->text != NULL || fault_set(fault, "\"%.100s\" is no URL", shown);
}

bool rpc_url_parse(const char *text, struct rpc_url *out, struct fault *fault)
{
    *out = (struct rpc_url){0};
    CURLU *url = curl_url();
    assert(url != NULL);
    bool good = take_apart(url, text, out, fault);
    curl_url_cleanup(url);
    if (!good)
        rpc_url_destroy(out);
    return good;
}

void rpc_url_destroy(struct rpc_url *url)
{
    if (url->password != NULL)
        OPENSSL_cleanse(url->password, strlen(url->password));
    free(url->text);
    free(url->user);
    free(url->password);
    *url = (struct rpc_url){0};
}
