"""Takes the modules of the client from the package beside it; a source distribution has them."""

import sys
from pathlib import Path

from setuptools import setup

sys.path.insert(0, str(Path(__file__).resolve().parent))

from assemble import CLIENT, HERE, SOURCE, assemble

if SOURCE.is_dir():
    assemble(HERE / CLIENT)

setup()
