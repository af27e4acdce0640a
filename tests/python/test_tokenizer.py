"""Tokenizers against `tokenizers`, chat templates against `transformers`: thousands of odd strings each."""

import json
import unicodedata

import pytest
from odd_strings import odd_strings

tokenizers = pytest.importorskip("tokenizers")
transformers = pytest.importorskip("transformers")

COUNT = 4000


@pytest.fixture(scope="module")
def path_of(plaudit_cli, tmp_path_factory):
    """path_of("minilm-l6") -> where the model lies."""

    def run(name):
        out = tmp_path_factory.mktemp("show") / "show.json"
        plaudit_cli("show", name, "--json", out, check=0)
        return json.loads(out.read_text())["path"]

    return run


@pytest.fixture(scope="module")
def encode(plaudit_cli):
    """encode(model, texts, *flags) -> their ids."""

    def run(model, texts, *flags):
        lines = "".join(json.dumps(text) + "\n" for text in texts)
        out = plaudit_cli("tokenize", model, "--json", *flags, stdin=lines, check=0).stdout
        return [json.loads(line) for line in out[:-1].split("\n")]

    return run


def from_gguf(path):
    folder, _, name = str(path).rpartition("/")
    return transformers.AutoTokenizer.from_pretrained(folder, gguf_file=name)._tokenizer


@pytest.fixture(scope="module")
def smollm2(path_of):
    """What transformers derives from the file lacks the digit split."""
    pre = tokenizers.pre_tokenizers
    out = from_gguf(path_of("smollm2-135m"))
    out.pre_tokenizer = pre.Sequence([pre.Digits(individual_digits=True), pre.ByteLevel(add_prefix_space=False)])
    return out


@pytest.fixture(scope="module")
def gemma(path_of):
    return from_gguf(path_of("gemma3-270m"))


@pytest.fixture(scope="module")
def minilm(path_of):
    out = tokenizers.Tokenizer.from_file(path_of("minilm-l6") + "/tokenizer.json")
    out.no_truncation()
    out.no_padding()
    return out


def special_tokens(tokenizer):
    return [token.content for token in tokenizer.get_added_tokens_decoder().values()][:200]


def differences(texts, ours, theirs):
    return [(text, a, b) for text, a, b in zip(texts, ours, theirs, strict=True) if a != b]


def expected(tokenizer, texts, special=False):
    return [tokenizer.encode(text, add_special_tokens=special).ids for text in texts]


def test_smollm2(smollm2, encode):
    texts = odd_strings(COUNT, special_tokens(smollm2))
    assert differences(texts, encode("smollm2-135m", texts), expected(smollm2, texts)) == []


def test_gemma(gemma, encode):
    """Runs of more than 31 spaces apart, which SentencePiece cuts otherwise (next test)."""
    texts = [text for text in odd_strings(COUNT, special_tokens(gemma)) if " " * 32 not in text]
    assert len(texts) > COUNT - 200
    assert differences(texts, encode("gemma3-270m", texts), expected(gemma, texts)) == []
    some = [text for text in texts if not text.startswith("<bos>")][:500]
    assert differences(some, encode("gemma3-270m", some, "--special"), expected(gemma, some, special=True)) == []
    assert encode("gemma3-270m", ["<bos>Hi"], "--special")[0].count(2) == 1  # BOS once


