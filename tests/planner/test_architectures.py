from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.raises import raises
from workbench.planner.architectures import read_architecture
from workbench.planner.architectures.fields import Fields
from workbench.planner.architectures.style import STYLES
from workbench.planner.architectures.windows import window
from workbench.planner.cache import cached_elements, elements_per_token
from workbench.planner.flops import flops_per_token
from workbench.planner.models import known_models

COUNTS = json.loads((Path(__file__).parent / "transformers_counts.json").read_text())["rows"]
TOKENS = 100
# A window holds one token more than transformers keeps between two steps.
WINDOWED = {"mistral", "gemma2", "gemma3_text", "cohere2", "gpt_oss", "olmo3", "exaone4"}
# transformers repeats the keys of groups before it caches them.
REPEATED = {"falcon new"}
LLAMA = {
    "model_type": "llama",
    "hidden_size": 256,
    "num_hidden_layers": 2,
    "num_attention_heads": 8,
    "intermediate_size": 512,
    "vocab_size": 1000,
}
PUBLISHED = {
    "gpt2": 124_439_808,
    "llama-3.1-8b": 8_030_261_248,
    "llama-3.1-405b": 405_853_388_800,
    "mixtral-8x7b": 46_702_792_704,
    "qwen3-30b-a3b": 30_532_122_624,
    "gemma-3-27b": 27_009_346_304,
    "deepseek-v2-lite": 15_706_484_224,
    "falcon-7b": 6_921_720_704,
    "gpt-oss-20b": 20_914_757_184,
    "jamba-v0.1": 51_570_323_328,
    "mamba-2.8b": 2_768_345_600,
}
ACTIVE = {"mixtral-8x7b": 12_879_925_248, "qwen3-30b-a3b": 3_353_032_704}
CACHED_BYTES = {  # per token in 16 bits, from the formulas of the papers
    "llama-3.1-8b": 2 * 2 * 32 * 8 * 128,
    "falcon-7b": 2 * 2 * 32 * 64,
    "qwen3-0.6b": 2 * 2 * 28 * 8 * 128,
    "deepseek-v3": 2 * 61 * (512 + 64),
    "jamba-v0.1": 2 * 2 * 4 * 8 * 128,
    "mamba-2.8b": 0,
}


@pytest.mark.parametrize("row", COUNTS, ids=lambda row: row["name"])
def test_parameters_are_those_of_transformers(row):
    assert read_architecture(row["config"]).parameters == row["parameters"]


@pytest.mark.parametrize(
    "row", [row for row in COUNTS if row["cached"]], ids=lambda row: row["name"]
)
def test_the_cache_is_that_of_transformers(row):
    architecture = read_architecture(row["config"])
    ours = cached_elements(architecture, TOKENS)
    if row["name"] in WINDOWED:
        full = [b for b in architecture if b.mixer.window and b.mixer.window < TOKENS]
        ours -= sum(block.count * block.mixer.cached for block in full)
    if row["name"] in REPEATED:
        ours *= architecture.blocks[0].mixer.heads // architecture.blocks[0].mixer.kv_heads
    assert ours == row["cached"]


def test_enough_families_are_compared():
    assert len({row["config"]["model_type"] for row in COUNTS}) >= 20


@pytest.mark.parametrize(("name", "parameters"), PUBLISHED.items())
def test_known_models_have_their_published_size(name, parameters):
    assert read_architecture(known_models()[name].config).parameters == parameters


@pytest.mark.parametrize(("name", "parameters"), ACTIVE.items())
def test_experts_that_are_not_chosen_are_not_active(name, parameters):
    assert read_architecture(known_models()[name].config).active_parameters == parameters


@pytest.mark.parametrize(("name", "nbytes"), CACHED_BYTES.items())
def test_bytes_of_the_cache_per_token(name, nbytes):
    assert 2 * elements_per_token(read_architecture(known_models()[name].config)) == nbytes


def test_a_full_window_grows_no_further():
    mistral = read_architecture(known_models()["mistral-7b"].config)
    assert elements_per_token(mistral, 4096) > 0
    assert elements_per_token(mistral, 4097) == 0


ON = {"use_sliding_window": True, "max_window_layers": 4}


@pytest.mark.parametrize(
    ("family", "entries", "windowed"),
    [
        # As transformers 5.24 caches them, of six layers.
        ("qwen2", ON, [4, 5]),
        ("qwen3", ON, [4, 5]),
        ("qwen2_moe", ON, [0, 2]),
        ("qwen3_moe", ON, [0, 1, 2, 3, 4, 5]),
        ("smollm3", ON, [3]),
        ("smollm3", {**ON, "no_rope_layers": [1, 1, 0, 1, 1, 0]}, [2, 5]),
        ("qwen3_moe", {"use_sliding_window": False}, []),
        ("qwen2", {}, []),
        ("qwen2", {"layer_types": ["full_attention", "sliding_attention"] * 3}, [1, 3, 5]),
        ("mistral", {}, [0, 1, 2, 3, 4, 5]),
        ("gemma2", {}, [0, 2, 4]),
        ("cohere2", {}, [0, 1, 2, 4, 5]),
        ("gpt_neo", {"attention_types": [[["global", "local"], 3]], "window_size": 16}, []),
    ],
)
def test_the_layers_that_read_a_window(family, entries, windowed):
    sizes = {"num_hidden_layers": 6, "sliding_window": 16, "max_position_embeddings": 256}
    experts = {
        "num_experts": 4,
        "num_experts_per_tok": 2,
        "moe_intermediate_size": 16,
        "shared_expert_intermediate_size": 16,
    }
    config = {**LLAMA, **sizes, **experts, "model_type": family, **entries}
    fields, style = Fields(config, family), STYLES[family]
    types = fields.names("layer_types", 6)
    assert [i for i in range(6) if window(fields, style, i, types) == 16] == windowed
    read = [b.mixer.attended(100) for b in read_architecture(config) for _ in range(b.count)]
    assert sorted(read) == sorted(16 if i in windowed else 100 for i in range(6))


