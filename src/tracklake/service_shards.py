"""Columns of what services say beyond activities: entities of their own (see shards.py)."""

import pyarrow as pa


def _numbers(names: str) -> list[pa.Field]:
    return [pa.field(name, pa.float64()) for name in names.split()]


def _texts(names: str) -> list[pa.Field]:
    return [pa.field(name, pa.string()) for name in names.split()]


# A day, as the athlete, their devices and the service's model say it; source_id = the date.
WELLNESS = [
    pa.field("date", pa.date32(), nullable=False),
    *_numbers("ctl atl ramp_rate ctl_load atl_load"),
    *_numbers("weight_kg resting_heartrate_bpm average_sleeping_heartrate_bpm"),
    *_numbers("hrv_ms hrv_sdnn_ms baevsky_stress_index"),
    *_numbers("sleep_s sleep_score sleep_quality"),
    *_numbers("soreness fatigue stress mood motivation injury hydration readiness"),
    *_numbers("spo2_percent respiration_per_min systolic_mmhg diastolic_mmhg"),
    *_numbers("blood_glucose_mmol_l lactate_mmol_l vo2max_ml_kg_min body_fat_percent abdomen_cm"),
    *_numbers("steps hydration_volume energy_intake_kcal carbohydrates_g protein_g fat_g"),
    *_texts("menstrual_phase comments"),
    pa.field("is_locked", pa.bool_()),
    pa.field("updated_at", pa.timestamp("us", tz="UTC")),
]

_INTERVAL = [
    pa.field("interval_index", pa.int32()),
    *_texts("kind label group_id"),
    *_numbers("start_offset_s end_offset_s elapsed_time moving_time distance"),
    *_numbers("average_speed max_speed average_heartrate max_heartrate average_cadence"),
    *_numbers("average_watts max_watts weighted_average_watts total_elevation_gain"),
    *_numbers("intensity_percent decoupling_percent training_load"),
    pa.field("zone_index", pa.int32()),
    pa.field("start_index", pa.int32()),
    pa.field("end_index", pa.int32()),
]

# The parts of an activity that the service or the athlete marked, beside those of the file.
INTERVALS = [pa.field("intervals", pa.list_(pa.struct(_INTERVAL)))]

# What SmashRun counts over all runs of an athlete.
STATS = [
    *_numbers("run_count total_distance_m average_speed longest_run_m average_run_m"),
    *_numbers("longest_streak_days longest_break_days average_days_run_a_week"),
    *_numbers("days_run_am days_run_pm days_run_both"),
    *_texts("longest_run_on longest_streak_on longest_break_on"),
    *_texts("most_often_run_on_day least_often_run_on_day"),
]
