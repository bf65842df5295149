"""``python -m radixchat``: the command line."""

import os
import sys

if __name__ == "__main__":
    # `python -m` searches the working directory first. In a checkout's root transformers would find our `kernels` there
    # and take it for the package of that name; anywhere else a stray file could stand in for a library.
    sys.path[:] = [entry for entry in sys.path if entry not in ("", os.getcwd())]

    from .chat.cli import main

    main()
