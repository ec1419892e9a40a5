"""What FIT's numbers mean: base types, messages and the fields that are read or written here.

Facts of the FIT protocol and its global profile (developer.garmin.com/fit), as far as an activity
needs them; what a file holds beyond these tables is stepped over.
"""

from typing import NamedTuple

EPOCH_S = 631_065_600  # 1989-12-31T00:00:00Z, FIT's second 0, in UNIX seconds
SYSTEM_TIME_LIMIT = 0x10000000  # a date_time below it counts from the device's start, not the epoch
DEGREES_PER_SEMICIRCLE = 180 / 2**31

TIMESTAMP = 253
MESSAGE_INDEX = 254


class BaseType(NamedTuple):
    """How a value is stored: its byte in a definition, its NumPy letters, the pattern for none.

    `kind` is "" for what is no number (strings).
    """

    code: int
    kind: str
    size: int
    invalid: int


BASE_TYPES = {
    base.code & 0x1F: base
    for base in (
        BaseType(0x00, "u1", 1, 0xFF),  # enum
        BaseType(0x01, "i1", 1, 0x7F),
        BaseType(0x02, "u1", 1, 0xFF),
        BaseType(0x83, "i2", 2, 0x7FFF),
        BaseType(0x84, "u2", 2, 0xFFFF),
        BaseType(0x85, "i4", 4, 0x7FFFFFFF),
        BaseType(0x86, "u4", 4, 0xFFFFFFFF),
        BaseType(0x07, "", 1, 0x00),  # string
        BaseType(0x88, "f4", 4, 0xFFFFFFFF),
        BaseType(0x89, "f8", 8, 0xFFFFFFFFFFFFFFFF),
        BaseType(0x0A, "u1", 1, 0x00),  # uint8z: zero means none
        BaseType(0x8B, "u2", 2, 0x0000),
        BaseType(0x8C, "u4", 4, 0x00000000),
        BaseType(0x0D, "u1", 1, 0xFF),  # byte
        BaseType(0x8E, "i8", 8, 0x7FFFFFFFFFFFFFFF),
        BaseType(0x8F, "u8", 8, 0xFFFFFFFFFFFFFFFF),
        BaseType(0x90, "u8", 8, 0x0000000000000000),
    )
}
STRING = 0x07
BYTE = 0x0D


class Field(NamedTuple):
    """A field of the profile: value = raw / scale - offset; `base` is the usual base type's code.

    `base` is the code as it stands in a definition (endian flag included).
    """

    number: int
    base: int
    scale: float = 1.0
    offset: float = 0.0


ENUM, UINT8, SINT8, UINT16, UINT32, SINT32 = 0x00, 0x02, 0x01, 0x84, 0x86, 0x85
UINT32Z = 0x8C

FILE_ID, SPORT, SESSION, LAP, RECORD, EVENT = 0, 12, 18, 19, 20, 21
DEVICE_INFO, ACTIVITY, LENGTH, FIELD_DESCRIPTION = 23, 34, 101, 206

RECORD_FIELDS = {
    "timestamp": Field(TIMESTAMP, UINT32),
    "position_lat": Field(0, SINT32),
    "position_long": Field(1, SINT32),
    "altitude": Field(2, UINT16, 5, 500),
    "heart_rate": Field(3, UINT8),
    "cadence": Field(4, UINT8),
    "distance": Field(5, UINT32, 100),
    "speed": Field(6, UINT16, 1000),
    "power": Field(7, UINT16),
    "compressed_speed_distance": Field(8, BYTE),
    "temperature": Field(13, SINT8),
    "enhanced_speed": Field(73, UINT32, 1000),
    "enhanced_altitude": Field(78, UINT32, 5, 500),
}

_SUMMARY_TIMES = {
    "timestamp": Field(TIMESTAMP, UINT32),
    "start_time": Field(2, UINT32),
    "total_elapsed_time": Field(7, UINT32, 1000),
    "total_timer_time": Field(8, UINT32, 1000),
    "total_distance": Field(9, UINT32, 100),
    "total_calories": Field(11, UINT16),
}

