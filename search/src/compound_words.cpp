#include "search/src/compound.h"

namespace kustos::search {

// Written for this project: nouns (and a few verb stems) of business, administration and law that often stand in
// compounds. A Hunspell word list found at run time adds to it.
const char* const kCompoundWords = R"(
abfall abgabe abgleich abgrenzung abkommen ablage ablauf ablehnung abnahme abrechnung abreise absatz abschluss abschrift
absender absicht absprache abstand abstimmung abteilung abwesenheit abwicklung adresse akte aktie aktion alter amt anfall
anfang anforderung anfrage angabe angebot angelegenheit angriff anhang anklage anlage anlass anleihe anmeldung annahme
anordnung anrecht anruf ansatz anschluss anschrift anspruch anteil antrag antwort anwalt anweisung anwendung anzahl anzeige
apparat arbeit arbeitgeber arbeitnehmer arbeits archiv archivierung art arzt aufbau aufenthalt aufgabe aufhebung aufklärung
auflage auflösung aufnahme aufruf aufsicht auftrag aufwand auge ausbildung ausdruck ausfall ausfuhr ausgabe ausgang
ausgleich auskunft ausland ausnahme ausschluss ausschreibung aussage ausstattung austausch auswahl ausweis auszug auto
bahn bank bau baum baustelle beamter bearbeitung bedarf bedingung befehl befragung befugnis beginn begründung behandlung
behörde beispiel beitrag bekanntmachung belastung beleg belegschaft bemessung benachrichtigung benutzer berater beratung
berechnung berechtigung bereich bericht beruf berufung bescheid bescheinigung beschluss beschwerde beschäftigung besitz
bestand bestellung bestimmung besuch betrag betreuung betrieb betrug beurteilung bewegung beweis bewerber bewerbung bewertung
bezahlung beziehung bezug bilanz bild bildung blatt blick blume boden brand brief buch bund bundes bürge bürger bürgschaft
becken börse büro chef computer dampf daten datei datenbank datum dauer decke dienst dienstleistung ding dokument
dokumentation donau dorf druck durchsuchung durchführung ebene ehe eigentum einfuhr eingabe eingang einheit einkauf
einkommen einkunft einladung einrichtung einsatz einsicht einspruch einstellung eintrag einwand einwilligung einzahlung
einzug eltern empfang empfänger energie entgelt entlassung entscheidung entschädigung entwicklung entwurf erbe erde
erfahrung erfassung erfolg ergebnis erhebung erhöhung erinnerung erkenntnis erklärung erlass erlaubnis ermittlung eröffnung
ersatz erstattung ertrag erwerb erzeugung fach fahrer fahrt fahrzeug fall familie fassung fehler feier feld fenster ferien
feststellung feuer figur filiale film finanz finanzierung firma flug fluss folge forderung form formular forschung frage
frau freiheit freigabe freistellung frist führung fürsorge garten gast gebiet gebot gebühr gefahr gegenstand gehalt geheimnis
geld gelände gemeinde gemeinschaft genehmigung gerät gericht geschäft geschenk geschichte gesellschaft gesellschafter gesetz
gespräch gestaltung gesundheit gewalt gewerbe gewicht gewinn gewährleistung gläubiger glas grenze grund grundlage
grundstück gruppe gut gutachten guthaben gutschrift haben hafen haft haftung halle halt handel handlung hand haupt haus
haushalt heim heizung herstellung hilfe hinweis hof holz inhaber inhalt insider insolvenz interesse
information innen jahr jahres jugend kabel kalender kammer kanal kapital karte kasse kassen kauf kern kette kind kinder kirche
klage klasse klausel klinik konferenz konto kontrolle konzern kopie kopf korb kosten kraft kranken krankheit kredit kreis
krieg kunde kunst kurs kündigung küche laden lager land landes landwirtschaft last lauf leben lehrer leistung leiter leitung
lehre lieferant lieferung linie lizenz liste lohn löschung luft mahnung maler mangel mann markt marke maschine material
markt maßnahme mehrheit meister meldung mensch menge messe miete mieter mietvertrag minister mitarbeiter mitglied
mitteilung mittel mittag modell monat monats motor muster mutter nachfrage nachlass nachricht nachweis nacht name natur netz
norm note notar nummer nutzen nutzer nutzung objekt ordnung ort papier park partei partner person personal pferde pflege pflicht
plan planung platz politik polizei portal post praxis preis presse privat probe problem produkt produktion programm projekt
protokoll prozess prüfer prüfung prämie qualität quelle quittung rabatt rahmen rat rate raum recht rechnung rechts rede regel regelung
regierung reise register reihe reich reinigung rente reparatur revision rettung richter richtlinie risiko rolle ruhe
rückgabe rückruf rückstand rücktritt rundfunk sache sachbearbeiter sammlung satz satzung schaden schadens schein schicht
schiff schifffahrt schlag schloss schluss schlüssel schmerz schrank schreiben schrift schritt schuld schuldner schule schutz
schwerpunkt sekretariat seite sendung server sicherheit sicherung sicht siegel sitz sitzung software sonder sorge sozial sperre
spende spiel sprache staat stand standort stau staub stadt stelle stellung stempel steuer steuerung stiftung stimme straf strafe
straße streit strom stube stufe stück stunde summe system tabelle tafel tag tages tarif tausch technik teil telefon termin
test text titel tisch tochter topf tod ton tor transport treffen trennung treu tube turm umfang umlage umsatz umstand umwelt
unfall unterhalt unterlage unterlagen unternehmen unternehmer unterricht unterschrift untersuchung urkunde urlaub ursache urteil
verantwortung verband verbindung verbot verbrauch verbraucher verein vereinbarung verfahren verfassung verfügung vergabe
vergleich vergütung verhalten verhandlung verkauf verkehr verlag verlangen verletzung verlust vermittlung vermögen
verordnung verpflichtung versammlung verschwiegenheit versicherung versorgung verstoß vertrag vertretung vertreter vertrieb
verwaltung verwendung verzeichnis verzicht verzug verzögerung volk vollmacht vollzug vorbehalt vorfall vorgang vorlage vormund
vorschrift vorschlag vorschuss vorsitz vorsorge vorstand vorstellung vorteil vortrag wache wach wachs wagen wahl ware wasser
wechsel weg weise welle welt werbung werk werkstatt wert wettbewerb widerruf widerspruch wirtschaft wissen wissenschaft woche
wohnung wort wunsch zahl zahlung zeit zeitung zentrum zertifikat zeuge zeugnis ziel zimmer zins zoll zug zugang zukunft
zulassung zulage zusage zusammenarbeit zusatz zuschlag zuschuss zustand zustellung zustimmung zweck zweig
überlassung übergabe übernahme übersicht übertragung überwachung überweisung übung ecken
)";

}  // namespace kustos::search
