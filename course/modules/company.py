"""Make the data of Northbean, the small wholesaler of coffee equipment that every module works on.

`python course/modules/company.py` writes each module's `data/*.csv`; the files are committed, and running it again
gives the same bytes. It is one file, so that an author who wants another company copies one file. Northbean sells to
cafés, offices, hotels and roasters in five countries. Money is in euro without VAT, days are calendar days. Every
name is invented.

tables-and-cleaning        as systems export it: `;` between cells, decimal commas, untidy on purpose
  orders_export.csv        Order No · Order Date (2026-02-03 from the web shop, 03/02/2026 day first from the phone desk,
                           3 Feb 2026 from the sales reps) · Channel · Customer · Country · Product · Qty ·
                           Unit Price (1.249,00; `on request` when not agreed yet) · Discount % (empty: none) · Status
  customers_export.csv     Customer No · Name · City · Segment · Customer Since · Credit Limit (empty: not decided yet) · E-mail
grouping-and-joining       clean, the year 2025
  customers.csv            customer_id · name · segment · city · country · since. Some did not order that year.
  products.csv             product_id · product · category · list_price · unit_cost
  orders.csv               order_id · order_date · customer_id · channel · shipped_date (empty: not shipped yet).
                           Orders of the closed cash account C999 have no customer.
  order_lines.csv          order_id · line · product_id · quantity · unit_price (after discount)
  returns.csv              return_id · order_id · product_id · return_date · quantity · reason
  account_managers.csv     country · manager. France stands there twice, because of a handover.
charts-that-do-not-lie
  monthly_sales.csv        month (first day) · region · orders · revenue · cost · returned_orders; January 2024 to June 2026.
                           Wholesale and the shop for private buyers together, so more than the orders of other files
  deliveries.csv           order_id · order_date · carrier · country · days (order to delivery)
  satisfaction.csv         quarter · segment · responses · mean_score (1 to 10)
repeatable-reports         one export a month, and what was planned
  orders_2026_09.csv       order_id · order_date · customer_id · country · category · product · quantity · unit_price · status.
                           Fit to report, but for one repeated row.
  orders_2026_10.csv       the same columns, with faults a report must stop at: rows repeated, a quantity below zero, an
                           unknown country, a missing price, a date of the month after
  targets.csv              country · monthly_target (revenue)
"""

from __future__ import annotations

import csv
import sys
from calendar import monthrange
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from random import Random

MODULES_DIR = Path(__file__).parent
Row = Sequence[object]


@dataclass(frozen=True)
class Product:
    """What Northbean sells; `weight` is how often it is ordered, `pack` how many at a time at most."""

    product_id: str
    name: str
    category: str
    list_price: float
    unit_cost: float
    weight: int
    pack: int


@dataclass(frozen=True)
class Customer:
    """Who buys; `weight` is how often, 0 for one that never ordered."""

    customer_id: str
    name: str
    segment: str
    city: str
    country: str
    since: date
    weight: float


PRODUCTS = tuple(
    Product(f"P{number:02}", *fields)
    for number, fields in enumerate(
        (
            ("Espresso machine Duo", "machines", 2890.0, 2050.0, 3, 2),
            ("Espresso machine Solo", "machines", 1249.0, 880.0, 5, 2),
            ("Filter brewer Batch 2", "machines", 689.0, 470.0, 5, 3),
            ("Grinder Flat 64", "grinders", 1090.0, 760.0, 4, 2),
            ("Grinder Conic 40", "grinders", 429.0, 285.0, 7, 3),
            ("Hand grinder Pocket", "grinders", 89.0, 51.0, 6, 8),
            ("Gooseneck kettle 1 L", "brewing", 74.5, 41.0, 11, 10),
            ("Pour-over dripper", "brewing", 24.9, 11.5, 10, 24),
            ("French press 1 L", "brewing", 34.5, 16.0, 8, 18),
            ("Precision scale", "brewing", 129.0, 78.0, 8, 6),
            ("Milk jug 0.6 L", "brewing", 18.9, 8.2, 10, 24),
            ("Filter papers, 500", "consumables", 12.4, 5.1, 16, 40),
            ("Cleaning tablets, 100", "consumables", 21.9, 9.4, 15, 30),
            ("Descaler 1 L", "consumables", 14.5, 5.9, 12, 24),
            ("Paper cups, 1000", "consumables", 58.0, 37.0, 13, 20),
            ("Water filter cartridge", "consumables", 46.0, 27.5, 10, 12),
            ("Group gasket set", "spare parts", 19.5, 7.8, 7, 10),
            ("Steam wand tip", "spare parts", 27.0, 11.0, 4, 6),
            ("Grinder burrs 64 mm", "spare parts", 139.0, 82.0, 4, 3),
            ("Demo display stand", "spare parts", 240.0, 165.0, 0, 1),
        ),
        start=1,
    )
)
KETTLE = PRODUCTS[6]

