"""GGUF against the `gguf` package: every number of the real files, and files written by either side."""

import hashlib
import json
import subprocess

import numpy
import pytest

gguf = pytest.importorskip("gguf")


@pytest.fixture(scope="module")
def digests(build_folder):
    """digests(path) -> {tensor name: {shape, type, sha256 of the values in f32}} as plaudit reads the file."""

    def run(path):
        tool = build_folder / "tests" / "tool_gguf_digests"
        lines = subprocess.run([tool, path], capture_output=True, text=True, check=True).stdout.splitlines()
        return {line["name"]: line for line in map(json.loads, lines)}

    return run


@pytest.fixture(scope="module")
def model_path(plaudit_cli, tmp_path_factory):
    """model_path("smollm2-135m") -> the file behind a known name."""

    def run(name):
        out = tmp_path_factory.mktemp("show") / "show.json"
        plaudit_cli("show", name, "--json", out, check=0)
        return json.loads(out.read_text())["path"]

    return run


def expected(tensor):
    values = gguf.dequantize(tensor.data, tensor.tensor_type).astype(numpy.float32)
    return {
        "name": tensor.name,
        "shape": [int(size) for size in reversed(tensor.shape)],
        "type": tensor.tensor_type.name,
        "sha256": hashlib.sha256(numpy.ascontiguousarray(values)).hexdigest(),
    }


@pytest.mark.parametrize("name", ["smollm2-135m", "gemma3-270m"])
def test_every_number_of_the_real_files(name, digests, model_path):
    path = model_path(name)
    ours = digests(path)
    theirs = {tensor.name: expected(tensor) for tensor in gguf.GGUFReader(path).tensors}
    assert ours == theirs


# Types that gguf-py can quantise; rows of 512, so that every block size divides them.
@pytest.mark.parametrize("kind", ["F32", "F16", "BF16", "Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1"])
def test_files_written_by_gguf_py(kind, digests, tmp_path):
    path = tmp_path / "f.gguf"
    kind = gguf.GGMLQuantizationType[kind]
    values = numpy.random.default_rng(1).standard_normal((3, 512)).astype(numpy.float32)
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_array("list", ["a", "b"])
    writer.add_tensor("w", gguf.quantize(values, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    assert digests(path) == {"w": expected(gguf.GGUFReader(path).tensors[0])}


# Types that only llama.cpp writes: random bytes, every exponent among them but NaN and infinity.
@pytest.mark.parametrize("kind", ["Q4_K", "Q5_K", "Q6_K"])
def test_random_blocks(kind, digests, tmp_path):
    path = tmp_path / "f.gguf"
    kind = gguf.GGMLQuantizationType[kind]
    size, count = gguf.GGML_QUANT_SIZES[kind]
    blocks = numpy.random.default_rng(2).integers(0, 256, (64, count), dtype=numpy.uint8)
    halves = (0, 2) if kind.name != "Q6_K" else (208,)
    for at in halves:
        blocks[:, at + 1] &= 0xBB  # an exponent below 31
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_tensor("w", blocks, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    assert digests(path) == {"w": expected(gguf.GGUFReader(path).tensors[0])}
