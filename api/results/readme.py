"""README.txt of a job's ZIP: what each file in it is, and what opens it."""

from collections.abc import Iterable

#: The end of a file's name, and what such a file is; the first that fits counts.
_KINDS = (
    ("report.html", "The report: what was asked, found and noted. Open it in a browser."),
    ("manifest.json", "What was made how, with the hash of every file."),
    ("_face_analysis.json", "Faces as web viewers read them: boxes and landmarks in pixels."),
    (
        "_faces.json",
        "Faces as COCO: import it, or the folder coco/, into CVAT, Datumaro, FiftyOne.",
    ),
    ("coco/images/README.txt", "Where frames go that are to be seen with the dataset."),
    ("_scene_detection.json", "Scenes: times in seconds, frames counted from 0."),
    ("_chapters.webvtt", "Scenes as chapters (WebVTT), for video players."),
    ("_speech_activity.vtt", "When somebody speaks (WebVTT), for video players."),
    ("_speech_activity.rttm", "When somebody speaks (RTTM); it does not say who."),
    (".eaf", "All that has a time, as tiers. Open it in ELAN, beside the video."),
    (".csv", "A row for each annotation, units in the header. For R, pandas, spreadsheets."),
    (".m4v", "The video with what was found drawn on it (MP4, without sound)."),
    (".png", "A picture of what was found."),
    (".json", "Annotations as JSON."),
    ("", "A file of a pipeline's own."),
)
_VIDEO = "The video as it was submitted."


def readme(video: str, names: Iterable[str]) -> str:
    """What `video` and each of the other files is, in the order of `names`."""
    lines = [f"{name}\n    {_VIDEO if name == video else _kind(name)}" for name in names]
    return "\n".join(
        [
            "Results of Framegate. Times are in seconds on the video's own clock, places in pixels",
            "of the video as displayed, x to the right and y down from the upper left corner.",
            "",
            *lines,
            "",
        ]
    )


def _kind(name: str) -> str:
    return next(words for ending, words in _KINDS if name.endswith(ending))
