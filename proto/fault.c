#include "proto/fault.h"

#include <stdarg.h>
#include <stdio.h>

static void make_printable(char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || (unsigned char)*text > 0x7e)
            *text = '?';
}

bool fault_set(struct fault *fault, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(fault->text, sizeof fault->text, format, arguments);
    va_end(arguments);
    make_printable(fault->text);
    return false;
}

bool fault_within(struct fault *fault, const char *prefix)
{
    struct fault inner = *fault;
    return fault_set(fault, "%s: %s", prefix, inner.text);
}