CITIES = {
    "Belgium": ("Antwerp", "Ghent", "Liège", "Namur"),
    "Netherlands": ("Rotterdam", "Utrecht", "Breda"),
    "France": ("Lille", "Reims", "Metz"),
    "Germany": ("Aachen", "Cologne", "Trier"),
    "Luxembourg": ("Luxembourg",),
}
COUNTRY_WEIGHTS = {"Belgium": 9, "Netherlands": 6, "France": 5, "Germany": 4, "Luxembourg": 2}
FIRST_WORDS = "Luna Orient Canal Linden Harbour Meridian Atlas Robin Velvet Station Copper Juniper".split()
LAST_WORDS = {
    "cafe": ("Café", "Coffee Bar", "Espresso Room"),
    "office": ("Partners", "Insurance", "Studios"),
    "hotel": ("Hotel", "Inn", "Residence"),
    "roaster": ("Roasters", "Coffee Works", "Roastery"),
}
HOLIDAYS = {(1, 1), (5, 1), (12, 25), (12, 26)}
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
MONTH_WEIGHTS = (7, 7, 8, 8, 8, 7, 5, 5, 9, 10, 12, 14)


def make_customers() -> tuple[Customer, ...]:
    """Return 64 customers; a few are large, every sixth never ordered."""
    random = Random("customers")
    names: set[str] = set()
    customers = []
    while len(customers) < 64:
        segment = random.choices(list(LAST_WORDS), weights=(30, 16, 11, 7))[0]
        name = f"{random.choice(FIRST_WORDS)} {random.choice(LAST_WORDS[segment])}"
        if name in names:
            continue
        names.add(name)
        country = random.choices(list(COUNTRY_WEIGHTS), weights=list(COUNTRY_WEIGHTS.values()))[0]
        number = len(customers)
        customers.append(
            Customer(
                customer_id=f"C{101 + number}",
                name=name,
                segment=segment,
                city=random.choice(CITIES[country]),
                country=country,
                since=date(2016, 1, 4) + timedelta(days=random.randrange(3200)),
                weight=0 if number % 6 == 4 else round(random.paretovariate(1.4), 2),
            )
        )
    return tuple(customers)


def choose_day(random: Random, year: int, months: Sequence[int]) -> date:
    """Return a working day in one of `months`, busy months more often."""
    month = random.choices(months, weights=[MONTH_WEIGHTS[month - 1] for month in months])[0]
    last = monthrange(year, month)[1]
    working_days = [day for number in range(1, last + 1) if is_working_day(day := date(year, month, number))]
    return random.choice(working_days)


def is_working_day(day: date) -> bool:
    return day.weekday() < 5 and (day.month, day.day) not in HOLIDAYS


def choose_products(random: Random, count: int) -> list[Product]:
    """Return `count` different products, the popular ones more often."""
    chosen: dict[str, Product] = {}
    while len(chosen) < count:
        product = random.choices(PRODUCTS, weights=[product.weight for product in PRODUCTS])[0]
        chosen[product.product_id] = product
    return list(chosen.values())


def choose_customer(random: Random, customers: Sequence[Customer]) -> Customer:
    return random.choices(customers, weights=[customer.weight for customer in customers])[0]


@dataclass(frozen=True)
class Line:
    """One line of an order; price in euro, after discount."""

    order_id: str
    order_date: date
    customer: Customer
    channel: str
    number: int
    product: Product
    quantity: int
    discount_percent: int

    @property
    def unit_price(self) -> float:
        return round(self.product.list_price * (100 - self.discount_percent) / 100, 2)


