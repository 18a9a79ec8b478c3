"""The tutorial's convolutional VAE, for any square side and 1 to 16 channels."""

from __future__ import annotations

from torch import Tensor, nn

from zscape.errors import ConfigError
from zscape.model.layers import (
    DoublingConvTranspose2d,
    FullConv2d,
    HalvingConv2d,
    SeedConvTranspose2d,
    soft_bound,
)
from zscape.model.vae import VAE, initialize_as_tutorial, register_network


def _stage(layer: nn.Module, channels: int) -> nn.Sequential:
    return nn.Sequential(layer, nn.BatchNorm2d(channels), nn.LeakyReLU(0.2))


@register_network("enhanced")
class EnhancedVAE(VAE):
    """Three strided convolutions, one that covers what is left, and the way back.

    At 28×28×1 this is the tutorial's network to the letter: weights published for it load with
    ``strict=True``. Other sides change only the size of the innermost kernel and, where halving
    left no odd remainder, one row and column that the decoder adds back.

    Parameters
    ----------
    latent_dim
        Number of latent neurons.
    image_shape
        (1 to 16, side, side), side a multiple of 4 from 16 to 128.
    likelihood
        Name of a registered likelihood.
    init
        ``"default"`` or ``"tutorial"``; see ``initialize_as_tutorial``.

    Raises
    ------
    ConfigError
        An image shape that it does not take, or as by ``VAE``.
    """

    def __init__(
        self,
        latent_dim: int = 20,
        image_shape: tuple[int, int, int] = (1, 28, 28),
        likelihood: str = "bernoulli",
        init: str = "default",
    ) -> None:
        super().__init__(latent_dim, image_shape, likelihood)
        channels, height, width = image_shape
        if not 1 <= channels <= 16 or height != width or height % 4 or not 16 <= height <= 128:
            raise ConfigError(
                "The enhanced network takes 1 to 16 channels and square images whose side is a "
                f"multiple of 4 from 16 to 128; got {image_shape}. Use resize (--resize 32), or "
                "the mlp network (--network mlp)."
            )
        quarter = height // 4
        side = (quarter + 1) // 2
        self.encoder = nn.Sequential(
            _stage(HalvingConv2d(channels, 32, 4), 32),
            _stage(HalvingConv2d(32, 64, 4), 64),
            _stage(HalvingConv2d(64, 128, 3), 128),
            _stage(FullConv2d(128, 256, side), 256),
        )
        self.fc1 = nn.Linear(256, 512)
        self.fc21 = nn.Linear(512, latent_dim)
        self.fc22 = nn.Linear(512, latent_dim)
        self.fc3 = nn.Linear(latent_dim, 512)
        self.fc4 = nn.Linear(512, 256)
        self.decoder = nn.Sequential(
            _stage(SeedConvTranspose2d(256, 128, side), 128),
            _stage(DoublingConvTranspose2d(128, 64, 3, is_odd=quarter % 2 == 1), 64),
            _stage(DoublingConvTranspose2d(64, 32, 4), 32),
            DoublingConvTranspose2d(32, self.logit_channels, 4),
        )
        self.activation = nn.LeakyReLU(0.2)
        if init == "tutorial":
            initialize_as_tutorial(self)

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """See ``VAE.encode``."""
        x = self.check_images(x)
        h = self.activation(self.fc1(self.encoder(x).flatten(1)))
        return self.fc21(h), soft_bound(self.fc22(h))

    def decode_logits(self, z: Tensor) -> Tensor:
        """See ``VAE.decode_logits``."""
        h = self.activation(self.fc4(self.activation(self.fc3(z))))
        logits: Tensor = self.decoder(h[:, :, None, None])
        return logits
