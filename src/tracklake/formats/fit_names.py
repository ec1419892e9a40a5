"""Names for FIT's numbers: sports, makers, products, file types; a number no table knows is text.

Own selection of public facts (developer.garmin.com/fit), written as "number name" pairs.
"""

from tracklake.formats.fit_products import GARMIN_PRODUCTS, numbered

FILE_TYPES = numbered(
    "1 device 2 settings 3 sport 4 activity 5 workout 6 course 7 schedules 9 weight 10 totals "
    "11 goals 14 blood_pressure 15 monitoring_a 20 activity_summary 28 monitoring_daily "
    "32 monitoring_b 34 segment 35 segment_list 40 exd_configuration"
)

SPORTS = numbered(
    "0 generic 1 running 2 cycling 3 transition 4 fitness_equipment 5 swimming 6 basketball "
    "7 soccer 8 tennis 9 american_football 10 training 11 walking 12 cross_country_skiing "
    "13 alpine_skiing 14 snowboarding 15 rowing 16 mountaineering 17 hiking 18 multisport "
    "19 paddling 20 flying 21 e_biking 22 motorcycling 23 boating 24 driving 25 golf "
    "26 hang_gliding 27 horseback_riding 28 hunting 29 fishing 30 inline_skating 31 rock_climbing "
    "32 sailing 33 ice_skating 34 sky_diving 35 snowshoeing 36 snowmobiling "
    "37 stand_up_paddleboarding 38 surfing 39 wakeboarding 40 water_skiing 41 kayaking 42 rafting "
    "43 windsurfing 44 kitesurfing 45 tactical 46 jumpmaster 47 boxing 48 floor_climbing "
    "49 baseball 53 diving 56 shooting 58 winter_sport 59 grinding 62 hiit 63 video_gaming "
    "64 racket 65 wheelchair_push_walk 66 wheelchair_push_run 67 meditation 68 para_sport "
    "69 disc_golf 70 team_sport 71 cricket 72 rugby 73 hockey 74 lacrosse 75 volleyball "
    "76 water_tubing 77 wakesurfing 78 water_sport 79 archery 80 mixed_martial_arts "
    "81 motor_sports 82 snorkeling 83 dance 84 jump_rope 85 pool_apnea 86 mobility 87 geocaching "
    "88 canoeing 254 all"
)

SUB_SPORTS = numbered(
    "0 generic 1 treadmill 2 street 3 trail 4 track 5 spin 6 indoor_cycling 7 road 8 mountain "
    "9 downhill 10 recumbent 11 cyclocross 12 hand_cycling 13 track_cycling 14 indoor_rowing "
    "15 elliptical 16 stair_climbing 17 lap_swimming 18 open_water 19 flexibility_training "
    "20 strength_training 21 warm_up 22 match 23 exercise 24 challenge 25 indoor_skiing "
    "26 cardio_training 27 indoor_walking 28 e_bike_fitness 29 bmx 30 casual_walking "
    "31 speed_walking 32 bike_to_run_transition 33 run_to_bike_transition "
    "34 swim_to_bike_transition 35 atv 36 motocross 37 backcountry 38 resort 39 rc_drone "
    "40 wingsuit 41 whitewater 42 skate_skiing 43 yoga 44 pilates 45 indoor_running "
    "46 gravel_cycling 47 e_bike_mountain 48 commuting 49 mixed_surface 50 navigate 51 track_me "
    "52 map 53 single_gas_diving 54 multi_gas_diving 55 gauge_diving 56 apnea_diving "
    "57 apnea_hunting 58 virtual_activity 59 obstacle 62 breathing 63 ccr_diving 65 sail_race "
    "66 expedition 67 ultra 68 indoor_climbing 69 bouldering 70 hiit 71 indoor_grinding "
    "72 hunting_with_dogs 73 amrap 74 emom 75 tabata 77 esport 78 triathlon 79 duathlon 80 brick "
    "81 swim_run 82 adventure_race 83 trucker_workout 84 pickleball 85 padel "
    "86 indoor_wheelchair_walk 87 indoor_wheelchair_run 88 indoor_hand_cycling 90 field 91 ice "
    "92 ultimate 93 platform 94 squash 95 badminton 96 racquetball 97 table_tennis 98 overland "
    "99 trolling_motor 110 fly_canopy 111 fly_paraglide 112 fly_paramotor 113 fly_pressurized "
    "114 fly_navigate 115 fly_timer 116 fly_altimeter 117 fly_wx 118 fly_vfr 119 fly_ifr "
    "121 dynamic_apnea 123 enduro 124 rucking 125 rally 126 pool_triathlon 127 e_bike_enduro "
    "254 all"
)