SESSION_FIELDS = {
    **_SUMMARY_TIMES,
    "message_index": Field(MESSAGE_INDEX, UINT16),
    "event": Field(0, ENUM),
    "event_type": Field(1, ENUM),
    "sport": Field(5, ENUM),
    "sub_sport": Field(6, ENUM),
    "avg_speed": Field(14, UINT16, 1000),
    "max_speed": Field(15, UINT16, 1000),
    "avg_heart_rate": Field(16, UINT8),
    "max_heart_rate": Field(17, UINT8),
    "avg_cadence": Field(18, UINT8),
    "avg_power": Field(20, UINT16),
    "max_power": Field(21, UINT16),
    "total_ascent": Field(22, UINT16),
    "first_lap_index": Field(25, UINT16),
    "num_laps": Field(26, UINT16),
    "trigger": Field(28, ENUM),
    "avg_temperature": Field(57, SINT8),
    "sport_profile_name": Field(110, STRING),
    "enhanced_avg_speed": Field(124, UINT32, 1000),
    "enhanced_max_speed": Field(125, UINT32, 1000),
}

LAP_FIELDS = {
    **_SUMMARY_TIMES,
    "message_index": Field(MESSAGE_INDEX, UINT16),
    "event": Field(0, ENUM),
    "event_type": Field(1, ENUM),
    "avg_speed": Field(13, UINT16, 1000),
    "max_speed": Field(14, UINT16, 1000),
    "avg_heart_rate": Field(15, UINT8),
    "max_heart_rate": Field(16, UINT8),
    "avg_cadence": Field(17, UINT8),
    "avg_power": Field(19, UINT16),
    "total_ascent": Field(21, UINT16),
    "lap_trigger": Field(24, ENUM),
    "sport": Field(25, ENUM),
    "enhanced_avg_speed": Field(110, UINT32, 1000),
    "enhanced_max_speed": Field(111, UINT32, 1000),
}

FILE_ID_FIELDS = {
    "type": Field(0, ENUM),
    "manufacturer": Field(1, UINT16),
    "product": Field(2, UINT16),
    "serial_number": Field(3, UINT32Z),
    "time_created": Field(4, UINT32),
    "product_name": Field(8, STRING),
}

DEVICE_INFO_FIELDS = {
    "timestamp": Field(TIMESTAMP, UINT32),
    "device_index": Field(0, UINT8),
    "manufacturer": Field(2, UINT16),
    "serial_number": Field(3, UINT32Z),
    "product": Field(4, UINT16),
    "product_name": Field(27, STRING),
}

EVENT_FIELDS = {
    "timestamp": Field(TIMESTAMP, UINT32),
    "event": Field(0, ENUM),
    "event_type": Field(1, ENUM),
}

ACTIVITY_FIELDS = {
    "timestamp": Field(TIMESTAMP, UINT32),
    "total_timer_time": Field(0, UINT32, 1000),
    "num_sessions": Field(1, UINT16),
    "type": Field(2, ENUM),
    "event": Field(3, ENUM),
    "event_type": Field(4, ENUM),
    "local_timestamp": Field(5, UINT32),
}

LENGTH_FIELDS = {
    "timestamp": Field(TIMESTAMP, UINT32),
    "start_time": Field(2, UINT32),
    "total_elapsed_time": Field(3, UINT32, 1000),
    "total_timer_time": Field(4, UINT32, 1000),
}

SPORT_FIELDS = {
    "sport": Field(0, ENUM),
    "sub_sport": Field(1, ENUM),
    "name": Field(3, STRING),
}

FIELD_DESCRIPTION_FIELDS = {
    "developer_data_index": Field(0, UINT8),
    "field_definition_number": Field(1, UINT8),
    "fit_base_type_id": Field(2, UINT8),
    "field_name": Field(3, STRING),
    "scale": Field(6, UINT8),
    "offset": Field(7, SINT8),
    "units": Field(8, STRING),
    "native_mesg_num": Field(14, UINT16),
    "native_field_num": Field(15, UINT8),
}

FIELDS = {
    FILE_ID: FILE_ID_FIELDS,
    SPORT: SPORT_FIELDS,
    SESSION: SESSION_FIELDS,
    LAP: LAP_FIELDS,
    RECORD: RECORD_FIELDS,
    EVENT: EVENT_FIELDS,
    DEVICE_INFO: DEVICE_INFO_FIELDS,
    ACTIVITY: ACTIVITY_FIELDS,
    LENGTH: LENGTH_FIELDS,
    FIELD_DESCRIPTION: FIELD_DESCRIPTION_FIELDS,
}
