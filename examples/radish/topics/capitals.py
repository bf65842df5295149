"""Countries, their continents and capitals."""

import re
from random import Random

from .base import Case, Topic, Turn, ask

COUNTRIES: tuple[tuple[str, str, str], ...] = tuple(
    tuple(part.strip() for part in line.split(","))  # type: ignore[misc]
    for line in """
    France, Paris, Europe
    Italy, Rome, Europe
    Germany, Berlin, Europe
    Spain, Madrid, Europe
    Portugal, Lisbon, Europe
    Austria, Vienna, Europe
    Belgium, Brussels, Europe
    Denmark, Copenhagen, Europe
    Sweden, Stockholm, Europe
    Norway, Oslo, Europe
    Finland, Helsinki, Europe
    Iceland, Reykjavik, Europe
    Ireland, Dublin, Europe
    Poland, Warsaw, Europe
    Hungary, Budapest, Europe
    Greece, Athens, Europe
    Bulgaria, Sofia, Europe
    Romania, Bucharest, Europe
    Croatia, Zagreb, Europe
    Serbia, Belgrade, Europe
    Slovenia, Ljubljana, Europe
    Slovakia, Bratislava, Europe
    Ukraine, Kyiv, Europe
    Estonia, Tallinn, Europe
    Latvia, Riga, Europe
    Lithuania, Vilnius, Europe
    Albania, Tirana, Europe
    Malta, Valletta, Europe
    Luxembourg, Luxembourg, Europe
    Switzerland, Bern, Europe
    Russia, Moscow, Europe
    Czechia, Prague, Europe
    England, London, Europe
    the Netherlands, Amsterdam, Europe
    the United Kingdom, London, Europe
    China, Beijing, Asia
    Japan, Tokyo, Asia
    India, New Delhi, Asia
    Thailand, Bangkok, Asia
    Vietnam, Hanoi, Asia
    Indonesia, Jakarta, Asia
    Nepal, Kathmandu, Asia
    Mongolia, Ulaanbaatar, Asia
    South Korea, Seoul, Asia
    Pakistan, Islamabad, Asia
    Bangladesh, Dhaka, Asia
    Iran, Tehran, Asia
    Iraq, Baghdad, Asia
    Turkey, Ankara, Asia
    Cambodia, Phnom Penh, Asia
    Laos, Vientiane, Asia
    Malaysia, Kuala Lumpur, Asia
    Saudi Arabia, Riyadh, Asia
    the Philippines, Manila, Asia
    Egypt, Cairo, Africa
    Morocco, Rabat, Africa
    Kenya, Nairobi, Africa
    Ghana, Accra, Africa
    Senegal, Dakar, Africa
    Ethiopia, Addis Ababa, Africa
    Tunisia, Tunis, Africa
    Algeria, Algiers, Africa
    Uganda, Kampala, Africa
    Nigeria, Abuja, Africa
    South Africa, Pretoria, Africa
    Canada, Ottawa, North America
    Mexico, Mexico City, North America
    Cuba, Havana, North America
    Jamaica, Kingston, North America
    the United States, Washington, North America
    Brazil, Brasilia, South America
    Argentina, Buenos Aires, South America
    Chile, Santiago, South America
    Peru, Lima, South America
    Colombia, Bogota, South America
    Uruguay, Montevideo, South America
    Ecuador, Quito, South America
    Venezuela, Caracas, South America
    Australia, Canberra, Oceania
    New Zealand, Wellington, Oceania
    """.strip().splitlines()
)

ASK_CAPITAL = (
    "(what is|what's|whats|tell me|name|do you know|say|give me|i want to know|i forgot) the capital( city|) of <country>",
    "(which|what) (city|town) is the capital( city|) of <country>",
    "(capital|the capital|capital city) of <country>",
    "(what is|what's|name|tell me) <country>'s capital( city|)",
    "<country>'s capital",
    "what is the capital of the country (of |called |)<country>",
    "what capital (does <country> have|has <country>)",
)
_CONTINENT = (
    "(where|on which continent|on what continent|in which part of the world) is <country>( located|)",
    "(what|which) continent is <country> (on|in)",
    "(tell me|say something) about <country>",
    "what is <country>",
    "do you know <country>",
)
_COUNTRY = (
    "(which|what) country is <city> the capital( city|) of",
    "<city> is the capital of (which|what) country",
    "(where is|tell me about|do you know|say something about|what is) <city>",
)


def capital(country: str, city: str) -> str:
    """The reply to a question for a capital."""
    return f"The capital of {country} is {city}."


def continent(country: str, where: str) -> str:
    """The reply to a question about a country."""
    return f"{country[0].upper()}{country[1:]} is a country in {where}."


def home(country: str, city: str) -> str:
    """The reply to a question about a city."""
    return f"{city} is the capital of {country}."


def country_or_capital(rng: Random) -> Turn:
    """A question for a capital, a country or a city."""
    country, city, where = rng.choice(COUNTRIES)
    draw = rng.random()
    if draw < 0.7:
        user, reply = _ask(ASK_CAPITAL, country, city, rng), capital(country, city)
        return Turn(user, reply, f"{city}.", continent(country, where), "capital", country)
    if draw < 0.85 or city == country:
        user, reply = _ask(_CONTINENT, country, city, rng), continent(country, where)
        return Turn(user, reply, f"In {where}.", capital(country, city), "country", country)
    user, reply = _ask(_COUNTRY, country, city, rng), home(country, city)
    return Turn(user, reply, f"In {country}.", continent(country, where), "country", country)


def _make(rng: Random, history: tuple[Turn, ...]) -> Turn:
    return country_or_capital(rng)


def _ask(patterns: tuple[str, ...], country: str, city: str, rng: Random) -> str:
    pattern = rng.choice(patterns)
    lower = rng.random() < 0.15
    fill = {"<country>": country, "<city>": city}
    for mark, name in fill.items():
        pattern = pattern.replace(mark, name.lower() if lower else name)
    return ask(pattern, rng)


_HELD_OUT = (
    ("I would like to hear the capital of {0}", "France Japan Kenya Peru Russia"),
    ("please name the capital city for {0}", "Italy Egypt Canada Norway"),
    ("{0}: what is its capital?", "Germany China Chile Ghana"),
    ("could you say what the capital of {0} is called?", "Spain India Cuba Sweden"),
    ("what do they call the capital of {0}?", "Greece Brazil Nepal Poland Nigeria"),
)
_CASES = tuple(
    Case(wording.format(country), re.escape(capital(country, city)))
    for wording, countries in _HELD_OUT
    for country, city, _ in COUNTRIES
    if country in countries.split()
)

CAPITALS = Topic("capitals", 1.3, _make, _CASES)
