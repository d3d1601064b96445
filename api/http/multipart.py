"""Reads a `multipart/form-data` body piece by piece: small fields into memory, the one file to a
`sink`. python-multipart does the parsing; a form library on top of it would write the file twice.
"""

from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass, field
from typing import Protocol

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, MultipartState, parse_options_header

from api.errors import InvalidRequestError, PayloadTooLargeError
from api.http.unknown_names import unknown_name

#: What browsers write for characters that would end a name in a header (HTML standard, "multipart
#: form data"); they leave % itself as it is.
_ESCAPES = {"%22": '"', "%0D": "\r", "%0A": "\n"}


class Sink(Protocol):
    """Where a file's content goes."""

    def begin(self, filename: str) -> None:
        """The file's name as the client gave it. The type that a client guesses from it says
        nothing: the content decides.
        """

    async def write(self, data: bytes) -> None: ...


@dataclass
class _Part:
    headers: dict[bytes, bytes] = field(default_factory=dict)
    header_name: bytes = b""
    header_value: bytes = b""
    name: str = ""
    is_file: bool = False
    data: bytearray = field(default_factory=bytearray)


class _Form:
    """Takes in the parser's calls. Content of the file waits in `pending` for the sink."""

    def __init__(
        self, file_field: str, fields: Collection[str], sink: Sink, max_field_bytes: int
    ) -> None:
        self.fields: dict[str, str] = {}
        self.pending: list[bytes] = []
        self._file_field = file_field
        self._known = (file_field, *fields)
        self._sink = sink
        self._room = max_field_bytes
        self._part = _Part()
        self.has_file = False

    def on_part_begin(self) -> None:
        self._part = _Part()

    def on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._part.header_name += data[start:end]

    def on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._part.header_value += data[start:end]

    def on_header_end(self) -> None:
        part = self._part
        part.headers[part.header_name.lower()] = part.header_value
        part.header_name = part.header_value = b""

    def on_headers_finished(self) -> None:
        part = self._part
        _kind, options = parse_options_header(part.headers.get(b"content-disposition", b""))
        part.name = _text(options.get(b"name", b""))
        self._check_name(part.name, is_file=b"filename" in options)
        part.is_file = part.name == self._file_field
        if not part.is_file:
            return
        if self.has_file:
            raise InvalidRequestError("The form holds more than one file.", field=part.name)
        self.has_file = True
        self._sink.begin(_unescaped(_text(options.get(b"filename", b""))))

    def _check_name(self, name: str, *, is_file: bool) -> None:
        """Raises InvalidRequestError for a field that the form does not have."""
        if name in self._known:
            return
        error = unknown_name("form field", name, self._known)
        if is_file:
            error.hint = f"Send the file as the form field '{self._file_field}'."
        raise error

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        if self._part.is_file:
            self.pending.append(data[start:end])
            return
        self._room -= end - start
        if self._room < 0:
            raise PayloadTooLargeError("The form's fields are too large.")
        self._part.data += data[start:end]

    def on_part_end(self) -> None:
        part = self._part
        if part.is_file:
            return
        if part.name in self.fields:
            raise InvalidRequestError(
                "The form holds this field more than once.", field=part.name[:100]
            )
        try:
            self.fields[part.name] = part.data.decode()
        except UnicodeDecodeError as error:
            raise InvalidRequestError("Not valid UTF-8.", field=part.name[:100]) from error


async def read_form(
    content_type: str,
    chunks: AsyncIterator[bytes],
    *,
    file_field: str,
    fields: Collection[str],
    sink: Sink,
    max_field_bytes: int,
) -> dict[str, str]:
    """The form's fields but for `file_field`, whose content has gone to `sink`. `fields` names
    the others that the form may have.

    Raises InvalidRequestError, PayloadTooLargeError, and whatever the sink raises.
    """
    form = _Form(file_field, fields, sink, max_field_bytes)
    _kind, options = parse_options_header(content_type)
    try:
        parser = MultipartParser(
            options.get(b"boundary", b""),
            {
                "on_part_begin": form.on_part_begin,
                "on_header_field": form.on_header_field,
                "on_header_value": form.on_header_value,
                "on_header_end": form.on_header_end,
                "on_headers_finished": form.on_headers_finished,
                "on_part_data": form.on_part_data,
                "on_part_end": form.on_part_end,
            },
        )
        async for chunk in chunks:
            parser.write(chunk)
            for data in form.pending:
                await sink.write(data)
            form.pending.clear()
    except FormParserError as error:
        raise InvalidRequestError("The body is not a well-formed multipart form.") from error
    if parser.state != MultipartState.END:
        raise InvalidRequestError("The form ends before its last boundary.")
    if not form.has_file:
        raise InvalidRequestError(f"The form lacks the file {file_field!r}.", field=file_field)
    return form.fields


def _text(value: bytes) -> str:
    return value.decode(errors="replace")


def _unescaped(name: str) -> str:
    for escape, character in _ESCAPES.items():
        name = name.replace(escape, character)
    return name
