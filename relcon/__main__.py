"""`python -m relcon`: the command line."""

from relcon.cli.main import main

if __name__ == "__main__":
    main()
