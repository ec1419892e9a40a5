"""What the doctor says of one thing."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at; `advice` says what to do, and is empty where nothing is to be done."""

    subject: str
    is_well: bool
    said: str
    advice: str = ""
