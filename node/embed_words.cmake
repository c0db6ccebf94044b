# Turns the word list of BIP-39 into the C file behind mnemonic_words of node/mnemonic.c.
#
#     cmake -DFILE=node/wordlist.txt -DOUT=build/wordlist.c -P node/embed_words.cmake
#
# A list with another word, order or line break would make other keys of the same mnemonic, so only the
# standard's own is taken.

set(expected 2f5eed53a4727b4bf8880d8f3f199efc90e58503646d9ff8eff3a2ed3b24dbda)
if(NOT FILE OR NOT OUT)
    message(FATAL_ERROR "embed_words: give -DFILE=wordlist.txt and -DOUT=file.c")
endif()
file(SHA256 "${FILE}" actual)
if(NOT actual STREQUAL expected)
    message(FATAL_ERROR "embed_words: ${FILE} is not the English list of BIP-39: its SHA-256 is ${actual}")
endif()
file(READ "${FILE}" text)
string(REGEX REPLACE "([a-z]+)\n" "    \"\\1\",\n" rows "${text}")
file(WRITE "${OUT}.new" "/* Generated from node/wordlist.txt by node/embed_words.cmake. */
#include \"node/mnemonic.h\"

const char mnemonic_words[MNEMONIC_LIST][MNEMONIC_WORD_MAX + 1] = {
${rows}};
")
file(RENAME "${OUT}.new" "${OUT}")
