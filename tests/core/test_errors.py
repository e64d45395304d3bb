"""Errors keep their code and hint, also across processes."""

from __future__ import annotations

import pickle

import pytest

from mojing.core.errors import CODES, InputError, MissingExtraError, ModelError, MojingError, QualityError


@pytest.mark.parametrize(
    "error",
    [
        InputError("no_person", "nobody there", "show a person"),
        ModelError("model_missing", "gone"),
        QualityError("poor_result", "bad", "try another", score=0.2, reasons=("hands", "neck")),
        MissingExtraError("train", needs="torch"),
    ],
    ids=lambda e: type(e).__name__,
)
def test_errors_survive_pickling(error: MojingError) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert vars(again) == vars(error)
    assert str(again) == str(error)


def test_a_code_outside_the_list_cannot_be_raised() -> None:
    with pytest.raises(AssertionError, match="undocumented"):
        InputError("oops", "message")


def test_the_tree() -> None:
    assert issubclass(QualityError, InputError)
    assert issubclass(InputError, MojingError)
    assert "poor_result" in CODES
    assert "mojing[train]" in MissingExtraError("train", needs="torch").hint
