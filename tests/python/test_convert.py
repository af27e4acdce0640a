"""Saved models as others read them: `plaudit convert` against transformers, tokenizers, peft and gguf."""

import json

import pytest
import torch
from odd_strings import odd_strings
from safetensors.torch import load_file

transformers = pytest.importorskip("transformers")

CHAT = [{"role": "user", "content": "Hi é 🙂"}, {"role": "assistant", "content": " Yes. "}, {"role": "user", "content": "Why?"}]
TEXT = "The capital of France is Paris, and 3 + 4 = 7."


@pytest.fixture(scope="module")
def encode(plaudit_cli):
    def run(model, texts, *flags):
        lines = "".join(json.dumps(text) + "\n" for text in texts)
        out = plaudit_cli("tokenize", model, "--json", *flags, stdin=lines, check=0).stdout
        return [json.loads(line) for line in out[:-1].split("\n")]

    return run


@pytest.fixture(scope="module")
def folder_of(plaudit_cli, tmp_path_factory):
    """The folder into which a known model was converted."""
    made = {}

    def run(name):
        if name not in made:
            made[name] = tmp_path_factory.mktemp("converted") / name
            plaudit_cli("convert", name, made[name], "--dtype", "bf16", check=0)
        return made[name]

    return run


def differences(texts, ours, theirs):
    return [(text, a, b) for text, a, b in zip(texts, ours, theirs, strict=True) if a != b]


@pytest.mark.parametrize("name", ["smollm2-135m", "gemma3-270m"])
def test_the_tokenizer_of_a_saved_folder_gives_the_same_ids(name, folder_of, encode):
    theirs = transformers.AutoTokenizer.from_pretrained(folder_of(name))
    special = [token.content for token in theirs.added_tokens_decoder.values()][:60]
    texts = odd_strings(3000, special)
    ours = encode(name, texts)
    assert differences(texts, ours, [theirs.encode(text, add_special_tokens=False) for text in texts]) == []
    assert differences(texts, encode(folder_of(name), texts), ours) == []
    ours = encode(name, texts[:400], "--special")
    assert differences(texts[:400], encode(folder_of(name), texts[:400], "--special"), ours) == []
    plain = [(t, ids) for t, ids in zip(texts[:400], ours, strict=True) if not t.startswith(theirs.bos_token)]
    assert differences(*zip(*plain, strict=True), [theirs.encode(t) for t, _ in plain]) == []
    for text, ids in plain[:200]:
        assert theirs.decode(ids, clean_up_tokenization_spaces=False) == theirs._tokenizer.decode(ids, skip_special_tokens=False)


def test_chat_template_and_special_tokens(folder_of, encode):
    theirs = transformers.AutoTokenizer.from_pretrained(folder_of("smollm2-135m"))
    text = theirs.apply_chat_template(CHAT, tokenize=False, add_generation_prompt=True)
    lines = encode("smollm2-135m", [CHAT], "--chat")
    assert lines[0]["text"] == text
    assert lines[0]["ids"] == theirs.apply_chat_template(CHAT, add_generation_prompt=True)["input_ids"]
    assert (theirs.bos_token_id, theirs.eos_token_id, theirs.pad_token_id, theirs.unk_token_id) == (1, 2, 2, 0)
    gemma = transformers.AutoTokenizer.from_pretrained(folder_of("gemma3-270m"))
    assert (gemma.bos_token_id, gemma.eos_token_id, gemma.pad_token_id, gemma.unk_token_id) == (2, 1, 0, 3)
    assert gemma.chat_template is None
    generation = json.loads((folder_of("gemma3-270m") / "generation_config.json").read_text())
    assert generation == {"bos_token_id": 2, "pad_token_id": 0, "eos_token_id": [1, 106]}


def test_logits_and_greedy_tokens_of_a_saved_folder(folder_of, plaudit_cli, tmp_path):
    folder = folder_of("smollm2-135m")
    theirs = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    ids = tokenizer.apply_chat_template([{"role": "user", "content": "What is the capital of France?"}],
                                        add_generation_prompt=True, return_tensors="pt")["input_ids"]
    out = theirs.generate(ids, max_new_tokens=20, do_sample=False)
    assert tokenizer.decode(out[0, ids.shape[1]:]) == "The capital of France is Paris.<|im_end|>"


def test_there_and_back_holds_every_weight_and_id(folder_of, plaudit_cli, encode, tmp_path):
    folder, file, back = folder_of("smollm2-135m"), tmp_path / "m.gguf", tmp_path / "back"
    said = plaudit_cli("convert", folder, file, check=0).stdout
    assert "in bf16" in said  # what the folder holds
    plaudit_cli("convert", file, back, check=0)
    first, second = load_file(folder / "model.safetensors"), load_file(back / "model.safetensors")
    assert set(first) == set(second)
    assert all(torch.equal(first[name], second[name]) for name in first)
    texts = odd_strings(1500)
    assert differences(texts, encode(file, texts), encode("smollm2-135m", texts)) == []
    assert (folder / "chat_template.jinja").read_text() == (back / "chat_template.jinja").read_text()
    assert json.loads((folder / "config.json").read_text()) == json.loads((back / "config.json").read_text())


