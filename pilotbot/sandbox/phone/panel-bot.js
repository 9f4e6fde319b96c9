// The open chat as the bot has it, or why nothing is known of it.

import { byId, h, reconcile } from "./dom.js";
import { clockTime, whenFrom, whenOf } from "./format.js";
import { has, t } from "./i18n.js";
import { jsonBlock } from "./json.js";
import { chip, nothing, pairs, part } from "./panel-parts.js";
import { now } from "./state.js";

const COMMAND = "pilotbot dev mybot.py";
const TURNS = 8;

/** Draw what the bots of the open chat said when they were asked. */
export function drawBot(state, acts) {
  reconcile(byId("pane-bot"), parts(state, acts).filter(Boolean));
}

function parts(state, acts) {
  if (!state.open) return [nothing("bot-pick", "phone", t("botPickTitle"), t("botPickText"))];
  if (!state.bots)
    return [{ key: "bot-asking", version: t("botAsking"), build: () => h("p", { class: "asking" }, t("botAsking")) }];
  const { problem, bots } = state.bots;
  if (problem) return [nothing("bot-problem", "failed", t("botSilentTitle"), t("botProblem", { reason: problem }))];
  if (!bots.length) {
    const command = h("p", { class: "command mono" }, COMMAND);
    return [nothing("bot-none", "phone", t("botNoneTitle"), t("botNoneText"), command)];
  }
  return bots.flatMap((bot, index) => (bot.kind === "open" ? open(state, bot, index, acts) : [closed(bot, index)]));
}

function closed(bot, index) {
  const title = {
    silent: "botSilentTitle",
    refused: "botRefusedTitle",
    discreet: "botDiscreetTitle",
    nonsense: "botNonsenseTitle",
  };
  const text = {
    silent: "botSilentText",
    refused: "botRefusedText",
    discreet: "botDiscreetText",
    nonsense: "botNonsenseText",
  };
  const words = t(text[bot.kind]);
  const address = h("p", { class: "mono note" }, [bot.url, bot.error].filter(Boolean).join(" · "));
  return nothing(
    `bot-${bot.kind} ${index}`,
    bot.kind === "discreet" ? "eye" : "failed",
    t(title[bot.kind], bot),
    words,
    address,
  );
}

function open(state, bot, index, acts) {
  const key = (name) => `${name} ${index}`;
  const chat = bot.chat;
  const aside = bot.aside.slice(-20).reverse();
  const head = part(key("bot"), bot.bot, [bot.url, chat === null], () => [
    h("p", { class: "mono note" }, bot.url),
    !chat && h("p", {}, t("botUnknown")),
  ]);
  return [
    head,
    chat && chatPart(state, key("chat"), chat),
    chat && part(key("states"), t("botStates"), [chat.states, chat.problems], () => stateNodes(chat)),
    chat && part(key("menus"), t("botMenus"), chat.menus, () => menuNodes(chat.menus)),
    part(key("aside"), t("botAside"), aside, () => asideNodes(aside)),
    turnsPart(state, key("turns"), bot, acts),
  ];
}

function chatPart(state, key, chat) {
  const window = windowText(state, chat.window);
  const wrote = chat.lastInboundAt ? whenFrom(chat.lastInboundAt, now(state)) : t("botNever");
  const waiting = Object.entries(chat.waiting).map(([name, count]) =>
    chip(`${t(`wait_${name}`)} ${count}`, count ? "warn" : "plain"),
  );
  return part(key, t("botChat"), [chat.number, window, wrote, chat.waiting], () => [
    pairs([
      chat.number && [t("botNumber"), String(chat.number)],
      [t("botWindow"), window],
      [t("botLastInbound"), wrote],
    ]),
    h("p", { class: "chips", data: { testid: "waiting" } }, h("span", { class: "note" }, t("botWaiting")), waiting),
  ]);
}

function windowText(state, window) {
  const until = window.closesAt ? whenFrom(window.closesAt, now(state)) : "";
  const key = until || !["open", "closed"].includes(window.state) ? `win_${window.state}` : `win_${window.state}Now`;
  return has(key) ? t(key, { until }) : String(window.state ?? "");
}

function stateNodes(chat) {
  const states = Object.entries(chat.states);
  if (!states.length) return h("p", { class: "note" }, t("botNoStates"));
  return states.map(([name, value]) => [
    h("h4", { class: "mono" }, name),
    jsonBlock(value, name),
    chat.problems[name] && h("p", { class: "trouble-note" }, String(chat.problems[name])),
  ]);
}

function menuNodes(menus) {
  if (!menus.length) return h("p", { class: "note" }, t("botNoMenus"));
  return menus.map((menu) =>
    h(
      "ul",
      { class: "menu" },
      (Array.isArray(menu.labels) ? menu.labels : []).map((label) => {
        const action = menu.actions?.[label];
        const values = Object.entries(action?.values ?? {}).map(([key, value]) => `${key}=${JSON.stringify(value)}`);
        return h(
          "li",
          {},
          h("span", { class: "menu-label" }, String(label)),
          action
            ? h("span", { class: "mono note" }, `${action.name}(${values.join(", ")})`)
            : h("span", { class: "note" }, t("botMenuPlain")),
        );
      }),
    ),
  );
}

function asideNodes(aside) {
  if (!aside.length) return h("p", { class: "note" }, t("botNoAside"));
  return h(
    "ul",
    { class: "aside" },
    aside.map((one) => {
      const why = `asideWhy_${String(one.why).replaceAll("-", "_")}`;
      return h(
        "li",
        {},
        h(
          "p",
          { class: "chips" },
          chip(
            has(`aside_${one.what}`) ? t(`aside_${one.what}`) : String(one.what),
            one.what === "fail" ? "bad" : "warn",
          ),
          h("time", { class: "note", datetime: one.at }, whenOf(one.at)),
        ),
        one.text && h("p", { class: "quotation" }, String(one.text)),
        h("p", { class: "note" }, has(why) ? t(why) : String(one.why ?? "")),
      );
    }),
  );
}

/** The last turns; one of a message that the page has leads to it. */
function turnsPart(state, key, bot, acts) {
  const turns = bot.turns.slice(-TURNS).reverse();
  const rowOf = ({ messageId }) => messageId && [...state.rows.values()].find((row) => row.messageId === messageId);
  const known = turns.map((turn) => Boolean(rowOf(turn)));
  return part(key, t("botTurns"), [turns, known], () => {
    if (!turns.length) return h("p", { class: "note" }, t("botNoTurns"));
    const line = (turn) => [
      h("time", { datetime: turn.at }, clockTime(turn.at)),
      h("span", { class: "turn-what" }, String(turn.text || turn.event || "")),
      h("span", { class: "mono note" }, turn.handler ? String(turn.handler.name) : t("turnUnhandled")),
    ];
    const props = { type: "button", class: "about-line" };
    const item = (turn) => {
      const row = rowOf(turn);
      return row
        ? h("button", { ...props, on: { click: () => acts.details(row) } }, line(turn))
        : h("p", { class: "about-line" }, line(turn));
    };
    return h(
      "ul",
      { class: "about turns" },
      turns.map((turn) => h("li", {}, item(turn))),
    );
  });
}
