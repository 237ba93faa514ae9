"""Makes a CSV file ready for the SQL engine: its encoding, its delimiter, its header.

Turns a path into a `TextFile` in UTF-8. An encoding other than UTF-8 is declared (or told by a byte-order
mark) and rewritten into a scratch file, in pieces; a file that is not what it should be is refused, never
guessed at. So is a file that ends inside a quoted cell: the engine would drop its last rows without a
word. Time rule: none. Null rule: none, blank cells arrive blank.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import re
import zlib
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from features.errors import ConfigError, ContractError
from features.plain_text import UNSEEN, Lacking, look_at

__all__ = ["TextFile", "open_text", "quotes_and_line_ends", "unique_header"]

_PIECE = 1 << 20
_DELIMITERS = (",", ";", "\t", "|")
_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
"""Encodings by their byte-order mark; one that begins like another stands before it."""

_UNPACKED_LIMIT = 1 << 29
_UNPACKED_TIMES = 250
"""A .gz file may unpack to more bytes than this, unless it is so many times smaller: no table of rows is."""

_UTF8 = ("utf-8", "utf-8-sig")
_SEPARATOR_LINE = re.compile(r"sep=(.)\r?\n", re.IGNORECASE)


@dataclass(frozen=True)
class TextFile:
    """A CSV file in UTF-8.

    skip: lines before the header, such as the `sep=;` that Excel understands. quoted: whether it holds a
    quote anywhere; without one every line is a row, and several threads may read it. lacking: what is in no
    cell.
    """

    path: Path
    header: tuple[str, ...]
    delimiter: str
    skip: int = 0
    quoted: bool = True
    lacking: Lacking = UNSEEN


def open_text(path: Path, *, encoding: str | None, delimiter: str | None, scratch: Path) -> TextFile:
    """A CSV file, plain or .gz. scratch: an empty file's path, for a copy in UTF-8 where one is needed.

    Raises ConfigError for a wrong encoding or a half-written file, ContractError without a usable header.
    """
    try:
        found = _encoding(path, declared=encoding)
        readable = path if found in _UTF8 else _rewritten(path, encoding=found, target=scratch)
        start = _start(readable)
        separated = _SEPARATOR_LINE.match(start)
        parted = delimiter or (separated[1] if separated else _likeliest_delimiter(start))
        looked = look_at(readable, delimiter=parted)
        closer = looked.quoted or looked.returns
        quotes, ends = quotes_and_line_ends(readable) if closer else (0, {b"\n"})
        if quotes % 2 == 1:
            _require_closed_quotes(readable, delimiter=parted, named=path)
        if len(ends) > 1:
            readable = _with_even_line_ends(readable, delimiter=parted, target=scratch.with_suffix(".even"))
        header = _header(readable, delimiter=parted, skip=1 if separated else 0)
    except (OSError, EOFError, zlib.error, csv.Error) as error:
        raise ConfigError(f"{path} cannot be read as CSV", got=error, fix="write the file again") from error
    names, skip = unique_header(header, path=path), 1 if separated else 0
    return TextFile(readable, names, parted, skip, quoted=quotes > 0, lacking=looked.lacking)


def _opened(path: Path) -> IO[bytes]:
    return cast(IO[bytes], gzip.open(path)) if path.suffix == ".gz" else path.open("rb")


def _pieces(path: Path) -> Iterator[bytes]:
    read, most = 0, max(_UNPACKED_LIMIT, path.stat().st_size * _UNPACKED_TIMES)
    with closing(_opened(path)) as file:
        while piece := file.read(_PIECE):
            read += len(piece)
            if read > most:
                raise _unpacks_to_too_much(path, most=most)
            yield piece


def _unpacks_to_too_much(path: Path, *, most: int) -> ConfigError:
    return ConfigError(
        f"{path} unpacks to too much",
        got=f"more than {most:,} bytes from {path.stat().st_size:,}",
        allowed=f"{_UNPACKED_LIMIT:,} bytes, or {_UNPACKED_TIMES} times the packed size",
        fix="unpack it, and look at what is in it",
    )


def _encoding(path: Path, *, declared: str | None) -> str:
    """The encoding to read with: what a mark tells, else what is declared, else UTF-8."""
    sample = next(_pieces(path), b"")
    marked = next((name for mark, name in _MARKS.items() if sample.startswith(mark)), None)
    if marked is not None:
        if declared is not None and not _is_one(marked, declared.removesuffix("-sig")):
            raise _wrong_encoding(path, declared=declared, got=f"a byte-order mark of {marked}")
        return marked
    if declared in _UTF8 or declared is None:
        _require_utf8(sample, path=path)
        return "utf-8"
    if declared in ("iso8859-1", "cp1252", "iso8859-15") and _is_utf8_beyond_ascii(sample):
        raise _wrong_encoding(path, declared=declared, got="text in UTF-8", fix='write encoding = "utf-8"')
    return declared


def _is_one(marked: str, declared: str) -> bool:
    """Whether a byte-order mark fits what is declared; utf-16-le says more than utf-16."""
    return marked.startswith(declared) or declared.startswith(marked)


def _require_utf8(sample: bytes, *, path: Path) -> None:
    """A file in another encoding has hardly a line that is UTF-8 beyond ASCII; a damaged one has few others.

    Lines at fault in a file that is UTF-8 otherwise are set aside one by one, later.
    """
    lines = [(k, line) for k, line in enumerate(sample.split(b"\n"), start=1) if not line.isascii()]
    wrong = [(k, line) for k, line in lines if not _decodes(line, encoding="utf-8")]
    # The sample may end within a character.
    if wrong and len(sample) == _PIECE and wrong[-1][0] == sample.count(b"\n") + 1:
        wrong.pop()
    if len(wrong) * 2 <= len(lines):
        return
    number, line = wrong[0]
    likely = "gb18030" if _decodes(b"\n".join(text for _, text in wrong), encoding="gb18030") else "latin-1"
    raise _wrong_encoding(
        path,
        declared="utf-8",
        got=f"line {number}: {bytes(sign for sign in line if sign > 127)[:20]!r}",
        fix=f'declare it beside the table, as in encoding = "{likely}", or save the file as UTF-8',
    )


def _decodes(text: bytes, *, encoding: str) -> bool:
    try:
        text.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _is_utf8_beyond_ascii(sample: bytes) -> bool:
    whole = sample[: sample.rfind(b"\n") + 1] if len(sample) == _PIECE else sample
    return not whole.isascii() and _decodes(whole, encoding="utf-8")


def _wrong_encoding(path: Path, *, declared: str, got: str, fix: str | None = None) -> ConfigError:
    return ConfigError(
        f"{path} is not text in {declared}",
        got=got,
        allowed="UTF-8, or the declared encoding",
        fix=fix or "correct `encoding` beside the table",
    )


def _rewritten(path: Path, *, encoding: str, target: Path) -> Path:
    """A copy in UTF-8, made in pieces."""
    decoder = codecs.getincrementaldecoder(encoding)()
    lines = 1
    with target.open("w", encoding="utf-8", newline="") as copy:
        try:
            for piece in _pieces(path):
                text = decoder.decode(piece)
                lines += text.count("\n")
                copy.write(text)
            copy.write(decoder.decode(b"", final=True))
        except UnicodeError as error:
            raise _wrong_encoding(path, declared=encoding, got=f"after line {lines}: {error}") from error
    return target


def _start(path: Path) -> str:
    sample = next(_pieces(path), b"")
    return sample.decode("utf-8", errors="replace").removeprefix("\ufeff")


def _likeliest_delimiter(start: str) -> str:
    """The one that stands most often in the first line, outside of quotes; a comma where none does."""
    outside = re.sub(r'"[^"]*"', "", start)
    line = re.split(r"[\r\n]", outside, maxsplit=1)[0]
    return max(_DELIMITERS, key=line.count)


def quotes_and_line_ends(path: Path) -> tuple[int, set[bytes]]:
    """How many quotes a file holds, and the ways in which its rows end; line ends in cells do not count.

    With an odd number of quotes a quoted cell may never end: few files need a closer look. Rows that end in
    different ways are not read by the engine.
    """
    quotes, ends = 0, set[bytes]()
    for piece in _between_lines(_pieces(path)):
        segments = piece.split(b'"') if b"\r" in piece or b"\r\n" in ends else []
        if segments:
            outside = b"".join(segments[quotes % 2 :: 2])
            rest = outside.replace(b"\r\n", b"")
            ends.update(end for end in (b"\r\n",) if end in outside)
            ends.update(end for end in (b"\r", b"\n") if end in rest)
        elif b"\n" in piece:
            ends.add(b"\n")
        # Most files hold none, which is told in a tenth of the time that counting takes.
        quotes += piece.count(b'"') if b'"' in piece else 0
    return quotes, ends


def _between_lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same pieces, but none parts a carriage return from its line feed."""
    carried = b""
    for piece in pieces:
        whole = carried + piece
        carried = b"\r" if whole.endswith(b"\r") else b""
        yield whole.removesuffix(carried)
    yield carried