def test_gemma_cuts_long_runs_of_spaces_as_sentencepiece_does(encode):
    def run(n):  # ids 138..167 are the runs of 2..31 spaces
        return [] if n == 0 else [236743] if n == 1 else [136 + n]

    counts = list(range(32, 100))
    ours = encode("gemma3-270m", [" " * n for n in counts])
    assert ours == [run(31) * (n // 31) + run(n % 31) for n in counts]


def stale_characters(texts, tokenizer):
    """What the library's tables take for letters: marks and punctuation newer than Unicode 8, and ideographs
    from U+2B820 on (they start at U+2B920 there)."""
    found = set()
    for c in set("".join(texts)):
        kind = unicodedata.category(c)
        if kind == "Mn" or kind.startswith("P") or "\U0002b820" <= c <= "\U0002b91f":
            if tokenizer.encode(f"a{c}b", add_special_tokens=False).tokens == ["[UNK]"]:
                found.add(c)
    return found


def test_minilm(minilm, encode):
    texts = odd_strings(COUNT, special_tokens(minilm))
    stale = stale_characters(texts, minilm)
    assert len(stale) < 40
    texts = ["".join(c for c in text if c not in stale) for text in texts]
    assert differences(texts, encode("minilm-l6", texts), expected(minilm, texts)) == []
    short = [text for text in texts if len(text) < 200]
    assert differences(short, encode("minilm-l6", short, "--special"), expected(minilm, short, special=True)) == []
    # The page's rules hold for them: a mark vanishes, the others stand alone.
    for c in sorted(stale):
        ours = encode("minilm-l6", [f"a{c}b", "ab", f"a {c} b"])
        assert ours[0] == (ours[1] if unicodedata.category(c) == "Mn" else ours[2]), hex(ord(c))


def test_minilm_is_cut_to_its_own_length(encode):
    (ids,) = encode("minilm-l6", ["word " * 400], "--special")
    assert len(ids) == 256 and ids[0] == 101 and ids[-1] == 102


@pytest.mark.parametrize("name", ["smollm2-135m", "gemma3-270m"])
def test_decoding_gives_the_text_back(name, encode, plaudit_cli):
    texts = odd_strings(1500)
    lost = "\x04\x06\x13\x14\x16\x1d"  # bytes that SmolLM2's vocabulary lacks
    texts = [text for text in texts if not set(text) & set(lost) and "\u2581" not in text]
    lines = "".join(json.dumps(ids) + "\n" for ids in encode(name, texts))
    out = plaudit_cli("tokenize", name, "--json", "--decode", stdin=lines, check=0).stdout
    assert differences(texts, [json.loads(line) for line in out[:-1].split("\n")], texts) == []


CHATS = [
    [{"role": "user", "content": "Hi"}],
    [{"role": "system", "content": " Be brief. "}, {"role": "user", "content": " Hi \n"}],
    [{"role": "user", "content": "a"}, {"role": "assistant", "content": " b "}, {"role": "user", "content": "é 🙂 <|im_end|>"}],
    [{"role": "system", "content": ""}, {"role": "user", "content": ""}, {"role": "assistant", "content": "{{ x }}"},
     {"role": "user", "content": "{% if %}"}],
]


def render(template, messages, prompt, **tokens):
    from transformers.utils.chat_template_utils import render_jinja_template

    texts, _ = render_jinja_template([messages], chat_template=template, add_generation_prompt=prompt, **tokens)
    return texts[0]


def test_chat_template_of_smollm2(path_of, encode):
    path = path_of("smollm2-135m")
    folder, _, name = path.rpartition("/")
    theirs = transformers.AutoTokenizer.from_pretrained(folder, gguf_file=name)
    for ours, chat in zip(encode(path, CHATS, "--chat"), CHATS, strict=True):
        assert ours["text"] == theirs.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)


# The templates that the models' makers publish, as far as text chats go.
PUBLISHED = {
    "qwen2": "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system\nYou are "
    "Qwen, created by Alibaba Cloud. You are a helpful assistant.<|im_end|>\n' }}{% endif %}{{'<|im_start|>' + message['role'] "
    "+ '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' "
    "}}{% endif %}",
    "llama3": "{% set loop_messages = messages %}{% for message in loop_messages %}{% set content = '<|start_header_id|>' + "
    "message['role'] + '<|end_header_id|>\n\n'+ message['content'] | trim + '<|eot_id|>' %}{% if loop.index0 == 0 %}{% set "
    "content = bos_token + content %}{% endif %}{{ content }}{% endfor %}{% if add_generation_prompt %}{{ "
    "'<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}",
    "gemma": "{{ bos_token }}{%- if messages[0]['role'] == 'system' -%}{%- set first_user_prefix = messages[0]['content'] + '\n\n' "
    "-%}{%- set loop_messages = messages[1:] -%}{%- else -%}{%- set first_user_prefix = '' -%}{%- set loop_messages = messages "
    "-%}{%- endif -%}{%- for message in loop_messages -%}{%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) -%}{{ "
    "raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{%- endif -%}{%- if "
    "(message['role'] == 'assistant') -%}{%- set role = 'model' -%}{%- else -%}{%- set role = message['role'] -%}{%- endif "
    "-%}{{ '<start_of_turn>' + role + '\n' + (first_user_prefix if loop.first else '') }}{{ message['content'] | trim }}{{ "
    "'<end_of_turn>\n' }}{%- endfor -%}{%- if add_generation_prompt -%}{{'<start_of_turn>model\n'}}{%- endif -%}",
}


@pytest.mark.parametrize("family", sorted(PUBLISHED))
def test_families_equal_the_published_templates(family, encode):
    bos = {"llama3": "<|begin_of_text|>", "gemma": "<bos>"}.get(family, "")
    for chat, ours in zip(CHATS, encode("smollm2-135m", CHATS, "--chat", "--family", family), strict=True):
        assert ours["text"] == render(PUBLISHED[family], chat, True, bos_token=bos)