LAP_TRIGGERS = numbered(
    "0 manual 1 time 2 distance 3 position_start 4 position_lap 5 position_waypoint "
    "6 position_marked 7 session_end 8 fitness_equipment"
)

MANUFACTURERS = numbered(
    "1 garmin 2 garmin_fr405_antfs 3 zephyr 6 srm 7 quarq 8 ibike 9 saris 13 dynastream_oem "
    "14 nautilus 15 dynastream 16 timex 19 beurer 23 suunto 28 peaksware 32 wahoo_fitness "
    "37 magellan 38 osynce 40 concept2 41 shimano 45 xplova 48 pioneer 51 4iiiis 59 mio "
    "60 rotor 61 geonaute 63 specialized 66 north_pole_engineering 67 bkool 68 cateye "
    "69 stages_cycling 70 sigmasport 71 tomtom 72 peripedal 73 wattbike 76 moxy 77 ciclosport "
    "81 bontrager 83 scosche 84 magura 85 woodway 86 elite 89 tacx 95 stryd 96 icg 99 look "
    "100 campagnolo_srl 107 magene 108 giant_manufacturing_co 111 technogym 112 bryton_sensors "
    "115 igpsport 116 thinkrider 118 waterrower 120 inpeak 121 kinetic 122 johnson_health_tech "
    "123 polar_electro 127 leomo 128 ifit_com 129 coros_byte 132 cycplus 135 coospo 137 bosch "
    "140 decathlon_byte 143 keiser_fitness 144 zwift_byte 147 meilan_byte 148 ezon 150 myzone "
    "152 bafang 255 development 258 lezyne 260 zwift 261 watteam 262 recon "
    "263 favero_electronics 265 strava 266 precor 267 bryton 268 sram 269 navman 270 cobi "
    "272 mio_magellan 279 cycliq 281 trainer_road 282 the_sufferfest 284 virtualtraining 286 omata "
    "289 hammerhead 290 kinetic_by_kurt 294 coros 298 trailforks 299 mahle_ebikemotion 300 nurvv "
    "303 greenteg 304 yamaha_motors 305 whoop 307 onelap 308 monark_exercise 309 form "
    "310 decathlon 313 cannondale 314 true_fitness 315 rgt_cycling 318 fazua 326 nike "
    "327 magicshine 330 eo_swimbetter 331 mywhoosh 337 runna 339 zepp 340 peloton 341 carv "
    "342 tissot 348 huawei 349 gotoes 351 una_watch"
)

_GARMIN_LIKE = frozenset({"garmin", "dynastream", "dynastream_oem"})
_ABBREVIATIONS = frozenset({"hr", "lte", "mtb"})
_SPELLED_OUT = {"fr": "Forerunner ", "fenix": "fenix ", "edge": "Edge ", "venusq": "Venu Sq"}


def manufacturer_name(number: int | None) -> str | None:
    """Return a maker's name, its number as text where no name is known, None for none."""
    return None if number is None else MANUFACTURERS.get(number, str(number))


def product_name(manufacturer: str | None, number: int | None) -> str | None:
    """Return a product's name where its maker's numbers are known here, else the number as text."""
    if number is None:
        return None
    if manufacturer in _GARMIN_LIKE:
        return GARMIN_PRODUCTS.get(number, str(number))
    return str(number)


def spoken_name(manufacturer: str | None, product: str | None) -> str | None:
    """Say a device as a person would: ("garmin", "fr965") -> "Garmin Forerunner 965"."""
    if manufacturer is None or manufacturer.isdigit():
        return None
    maker = manufacturer.replace("_", " ").title()
    if product is None or product.isdigit():
        return maker
    for short, long in _SPELLED_OUT.items():
        rest = product.removeprefix(short)
        if rest != product and rest[:1] in "_0123456789":
            return f"{maker} {long}{_spaced(rest)}".strip()
    return f"{maker} {_spaced(product)}"


def _spaced(words: str) -> str:
    return " ".join(
        word.upper() if word[0].isdigit() or word in _ABBREVIATIONS else word.capitalize()
        for word in words.split("_")
        if word
    )


def number_of(table: dict[int, str], name: str | None) -> int | None:
    """Return the number of a name (or of a number written as text), None if there is none."""
    if name is None:
        return None
    if name.isdecimal() and len(name) <= 5:
        return int(name)
    return next((number for number, known in table.items() if known == name), None)
