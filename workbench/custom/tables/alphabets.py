"""The letters of languages by frequency, and the encodings that each language is written in.

Only letters beyond ASCII are listed: they distinguish the encodings.
"""

from __future__ import annotations

from functools import cache
from math import log

ALPHABETS = {
    "English": "éïñöüçèáóàêâ",
    "French": "éèàçêîôûâùœëïüæÿ",
    "German": "äüößé",
    "Spanish": "óíáñéúü",
    "Portuguese": "ãçáéíóêâõàúôü",
    "Italian": "àèòùìéî",
    "Catalan": "àèéíòóçïúü",
    "Dutch": "ëéïöüèóê",
    "Danish and Norwegian": "øåæéöü",
    "Swedish and Finnish": "äöåéüšž",
    "Icelandic and Faroese": "áíðóéöúþæýø",
    "Polish": "łóążęśćńź",
    "Czech": "íáéěřýčžůšúťďňóöü",
    "Slovak": "áíčéľžýšúťňôďäóŕĺ",
    "Hungarian": "áéíöóőüúű",
    "Romanian": "ăîâşţá",
    "Croatian and Slovenian": "čšžćđ",
    "Turkish": "ışüğçöİâîû",
    "Lithuanian": "ėšįųžūčęą",
    "Latvian": "āīēšūžņķļģčō",
    "Estonian": "äõüöšž",
    "Vietnamese": "\u0301\u0300\u0323đưôêơâăà\u0309ộáíóúùìéèòý\u0303ãõ",
    "Russian": "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъё",
    "Ukrainian": "оаниівтрескледумпязьбгйчхжцюїєшщфґ",
    "Bulgarian": "аиоентрсвлкдпмзгъубчцжщхюшяйфь",
    "Serbian and Macedonian": "аоиеунсрјтвдкпмлбзгчцшхњжљђћфџѓќѕ",
    "Greek": "αοιετσνηυρπκμλςάίόέήώγδχθφβύξζψϊϋ",
    "Hebrew": "יוהלאמרתשבנדעכקפחםטגזסןצךףץ",
    "Arabic": "اليمونرتبةعدفسقكحجهشطخصأغذزضثىإءظئآؤ",
    "Persian": "اینردموتبهشسکگلفزحقخچپعجطآصغضثظذئژيىك",
    "Thai": "านรอกเงมลวดัสทตบปี่้ิยคหไแขพชะจ็ซผถุใโึูศธำณภ์ฐญฟๆ",
}

_SIMPLIFIED = (
    "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发"
    "后作里用道行所然家种事成方多经么去法学如都同现当没动面起看定天分还进好小部其些主样理心她本前开"
    "但因只从想实日军者意无力它与长把机十民第公此已工使情明性知全三又关点正业外将两高间由问很最重并"
    "物手应战向头文体政美相见被利什二等产或新己制身果加西斯月话合回特代内信表化老给世位次度门任常先"
    "海通教儿原东声提立及比员解水名真论处走义各入几口认条平系气题活尔更别打女变四神总何电数安少报才"
    "结反受目太量再感建务做接必场件计管期市直德资命山金指克许统区保至队形社便空决治展马科司五基书非"
    "白界达光放强难权思王完设式色路记南品住告类求程北边死张交规万取拉格望领共确传师清今切院男京省州"
    "广港湖江河城县否客户单价阿亚尼巴罗哥利维星期六七八九"
)
_TRADITIONAL = (
    "的一是不了在人有我他這個們中來上大為和國地到以說時要就出會可也你對生能而子那得於著下自之年過發"
    "後作裡用道行所然家種事成方多經麼去法學如都同現當沒動面起看定天分還進好小部其些主樣理心她本前開"
    "但因只從想實日軍者意無力它與長把機十民第公此已工使情明性知全三又關點正業外將兩高間由問很最重並"
    "物手應戰向頭文體政美相見被利什二等產或新己制身果加西斯月話合回特代內信表化老給世位次度門任常先"
    "海通教兒原東聲提立及比員解水名真論處走義各入幾口認條平系氣題活爾更別打女變四神總何電數安少報才"
    "結反受目太量再感建務做接必場件計管期市直德資命山金指克許統區保至隊形社便空決治展馬科司五基書非"
    "白界達光放強難權思王完設式色路記南品住告類求程北邊死張交規萬取拉格望領共確傳師清今切院男京省州"
    "廣港湖江河城縣否客戶單價灣臺阿亞尼巴羅哥利維星期六七八九"
)
_HIRAGANA = (
    "いのんしとるにをはかたてなうがでまくこすりきさもっられだあどけおそせじつちめやよみろげ"
    "ばひほえふわ"
)
_KATAKANA = (
    "ーンスルトアイリクラシドレジフコマタグロサメテバニプブデカキナムッパハオソミウダビセケベエモピボノ"
    "チポュャョズゼヤガギゴザワヨユツネヘペヒホヌ"
)
_KANJI = (
    "日本人大年一国会中出事者社長同二分自時行三上月見手前東京地生部新学間後今田言内理動対女合男体方多高"
    "入立小作全目代業定実最主関化不明市員電相話金開区都道府県山川口野村町島海木水火土曜名住所氏番号性別"
    "未済有無商品価格売数量"
)
_HANGUL = (
    "이다는에의가을로고하지은한를기사도서인있시자정리어나대스부수일그아과구제전보라공성원들만장해거주여조"
    "상동치관연중안국계용경소문무방비마진우신회바으유개세위선실산운당저것영단민행업양면결모던남북차교트오"
    "미예니요없광울강천충청포르드프크타란카월화목금토임호불편립터메루"
)

