"""What keeps Switchyard from starting, said in one plain sentence with what to do about it."""

from __future__ import annotations

import errno

from app.domain.errors import SwitchyardError


class LaunchError(SwitchyardError):
    """Set-up or start cannot go on; ``remedy`` says what a person can do."""


_MEANINGS = {
    errno.ENOSPC: ("The disk is full", "Free some space, or set DATA_DIR to a directory on a larger disk."),
    errno.EDQUOT: ("Your disk quota is used up", "Free some space, or set DATA_DIR to another disk."),
    errno.EROFS: ("The file system is read-only", "Set DATA_DIR to a directory that can be written."),
    errno.EACCES: ("Permission is denied", "Make it writable for this user, or set DATA_DIR to one that is."),
    errno.EPERM: ("Permission is denied", "Make it writable for this user, or set DATA_DIR to one that is."),
    errno.ENOTDIR: (
        "A file is where a directory should be",
        "Move it away, or set DATA_DIR to another place.",
    ),
    errno.EEXIST: (
        "A file is where a directory should be",
        "Move it away, or set DATA_DIR to another place.",
    ),
}


def explained(error: OSError) -> LaunchError | None:
    """``error`` in plain words when it is one a person can mend, else None."""
    meaning = _MEANINGS.get(error.errno or 0)
    if meaning is None:
        return None
    where = f": {error.filename}" if error.filename else ""
    return LaunchError(f"{meaning[0]}{where}.", remedy=meaning[1])
