/* Fuzzing the answers of abci_query: the first byte chooses the reader, the others are what it reads. */
#include <stdlib.h>
#include <string.h>

#include "tests/query_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fault fault;
    if (size > 0)
        (void)!query_readers[data[0] % query_reader_count].read(data + 1, size - 1, &fault);
    return 0;
}
