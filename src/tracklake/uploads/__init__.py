"""Files on to Strava: those of activities that Strava lacks, each once (docs/upload.md)."""
