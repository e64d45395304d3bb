"""`python -m mojing` is the command line."""

from mojing.cli.app import main

main()
