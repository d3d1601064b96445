"""How large a picture is, and how large it becomes within the room that there is."""

from typing import NamedTuple


class Size(NamedTuple):
    """Pixels of a picture."""

    width: int
    height: int


def scale_to_fit(size: Size, width: float, height: float, *, enlarge: bool = True) -> float:
    """The factor with which a picture of `size` just fits into `width` x `height`; at most 1 if it
    may not be enlarged.
    """
    scale = min(width / size.width, height / size.height)
    return scale if enlarge else min(1.0, scale)


def fit(
    size: Size, width: float, height: float, *, enlarge: bool = True, multiple: int = 1
) -> Size:
    """`size` scaled to fit into `width` x `height`, rounded to multiples of `multiple`."""
    scale = scale_to_fit(size, width, height, enlarge=enlarge)
    across, down = (max(1, round(side * scale / multiple)) * multiple for side in size)
    return Size(across, down)


def fit_inside(size: Size, room: tuple[int, int]) -> Size:
    """`size` scaled to fit into `room`, and `room` itself where that is all but its shape."""
    fitted = fit(size, *room)
    is_same_shape = all(abs(side - most) <= 1 for side, most in zip(fitted, room, strict=True))
    return Size(*room) if is_same_shape else fitted
