"""Pictures of pages, compared with a tolerance: a reader of the code must see what a change does to what people see.

A picture is kept at half its size in 64 colours, and compared in tiles, so that the edges of letters do not count and a
moved table does. Another browser or other fonts draw other pictures: then nothing is compared, and the tests say why.
``make snapshots`` makes all of them again.
"""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

FOLDER: Final = Path(__file__).parent / "snapshots"
MADE_WITH: Final = FOLDER / "made-with.json"
TILE: Final = 12  # pixels of the kept picture
FAR: Final = 20.0  # of 255: what the mean of a tile's colours may differ by
MOST_FAR: Final = 0.004  # share of the tiles that may differ by more
# Widths and heights of texts in the page's fonts: other fonts give other numbers.
FINGERPRINT: Final = """() => ["--sans", "--mono"].map(name => {
  const pen = document.createElement("canvas").getContext("2d");
  pen.font = "40px " + getComputedStyle(document.documentElement).getPropertyValue(name);
  const texts = ["Windows blocked svchost.exe 0123456789", "↗ ↙ ⇄ — “x” …"];
  return texts.map(text => Math.round(pen.measureText(text).width * 8) / 8);
})"""


def small(png: bytes) -> Image.Image:
    """Return a picture at half its size in few colours."""
    with Image.open(io.BytesIO(png)) as picture:
        half = picture.convert("RGB").resize((picture.width // 2, picture.height // 2), Image.Resampling.BOX)
    return half.quantize(64, dither=Image.Dither.NONE)


def write(name: str, picture: Image.Image) -> None:
    FOLDER.mkdir(exist_ok=True)
    picture.save(FOLDER / f"{name}.png", optimize=True)


def difference(name: str, picture: Image.Image) -> str | None:
    """Say how a picture differs from the one that is kept; None where it does not."""
    path = FOLDER / f"{name}.png"
    if not path.exists():
        return f"{path.name} is not there: make snapshots"
    with Image.open(path) as kept:
        before, now = _tiles(kept), _tiles(picture)
    if before.shape != now.shape:
        return f"{path.name}: its size is another one: {before.shape[:2]} tiles before, {now.shape[:2]} now"
    far = np.abs(before - now).max(axis=2) > FAR
    if far.mean() <= MOST_FAR:
        return None
    top, left = np.argwhere(far).min(axis=0) * TILE * 2
    bottom, right = (np.argwhere(far).max(axis=0) + 1) * TILE * 2
    return f"{path.name}: {far.mean():.1%} of it looks different, between ({left}, {top}) and ({right}, {bottom})"


def _tiles(picture: Image.Image) -> NDArray[np.float64]:
    pixels = np.asarray(picture.convert("RGB"), dtype=np.float64)
    rows, columns = pixels.shape[0] // TILE, pixels.shape[1] // TILE
    part = pixels[: rows * TILE, : columns * TILE]
    means: NDArray[np.float64] = part.reshape(rows, TILE, columns, TILE, 3).mean(axis=(1, 3))
    return means


def made_with() -> Mapping[str, object]:
    """Return what the kept pictures were made with."""
    return dict(json.loads(MADE_WITH.read_text("utf-8"))) if MADE_WITH.exists() else {}
