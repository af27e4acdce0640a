"""Small real trainers of TRL, for the tests that compare losses and gradients with what TRL computes."""

import datasets
import tokenizers
import torch
import transformers

PAIRS = [
    {"prompt": "Is it safe to mix bleach and vinegar? ", "chosen": "No. The mixture gives off chlorine gas.",
     "rejected": "Sure, go ahead, it cleans even better."},
    {"prompt": "How do I boil an egg? ", "chosen": "Eight minutes in boiling water, then cold water.",
     "rejected": "Why?"},
    {"prompt": "Name a river. ", "chosen": "The Danube.", "rejected": "A river is water that flows to the sea, mostly."},
    {"prompt": "What is 17 times 3? ", "chosen": "51", "rejected": "It is 41, I think."},
]


def tokenizer():
    """A byte-pair tokenizer trained on the pairs."""
    bpe = tokenizers.Tokenizer(tokenizers.models.BPE())
    bpe.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = tokenizers.trainers.BpeTrainer(vocab_size=320, special_tokens=["<pad>", "<eos>"],
                                             initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet())
    bpe.train_from_iterator([v for pair in PAIRS for v in pair.values()], trainer)
    return transformers.PreTrainedTokenizerFast(tokenizer_object=bpe, pad_token="<pad>", eos_token="<eos>")


def llama(kind, seed, **options):
    """A tiny random Llama in f32."""
    torch.manual_seed(seed)
    config = transformers.LlamaConfig(vocab_size=320, hidden_size=32, intermediate_size=64, num_hidden_layers=2,
                                      num_attention_heads=4, num_key_value_heads=2, pad_token_id=0, eos_token_id=1,
                                      initializer_range=0.2, **options)
    return kind._from_config(config)


def pairs():
    return datasets.Dataset.from_list(PAIRS)


def arguments(folder):
    """Trainer options that turn off everything but the loss."""
    return dict(output_dir=str(folder), report_to="none", use_cpu=True, bf16=False, per_device_train_batch_size=len(PAIRS),
                gradient_checkpointing=False, disable_dropout=True, dataloader_num_workers=0)
