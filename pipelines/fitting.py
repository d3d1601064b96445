"""How large a picture becomes: in the shape of the video, within the room that there is."""

from pipelines.media import VideoStream


def scale_to_fit(video: VideoStream, width: float, height: float, *, enlarge: bool = True) -> float:
    """The factor with which the video just fits into `width` x `height`; at most 1 if it may not
    be enlarged.
    """
    scale = min(width / video.width, height / video.height)
    return scale if enlarge else min(1.0, scale)


def fit(
    video: VideoStream, width: float, height: float, *, enlarge: bool = True, multiple: int = 1
) -> tuple[int, int]:
    """Width and height of the video scaled to fit, rounded to multiples of `multiple`."""
    scale = scale_to_fit(video, width, height, enlarge=enlarge)
    across, down = (
        max(1, round(side * scale / multiple)) * multiple for side in (video.width, video.height)
    )
    return across, down
