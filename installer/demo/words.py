"""The words of the demo's sample: organisations that do not exist, in Persian, English and French."""

from dataclasses import dataclass


@dataclass(frozen=True)
class CompanyWords:
    """One made-up organisation. `revenue` is in minor units of `currency`; `domain` belongs to nobody."""

    language: str
    name: str
    short: str
    industry: str
    city: str
    country: str
    domain: str
    phone: str
    founded: int
    employees: int
    revenue: int
    currency: str


def _fa(name: str, short: str, industry: str, city: str, slug: str, number: int) -> CompanyWords:
    return CompanyWords(
        "fa",
        name,
        short,
        industry,
        city,
        "IR",
        f"{slug}.example.com",
        f"+9821880010{number:02}",
        1975 + number,
        35 + number * 41,
        90_000_000_000 + number * 23_000_000_000,
        "IRR",
    )


def _abroad(
    language: str, name: str, short: str, trade: tuple[str, str], place: tuple[str, str, str]
) -> CompanyWords:
    industry, slug = trade
    city, country, currency = place
    size = len(name) * 7
    return CompanyWords(
        language,
        name,
        short,
        industry,
        city,
        country,
        f"{slug}.example.com",
        {"USD": "+12025550100", "EUR": "+33199000100", "AED": "+97143000100"}[currency],
        1960 + len(name),
        size * 3,
        size * 4_000_000,
        currency,
    )


COMPANIES: tuple[CompanyWords, ...] = (
    _fa("شرکت بازرگانی پارس‌نمونه", "پارس‌نمونه", "بازرگانی", "تهران", "parsnemouneh", 1),
    _fa("گروه صنعتی کویر آزمون", "کویر آزمون", "فولاد", "یزد", "kavirazmoun", 2),
    _fa("داروسازی سپید آزمایش", "سپید آزمایش", "دارو", "شیراز", "sepid-azmayesh", 3),
    _fa("صنایع غذایی باغ نمونه", "باغ نمونه", "مواد غذایی", "مشهد", "baghnemouneh", 4),
    _fa("مهندسی راه و سازهٔ فرضی", "سازهٔ فرضی", "ساختمان", "اصفهان", "sazehfarzi", 5),
    _fa("کشتیرانی خیال خلیج", "خیال خلیج", "حمل‌ونقل", "بندرعباس", "khialkhalij", 6),
    _fa("پتروشیمی آسمان نمونه", "آسمان نمونه", "پتروشیمی", "اهواز", "asemannemouneh", 7),
    _fa("نساجی تار و پود آزمون", "تار و پود", "نساجی", "کاشان", "tarpoud", 8),
    _fa("بیمهٔ مثال", "بیمهٔ مثال", "بیمه", "تهران", "bimehmesal", 9),
    _fa("رایانه‌گستر فرضیه", "فرضیه", "فناوری اطلاعات", "تبریز", "farzieh", 10),
    _fa("کاشی و سرامیک نقش خیال", "نقش خیال", "سرامیک", "میبد", "naghshkhial", 11),
    _fa("فروشگاه‌های زنجیره‌ای نمونه‌مارکت", "نمونه‌مارکت", "خرده‌فروشی", "کرج", "nemounehmarket", 12),
    _fa("بیمارستان آزمایشی مهر", "مهر آزمایشی", "سلامت", "رشت", "mehr-azmayeshi", 13),
    _fa("انتشارات ورق سفید", "ورق سفید", "نشر", "قم", "varaghsefid", 14),
    _abroad(
        "en",
        "Imaginary Freight Lines",
        "Imaginary Freight",
        ("Logistics", "imaginaryfreight"),
        ("Dubai", "AE", "AED"),
    ),
    _abroad(
        "en",
        "Placeholder Instruments Inc.",
        "Placeholder",
        ("Instruments", "placeholder-inst"),
        ("Boston", "US", "USD"),
    ),
    _abroad(
        "en",
        "Sample & Sons Trading",
        "Sample & Sons",
        ("Trade", "sampleandsons"),
        ("Chicago", "US", "USD"),
    ),
    _abroad(
        "en",
        "Fictional Foods Group",
        "Fictional Foods",
        ("Food", "fictionalfoods"),
        ("Denver", "US", "USD"),
    ),
    _abroad(
        "en", "Example Optics", "Example Optics", ("Optics", "optics-demo"), ("Austin", "US", "USD")
    ),
    _abroad(
        "en", "Testbed Textiles", "Testbed", ("Textiles", "testbedtextiles"), ("Dubai", "AE", "AED")
    ),
    _abroad(
        "fr",
        "Société Exemple et Cie",
        "Exemple et Cie",
        ("Négoce", "exemple-et-cie"),
        ("Lyon", "FR", "EUR"),
    ),
    _abroad(
        "fr",
        "Vignobles Imaginaires",
        "Vignobles Imaginaires",
        ("Vin", "vignobles-imaginaires"),
        ("Bordeaux", "FR", "EUR"),
    ),
    _abroad(
        "fr",
        "Ateliers de l'Hypothèse",
        "L'Hypothèse",
        ("Mécanique", "hypothese"),
        ("Nantes", "FR", "EUR"),
    ),
)

# People of the sample are called by what they do, so that nobody real is among them.
ROLES = {
    "fa": ("مدیر خرید", "مدیر فنی"),
    "en": ("Head of Purchasing", "Technical Director"),
    "fr": ("Responsable des achats", "Directeur technique"),
}
DEALS = {
    "fa": (
        "قرارداد سالانهٔ پشتیبانی",
        "سامانهٔ مدیریت انبار",
        "تمدید مجوز ۲۵ کاربره",
        "آموزش کارکنان فروش",
        "ارتقای نسخهٔ سازمانی",
    ),
    "en": (
        "Annual support contract",
        "Warehouse system",
        "Renewal for 25 users",
        "Training of the sales team",
        "Upgrade to the group edition",
    ),
    "fr": (
        "Contrat d'assistance annuel",
        "Système d'entrepôt",
        "Renouvellement pour 25 utilisateurs",
        "Formation de l'équipe de vente",
    ),
}
TASKS = {
    "fa": (
        "تماس برای پیگیری پیش‌فاکتور",
        "ارسال مشخصات فنی",
        "جلسهٔ نیازسنجی",
        "هماهنگی بازدید از محل",
        "یادآوری مهلت مناقصه",
    ),
    "en": (
        "Call about the offer",
        "Send the technical data",
        "Meeting on requirements",
        "Arrange the site visit",
        "Remind them of the deadline",
    ),
    "fr": (
        "Appeler au sujet de l'offre",
        "Envoyer la fiche technique",
        "Réunion sur les besoins",
        "Organiser la visite du site",
    ),
}
# The last one is why a deal was lost.
NOTES = {
    "fa": (
        "پیشنهاد قیمت را پسندیدند و هفتهٔ آینده تصمیم می‌گیرند.",
        "بودجه تا پایان فصل تصویب می‌شود.",
        "خواستند نمونهٔ گزارش ماهانه را ببینند.",
        "بودجهٔ امسال تصویب نشد",
    ),
    "en": (
        "They liked the offer and decide next week.",
        "The budget will be approved by the end of the quarter.",
        "They asked to see a sample of the monthly report.",
        "This year's budget was not approved",
    ),
    "fr": (
        "L'offre leur plaît ; décision la semaine prochaine.",
        "Le budget sera approuvé d'ici la fin du trimestre.",
        "Le budget de cette année n'a pas été approuvé",
    ),
}
