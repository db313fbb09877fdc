"""The masked autoencoder's train step in PyTorch, the peer of `train_step.py`, which starts it.

It needs an environment with torch and nothing else of this package. It answers on its standard
output, one JSON object a line: first what it is, then, for every line that it reads, the seconds
of one step. A step is loss, gradient and AdamW on a batch that is already on the device.
"""

import argparse
import json
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn

_MASK_RATIO = 0.75


class Block(nn.Module):
    """A pre-norm block with PyTorch's own attention."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width, 1e-6), nn.LayerNorm(width, 1e-6)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.hidden, self.mlp_out = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.heads = heads

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The tokens after this block."""
        batch, tokens, width = x.shape
        qkv = self.qkv(self.norm1(x)).view(batch, tokens, 3, self.heads, width // self.heads)
        gathered = F.scaled_dot_product_attention(*qkv.permute(2, 0, 3, 1, 4))
        x = x + self.out(gathered.transpose(1, 2).reshape(batch, tokens, width))
        return x + self.mlp_out(F.gelu(self.hidden(self.norm2(x))))


class Mae(nn.Module):
    """Encoder of the visible patches, decoder of all; gives the loss of standardised patches."""

    def __init__(self, given: argparse.Namespace):
        super().__init__()
        self.patch = given.patch
        rows, columns = given.height // given.patch[0], given.width // given.patch[1]
        self.patches = rows * columns
        self.visible = int(self.patches * (1 - _MASK_RATIO))
        values = given.patch[0] * given.patch[1] * given.channels
        width, decoder_width = given.encoder[0], given.decoder[0]
        self.project, self.embed = nn.Linear(values, width), nn.Linear(width, decoder_width)
        self.cls_token = nn.Parameter(0.02 * torch.randn(1, 1, width))
        self.mask_token = nn.Parameter(0.02 * torch.randn(1, 1, decoder_width))
        # Fixed numbers, whose values do not change the time.
        self.register_buffer("positions", torch.randn(1, self.patches, width))
        self.register_buffer("decoder_positions", torch.randn(1, 1 + self.patches, decoder_width))
        self.encoder = nn.ModuleList(
            Block(width, given.encoder[2]) for _ in range(given.encoder[1])
        )
        self.decoder = nn.ModuleList(
            Block(decoder_width, given.decoder[2]) for _ in range(given.decoder[1])
        )
        self.norm, self.decoder_norm = nn.LayerNorm(width, 1e-6), nn.LayerNorm(decoder_width, 1e-6)
        self.prediction = nn.Linear(decoder_width, values)

    def patchify(self, images: torch.Tensor) -> torch.Tensor:
        """The patches of each image, row by row."""
        batch, height, width, channels = images.shape
        high, wide = self.patch
        tiles = images.view(batch, height // high, high, width // wide, wide, channels)
        return tiles.permute(0, 1, 3, 2, 4, 5).reshape(batch, self.patches, -1)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """The loss under a random mask."""
        patches, batch = self.patchify(images), len(images)
        order = torch.rand(batch, self.patches, device=images.device).argsort(1)
        restore, visible = order.argsort(1), order[:, : self.visible, None]
        tokens = patches.gather(1, visible.expand(-1, -1, patches.shape[2]))
        positions = self.positions.expand(batch, -1, -1)
        tokens = self.project(tokens) + positions.gather(
            1, visible.expand(-1, -1, positions.shape[2])
        )
        x = torch.cat([self.cls_token.expand(batch, -1, -1), tokens], 1)
        for block in self.encoder:
            x = block(x)
        x = self.embed(self.norm(x))
        hidden = self.mask_token.expand(batch, self.patches - self.visible, -1)
        every = torch.cat([x[:, 1:], hidden.to(x.dtype)], 1)
        every = every.gather(1, restore[:, :, None].expand(-1, -1, every.shape[2]))
        x = torch.cat([x[:, :1], every], 1) + self.decoder_positions
        for block in self.decoder:
            x = block(x)
        predicted = self.prediction(self.decoder_norm(x))[:, 1:].float()
        target = (patches - patches.mean(-1, keepdim=True)) / torch.sqrt(
            patches.var(-1, keepdim=True) + 1e-6
        )
        errors = (predicted - target).square().mean(-1)
        mask = (restore >= self.visible).float()
        return (errors * mask).sum() / mask.sum()


def parse() -> argparse.Namespace:
    """Sizes, in the order in which `train_step.py` gives them."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, count in (("patch", 2), ("encoder", 3), ("decoder", 3)):
        parser.add_argument(f"--{name}", type=int, nargs=count, required=True)
    for name in ("batch", "height", "width", "channels"):
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--compile", action="store_true")
    return parser.parse_args()


def main() -> None:
    """Answers until its standard input ends."""
    given = parse()
    torch.manual_seed(0)
    model = Mae(given).to(given.device)
    optimizer = torch.optim.AdamW(
        model.parameters(), 1e-4, betas=(0.9, 0.95), weight_decay=0.05, fused=True
    )
    images = torch.randn(
        given.batch, given.height, given.width, given.channels, device=given.device
    )
    loss_of = torch.compile(model) if given.compile else model
    dtype = getattr(torch, given.dtype)

    def step() -> float:
        start = time.perf_counter()
        with torch.autocast(given.device, dtype, enabled=dtype != torch.float32):
            loss = loss_of(images)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        if given.device != "cpu":
            torch.cuda.synchronize()
        return time.perf_counter() - start

    step()
    parameters = sum(p.numel() for p in model.parameters())
    about = {"torch": torch.__version__, "threads": torch.get_num_threads()}
    print(json.dumps(about | {"parameters": parameters}), flush=True)
    for _ in sys.stdin:
        print(json.dumps(step()), flush=True)


if __name__ == "__main__":
    main()
