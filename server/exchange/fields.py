"""What a table can bring: the fields of each kind of record, and the headers by which they are known. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from server.core.i18n import mark
from server.core.text import fold
from server.exchange.rules import ImportKind


class Shape(StrEnum):
    """How the cells of a field are read."""

    LINE = "line"
    TEXT = "text"
    LIST = "list"
    DATE = "date"
    MONEY = "money"
    CURRENCY = "currency"
    WHOLE = "whole"
    OWNER = "owner"
    COMPANY = "company"
    STAGE = "stage"


MANY = frozenset({Shape.LIST, Shape.TEXT})  # several columns may bring such a field together


@dataclass(frozen=True)
class Field:
    """A field that a column can bring. `headers` are the words by which it is recognised, folded."""

    name: str
    label: str
    shape: Shape
    headers: str = ""

    def known_as(self) -> frozenset[str]:
        """Return the headers that mean this field, in the form of `header_key`."""
        words = {header_key(word) for word in self.headers.split("|")}
        return frozenset(words | {header_key(self.name), header_key(f"{self.name}_id")})


_OWNER = Field(
    "owner",
    mark("Owner"),
    Shape.OWNER,
    "sales agent|agent|sales rep|salesperson|assigned to|responsible|account manager|account owner"
    "|lead owner|deal owner|contact owner|user|مسئول|کارشناس|کارشناس فروش|فروشنده|مالک"
    "|responsable|commercial|vendeur|proprietaire",
)
_EXTERNAL_ID = Field(
    "external_id",
    mark("External id"),
    Shape.LINE,
    "id|opportunity id|deal id|account id|company id|contact id|person id|customer id|record id"
    "|customer code|code|شناسه|کد|کد مشتری|شناسه خارجی|identifiant|ref|reference",
)
_NOTES = Field(
    "notes",
    mark("Notes"),
    Shape.TEXT,
    "note|comment|comments|description|remarks|یادداشت|توضیحات|شرح|remarque|remarques|commentaire",
)
_EMAILS = Field(
    "emails",
    mark("Email addresses"),
    Shape.LIST,
    "email|e-mail|mail|email address|work email|email 1|email 2|ایمیل|رایانامه|پست الکترونیک|courriel"
    "|adresse email",
)
_PHONES = Field(
    "phones",
    mark("Telephone numbers"),
    Shape.LIST,
    "phone|telephone|tel|phone number|mobile|mobile phone|cell|cell phone|work phone|phone 1|phone 2"
    "|تلفن|شماره تلفن|موبایل|تلفن همراه|همراه|شماره تماس|تماس|téléphone|portable",
)
_COMPANY = Field(
    "company",
    mark("Company"),
    Shape.COMPANY,
    "account|account name|company name|organization|organisation|organization name|customer|client"
    "|employer|شرکت|نام شرکت|سازمان|مشتری|entreprise|société|compte",
)

FIELDS: dict[ImportKind, tuple[Field, ...]] = {
    ImportKind.COMPANIES: (
        Field(
            "name",
            mark("Name"),
            Shape.LINE,
            "account|account name|company|company name|organization|organisation|organization name"
            "|customer|customer name|client|نام|نام شرکت|شرکت|سازمان|نام مشتری|nom|entreprise|société",
        ),
        Field(
            "industry",
            mark("Industry"),
            Shape.LINE,
            "sector|branch|business|صنعت|حوزه فعالیت|زمینه فعالیت|secteur|industrie|branche",
        ),
        Field("website", mark("Website"), Shape.LINE, "web|url|site|homepage|وبسایت|سایت|site web"),
        _EMAILS,
        _PHONES,
        Field(
            "address",
            mark("Address"),
            Shape.TEXT,
            "street|street address|آدرس|نشانی|adresse|rue",
        ),
        Field("city", mark("City"), Shape.LINE, "town|location|شهر|ville"),
        Field(
            "country",
            mark("Country"),
            Shape.LINE,
            "office location|headquarters|nation|کشور|pays",
        ),
        Field(
            "founded_year",
            mark("Founded in the year"),
            Shape.WHOLE,
            "year established|established|founded|year founded|سال تاسیس|année de création",
        ),
        Field(
            "annual_revenue",
            mark("Annual revenue"),
            Shape.MONEY,
            "revenue|turnover|sales volume|درآمد|درآمد سالانه|گردش مالی|chiffre d'affaires",
        ),
        Field(
            "revenue_currency",
            mark("Currency of the revenue"),
            Shape.CURRENCY,
            "currency|ارز|واحد پول|devise",
        ),
        Field(
            "employees",
            mark("Employees"),
            Shape.WHOLE,
            "number of employees|no of employees|headcount|staff|size|تعداد کارکنان|کارکنان"
            "|effectif|effectifs|salariés",
        ),
        Field(
            "parent_company",
            mark("Parent company"),
            Shape.COMPANY,
            "subsidiary of|parent|parent account|belongs to|شرکت مادر|زیرمجموعه|société mère|filiale de",
        ),
        _OWNER,
        _EXTERNAL_ID,
        _NOTES,
    ),
    ImportKind.PEOPLE: (
        Field(
            "first_name",
            mark("First name"),
            Shape.LINE,
            "firstname|given name|نام|نام کوچک|prénom",
        ),
        Field(
            "last_name",
            mark("Last name"),
            Shape.LINE,
            "lastname|surname|family name|نام خانوادگی|فامیل|nom|nom de famille",
        ),
        Field(
            "display_name",
            mark("Full name"),
            Shape.LINE,
            "full name|name|contact|contact name|person|نام کامل|نام و نام خانوادگی|مخاطب|nom complet",
        ),
        Field(
            "job_title",
            mark("Job title"),
            Shape.LINE,
            "title|position|role|function|سمت|عنوان شغلی|شغل|poste|fonction",
        ),
        _EMAILS,
        _PHONES,
        _COMPANY,
        _OWNER,
        _EXTERNAL_ID,
        _NOTES,
    ),
    ImportKind.DEALS: (
        Field(
            "title",
            mark("Title"),
            Shape.LINE,
            "deal|deal name|deal title|opportunity|opportunity name|name|subject|عنوان|عنوان معامله"
            "|نام معامله|فرصت|موضوع|titre|affaire|opportunité|nom",
        ),
        Field(
            "amount",
            mark("Amount"),
            Shape.MONEY,
            "close value|value|deal value|deal amount|price|total|sum|revenue|مبلغ|ارزش|قیمت|مبلغ معامله"
            "|montant|valeur",
        ),
        Field("currency", mark("Currency"), Shape.CURRENCY, "ارز|واحد پول|devise"),
        Field(
            "stage",
            mark("Stage"),
            Shape.STAGE,
            "deal stage|status|phase|pipeline stage|state|sales stage|مرحله|وضعیت|étape|statut",
        ),
        Field(
            "probability",
            mark("Probability"),
            Shape.WHOLE,
            "chance|win probability|احتمال|probabilité",
        ),
        Field(
            "engaged_on",
            mark("Opened on"),
            Shape.DATE,
            "engage date|open date|opened|opened on|start date|created|created on|created at"
            "|creation date|تاریخ شروع|تاریخ ایجاد|تاریخ ثبت|date d'ouverture|date de création",
        ),
        Field(
            "closed_on",
            mark("Closed on"),
            Shape.DATE,
            "close date|closed|closed date|closing date|end date|won date|تاریخ بستن|تاریخ پایان"
            "|تاریخ فروش|date de clôture|date de fermeture",
        ),
        Field(
            "expected_close_on",
            mark("Expected to close on"),
            Shape.DATE,
            "expected close date|expected close|forecast date|due date|تاریخ پیش بینی|سررسید"
            "|date prévue|clôture prévue",
        ),
        _COMPANY,
        Field(
            "product",
            mark("Product"),
            Shape.LINE,
            "product name|item|service|محصول|کالا|خدمت|produit",
        ),
        _OWNER,
        Field(
            "lost_reason",
            mark("Reason for the loss"),
            Shape.LINE,
            "loss reason|reason lost|close reason|دلیل باخت|علت شکست|raison de la perte",
        ),
        _EXTERNAL_ID,
    ),
}


def header_key(text: str) -> str:
    """Return a header in the form in which it is compared: folded, without what stands in brackets."""
    return fold(text.partition("(")[0].replace("_", " ")).replace(" ", "") or fold(text)


def field_of(kind: ImportKind, name: str) -> Field | None:
    """Return the field of that name, also by the name it has in the API: `owner_id` is `owner`."""
    key = header_key(name)
    return next(
        (
            field
            for field in FIELDS[kind]
            if key in {header_key(field.name), header_key(f"{field.name}_id")}
        ),
        None,
    )


def guess(kind: ImportKind, headers: Iterable[str]) -> dict[str, str]:
    """Return the field that each header is taken for; headers that say nothing are left out."""
    known = {word: field for field in reversed(FIELDS[kind]) for word in field.known_as()}
    exact = {header_key(field.name): field for field in FIELDS[kind]}
    found: dict[str, str] = {}
    for header in sorted(headers, key=lambda header: header_key(header) not in exact):
        field = exact.get(header_key(header)) or known.get(header_key(header))
        if field and (field.shape in MANY or field.name not in found.values()):
            found[header] = field.name
    return found
