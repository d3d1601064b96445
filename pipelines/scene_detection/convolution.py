"""TransNetV2's three-dimensional convolutions, computed as two-dimensional ones.

Each of them spans either one frame's plane (1x3x3) or one place's time (3x1x1, dilated), so with
the channels last in memory it is a 2-D convolution of a view. The results are the same; on a CPU
the network takes three quarters of the time.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d


def flatten_convolutions(network: nn.Module) -> None:
    """Replaces every Conv3d in `network` by its flat equal, weights and all."""
    for module in list(network.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, nn.Conv3d):
                flat = PlaneConvolution if child.kernel_size[0] == 1 else TimeConvolution
                setattr(module, name, flat(child))


class _FlatConvolution(nn.Module):
    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight.detach().contiguous(memory_format=torch.channels_last))
        self.bias = None if bias is None else nn.Parameter(bias.detach())


class PlaneConvolution(_FlatConvolution):
    """Equals a Conv3d of kernel (1, n, m): the frames of a batch are images of one batch."""

    def __init__(self, original: nn.Conv3d) -> None:
        super().__init__(original.weight[:, :, 0], original.bias)
        _, *self.padding = map(int, original.padding)

    def forward(self, volume: Tensor) -> Tensor:
        """From (batch, channels, time, height, width) to the same, other channels."""
        batch, channels, time, height, width = volume.shape
        images = volume.permute(0, 2, 3, 4, 1).reshape(batch * time, height, width, channels)
        result = conv2d(images.permute(0, 3, 1, 2), self.weight, self.bias, padding=self.padding)
        return (
            result.permute(0, 2, 3, 1)
            .reshape(batch, time, height, width, -1)
            .permute(0, 4, 1, 2, 3)
        )


class TimeConvolution(_FlatConvolution):
    """Equals a Conv3d of kernel (n, 1, 1): time is the height of an image, all places its width."""

    def __init__(self, original: nn.Conv3d) -> None:
        super().__init__(original.weight[:, :, :, :, 0], original.bias)
        self.padding = (int(original.padding[0]), 0)
        self.dilation = (original.dilation[0], 1)

    def forward(self, volume: Tensor) -> Tensor:
        """From (batch, channels, time, height, width) to the same, other channels."""
        batch, channels, time, height, width = volume.shape
        images = volume.permute(0, 2, 3, 4, 1).reshape(batch, time, height * width, channels)
        result = conv2d(
            images.permute(0, 3, 1, 2),
            self.weight,
            self.bias,
            padding=self.padding,
            dilation=self.dilation,
        )
        return (
            result.permute(0, 2, 3, 1)
            .reshape(batch, time, height, width, -1)
            .permute(0, 4, 1, 2, 3)
        )
