"""`python -m api.cli` is `framegate`, wherever the console script lies."""

from api.cli.app import main

main()
