"""Strava's bulk export: columns in any language, dates, quirks of the table, gear."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracklake.clock import from_unix
from tracklake.intake import export_dates, strava_export
from tracklake.intake.strava_export import Export

# Headers as public copies of exports show them, cut after the columns that are read.
ENGLISH = (
    "Activity ID,Activity Date,Activity Name,Activity Type,Activity Description,Elapsed Time,"
    "Distance,Max Heart Rate,Relative Effort,Commute,Activity Private Note,Activity Gear,Filename,"
    "Athlete Weight,Bike Weight,Elapsed Time,Moving Time,Distance,Max Speed,Average Speed,"
    "Elevation Gain,Elevation Loss,Elevation Low,Elevation High,Max Grade,Average Grade,"
    "Average Positive Grade,Average Negative Grade,Max Cadence,Average Cadence,Max Heart Rate,"
    "Average Heart Rate,Max Watts,Average Watts,Calories,Max Temperature,Average Temperature,"
    "Relative Effort,Total Work,Number of Runs,Uphill Time,Downhill Time,Other Time,"
    "Perceived Exertion,Type,Start Time,Weighted Average Power,Power Count,"
    "Prefer Perceived Exertion,Perceived Relative Effort,Commute"
)
GERMAN = (
    "Aktivitäts-ID,Aktivitätsdatum,Name der Aktivität,Aktivitätsart,Aktivitätsbeschreibung,"
    "Verstrichene Zeit,Distanz,Max. Herzfrequenz,Relative Leistung,Pendeln,"
    "Hinweis zur Privatsphäre für Aktivitäten,Aktivitätsausrüstung,Dateiname,Sportlergewicht,"
    "Fahrradgewicht,Verstrichene Zeit,Bewegungszeit,Distanz,Höchstgeschw.,"
    "Durchschnittliche Geschwindigkeit,Höhenzunahme,Höhenunterschied,Min. Höhe,Max. Höhe,"
    "Max. Steigung,Durchschnittliche Steigung,Durchschnittliche positive Steigung,"
    "Durchschnittliche negative Steigung,Max. Tritt-/Schrittfrequenz,"
    "Durchschnittliche Trittfrequenz,Max. Herzfrequenz,Durchschnittliche Herzfrequenz,Max. Watt,"
    "Durchschnittliche Watt,Kalorien,Max. Temperatur,Durchschnittliche Temperatur"
)
FRENCH = (
    "ID de l'activité,Date de l'activité,Nom de l'activité,Type d'activité,"
    "Description de l'activité,Temps écoulé,Distance,Fréquence cardiaque max.,Effort relatif,"
    "Déplacement-transport,Note privée sur les activités,Matériel utilisé pour l'activité,"
    "Nom du fichier,Poids de l'athlète,Poids du vélo,Temps écoulé,Durée de déplacement,Distance,"
    "Vitesse max.,Vitesse moyenne,Dénivelé positif"
)
JULY_2019 = (
    "Activity ID,Activity Date,Activity Name,Activity Type,Activity Description,Elapsed Time,"
    "Distance,Commute,Activity Gear,Filename"
)
UNTIL_JUNE_2019 = "id,date,name,type,description,elapsed_time,distance,commute,gear,filename"


def table(header: str, *rows: list[str]) -> bytes:
    """Write a table as the export does."""
    memory = io.StringIO()
    csv.writer(memory, lineterminator="\n").writerows([next(csv.reader([header])), *rows])
    return memory.getvalue().encode()


def modern(header: str, date: str, sport: str, distance: str, **more: str) -> list[str]:
    """Make a row of the layout of 2021 and later."""
    fields = [""] * len(next(csv.reader([header])))
    fields[:7] = ["8228026758", date, "Feierabend", sport, "a\nb", "3189", distance]
    fields[9], fields[11], fields[12] = "true", "Patria", "activities/8228026758.gpx"
    fields[15:21] = ["3189.0", "2070.0", "9440.5", "9.1", "4.56", "31.2"]
    fields[12] = more.get("file", fields[12])
    return fields


def only(content: bytes, **others: bytes) -> Export:
    """Read the one export of a folder."""
    tables = {"x/activities.csv": content} | {f"x/{name}.csv": t for name, t in others.items()}
    (export,) = strava_export.exports(tables, "me")
    return export


@pytest.mark.parametrize(
    ("header", "date", "sport", "distance"),
    [
        (ENGLISH, "Dec 9, 2022, 3:24:49 PM", "Ride", "9.44"),
        (GERMAN, "09.12.2022, 15:24:49", "Radfahrt", "9,44"),
        (FRENCH, "9 déc. 2022, 15:24:49", "Vélo", "9,44"),
    ],
    ids=["english", "german", "french"],
)
def test_columns_are_found_in_every_language(
    header: str, date: str, sport: str, distance: str
) -> None:
    """The same row in three languages gives the same record, in SI units, with file and gear."""
    export = only(table(header, modern(header, date, sport, distance)))
    (row,) = export.rows
    assert row.file == "activities/8228026758.gpx"
    expected = {
        "source_id": "strava-export/8228026758",
        "strava_id": 8228026758,
        "name": "Feierabend",
        "description": "a\nb",
        "sport_type": "Ride",
        "commute": True,
        "manual": False,
        "start_s": 1670599489.0,
        "elapsed_time": 3189.0,
        "moving_time": 2070.0,
        "distance": 9440.5,
        "max_speed": 9.1,
        "average_speed": 4.56,
        "total_elevation_gain": 31.2,
        "gear_id": strava_export.gear_id("me", "Patria"),
    }
    assert {name: row.columns[name] for name in expected} == expected


def test_old_layouts() -> None:
    """Exports of 2018 give metres in the only distance; those of July 2019 don't say the unit."""
    old = ["1836776031", "2018-09-12 15:02:23", "Evening", "Ride", "", "783", "3681.0"]
    new = ["1836776031", "Sep 12, 2018, 3:02:23 PM", "Evening", "Ride", "", "783", "3.68"]
    rest = ["true", "Merida", "activities/1836776031.gpx"]
    (first,) = only(table(UNTIL_JUNE_2019, [*old, *rest])).rows
    (second,) = only(table(JULY_2019, [*new, *rest])).rows
    assert first.columns["distance"] == 3681.0
    assert "distance" not in second.columns
    for row in (first, second):
        assert row.columns["start_s"] == 1536764543.0
        assert (row.columns["elapsed_time"], row.columns["commute"]) == (783.0, True)


