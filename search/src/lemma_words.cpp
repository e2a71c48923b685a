#include "search/src/lemma.h"

namespace kustos::search {

// Written for this project. Strong and irregular verbs without their prefixes: infinitive, third person present, past,
// participle, and the past subjunctive where its vowel differs; alternatives after a slash.
const char* const kStrongVerbs = R"(
backen backt/bäckt backte/buk gebacken
befehlen befiehlt befahl befohlen befähle
beginnen beginnt begann begonnen begänne
beißen beißt biss gebissen
bergen birgt barg geborgen
bersten birst barst geborsten
bewegen bewegt bewog bewogen
biegen biegt bog gebogen böge
bieten bietet bot geboten böte
binden bindet band gebunden bände
bitten bittet bat gebeten bäte
blasen bläst blies geblasen
bleiben bleibt blieb geblieben
braten brät briet gebraten
brechen bricht brach gebrochen bräche
brennen brennt brannte gebrannt
bringen bringt brachte gebracht brächte
denken denkt dachte gedacht dächte
dringen dringt drang gedrungen
dürfen darf durfte gedurft dürfte
empfehlen empfiehlt empfahl empfohlen empfähle
erlöschen erlischt erlosch erloschen
erschrecken erschrickt erschrak erschrocken
essen isst aß gegessen äße
fahren fährt fuhr gefahren führe
fallen fällt fiel gefallen
fangen fängt fing gefangen
fechten ficht focht gefochten
finden findet fand gefunden fände
flechten flicht flocht geflochten
fliegen fliegt flog geflogen flöge
fliehen flieht floh geflohen
fließen fließt floss geflossen flösse
fressen frisst fraß gefressen
frieren friert fror gefroren
geben gibt gab gegeben gäbe
gedenken gedenkt gedachte gedacht
gefallen gefällt gefiel gefallen
geraten gerät geriet geraten
gestehen gesteht gestand gestanden
gebären gebärt gebar geboren
gehen geht ging gegangen
gelingen gelingt gelang gelungen gelänge
gelten gilt galt gegolten gälte
genesen genest genas genesen
genießen genießt genoss genossen
geschehen geschieht geschah geschehen geschähe
gewinnen gewinnt gewann gewonnen gewänne
gießen gießt goss gegossen
gleichen gleicht glich geglichen
gleiten gleitet glitt geglitten
graben gräbt grub gegraben
greifen greift griff gegriffen
haben hat/habt/hast hatte gehabt hätte
halten hält hielt gehalten
hängen hängt hing gehangen
hauen haut hieb gehauen
heben hebt hob gehoben höbe
heißen heißt hieß geheißen
helfen hilft half geholfen hülfe
kennen kennt kannte gekannt
klingen klingt klang geklungen
kneifen kneift kniff gekniffen
kommen kommt kam gekommen käme
können kann konnte gekonnt könnte
kriechen kriecht kroch gekrochen
laden lädt lud geladen lüde
lassen lässt ließ gelassen
laufen läuft lief gelaufen
leiden leidet litt gelitten
leihen leiht lieh geliehen
lesen liest las gelesen läse
liegen liegt lag gelegen läge
lügen lügt log gelogen
meiden meidet mied gemieden
messen misst maß gemessen
misslingen misslingt misslang misslungen
mögen mag mochte gemocht möchte
müssen muss musste gemusst müsste
nehmen nimmt nahm genommen nähme
nennen nennt nannte genannt
pfeifen pfeift pfiff gepfiffen
preisen preist pries gepriesen
raten rät riet geraten
reiben reibt rieb gerieben
reißen reißt riss gerissen
reiten reitet ritt geritten
rennen rennt rannte gerannt
riechen riecht roch gerochen
ringen ringt rang gerungen
rufen ruft rief gerufen
saufen säuft soff gesoffen
schaffen schafft schuf/schaffte geschaffen/geschafft schüfe
scheiden scheidet schied geschieden
scheinen scheint schien geschienen
schieben schiebt schob geschoben
schießen schießt schoss geschossen
schlafen schläft schlief geschlafen
schlagen schlägt schlug geschlagen schlüge
schleichen schleicht schlich geschlichen
schleifen schleift schliff geschliffen
schließen schließt schloss geschlossen schlösse
schlingen schlingt schlang geschlungen
schmeißen schmeißt schmiss geschmissen
schmelzen schmilzt schmolz geschmolzen
schneiden schneidet schnitt geschnitten
schreiben schreibt schrieb geschrieben
schreien schreit schrie geschrien
schreiten schreitet schritt geschritten
schweigen schweigt schwieg geschwiegen
schwellen schwillt schwoll geschwollen
schwimmen schwimmt schwamm geschwommen
schwinden schwindet schwand geschwunden
schwingen schwingt schwang geschwungen
schwören schwört schwor geschworen
sehen sieht sah gesehen sähe
sein ist/sind war gewesen wäre
senden sendet sandte/sendete gesandt/gesendet
singen singt sang gesungen
sinken sinkt sank gesunken
sinnen sinnt sann gesonnen
sitzen sitzt saß gesessen säße
sollen soll sollte gesollt
sprechen spricht sprach gesprochen spräche
springen springt sprang gesprungen
stechen sticht stach gestochen
stehen steht stand gestanden stünde
stehlen stiehlt stahl gestohlen
steigen steigt stieg gestiegen
sterben stirbt starb gestorben stürbe
stoßen stößt stieß gestoßen
streichen streicht strich gestrichen
streiten streitet stritt gestritten
tragen trägt trug getragen trüge
treffen trifft traf getroffen träfe
treiben treibt trieb getrieben
treten tritt trat getreten träte
trinken trinkt trank getrunken
trügen trügt trog getrogen
tun tut tat getan täte
verderben verdirbt verdarb verdorben
verdrießen verdrießt verdross verdrossen
vergessen vergisst vergaß vergessen vergäße
verlieren verliert verlor verloren verlöre
verschleißen verschleißt verschliss verschlissen
verzeihen verzeiht verzieh verziehen
wachsen wächst wuchs gewachsen
waschen wäscht wusch gewaschen
weichen weicht wich gewichen
weisen weist wies gewiesen
wenden wendet wandte/wendete gewandt/gewendet
werben wirbt warb geworben
werden wird wurde geworden würde
werfen wirft warf geworfen
wiegen wiegt wog gewogen wöge
winden windet wand gewunden
wissen weiß wusste gewusst wüsste
wollen will wollte gewollt
ziehen zieht zog gezogen zöge
zwingen zwingt zwang gezwungen zwänge
)";