@pytest.mark.parametrize(
    ("config", "parameters"),
    [
        # As published: the sizes that are left out are those of transformers.
        (
            {
                "model_type": "gemma3",
                "text_config": {
                    "hidden_size": 2560,
                    "intermediate_size": 10240,
                    "model_type": "gemma3_text",
                    "num_hidden_layers": 34,
                    "sliding_window": 1024,
                },
            },
            3_880_263_168,
        ),
        ({"model_type": "llava", "text_config": {"vocab_size": 32064}}, 6_738_939_904),
        (
            {
                "model_type": "qwen2_vl",
                "hidden_size": 1536,
                "intermediate_size": 8960,
                "num_attention_heads": 12,
                "num_hidden_layers": 28,
                "num_key_value_heads": 2,
                "vocab_size": 151936,
                "tie_word_embeddings": True,
            },
            1_543_714_304,
        ),
        (
            {
                "model_type": "internvl",
                "text_config": {"model_type": "qwen3_moe", "num_experts": 4},
            },
            None,
        ),
    ],
)
def test_models_of_pictures_may_leave_out_sizes(config, parameters):
    architecture = read_architecture(config)
    if parameters is None:  # another name of the same entry is no second one
        assert {block.feed_forward.experts for block in architecture} == {4}
    else:
        assert architecture.parameters == parameters


@pytest.mark.parametrize(
    ("family", "entries", "parameters"),
    [
        # Counted in transformers 5.24.
        ("phi", {"qk_layernorm": True, "num_key_value_heads": 1}, 121_700),
        ("phi", {"num_key_value_heads": 1}, 121_444),
    ],
)
def test_optional_norms_are_counted(family, entries, parameters):
    sizes = {"hidden_size": 64, "num_hidden_layers": 4, "num_attention_heads": 4}
    sizes |= {"intermediate_size": 128, "vocab_size": 100}
    assert read_architecture({**sizes, "model_type": family, **entries}).parameters == parameters


def test_entries_that_switch_parts_off():
    def count(family, **entries):
        return read_architecture({**LLAMA, "model_type": family, **entries}).parameters

    hidden, layers = LLAMA["hidden_size"], LLAMA["num_hidden_layers"]
    opt = {"ffn_dim": 512, "max_position_embeddings": 64}
    assert count("opt", **opt) - count("opt", do_layer_norm_before=False, **opt) == 2 * hidden
    norms = (2 * layers + 1) * 2 * hidden
    without = count("opt", layer_norm_elementwise_affine=False, **opt)
    assert count("opt", **opt) - without == norms
    biases = layers * 4 * hidden
    assert count("gpt_neox") - count("gpt_neox", attention_bias=False) == biases


def test_a_model_of_pictures_and_text_is_read_by_its_language_model():
    config = {"model_type": "some_vlm", "text_config": LLAMA, "vision_config": {"hidden_size": 7}}
    assert replace(read_architecture(config), named=None) == read_architecture(LLAMA)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"model_type": "bert"}, "plan.config_family"),
        ({"model_type": "no_such_family"}, "plan.config_family"),
        ({"model_type": None}, "plan.config_incomplete"),
        ({"hidden_size": None}, "plan.config_incomplete"),
        ({"hidden_size": -256}, "plan.config_size"),
        ({"hidden_size": "large"}, "plan.config_size"),
        ({"hidden_size": True}, "plan.config_size"),
        ({"hidden_size": 1e300}, "plan.config_size"),
        ({"hidden_size": float("nan")}, "plan.config_size"),
        ({"hidden_size": 255}, "plan.config_heads"),
        ({"num_key_value_heads": 3}, "plan.config_heads"),
        ({"tie_word_embeddings": "yes"}, "plan.config_flag"),
        ({"vocab_size": {1, 2}}, "plan.config_not_json"),
        ({"model_type": "qwen3", "sliding_window": 8, "layer_types": ["a"]}, "plan.config_layers"),
    ],
)
def test_a_bad_configuration_gets_a_sentence(change, code):
    with raises(code):
        read_architecture({**LLAMA, **change})


@pytest.mark.parametrize("text", ["[]", "{", "[" * 100_000, ""])
def test_a_file_without_an_object_gets_a_sentence(tmp_path, text):
    path = tmp_path / "config.json"
    path.write_text(text)
    with raises("plan.config_not_json", "config.json"):
        read_architecture(path)


def test_a_missing_file_gets_a_sentence(tmp_path):
    with raises("file.missing", "none.json"):
        read_architecture(tmp_path / "none.json")


def test_flops_in_three_conventions():
    architecture = read_architecture(known_models()["llama-3.1-8b"].config)
    plain, palm, causal = (
        flops_per_token(architecture, 8192, convention)
        for convention in ("parameters", "palm", "causal")
    )
    assert plain == 6 * 8_030_261_248
    assert palm - plain == 12 * 32 * 4096 * 8192
    assert causal == pytest.approx(plain - 6 * 128256 * 4096 + (palm - plain) / 2)