def test_a_manual_entry_has_no_file() -> None:
    """A row without a file is a manual activity, and keeps a sport even in an unknown language."""
    row = modern(ENGLISH, "Dec 9, 2022, 3:24:49 PM", "Quidditch", "9.44", file="")
    linked = modern(ENGLISH, "Dec 9, 2022, 3:24:49 PM", "Quidditch", "9.44")
    export = only(table(ENGLISH, row, linked))
    assert export.rows[0].columns["manual"] is True
    assert [one.columns["sport_type"] for one in export.rows] == ["Workout", None]


def test_a_bad_row_costs_only_itself() -> None:
    """Too few columns, a broken id, an unreadable date: set aside by line, the rest is read."""
    good = modern(ENGLISH, "Dec 9, 2022, 3:24:49 PM", "Ride", "9.44")
    short, nameless, timeless = good[:8], ["x", *good[1:]], [good[0], "someday", *good[2:]]
    export = only(b"\xef\xbb\xbf" + table(ENGLISH, good, short, nameless, timeless, [], good))
    assert len(export.rows) == 2
    assert [name for name, _ in export.refused] == [
        "x/activities.csv line 4",
        "x/activities.csv line 6",
        "x/activities.csv line 8",
    ]


def test_gear_is_told_once_with_what_is_known_of_it() -> None:
    """Gear comes from bikes.csv, shoes.csv and the activities; the tables say more."""
    good = modern(ENGLISH, "Dec 9, 2022, 3:24:49 PM", "Ride", "9.44")
    export = only(
        table(ENGLISH, good),
        bikes=b"Bike Name,Bike Brand,Bike Model,Bike Default Sport Types\npatria,Patria,Terra,\n",
        shoes=b"Shoe Name,Shoe Brand,Shoe Model,Shoe Default Sport Types\n,Altra,Lone Peak,Run\n",
    )
    told = {(row["name"], row["kind"], row["brand"], row["model"]) for row in export.gear}
    assert told == {
        ("patria", "bike", "Patria", "Terra"),
        ("Altra Lone Peak", "shoes", "Altra", "Lone Peak"),
    }


