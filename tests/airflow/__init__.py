"""Tests of dags/ with a real Airflow; `scripts/test_airflow` runs them."""
