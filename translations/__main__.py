"""Brings the catalogs up to date with the code and says what is left to translate: ``python -m translations``."""

from __future__ import annotations

import sys

from translations import catalogs


def main() -> int:
    """Collect, update, and name every text that a language lacks; 1 when there is one."""
    said = catalogs.collected()
    left = 0
    for language in catalogs.LANGUAGES:
        catalogs.update(language, said)
        for fault in catalogs.faults(language, said):
            sys.stderr.write(f"{fault}\n")
            left += 1
    sys.stdout.write(f"{len(said)} texts, {left} to do.\n")
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
