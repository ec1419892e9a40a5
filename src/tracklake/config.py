"""Settings: from the environment, `.env` and files in the secrets folder; read nowhere else."""

import os
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict, SettingsError

from tracklake import redaction, secret_files, thresholds
from tracklake import setting_values as values
from tracklake.errors import ConfigError

SOURCES = ("files", "garmin", "intervals", "strava", "smashrun")

_PERSONAL = (
    *("strava_refresh_token", "intervals_api_key", "intervals_athlete_id"),
    *("smashrun_access_token", "smashrun_refresh_token", "garmin_personal_api_key"),
)
_SECRETS_OF_OTHERS = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")  # which obstore reads
_A_SECRET = "a file in the secrets folder"  # noqa: S105 that is none


def _sources(value: str | tuple[str, ...]) -> tuple[str, ...]:
    names = value if isinstance(value, tuple) else tuple(value.replace(",", " ").split())
    unknown = [name for name in names if name not in SOURCES]
    if unknown:
        raise ValueError(f"no such source: {', '.join(unknown)}; there are: {', '.join(SOURCES)}")
    return names


def _days(value: str | dict[str, int]) -> dict[str, int]:
    return values.days(value, SOURCES)


Sources = Annotated[str | tuple[str, ...], NoDecode, AfterValidator(_sources)]
Url = Annotated[str, AfterValidator(values.url)]
Secret = SecretStr | None


