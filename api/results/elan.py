"""A job's tiers as an ELAN annotation document (EAF 3.0, http://www.mpi.nl/tools/elan/EAFv3.0.xsd).

ELAN opens it beside the video; `pympi-ling` and other libraries read it.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from mimetypes import guess_type
from xml.etree import ElementTree as ET

_SCHEMA = "http://www.mpi.nl/tools/elan/EAFv3.0.xsd"
_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_LINGUISTIC_TYPE = "default-lt"
_SHORTEST_MILLISECONDS = 1
#: What XML 1.0 cannot hold.
_NOT_IN_XML = re.compile(r"[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Segment:
    """A labelled stretch of time, in seconds on the media's clock."""

    start: float
    end: float
    label: str


Tiers = Mapping[str, Sequence[Segment]]


def annotation_document(tiers: Tiers, *, video: str, created_at: str) -> bytes:
    """The document; `video` is the name of a file that lies beside it. Times are milliseconds."""
    document = ET.Element(
        "ANNOTATION_DOCUMENT",
        {
            "AUTHOR": "Framegate",
            "DATE": created_at,
            "FORMAT": "3.0",
            "VERSION": "3.0",
            "xmlns:xsi": _XSI,
            "xsi:noNamespaceSchemaLocation": _SCHEMA,
        },
    )
    header = ET.SubElement(document, "HEADER", MEDIA_FILE="", TIME_UNITS="milliseconds")
    place = f"./{video}"
    ET.SubElement(
        header,
        "MEDIA_DESCRIPTOR",
        MEDIA_URL=place,
        RELATIVE_MEDIA_URL=place,
        MIME_TYPE=guess_type(video)[0] or "video/mp4",
    )
    order = ET.SubElement(document, "TIME_ORDER")
    slot, ids = _slots(order), count(1)
    for name, segments in tiers.items():
        tier = ET.SubElement(document, "TIER", TIER_ID=name, LINGUISTIC_TYPE_REF=_LINGUISTIC_TYPE)
        for segment in segments:
            _add(tier, segment, f"a{next(ids)}", slot)
    ET.SubElement(
        document,
        "LINGUISTIC_TYPE",
        LINGUISTIC_TYPE_ID=_LINGUISTIC_TYPE,
        GRAPHIC_REFERENCES="false",
        TIME_ALIGNABLE="true",
    )
    content: bytes = ET.tostring(document, encoding="UTF-8", xml_declaration=True)
    return content


def _slots(order: ET.Element) -> Callable[[int], str]:
    """Adds a time slot to the document and gives its id."""
    numbers = count(1)

    def add(milliseconds: int) -> str:
        name = f"ts{next(numbers)}"
        ET.SubElement(order, "TIME_SLOT", TIME_SLOT_ID=name, TIME_VALUE=str(milliseconds))
        return name

    return add


def _add(tier: ET.Element, segment: Segment, name: str, slot: Callable[[int], str]) -> None:
    start = max(0, round(segment.start * 1000))
    end = max(start + _SHORTEST_MILLISECONDS, round(segment.end * 1000))
    annotation = ET.SubElement(
        ET.SubElement(tier, "ANNOTATION"),
        "ALIGNABLE_ANNOTATION",
        ANNOTATION_ID=name,
        TIME_SLOT_REF1=slot(start),
        TIME_SLOT_REF2=slot(end),
    )
    value = ET.SubElement(annotation, "ANNOTATION_VALUE")
    value.text = _NOT_IN_XML.sub(" ", segment.label)
