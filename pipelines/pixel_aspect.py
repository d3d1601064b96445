"""The shape of a video's pixels: the container's word, or else what each frame says."""

from fractions import Fraction

import av
from av.container import InputContainer
from av.filter import Graph

#: Formats that tell the shape for the whole stream; players believe them rather than the frames.
_TOLD_ONCE = {"mov", "matroska", "mxf", "nut", "asf"}
#: A shape that no camera has is not believed.
_WIDEST, _BEYOND = 4, 5
#: A corner of a frame is scaled by the shape of its pixels; square ones make it so wide.
_CORNER, _SQUARE_WIDTH = 16, 3960
_LARGEST_DENOMINATOR = 99


class PixelAspect:
    """Tells the width of a pixel divided by its height, frame by frame."""

    def __init__(self, container: InputContainer, stream: av.VideoStream) -> None:
        told_once = not _TOLD_ONCE.isdisjoint(container.format.name.split(","))
        self._told = _believed(stream.sample_aspect_ratio) if told_once else None
        self._form: tuple[int, int, str] | None = None
        self._graph = Graph()

    def of(self, frame: av.VideoFrame) -> Fraction:
        return self._told or self._read(frame)

    def _read(self, frame: av.VideoFrame) -> Fraction:
        """The frame's own word. PyAV does not show it, but libavfilter scales by it."""
        form = (frame.width, frame.height, frame.format.name)
        if form != self._form:
            self._graph, self._form = _graph(frame), form
        self._graph.push(frame)
        aspect = Fraction(self._graph.vpull().width, _SQUARE_WIDTH)
        return _believed(aspect.limit_denominator(_LARGEST_DENOMINATOR))


def _graph(frame: av.VideoFrame) -> Graph:
    """Cuts a corner out of frames like `frame` and scales it to `_SQUARE_WIDTH` times the shape."""
    width = f"{_SQUARE_WIDTH}*clip(sar\\,{1 / _BEYOND}\\,{_BEYOND})"
    graph = Graph()
    graph.link_nodes(
        graph.add_buffer(
            width=frame.width,
            height=frame.height,
            format=frame.format,
            time_base=Fraction(1, av.time_base),
        ),
        graph.add("crop", f"w=min(iw\\,{_CORNER}):h=min(ih\\,{_CORNER}):x=0:y=0"),
        graph.add("scale", f"w={width}:h={_CORNER}:flags=neighbor:eval=frame"),
        graph.add("buffersink"),
    ).configure()
    return graph


def _believed(aspect: Fraction | None) -> Fraction:
    if not aspect or not Fraction(1, _WIDEST) <= aspect <= _WIDEST:
        return Fraction(1)
    return aspect