// Regular verbs without their prefixes; those in -ieren are known by their ending.
const char* const kWeakVerbs = R"(
abwickeln achten adeln ahnden ahnen anberaumen ändern ängstigen ankern antworten arbeiten ärgern atmen äußern
ausliefern bahnen ballen bannen basteln bauen beabsichtigen beachten beanspruchen beanstanden beantragen
beantworten beaufsichtigen beauftragen bebauen beben bedauern bedienen bedrohen beeinflussen beeinträchtigen
befragen befriedigen befristen befürworten begegnen begehren begeistern beglaubigen begleiten begnügen
begrenzen begründen begünstigen begutachten behandeln behaupten beherbergen beherrschen beherzigen behindern
beichten bekräftigen belästigen beleidigen beleuchten belichten bemängeln bemerken benachrichtigen
benachteiligen benötigen beobachten berauben beraumen berechtigen bereichern bereinigen bereuen berichten
berichtigen berüchtigen berücksichtigen beruhen beruhigen beschäftigen bescheinigen beschleunigen beschränken
beschuldigen beseitigen besichtigen besiegen besolden bessern bestätigen bestatten besteuern bestimmen
besuchen beteiligen beten betonen betreuen betteln beugen beurkunden beurteilen bevollmächtigen bewältigen
bewegen bewerkstelligen bewilligen bewirten bewundern bezahlen bezichtigen bezuschussen bilden billigen blähen
blättern bleichen blenden blicken blinken blitzen blocken blühen bohren borgen boxen brauchen brauen brausen
breiten bremsen bröckeln brüllen brüsten buchen bücken bügeln bummeln bündeln bunkern bürgen bürsten büßen
chatten checken dampfen dämpfen danken dauern deckeln decken dehnen deuten dichten dienen docken donnern
doppeln downloaden drängeln drängen drehen drohen dröhnen drosseln drücken drucken dulden düngen dünnen
durchqueren duschen duzen ebnen ehren eifern eignen eilen einigen einräumen eisen eitern ekeln empören enden
engen entfernen entgegnen entledigen entmutigen entrichten entschädigen entschuldigen entsorgen enttäuschen
entwickeln erachten erben ereignen erfüllen ergänzen erinnern erkranken erlangen erlauben erläutern erledigen
erleichtern ermächtigen ermäßigen ermitteln ermöglichen ermutigen erneuern ernten erobern eröffnen errichten
erstarken erstatten ersticken ersuchen erteilen ertüchtigen erübrigen erwachen erwähnen erweitern erwidern
fädeln fahnden fälschen falten fassen fasten faulen federn fegen fehlen feiern feilen feilschen fertigen
fesseln festigen feuern fiebern filmen filtern fischen fixen flehen flicken flitzen flöten fluchen flüchten
flüstern folgen folgern foltern fordern fördern formen forschen frachten fragen freuen frieden fristen
frühstücken frusten fügen fühlen führen füllen funken fürchten fußen füttern gaffen gähnen gatten gaukeln
gebrauchen gebühren gedeihen gefährden gehören geißeln gelangen geleiten genehmigen genügen gesellen gestalten
gestatten gewähren gewährleisten gewöhnen gipfeln glänzen glätten glauben gliedern glotzen glücken glühen
gönnen googeln grenzen grölen größern grübeln gründen grünen grüßen gucken hacken haften hageln haken hallen
hämmern hamstern handeln handhaben händigen harren härten hassen hasten häufen hausen häuten hebeln hecheln
heften hegen heilen heiligen heiraten heizen hellen hemmen hetzen heucheln heulen hindern hinken hobeln hoffen
höhen hohlen holen horchen hören horten hosten huldigen hüllen humpeln hungern hupen hüpfen hüten impfen irren
jagen jammern jauchzen jaulen joggen jubeln jucken kämmen kämpfen kapern kapseln kauen kaufen kehren keimen
kennzeichnen keuchen kichern kippen klagen klammern klappen klappern klären klatschen klauen kleben klecken
kleiden kleinern klemmen klettern klicken klingeln klonen klopfen knabbern knacken knallen knarren knausern
kneten knicken knien knoten knüpfen kochen ködern koppeln kosten krabbeln krachen kräftigen krallen kränken
kratzen kreischen kreisen kreuzen kriegen krönen krümmen kugeln kühlen kümmern kündigen kuppeln kürzen
kuscheln küssen lächeln lachen lacken lagern lähmen landen langen längern lärmen lasten lästern lauern
lauschen lauten läuten läutern leasen leben lecken leeren legen lehnen lehren leimen leisten leiten lenken
lernen leuchten leugnen lieben liefern lindern loben lochen locken lockern lodern löffeln loggen lohnen löhnen
löschen lösen loten löten lüften lutschen machen mahlen mahnen mailen malen managen mangeln mappen maßregeln
mästen mauern mausern mehren meinen meistern melden mengen merken meutern mieten mildern mindern mischen
missen mobben möbeln mogeln morden motzen mounten mühen münden münzen murmeln mustern nagen nähen nahen nähern
nähren naschen nässen necken neigen netzen nicken nieten nörgeln nöten nötigen nummern nützen nutzen öffnen
ölen opfern ordnen orten outen packen parken parsen passen patchen patzen pauken pausen peilen peinigen pellen
pendeln petzen pfänden pfeffern pflanzen pflastern pflegen pflücken pflügen pfuschen pilgern pinseln placken
plagen planen plappern plätschern platzen plaudern plündern pöbeln pochen polstern poltern posten prägen
prahlen prallen predigen prellen pressen proben protzen prüfen prügeln prusten pudern pumpen punkten pushen
pusten putzen quälen quatschen quellen quengeln queren quetschen quietschen rächen raffen ragen rahmen rammen
rascheln rasseln rattern rauben rauchen räumen rauschen rechnen rechtfertigen reden regeln regnen reichen
reihen reimen reinigen reisen reizen rendern renken retten reuen richten riegeln rieseln rodeln rollen röntgen
rooten rosten rubbeln rücken rudern rügen ruhen rühmen rühren rumpeln rüsten rutschen rütteln sacken säen
sagen sägen sammeln sättigen säubern säuern säumen scannen schaben schaden schädigen schaffen schälen schalten
schämen schänden schärfen scharren schätzen schauen schaufeln schaukeln scheitern schenken scherzen scheuen
scheuern schichten schicken schildern schimmern schimpfen schlängeln schlechtern schleppen schleudern
schleusen schlichten schlottern schlucken schlüpfen schlüsseln schmachten schmälern schmecken schmeicheln
schmerzen schmettern schmieden schminken schmollen schmücken schmuggeln schnallen schnappen schnarchen
schnauben schneidern schnitzen schnüffeln schnüren schonen schöpfen schottern schrägen schrauben schrecken
schrumpfen schulden schuldigen schulen schummeln schüren schürfen schütteln schütten schützen schwächen
schwanken schwärmen schwärzen schwätzen schwatzen schweben schwenken schwindeln schwitzen scrollen segeln
segnen sehnen seifen seilen senken setzen seufzen sichern sichten sickern siedeln siegeln siegen siezen simsen
söhnen sondern sonnen sorgen spähen spalten spannen sparen speichern speisen spenden sperren spiegeln spielen
spotten sprengen sprudeln sprühen spucken spuken spülen spüren sputen stammeln stammen stapeln stapfen stärken
starren starten statten stauen staunen stecken steigern stellen stemmen stempeln steuern stiften stillen
stimmen stöbern stochern stocken stolpern stopfen stoppen stören stottern strafen straffen strahlen sträuben
straucheln streamen streben strecken streifen streiken streuen strömen stückeln stufen stülpen stunden stürmen
stürzen stützen stutzen suchen summen sündigen surfen switchen tadeln tagen taggen takten tanken tanzen tarnen
tasten tauchen tauen taufen taugen taumeln täuschen tauschen teilen testen tilgen tippen toben tollen tönen
töpfern töten trachten tracken trampen tränken trauen trauern träumen trennen tricksen triggern trocknen
trommeln trösten trotzen trüben trudeln tunen tupfen türmen turnen twittern üben übermitteln überraschen
übersetzen überwachen überwältigen überzeugen ufern umlagern unterrichten untersagen unterzeichnen updaten
upgraden urteilen verabreden verabschieden verallgemeinern veranlassen veranschlagen veranstalten veräußern
verbreiten verdächtigen verdeutlichen vereidigen vereinbaren vereinen vereinheitlichen verewigen
vergegenwärtigen vergeuden vergewissern vergolden vergüten verhandeln verjähren verkürzen verlängern
verlautbaren verletzen vermitteln vermummen vernachlässigen veröffentlichen verpflichten verrechnen
verselbständigen versichern versklaven verspäten verständigen versteuern vertagen verteidigen verunglücken
verunsichern verursachen verurteilen vervielfältigen verwalten verwarnen verwerten verwirklichen verzichten
verzinsen verzögern vollstrecken wachen wagen wählen wähnen wahren walten wälzen wandeln wandern wanken
wappnen wärmen warnen warten waten wechseln wecken wehen wehren weigern weihen weilen weinen wellen werten
wetten wettern wetzen wickeln widerlegen widersetzen widmen wiederholen wiegeln wimmeln winken wippen wirbeln
wirken wischen wittern wohnen wölben wuchern wühlen wundern wünschen würdigen würfeln würgen würzen wüten
zählen zahlen zähmen zanken zapfen zappeln zaubern zaudern zäunen zeichnen zeigen zelten zerren zeugen zielen
zieren zippen zischen zittern zögern zollen zoomen züchten züchtigen zucken zücken zügeln zünden zupfen zürnen
zusichern zwängen zweifeln zweigen zwicken zwitschern
)";

