"""``python -m zscape``."""

from zscape.cli import main

if __name__ == "__main__":
    main()
