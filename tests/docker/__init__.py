"""Tests with a real container engine: `scripts/test_docker` runs them, `make test` does not."""
