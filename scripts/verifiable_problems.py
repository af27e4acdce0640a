"""Writes problems whose answers a program can check: recipes/data/verifiable{,-heldout,-sft}.jsonl.

    python scripts/verifiable_problems.py [--gsm8k-train FILE --gsm8k-test FILE --out FOLDER]

Arithmetic comes from the `reasoning-gym` package, constraints are those of verify.constraint, and GSM8K joins from its files
when they are named; then --out names another folder than the project's own. Test questions are of other topics and other
numbers than the training ones.
"""

import argparse
import gzip
import json
import pathlib
import random

import reasoning_gym

FOLDER = pathlib.Path(__file__).resolve().parents[1] / "recipes" / "data"

TOPICS = """a river|an old bridge|the first snow|a street market|a lighthouse|fresh bread|a night train|a quiet library|a garden|
a football match|a thunderstorm|a small boat|the harbour|a mountain path|a bicycle|a birthday|a black cat|morning coffee|a violin|
a school bus|the moon|a castle|a bakery|an apple tree|a museum|a telescope|a desert|a kite|a rainy day|the sea|a farm|a clock tower|
a pine forest|a puppy|a busy airport|a lemon cake|an island|a campfire|a piano|a waterfall""".replace("\n", "").split("|")

# What is asked, how it is checked, and one way to do it.
CONSTRAINTS = [
    ("Use only lowercase letters.", {"name": "lowercase"}, lambda t: f"{t} is calm and bright today."),
    ("Use only capital letters.", {"name": "uppercase"}, lambda t: f"{t} is calm and bright today.".upper()),
    ("Use no commas.", {"name": "no_commas"}, lambda t: f"There is {t} and it is calm and bright."),
    ("Put it in double quotes.", {"name": "quotation"}, lambda t: f'"I like {t} in the morning."'),
    (
        "Use at most ten words.",
        {"name": "word_count", "N": 10, "quantifier": "at most"},
        lambda t: f"I like {t} very much.",
    ),
    ("End with the words THE END.", {"name": "end_phrase", "phrase": "THE END."}, lambda t: f"I like {t}. THE END."),
]


def chat(text):
    return [{"role": "user", "content": text}]


def constraints(topics):
    for topic in topics:
        for request, truth, answer in CONSTRAINTS:
            yield (
                {"prompt": chat(f"Write one sentence about {topic}. {request}"), "verifier": "constraint", "ground_truth": truth},
                answer(topic),
            )


def arithmetic(count, seed):
    data = reasoning_gym.create_dataset(
        "basic_arithmetic", size=4 * count, seed=seed, min_terms=2, max_terms=2, min_digits=1, max_digits=1
    )
    seen = {}
    for entry in data:
        seen.setdefault(entry["question"], entry["answer"])
    for question, answer in list(seen.items())[:count]:
        yield {"prompt": chat(question), "verifier": "gsm8k", "ground_truth": answer}, f"The answer is {answer}."


def gsm8k(path, count):
    opened = gzip.open(path, "rt") if path.endswith(".gz") else open(path)
    with opened as lines:
        for line in list(lines)[:count]:
            entry = json.loads(line)
            reasoning, label = entry["answer"].rsplit("####", 1)
            label = label.strip().replace(",", "")
            while "<<" in reasoning:  # the calculator's notes
                start = reasoning.index("<<")
                reasoning = reasoning[:start] + reasoning[reasoning.index(">>", start) + 2 :]
            yield (
                {"prompt": chat(entry["question"]), "verifier": "gsm8k", "ground_truth": label},
                f"{reasoning.strip()}\nThe answer is {label}.",
            )


def write(path, rows):
    with open(path, "w") as out:
        for row in rows:
            out.write(json.dumps(row) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gsm8k-train")
    parser.add_argument("--gsm8k-test")
    parser.add_argument("--gsm8k", type=int, default=100, help="how many of its problems")
    parser.add_argument("--out", type=pathlib.Path, default=FOLDER, help="folder of the three files")
    flags = parser.parse_args()
    if (flags.gsm8k_train or flags.gsm8k_test) and flags.out.resolve() == FOLDER:
        parser.error("--out must name another folder when GSM8K joins: the project's own files are without it")
    train = list(constraints(TOPICS[:28]))
    test = list(constraints(TOPICS[28:]))
    sums = list(arithmetic(90, seed=1))
    known = {json.dumps(problem["prompt"]) for problem, _ in sums}
    train += sums
    test += [row for row in arithmetic(120, seed=2) if json.dumps(row[0]["prompt"]) not in known][:24]
    if flags.gsm8k_train:
        train += gsm8k(flags.gsm8k_train, flags.gsm8k)
    if flags.gsm8k_test:
        test += gsm8k(flags.gsm8k_test, flags.gsm8k)
    random.Random(0).shuffle(train)
    random.Random(0).shuffle(test)
    flags.out.mkdir(parents=True, exist_ok=True)
    write(flags.out / "verifiable.jsonl", [problem for problem, _ in train])
    write(flags.out / "verifiable-heldout.jsonl", [problem for problem, _ in test])
    write(
        flags.out / "verifiable-sft.jsonl",
        [{"messages": [*problem["prompt"], {"role": "assistant", "content": answer}]} for problem, answer in train[::2]],
    )


if __name__ == "__main__":
    main()
