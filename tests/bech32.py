"""Bech32 (BIP 173), written from its specification."""

ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
GENERATORS = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)


def polymod(values):
    total = 1
    for value in values:
        top = total >> 25
        total = (total & 0x1FFFFFF) << 5 ^ value
        for i, part in enumerate(GENERATORS):
            total ^= part if top >> i & 1 else 0
    return total


def text_of(prefix, words):
    """The text of groups of five bits."""
    spread = [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix]
    check = polymod(spread + words + [0] * 6) ^ 1
    words = words + [check >> 5 * (5 - i) & 31 for i in range(6)]
    return prefix + "1" + "".join(ALPHABET[word] for word in words)


def words_of(text):
    return [ALPHABET.index(c) for c in text[text.rindex("1") + 1:-6]]


def bech32(prefix, data):
    bits = "".join(f"{byte:08b}" for byte in data)
    bits += "0" * (-len(bits) % 5)
    return text_of(prefix, [int(bits[i:i + 5], 2) for i in range(0, len(bits), 5)])


def bech32_bytes(text):
    bits = "".join(f"{word:05b}" for word in words_of(text))
    return bytes(int(bits[i:i + 8], 2) for i in range(0, len(bits) - 7, 8))
