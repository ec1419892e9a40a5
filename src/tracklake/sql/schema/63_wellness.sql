-- Days, as athletes and their devices tell a service of them, and the service's model of their form.
create table if not exists wellness (
  athlete VARCHAR,
  source VARCHAR,
  date DATE,
  ctl DOUBLE,
  atl DOUBLE,
  ramp_rate DOUBLE,
  ctl_load DOUBLE,
  atl_load DOUBLE,
  weight_kg DOUBLE,
  resting_heartrate_bpm DOUBLE,
  average_sleeping_heartrate_bpm DOUBLE,
  hrv_ms DOUBLE,
  hrv_sdnn_ms DOUBLE,
  baevsky_stress_index DOUBLE,
  sleep_s DOUBLE,
  sleep_score DOUBLE,
  sleep_quality DOUBLE,
  soreness DOUBLE,
  fatigue DOUBLE,
  stress DOUBLE,
  mood DOUBLE,
  motivation DOUBLE,
  injury DOUBLE,
  hydration DOUBLE,
  readiness DOUBLE,
  spo2_percent DOUBLE,
  respiration_per_min DOUBLE,
  systolic_mmhg DOUBLE,
  diastolic_mmhg DOUBLE,
  blood_glucose_mmol_l DOUBLE,
  lactate_mmol_l DOUBLE,
  vo2max_ml_kg_min DOUBLE,
  body_fat_percent DOUBLE,
  abdomen_cm DOUBLE,
  steps DOUBLE,
  hydration_volume DOUBLE,
  energy_intake_kcal DOUBLE,
  carbohydrates_g DOUBLE,
  protein_g DOUBLE,
  fat_g DOUBLE,
  menstrual_phase VARCHAR,
  comments VARCHAR,
  is_locked BOOLEAN,
  updated_at TIMESTAMPTZ,
  ingested_at TIMESTAMPTZ,
  content_hash VARCHAR
);
comment on table wellness is 'One row a day: weight, resting heart rate, HRV, sleep, and form (CTL, ATL) as the service sees it. Numbers that nobody gave are NULL';
comment on column wellness.athlete is 'Whose';
comment on column wellness.source is 'intervals';
comment on column wellness.date is 'The athlete''s local day';
comment on column wellness.ctl is 'Fitness: chronic training load, as the service models it';
comment on column wellness.atl is 'Fatigue: acute training load, as the service models it';
comment on column wellness.ramp_rate is 'How much ctl rose in seven days';
comment on column wellness.ctl_load is 'Training load of the day that went into ctl';
comment on column wellness.atl_load is 'Training load of the day that went into atl';
comment on column wellness.weight_kg is 'kg';
comment on column wellness.resting_heartrate_bpm is 'Beats a minute';
comment on column wellness.average_sleeping_heartrate_bpm is 'Beats a minute';
comment on column wellness.hrv_ms is 'Heart rate variability, rMSSD, ms';
comment on column wellness.hrv_sdnn_ms is 'Heart rate variability, SDNN, ms';
comment on column wellness.baevsky_stress_index is 'Baevsky''s stress index';
comment on column wellness.sleep_s is 's';
comment on column wellness.sleep_score is 'As the device scores it, 0 to 100';
comment on column wellness.sleep_quality is 'As the athlete says: 1 great to 4 poor';
comment on column wellness.soreness is 'As the athlete says: 1 low to 4 extreme';
comment on column wellness.fatigue is 'As the athlete says: 1 low to 4 extreme';
comment on column wellness.stress is 'As the athlete says: 1 low to 4 extreme';
comment on column wellness.mood is 'As the athlete says: 1 great to 4 grumpy';
comment on column wellness.motivation is 'As the athlete says: 1 extreme to 4 low';
comment on column wellness.injury is 'As the athlete says: 1 none to 4 injured';
comment on column wellness.hydration is 'As the athlete says: 1 good to 4 bad';
comment on column wellness.readiness is 'As the device or the athlete scores it';
comment on column wellness.spo2_percent is 'Oxygen in the blood, percent';
comment on column wellness.respiration_per_min is 'Breaths a minute';
comment on column wellness.systolic_mmhg is 'Blood pressure, mmHg';
comment on column wellness.diastolic_mmhg is 'Blood pressure, mmHg';
comment on column wellness.blood_glucose_mmol_l is 'mmol/l';
comment on column wellness.lactate_mmol_l is 'mmol/l';
comment on column wellness.vo2max_ml_kg_min is 'ml/kg/min';
comment on column wellness.body_fat_percent is 'Percent';
comment on column wellness.abdomen_cm is 'Waist, as entered; the service keeps cm';
comment on column wellness.steps is 'Steps of the day';
comment on column wellness.hydration_volume is 'What was drunk, in the unit that the athlete entered it in';
comment on column wellness.energy_intake_kcal is 'kcal eaten';
comment on column wellness.carbohydrates_g is 'g eaten';
comment on column wellness.protein_g is 'g eaten';
comment on column wellness.fat_g is 'g eaten';
comment on column wellness.menstrual_phase is 'PERIOD, FOLLICULAR, OVULATING, LUTEAL, NONE';
comment on column wellness.comments is 'The athlete''s words';
comment on column wellness.is_locked is 'The athlete keeps devices from changing the day';
comment on column wellness.updated_at is 'When the service changed it last, UTC';
comment on column wellness.ingested_at is 'When it landed';
comment on column wellness.content_hash is 'SHA-256 of what was received';
