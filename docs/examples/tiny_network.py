"""A network of one's own: one class, and one line that gives it a name."""

from torch import Tensor, nn

from zscape.model import VAE, register_network
from zscape.model.layers import soft_bound


@register_network("tiny")
class TinyVAE(VAE):
    """Two strided convolutions in, two upsamplings out, for pictures of any shape."""

    def __init__(
        self,
        latent_dim: int = 20,
        image_shape: tuple[int, int, int] = (1, 28, 28),
        likelihood: str = "bernoulli",
    ) -> None:
        super().__init__(latent_dim, image_shape, likelihood)
        channels, height, width = image_shape
        self.encoder = nn.Sequential(
            nn.Conv2d(channels, 16, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(16, 32, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(4),
            nn.Flatten(),
            nn.Linear(32 * 4 * 4, 2 * latent_dim),
        )
        self.decoder = nn.Sequential(
            nn.Linear(latent_dim, 32 * 4 * 4),
            nn.ReLU(),
            nn.Unflatten(1, (32, 4, 4)),
            nn.ConvTranspose2d(32, 16, 4, stride=2, padding=1),
            nn.ReLU(),
            nn.Upsample((height, width), mode="bilinear"),
            nn.Conv2d(16, channels, 3, padding=1),
        )

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log-variance of the posterior, each (batch, latent_dim)."""
        x = self.check_images(x)
        mu, logvar = self.encoder(x).chunk(2, dim=1)
        return mu, soft_bound(logvar)

    def decode_logits(self, z: Tensor) -> Tensor:
        """Logits of the pixels, (batch, channels, height, width)."""
        logits: Tensor = self.decoder(z)
        return logits
