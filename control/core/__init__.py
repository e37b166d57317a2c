"""The Numba core: raw arrays in, raw arrays out. `control.queue_model` is its checked shell.

Compiled code is kept under a digest of the sources, since Numba looks at one file only when it asks whether its
cache is stale.
"""

from hashlib import sha256
from pathlib import Path

import numba

_FOLDER = Path(__file__).parent
_DIGEST = sha256(b"".join(path.read_bytes() for path in sorted(_FOLDER.glob("*.py")))).hexdigest()[:16]
numba.config.CACHE_DIR = str(_FOLDER / "__pycache__" / _DIGEST)  # type: ignore[attr-defined]
