"""Data files that others wrote: Parquet by pyarrow, gzip by Python, and what `plaudit data` says of them."""

import gzip
import json
import random
import time

import pyarrow
import pyarrow.parquet
import pytest

PAIRS = [{"prompt": f"p {i}", "chosen": f"good {i}", "rejected": f"bad {i}"} for i in range(10)]


@pytest.fixture
def read(plaudit_cli, tmp_path):
    """read(file, *arguments) -> the JSON report of `plaudit data`."""

    def run(file, *arguments):
        report = tmp_path / "report.json"
        plaudit_cli("data", file, "--json", report, *arguments, check=0)
        return json.loads(report.read_text())

    return run


def write_parquet(path, rows, **options):
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), path, **options)
    return path


@pytest.mark.parametrize("compression", ["none", "snappy", "gzip", "zstd", "brotli", "lz4"])
def test_parquet_equals_json_lines(read, tmp_path, compression):
    lines = tmp_path / "pairs.jsonl"
    lines.write_text("".join(json.dumps(pair) + "\n" for pair in PAIRS))
    parquet = write_parquet(tmp_path / "pairs.parquet", PAIRS, compression=compression, row_group_size=3)
    a, b = read(lines), read(parquet)
    assert a.pop("file") != b.pop("file")
    assert a == b
    assert a["kept"] == 10 and a["samples"][0] == PAIRS[0]


def test_parquet_types_arrive_as_they_are(read, tmp_path):
    row = {
        "prompt": [{"role": "user", "content": "Hi \u00e9\U0001f600"}],
        "chosen": [{"role": "assistant", "content": "a"}],
        "rejected": [{"role": "assistant", "content": "b"}],
        "i": 2**60,
        "f": 0.1,
        "yes": True,
        "none": None,
        "list": [[1, 2], []],
        "struct": {"a": {"b": "c"}},
    }
    sample = read(write_parquet(tmp_path / "x.parquet", [row]))["samples"][0]
    assert sample == {**row, "chosen": "a", "rejected": "b"}


def test_parquet_string_encodings(read, tmp_path):
    values = ["x", "y", "x"]
    table = pyarrow.table(
        {
            "prompt": pyarrow.array(values, pyarrow.large_string()),
            "chosen": pyarrow.array(["a", "b", "c"]).dictionary_encode(),
            "rejected": pyarrow.array(["d", "e", "f"], pyarrow.string_view()),
            "when": pyarrow.array([0, 1, 2], pyarrow.date32()),
            "raw": pyarrow.array([b"\xff", b"ok", None], pyarrow.binary()),
            "fixed": pyarrow.array([[1.0, 2.0]] * 3, pyarrow.list_(pyarrow.float32(), 2)),
            "map": pyarrow.array([[("k", 1)]] * 3, pyarrow.map_(pyarrow.string(), pyarrow.int8())),
        }
    )
    pyarrow.parquet.write_table(table, tmp_path / "x.parquet")
    samples = read(tmp_path / "x.parquet")["samples"]
    assert [s["prompt"] for s in samples] == values
    assert [s["chosen"] for s in samples] == ["a", "b", "c"]
    assert [s["rejected"] for s in samples] == ["d", "e", "f"]
    assert samples[1]["when"] == "1970-01-02"
    assert samples[1]["raw"] == "ok"
    assert samples[0]["fixed"] == [1.0, 2.0]
    assert samples[0]["map"] == [{"key": "k", "value": 1}]


def test_bad_parquet_rows_are_listed_by_number(read, tmp_path):
    rows = PAIRS + [{"prompt": "p", "chosen": None, "rejected": "x"}, {"prompt": "p", "chosen": "x", "rejected": "x"}]
    report = read(write_parquet(tmp_path / "x.parquet", rows))
    assert [(r["line"], r["reason"]) for r in report["rejected"]] == [
        (11, "'chosen' is missing"),
        (12, "chosen equals rejected"),
    ]


def test_every_truncation_of_a_parquet_file_is_an_error(plaudit_cli, tmp_path):
    whole = write_parquet(tmp_path / "x.parquet", PAIRS).read_bytes()
    for n in [4, 8, 100, len(whole) // 2, len(whole) - 9, len(whole) - 1]:
        (tmp_path / "cut.parquet").write_bytes(whole[:n])
        result = plaudit_cli("data", tmp_path / "cut.parquet", check=2)
        assert "cannot be read as Parquet" in result.stderr


def test_a_gzip_file_by_python_and_its_truncation(read, plaudit_cli, tmp_path):
    path = tmp_path / "pairs.json.gz"
    rng = random.Random(0)
    pairs = [{**pair, "note": "".join(rng.choices("abcdefgh", k=200))} for pair in PAIRS]
    path.write_bytes(gzip.compress(json.dumps(pairs, indent=4).encode()))
    assert read(path)["kept"] == 10
    path.write_bytes(path.read_bytes()[:-12])
    assert "damaged gzip" in plaudit_cli("data", path, check=2).stderr


def test_column_map_and_messages(read, plaudit_cli, tmp_path):
    path = tmp_path / "pairs.jsonl"
    path.write_text(json.dumps({"question": "q", "response_j": "a", "response_k": "b"}) + "\n")
    columns = "prompt=question,chosen=response_j,rejected=response_k"
    assert read(path, "--columns", columns)["samples"][0]["chosen"] == "a"
    result = plaudit_cli("data", path, "--kind", "pairs", "--columns", "prompt=questions", check=2)
    assert "has no column 'questions', did you mean 'question'?" in result.stderr
    result = plaudit_cli("data", path, "--columns", "promt=question", check=2)
    assert "there is no option 'promt', did you mean 'prompt'?" in result.stderr
    assert "did you mean 'pairs'?" in plaudit_cli("data", path, "--kind", "pair", check=2).stderr
    assert "fits no kind of record" in plaudit_cli("data", path, check=2).stderr


def test_the_listing_says_what_training_would_do(plaudit_cli, tmp_path):
    path = tmp_path / "pairs.jsonl"
    path.write_text("".join(json.dumps(pair) + "\n" for pair in PAIRS[:3]) + "{broken\n")
    text = plaudit_cli("data", path, check=0).stdout
    assert "3 of 4 records kept, 1 rejected: 1 not valid JSON (first on line 4)" in text
    assert "training would stop: 25 % is above max_rejected, 5 %" in text
    assert "sample 3" in text


def test_a_hundred_thousand_lines_take_seconds(read, tmp_path):
    path = tmp_path / "pairs.jsonl"
    body = " word" * 60
    with path.open("w") as file:
        for i in range(100_000):
            file.write(json.dumps({"prompt": f"{i}{body}", "chosen": f"a{body}", "rejected": f"b{body}"}) + "\n")
    start = time.monotonic()
    assert read(path)["kept"] == 100_000
    assert time.monotonic() - start < 20
