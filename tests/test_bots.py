"""The example bots, as somebody meets them: in both languages, each of their answers."""

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from tests.stage import ANA, Stage

HOME = Path(__file__).parent.parent
FAQ = (HOME / "flows" / "faq.yaml").read_text("utf-8")

HOURS = "We are open Monday to Saturday, 9 am to 6 pm."
DELIVERY = "Delivery takes 2 to 5 working days and is free above R$ 150."
RETURNS = "You can return anything within 30 days, unused and with its receipt."
PAYMENT = "We take Pix, cards and boleto."


def load(path: Path) -> ModuleType:
    """A fresh copy of an example's module."""
    spec = importlib.util.spec_from_file_location(f"example_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(autouse=True)
def forget(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("pilotbot.replies.actions._registry", {})
    monkeypatch.setattr("pilotbot.contacts.state._registry", {})
    yield
    for name in [name for name in sys.modules if name.startswith("example_")]:
        del sys.modules[name]


@pytest.mark.parametrize("name", ["orders", "faq"])
def test_an_example_is_short(name: str) -> None:
    assert len((HOME / "bots" / f"{name}.py").read_text("utf-8").splitlines()) < 80


class TestOrders:
    async def conversation(self, stage: Stage) -> ModuleType:
        module = load(HOME / "bots" / "orders.py")
        await stage.work(module.bot)
        return module

    @pytest.mark.parametrize("text", ["order", "where are my ORDERS?", "pedido", "Cadê o meu pedido?", "pedidos", "rastrear"])
    async def test_the_latest_order_with_buttons(self, stage: Stage, text: str) -> None:
        await self.conversation(stage)
        await stage.says(text)
        (answer,) = await stage.sees(1)
        assert (answer["mode"], answer["text"]) == ("buttons", "Hi Ana, order 4242 is out for delivery / saiu para entrega.")
        assert [button["label"] for button in answer["buttons"]] == ["Track", "Talk to a person"]

    @pytest.mark.parametrize("text", ["4312", "and number 4312?", "e o 4312?"])
    async def test_an_order_by_its_number(self, stage: Stage, text: str) -> None:
        await self.conversation(stage)
        await stage.says(text)
        assert [row["text"] for row in await stage.sees(1)] == ["Hi Ana, order 4312 is being packed / em separação."]

    async def test_an_order_that_is_not_known(self, stage: Stage) -> None:
        await self.conversation(stage)
        await stage.says("9999")
        (answer,) = await stage.sees(1)
        assert answer["text"] == "I have no order 9999. / Não encontrei o pedido 9999."
        assert [button["label"] for button in answer["buttons"]] == ["Talk to a person"]

    @pytest.mark.parametrize("choice", ["tap", "track", "1"])
    async def test_its_parcel(self, stage: Stage, choice: str) -> None:
        await self.conversation(stage)
        await stage.says("order")
        await stage.sees(1)
        await (stage.taps("Track") if choice == "tap" else stage.says(choice))
        assert (await stage.sees(2))[1]["text"] == "Parcel of order 4242: BR4242X, at the depot since 08:10."

    @pytest.mark.parametrize("text", ["talk to a person", "I want a human", "atendente", "quero falar com uma pessoa"])
    async def test_a_person(self, stage: Stage, text: str) -> None:
        await self.conversation(stage)
        await stage.says(text)
        assert [row["text"] for row in await stage.sees(1)] == ["A person will answer you here soon. / Uma pessoa já vai falar com você."]

    async def test_a_contact_without_a_name(self, stage: Stage) -> None:
        await self.conversation(stage)
        await stage.api("POST", "/sandbox/inbound", {"from": "+5521998760002", "text": "order"})
        (answer,) = await stage.sees(1, contact="+5521998760002")
        assert answer["text"].startswith("Hi there, order 4242")

    async def test_the_news_a_day_later_goes_as_the_template(self, stage: Stage) -> None:
        module = await self.conversation(stage)
        await stage.says("order")
        await stage.sees(1)
        await stage.travel("25h")
        await module.bot.notify(ANA, module.ORDER, order=await module.Orders().latest(ANA))
        _, news = await stage.sees(2, settled=True)
        assert (news["mode"], news["status"], news["variables"]["order_id"]) == ("template", "READ", "4242")


class TestFaq:
    @pytest.mark.parametrize(
        ("text", "answer"),
        [
            ("Opening hours", HOURS), ("when are you open?", HOURS), ("horário de funcionamento", HOURS), ("HORARIO", HOURS),
            ("how long does delivery take", DELIVERY), ("qual o prazo de entrega?", DELIVERY), ("frete", DELIVERY),
            ("can I return it?", RETURNS), ("devolucao", RETURNS), ("quero trocar produto", RETURNS),
            ("how can I pay", PAYMENT), ("aceita pix?", PAYMENT), ("cartao", PAYMENT), ("formas de pagamento", PAYMENT),
        ],
    )  # fmt: skip
    async def test_a_question_that_is_known_is_answered_in_both_languages(self, stage: Stage, text: str, answer: str) -> None:
        await stage.work(load(HOME / "bots" / "faq.py").bot)
        await stage.says(text)
        (found,) = await stage.sees(1)
        assert found["text"].splitlines()[0] == answer
        assert len(found["text"].splitlines()) == 2

    @pytest.mark.parametrize("text", ["hi", "Oi!", "olá", "menu", "ajuda", "xyzzy"])
    async def test_the_menu_and_an_answer_from_it(self, stage: Stage, text: str) -> None:
        await stage.work(load(HOME / "bots" / "faq.py").bot)
        await stage.says(text)
        (menu,) = await stage.sees(1)
        assert menu["text"].startswith("What would you like to know? / O que você quer saber?")
        await stage.says("Returns")
        assert (await stage.sees(2))[1]["text"].startswith(RETURNS)

    async def test_a_question_that_is_nearly_known_is_asked_back_and_a_tap_answers_it(self, stage: Stage) -> None:
        await stage.work(load(HOME / "bots" / "faq.py").bot)
        await stage.says("delivrey tim")
        (asked,) = await stage.sees(1)
        assert asked["text"] == "Did you mean... / Você quis dizer..."
        assert "Delivery" in [button["label"] for button in asked["buttons"]]
        await stage.taps("Delivery")
        assert (await stage.sees(2))[1]["text"].startswith(DELIVERY)

    async def test_an_answer_that_was_deleted_meanwhile(self, stage: Stage) -> None:
        module = load(HOME / "bots" / "faq.py")
        await stage.work(module.bot)
        await stage.says("delivrey tim")
        await stage.sees(1)
        module.FAQ.faq[:] = [entry for entry in module.FAQ.faq if entry.id != "delivery"]
        await stage.taps("Delivery")
        assert (await stage.sees(2))[1]["text"] == "That answer is gone. / Essa resposta não existe mais."

    @pytest.mark.parametrize(
        ("mistake", "by", "told"),
        [
            ("title: Delivery", "title: Delivery to all of the country", r"faq\.1\.title"),
            ("title: Delivery", "titel: Delivery", r"faq\.1\.titel"),
            ("    ask: [delivery, how long does delivery take, shipping, entrega, prazo de entrega, frete]\n", "", r"faq\.1\.ask"),
            ("ask: [payment, how can I pay, pix, card, pagamento, formas de pagamento, cartão]", "ask: []", r"faq\.3\.ask"),
            ("- id: hours", "- id: 7", r"faq\.0\.id"),
            ("faq:\n", "faqs:\n", "faq"),
            ("- id: returns", "  - id: returns\n -", "line"),
        ],
    )
    def test_a_mistake_in_its_file_stops_the_start_and_says_where(self, tmp_path: Path, mistake: str, by: str, told: str) -> None:
        assert mistake in FAQ
        for folder in ("bots", "flows"):
            (tmp_path / folder).mkdir()
        (tmp_path / "bots" / "faq.py").write_text((HOME / "bots" / "faq.py").read_text("utf-8"), "utf-8")
        (tmp_path / "flows" / "faq.yaml").write_text(FAQ.replace(mistake, by), "utf-8")
        with pytest.raises(Exception, match=told):
            load(tmp_path / "bots" / "faq.py")
