import contextlib
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotbot.replies import ContentError
from pilotbot.replies.templating import MAX_LENGTH, MAX_STEPS, compiled

VALUES: Mapping[str, object] = {
    "name": "Ana",
    "order": SimpleNamespace(id=7, items=["tea", "cup"], total=Decimal("12.5"), day=date(2026, 11, 20)),
    "row": {"items": ["a"], "price": 3},
    "none": None,
    "many": list(range(1000)),
    "long": "x" * 1000,
    "method": "x".upper,
}

REACHING_OUT = [
    "{{ ''.__class__ }}",
    "{{ name.__class__.__mro__[1].__subclasses__() }}",
    "{{ name['__class__'] }}",
    "{{ name|attr('__class__') }}",
    "{{ [name]|map(attribute='__class__')|list }}",
    "{{ self }}",
    "{{ self.__init__.__globals__ }}",
    "{{ lipsum.__globals__['os'] }}",
    "{{ cycler.__init__ }}",
    "{{ config }}",
    "{{ request }}",
    "{{ range(3) }}",
    "{{ dict(a=1) }}",
    "{{ '{0.__class__}'.format(name) }}",
    "{{ '{0.__class__}'|format(name) }}",
    "{% include 'x' %}",
    "{% import 'x' as x %}",
    "{% extends 'x' %}",
    "{% macro m() %}{% endmacro %}",
    "{% set x = 1 %}",
    "{% with x = 1 %}{{ x }}{% endwith %}",
    "{% filter upper %}x{% endfilter %}",
    "{% block b %}x{% endblock %}",
    "{% call name() %}{% endcall %}",
    "{% do name.append(1) %}",
    "{% for a in many recursive %}{% endfor %}",
    "{{ name() }}",
    "{{ method }}",
    "{{ many }}",
    "{{ row }}",
    "{{ many|map('string') }}",
    "{{ order.items.append(1) }}",
]

BOMBS = [
    "{{ 'a'*50000000 }}",
    "{{ 50000000*'a' }}",
    "{{ [0]*50000000 }}",
    "{{ many*50000000 }}",
    "{{ '%050000000d' % 1 }}",
    "{{ '%0999999999d'|format(1) }}",
    "{{ 'a'|center(50000000) }}",
    "{{ 'a'.ljust(50000000) }}",
    "{{ 'a'|indent(50000000) }}",
    "{{ 9**(9**9) }}",
    "{{ (9**9)**(9**9) }}",
    "{{ ((((((((9**16)**16)**16)**16)**16)**16)**16)**16)**16 }}",
    "{{ 1.5|round(1000000000) }}",
    "{{ 1.5|fixed(1000000000) }}",
    "{{ order.day|date('%1000000000Y') }}",
    "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
    "{% for a in many %}{% for b in many %}{% for c in many %}{% endfor %}{% endfor %}{% endfor %}",
    "{% for a in many %}{{ long }}{% endfor %}",
    "{{ many|join(long) }}",
    "{{ long|list|join(long)|list|join(long) }}",
    "{{ long|batch(1)|list }}",
    "{{ long|replace('x', long) }}",
    "{% set x = long ~ long %}{% set x = x ~ x %}{{ x }}",
    "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
    "{{ " + "-" * 5000 + "1 }}",
    "{% if 1 %}" * 300 + "{% endif %}" * 300,
    "{{ name }}" * (MAX_LENGTH // 10 + 1),
]


@pytest.mark.parametrize("source", REACHING_OUT)
def test_templates_can_not_reach_out(source: str) -> None:
    with pytest.raises(ContentError):
        compiled(source).render(VALUES)


@pytest.mark.parametrize("source", BOMBS, ids=range(len(BOMBS)))
def test_bombs_are_refused_before_they_grow(source: str) -> None:
    with pytest.raises(ContentError):
        compiled(source).render(VALUES)


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("no jinja, 100% {plain}", "no jinja, 100% {plain}"),
        ("Hi {{ name }}!", "Hi Ana!"),
        ("{{ order.id }} {{ row['items'][0] }} {{ row.price * 2 }}", "7 a 6"),
        ("{{ order['items']|join(', ') }} {{ order['items']|length }}", "tea, cup 2"),
        ("{% for item in order['items'] %}{{ loop.index }}. {{ item }}\n{% endfor %}", "1. tea\n2. cup\n"),
        ("{% for item in order['items'] %}{{ item }}{{ ', ' if not loop.last }}{% endfor %}", "tea, cup"),
        ("{% if order.id > 5 %}big{% else %}small{% endif %}", "big"),
        ("{{ name|upper ~ '!' }} {{ none }}{{ other|default('x') }}", "ANA! x"),
        ("{{ order.total|fixed }} {{ order.total|fixed(2, ',') }} {{ order.total|round(1) }}", "12.50 12,50 12.5"),
        ("{{ order.day|date }} {{ order.day|date('%d.%m. 100%%') }}", "20/11/2026 20.11. 100%"),
        ("{{ [row]|map(attribute='price')|sum }} {{ [row]|join('', 'price') }}", "3 3"),
        ("{{ 2 ** 10 }} {{ 7 % 4 }} {{ 7 // 2 }}", "1024 3 3"),
        ("{% raw %}{{ name }}{% endraw %}", "{{ name }}"),
    ],
)
def test_what_authors_need_works(source: str, shown: str) -> None:
    assert compiled(source).render(VALUES) == shown


