"""Names of results, and what is refused before any work: to write a file that is read, and two results of one name."""
from __future__ import annotations

import os
import pathlib
import stat
from typing import TYPE_CHECKING, Any, Iterable

from . import errors
from ._pictures import file_of

if TYPE_CHECKING:
    from ._pictures import Path


def file_name(source: Any, output: str, to: Path | None, format: str | None, many: bool) -> pathlib.Path:
    """Where a file goes: beside the photo under the program's names, or as asked."""
    folder = to is not None and (many or os.path.isdir(to) or str(to).endswith("/"))
    if to is not None and not folder:
        return pathlib.Path(to)
    if source is None:
        raise errors.ArgumentError("photos without a name cannot be written into a folder\ngive the name of a file, or paths")
    photo = pathlib.Path(os.fsdecode(source))
    place = pathlib.Path(to) if to is not None else photo.parent
    return place / f"{photo.stem}.{output}.{format or 'png'}"


def make_folder_for(path: pathlib.Path, to: Path | None) -> None:
    """The folder that `to` names is made; that of a file must be there."""
    if to is not None and path != pathlib.Path(to):
        path.parent.mkdir(parents=True, exist_ok=True)


class Sources:
    """The files that a call reads, with the word that messages have for each. They are never written, not even with
    overwrite=True and under whatever name they are reached: files are compared by device and inode."""

    def __init__(self, named: Iterable[tuple[str, Any]] = ()) -> None:
        self._files: dict[tuple[int, int], tuple[str, str]] = {}
        for role, path in named:
            self.add(role, path)

    def add(self, role: str, path: Any) -> None:
        """A path, or a picture that PIL has opened from one. What is neither, or no file, needs no protection."""
        path = file_of(path)
        if path is not None:
            try:
                found = os.stat(path)
            except (OSError, ValueError):
                return
            if stat.S_ISREG(found.st_mode):
                self._files.setdefault((found.st_dev, found.st_ino), (role, os.fsdecode(path)))

    def check(self, path: Path) -> None:
        try:
            found = os.stat(path)
        except (OSError, ValueError):
            return
        role, name = self._files.get((found.st_dev, found.st_ino), ("", ""))
        if role:
            raise errors.ArgumentError(f"{os.fsdecode(path)} is {role} ({name})\nchoose another name; files that are read are never "
                                       "overwritten")


class Places:
    """Where the results of many photos go. Two of one place are refused: the second would replace the first."""

    def __init__(self, sources: Sources, output: str, to: Path | None, format: str | None) -> None:
        self._sources, self._asked = sources, (output, to, format)
        self._claims: dict[tuple[str, str], tuple[int, str]] = {}
        self._folders: dict[str, str] = {}  # with all links resolved

    def claim(self, number: int, photo: Any) -> None:
        """For the photo of this number; once or more."""
        output, to, format = self._asked
        path = file_name(photo, output, to, format, to is not None)
        folder, name = os.path.split(os.fspath(path))
        if folder not in self._folders:
            self._folders[folder] = os.path.realpath(folder)
        by, other = self._claims.setdefault((self._folders[folder], os.path.normcase(name)), (number, os.fsdecode(photo)))
        if by != number:
            raise errors.ArgumentError(f"{other} and {os.fsdecode(photo)} would both write {path}\ncut each folder of photos into "
                                       "a folder of its own")
        self._sources.check(path)
