"""Skips SciPy and scikit-learn when transformers is imported, for a quicker start.

Import it before transformers' models. transformers imports both where they are installed (lm-evaluation-harness
brings them), for a way of decoding and for losses that are not used here. They take longer to import than torch.
"""

import sys

from transformers.utils import is_scipy_available, is_sklearn_available

for _name, _is_available in {"sklearn": is_sklearn_available, "scipy": is_scipy_available}.items():
    if _name not in sys.modules:
        sys.modules[_name] = None  # type: ignore[assignment]  # importing it now fails as if it were not installed
        _is_available.cache_clear()
        _is_available()  # transformers caches the answer
        del sys.modules[_name]
