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
_THREADS_BYTES, _MOST_THREADS = 512 * 1024**2, 8
_MOST_BITS = 64


def check_picture(width: int, height: int, bits_per_pixel: int) -> None:
    """Raises MediaError for a picture that takes too much memory when it is decoded."""
    pixels = width * height
    if pixels <= MOST_PIXELS and pixels * bits_per_pixel <= 8 * MOST_FRAME_BYTES:
        return
    raise MediaError(
        f"The video is {width}x{height} with {bits_per_pixel} bits per pixel, larger than this can "
        "decode.",
        f"Scale it down: a picture may have {MOST_PIXELS:,} pixels, and take "
        f"{MOST_FRAME_BYTES // 1024**2} MB when it is decoded.",
    )


def limit_decoder(stream: av.VideoStream) -> None:
    """Bounds what the stream's decoder may take. Call it before the first packet is decoded."""
    context = stream.codec_context
    pixels = max(context.width * context.height, _PIXELS_ON_THE_WAY)
    bits = context.format.padded_bits_per_pixel if context.format else _MOST_BITS
    together = 8 * _THREADS_BYTES // (pixels * bits)
    context.options = {"max_pixels": str(min(MOST_PIXELS, pixels))}
    context.thread_type = "AUTO"
    context.thread_count = max(1, min(together, _MOST_THREADS, len(os.sched_getaffinity(0))))
