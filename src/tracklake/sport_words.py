"""Words for sports as people, apps and exports write them, in several languages; a table only.

Sources: the type column of Strava's bulk exports, Garmin's type keys ("street_running"), apps.
Each Strava `sport_type` has its words divided by "|", in lower case and without accents.
"""

WORDS: dict[str, str] = {
    "Run": (
        "run|runs|running|jog|jogging|road running|street running|track running|treadmill|"
        "treadmill running|indoor running|track run|lauf|laufen|dauerlauf|joggen|laufband|course|"
        "course a pied|footing|tapis de course|carrera|correr|carrera a pie|corsa|correre|corrida|"
        "hardlopen|hardloopsessie|bieg|bieganie|lopning|loprunda|lob|lop|loping|lopetur|juoksu|"
        "beh|futas|бег|забег|ラン|ランニング|跑步|달리기"
    ),
    "TrailRun": (
        "trail|trail run|trail running|running trail|traillauf|gelandelauf|course de trail|"
        "course trail|carrera de trail|carrera de montana|trail corsa|corrida em trilha|"
        "corrida de trilha|trailrun|trailloop|トレイルラン|越野跑"
    ),
    "VirtualRun": (
        "virtual run|virtual running|virtueller lauf|course a pied virtuelle|course virtuelle|"
        "carrera virtual|corsa virtuale|corrida virtual|virtuele hardloopsessie"
    ),
    "Walk": (
        "walk|walks|walking|casual walking|speed walking|indoor walking|nordic walking|spaziergang|"
        "spazieren|spazierengehen|gehen|marche|marcher|promenade|marche nordique|caminata|caminar|"
        "paseo|andar|camminata|passeggiata|caminhada|wandeling|wandelen|spacer|chodzenie|promenad|"
        "gatur|kavely|прогулка|ходьба|ウォーキング|步行|걷기"
    ),
    "Hike": (
        "hike|hikes|hiking|trekking|mountaineering|backpacking|wanderung|wandern|bergwandern|"
        "bergsteigen|randonnee|randonnee pedestre|rando|senderismo|excursion|excursionismo|"
        "escursione|escursionismo|trilha|caminhada em trilha|hike wandeling|bergwandeling|wedrowka|"
        "vandring|vandretur|fjelltur|vaellus|поход|ハイキング|登山|徒步|하이킹"
    ),
    "Ride": (
        "ride|rides|bike|biking|bicycle|bicycling|bike ride|cycling|cycle|road biking|road cycling|"
        "road bike|road ride|commuting|indoor cycling|indoor ride|spinning|stationary bike|"
        "track cycling|cyclocross|cycling transportation|cycling sport|radfahrt|rad|radfahren|"
        "radtour|rennrad|rennradfahren|fahrrad|fahrradfahren|fahrt|velo|sortie a velo|sortie velo|"
        "cyclisme|velo de route|faire du velo|bicicleta|ciclismo|vuelta en bicicleta|paseo en bici|"
        "bici|ciclismo en ruta|pedalata|giro in bici|bicicletta|pedalada|pedal|fietsrit|fietsen|"
        "wielrennen|jazda na rowerze|rower|kolarstwo|cykling|cykeltur|cykel|sykling|sykkeltur|"
        "pyoraily|заезд|велосипед|велозаезд|ライド|サイクリング|骑行|라이딩"
    ),
    "VirtualRide": (
        "virtual ride|virtual cycling|zwift|virtuelle radfahrt|virtuelles radfahren|velo virtuel|"
        "sortie a velo virtuelle|cyclisme virtuel|ciclismo virtual|bicicleta virtual|"
        "pedalata virtuale|ciclismo virtuale|pedalada virtual|virtuele fietsrit|virtuele rit"
    ),
    "MountainBikeRide": (
        "mountain bike ride|mountain bike|mountain biking|mountainbike|mountainbiken|"
        "mountainbiking|mountainbike fahrt|mountainbike ride|mtb|cycling mountain|"
        "downhill biking|downhill mountain biking|vtt|sortie vtt|velo tout terrain|"
        "bicicleta de montana|ciclismo de montana|mountain bike pedalata|mountainbiketocht|"
        "mountainbikerit|マウンテンバイク|山地骑行"
    ),
    "GravelRide": (
        "gravel ride|gravel|gravel cycling|gravel biking|gravel bike|gravelbike|graveltour|"
        "gravelbike fahrt|gravel fahrt|velo gravel|sortie gravel|bicicleta gravel|ciclismo gravel|"
        "pedalata gravel|gravelrit|グラベルライド"
    ),
    "EBikeRide": (
        "e bike ride|e bike|e biking|e bike fahrt|electric bike|e bike fitness|velo electrique|"
        "velo a assistance electrique|sortie en velo electrique|bicicleta electrica|"
        "pedalata con e bike|e bike pedalata|pedalada com e bike|e bike rit|elektrische fiets"
    ),
    "EMountainBikeRide": (
        "e mountain bike ride|e mountain bike|e mountain biking|e bike mountain|e mtb|emtb|"
        "e mountainbike fahrt|e mountainbike|vtt electrique|vttae|bicicleta de montana electrica"
    ),
    "Swim": (
        "swim|swims|swimming|lap swimming|pool swim|open water|open water swimming|pool swimming|"
        "schwimmen|freiwasser|bahnenschwimmen|freiwasserschwimmen|natation|nage|nager|natacion|"
        "nadar|nuoto|natacao|zwemmen|zwemsessie|plywanie|simning|svomning|svomming|uinti|плавание|"
        "水泳|スイム|游泳|수영"
    ),
    "AlpineSki": (
        "alpine ski|alpine skiing|downhill skiing|resort skiing|ski|skiing|skifahren|alpinski|"
        "ski alpin|abfahrtsski|esqui|esqui alpino|sci|sci alpino|skien|alpineskien"
    ),
    "BackcountrySki": (
        "backcountry ski|backcountry skiing|ski touring|skitour|skitouren|tourenski|"
        "skitourengehen|ski de randonnee|randonnee a ski|esqui de travesia|sci alpinismo|"
        "scialpinismo"
    ),
    "NordicSki": (
        "nordic ski|nordic skiing|cross country ski|cross country skiing|skate skiing|classic "
        "skiing|langlauf|skilanglauf|ski de fond|ski nordique|esqui nordico|esqui de fondo|"
        "sci di fondo|sci nordico|langlaufen|langrenn|langdskidakning"
    ),
    "Snowboard": "snowboard|snowboarding|snowboarden|planche a neige",
    "Snowshoe": (
        "snowshoe|snowshoeing|snow shoe|schneeschuhwandern|schneeschuh|raquettes|"
        "raquettes a neige|raquetas de nieve|ciaspole|sneeuwschoenwandelen"
    ),
    "IceSkate": "ice skate|ice skating|eislaufen|patin a glace|patinage|patinaje sobre hielo|"
    "schaatsen|pattinaggio su ghiaccio",
    "InlineSkate": "inline skate|inline skating|inlineskaten|inlineskating|skating|roller|"
    "rollerblading|patinaje en linea|skeeleren|pattinaggio in linea",
    "RollerSki": "roller ski|roller skiing|rollski|ski roue|ski roues",
    "Rowing": "rowing|row|indoor rowing|rudern|aviron|rameur|remo|canottaggio|roeien",
    "VirtualRow": "virtual row|virtual rowing|virtuelles rudern|aviron virtuel|remo virtual",
    "Kayaking": "kayaking|kayak|kajak|kajakfahren|paddling|paddeln|piraguismo|kajakken",
    "Canoeing": "canoeing|canoe|kanu|kanufahren|kano|canoa|kanoen",
    "Sail": "sail|sailing|segeln|voile|vela|zeilen",
    "Surfing": "surfing|surf|surfen|wellenreiten",
    "Windsurf": "windsurf|windsurfing|windsurfen|planche a voile",
    "Kitesurf": "kitesurf|kitesurfing|kiteboarding|kitesurfen",
    "StandUpPaddling": "stand up paddling|stand up paddleboarding|standup paddling|sup|paddle",
    "RockClimbing": "rock climbing|rock climb|climbing|klettern|bouldern|bouldering|escalade|"
    "escalada|arrampicata|klimmen|indoor climbing",
    "WeightTraining": (
        "weight training|strength training|strength|weights|krafttraining|musculation|"
        "entrainement aux poids|entrainement musculaire|renforcement musculaire|"
        "entrenamiento con pesas|entrenamiento de fuerza|allenamento con i pesi|pesi|"
        "treinamento com peso|musculacao|krachttraining|styrketrening|styrketraning"
    ),
    "HighIntensityIntervalTraining": "hiit|high intensity interval training|"
    "hochintensives intervalltraining|entrainement fractionne de haute intensite",
    "Elliptical": "elliptical|cross trainer|crosstrainer|ellipsentrainer|velo elliptique|eliptica|"
    "ellittica",
    "StairStepper": "stair stepper|stair climbing|stairs|treppensteigen|stepper|simulateur d "
    "escalier|floor climbing",
    "Soccer": "soccer|football|fussball|futbol|calcio|futebol|voetbal",
    "Wheelchair": "wheelchair|rollstuhl|fauteuil roulant|silla de ruedas|sedia a rotelle",
    "Workout": "workout|training|fitness|cardio|indoor cardio|other|entrainement|entrenamiento|"
    "allenamento|treino",
    "Handcycle": "handcycle|hand cycling|handbike|handbiken",
    "TableTennis": "table tennis|ping pong|tischtennis|tennis de table|tenis de mesa",
    "Dance": "dance|dancing|tanzen|danse|baile|danza",
    "PhysicalTherapy": "physical therapy|physiotherapie|kinesitherapie|fisioterapia",
    "Transition": "transition|wechselzone|wechsel",
}
