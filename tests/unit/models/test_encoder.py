import json
import subprocess
import sys

import numpy as np
import pytest
from safetensors.numpy import save_file
from tokenizers import Tokenizer, models, pre_tokenizers

from models.encoder import StaticEncoder, load_encoder, unit_rows

VOCABULARY = {"[UNK]": 0, "电池": 1, "隔膜": 2}
ROWS = np.array([[0, 0], [3, 4], [0, 2]], dtype=np.float32)


@pytest.fixture
def folder(tmp_path):
    tokenizer = Tokenizer(models.WordLevel(VOCABULARY, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    save_file({"embedding.weight": ROWS}, tmp_path / "model.safetensors")
    (tmp_path / "modules.json").write_text(json.dumps([{"type": "any.where.StaticEmbedding"}]))
    return tmp_path


def test_a_text_is_the_mean_of_its_tokens_made_unit_length(folder):
    rows = StaticEncoder.load(folder).encode_documents(["电池", "电池 , 隔膜"])

    assert rows.dtype == np.float32
    assert rows == pytest.approx(np.array([[0.6, 0.8], [3, 6] / np.sqrt(45)]))


def test_texts_are_brought_to_normal_form_first(folder):
    assert StaticEncoder.load(folder).encode_queries(["電\u200b池"]) == pytest.approx(np.array([[0.6, 0.8]]))


@pytest.mark.parametrize("text", ["", "，。", "unknown"])
def test_a_text_without_a_known_token_is_the_zero_row(folder, text):
    assert StaticEncoder.load(folder).encode_queries([text]).tolist() == [[0, 0]]


def test_no_texts_make_no_rows(folder):
    assert StaticEncoder.load(folder).encode_queries([]).shape == (0, 2)


def test_a_batch_is_the_same_as_its_texts_one_by_one(folder):
    encoder = StaticEncoder.load(folder)
    texts = ["电池", "", "隔膜 , 电池"] * 200

    assert np.array_equal(encoder.encode_queries(texts)[-3:], encoder.encode_queries(texts[:3]))


def test_small_numbers_with_a_weight_each_are_read_as_their_product(folder):
    tensors = {"embeddings": np.array([[0, 0], [3, 4], [0, 1]], dtype=np.int8), "weights": np.float32([1, 0.5, 2])}
    save_file(tensors, folder / "model.safetensors")

    assert StaticEncoder.load(folder).encode_queries(["电池 , 隔膜"]) == pytest.approx(
        np.array([[1.5, 4] / np.hypot(1.5, 4)])
    )


def test_the_name_follows_the_content_of_the_weights_and_not_their_place(folder, tmp_path_factory):
    before = StaticEncoder.load(folder).name
    copy = tmp_path_factory.mktemp("copy")
    for file in folder.iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
    save_file({"embedding.weight": ROWS * 2}, folder / "model.safetensors")

    assert before.startswith("static-2-")
    assert StaticEncoder.load(copy).name == before
    assert StaticEncoder.load(folder).name != before


def test_a_tokenizer_of_other_weights_is_refused(folder):
    save_file({"embedding.weight": ROWS[:2]}, folder / "model.safetensors")

    with pytest.raises(ValueError, match="3 tokens, but 2 vectors"):
        StaticEncoder.load(folder)


def test_a_folder_is_loaded_by_its_path(folder):
    assert load_encoder(str(folder)).dimension == 2


@pytest.mark.parametrize("spec", ["", "nonsense", "no/such/folder"])
def test_an_encoder_that_is_not_there_is_named(spec):
    with pytest.raises(ValueError, match="expected static, st:NAME, or a folder"):
        load_encoder(spec)


def test_unit_rows_leave_a_zero_row_zero():
    rows = unit_rows(np.array([[3, 4], [0, 0]], dtype=np.float32))

    assert rows.tolist() == [pytest.approx([0.6, 0.8]), [0, 0]]


def test_the_shipped_encoder_finds_the_nearer_text():
    encoder = load_encoder("static")
    query = encoder.encode_queries(["新能源汽车动力电池的热失控预警"])
    documents = encoder.encode_documents(["锂离子电池热管理与安全监测系统", "中药有效组分的提取与质量控制"])

    near, far = (documents @ query.T)[:, 0]

    assert near > far + 0.2


def test_script_does_not_change_what_a_text_means():
    encoder = load_encoder("static")

    simplified, traditional = encoder.encode_queries(["智能网联汽车的集成电路", "智慧網聯汽車的積體電路"])

    assert np.array_equal(simplified, traditional)


def test_without_sentence_transformers_the_message_says_what_to_install():
    program = (
        "import sys; sys.modules['sentence_transformers'] = None\n"
        "from models.encoder import load_encoder\n"
        "try: load_encoder('st:any')\n"
        "except ModuleNotFoundError as error: print(error)"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert "pip install 'jiqiao[embed]'" in done.stdout


def test_the_static_encoder_imports_no_torch():
    program = (
        "import sys; from models.encoder import load_encoder; load_encoder('static').encode_queries(['电池'])\n"
        "print({'torch', 'sentence_transformers', 'transformers'} & set(sys.modules))"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "set()"
