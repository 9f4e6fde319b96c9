"""A shop's order bot: where is my order, and a person on request. Run it with `pilotbot dev bots/orders.py`, and write "order"."""

from dataclasses import dataclass

from pilotbot import Action, Bot, Context, Message, State, Template, days, pattern, words

bot = Bot("orders")


@dataclass(frozen=True)
class Order:
    id: str
    status: str
    parcel: str


class Orders:
    """The shop's records. A real shop asks its database here; handlers do not see the difference."""

    _known = (
        Order("4242", "out for delivery / saiu para entrega", "BR4242X, at the depot since 08:10"),
        Order("4312", "being packed / em separação", "no parcel number yet"),
    )

    async def latest(self, phone: str) -> Order:
        return self._known[0] if phone else self._known[1]

    async def find(self, order_id: str) -> Order | None:
        return next((order for order in self._known if order.id == order_id), None)


bot.provide(Orders, Orders)


class Track(Action):
    """What "Track" means: it comes back as this object, from a tap, the typed label or "1", also days later."""

    order_id: str


class Visit(State, ttl=days(30)):
    """What we remember of this chat."""

    asked: int = 0


TALK = "Talk to a person"
ORDER = Message(
    "Hi {{ contact.first_name or 'there' }}, order {{ order.id }} is {{ order.status }}.",
    options=[Track(order_id="{{ order.id }}").option("Track"), TALK],
    template=Template("order_status", order_id="{{ order.id }}", status="{{ order.status }}"),
)


@bot.message(pattern(r"\b(?P<order_id>\d{4})\b"))
async def one_order(ctx: Context, order_id: str, orders: Orders) -> None:
    order = await orders.find(order_id)
    if order is None:
        await ctx.reply(f"I have no order {order_id}. / Não encontrei o pedido {order_id}.", options=[TALK])
    else:
        await ctx.reply(ORDER, order=order)


@bot.message(words("order", "orders", "pedido", "pedidos", "rastrear"))
async def order_status(ctx: Context, orders: Orders, visit: Visit) -> None:
    visit.asked += 1
    await ctx.reply(ORDER, order=await orders.latest(ctx.contact.phone))


@bot.tapped(Track)
async def track(ctx: Context, action: Track, orders: Orders) -> None:
    order = await orders.find(action.order_id)
    await ctx.reply(f"Parcel of order {action.order_id}: {order.parcel if order else 'unknown'}.")


@bot.message(words(TALK, "person", "human", "atendente", "pessoa"))
async def person(ctx: Context) -> None:
    await ctx.reply("A person will answer you here soon. / Uma pessoa já vai falar com você.")