def make_lines(seed: str, orders: int, year: int, months: Sequence[int]) -> list[Line]:
    """Return the lines of `orders` orders in date order, numbered from O-<year>-001 on."""
    random = Random(seed)
    customers = make_customers()
    lines = []
    for number, day in enumerate(sorted(choose_day(random, year, months) for _ in range(orders)), start=1):
        customer = choose_customer(random, customers)
        channel = random.choices(("web", "phone", "rep"), weights=(5 + day.month / 3, 4, 3))[0]
        discount = random.choices((0, 5, 10, 15), weights=(12, 4, 3, 1))[0]
        products = choose_products(random, random.choices((1, 2, 3, 4, 5), weights=(8, 8, 5, 3, 1))[0])
        for line_number, product in enumerate(products, start=1):
            quantity = 1 + int(random.random() ** 2 * product.pack)
            order_id = f"O-{year}-{number:03}"
            lines.append(Line(order_id, day, customer, channel, line_number, product, quantity, discount))
    return lines


# --- tables-and-cleaning -------------------------------------------------------------------------------------------


def comma_number(value: float) -> str:
    """Return `value` as a European spreadsheet shows it: 1249.5 → 1.249,50."""
    return f"{value:,.2f}".translate(str.maketrans({",": ".", ".": ","}))


def untidy(random: Random, text: str) -> str:
    """Return `text`, five times in nine with the spaces or capitals that typing leaves."""
    typed = (f"{text} ", f"  {text}", text.upper(), text.lower(), text.replace(" ", "  "))
    return random.choice((text,) * 4 + typed)


COUNTRY_SPELLINGS = {
    "Belgium": ("Belgium", "BE", "belgium", "Belgique"),
    "Netherlands": ("Netherlands", "NL", "The Netherlands", "netherlands "),
    "France": ("France", "FR", "france", "FRANCE"),
    "Germany": ("Germany", "DE", "Deutschland", "germany"),
    "Luxembourg": ("Luxembourg", "LU", "luxembourg"),
}
SEGMENT_SPELLINGS = {
    "cafe": ("cafe", "Cafe", "Café", "cafe ", "coffee bar"),
    "office": ("office", "Office", "OFFICE", "offices"),
    "hotel": ("hotel", "Hotel", " hotel", "hotels"),
    "roaster": ("roaster", "Roaster", "roaster ", "roastery"),
}


def channel_date(day: date, channel: str) -> str:
    """Return `day` as that channel writes it."""
    forms = {
        "web": f"{day:%Y-%m-%d}",
        "phone": f"{day:%d/%m/%Y}",
        "rep": f"{day.day} {MONTHS[day.month - 1]} {day.year}",
    }
    return forms[channel]


def typed_order(random: Random, line: Line) -> tuple[str, str, str]:
    """Return date, customer and country of an order as somebody typed them."""
    order_date = channel_date(line.order_date, line.channel) if random.random() > 0.03 else ""
    country = random.choice(COUNTRY_SPELLINGS[line.customer.country]) if random.random() > 0.03 else ""
    return order_date, untidy(random, line.customer.name), country


def typed_price(random: Random, price: float) -> str:
    draw = random.random()
    if draw < 0.04:
        return "on request" if draw < 0.025 else "n/a"
    return f"€ {comma_number(price)}" if draw > 0.88 else comma_number(price)


def typed_quantity(random: Random, quantity: int) -> str:
    draw = random.random()
    return "" if draw < 0.015 else f"{quantity} pcs" if draw < 0.04 else str(quantity)


def orders_export() -> Iterator[Row]:
    yield "Order No;Order Date ;Channel; Customer;Country;Product;Qty;Unit Price;Discount %;Status".split(";")
    random = Random("orders export")
    rows: list[Row] = []
    order: tuple[str, str, str] = ("", "", "")
    status = ""
    for line in make_lines("first quarter of 2026", 110, 2026, (1, 2, 3)):
        if line.number == 1:
            order = typed_order(random, line)
            status = "cancelled" if random.random() < 0.05 else "shipped" if line.order_date.month < 3 else "open"
        order_date, customer, country = order
        quantity, price = typed_quantity(random, line.quantity), typed_price(random, line.product.list_price)
        discount = line.discount_percent or ""
        row = (
            line.order_id,
            order_date,
            line.channel,
            customer,
            country,
            line.product.name,
            quantity,
            price,
            discount,
            status,
        )
        rows.append(row)
        if random.random() < 0.03:
            rows.append(row)
    # Rows pasted in a second time at the end of the file, typed anew, so that they only match once they are clean.
    again = [(*row[:3], f"{str(row[3]).strip().upper()} ", *row[4:]) for row in (rows[11], rows[60], rows[118])]
    yield from [*rows, *again]


