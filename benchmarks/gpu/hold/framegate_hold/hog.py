"""`python -m framegate_hold.hog BYTES UUID`: holds GPU memory until its input ends."""

import sys

from framegate_hold.memory import hold


def main() -> None:
    held = hold(int(sys.argv[1]), sys.argv[2])
    print("held", flush=True)
    sys.stdin.read()
    del held


if __name__ == "__main__":
    main()
