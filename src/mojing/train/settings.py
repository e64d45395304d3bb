"""Settings of a GAN run, and the recipes: named values over them.

A setting's docstring is its help on the command line. `with_recipe` lays a recipe's values over the defaults.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

Loss = Literal["bce", "minimax", "non-saturating", "hinge", "lsgan", "wasserstein", "relativistic"]


@dataclass(frozen=True)
class Common:
    """What every recipe that plays through the GAN loop is told of its budget, the machine and chance."""

    minutes: float = 0.0
    """training time in minutes, not counting loading; 0 counts steps alone; 10 when neither is given"""
    clock: Literal["wall", "cpu"] = "wall"
    """what minutes count: time on the wall's clock, or that the first process's threads had a CPU, which means the same
    on a busy machine"""
    steps: int = 0
    """how many generator steps the run takes; 0 counts minutes alone"""
    limit: int = 0
    """use only so many pictures, evenly spread; 0 uses all"""
    tensorboard: bool = True
    """write TensorBoard files under tb/"""
    accelerator: Literal["auto", "cpu", "gpu"] = "auto"
    """what to compute on"""
    precision: Literal["32-true", "bf16-mixed"] = "32-true"
    """numbers to compute in"""
    threads: int = 2
    """CPU threads, shared by the processes"""
    seed: int = 0
    """seed of everything: weights, order of the data, latents, augmentation"""


@dataclass(frozen=True)
class Options(Common):
    """Train a GAN on your own pictures. A recipe sets the values below; every flag given changes the recipe's value."""

    recipe: str = "modern"
    """modern, dcgan, cgan, wgan-gp, pix2pix, cyclegan, or a YAML file of settings"""
    data: Path = Path("data")
    """folder of pictures, npz file with `images` (and `labels`), or MNIST's IDX files or their folder; for pix2pix and
    cyclegan `a` and `b` in the folder or npz file"""
    data_b: Path | None = None
    """folder of the second domain, where it is not `b` inside the first (pix2pix, cyclegan)"""
    labels: Path | None = None
    """CSV of file name and label; without it, sub-folders are the labels"""
    out: Path = Path("runs/gan")
    """folder of the run: options.json, last.pt, log.jsonl, samples/, tb/; an existing run is resumed"""
    size: int = 0
    """side of the pictures in px; 0 keeps their own where they are alike and square, else 64"""
    channels: Literal[0, 1, 3] = 0
    """channels of the pictures; 0 takes 1 when all are grey, else 3"""
    fit: Literal["crop", "pad"] = "crop"
    """pictures that are not square: keep their middle square, or all of them with a border"""
    held_out: float = 0.1
    """share of the pictures kept out of training, to measure on"""
    flip: bool = False
    """mirror pictures at random"""

    batch: int = 64
    """pictures a step, on each device"""
    generator: Literal["dcgan", "modern", "points", "unet", "resnet"] = "modern"
    """architecture of the generator; points in the plane always take `points`"""
    discriminator: Literal["dcgan", "modern", "points", "patch"] = "modern"
    """architecture of the discriminator"""
    width: int = 0
    """channels of the networks at full resolution, more further inside; 0 for the architecture's own choice"""
    latent: int = 128
    """how many numbers a picture is made from"""
    conditional: bool = False
    """tell both networks the label, and the data's `conditions` (N, K) where an npz file has them (modern)"""
    norm: Literal["batch", "instance", "layer", "none"] = "none"
    """norm in the discriminator (dcgan, patch)"""
    minibatch_std: bool = True
    """show the discriminator how much a batch varies (modern; arXiv:1710.10196)"""
    spectral_norm: bool = False
    """spectral norm in the discriminator (arXiv:1802.05957)"""

    loss: Loss = "relativistic"
    """adversarial loss"""
    d_steps: int = 1
    """discriminator steps a generator step"""
    smoothing: float = 0.0
    """one-sided label smoothing (arXiv:1606.03498): the target of real pictures is 1 minus this (bce, lsgan)"""
    gradient_penalty: float = 0.0
    """weight of the gradient penalty of WGAN-GP (arXiv:1704.00028)"""
    r1: float = 0.0
    """gamma of R1: zero-centred gradient penalty on real pictures (arXiv:1801.04406)"""
    r2: float = 0.0
    """gamma of R2: the same on made pictures (arXiv:2501.05441)"""
    penalty_every: int = 1
    """apply R1 and R2 every so many steps only, as much stronger (lazy regularisation, arXiv:1912.04958)"""
    mode_seeking: float = 0.0
    """weight of the mode-seeking loss: the generator is to make unlike pictures of unlike latents and one label
    (arXiv:1903.05628)"""
    instance_noise: float = 0.0
    """standard deviation of noise on what the discriminator sees, falling to 0 over the run (arXiv:1610.04490)"""
    augment: Literal["none", "diffaugment", "ada"] = "none"
    """augment what the discriminator sees: always (arXiv:2006.10738) or as over-fitting asks (arXiv:2006.06676)"""
    policy: str = "color,translation,cutout"
    """which augmentations"""
    clip: float = 0.0
    """clip the gradient of each network to this global norm; 0 leaves it"""

    l1: float = 0.0
    """weight of the L1 distance to the paired picture (pix2pix, arXiv:1611.07004)"""
    cycle: float = 0.0
    """weight of the cycle loss (CycleGAN, arXiv:1703.10593)"""
    identity: float = 0.0
    """weight of the identity loss, over that of the cycle loss"""
    pool: int = 0
    """made pictures kept to show the discriminator again (arXiv:1612.07828)"""

    lr_g: float = 2e-4
    """learning rate of the generator (Adam)"""
    lr_d: float = 2e-4
    """learning rate of the discriminator (Adam); another than the generator's is TTUR (arXiv:1706.08500)"""
    beta1: float = 0.0
    """Adam's first beta"""
    beta2: float = 0.99
    """Adam's second beta"""
    schedule: Literal["constant", "linear", "cosine"] = "constant"
    """learning rate over the run: constant; constant, then from half-way linearly to 0; warm-up and cosine"""
    ema: float = 0.998
    """decay of the generator's averaged weights, which are sampled and exported; 0 switches averaging off"""

    log_every: int = 50
    """steps between log rows"""
    samples_every: int = 500
    """steps between sample sheets"""
    metrics_every: int = 0
    """steps between rows of metrics (FID, KID, precision, ...); 0 measures at the end alone"""
    metrics_samples: int = 1000
    """made and real pictures measured on, at most; 0 measures never"""
    features: Literal["pixels", "ours"] = "pixels"
    """feature space of the metrics: pictures scaled down, or our fashion network"""
    save_every: float = 60.0
    """seconds of training between checkpoints"""
    devices: int = 1
    """how many devices or, on a CPU, processes; each takes its own batch, and they learn what one would with all of
    them, but for batch norm, minibatch_std, mode_seeking and the chance of augmentation, of which each process has its
    own"""
    dry_run: bool = False
    """one step on the real data, print what would run, leave no files"""


