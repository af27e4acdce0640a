"""The sentence encoder against transformers."""

import json

import pytest
import tokenizers
import torch
from odd_strings import odd_strings
from test_tokenizer import stale_characters

transformers = pytest.importorskip("transformers")

TEXTS = [
    "A man is eating food.",
    "",
    "The girl is carrying a baby; it is raining, and nobody has an umbrella.",
    "日本語の文 naïve café 🙂",
    "word " * 400,  # cut to 256 tokens
    "A man is eating food.",
    "[MASK] and [SEP] written out",
]


def vectors_of(folder, texts, normalize=True, length=256):
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModel.from_pretrained(folder, attn_implementation="eager").eval()
    out = []
    for text in texts:
        with torch.no_grad():
            batch = tokenizer([text], truncation=True, max_length=length, padding=False, return_tensors="pt")
            out.append(model(**batch).last_hidden_state[0].mean(0))
    out = torch.stack(out)
    return torch.nn.functional.normalize(out, dim=-1) if normalize else out


@pytest.fixture
def embed(plaudit_cli, tmp_path):
    def run(model, texts):
        out = tmp_path / "vectors.json"
        plaudit_cli("embed", model, "--json", out, *[x for text in texts for x in ("--text", text)], check=0)
        return torch.tensor(json.loads(out.read_text())["vectors"])

    return run


@pytest.fixture(scope="module")
def minilm(plaudit_cli, tmp_path_factory):
    out = tmp_path_factory.mktemp("show") / "show.json"
    plaudit_cli("show", "minilm-l6", "--json", out, check=0)
    return json.loads(out.read_text())["path"]


def test_vectors_of_the_real_model(embed, minilm):
    ours, theirs = embed("minilm-l6", TEXTS), vectors_of(minilm, TEXTS)
    assert (ours - theirs).abs().max() < 1e-5
    assert torch.equal(ours[0], ours[5])


def test_a_vector_does_not_depend_on_the_other_texts(embed):
    together = embed("minilm-l6", TEXTS)
    for i in (0, 2, 3):
        assert (embed("minilm-l6", [TEXTS[i]])[0] - together[i]).abs().max() < 1e-6


def test_odd_strings(embed, minilm):
    texts = [text for text in odd_strings(420)[300:] if "\0" not in text]
    core = tokenizers.Tokenizer.from_file(f"{minilm}/tokenizer.json")
    core.no_padding()
    stale = stale_characters(texts, core)  # characters that the peer's Unicode tables do not know: docs/models.md
    texts = [text for text in texts if not stale & set(text)]
    assert len(texts) > 90
    assert (embed("minilm-l6", texts) - vectors_of(minilm, texts)).abs().max() < 1e-5


@pytest.mark.parametrize("prefix", ["", "bert."])
def test_a_random_model_with_another_shape(prefix, embed, minilm, tmp_path):
    from safetensors.torch import save_file

    torch.manual_seed(1)
    config = transformers.BertConfig(
        vocab_size=30522, hidden_size=24, num_hidden_layers=3, num_attention_heads=2, intermediate_size=40,
        max_position_embeddings=300, hidden_act="gelu", layer_norm_eps=1e-5,
    )
    model = transformers.BertModel(config).eval()
    with torch.no_grad():
        for p in model.parameters():
            p.add_(torch.randn_like(p) * 0.2)
    model.save_pretrained(tmp_path)
    transformers.AutoTokenizer.from_pretrained(minilm).save_pretrained(tmp_path)
    expected = vectors_of(tmp_path, TEXTS, length=300)
    if prefix:  # as old files have it
        names = {n.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"): t
                 for n, t in model.state_dict().items()}
        save_file({prefix + n: t.contiguous() for n, t in names.items()}, tmp_path / "model.safetensors")
    (tmp_path / "sentence_bert_config.json").write_text('{"max_seq_length": 300}')
    assert (embed(tmp_path, TEXTS) - expected).abs().max() < 1e-5


def test_mistakes_are_named(plaudit_cli, minilm, tmp_path):
    def refused(*arguments):
        return plaudit_cli("embed", *arguments, "--text", "x", check=2).stderr

    assert "is not a folder" in refused("smollm2-135m")
    assert "did you mean 'minilm-l6'?" in refused("minilm-l7")
    for name in ("tokenizer.json", "tokenizer_config.json", "config.json"):
        (tmp_path / name).write_text(open(f"{minilm}/{name}").read())
    assert "model.safetensors" in refused(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**config, "model_type": "roberta"}))
    assert "must be bert" in refused(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({**config, "num_attention_heads": 7}))
    assert "must divide hidden_size 384, got 7" in refused(tmp_path)
