"""docs/exchanges.md tells what the clients declare, no more and no less."""

from __future__ import annotations

import pytest

from app.config import PROJECT_ROOT
from app.exchanges import NAMES, matrix, title

DOCUMENT = PROJECT_ROOT / "docs" / "exchanges.md"


def test_the_matrix_in_the_docs_is_current() -> None:
    document = DOCUMENT.read_text()

    assert document == matrix.renewed(document, NAMES), "run: flask exchanges matrix docs/exchanges.md"


@pytest.mark.parametrize("name", NAMES)
def test_the_docs_say_how_to_make_a_safe_key(name: str) -> None:
    assert f"### {title(name)}\n" in DOCUMENT.read_text()


def test_a_document_without_the_markers_is_refused() -> None:
    with pytest.raises(ValueError, match="lacks"):
        matrix.renewed("# Nothing here", NAMES)
