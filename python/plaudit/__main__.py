"""`python -m plaudit` is the plaudit program."""

from plaudit_cli import main

main()
