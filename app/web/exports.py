"""Lists as files for spreadsheets: CSV that is sent while it is read, and XLSX.

A page offers `links` to a view of its own, which answers with `answer`; both keep the filters of the page's address.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from tempfile import TemporaryFile

import xlsxwriter
from flask import Response, request, send_file, stream_with_context
from xlsxwriter.worksheet import Worksheet

from app.domain.money import plain
from app.models import utc_now
from app.web.addresses import with_query

Cell = str | int | float | Decimal | datetime | None
Row = Sequence[Cell]


class Format(StrEnum):
    """What a list can be had as."""

    CSV = "csv"
    XLSX = "xlsx"


_TYPES = {
    Format.CSV: "text/csv; charset=utf-8",
    Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}

#: How text begins that a spreadsheet would take for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")

#: CSV goes out in pieces of about this many characters.
_PIECE = 32_768

# What a sheet of Excel can hold: rows, characters of a cell, and digits of a number.
_MOST_ROWS = 1_048_576
_MOST_TEXT = 32_767
_MOST_DIGITS = 15


def links(path: str) -> list[tuple[str, str]]:
    """The name and address of each format in which ``path`` answers what passes the filters of this address."""
    return [(kind.upper(), with_query(path, format=kind.value, page=None)) for kind in Format]


def answer(name: str, columns: Sequence[str], rows: Iterable[Row]) -> Response:
    """A list as the file that the address asks for with ``format``: CSV unless it says ``xlsx``.

    Amounts keep every digit, times are UTC to the millisecond, and text that a spreadsheet would run is only shown.
    ``rows`` may be read from the database as they are asked for.
    """
    kind = Format.XLSX if request.args.get("format") == Format.XLSX else Format.CSV
    filename = f"switchyard-{name}-{utc_now():%Y-%m-%d}.{kind}"
    write: Callable[[Sequence[str], Iterable[Row]], Response] = {Format.CSV: _csv, Format.XLSX: _xlsx}[kind]
    response = write(columns, rows)
    response.headers["Content-Type"] = _TYPES[kind]
    response.headers.set("Content-Disposition", "attachment", filename=filename)
    return response


def _csv(columns: Sequence[str], rows: Iterable[Row]) -> Response:
    return Response(stream_with_context(_pieces(columns, rows)))


def _pieces(columns: Sequence[str], rows: Iterable[Row]) -> Iterator[str]:
    piece = io.StringIO()
    writer = csv.writer(piece)
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_as_text(cell) for cell in row])
        if piece.tell() > _PIECE:
            yield piece.getvalue()
            piece.seek(0)
            piece.truncate()
    yield piece.getvalue()


def _as_text(cell: Cell) -> str:
    match cell:
        case None:
            return ""
        case Decimal():
            return plain(cell)
        case datetime():
            return cell.astimezone(UTC).isoformat(timespec="milliseconds")
        case str():
            return f"'{cell}" if cell.startswith(_FORMULA) else str(cell)
    return str(cell)


def _xlsx(columns: Sequence[str], rows: Iterable[Row]) -> Response:
    file = TemporaryFile()  # noqa: SIM115 - the server closes it when it is sent
    with xlsxwriter.Workbook(file, {"constant_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.freeze_panes(1, 0)
        sheet.set_column(0, len(columns) - 1, 22)
        moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss.000"})
        for column, title in enumerate(columns):
            sheet.write_string(0, column, title, book.add_format({"bold": True}))
        for number, row in enumerate(rows, start=1):
            if number == _MOST_ROWS - 1:
                sheet.write_string(number, 0, "A sheet holds no more rows; the CSV file has all of them.")
                break
            for column, cell in enumerate(row):
                _put(sheet, number, column, cell, moment)
    file.seek(0)
    return send_file(file, mimetype=_TYPES[Format.XLSX])


def _put(sheet: Worksheet, row: int, column: int, cell: Cell, moment: object) -> None:
    """Write one cell; a number with more digits than Excel keeps is written as text, so that none is lost."""
    match cell:
        case None:
            return
        case datetime():
            sheet.write_datetime(row, column, cell.astimezone(UTC).replace(tzinfo=None), moment)
        case str():
            sheet.write_string(row, column, cell[:_MOST_TEXT])
        case Decimal() if _digits(cell) > _MOST_DIGITS:
            sheet.write_string(row, column, plain(cell))
        case _:
            sheet.write_number(row, column, float(cell))


def _digits(number: Decimal) -> int:
    return len(plain(number).lstrip("-").replace(".", "").strip("0"))
