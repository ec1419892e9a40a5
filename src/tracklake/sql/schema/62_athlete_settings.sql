-- Athletes' own thresholds, as the settings were at the last publication.
create table if not exists athlete_settings (
  athlete VARCHAR,
  max_heartrate_bpm DOUBLE,
  resting_heartrate_bpm DOUBLE,
  sex VARCHAR,
  ftp_w DOUBLE,
  heartrate_zones DOUBLE[],
  power_zones DOUBLE[]
);
comment on table athlete_settings is 'Athletes'' own thresholds, as the settings were at the last publication';
comment on column athlete_settings.athlete is 'Whose';
comment on column athlete_settings.max_heartrate_bpm is 'TRACKLAKE_MAX_HEARTRATE_BPM, beats a minute';
comment on column athlete_settings.resting_heartrate_bpm is 'TRACKLAKE_RESTING_HEARTRATE_BPM, beats a minute';
comment on column athlete_settings.sex is 'TRACKLAKE_SEX: m, f';
comment on column athlete_settings.ftp_w is 'TRACKLAKE_FTP_W, W';
comment on column athlete_settings.heartrate_zones is 'TRACKLAKE_HEARTRATE_ZONES: where the second and each later zone begins, beats a minute';
comment on column athlete_settings.power_zones is 'TRACKLAKE_POWER_ZONES: where the second and each later zone begins, W';
