"""Settings about athletes: one value for the usual athlete, or one for each by name."""

import re

import pytest

from tracklake import config
from tracklake.errors import ConfigError


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("190", {"": 190.0}),
        (" 187.5 ", {"": 187.5}),
        ("me=190; anna=182", {"me": 190.0, "anna": 182.0}),
        ("190; anna = 182;", {"": 190.0, "anna": 182.0}),
        ("", {}),
    ],
)
def test_a_value_belongs_to_the_usual_athlete_or_to_the_one_named(
    monkeypatch: pytest.MonkeyPatch, said: str, meant: dict[str, float]
) -> None:
    """What is set in the environment is read by athlete."""
    monkeypatch.setenv("TRACKLAKE_MAX_HEARTRATE_BPM", said)
    settings, _ = config.load()
    assert settings.max_heartrate_bpm == meant


def test_zones_are_bounds_that_rise(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each zone begins above the one before; several athletes have zones of their own."""
    monkeypatch.setenv("TRACKLAKE_HEARTRATE_ZONES", "120,140, 160; anna=115,135")
    monkeypatch.setenv("TRACKLAKE_SEX", "M; anna=female")
    settings, _ = config.load()
    assert settings.heartrate_zones == {"": (120, 140, 160), "anna": (115, 135)}
    assert settings.sex == {"": "m", "anna": "f"}


@pytest.mark.parametrize(
    ("name", "said", "mistake"),
    [
        ("TRACKLAKE_MAX_HEARTRATE_BPM", "fast", "'fast' is not a number"),
        ("TRACKLAKE_MAX_HEARTRATE_BPM", "19", "19 is not between 100 and 250"),
        ("TRACKLAKE_MAX_HEARTRATE_BPM", "nan", "nan is not between"),
        ("TRACKLAKE_RESTING_HEARTRATE_BPM", "me=50;me=60", "names an athlete twice"),
        ("TRACKLAKE_FTP_W", "me:250", "'me:250' is not a number"),
        ("TRACKLAKE_HEARTRATE_ZONES", "140,120", "must begin above"),
        ("TRACKLAKE_POWER_ZONES", "1,2,3,4,5,6,7,8,9,10", "more than 10 zones"),
        ("TRACKLAKE_SEX", "x", "'x' is neither m nor f"),
    ],
)
def test_a_mistake_is_named_with_its_setting(
    monkeypatch: pytest.MonkeyPatch, name: str, said: str, mistake: str
) -> None:
    """One line that begins with the setting and says what is wrong."""
    monkeypatch.setenv(name, said)
    with pytest.raises(ConfigError, match=f"{name}: .*{re.escape(mistake)}"):
        config.load()