_NOISE: Final[dict[str, Any]] = {"generator": "dcgan", "discriminator": "dcgan", "beta1": 0.5, "beta2": 0.999}

RECIPES: Final[dict[str, dict[str, Any]]] = {
    # Radford et al. 2016 (arXiv:1511.06434), with one-sided smoothing.
    "dcgan": {**_NOISE, "norm": "batch", "loss": "bce", "smoothing": 0.1, "ema": 0.0, "latent": 100},
    # Mirza and Osindero 2014 (arXiv:1411.1784), with the projection discriminator, spectral norm and hinge loss of
    # Miyato and Koyama 2018 (arXiv:1802.05637), TTUR instead of five discriminator steps, and the mode-seeking loss of
    # Mao et al. 2019 (arXiv:1903.05628), without which a class was one picture whatever the latent.
    "cgan": {
        **_NOISE, "conditional": True, "loss": "hinge", "spectral_norm": True, "beta1": 0.0, "lr_g": 2e-4,
        "lr_d": 4e-4, "ema": 0.998, "latent": 100, "mode_seeking": 0.1,
    },
    # Gulrajani et al. 2017 (arXiv:1704.00028), Algorithm 1: five critic steps, no batch norm in the critic.
    "wgan-gp": {
        **_NOISE, "loss": "wasserstein", "gradient_penalty": 10.0, "d_steps": 5, "lr_g": 2e-4,
        "lr_d": 2e-4, "beta1": 0.0, "beta2": 0.9, "ema": 0.0, "latent": 100,
    },
    # Huang et al. 2024 (arXiv:2501.05441): relativistic loss, R1 and R2; averaged weights, ADA for few pictures.
    "modern": {
        "loss": "relativistic", "r1": 1.0, "r2": 1.0, "penalty_every": 4, "augment": "ada", "flip": False,
        "lr_g": 1e-3, "lr_d": 1e-3, "schedule": "cosine",
    },
    # Isola et al. 2017 (arXiv:1611.07004), section 3.3.
    "pix2pix": {
        "generator": "unet", "discriminator": "patch", "loss": "bce", "l1": 100.0, "beta1": 0.5, "beta2": 0.999,
        "batch": 4, "norm": "batch", "ema": 0.0, "schedule": "linear", "flip": True, "width": 32,
    },
    # Zhu et al. 2017 (arXiv:1703.10593), section 4.
    "cyclegan": {
        "generator": "resnet", "discriminator": "patch", "loss": "lsgan", "cycle": 10.0, "identity": 0.5, "pool": 50,
        "beta1": 0.5, "beta2": 0.999, "batch": 1, "norm": "instance", "ema": 0.0, "schedule": "linear", "flip": True,
        "width": 32,
    },
}  # fmt: skip
"""What a recipe changes of the settings' defaults."""
