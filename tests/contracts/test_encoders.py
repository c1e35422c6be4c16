"""One encoder through two adapters: torch-free, and sentence-transformers itself, which must be installed."""

import os
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest

from models.encoder import WEIGHTS, SentenceTransformerEncoder, StaticEncoder, load_encoder, unit_rows
from models.training.encoder_network import ComposedEmbedding, features
from models.training.encoder_vocabulary import build_tokenizer, choose_pieces, compose

TEXTS = [
    "智能网联汽车的热管理与 LiFePO4 电池",
    "面向中药饮片的近红外在线检测系统，检出限 0.5 mg/kg，重复性优于 2 %。" * 40,
    "智慧網聯汽車",
    "精 准 治 疗\u200b",
    "𠮷野家 Ω≥3.5×10⁻³",
    "",
    "，。",
    "电",
]


@pytest.fixture(scope="module")
def static():
    return StaticEncoder.load(WEIGHTS)


@pytest.fixture(scope="module")
def through_torch():
    return SentenceTransformerEncoder(str(WEIGHTS))


@pytest.mark.parametrize("side", ["encode_queries", "encode_documents"])
def test_both_adapters_give_the_same_vectors(static, through_torch, side):
    ours, theirs = getattr(static, side)(TEXTS), getattr(through_torch, side)(TEXTS)

    assert ours.dtype == theirs.dtype == np.float32
    assert np.abs(ours - theirs).max() < 1e-5


@pytest.mark.parametrize("name", ["static", "through_torch"])
def test_rows_are_of_unit_length_or_zero_for_a_text_that_says_nothing(request, name):
    encoder = request.getfixturevalue(name)

    rows = encoder.encode_documents(TEXTS)

    assert rows.shape == (len(TEXTS), encoder.dimension)
    assert np.linalg.norm(rows, axis=1) == pytest.approx([1, 1, 1, 1, 1, 0, 0, 1], abs=1e-6)


def test_a_static_folder_is_served_without_torch_and_by_torch_when_asked(static, through_torch):
    assert load_encoder(str(WEIGHTS)).name == static.name
    assert through_torch.name.startswith("st:")
    assert through_torch.dimension == static.dimension


def test_a_model_that_is_not_here_is_named_when_offline():
    program = (
        "from models.encoder import load_encoder\n"
        "try: load_encoder('st:nobody/nothing')\n"
        "except ValueError as error: print(error)"
    )
    offline = os.environ | {"HF_HUB_OFFLINE": "1"}

    done = subprocess.run([sys.executable, "-c", program], env=offline, capture_output=True, text=True, check=True)

    assert "No model nobody/nothing on this machine" in done.stdout


def test_folded_vectors_say_what_the_network_that_was_trained_says():
    pieces = choose_pieces(Counter({"固态电池": 9, "电池": 9, "隔膜": 9}), fewest=1)
    tokenizer = build_tokenizer(pieces)
    rarity = np.linspace(1, 3, len(pieces), dtype=np.float32)
    network = ComposedEmbedding(tokenizer, compose(pieces), rarity, dimension=8)
    texts = ["固态电池的隔膜", "电池，电池"]

    trained = network(features([np.array(tokenizer.encode(text).ids) for text in texts]))["sentence_embedding"]

    served = StaticEncoder(tokenizer, network.folded(), np.ones(len(pieces), np.float32), revision="test")
    assert unit_rows(trained.detach().numpy()) == pytest.approx(served.encode_queries(texts), abs=1e-6)