// Infinitive-like head word first: plurals and degrees that no rule gives.
const char* const kIrregularWords = R"(
hoch hohe hoher hohes hohem hohen höher höhere höherer höheres höheren höherem höchst höchste höchsten höchster höchstes höchstem
groß größer größere größerer größeres größeren größerem größte größten größter größtes größtem
nah näher nähere näherer näheres näheren nächste nächsten nächster nächstes nächstem
gut besser bessere besserer besseres besseren besserem beste besten bester bestes bestem
viel mehr mehrere mehreren meiste meisten
alt älteste ältesten ältester
jung jüngste jüngsten jüngster
lang längste längsten längster
kurz kürzeste kürzesten kürzester
stark stärkste stärksten stärkster
frei freie freien freier freies freiem
neu neue neuen neuer neues neuem
treu treue treuen treuer treues treuem
blau blaue blauen blauer blaues blauem
grau graue grauen grauer graues grauem
frau frauen
idee ideen
see seen
datum daten data
firma firmen
thema themen themata
konto konten
risiko risiken
album alben
museum museen
zentrum zentren
forum foren
visum visa
virus viren
bonus boni
praktikum praktika
spektrum spektren
index indizes
prinzip prinzipien
material materialien
mineral mineralien
drama dramen
dogma dogmen
praxis praxen
basis basen
krise krisen
analyse analysen
saldo salden
prozess prozesse prozessen
villa villen
skala skalen
)";

