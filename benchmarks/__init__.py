"""Speed, side by side and in one run: ``python -m benchmarks``. Nothing here is a test."""
