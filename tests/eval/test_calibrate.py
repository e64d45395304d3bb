"""Calibration on made-up logits."""

from __future__ import annotations

import numpy as np
import pytest

from mojing.eval import calibrate
from mojing.perception.labels import LABELS, L


def made_up(seed: int) -> calibrate.Sample:
    """Noisy logits that claim arms too often by 1.5."""
    rng = np.random.default_rng(seed)
    truth = np.zeros((24, 18), np.uint8)
    truth[4:20, 4:14] = L["upper"]
    truth[8:16, 14:17] = L["left_arm"]
    logits = rng.normal(0, 0.7, (len(LABELS), 24, 18)).astype(np.float32)
    logits[[i for i in range(len(LABELS)) if i not in (0, L["upper"], L["left_arm"])]] -= 6
    np.put_along_axis(logits, truth[None].astype(np.int64), np.take_along_axis(logits, truth[None], 0) + 2.0, 0)
    logits[L["left_arm"]] += 1.5
    return calibrate.Sample(logits, truth, np.zeros((21, 3), np.float32), beyond=50)


def test_a_label_that_is_claimed_too_often_is_turned_down() -> None:
    train, other = [made_up(i) for i in range(4)], [made_up(i) for i in range(4, 8)]
    bias = calibrate.climb(train)
    assert bias[L["left_arm"]] < -0.3
    assert bias[L["left_arm"]] == bias[L["right_arm"]]
    assert bias[0] == 0
    assert calibrate.score(other, bias) > calibrate.score(other, np.zeros(len(LABELS))) + 0.02


def test_cells_beyond_the_crop_count_as_background() -> None:
    sample = made_up(0)
    more = calibrate.Sample(sample.logits, sample.truth, sample.joints, beyond=10**6)
    zero = np.zeros(len(LABELS))
    assert calibrate.score([more], zero) == pytest.approx(calibrate.score([sample], zero), abs=0.2)
    assert calibrate.score([more], zero) > calibrate.score([sample], zero)
