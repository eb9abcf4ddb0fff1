"""``python -m clearzoom``."""

from clearzoom.cli.main import main

main()
