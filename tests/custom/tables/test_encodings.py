"""The encoding of a table: found by its letters, or chosen."""

from __future__ import annotations

import gzip
import unicodedata

import pytest

import workbench as wb
from tests.raises import raises
from workbench.custom.tables.decode import decode
from workbench.custom.tables.inspection import Choices
from workbench.custom.tables.read import read

WESTERN = "cp1252 mac_roman cp850"
CENTRAL = "cp1250 iso8859_2 cp852"
CYRILLIC = "cp1251 koi8_r cp866 mac_cyrillic iso8859_5"
TEXTS = {
    "French": (WESTERN, "Général,Île-de-France,août,déjà vu,forêt,élève,garçon,Noël"),
    "German": (WESTERN, "München,Köln,größer,Österreich,übrig,Straße,März,Zürich"),
    "Spanish": (WESTERN, "año,Málaga,Coruña,Córdoba,mañana,sí,él,Cádiz"),
    "Portuguese": (WESTERN, "São Paulo,não,Brasília,coração,três,avó,maçã,órgão"),
    "Danish": (WESTERN, "Århus,Køge,rød,grøn,blå,ærlig,Ærø,små"),
    "Polish": (CENTRAL, "Łódź,Kraków,żółty,święto,mąka,wąskość,Gdańsk,źle"),
    "Czech": (CENTRAL, "Plzeň,Ústí,žlutý,řeka,město,kůň,čaj,šest"),
    "Hungarian": (CENTRAL, "Győr,Szűcs,Pécs,hétfő,könyv,út,őszi,fű"),
    "Turkish": ("cp1254 cp857", "İzmir,Muğla,Şişli,kırmızı,yeşil,doğru,çok,gün"),
    "Lithuanian": ("cp1257 cp775", "Šiauliai,Panevėžys,žalia,ąžuolas,įmonė,šį,ūkis,čia"),
    "Vietnamese": ("cp1258", "Hà Nội,Đà Nẵng,Cần Thơ,Huế,không,được,đúng,sữa"),
    "Russian": (CYRILLIC, "Москва,Казань,да,нет,женский,город,высокий,синий"),
    "Greek": ("cp1253 iso8859_7 cp737", "Αθήνα,ναι,όχι,Πάτρα,άνδρας,γυναίκα,μεγάλο,λευκό"),
    "Hebrew": ("cp1255 cp862", "ירושלים,תל אביב,חיפה,כן,לא,גבר,אישה,שלום"),
    "Arabic": ("cp1256", "نعم,لا,القاهرة,رجل,امرأة,مدينة,كبير,صغير"),
    "Thai": ("cp874", "กรุงเทพ,เชียงใหม่,ใช่,ไม่,ชาย,หญิง,ภูเก็ต,สีแดง"),
    "Japanese": ("cp932 euc_jp iso2022_jp", "東京,大阪,はい,いいえ,男性,女性,トヨタ,みどり"),
    "Korean": ("cp949 iso2022_kr", "서울,부산,예,아니요,남자,여자,대구,광주"),
    "Chinese": ("gb18030", "北京,上海,是,否,男,女,广州,红色"),
    "Taiwanese": ("big5", "臺北,高雄,是,否,男性,女性,新竹,紅色"),
}
CASES = [
    (language, codec, count)
    for language, (codecs, _words) in TEXTS.items()
    for codec in codecs.split()
    for count in (4, 8)
]


TONES = "\u0300\u0301\u0303\u0309\u0323"


def encoded(text, codec):
    """Return text in an encoding; Windows-1258 has the tones of Vietnamese behind the letters."""
    if codec != "cp1258":
        return text.encode(codec)
    letters = []
    for letter in text:
        base, *marks = unicodedata.normalize("NFD", letter)
        tones = [mark for mark in marks if mark in TONES]
        others = "".join(mark for mark in marks if mark not in TONES)
        letters += [unicodedata.normalize("NFC", base + others), *tones]
    return "".join(letters).encode(codec)


def table(words):
    rows = [f"{words[n % len(words)]},{n * 1.5},{'yn'[n % 2]}" for n in range(60)]
    return "\r\n".join(["name,value,y", *rows, ""])


