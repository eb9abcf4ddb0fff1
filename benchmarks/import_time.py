"""What importing clearzoom costs beside an empty interpreter: the median of pairs in one run."""

import statistics
import subprocess
import sys
import time

PAIRS = 15


def seconds(code: str) -> float:
    """Time one interpreter."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return time.perf_counter() - began


def main() -> None:
    """Measure and print."""
    more = [seconds("import clearzoom") - seconds("pass") for _ in range(PAIRS)]
    print(
        f"import clearzoom: {1000 * statistics.median(more):.0f} ms more than an empty interpreter"
    )


if __name__ == "__main__":
    main()