def test_other_tables_of_that_name_are_left_alone() -> None:
    """Garmin's Activities.csv is not an export of Strava's."""
    content = b"Activity Type,Date,Favorite,Title,Distance,Calories\nRunning,2024-01-01,false,a,1,2"
    assert strava_export.exports({"Activities.csv": content}, "me") == []


@given(st.binary(max_size=400), st.booleans())
def test_any_bytes_are_a_table_or_none(content: bytes, as_rows: bool) -> None:
    """No content of a table, whole or below a real header, makes the reader fail."""
    whole = ENGLISH.encode() + b'\n1,"Dec 9, 2022, 3:24:49 PM"' + content if as_rows else content
    tables = {"activities.csv": whole, "bikes.csv": content}
    for export in strava_export.exports(tables, "me"):
        assert export.prefix == ""


@pytest.mark.parametrize(
    "text",
    [
        "Dec 9, 2022, 3:24:49 PM",
        "Dec 9, 2022, 3:24:49\u202fPM",
        "9 Dec 2022, 15:24:49",
        "9 Dec 2022 at 15:24:49",
        "09.12.2022, 15:24:49",
        "9. Dez. 2022, 15:24:49",
        "9 déc. 2022, 15:24:49",
        "9 déc. 2022 à 15:24:49",
        "9 dic 2022, 15:24:49",
        "9 dic 2022 3:24:49 p. m.",
        "9 dec. 2022 15:24:49",
        "9. dec. 2022 15.24.49",
        "9 de dez. de 2022, 15:24:49",
        "9/12/2022, 15:24:49",
        "12/13/2022, 15:24:49",
        "9 gru 2022, 15:24:49",
        "9 дек. 2022 г., 15:24:49",
        "9. 12. 2022 15:24:49",
        "9 Ara 2022 15:24:49",
        "9.12.2022 klo 15.24.49",
        "2022/12/09 15:24:49",
        "2022年12月9日 15:24:49",
        "2022年12月9日 下午3:24:49",
        "2022. 12. 9. 오후 3:24:49",
        "9 Des 2022 15.24.49",
        "2022-12-09 15:24:49",
    ],
)
def test_dates_in_many_languages(text: str) -> None:
    """Every form is the same moment (one of them four days later), in UTC."""
    expected = 1670599489.0 + (4 * 86400 if "13" in text else 0)
    assert export_dates.unix_seconds(text) == expected


@pytest.mark.parametrize(
    ("text", "month"),
    [
        ("1 cervna 2022 1:00:00", 6),
        ("1 července 2022 1:00:00", 7),
        ("1 juin 2022 1:00:00", 6),
        ("1 juil. 2022 1:00:00", 7),
        ("1 marraskuuta 2022 1:00:00", 11),
        ("1 mai 2022 1:00:00", 5),
    ],
)
def test_months_that_begin_alike(text: str, month: int) -> None:
    """The longest beginning that fits tells the month."""
    seconds = export_dates.unix_seconds(text)
    assert seconds is not None
    assert from_unix(seconds).month == month


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2022-12-09", "32.12.2022 10:00", "9 9 9 9 10:00:00", "1.1.22 25:00"]
)
def test_what_is_no_date(text: str) -> None:
    """Anything else is None, not a guess."""
    assert export_dates.unix_seconds(text) is None


@given(st.text(max_size=60))
def test_any_text_is_a_date_or_none(text: str) -> None:
    """No text makes the reader fail."""
    seconds = export_dates.unix_seconds(text)
    assert seconds is None or abs(seconds) < 1e12


def test_midnight_and_noon() -> None:
    """12 AM is midnight, 12 PM is noon."""
    midnight = export_dates.unix_seconds("Dec 9, 2022, 12:00:00 AM")
    noon = export_dates.unix_seconds("Dec 9, 2022, 12:00:00 PM")
    assert (midnight, noon) == (1670544000.0, 1670587200.0)
