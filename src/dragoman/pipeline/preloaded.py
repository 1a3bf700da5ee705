"""What the server of `process.py` imports before it forks.

It was started with Ctrl-C held back, which would have Python print where it was. From here on it ends without a word,
and so it does when nobody is left to fork for.
"""

import os
import signal

parent = os.getppid()
signal.signal(signal.SIGINT, signal.SIG_DFL)
signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})

import dragoman.pipeline.stages.work  # noqa: E402, F401

if os.getppid() != parent:
    os._exit(1)