WRITTEN_IN = {
    "cp1252": "English French German Spanish Portuguese Italian Catalan Dutch Danish Swedish "
    "Icelandic",
    "mac_roman": "English French German Spanish Portuguese Italian Catalan Dutch Danish Swedish "
    "Icelandic",
    "cp850": "English French German Spanish Portuguese Italian Catalan Dutch Danish Swedish "
    "Icelandic",
    "cp437": "English French German Spanish Italian Dutch Swedish",
    "cp1250": "German Polish Czech Slovak Hungarian Romanian Croatian",
    "iso8859_2": "German Polish Czech Slovak Hungarian Romanian Croatian",
    "cp852": "German Polish Czech Slovak Hungarian Romanian Croatian",
    "cp1254": "Turkish",
    "cp857": "Turkish",
    "cp1257": "Lithuanian Latvian Estonian",
    "cp775": "Lithuanian Latvian Estonian",
    "cp1258": "Vietnamese",
    "cp1251": "Russian Ukrainian Bulgarian Serbian",
    "koi8_r": "Russian Bulgarian",
    "koi8_u": "Ukrainian",
    "cp866": "Russian Bulgarian",
    "mac_cyrillic": "Russian Ukrainian Bulgarian Serbian",
    "iso8859_5": "Russian Bulgarian Serbian",
    "cp1253": "Greek",
    "iso8859_7": "Greek",
    "cp737": "Greek",
    "cp1255": "Hebrew",
    "cp862": "Hebrew",
    "cp1256": "Arabic Persian",
    "iso8859_6": "Arabic",
    "cp874": "Thai",
    "gb18030": "Chinese",
    "big5": "Taiwanese",
    "cp932": "Japanese Foreign Narrow",
    "euc_jp": "Japanese Foreign",
    "cp949": "Korean",
}
"""The languages of each encoding, by the first words of their names."""
PRIORS = {
    "cp1252": 0.0,
    "cp1250": -1.5,
    "cp1251": -0.5,
    "cp1255": -1.5,
    "iso8859_2": -2.0,
    "cp1257": -1.5,
    "cp1258": -2.0,
    "koi8_r": -2.0,
    "koi8_u": -2.5,
    "mac_cyrillic": -3.0,
    "iso8859_5": -3.0,
    "iso8859_6": -2.0,
    "iso8859_7": -2.0,
    "cp866": -2.0,
    "mac_roman": -3.0,
    **dict.fromkeys(("cp850", "cp852", "cp775", "cp737", "cp862"), -3.0),
    "cp857": -4.0,
    "cp437": -3.5,
}
"""Logarithms of how frequent encodings are, relative to Windows-1252; −1 for the others."""

COMMON_SYMBOLS = "°€£–“”…²½\xa0«»‘„—•§©®™³¼¾×±µºª¡¿·’\xad"
"""By frequency."""
IDEOGRAPHIC_SYMBOLS = "\u3000、。・「」（）！：；，？～【】『』《》％"
LETTER_SHARE = 0.88
UNKNOWN = log(3e-4)
"""Any other letter."""
MANY_LETTERS = 24
"""Alphabets with so many letters beyond ASCII have all their letters there."""
_NEIGHBORS, _NEIGHBOR = "áàâãäåæçéèêëíìîïñóòôõöøúùûüýœ", log(8e-4)
"""Letters of foreign names in a language of western Europe."""


