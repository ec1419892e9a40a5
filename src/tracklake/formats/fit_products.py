"""Numbers of Garmin's devices that record activities (FIT profile, `garmin_product`)."""


def numbered(pairs: str) -> dict[int, str]:
    """Read "1 one 2 two" as a table."""
    words = pairs.split()
    return dict(zip(map(int, words[::2]), words[1::2], strict=True))


GARMIN_PRODUCTS = numbered(
    "717 fr405 782 fr50 988 fr60 1018 fr310xt 1036 edge500 1124 fr110 1169 edge800 "
    "1199 edge500_taiwan 1213 edge500_japan 1325 edge200 1328 fr910xt 1345 fr610 1360 fr210_japan "
    "1446 fr310xt_4t 1482 fr10 1499 swim 1537 fr910xt_china 1551 fenix 1561 edge510 1567 edge810 "
    "1623 fr620 1632 fr220 1736 edge_touring 1743 hrm_tri 1752 hrm_run 1765 fr920xt "
    "1821 edge510_asia 1836 edge1000 1837 vivo_fit 1903 fr15 1907 vivo_active 1967 fenix2 "
    "1988 epix 2050 fenix3 2067 edge520 2130 fr920xt_taiwan 2131 fr920xt_china 2132 fr920xt_japan "
    "2140 etrex_touch 2147 edge25 2148 fr25 2153 fr225 2156 fr630 2157 fr230 2158 fr735xt "
    "2204 edge_explore_1000 2238 edge20 2260 edge520_asia 2327 hrm4_run 2337 vivo_active_hr "
    "2347 vivo_smart_gps_hr 2348 vivo_smart_hr 2396 fr235_asia 2406 vivo_fit3 2413 fenix3_hr "
    "2431 fr235 2432 fenix3_chronos 2441 oregon7xx 2503 fr35 2530 edge_820 2531 edge_explore_820 "
    "2544 fenix5s 2604 fenix5x 2622 vivo_smart3 2623 vivo_sport 2691 fr935 2697 fenix5 "
    "2700 vivoactive3 2713 edge_1030 2769 foretrex_601_701 2772 vivo_move_hr 2859 descent "
    "2878 vivo_fit4 2886 fr645 2888 fr645m 2891 fr30 2900 fenix5s_plus 2909 edge_130 "
    "2927 vivosmart_4 2988 vivoactive3m_w 3011 edge_explore 3028 gpsmap66 3066 vivoactive3m_l "
    "3076 fr245 3077 fr245_music 3092 edge_130_asia 3095 edge_1030_bontrager 3110 fenix5_plus "
    "3111 fenix5x_plus 3112 edge_520_plus 3113 fr945 3121 edge_530 3122 edge_830 "
    "3126 instinct_esports 3224 vivoactive4_small 3225 vivoactive4_large 3226 venu "
    "3246 marq_driver 3247 marq_aviator 3248 marq_captain 3249 marq_commander "
    "3250 marq_expedition 3251 marq_athlete 3258 descent_mk2 3282 fr45 3284 gpsmap66i "
    "3287 fenix6s_sport 3288 fenix6s 3289 fenix6_sport 3290 fenix6 3291 fenix6x 3299 hrm_dual "
    "3300 hrm_pro 3349 edge_530_apac 3350 edge_830_apac 3405 swim2 3441 fr945_asia "
    "3466 instinct_solar 3542 descent_mk2s 3558 edge_130_plus 3570 edge_1030_plus 3589 fr745 "
    "3596 venusq_music 3600 venusq 3615 lily 3624 marq_adventurer 3638 enduro 3652 fr945_lte "
    "3703 venu2 3704 venu2s 3739 marq_golfer 3843 edge_1040 3851 venu2_plus 3869 fr55 "
    "3888 instinct_2 3889 instinct_2s 3905 fenix7s 3906 fenix7 3907 fenix7x 3943 epix_gen2 "
    "3982 vivo_move_sport 3990 fr255_music 3991 fr255_small_music 3992 fr255 3993 fr255_small "
    "4005 descent_g1 4024 fr955 4061 edge_540 4062 edge_840 4063 vivosmart_5 4105 marq_gen2 "
    "4115 venusq2 4116 venusq2music 4130 hrm_pro_plus 4135 tactix7 4155 instinct_crossover "
    "4169 edge_explore2 4222 descent_mk3 4223 descent_mk3i 4257 fr265_large 4258 fr265_small "
    "4260 venu3 4261 venu3s 4312 epix_gen2_pro_42 4313 epix_gen2_pro_47 4314 epix_gen2_pro_51 "
    "4315 fr965 4341 enduro2 4374 fenix7s_pro_solar 4375 fenix7_pro_solar 4376 fenix7x_pro_solar "
    "4380 lily2 4394 instinct_2x 4426 vivoactive5 4432 fr165 4433 fr165_music 4440 edge_1050 "
    "4446 hrm_fit 4532 fenix8_solar 4533 fenix8_solar_large 4534 fenix8_small 4536 fenix8 "
    "4565 fr970 4570 fr570_large 4574 fr570_small 4575 enduro3 4583 instinct_e_40mm "
    "4584 instinct_e_45mm 4585 instinct3_solar_45mm 4586 instinct3_amoled_45mm "
    "4587 instinct3_amoled_50mm 4588 descent_g2 4606 hrm_200 4625 vivoactive6 4631 fenix8_pro "
    "4633 edge_550 4634 edge_850 4643 venu4 4644 venu4s 4655 edge_mtb 4666 fenix_e "
    "20119 training_center 65534 connect"
)