def customers_export() -> Iterator[Row]:
    yield "Customer No;Name ;City;Segment;Customer Since;Credit Limit;E-mail".split(";")
    random = Random("customers export")
    rows: list[Row] = []
    for customer in make_customers():
        for again in (False, True):
            if again and random.random() > 0.1:
                continue
            limit = random.choice((1000, 2500, 5000, 7500, 12000))
            row = (
                f" {customer.customer_id.lower()}" if again else customer.customer_id,
                untidy(random, customer.name),
                untidy(random, customer.city),
                random.choice(SEGMENT_SPELLINGS[customer.segment]),
                channel_date(customer.since, random.choice(("web", "phone"))),
                random.choice((comma_number(limit), f"€ {comma_number(limit)}", str(limit), "", "")),
                f"orders@{customer.name.split()[0].lower()}{customer.customer_id[1:]}.example"
                if random.random() > 0.15
                else "",
            )
            rows.append(row)
    yield from rows


# --- grouping-and-joining ------------------------------------------------------------------------------------------


def lines_of_2025() -> list[Line]:
    return make_lines("the year 2025", 420, 2025, range(1, 13))


def customers() -> Iterator[Row]:
    yield "customer_id name segment city country since".split()
    for customer in make_customers():
        yield (customer.customer_id, customer.name, customer.segment, customer.city, customer.country, customer.since)


def products() -> Iterator[Row]:
    yield "product_id product category list_price unit_cost".split()
    for product in PRODUCTS:
        yield (
            product.product_id,
            product.name,
            product.category,
            f"{product.list_price:.2f}",
            f"{product.unit_cost:.2f}",
        )


def orders() -> Iterator[Row]:
    yield "order_id order_date customer_id channel shipped_date".split()
    random = Random("orders")
    for line in lines_of_2025():
        if line.number > 1:
            continue
        shipped = line.order_date + timedelta(days=random.choices((1, 2, 3, 6), weights=(5, 6, 3, 1))[0])
        cash_account = random.random() < 0.02
        yield (
            line.order_id,
            line.order_date,
            "C999" if cash_account else line.customer.customer_id,
            line.channel,
            shipped if shipped < date(2025, 12, 29) else "",
        )


def order_lines() -> Iterator[Row]:
    yield "order_id line product_id quantity unit_price".split()
    for line in lines_of_2025():
        yield line.order_id, line.number, line.product.product_id, line.quantity, f"{line.unit_price:.2f}"


def returns() -> Iterator[Row]:
    yield "return_id order_id product_id return_date quantity reason".split()
    random = Random("returns")
    number = 0
    for line in lines_of_2025():
        kettle = line.product is KETTLE
        if random.random() > (0.3 if kettle else 0.035):
            continue
        reasons = (
            ("lid leaks", "lid leaks", "damaged in transit")
            if kettle
            else ("damaged in transit", "wrong item", "not needed")
        )
        number += 1
        yield (
            f"R{number:03}",
            line.order_id,
            line.product.product_id,
            line.order_date + timedelta(days=random.randint(4, 30)),
            random.randint(1, line.quantity),
            random.choice(reasons),
        )


def account_managers() -> Iterator[Row]:
    yield "country", "manager"
    yield "Belgium", "Els Vermeer"
    yield "Netherlands", "Joost Bakker"
    yield "France", "Amélie Roux"
    yield "France", "Karim Haddad"
    yield "Germany", "Jana Vogel"


# --- charts-that-do-not-lie ----------------------------------------------------------------------------------------

REGIONS = {"North": (210, 1.05), "East": (120, 1.0), "South": (150, 0.96), "West": (60, 1.12)}


