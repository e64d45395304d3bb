"""Says in plain words how a GAN run goes: what is wrong, how sure that is, what it rests on, what to change.

It reads log.jsonl and options.json of a live or finished run, needs no torch and changes nothing. Each sign maps a
figure to 0..1 between two limits, one below which it means nothing and one above which it is plain; a finding's
confidence is made of its signs by min (both needed) and max (either will do), and it is told from 0.5 on. The limits
were set on the calibration seeds of `mojing bench doctor` and judged on others (docs/laboratory.md).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from mojing.train.logbook import Logbook, read_log
from mojing.train.signs import (
    IN_CLASS,
    advantage,
    descent,
    errors,
    guessed,
    improving,
    late_advantage,
    magnitude,
    middle,
    opening,
    period,
    ramp,
    spreading,
    swing,
    unfinished,
    unlike,
    variety,
    variety_in_class,
)

ILLNESSES: Final = (
    "mode_collapse",
    "vanishing_gradients",
    "exploding_gradients",
    "discriminator_wins",
    "generator_wins",
    "oscillation",
    "memorisation",
    "under_training",
)
KINDS: Final = (*ILLNESSES, "stop", "healthy", "too_early")
"""What a finding can be; `stop` says when to stop, `too_early` that the log is too short to say anything."""

TOLD: Final = 0.5
"""Confidence from which an illness is told."""
SURE: Final = 0.97
"""No finding is surer than this."""
MIN_ROWS: Final = 8
"""With fewer log rows nothing is said but what cannot wait."""


@dataclass(frozen=True)
class Finding:
    """One thing seen in a run: `kind` of KINDS, `confidence` 0..1, `evidence` and `advice` in plain words."""

    kind: str
    confidence: float
    evidence: str
    advice: str


def diagnose(run: Path) -> tuple[Finding, ...]:
    """What the log of the run in folder `run` tells, the surest first; never empty.

    Raises:
        InputError: not_found, when there is no log.
    """
    return examine(read_log(run))


def examine(log: Logbook) -> tuple[Finding, ...]:
    """The same of a log that was read before."""
    if log.failed is None and len(log) < MIN_ROWS:
        return (_too_early(log),)
    found = [finding for finding in (rule(log) for rule in RULES) if finding is not None]
    worst = max((f.confidence for f in found if f.kind != "under_training"), default=0.0)
    if worst >= TOLD:  # an ill run does not need more of the same
        found = [finding for finding in found if finding.kind != "under_training"]
    sick = (replace(f, confidence=round(min(f.confidence, SURE), 2)) for f in found if f.confidence >= TOLD)
    told = sorted(sick, key=lambda f: -f.confidence)
    if not told:
        told.append(_healthy(log, max((f.confidence for f in found), default=0.0)))
    if log.failed is None:
        told.append(_when_to_stop(log, told[0]))
    return tuple(told)


def _too_early(log: Logbook) -> Finding:
    rows = f"{len(log)} log row{'' if len(log) == 1 else 's'} up to step {log.last_step}"
    if log.end is not None:
        text = f"the run ended ({log.end}) with only {rows}, too few to judge it by"
        return Finding("too_early", 0.9, text, "train longer, or lower log_every to see more of a short run")
    return Finding("too_early", 0.9, f"{rows}; nothing is said before {MIN_ROWS}", "ask again later")


def _healthy(log: Logbook, worst: float) -> Finding:
    parts = [f"nothing stands out in {len(log)} log rows up to step {log.last_step}"]
    ahead = late_advantage(log)
    if math.isfinite(ahead):
        parts.append(f"the discriminator is {ahead:.0%} ahead of guessing")
    parts.append(f"samples vary {variety(log):.2f} times as much as the real pictures")
    return Finding("healthy", round(min(1 - worst, SURE), 2), ", ".join(parts), "nothing to change")


def _mode_collapse(log: Logbook) -> Finding:
    late, seen = variety(log), log.series("sample_diversity")
    peak = float(np.nanmax(seen)) if np.isfinite(seen).any() else 1.0
    within = variety_in_class(log)
    one_a_class = min(ramp(within, *ALIKE), 1 - opening(log, IN_CLASS))
    alike = max(min(ramp(late, *ALIKE), 1 - opening(log)), one_a_class)
    ahead = late_advantage(log)
    stuck = min(ramp(peak, 0.5, 0.3), ramp(ahead, 0.8, 0.95))  # never opened: the cause is a discriminator too strong
    precision, coverage = _last(log, "precision"), _last(log, "coverage")
    few = min(ramp(precision, *GOOD_PRECISION), ramp(coverage, *FEW_COVERED))
    text = (
        f"since step {log.since()} samples of different latents are {late:.2f} times as far apart as real pictures"
        f" (most so far: {peak:.2f}), standard deviation {middle(log.late('sample_std')):.2f} times the real one"
    )
    if math.isfinite(within):
        text += f"; within a class they are {within:.2f} times as far apart"
    if few > 0:
        text += f"; samples look real (precision {precision:.2f}) but cover {coverage:.0%} of the real pictures"
    advice = _advise(
        log,
        ("minibatch_std", 0, "set minibatch_std, so that the discriminator sees a batch's variety"),
        ("r1", 0, "add r1 and r2 of 0.1 to 10"),
        (
            "",
            0,
            "lower lr_g or raise lr_d; a relativistic or wasserstein loss (with gradient_penalty) drops fewer modes",
        ),
    )
    if one_a_class >= TOLD and log.options.get("recipe") != "modern":
        advice = f"the latent is ignored: take recipe modern with conditional set; {advice}"
    # Samples that grow more precise are no excuse; those that cover more are, where the discriminator still teaches.
    excuse = min(spreading(log), 1 - _guessing(log))
    return Finding("mode_collapse", min(max(alike * (1 - stuck), few), 1 - excuse), text, advice)


def _vanishing(log: Logbook) -> Finding:
    now, first = middle(log.late("grad_g")), float(np.max(log.early("grad_g"), initial=0.0))
    faint = ramp(magnitude(now), *FAINT)
    fallen = ramp(magnitude(now / first) if first > 0 else math.nan, *FALLEN)
    layer = ramp(magnitude(middle(log.late("grad_g_min_layer"))), *STARVED)
    ahead = late_advantage(log)
    needed = max(unlike(log), ramp(ahead, 0.7, 0.9))  # a generator that has arrived needs no gradient
    text = (
        f"the generator's gradient is {now:.2g} since step {log.since()}, from up to {first:.2g} at the start;"
        f" its weakest layer gets {middle(log.late('grad_g_min_layer')):.1g} of what the strongest gets"
    )
    if math.isfinite(ahead):
        text += f", while the discriminator is {ahead:.0%} ahead of guessing"
    loss = str(log.options.get("loss", ""))
    advice = _advise(
        log,
        ("", 0, f"loss {loss} is flat where the discriminator is sure: take non-saturating or relativistic")
        if loss == "minimax"
        else ("", 0, "lower lr_d or d_steps, or take the wasserstein loss with gradient_penalty 10"),
        ("instance_noise", 0, "add instance_noise 0.1, which keeps the discriminator from being sure"),
        ("r1", 0, "add r1 1"),
    )
    return Finding("vanishing_gradients", min(max(faint, fallen, layer), needed), text, advice)


def _exploding(log: Logbook) -> Finding:
    clip = ("clip", 0, "clip gradients (clip 1)")
    calm = ("", 0, "lower lr_d and lr_g by 3 to 10 times")
    penalty = ("r1", 0, "add r1 1, or gradient_penalty 10 with the wasserstein loss")
    if log.failed is not None:
        where = f"{log.failed.get('tensor', 'a tensor')} was not finite at step {log.failed.get('step', '?')}"
        return Finding("exploding_gradients", 1.0, f"the run stopped: {where}", _advise(log, calm, clip, penalty))
    norms = np.fmax(log.series("grad_d"), log.series("grad_g"))
    norms = norms[np.isfinite(norms)]
    if not len(norms):
        return Finding("exploding_gradients", 0.0, "", "")
    early = middle(norms[: max(4, len(norms) // 5)])
    late = middle(norms[-max(4, len(norms) * 3 // 10) :])
    growth = min(ramp(magnitude(late / max(early, 1e-9)), *GROWN), ramp(magnitude(late), *LARGE))
    top = int(np.argmax(norms))
    spike = min(ramp(magnitude(norms[top] / max(middle(norms), 1e-9)), *SPIKE), ramp(magnitude(norms[top]), *LARGE))
    logits = np.fmax(np.abs(log.series("d_real")), np.abs(log.series("d_fake")))
    score = ramp(magnitude(float(np.nanmax(logits))) if np.isfinite(logits).any() else math.nan, *LOGITS)
    text = (
        f"the larger gradient norm went from {early:.2g} to {late:.2g} (since step {log.since()}), at most"
        f" {norms[top]:.2g}; logits reach {float(np.nanmax(logits)) if np.isfinite(logits).any() else 0:.2g}"
    )
    sure = max(growth, spike, score)
    return Finding("exploding_gradients", sure, text, _advise(log, calm, clip, penalty))


def _discriminator_wins(log: Logbook) -> Finding:
    ahead = advantage(log)[-len(log.late("step")) :]
    ahead = ahead[np.isfinite(ahead)]
    lasting = float((ahead > SURE_OF_IT).mean()) if len(ahead) else 0.0
    real, fake = middle(log.late("d_real")), middle(log.late("d_fake"))
    text = (
        f"since step {log.since()} the discriminator is {middle(ahead):.0%} ahead of guessing, in {lasting:.0%} of the"
        f" rows nearly never wrong (logits {real:.1f} for real, {fake:.1f} for made pictures)"
    )
    advice = _advise(
        log,
        ("", 0, "lower lr_d or d_steps, or raise lr_g"),
        ("r1", 0, "add r1 1 (and r2 1)"),
        ("instance_noise", 0, "add instance_noise 0.1"),
        ("augment", "none", "with few pictures set augment ada"),
    )
    harm = 1 - improving(log)
    sure = min(ramp(middle(ahead), *AHEAD), ramp(lasting, 0.4, 0.8), harm)
    return Finding("discriminator_wins", sure, text, advice)


def _generator_wins(log: Logbook) -> Finding:
    ahead, bad = late_advantage(log), unlike(log)
    text = (
        f"since step {log.since()} the discriminator is {ahead:.1%} ahead of guessing, and in {guessed(log):.0%} of the"
        f" whole run it was no better, although the samples are unlike the real pictures (variety {variety(log):.2f}"
        f" times the real one{_quality(log)}): it teaches nothing"
    )
    heavy = [name for name in ("r1", "gradient_penalty", "instance_noise", "smoothing") if log.option(name) > 0]
    advice = _advise(
        log,
        ("", 0, "raise lr_d or d_steps, or lower lr_g"),
        ("", 0, f"lower {' and '.join(heavy)}" if heavy else "widen the discriminator (width)"),
    )
    return Finding("generator_wins", min(_guessing(log), bad), text, advice)


def _guessing(log: Logbook) -> float:
    """0..1: how surely the discriminator guesses, of late or in most of the run."""
    return max(ramp(late_advantage(log), *GUESSING), ramp(guessed(log), *MOSTLY))


def _oscillation(log: Logbook) -> Finding:
    wobble = max(swing(part(name)) for name in ("sample_std", "sample_diversity") for part in (log.late, log.settled))
    ahead = advantage(log)
    late, settled = (ahead[-len(log.late("step")) :], ahead[-len(log.settled("step")) :])
    lead = max(swing(np.clip(part[np.isfinite(part)], -1, 1), least=1.0) for part in (late, settled))
    gap = log.series("d_real") - log.series("d_fake")
    good = np.isfinite(gap)
    rhythm = period(gap[good], log.series("step")[good])
    text = (
        f"since step {log.since()} the samples' variety swings by {wobble:.0%} about its trend, the lead of the"
        f" discriminator by {lead:.0%} of the way from guessing to certainty; from row to row the samples of the same"
        f" latents change by {middle(log.late('sample_change')):.2g}"
    )
    if rhythm:
        text += f"; the logits rise and fall every {rhythm:.0f} steps or so"
    advice = _advise(
        log,
        ("", 0, "lower beta1 to 0") if log.option("beta1") > 0 else ("", 0, "lower lr_g and lr_d"),
        ("r1", 0, "add r1 1 (and r2 1), which damps the circling"),
        ("ema", 0, "use averaged weights (ema 0.998)"),
        ("schedule", "constant", "let the learning rate fall (schedule cosine)"),
    )
    return Finding("oscillation", max(ramp(wobble, *SWINGING), ramp(lead, *TAKING_TURNS)), text, advice)


def _memorisation(log: Logbook) -> Finding:
    real, fake, held = (middle(log.late(name)) for name in ("d_real", "d_fake", "d_held_out"))
    gap = real - fake
    over = ramp((real - held) / gap if gap > 0 else math.nan, *HELD_APART)
    apart, below = (log.series("d_real") - log.series(name) for name in ("d_fake", "d_held_out"))
    late = slice(-len(log.late("step")), None)
    lasting = float((below[late] > 0.5 * np.maximum(apart[late], 1e-9)).mean()) if len(log) else 0.0
    clear = min(ramp(real - held, *CLEAR_GAP), ramp(lasting, 0.6, 0.9))
    steps, near = log.measured("nearest_train")
    varied = 1 - ramp(variety(log), *ALIKE)  # samples that are all alike may lie by one picture by chance
    copied = min(ramp(float(near[-1]), *NEAREST), varied) if len(near) else 0.0
    text = f"logits since step {log.since()}: {real:.2f} for pictures trained on, {fake:.2f} for made ones"
    if math.isfinite(held):
        text += f", {held:.2f} for real pictures it has not seen"
    if len(near):
        text += (
            f"; at step {steps[-1]:.0f} samples are {near[-1]:.2f} times as far from the nearest picture trained on"
            " as held-out pictures are"
        )
    advice = _advise(
        log,
        ("augment", "none", "augment what the discriminator sees (augment ada, or diffaugment)"),
        ("flip", 0, "set flip, if mirrored pictures are as good"),
        ("", 0, "gather more pictures, narrow the networks (width), or stop earlier"),
    )
    return Finding("memorisation", max(min(over, clear), copied), text, advice)


def _under_training(log: Logbook) -> Finding:
    # A live run goes on by itself.
    sure = max(improving(log), unfinished(log)) if log.end is not None else 0.0
    named = ", ".join(f"{name} {descent(values):.0%}" for name, values in errors(log).items())
    text = (
        f"the run ended at step {log.last_step} ({log.end}) while it was still getting better: of the whole way that"
        f" each figure has come, the last third of its readings made {named or 'nothing'}{_quality(log)}"
    )
    return Finding("under_training", sure, text, "train on: raise steps or minutes and start again with the same out")


def _when_to_stop(log: Logbook, first: Finding) -> Finding:
    name = next((name for name in ("fid", "kid") if len(log.measured(name)[1]) >= 3), None)
    if first.kind not in ("healthy", "under_training"):
        text = (
            f"{first.kind} is told with confidence {first.confidence:.2f}, which more of the same steps will not mend"
        )
        return Finding("stop", first.confidence, text, "stop, change what is advised, and start anew")
    if name is None:
        return Finding(
            "stop", 0.5, "there are no metrics to tell by", "set metrics_every, to see when it stops getting better"
        )
    steps, values = log.measured(name)
    best = int(np.argmin(values))
    since = (log.last_step - steps[best]) / max(log.last_step, 1)
    told = (
        f"{name} was best at step {steps[best]:.0f} ({values[best]:.3g}), last {values[-1]:.3g} (step {steps[-1]:.0f})"
    )
    if since >= STALE:
        back = float((values[-1] - values[best]) / max(values[0] - values[best], 1e-12))
        advice = "stop: it no longer gets better"
        if back > 0.1:
            advice += f"; take the checkpoint of about step {steps[best]:.0f}"
        return Finding("stop", round(0.5 + 0.45 * ramp(since, STALE, 0.8), 2), told, advice)
    return Finding("stop", 0.6, told, "go on: it is still getting better")


def _quality(log: Logbook) -> str:
    parts = [f"{name} {_last(log, name):.2f}" for name in ("precision", "coverage") if not math.isnan(_last(log, name))]
    return f", {', '.join(parts)}" if parts else ""


def _last(log: Logbook, name: str) -> float:
    _, values = log.measured(name)
    return float(values[-1]) if len(values) else math.nan


def _advise(log: Logbook, *wishes: tuple[str, float | str, str]) -> str:
    """What to change: wishes (option, value when it is off, words), without those that are already on."""
    said = [words for name, off, words in wishes if not name or log.options.get(name, off) in (off, False)]
    return "; ".join(said)


# Limits of the signs, (means nothing, is plain); set on the calibration seeds of `mojing bench doctor`.
ALIKE: Final = (0.65, 0.35)
GOOD_PRECISION: Final = (0.3, 0.6)
FEW_COVERED: Final = (0.30, 0.10)
FAINT: Final = (-3.0, -5.0)
FALLEN: Final = (-1.5, -3.0)
STARVED: Final = (-4.0, -6.0)
GROWN: Final = (1.0, 2.5)
LARGE: Final = (1.5, 3.0)
SPIKE: Final = (2.0, 3.5)
LOGITS: Final = (2.0, 3.5)
SURE_OF_IT: Final = 0.85
AHEAD: Final = (0.80, 0.95)
GUESSING: Final = (0.10, 0.02)
MOSTLY: Final = (0.5, 0.7)
SWINGING: Final = (0.15, 0.40)
TAKING_TURNS: Final = (0.15, 0.40)
HELD_APART: Final = (0.35, 0.75)
CLEAR_GAP: Final = (0.15, 0.60)
NEAREST: Final = (0.70, 0.40)
STALE: Final = 0.4

RULES: Final[tuple[Callable[[Logbook], Finding], ...]] = (
    _exploding,
    _vanishing,
    _memorisation,
    _discriminator_wins,
    _oscillation,
    _mode_collapse,
    _generator_wins,
    _under_training,
)
"""Causes before consequences: of findings that are equally sure the first is told first."""
