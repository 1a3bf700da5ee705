# ruff: noqa: E402, F401
"""Imports for the server of `process.py` before it forks: everything that jobs need, so that none has to wait for it.

The server was started with Ctrl-C blocked, as Python would otherwise print where it was interrupted. From here on
Ctrl-C ends it without a word, and it also ends when nobody is left to fork for.
"""

import os
import signal

parent = os.getppid()
signal.signal(signal.SIGINT, signal.SIG_DFL)
signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})

import dragoman.generation.hf.skip_scipy  # before what follows

# isort: split
import peft
import torch
import transformers

import dragoman.methods
import dragoman.pipeline.models.check_models
import dragoman.pipeline.stages.check
import dragoman.pipeline.stages.evaluate
import dragoman.pipeline.stages.examples
import dragoman.pipeline.stages.merge
import dragoman.pipeline.stages.train
import dragoman.suites
import dragoman.training.merge
import dragoman.training.trainer

dragoman.methods.available()
dragoman.suites.available()
transformers.utils.logging.disable_progress_bar()

if os.getppid() != parent:
    os._exit(1)
