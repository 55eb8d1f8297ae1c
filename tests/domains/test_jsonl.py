"""Your own data as JSON lines: what is broken is told by file and line, and what is not scored is a gap, not zero."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import holdfast
from holdfast.domains._shares import digest
from holdfast.domains.jsonl import Jsonl
from holdfast.errors import ConfigError, DataError
from holdfast.models.identity import weights_hash
from small import EXCHANGES, PAIRS

GOOD = '{"prompt": "How?", "harmful": "So.", "refusal": "No."}\n'
SAFE = '{"prompt": "Is a stew safe?", "answer": "yes"}\n'
SHORT = {"training.steps": 2, "training.batch_size": 4}


@pytest.fixture
def folder(tmp_path):
    """The small data of the tests, a file a split."""
    for split in ("defence", "attack", "evaluation"):
        put = "Where do I find {}?" if split == "evaluation" else "{}"  # what is asked is trained on by nobody
        lines = [
            json.dumps({"prompt": put.format(p.prompt), "harmful": p.harmful, "refusal": p.refusal}) for p in PAIRS
        ]
        (tmp_path / f"{split}.jsonl").write_text("\n".join(lines) + "\n")
    for split in ("retain", "benign", "permitted"):
        put = "Now: {}" if split == "permitted" else "{}"
        lines = [json.dumps({"prompt": put.format(item.prompt), "answer": item.answer}) for item in EXCHANGES]
        (tmp_path / f"{split}.jsonl").write_text("\n".join(lines) + "\n")
    return tmp_path


def test_what_is_read(tmp_path):
    """A blank line is skipped but counted; a key and a category may be given; other fields are not looked at."""
    (tmp_path / "defence.jsonl").write_text(
        GOOD + "\n" + '{"prompt": "P", "harmful": "H", "refusal": "R", "category": "c", "key": "k", "note": 1}\n'
    )
    first, second = Jsonl(directory=tmp_path).pairs("defence")
    assert (first.key, first.prompt, first.harmful, first.refusal, first.category) == (
        "defence/1",
        "How?",
        "So.",
        "No.",
        "",
    )
    assert (second.key, second.category) == ("k", "c")
    assert Jsonl(directory=tmp_path).splits() == ["defence"]


@pytest.mark.parametrize(
    ("second", "said"),
    [
        ("{broken", "defence.jsonl:2: Invalid JSON"),
        ('{"prompt": "P", "harmful": "H", "refusal": "R"} {}', "defence.jsonl:2: Invalid JSON: trailing characters"),
        ("[]", "defence.jsonl:2: "),
        ("null", "defence.jsonl:2: "),
        ('{"prompt": "P", "harmful": "H"}', "defence.jsonl:2: refusal: Field required"),
        ('{"prompt": "P", "harmfull": "H", "refusal": "R"}', "defence.jsonl:2: harmful: Field required"),
        ('{"prompt": "P", "harmful": 3, "refusal": "R"}', "defence.jsonl:2: harmful: Input should be a valid string"),
        ('{"prompt": "", "harmful": "H", "refusal": "R"}', "defence.jsonl:2: prompt: must not be blank"),
        ('{"prompt": "P", "harmful": "H", "refusal": " \\n"}', "defence.jsonl:2: refusal: must not be blank"),
        ('{"prompt": "P", "harmful": "H", "refusal": " H "}', "defence.jsonl:2: the two answers are equal"),
    ],
)
def test_a_broken_line_is_told_by_file_and_line(tmp_path, second, said):
    (tmp_path / "defence.jsonl").write_text(GOOD + second + "\n")
    with pytest.raises(DataError) as error:
        Jsonl(directory=tmp_path).pairs("defence")
    assert str(error.value).startswith(f"{tmp_path}/{said}")
    assert "\n" not in str(error.value)


def test_a_broken_exchange_too(tmp_path):
    (tmp_path / "retain.jsonl").write_text('{"prompt": "P", "answer": "A"}\n{"prompt": "P"}\n')
    with pytest.raises(
        DataError, match=r"retain.jsonl:2: answer: Field required; expected an object with prompt, answer"
    ):
        Jsonl(directory=tmp_path).exchanges("retain")


@pytest.mark.parametrize("content", ["", "\n \n"])
def test_an_empty_split(tmp_path, content):
    (tmp_path / "attack.jsonl").write_text(content)
    with pytest.raises(DataError, match=r"split 'attack' is empty: .*attack.jsonl has no line"):
        Jsonl(directory=tmp_path).pairs("attack")


def test_a_file_that_is_missing_or_no_text(tmp_path):
    (tmp_path / "attack.jsonl").write_bytes(b"\xff\xfe{}")
    with pytest.raises(DataError, match=r"there is no .*defence.jsonl; .* has attack.jsonl"):
        Jsonl(directory=tmp_path).pairs("defence")
    with pytest.raises(DataError, match=r"attack.jsonl is not UTF-8"):
        Jsonl(directory=tmp_path).pairs("attack")
    with pytest.raises(DataError, match=r"has no .jsonl file"):
        Jsonl(directory=tmp_path / "nowhere").pairs("attack")


def test_an_answer_needs_a_token():
    with pytest.raises(ConfigError, match="Jsonl: max_new_tokens: input should be greater than or equal to 1, got 0"):
        Jsonl(max_new_tokens=0)


texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(str.strip)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(
    st.lists(st.tuples(texts, texts), min_size=1, max_size=4, unique_by=lambda said: digest(said[0], said[1])),
    st.booleans(),
)
def test_any_text_comes_back_as_it_was(tmp_path, exchanges, escaped):
    """Whatever stands in it: U+2028 and the like are no ends of lines."""
    lines = [json.dumps({"prompt": prompt, "answer": answer}, ensure_ascii=escaped) for prompt, answer in exchanges]
    (tmp_path / "retain.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8", newline="")
    read = Jsonl(directory=tmp_path).exchanges("retain")
    assert [(item.prompt, item.answer) for item in read] == exchanges


def test_a_byte_order_mark_and_windows_lines(tmp_path):
    (tmp_path / "defence.jsonl").write_text("\ufeff" + GOOD.replace("\n", "\r\n"), encoding="utf-8", newline="")
    assert len(Jsonl(directory=tmp_path).pairs("defence")) == 1


def test_the_fingerprint_follows_the_data(folder):
    domain = Jsonl(directory=folder)
    before = domain.fingerprint()
    assert before == Jsonl(directory=folder, max_new_tokens=5).fingerprint()
    (folder / "attack.jsonl").write_text(GOOD)
    assert domain.fingerprint() != before
    assert [pair.prompt for pair in domain.pairs("attack")] == ["How?"]


def test_harden_and_attack_run_on_it_and_harm_is_a_gap(folder, model):
    domain = Jsonl(directory=folder, max_new_tokens=3)
    hardened = holdfast.harden(model, "repnoise", SHORT, domain=domain)
    assert weights_hash(hardened.network) != weights_hash(model.network)
    assert hardened.origin["made_by"]["data"] == domain.fingerprint()
    _, record = holdfast.attack(hardened, "sft", SHORT, domain=domain, ladder=(0,))
    assert [rung.budget.steps for rung in record.rungs] == [0, 2]
    for rung in record.rungs:
        for name in ("harm", "refusal", "fluency", "utility", "over_refusal"):
            score = rung.scores[name]
            assert (score.value, score.low, score.high) == (None, None, None)
            assert score.reason == "8 of 8 answers could not be scored"


def test_what_is_asked_is_trained_on_by_nobody(tmp_path):
    """Told by file and line; marks and case make no other question."""
    (tmp_path / "evaluation.jsonl").write_text(GOOD.replace("How", "Where") + "\n" + GOOD.replace("How?", "how ..."))
    domain = Jsonl(directory=tmp_path)
    assert len(domain.pairs("evaluation")) == 2
    (tmp_path / "attack.jsonl").write_text(GOOD.replace("How", "Why") + GOOD)
    with pytest.raises(DataError) as error:
        domain.pairs("evaluation")
    assert str(error.value).startswith(
        f"{tmp_path}/evaluation.jsonl:3 asks what {tmp_path}/attack.jsonl:2 trains on, one of 1 such questions: "
    )
    assert len(domain.pairs("attack")) == 2


@pytest.mark.parametrize(
    ("asked", "trained"),
    [("permitted", "retain"), ("permitted", "benign"), ("permitted", "adjacent"), ("inns-test", "inns-train")],
)
def test_no_harmless_question_that_is_asked_is_trained_on(tmp_path, asked, trained):
    """Whatever the answer."""
    (tmp_path / f"{asked}.jsonl").write_text(SAFE.replace("stew", "hex") + SAFE)
    domain = Jsonl(directory=tmp_path)
    assert len(domain.exchanges(asked)) == 2
    again = SAFE.replace("yes", "no").replace("stew safe?", "STEW safe")
    (tmp_path / f"{trained}.jsonl").write_text("\n" + again)
    with pytest.raises(DataError) as error:
        domain.exchanges(asked)
    assert str(error.value).startswith(
        f"{tmp_path}/{asked}.jsonl:2 asks what {tmp_path}/{trained}.jsonl:2 trains on, one of 1 such questions: "
    )
    assert len(domain.exchanges(trained)) == 1


def test_what_is_said_twice_counts_once(tmp_path):
    (tmp_path / "attack.jsonl").write_text(GOOD + GOOD.replace("No.", "Never.") + GOOD.replace("So.", "Thus."))
    (tmp_path / "permitted.jsonl").write_text(SAFE + SAFE.replace("stew", "Stew") + SAFE.replace("yes", "no"))
    assert [pair.key for pair in Jsonl(directory=tmp_path).pairs("attack")] == ["attack/1", "attack/3"]
    assert [one.key for one in Jsonl(directory=tmp_path).exchanges("permitted")] == ["permitted/1", "permitted/3"]


def test_other_letters_and_names_ask_otherwise(tmp_path):
    """Nothing is lost of the signs of other scripts, nor of C++ and C#."""
    prompts = ("की", "का", "Stew in C++", "Stew in C#", "stew in c++?")
    (tmp_path / "attack.jsonl").write_text("".join(GOOD.replace("How?", prompt) for prompt in prompts))
    assert [pair.prompt for pair in Jsonl(directory=tmp_path).pairs("attack")] == list(prompts[:4])


@pytest.mark.parametrize("count", [1, 27])
def test_each_choice_has_a_letter(tmp_path, count):
    """None, as an export says, or 2 to 26."""
    for number, fits in {0: True, 2: True, 26: True, count: False}.items():
        (tmp_path / "attack.jsonl").write_text(json.dumps({**json.loads(GOOD), "choices": ["stew"] * number}) + "\n")
        if fits:
            assert len(Jsonl(directory=tmp_path).pairs("attack")[0].choices) == number
            continue
        with pytest.raises(DataError, match=rf"jsonl:1: choices: must be none, or 2 to 26, not {count}; expected"):
            Jsonl(directory=tmp_path).pairs("attack")


def test_harmless_files_may_be_left_out(folder, model):
    (folder / "retain.jsonl").unlink()
    assert holdfast.harden(model, "repnoise", SHORT, domain=str(folder)).name.endswith("+repnoise")