class Settings(BaseSettings):
    """Everything that can be set; `.env.example` explains each (a test holds the two together)."""

    model_config = SettingsConfigDict(
        env_file=".env",
        env_ignore_empty=True,
        populate_by_name=True,
        extra="ignore",
        validate_default=True,
        frozen=True,
    )

    data_dir: Path = Field(Path("data"), validation_alias="TRACKLAKE_DATA_DIR")
    secrets_dir: Path = Field(Path("secrets"), validation_alias="TRACKLAKE_SECRETS_DIR")
    logs_dir: Path = Field(Path("logs"), validation_alias="TRACKLAKE_LOGS_DIR")
    inbox: Path | None = Field(None, validation_alias="TRACKLAKE_INBOX")
    athlete: Annotated[str, AfterValidator(values.athlete)] = Field(
        "me", validation_alias="TRACKLAKE_ATHLETE"
    )
    sources: Sources = Field((), validation_alias="TRACKLAKE_SOURCES")
    basemap: str | None = Field(None, validation_alias="TRACKLAKE_BASEMAP")
    strava_client_id: str | None = Field(None, validation_alias="STRAVA_CLIENT_ID")
    strava_client_secret: Secret = Field(None, validation_alias="STRAVA_CLIENT_SECRET")
    strava_refresh_token: Secret = Field(None, validation_alias="STRAVA_REFRESH_TOKEN")
    strava_redirect_uri: str = Field(
        "http://localhost:8721/callback", validation_alias="STRAVA_REDIRECT_URI"
    )
    redirect_bind: str = Field("127.0.0.1", validation_alias="TRACKLAKE_REDIRECT_BIND")
    strava_api_url: Url = Field("https://www.strava.com/api/v3", validation_alias="STRAVA_API_URL")
    strava_reconcile_days: Annotated[float, Field(gt=0)] = Field(
        7.0, validation_alias="STRAVA_RECONCILE_DAYS"
    )
    strava_oauth_url: Url = Field(
        "https://www.strava.com/oauth", validation_alias="STRAVA_OAUTH_URL"
    )
    intervals_api_key: Secret = Field(None, validation_alias="INTERVALS_API_KEY")
    intervals_athlete_id: str = Field("0", validation_alias="INTERVALS_ATHLETE_ID")
    intervals_api_url: Url = Field(
        "https://intervals.icu/api/v1", validation_alias="INTERVALS_API_URL"
    )
    smashrun_access_token: Secret = Field(None, validation_alias="SMASHRUN_ACCESS_TOKEN")
    smashrun_client_id: str | None = Field(None, validation_alias="SMASHRUN_CLIENT_ID")
    smashrun_client_secret: Secret = Field(None, validation_alias="SMASHRUN_CLIENT_SECRET")
    smashrun_refresh_token: Secret = Field(None, validation_alias="SMASHRUN_REFRESH_TOKEN")
    smashrun_api_url: Url = Field(
        "https://api.smashrun.com/v1", validation_alias="SMASHRUN_API_URL"
    )
    smashrun_oauth_url: Url = Field(
        "https://secure.smashrun.com/oauth2", validation_alias="SMASHRUN_OAUTH_URL"
    )
    garmin_personal_api_key: Secret = Field(None, validation_alias="GARMIN_PERSONAL_API_KEY")
    garmin_personal_api_base_url: Url = Field(
        "https://personal.connectapi.garmin.com", validation_alias="GARMIN_PERSONAL_API_BASE_URL"
    )
    keep_days: Annotated[dict[str, int], NoDecode, BeforeValidator(_days)] = Field(
        {}, validation_alias="TRACKLAKE_KEEP_DAYS"
    )
    kept_apart: Sources = Field((), validation_alias="TRACKLAKE_KEPT_APART")
    not_exported: Sources = Field((), validation_alias="TRACKLAKE_NOT_EXPORTED")
    weather: bool = Field(True, validation_alias="TRACKLAKE_WEATHER")
    open_meteo_archive_url: Url = Field(
        "https://archive-api.open-meteo.com/v1/archive", validation_alias="OPEN_METEO_ARCHIVE_URL"
    )
    open_meteo_forecast_url: Url = Field(
        "https://api.open-meteo.com/v1/forecast", validation_alias="OPEN_METEO_FORECAST_URL"
    )
    open_meteo_historical_forecast_url: Url = Field(
        "https://historical-forecast-api.open-meteo.com/v1/forecast",
        validation_alias="OPEN_METEO_HISTORICAL_FORECAST_URL",
    )
    nominatim_url: Url | None = Field(None, validation_alias="NOMINATIM_URL")
    tz: Annotated[str, AfterValidator(values.zone)] = Field("Europe/London", validation_alias="TZ")
    cron_dir: Path = Field(Path("cron"), validation_alias="TRACKLAKE_CRON_DIR")
    catch_up_hours: Annotated[float, Field(ge=0, le=24 * 31)] = Field(
        20.0, validation_alias="TRACKLAKE_CATCH_UP_HOURS"
    )
    heartbeat_url: Annotated[SecretStr, AfterValidator(values.secret_url)] | None = Field(
        None, validation_alias="TRACKLAKE_HEARTBEAT_URL"
    )
    notify_urls: Annotated[SecretStr, AfterValidator(values.secret_urls)] | None = Field(
        None, validation_alias="TRACKLAKE_NOTIFY_URLS"
    )
    api_bind: Annotated[str, AfterValidator(values.bind)] = Field(
        "127.0.0.1:8080", validation_alias="TRACKLAKE_API_BIND"
    )
    backup_url: str | None = Field(None, validation_alias="TRACKLAKE_BACKUP_URL")
    upload: bool = Field(False, validation_alias="TRACKLAKE_UPLOAD")
    privacy_zones: str | None = Field(None, validation_alias="TRACKLAKE_PRIVACY_ZONES")
    privacy_cut_m: Annotated[float, Field(ge=0, le=100_000, allow_inf_nan=False)] = Field(
        0.0, validation_alias="TRACKLAKE_PRIVACY_CUT_M"
    )
    max_heartrate_bpm: Annotated[
        dict[str, float], NoDecode, BeforeValidator(thresholds.numbers(100, 250))
    ] = Field({}, validation_alias="TRACKLAKE_MAX_HEARTRATE_BPM")
    resting_heartrate_bpm: Annotated[
        dict[str, float], NoDecode, BeforeValidator(thresholds.numbers(25, 100))
    ] = Field({}, validation_alias="TRACKLAKE_RESTING_HEARTRATE_BPM")
    sex: Annotated[dict[str, str], NoDecode, BeforeValidator(thresholds.sexes)] = Field(
        {}, validation_alias="TRACKLAKE_SEX"
    )
    ftp_w: Annotated[dict[str, float], NoDecode, BeforeValidator(thresholds.numbers(30, 700))] = (
        Field({}, validation_alias="TRACKLAKE_FTP_W")
    )
    heartrate_zones: Annotated[
        dict[str, tuple[float, ...]], NoDecode, BeforeValidator(thresholds.zones(40, 250))
    ] = Field({}, validation_alias="TRACKLAKE_HEARTRATE_ZONES")
    power_zones: Annotated[
        dict[str, tuple[float, ...]], NoDecode, BeforeValidator(thresholds.zones(1, 3000))
    ] = Field({}, validation_alias="TRACKLAKE_POWER_ZONES")


class Folders(BaseModel, frozen=True):
    """Where things lie under the data folder."""

    data: Path
    secrets: Path
    logs: Path
    inbox: Path
    default_athlete: str = "me"  # whose secrets lie in the secrets folder itself
    athlete: str | None = None  # whose tiles these are; None: the default athlete's

    @property
    def bronze(self) -> Path:
        """As received, immutable."""
        return self.data / "bronze"

    @property
    def streams(self) -> Path:
        """One row a point, Parquet."""
        return self.data / "streams"

    @property
    def tracks(self) -> Path:
        """Simplified geometry, Parquet."""
        return self.data / "tracks"

    @property
    def state(self) -> Path:
        """Locks, the state database, the writer's own warehouse file."""
        return self.data / "state"

    @property
    def warehouse(self) -> Path:
        """The published snapshot (a file)."""
        return self.data / "warehouse" / "tracklake.duckdb"

    @property
    def tiles(self) -> Path:
        """GeoJSON, PMTiles and their manifest; another athlete's have a folder of their own."""
        if self.athlete in (None, self.default_athlete):
            return self.data / "tiles"
        return self.data / "tiles" / f"athlete={self.athlete}"

    @property
    def public_tiles(self) -> Path:
        """The same, without what privacy hides; made where privacy is set."""
        return self.tiles / "public"


