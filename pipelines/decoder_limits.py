"""What decoding a video may take: pixels, memory and threads, bounded whatever the file says."""

import os

import av

from pipelines.errors import MediaError

#: The largest picture, in pixels.
MOST_PIXELS = 8192 * 8192
#: The most memory that one decoded frame may take: 8K with ten bits takes 100 MB.
MOST_FRAME_BYTES = 128 * 1024**2
#: A video that changes its size on the way may grow to this, or to the size that it began with.
_PIXELS_ON_THE_WAY = 4096 * 2304
#: What the frames that threads work on may take together, and the most threads that help.
_THREADS_BYTES, _MOST_THREADS = 256 * 1024**2, 8
_MOST_BITS = 64
#: Decoders round sides up to multiples of this.
_ROW = 128


def check_picture(width: int, height: int, form: av.VideoFormat | None) -> None:
    """Raises MediaError for a picture that takes too much memory when it is decoded. `form` is None
    where that is not known yet.
    """
    pixels, bits_per_pixel = width * height, 1 if form is None else form.padded_bits_per_pixel
    if pixels <= MOST_PIXELS and pixels * bits_per_pixel <= 8 * MOST_FRAME_BYTES:
        return
    raise MediaError(
        f"The video is {width}x{height}{_depth(form)}, larger than this can decode.",
        f"Scale it down: a picture may have {MOST_PIXELS:,} pixels, and take "
        f"{MOST_FRAME_BYTES // 1024**2} MB when it is decoded.",
    )


def limit_decoder(stream: av.VideoStream) -> None:
    """Bounds what the stream's decoder may take. Call it before the first packet is decoded."""
    context = stream.codec_context
    pixels = max((context.width + _ROW) * (context.height + _ROW), _PIXELS_ON_THE_WAY)
    bits = context.format.padded_bits_per_pixel if context.format else _MOST_BITS
    together = 8 * _THREADS_BYTES // (pixels * bits)
    context.options = {"max_pixels": str(pixels)}
    context.thread_type = "AUTO"
    context.thread_count = max(1, min(together, _MOST_THREADS, len(os.sched_getaffinity(0))))


def _depth(form: av.VideoFormat | None) -> str:
    return "" if form is None else f" with {form.padded_bits_per_pixel} bits per pixel"
