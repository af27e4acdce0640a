"""Strings that tokenizers trip over; the same ones on every run."""

import random
import unicodedata

PIECES = [
    "Hello", " world", "'s", "'LL", "'ll", "don't", "I'VE", "naïve", "Ünïcödé", "straße", "İstanbul", "ſ", "K",
    "日本語", "漢字かな", "한국어", "中文，标点。", "ไทย", "हिन्दी", "العربية", "עברית", "ру́сский", "Ελληνικά ς",
    "é", "e\u0301", "\u0301", "a\u0300\u0316", "ﬁ", "Å", "Å", "①②", "½", "²", "Ⅷ", "٣٤٥", "१२३",
    "0", "1", "12", "123", "1234", "12345", "3.14", "1,000,000", "0x1F", "-7", "1e-5",
    " ", "  ", "   ", "    ", "\t", "\t\t", "\n", "\n\n", "\n\n\n", "\r", "\r\n", " \n", "\n ", "\u00a0", "\u3000",
    "\u2028", "\u2029", "\u0085", "\u000b", "\u000c", "\u200b", "\u200d", "\ufeff", "\u00ad", "\u180e", "\u2003",
    "!", "?!", "...", "--", "->", "=>", "==", "&&", "||", "$", "€", "`", "~", "^", "_", "__init__", "a_b", "{}", "[]",
    "<", ">", "</b>", "<b>", "<table>", "\\", "\\n", "/", "//", "@user", "#tag", "https://example.org/?q=1&r=2",
    "🙂", "👩‍👩‍👧‍👦", "🏳️‍🌈", "🇫🇷", "👍🏽", "❤️", "\U0001f600\U0001f601", "\U00020000", "\U0002ceb0", "\U000e0041",
    "\x00", "\x01", "\x04", "\x06", "\x13", "\x14", "\x16", "\x1d", "\x1f", "\x7f", "\u0080", "\u009f", "\ue000", "\ufffd",
    "def f(x):\n    return x+1\n", "SELECT * FROM t;", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "The quick brown fox", " jumps over", "the lazy dog.", "\u2581", "\u2581a", "<0x0A>", "Ġ", "ĠĠ", "Ċ",
]


def random_character(rng):
    """Any assigned character, surrogates and private use apart."""
    while True:
        c = chr(rng.choice([rng.randrange(0x80), rng.randrange(0x800), rng.randrange(0x10000), rng.randrange(0x30000)]))
        if unicodedata.category(c) not in ("Cn", "Cs", "Co"):
            return c


def odd_strings(count, special=(), seed=0):
    rng = random.Random(seed)
    out = ["", *PIECES, *special]
    out += [" " * n for n in range(1, 70)] + ["\n" * n for n in range(1, 40)] + ["\t" * n for n in range(1, 40)]
    out += ["x" + " " * n + "y" for n in range(1, 40)]
    pieces = PIECES + list(special)
    while len(out) < count:
        kind = rng.randrange(4)
        if kind == 0:
            out.append("".join(rng.choice(pieces) for _ in range(rng.randrange(1, 12))))
        elif kind == 1:
            out.append(" ".join(rng.choice(pieces) for _ in range(rng.randrange(1, 12))))
        elif kind == 2:
            out.append("".join(random_character(rng) for _ in range(rng.randrange(1, 20))))
        else:
            out.append("".join(rng.choice(pieces) if rng.random() < 0.7 else random_character(rng) for _ in range(12)))
    return out
