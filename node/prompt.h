/* One line from the person at the terminal, wherever standard input and output lead.
 *
 * Without echo the terminal's setting is put back on every way out: signals that end or stop the process are held
 * back while the question stands, and take effect after the terminal is as it was. After a stop (Ctrl-Z) the
 * question is put again. What was typed ahead, or pasted behind the line, is thrown away and never reaches a shell.
 */
#ifndef STAGGER_NODE_PROMPT_H
#define STAGGER_NODE_PROMPT_H

#include "node/secret.h"

/* A fault when there is no terminal, or nothing but its end came; the fault's text is a reason without prefix. */
MUST_CHECK bool prompt_line(const char *question, bool echo, struct secret *answer,
                            struct fault *fault);

#endif