@cache
def model(language: str) -> dict[str, float]:
    """Return the logarithms of the frequencies of letters and symbols of a language."""
    if language in _IDEOGRAPHIC:
        return _IDEOGRAPHIC[language]()
    letters = next(text for name, text in ALPHABETS.items() if name.startswith(language))
    has_many = len(letters) >= MANY_LETTERS
    share = 0.3 if language == "English" else LETTER_SHARE
    result = _ranked(letters, share, 6 if has_many else 2)
    apostrophe = (0.02 if has_many else 0.5) * (1 - share)
    result["’"] = log(apostrophe)
    usual = _ranked(COMMON_SYMBOLS, 0.8 * (1 - share - apostrophe), 3)
    if language in WRITTEN_IN["cp1252"]:
        usual |= dict.fromkeys(_NEIGHBORS, _NEIGHBOR)
    return {**usual, **result}


def _ranked(letters: str, share: float, flatness: int) -> dict[str, float]:
    """Return the logarithms of frequencies that fall with the rank of each letter."""
    weights = {letter: 1 / (rank + flatness) for rank, letter in enumerate(letters)}
    total = sum(weights.values())
    return {letter: log(share * weight / total) for letter, weight in weights.items()}


def _even(letters: str, share: float) -> dict[str, float]:
    return dict.fromkeys(letters, log(share / max(1, len(letters))))


def _rows(codec: str, first: int, last: int, trails: range) -> str:
    """Return the letters of two bytes with these first bytes in an encoding."""
    pairs = (bytes((lead, trail)) for lead in range(first, last + 1) for trail in trails)
    return "".join(pair.decode(codec, errors="ignore") for pair in pairs)


_NARROW = "".join(map(chr, range(0xFF61, 0xFFA0)))
"""Katakana of half the width."""
_EUC = range(0xA1, 0xFF)
_SYMBOLS = _even(IDEOGRAPHIC_SYMBOLS, 0.05)


def _chinese() -> dict[str, float]:
    rare = _even(_rows("gb2312", 0xD8, 0xF7, _EUC), 0.02)
    usual = _even(_rows("gb2312", 0xB0, 0xD7, _EUC), 0.4)
    return rare | usual | _SYMBOLS | _ranked(_SIMPLIFIED, 0.5, 60)


def _taiwanese() -> dict[str, float]:
    rare = _even(_rows("big5", 0xC9, 0xF9, range(0x40, 0xFF)), 0.02)
    usual = _even(_rows("big5", 0xA4, 0xC6, range(0x40, 0xFF)), 0.4)
    return rare | usual | _SYMBOLS | _ranked(_TRADITIONAL, 0.5, 60)


def _japanese() -> dict[str, float]:
    return _kanji() | _ranked(_HIRAGANA, 0.35, 20) | _ranked(_KATAKANA, 0.1, 20)


def _foreign() -> dict[str, float]:
    """Return the frequencies of foreign names and words in Japanese."""
    return _kanji() | _ranked(_KATAKANA, 0.55, 10)


def _kanji() -> dict[str, float]:
    rare = _even(_rows("euc_jp", 0xD0, 0xF4, _EUC), 0.01)
    usual = _even(_rows("euc_jp", 0xB0, 0xCF, _EUC), 0.25)
    narrow = _even(_NARROW, 0.01)
    kana = _even(_rows("euc_jp", 0xA4, 0xA5, _EUC), 0.02)
    return rare | usual | narrow | kana | _SYMBOLS | _ranked(_KANJI, 0.2, 60)


def _korean() -> dict[str, float]:
    rare = _even(_rows("euc_kr", 0xCA, 0xFD, _EUC), 0.005)
    usual = _even(_rows("euc_kr", 0xB0, 0xC8, _EUC), 0.4)
    return rare | usual | _SYMBOLS | _ranked(_HANGUL, 0.5, 60)


_IDEOGRAPHIC = {
    "Chinese": _chinese,
    "Taiwanese": _taiwanese,
    "Japanese": _japanese,
    "Foreign": _foreign,
    "Narrow": lambda: _even(_NARROW, 0.4),
    "Korean": _korean,
}