def test_gguf_metadata_of_a_folder_as_gguf_reads_it(folder_of, plaudit_cli, encode, tmp_path):
    gguf = pytest.importorskip("gguf")
    plaudit_cli("convert", folder_of("gemma3-270m"), tmp_path / "g.gguf", check=0)
    fields = gguf.GGUFReader(tmp_path / "g.gguf").fields
    assert fields["tokenizer.ggml.model"].contents() == "llama"
    assert len(fields["tokenizer.ggml.tokens"].contents()) == 262144
    assert fields["tokenizer.ggml.add_bos_token"].contents() is True
    texts = odd_strings(1500)
    assert differences(texts, encode(tmp_path / "g.gguf", texts), encode("gemma3-270m", texts)) == []


@pytest.fixture
def tiny(plaudit_cli, folder_of, tmp_path):
    """A small random Llama with the tokenizer of SmolLM2."""
    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        vocab_size=49152, hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=1, max_position_embeddings=64, tie_word_embeddings=True,
    )
    transformers.LlamaForCausalLM(config).save_pretrained(tmp_path / "tiny")
    transformers.AutoTokenizer.from_pretrained(folder_of("smollm2-135m")).save_pretrained(tmp_path / "tiny")
    (tmp_path / "tiny" / "generation_config.json").write_text('{"eos_token_id": [2, 0], "temperature": 0.3}')
    return tmp_path / "tiny"


def test_a_folder_keeps_its_own_files(tiny, plaudit_cli, tmp_path):
    plaudit_cli("convert", tiny, tmp_path / "copy", check=0)
    for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        assert (tmp_path / "copy" / name).read_bytes() == (tiny / name).read_bytes()
    generation = json.loads((tmp_path / "copy" / "generation_config.json").read_text())
    assert generation["eos_token_id"] == [2, 0] and generation["temperature"] == 0.3


def test_adapter_merged(tiny, plaudit_cli, tmp_path):
    import peft

    base = transformers.AutoModelForCausalLM.from_pretrained(tiny)
    config = peft.LoraConfig(r=3, lora_alpha=6, target_modules="all-linear", init_lora_weights=False)
    theirs = peft.get_peft_model(base, config).eval()
    theirs.save_pretrained(tmp_path / "adapter")
    assert "needs --merge" in plaudit_cli("convert", tiny, tmp_path / "m", "--adapter", tmp_path / "adapter", check=2).stderr
    plaudit_cli("convert", tiny, tmp_path / "m", "--adapter", tmp_path / "adapter", "--merge", check=0)
    merged = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "m")
    ids = torch.tensor([[5, 17, 900, 3, 41]])
    with torch.no_grad():
        a, b = merged(ids).logits, theirs(ids).logits
    assert (a - b).abs().max() < 1e-5 * b.abs().max()


def test_mistakes_are_named_and_nothing_is_overwritten(tiny, plaudit_cli, tmp_path):
    def refused(*arguments):
        return plaudit_cli("convert", *arguments, check=2).stderr

    assert "no file or folder" in refused(tmp_path / "nowhere", tmp_path / "x")
    assert "did you mean 'smollm2-135m'?" in refused("smollm2-136m", tmp_path / "x")
    assert "did you mean 'bf16'?" in refused(tiny, tmp_path / "x", "--dtype", "bf61")
    assert "needs --adapter" in refused(tiny, tmp_path / "x", "--merge")
    assert "is the model itself" in refused(tiny, tiny)
    before = (tiny / "model.safetensors").read_bytes()
    plaudit_cli("convert", tiny, tmp_path / "t.gguf", check=0)
    assert "exists already; give --force" in refused(tiny, tmp_path / "t.gguf")
    assert "exists already; give --force" in refused(tmp_path / "t.gguf", tiny)
    assert (tiny / "model.safetensors").read_bytes() == before
    plaudit_cli("convert", tiny, tmp_path / "t.gguf", "--force", check=0)
    whole = (tmp_path / "t.gguf").read_bytes()
    for name, size in (("a.gguf", 100), ("b.gguf", len(whole) // 2), ("c.gguf", len(whole) - 1), ("d.gguf", 0)):
        (tmp_path / name).write_bytes(whole[:size])
        assert name in refused(tmp_path / name, tmp_path / "x")
    (tiny / "model.safetensors").write_bytes(before[:-1])
    assert "model.safetensors" in refused(tiny, tmp_path / "x")
    (tiny / "model.safetensors").unlink()
    assert "model.safetensors" in refused(tiny, tmp_path / "x")
    assert not (tmp_path / "x").exists()