def _with_even_line_ends(path: Path, *, delimiter: str, target: Path) -> Path:
    # What is no UTF-8 goes through unchanged: such lines are set aside later.
    lines = _text(path, errors="surrogateescape")
    with closing(lines), target.open("w", encoding="utf-8", errors="surrogateescape", newline="") as copy:
        rows = csv.reader(lines, delimiter=delimiter)
        csv.writer(copy, delimiter=delimiter, lineterminator="\n").writerows(rows)
    return target


def _require_closed_quotes(path: Path, *, delimiter: str, named: Path) -> None:
    """Raise ConfigError when a quoted cell never ends."""
    begins = 1
    with closing(_text(path)) as lines:
        records = csv.reader(lines, delimiter=delimiter, strict=True)
        try:
            for _ in records:
                begins = records.line_num + 1
        except csv.Error as error:
            # Other faults are those of single rows, which are set aside later.
            if "unexpected end" in str(error) or "field limit" in str(error):
                raise ConfigError(
                    f"{named} ends inside a quoted cell: it is half-written, or a quote is astray",
                    got=f"the row that begins in line {begins}",
                    allowed="a closing quote",
                    fix="export the file again, or mend that row",
                ) from error


def _text(path: Path, *, errors: str = "replace") -> IO[str]:
    return io.TextIOWrapper(_opened(path), "utf-8-sig", errors=errors, newline="")


def _header(path: Path, *, delimiter: str, skip: int) -> list[str]:
    with closing(_text(path)) as lines:
        for _ in range(skip):
            next(lines)
        return next(csv.reader(lines, delimiter=delimiter), [])


def unique_header(header: list[str], *, path: Path) -> tuple[str, ...]:
    """The names without blanks around them; a column without a name is called after its place.

    Raises ContractError when there is none, or when two are the same but for case.
    """
    if not any(name.strip() for name in header):
        raise ContractError(f"{path} is empty", got="no header line", fix="write the column names on top")
    names = [name.strip() or f"(column {k})" for k, name in enumerate(header, start=1)]
    # SQL does not tell upper from lower case in the names of columns.
    folded = [name.casefold() for name in names]
    repeated = sorted({name for name in names if folded.count(name.casefold()) > 1})
    if repeated:
        raise ContractError(f"{path} names a column twice", got=", ".join(repeated), fix="rename one of them")
    return tuple(names)