def test_joins_stop_while_they_grow() -> None:
    with pytest.raises(ContentError, match="join gives more"):
        compiled("{{ long|list|join(long) }}").render(VALUES)


@pytest.mark.parametrize("places", [-1, 11])
def test_places_are_bounded(places: int) -> None:
    for name in ("fixed", "round"):
        with pytest.raises(ContentError, match=f"{name} takes 0 to 10 places"):
            compiled(f"{{{{ 1.5|{name}(places) }}}}").render({"places": places})


def test_jinja_s_own_functions_are_not_there() -> None:
    assert compiled("{{ range is defined }} {{ lipsum is defined }}").render({}) == "False False"


def test_a_missing_value_is_named_with_the_remedy() -> None:
    with pytest.raises(ContentError, match=r"no value for order\. Pass it: ctx\.reply\(message, order=\.\.\.\)"):
        compiled("{{ order.id }}").render({})


def test_errors_do_not_repeat_values() -> None:
    for source in ("{{ name.nothing }}", "{{ {}[name] }}", "{{ name + 1 }}", "{{ name|round }}", "{{ [][name] }}"):
        with pytest.raises(ContentError) as refused:
            compiled(source).render({"name": "Bruno-secret"})
        assert "Bruno-secret" not in str(refused.value)


def test_an_error_names_the_place() -> None:
    with pytest.raises(ContentError, match="it has no 'nothing'"):
        compiled("{{ name.nothing }}").render(VALUES)
    with pytest.raises(ContentError, match="line 2"):
        compiled("first\n{{ second")


def test_variables_are_the_top_level_names() -> None:
    source = "{{ order.id }}{% for item in rows %}{{ item }}{{ loop.index }}{% endfor %}{{ name|upper }}"
    assert compiled(source).variables == {"order", "rows", "name"}


def test_a_loop_within_the_budget_runs() -> None:
    assert compiled("{% for a in many %}.{% endfor %}").render({"many": range(MAX_STEPS)}) == "." * MAX_STEPS
    with pytest.raises(ContentError):
        compiled("{% for a in many %}{% endfor %}").render({"many": range(MAX_STEPS + 1)})


@given(st.text())
def test_values_are_data(value: str) -> None:
    assert compiled("<{{ value }}>").render({"value": value}) == f"<{value}>"


@given(st.text(alphabet="{}%#ax .|()'*[]_0-\n", max_size=60))
def test_any_source_compiles_or_is_refused_and_never_crashes(source: str) -> None:
    with contextlib.suppress(ContentError):
        compiled(source).render({"a": "1", "x": [1, 2]})