def load(**overrides: object) -> tuple[Settings, Folders]:
    """Read the settings; raise ConfigError with one line for each mistake."""
    given = {name: value for name, value in overrides.items() if value is not None}
    lasting = {name: value for name, value in given.items() if name != "athlete"}
    try:
        settings = usual = Settings(**lasting)  # type: ignore[arg-type] # pydantic checks them
        if usual.secrets_dir.is_dir():  # a file named like a setting holds its value
            secret_files.refuse_open(usual.secrets_dir)
            lasting["_secrets_dir"] = usual.secrets_dir
            settings = usual = Settings(**lasting)  # type: ignore[arg-type]
        if "athlete" in given:
            own = {"athlete": given["athlete"]} | lasting
            settings = Settings(**own)  # type: ignore[arg-type]
            if settings.athlete != usual.athlete:
                settings = Settings(**_personal(settings), **own)  # type: ignore[arg-type]
    except ValidationError as error:
        raise ConfigError("; ".join(_mistakes(error).values())) from None
    except SettingsError as error:
        raise ConfigError(_unreadable(_A_SECRET, error)) from None
    except UnicodeDecodeError as error:
        raise ConfigError(_unreadable(".env", error)) from None
    redaction.learn_settings(vars(settings))
    redaction.learn(*map(os.environ.get, _SECRETS_OF_OTHERS))  # noqa: TID251 the one place
    return settings, _folders(settings, usual.athlete)


def _personal(settings: Settings) -> dict[str, object]:
    """Return what only one athlete has: of another than the usual one from files in their folder.

    What is set elsewhere is the usual athlete's, and starts nobody else's login.
    """
    folder = settings.secrets_dir / settings.athlete
    found = {path.name.upper(): path for path in folder.glob("*") if path.is_file()}
    own = {}
    for name in _PERSONAL:
        field = Settings.model_fields[name]
        path = found.get(str(field.validation_alias))
        own[name] = path.read_text("utf-8").strip() if path else field.default
    return own


def load_what_is_right() -> tuple[Settings, Folders, list[str]]:
    """Read the settings, with the default in place of each that is wrong; say what is wrong.

    For whoever looks for mistakes; anybody else has to stop at the first (`load`).
    """
    given: dict[str, Any] = {}
    said: list[str] = []
    while True:
        try:
            settings = Settings(**given)
            redaction.learn_settings(vars(settings))
            if "_secrets_dir" in given or not settings.secrets_dir.is_dir():
                return settings, _folders(settings, settings.athlete), said
            given["_secrets_dir"] = settings.secrets_dir
        except ValidationError as error:
            mistakes = _mistakes(error)
            said += mistakes.values()
            given |= {name: Settings.model_fields[name].default for name in mistakes}
        except SettingsError as error:
            said.append(_unreadable(_A_SECRET, error))
            given["_secrets_dir"] = None
        except (UnicodeDecodeError, OSError) as error:
            said.append(_unreadable(".env", error))
            given["_env_file"] = None


def _unreadable(name: str, error: Exception) -> str:
    cause = error.__cause__ or error
    if isinstance(cause, OSError):
        return f"{cause.filename or name} cannot be read: {cause.strerror}"
    return f"{name} is no plain text: save it as UTF-8"


def _mistakes(error: ValidationError) -> dict[str, str]:
    """Return what is wrong, by the name of the field; each sentence begins with the setting."""
    fields = {str(field.validation_alias): name for name, field in Settings.model_fields.items()}
    return {
        fields.get(name, name): f"{name}: {mistake['msg'].removeprefix('Value error, ')}"
        for mistake in error.errors()
        for name in [".".join(str(part) for part in mistake["loc"])]
    }


def _folders(settings: Settings, default_athlete: str) -> Folders:
    inbox = settings.inbox or settings.data_dir / "inbox"
    if settings.athlete != default_athlete:  # what lies in the inbox itself is nobody else's
        inbox = inbox / f"athlete={settings.athlete}"
    return Folders(
        data=settings.data_dir,
        secrets=settings.secrets_dir,
        logs=settings.logs_dir,
        inbox=inbox,
        default_athlete=default_athlete,
        athlete=settings.athlete,
    )


def cores() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