def monthly_sales() -> Iterator[Row]:
    yield "month region orders revenue cost returned_orders".split()
    random = Random("monthly sales")
    for index in range(30):
        month = date(2024 + index // 12, index % 12 + 1, 1)
        for region, (monthly_orders, growth) in REGIONS.items():
            season = MONTH_WEIGHTS[month.month - 1] / (sum(MONTH_WEIGHTS) / 12)
            count = round(monthly_orders * season * growth ** (index / 12) * random.uniform(0.93, 1.07))
            revenue = round(count * random.uniform(395, 445))
            cost = round(revenue * random.uniform(0.672, 0.688) * (1 - index * 0.0004))
            yield month, region, count, revenue, cost, round(count * random.uniform(0.03, 0.06))


def deliveries() -> Iterator[Row]:
    yield "order_id order_date carrier country days".split()
    random = Random("deliveries")
    for number, line in enumerate(make_lines("deliveries", 260, 2026, range(1, 7))[:260], start=1):
        if random.random() < 0.5:
            carrier, days = "Regio Post", random.choices((3, 4, 5), weights=(2, 5, 2))[0]
        else:
            carrier, days = (
                "Swift Parcel",
                random.choices((1, 2, 3, 4, 9, 12, 15), weights=(6, 13, 6, 3, 2, 2, 2))[0],
            )
        yield f"D{number:03}", line.order_date, carrier, line.customer.country, days


def satisfaction() -> Iterator[Row]:
    yield "quarter segment responses mean_score".split()
    random = Random("satisfaction")
    for index in range(10):
        for segment, (responses, score) in {
            "cafe": (60, 7.8),
            "office": (34, 7.5),
            "hotel": (5, 7.6),
            "roaster": (12, 8.1),
        }.items():
            answered = max(3, round(responses * random.uniform(0.8, 1.2)))
            mean = score + random.gauss(0, 1.9) / answered**0.5
            yield f"{2024 + index // 4}-Q{index % 4 + 1}", segment, answered, f"{mean:.1f}"


# --- repeatable-reports --------------------------------------------------------------------------------------------


def monthly_export(month: int, order_count: int) -> Iterator[Row]:
    """Yield one month's export, faultless."""
    yield "order_id order_date customer_id country category product quantity unit_price status".split()
    random = Random(f"export of month {month}")
    for line in make_lines(f"2026-{month:02}", order_count, 2026, (month,)):
        yield (
            line.order_id.replace("2026-", f"2026{month:02}-"),
            line.order_date,
            line.customer.customer_id,
            line.customer.country,
            line.product.category,
            line.product.name,
            line.quantity,
            f"{line.unit_price:.2f}",
            "cancelled" if random.random() < 0.04 else "shipped",
        )


def september_export() -> Iterator[Row]:
    rows = list(monthly_export(9, 70))
    yield from [*rows, rows[40]]


def october_export() -> Iterator[Row]:
    rows = [list(row) for row in monthly_export(10, 80)]
    rows[12][6] = -4
    rows[33][3] = "Belgum"
    rows[58][7] = ""
    rows[97][1] = date(2026, 11, 2)
    yield from [*rows, rows[5], rows[70]]


def targets() -> Iterator[Row]:
    yield "country monthly_target".split()
    yield from {"Belgium": 12000, "Netherlands": 20000, "France": 12000, "Germany": 4000, "Luxembourg": 1500}.items()


TABLES: dict[str, tuple[Callable[[], Iterator[Row]], str]] = {
    "tables-and-cleaning/data/orders_export.csv": (orders_export, ";"),
    "tables-and-cleaning/data/customers_export.csv": (customers_export, ";"),
    "grouping-and-joining/data/customers.csv": (customers, ","),
    "grouping-and-joining/data/products.csv": (products, ","),
    "grouping-and-joining/data/orders.csv": (orders, ","),
    "grouping-and-joining/data/order_lines.csv": (order_lines, ","),
    "grouping-and-joining/data/returns.csv": (returns, ","),
    "grouping-and-joining/data/account_managers.csv": (account_managers, ","),
    "charts-that-do-not-lie/data/monthly_sales.csv": (monthly_sales, ","),
    "charts-that-do-not-lie/data/deliveries.csv": (deliveries, ","),
    "charts-that-do-not-lie/data/satisfaction.csv": (satisfaction, ","),
    "repeatable-reports/data/orders_2026_09.csv": (september_export, ","),
    "repeatable-reports/data/orders_2026_10.csv": (october_export, ","),
    "repeatable-reports/data/targets.csv": (targets, ","),
}


def write_tables(modules_dir: Path) -> tuple[Path, ...]:
    """Write every table below `modules_dir` and return the paths; the same bytes at every run."""
    written = []
    for name, (rows, delimiter) in TABLES.items():
        path = modules_dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, delimiter=delimiter, lineterminator="\n").writerows(rows())
        written.append(path)
    return tuple(written)


if __name__ == "__main__":
    for path in write_tables(MODULES_DIR):
        sys.stdout.write(f"{path.relative_to(MODULES_DIR)}\n")
