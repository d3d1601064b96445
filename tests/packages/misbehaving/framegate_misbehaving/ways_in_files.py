"""Names results that are none, or does something to the folder that they are to be in."""

import os
import shutil
from dataclasses import replace
from pathlib import Path

from pipelines.sdk import Findings, ResultFile, Role


def _named(right: Findings, name: str) -> Findings:
    return replace(right, files=[*right.files, ResultFile(name, Role.ANNOTATIONS, "text/plain")])


def names_nothing_more(_folder: Path, right: Findings) -> Findings:
    """Nothing is wrong with it."""
    return right


def names_what_is_not_there(_folder: Path, right: Findings) -> Findings:
    return _named(right, "nothing.csv")


def names_a_file_above(folder: Path, right: Findings) -> Findings:
    (folder.parent / "outside.txt").write_text("outside")
    return _named(right, "../outside.txt")


def names_a_file_elsewhere(_folder: Path, right: Findings) -> Findings:
    return _named(right, "/etc/passwd")


def names_a_link(folder: Path, right: Findings) -> Findings:
    (folder / "passwd").symlink_to("/etc/passwd")
    return _named(right, "passwd")


def names_a_link_beside_it(folder: Path, right: Findings) -> Findings:
    (folder / "again.txt").symlink_to("deeds.txt")
    return _named(right, "again.txt")


def names_a_pipe(folder: Path, right: Findings) -> Findings:
    os.mkfifo(folder / "pipe")
    return _named(right, "pipe")


def names_a_folder(folder: Path, right: Findings) -> Findings:
    (folder / "more").mkdir()
    return _named(right, "more")


def names_a_file_in_a_folder(folder: Path, right: Findings) -> Findings:
    (folder / "more").mkdir()
    (folder / "more" / "deeds.txt").write_text("more")
    return _named(right, "more/deeds.txt")


def names_no_utf_8(folder: Path, right: Findings) -> Findings:
    name = os.fsdecode(b"caf\xe9.txt")
    (folder / name).write_text("coffee")
    return _named(right, name)


def names_two_lines(folder: Path, right: Findings) -> Findings:
    (folder / "a\nb.txt").write_text("two")
    return _named(right, "a\nb.txt")


def names_one_twice(_folder: Path, right: Findings) -> Findings:
    return _named(right, "deeds.txt")


def names_the_manifest(folder: Path, right: Findings) -> Findings:
    (folder / "manifest.json").write_text("{}")
    return _named(right, "manifest.json")


def leaves_a_pipe_and_a_link(folder: Path, right: Findings) -> Findings:
    os.mkfifo(folder / "pipe")
    (folder / "link").symlink_to("/etc")
    return right


def leaves_a_folder_of_others(folder: Path, right: Findings) -> Findings:
    (folder / "locked").mkdir(mode=0)
    return right


def deletes_its_folder(folder: Path, right: Findings) -> Findings:
    shutil.rmtree(folder)
    return right


def deletes_the_run(folder: Path, right: Findings) -> Findings:
    shutil.rmtree(folder.parents[1])
    return right


def replaces_its_folder_by_a_link(folder: Path, right: Findings) -> Findings:
    elsewhere = folder.with_name("elsewhere")
    folder.rename(elsewhere)
    folder.symlink_to(elsewhere)
    return right


def replaces_its_folder_by_a_file(folder: Path, right: Findings) -> Findings:
    shutil.rmtree(folder)
    folder.write_text("no folder")
    return right


def publishes_by_itself(folder: Path, right: Findings) -> Findings:
    shutil.copytree(folder, folder.parents[1] / "results" / folder.name)
    return right
