"""Small networks of the transformers package, built from configurations without downloads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import transformers
from torch import nn

from _architectures.architecture import Architecture, Inputs, image

WORDS = 1000
IDS = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
SIZES = {
    "vocab_size": WORDS,
    "hidden_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 256,
    "max_position_embeddings": 64,
    **IDS,
}
"""The size fields that most configurations have."""
GROUPED = {**SIZES, "num_key_value_heads": 2, "head_dim": 24}
PICTURES = {key: SIZES[key] for key in list(SIZES)[1:5]} | {"image_size": 32, "patch_size": 4}
SPOKEN = {
    **SIZES,
    "vocab_size": 40,
    "conv_dim": (64, 64, 64),
    "conv_kernel": (10, 3, 3),
    "conv_stride": (5, 2, 2),
    "num_feat_extract_layers": 3,
    "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 4,
}
BART = {
    "vocab_size": WORDS,
    "d_model": 96,
    "encoder_layers": 2,
    "decoder_layers": 2,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 4,
    "encoder_ffn_dim": 256,
    "decoder_ffn_dim": 256,
    "max_position_embeddings": 64,
    "decoder_start_token_id": 2,
    **IDS,
}
T5 = {
    "vocab_size": WORDS,
    "d_model": 96,
    "d_kv": 24,
    "d_ff": 256,
    "num_layers": 2,
    "num_heads": 4,
    "decoder_start_token_id": 0,
    "pad_token_id": 0,
}


def words(rng: torch.Generator) -> Inputs:
    """Draw words without padding."""
    return {"input_ids": torch.randint(3, WORDS, (2, 16), generator=rng)}


def source_and_target(rng: torch.Generator) -> Inputs:
    """Draw a source and a target sequence."""
    target = torch.randint(3, WORDS, (2, 8), generator=rng)
    return {**words(rng), "decoder_input_ids": target}  # type: ignore[dict-item]


def images(size: int = 32) -> Callable[[torch.Generator], Inputs]:
    """Return a function that draws images."""
    return lambda rng: {"pixel_values": image(rng, size)}


def sound(rng: torch.Generator) -> Inputs:
    """Draw a tenth of a second of sound."""
    return {"input_values": torch.randn(2, 1600, generator=rng)}


def spectrum(rng: torch.Generator) -> Inputs:
    """Draw a spectrogram and a target sequence."""
    return {
        "input_features": torch.randn(2, 40, 64, generator=rng),
        "decoder_input_ids": torch.randint(3, WORDS, (2, 8), generator=rng),
    }


def words_and_images(rng: torch.Generator) -> Inputs:
    """Draw words and images."""
    return {**words(rng), **images()(rng)}  # type: ignore[dict-item]


def builder(kind: str, settings: dict[str, Any]) -> Callable[[], nn.Module]:
    """Return a function that builds a model of class `kind` without a cache."""

    def build() -> nn.Module:
        model = getattr(transformers, kind)
        config = model.config_class(**settings)
        config.use_cache = False
        module: nn.Module = model(config)
        return module

    return build


TEXT_AND_VISION = {
    "text_config": SIZES,
    "vision_config": PICTURES,
    "projection_dim": 64,
}

ARCHITECTURES = [
    Architecture(family, name, builder(kind, settings), draw)
    for family, name, kind, settings, draw in (
        ("BERT", "bert", "BertForMaskedLM", SIZES, words),
        ("BERT", "roberta", "RobertaForMaskedLM", SIZES, words),
        (
            "BERT",
            "distilbert",
            "DistilBertForMaskedLM",
            {"vocab_size": WORDS, "dim": 96, "hidden_dim": 256, "n_layers": 2, "n_heads": 4},
            words,
        ),
        (
            "BERT",
            "albert, layers shared",
            "AlbertForMaskedLM",
            {**SIZES, "embedding_size": 64},
            words,
        ),
        ("BERT", "electra", "ElectraForMaskedLM", {**SIZES, "embedding_size": 64}, words),
        (
            "BERT",
            "deberta",
            "DebertaForMaskedLM",
            {**SIZES, "relative_attention": True, "pos_att_type": ["c2p", "p2c"]},
            words,
        ),
        (
            "BERT",
            "deberta v2",
            "DebertaV2ForMaskedLM",
            {**SIZES, "relative_attention": True, "pos_att_type": ["c2p", "p2c"]},
            words,
        ),
        ("BERT", "modernbert", "ModernBertForMaskedLM", {**SIZES, "cls_token_id": 1}, words),
        (
            "BERT",
            "xlnet",
            "XLNetLMHeadModel",
            {"vocab_size": WORDS, "d_model": 96, "n_layer": 2, "n_head": 4, "d_inner": 256},
            words,
        ),
        ("BERT", "fnet", "FNetForMaskedLM", SIZES, words),
        (
            "GPT",
            "gpt-2",
            "GPT2LMHeadModel",
            {"vocab_size": WORDS, "n_embd": 96, "n_layer": 2, "n_head": 4, "n_positions": 64},
            words,
        ),
        (
            "GPT",
            "gpt-j",
            "GPTJForCausalLM",
            {"vocab_size": WORDS, "n_embd": 96, "n_layer": 2, "n_head": 4, "rotary_dim": 8},
            words,
        ),
        (
            "GPT",
            "gpt-neo",
            "GPTNeoForCausalLM",
            {
                "vocab_size": WORDS,
                "hidden_size": 96,
                "num_layers": 2,
                "num_heads": 4,
                "attention_types": [[["global", "local"], 1]],
                "max_position_embeddings": 64,
            },
            words,
        ),
        ("GPT", "gpt-neox", "GPTNeoXForCausalLM", SIZES, words),
        (
            "GPT",
            "opt",
            "OPTForCausalLM",
            {**SIZES, "ffn_dim": 256, "word_embed_proj_dim": 96},
            words,
        ),
        (
            "GPT",
            "bloom",
            "BloomForCausalLM",
            {"vocab_size": WORDS, "hidden_size": 96, "n_layer": 2, "n_head": 4},
            words,
        ),
        ("GPT", "falcon", "FalconForCausalLM", SIZES, words),
        ("Llama", "llama", "LlamaForCausalLM", GROUPED, words),
        ("Llama", "mistral", "MistralForCausalLM", GROUPED, words),
        (
            "Llama",
            "mixtral, experts",
            "MixtralForCausalLM",
            {**GROUPED, "num_local_experts": 4},
            words,
        ),
        ("Llama", "qwen2", "Qwen2ForCausalLM", GROUPED, words),
        ("Llama", "qwen3", "Qwen3ForCausalLM", GROUPED, words),
        ("Llama", "gemma", "GemmaForCausalLM", GROUPED, words),
        ("Llama", "gemma 2", "Gemma2ForCausalLM", GROUPED, words),
        ("Llama", "phi", "PhiForCausalLM", SIZES, words),
        ("Llama", "phi 3", "Phi3ForCausalLM", SIZES, words),
        ("Llama", "olmo 2", "Olmo2ForCausalLM", SIZES, words),
        ("Encoder and decoder", "t5", "T5ForConditionalGeneration", T5, source_and_target),
        (
            "Encoder and decoder",
            "t5 v1.1, gated",
            "T5ForConditionalGeneration",
            {**T5, "feed_forward_proj": "gated-gelu", "tie_word_embeddings": False},
            source_and_target,
        ),
        ("Encoder and decoder", "bart", "BartForConditionalGeneration", BART, source_and_target),
        ("Encoder and decoder", "mbart", "MBartForConditionalGeneration", BART, source_and_target),
        (
            "Encoder and decoder",
            "pegasus",
            "PegasusForConditionalGeneration",
            BART,
            source_and_target,
        ),
        ("Encoder and decoder", "marian", "MarianMTModel", BART, source_and_target),
        (
            "State spaces",
            "mamba",
            "MambaForCausalLM",
            {"vocab_size": WORDS, "hidden_size": 96, "num_hidden_layers": 2, "state_size": 8},
            words,
        ),
        (
            "State spaces",
            "mamba 2",
            "Mamba2ForCausalLM",
            {
                "vocab_size": WORDS,
                "hidden_size": 96,
                "num_hidden_layers": 2,
                "state_size": 16,
                "num_heads": 8,
                "head_dim": 24,
                "n_groups": 1,
                "chunk_size": 16,
            },
            words,
        ),
        (
            "State spaces",
            "rwkv",
            "RwkvForCausalLM",
            {
                "vocab_size": WORDS,
                "hidden_size": 96,
                "num_hidden_layers": 2,
                "attention_hidden_size": 96,
            },
            words,
        ),
        ("Pictures", "vit, transformers", "ViTForImageClassification", PICTURES, images()),
        (
            "Pictures",
            "deit, transformers",
            "DeiTForImageClassificationWithTeacher",
            PICTURES,
            images(),
        ),
        ("Pictures", "beit", "BeitForImageClassification", PICTURES, images()),
        ("Pictures", "dinov2", "Dinov2Model", PICTURES, images()),
        (
            "Pictures",
            "swin, transformers",
            "SwinForImageClassification",
            {
                "image_size": 32,
                "patch_size": 2,
                "embed_dim": 48,
                "depths": [2, 2],
                "num_heads": [2, 4],
                "window_size": 4,
            },
            images(),
        ),
        (
            "Pictures",
            "segformer",
            "SegformerForImageClassification",
            {
                "num_encoder_blocks": 2,
                "depths": [1, 1],
                "sr_ratios": [2, 1],
                "hidden_sizes": [48, 96],
                "patch_sizes": [7, 3],
                "strides": [4, 2],
                "num_attention_heads": [2, 4],
                "mlp_ratios": [4, 4],
            },
            images(),
        ),
        (
            "Pictures",
            "resnet",
            "ResNetForImageClassification",
            {"embedding_size": 32, "hidden_sizes": [64, 128, 256], "depths": [1, 1, 1]},
            images(),
        ),
        (
            "Pictures",
            "convnext, transformers",
            "ConvNextForImageClassification",
            {"hidden_sizes": [48, 96, 192], "depths": [1, 1, 1], "num_stages": 3},
            images(),
        ),
        (
            "Pictures",
            "mobilevit",
            "MobileViTForImageClassification",
            {
                "image_size": 64,
                "hidden_sizes": [48, 64, 96],
                "neck_hidden_sizes": [16, 24, 32, 48, 64, 96, 192],
            },
            images(64),
        ),
        ("Words and images", "clip", "CLIPModel", TEXT_AND_VISION, words_and_images),
        ("Words and images", "siglip", "SiglipModel", TEXT_AND_VISION, words_and_images),
        ("Sound", "wav2vec 2", "Wav2Vec2ForCTC", SPOKEN, sound),
        ("Sound", "hubert", "HubertForCTC", SPOKEN, sound),
        ("Sound", "wavlm", "WavLMForCTC", SPOKEN, sound),
        (
            "Sound",
            "whisper",
            "WhisperForConditionalGeneration",
            {
                **BART,
                "num_mel_bins": 40,
                "max_source_positions": 32,
                "max_target_positions": 32,
            },
            spectrum,
        ),
    )
]