// Forms of verbs that are nouns too: only a small first letter tells that the verb is meant.
const char* const kNounsToo = R"(
band bande bands barst bat biss bot brach bund drang fand fang fang fall fluss flog floss frage gebot gelang gift griff haft half halt hang hieb
klang kleid lag lage lad las last lauf leid log macht maß muss mast nahm rang rat reich riss ritt ruf schied schiff schliff schloss
schlug schmiss schnitt schritt schwamm schwang sitz sog stand stich strich tat taten test tests rast rest trieb trog waren ware wagen wand
wände wich weise weiß wille will wog wort zog zug zwang leiden licht dichten tagt teilt bauten achten acht arten
band bände bänden banden wanden schlösser boten bote schoss genossen genosse schuf bars bar war sind ist hat
verband verbot betrug auftritt antritt eintritt austritt rücktritt beitritt zutritt angriff eingriff zugriff begriff bestand verstand
vorstand umstand abstand zustand rückstand aufstand gegenstand stillstand widerstand abschnitt anschnitt beschied ausschnitt durchschnitt
querschnitt fortschritt vertrieb betrieb antrieb abrieb beschluss abriss umriss ausritt vorwand einwand aufwand verlag anlag
beschlag vorschlag unterschied abschied widerspruch schrieb verschliss
)";

}  // namespace kustos::search
