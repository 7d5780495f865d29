"""Run the commands with ``python -m pipeline``."""

from .cli import main

main()