@pytest.mark.parametrize(("language", "codec", "count"), CASES)
def test_the_letters_show_the_encoding(language, codec, count):
    words = TEXTS[language][1].split(",")[:count]
    result = read(encoded(table(words), codec))
    assert set(result.columns[0].words) == set(words), result.encoding


@pytest.mark.slow
def test_a_long_run_of_letters_is_read_at_once():
    text = "name,y\n" + "x" * 5_000_000 + "é,1\n"
    assert decode(text.encode("cp1252")).text == text


def test_a_rare_symbol_late_in_the_file():
    text = "name,y\n" + "abc,1\n" * 400_000 + "Café du Général,1\n"
    assert decode(text.encode("cp1252")).text == text


def test_bytes_of_two_encodings_name_both():
    sentences = wb.inspect_table(table(["Café", "Tea"]).encode("mac_roman")).warnings
    about = next(text for text in sentences if "encoding" in text)
    assert "read as Mac Roman, as in “Café”; in Windows-1252 that is “CafŽ”" in about
    clear = wb.inspect_table(table(TEXTS["Polish"][1].split(",")).encode("cp1250")).warnings
    assert any("is read as Windows-1250:" in text for text in clear)
    assert not any(
        "encoding" in text for text in wb.inspect_table(table(["Café"]).encode()).warnings
    )


@pytest.mark.parametrize("name", ["mac-roman", "Mac Roman", "macroman"])
def test_a_chosen_encoding(name):
    data = table(["≤ 5", "Ω"]).encode("mac_roman")
    result = wb.inspect_table(data, encoding=name)
    assert result.encoding == "Mac Roman"
    assert not any("encoding" in text for text in result.warnings)
    assert read(data, Choices(encoding=name)).columns[0].words == ("Ω", "≤ 5")


@pytest.mark.parametrize("name", ["utf-9", "", "idna", "base64", "a\0b", "rot13"])
def test_an_unknown_encoding_is_one_sentence(name):
    with raises("table.unknown_encoding", "There is no encoding"):
        wb.inspect_table(table(["a", "b"]).encode(), encoding=name)


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_bytes_of_another_encoding_name_the_line_and_the_byte(pack, end):
    data = table(["Rome", "Café"]).replace("\r\n", end).encode("cp1252")
    place = data.index(b"\xe9")
    facts = ("UTF-8", "line 3", "0xE9", f"offset {place}")
    with raises("table.wrong_encoding", *facts):
        wb.inspect_table(pack(data), encoding="utf-8")


def test_an_encoding_is_for_files():
    with raises("table.encoding_of_frame"):
        wb.inspect_table({"a": [1, 2] * 20, "b": ["x", "y"] * 20}, encoding="utf-8")


@pytest.mark.slow
def test_a_model_predicts_from_a_file_in_another_encoding(tmp_path):
    words = ["Zürich", "Köln", "Rome", "Oslo"]
    rows = [f"{words[n % 4]},{n % 7},{'yes' if n % 4 < 2 else 'no'}" for n in range(120)]
    text = "\n".join(["city,n,y", *rows])
    (tmp_path / "train.csv").write_bytes(text.encode("mac_roman"))
    model = wb.from_table(tmp_path / "train.csv", encoding="mac-roman", name="towns", seconds=2)
    new = "city,n,y\nZürich,1,yes\nKöln,2,yes\nRome,3,no\n"
    for codec in ("utf-8", "utf-16", "cp1252", "cp850"):
        (tmp_path / "new.csv").write_bytes(new.encode(codec))
        guessed = wb.predict(model, tmp_path / "new.csv")
        chosen = wb.predict(model, tmp_path / "new.csv", encoding=codec)
        assert guessed.predicted == chosen.predicted == ["yes", "yes", "no"]
        assert not any("does not know" in note for note in guessed.notes)
    file = wb.compress(model, wb.Recipe())
    wrong = wb.evaluate(file, data=tmp_path / "new.csv", encoding="cp1251")
    assert any("does not know" in note for note in wrong.notes)
    with raises("table.encoding_of_frame"):
        wb.predict(model, [{"city": "Rome"}], encoding="utf-8")
