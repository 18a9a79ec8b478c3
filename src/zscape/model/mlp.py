"""A fully connected VAE: the textbook's 784-500-500-d, for pictures of any shape."""

from __future__ import annotations

import math

from torch import Tensor, nn

from zscape.model.layers import soft_bound
from zscape.model.vae import VAE, register_network


@register_network("mlp")
class MLPVAE(VAE):
    """Two hidden layers of 500 on either side of the latent neurons; parameters as of ``VAE``."""

    def __init__(
        self,
        latent_dim: int = 20,
        image_shape: tuple[int, int, int] = (1, 28, 28),
        likelihood: str = "bernoulli",
    ) -> None:
        super().__init__(latent_dim, image_shape, likelihood)
        logits = (self.logit_channels, *image_shape[1:])
        self.encoder = nn.Sequential(
            nn.Flatten(),
            nn.Linear(math.prod(image_shape), 500),
            nn.ReLU(),
            nn.Linear(500, 500),
            nn.ReLU(),
        )
        self.mu = nn.Linear(500, latent_dim)
        self.logvar = nn.Linear(500, latent_dim)
        self.decoder = nn.Sequential(
            nn.Linear(latent_dim, 500),
            nn.ReLU(),
            nn.Linear(500, 500),
            nn.ReLU(),
            nn.Linear(500, math.prod(logits)),
            nn.Unflatten(1, logits),
        )

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """See ``VAE.encode``."""
        x = self.check_images(x)
        h = self.encoder(x)
        return self.mu(h), soft_bound(self.logvar(h))

    def decode_logits(self, z: Tensor) -> Tensor:
        """See ``VAE.decode_logits``."""
        logits: Tensor = self.decoder(z)
        return logits
